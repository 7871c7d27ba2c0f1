"""Replays a recorded UDP association or UDP tunnel: client, targets, peers and strangers are played, what this program
says on each leg is compared."""
import contextlib
import ipaddress
import select
import socket
import struct

from support import wire
from support.replay import rewritten
from support.udp import UdpTarget, parse, udp_socket
from support.waiting import wait_until

LONGEST_HEADER = 24  # of a datagram with an address
FRAME_HEADERS = {1: 10, 4: 22}


def first_frame(data):
    """The first whole frame of UDP-TUN in `data`; empty if there is none yet."""
    if len(data) < 4:
        return b""
    length = FRAME_HEADERS[data[3]] + struct.unpack_from(">H", data)[0]
    return data[:length] if len(data) >= length else b""


class DatagramReplay:
    """`ports` maps recorded numbers to those in use now. It learns those that the kernel has chosen. `hosts` names the
    addresses of the legs that are not on 127.0.0.1."""

    def __init__(self, proxy, ports, events, hosts=None):
        self._proxy = proxy
        self._ports = dict(ports)
        self._events = events
        self._hosts = hosts or {}
        self._legs = {}
        self._target = None
        self._outbound = None
        self._relay = None
        self._said = b""      # what the server was recorded to have said, and was not compared yet
        self._replies = 0

    def play(self):
        with contextlib.ExitStack() as stack:
            self._stack = stack
            self._client = stack.enter_context(contextlib.closing(wire.connect(self._proxy)))
            if any(event.get("leg") == "target" for event in self._events):
                self._open_target()
            segments = self._segments()
            for event in self._events:
                self._step(event, segments)
            assert self._said == b""

    def _open_target(self):
        self._target = self._stack.enter_context(
            contextlib.closing(UdpTarget(self._hosts.get("target", "127.0.0.1"))))
        self._ports[23185 if ":" in self._target.address[0] else 23183] = self._target.port

    def _segments(self):
        """The client's segments with the ports rewritten, also where a port is split over two of them."""
        recorded = [bytes.fromhex(event["hex"]) for event in self._events
                    if event["dir"] == "c2s" and "hex" in event and "leg" not in event]
        stream = rewritten(b"".join(recorded), self._ports)
        position = 0
        for segment in recorded:
            yield stream[position:position + len(segment)]
            position += len(segment)

    def _step(self, event, segments):
        if event["dir"] == "note":
            self._note(event["note"])
        elif "leg" in event:
            self._play_leg(event["leg"], event["dir"], bytes.fromhex(event["hex"]))
        elif event["dir"] == "c2s" and "hex" in event:
            self._client.sendall(rewritten(next(segments), self._ports))
        elif event["dir"] == "c2s":
            self._client.shutdown(socket.SHUT_WR)
        elif "hex" in event:
            self._said += bytes.fromhex(event["hex"])
            self._compare_what_was_said()
        else:
            assert wire.read_to_end(self._client) == b"", "bytes that were not recorded"

    # --- the client's connection ---

    def _compare_what_was_said(self):
        if self._replies == 0:
            assert wire.read_exactly(self._client, 2) == self._said
            self._replies, self._said = 1, b""
        elif self._replies == 1:
            self._compare_reply(self._said)
            self._replies, self._said = 2, b""
        while frame := first_frame(self._said):
            self._said = self._said[len(frame):]
            self._compare(parse(self._read_frame()), parse(frame))

    def _compare_reply(self, expected):
        reply, bound = wire.read_reply5(self._client)
        assert reply == expected[1]
        if reply != 0:
            return
        host = ipaddress.ip_address(expected[4:-2])
        # Our sockets for targets are of both families: their unspecified address is ::.
        unspecified = host.is_unspecified and ipaddress.ip_address(bound[0]).is_unspecified
        assert unspecified or bound[0] == str(host)
        recorded = struct.unpack(">H", expected[-2:])[0]
        assert bound[1] == self._ports.setdefault(recorded, bound[1])
        self._relay = ("127.0.0.1", bound[1])

    def _read_frame(self):
        head = wire.read_exactly(self._client, 4)
        head += wire.read_exactly(self._client, FRAME_HEADERS[head[3]] - 4)
        return head + wire.read_exactly(self._client, struct.unpack_from(">H", head)[0])

    def _compare(self, got, expected):
        assert (got.payload, got.fragment, got.reserved) == (expected.payload, expected.fragment, expected.reserved)
        assert got.source[0] == expected.source[0]
        port = expected.source[1]
        if port not in self._ports:
            own = {sock.getsockname()[1] for sock in self._legs.values()} - set(self._ports.values())
            assert got.source[1] in own, f"{got.source} is none of those who have sent something"
            self._ports[port] = got.source[1]
        assert got.source[1] == self._ports[port]

    # --- the others ---

    def _leg(self, name):
        if name not in self._legs:
            self._legs[name] = self._stack.enter_context(
                contextlib.closing(udp_socket(self._hosts.get(name, "127.0.0.1"))))
        return self._legs[name]

    def _play_leg(self, name, direction, data):
        if name == "target" and direction == "c2s":
            payload, self._outbound = self._target.receive()
            assert payload == data
        elif name == "target":
            self._target.send(data, self._outbound)
        elif name == "third":
            self._leg(name).sendto(data, ("127.0.0.1", self._outbound[1]))
        elif direction == "c2s":
            head, rest = data[:LONGEST_HEADER], data[LONGEST_HEADER:]
            if name.startswith("udp"):
                head = rewritten(head, self._ports)
            self._leg(name).sendto(head + rest, self._relay)
        elif name.startswith("udp"):
            self._compare(parse(self._leg(name).recv(65536)), parse(data))
        else:
            assert self._leg(name).recv(65536) == data

    def _note(self, note):
        if "free again" in note:
            wait_until(self._port_is_free, note)
        else:
            assert "still open" in note, note
            readable, _, _ = select.select([self._client], [], [], 0.05)
            assert not readable, "the server said something or closed where it was silent in the recording"

    def _port_is_free(self):
        try:
            udp_socket(*self._relay).close()
        except OSError:
            return False
        return True
