"""Replays recordings in which GOST was the client of a proxy for UDP over the SOCKS5 connection, or for the ports of a
remote forward: proxy, targets and application are played, what this program says to the proxy is compared."""
import contextlib
import re
import socket
import struct
import time

from support import wire
from support.replay import pong
from support.replay_datagrams import first_frame
from support.udp import parse, udp_socket

SMUX_FIN, SMUX_DATA = 1, 2


def conversations(events):
    """The events of each connection; those on other legs belong to the latest one."""
    number, found = 1, {}
    for event in events:
        number = event.get("conn", number)
        found.setdefault(number, []).append(event)
    return list(found.values())


def without(legs, events):
    return [event for event in events if event.get("leg") not in legs]


def in_whole_frames(events):
    """GOST's client writes a frame in up to three parts; here they are one event."""
    whole = []
    for event in events:
        same = whole and "hex" in whole[-1] and "hex" in event and event["dir"] == "c2s" and all(
            whole[-1].get(key) == event.get(key) for key in ("conn", "dir", "leg"))
        if same:
            whole[-1] = {**whole[-1], "hex": whole[-1]["hex"] + event["hex"]}
        else:
            whole.append(event)
    return whole


def rsv_1(events):
    """The request of a tunnel as this program's client makes it, where GOST's was recorded."""
    return [{**event, "hex": "05f301" + event["hex"][6:]} if event.get("hex", "").startswith("05f300") else event
            for event in events]


def asked(payload, conn=1):
    """A datagram of the application, which was not recorded."""
    return {"leg": "application", "conn": conn, "dir": "c2s", "hex": payload.hex()}


def with_application(events):
    """What the application must have sent for each frame; the first of its datagrams is what makes the client come."""
    result = []
    for conversation in conversations(events):
        conn = conversation[0].get("conn", 1)
        said = [event for event in conversation if event["dir"] == "c2s" and "hex" in event]
        frames = said[2:]  # behind the greeting and the request
        if not frames:
            result.append(asked(b"ping", conn))
        for event in conversation:
            if event is conversation[0] and frames:
                result.append(asked(parse(bytes.fromhex(frames[0]["hex"])).payload, conn))
            elif any(event is frame for frame in frames[1:]):
                result.append(asked(parse(bytes.fromhex(event["hex"])).payload, conn))
            result.append(event)
    return result


class _ProxySide:
    """A connection of the program to its proxy, which the test plays."""

    def __init__(self, connection):
        self._connection = connection
        self.said = b""

    def step(self, event):
        if event["dir"] == "s2c" and "hex" in event:
            self.said += bytes.fromhex(event["hex"])
            self._connection.sendall(bytes.fromhex(event["hex"]))
            time.sleep(0.001)  # pacing only: separate segments as far as the kernel lets them be
        elif event["dir"] == "s2c":
            self._connection.shutdown(socket.SHUT_WR)
        elif "hex" in event:
            expected = bytes.fromhex(event["hex"])
            got = wire.read_exactly(self._connection, len(expected))
            assert got == expected, f"the client said {got.hex()} where {expected.hex()} was recorded"
        else:
            assert wire.read_to_end(self._connection) == b"", "bytes that were not recorded"


class TunnelClientReplay:
    """The program is a forward of datagrams that listens at `forward`, and `listener` (a Target) is its proxy. Each
    connection is a session of an application of its own, which gets the payload of each frame."""

    def __init__(self, forward, listener, events):
        self._forward = forward
        self._listener = listener
        self._events = events

    def play(self):
        with contextlib.ExitStack() as stack:
            for conversation in conversations(self._events):
                application = stack.enter_context(contextlib.closing(udp_socket()))
                self._converse(application, conversation)

    def _converse(self, application, events):
        proxy = None
        for event in events:
            if event.get("leg") == "application":
                application.sendto(bytes.fromhex(event["hex"]), self._forward)
                continue
            proxy = proxy or _ProxySide(self._listener.accept())
            proxy.step(event)
        answers = proxy.said[2 + 10:]  # behind the method and the reply
        while frame := first_frame(answers):
            answers = answers[len(frame):]
            assert application.recv(65536) == parse(frame).payload


class RemoteReplay:
    """The program is a remote forward, and `listener` (a Target) is its proxy. `play` may be called again with what
    follows."""

    def __init__(self, listener):
        self._listener = listener
        self._number = 0
        self._proxy = None

    def play(self, events):
        for event in events:
            if "leg" in event:
                self._play_leg(event)
                continue
            if event.get("conn", 1) != self._number:
                self._number = event.get("conn", 1)
                self._proxy = _ProxySide(self._listener.accept())
            self._proxy.step(event)
            if event["dir"] == "s2c" and "hex" in event:
                self._follow(bytes.fromhex(event["hex"]))

    def _play_leg(self, event):
        raise AssertionError(f"an unknown leg: {event}")

    def _follow(self, data):
        """What the targets do because of what the proxy has said."""


class RemoteDatagramReplay(RemoteReplay):
    """rudp: what its `target` (a UdpTarget) got and answered is in the recording."""

    def __init__(self, listener, target):
        super().__init__(listener)
        self._target = target
        self.senders = []

    def _play_leg(self, event):
        data = bytes.fromhex(event["hex"])
        if event["dir"] == "c2s":
            payload, sender = self._target.receive()
            assert payload == data
            self.senders.append(sender)
        else:
            self._target.send(data, self.senders[-1])


class RemoteStreamReplay(RemoteReplay):
    """rtcp: its `target` (a Target) answers pings, and closes after `ping-bye` or when the stream's other end does."""

    def __init__(self, listener, target):
        super().__init__(listener)
        self._target = target
        self._streams = {}

    def _follow(self, data):
        while data[:1] in (b"\x01", b"\x02"):  # a version of smux; SOCKS5 begins with 05
            _, command, length, stream = struct.unpack_from("<BBHI", data)
            payload, data = data[8:8 + length], data[8 + length:]
            if command == SMUX_DATA and (ping := re.search(rb"ping.*", payload)):
                self._answer(stream, ping[0])
            elif command == SMUX_FIN and stream in self._streams:
                sock = self._streams.pop(stream)
                assert wire.read_to_end(sock) == b""
                sock.close()

    def _answer(self, stream, ping):
        if stream not in self._streams:
            self._streams[stream] = self._target.accept()
        sock = self._streams[stream]
        assert wire.read_exactly(sock, len(ping)) == ping
        sock.sendall(pong(ping))
        if ping == b"ping-bye":
            sock.shutdown(socket.SHUT_WR)
