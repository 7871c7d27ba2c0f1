"""Replays recorded conversations in which GOST was the client of a proxy: the proxy and the application in front of the
client are played, what this program says to the proxy is compared."""
import contextlib
import re
import socket
import time

from support import wire
from support.replay import rewritten
from support.udp import udp_socket

GIVEN_UP = ("<EOF>", "<reset>", "<nothing>")
RELAY_PORT = 23187  # where the recorded proxy's UDP socket was


def bytes_of(events, direction, leg=None):
    return [bytes.fromhex(event["hex"]) for event in events
            if event["dir"] == direction and "hex" in event and event.get("leg") == leg]


def what_the_application_said(events):
    """The payload in what the client was recorded to have said; something, if it never came to that."""
    found = re.search(rb"ping.*", b"".join(bytes_of(events, "c2s")), re.DOTALL)
    return found[0] if found else b"ping"


class StreamClientReplay:
    """The program listens at `forward`, and `listener` (a Target) is its proxy. `received` is what the application gets
    in the end."""

    def __init__(self, forward, listener, events, received):
        self._forward = forward
        self._listener = listener
        self._events = events
        self._received = received

    def play(self):
        with contextlib.closing(wire.connect(self._forward)) as application:
            self._application = application
            application.sendall(what_the_application_said(self._events))
            proxy = self._listener.accept()
            for event in self._events:
                self._step(proxy, event)

    def _step(self, proxy, event):
        if event["dir"] == "s2c":
            if "hex" not in event:
                proxy.shutdown(socket.SHUT_WR)
                return
            proxy.sendall(bytes.fromhex(event["hex"]))
            time.sleep(0.001)  # pacing only: separate segments as far as the kernel lets them be
        elif "hex" in event:
            expected = bytes.fromhex(event["hex"])
            got = wire.read_exactly(proxy, len(expected))
            assert got == expected, f"the client said {got.hex()} where {expected.hex()} was recorded"
        else:
            self._application_ends()
            assert wire.read_to_end(proxy) == b"", "bytes that were not recorded"

    def _application_ends(self):
        if self._received in GIVEN_UP:
            assert wire.read_to_end(self._application) == b""
        else:
            expected = self._received.encode()
            assert wire.read_exactly(self._application, len(expected)) == expected
        self._application.close()


class DatagramClientReplay:
    """The same for UDP ASSOCIATE. `received` are the datagrams that the application gets, in their order."""

    def __init__(self, forward, listener, events, received):
        self._forward = forward
        self._listener = listener
        self._events = events
        self._received = received

    def play(self):
        with contextlib.closing(udp_socket()) as relay, contextlib.closing(udp_socket()) as application:
            self._application = application
            self._questions = iter(re.search(rb"ping.*", data, re.DOTALL)[0]
                                   for data in bytes_of(self._events, "c2s", "udp"))
            self._relay = relay
            self._outbound = None
            # The first datagram makes the client come.
            self._ask()
            asked = True
            proxy = self._listener.accept()
            for event in self._events:
                if event.get("leg") == "udp":
                    if event["dir"] == "c2s" and not asked:
                        self._ask()
                    asked = False
                    self._datagram(event)
                else:
                    self._step(proxy, event)
            for expected in self._received:
                assert application.recv(65536) == expected.encode()

    def _ask(self):
        self._application.sendto(next(self._questions), self._forward)

    def _datagram(self, event):
        data = bytes.fromhex(event["hex"])
        if event["dir"] == "c2s":
            got, self._outbound = self._relay.recvfrom(65536)
            assert got == data, f"the client sent {got.hex()} where {data.hex()} was recorded"
        else:
            self._relay.sendto(data, self._outbound)

    def _step(self, proxy, event):
        if event["dir"] == "s2c" and "hex" in event:
            proxy.sendall(rewritten(bytes.fromhex(event["hex"]), {RELAY_PORT: self._relay.getsockname()[1]}))
        elif event["dir"] == "s2c":
            proxy.shutdown(socket.SHUT_WR)
        elif "hex" in event:
            expected = bytes.fromhex(event["hex"])
            assert wire.read_exactly(proxy, len(expected)) == expected
        else:
            assert wire.read_to_end(proxy) == b"", "bytes that were not recorded"
