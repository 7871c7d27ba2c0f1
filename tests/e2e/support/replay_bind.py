"""Replays a recorded BIND: the client and the peers are played, what this program says is compared."""
import contextlib
import select
import socket

from support import wire
from support.binding import peer_of
from support.replay import SUCCESS, rewritten, without_bound_port
from support.waiting import wait_until


def in_causal_order(events):
    """A peer's arrival was sometimes recorded a moment after the reply that it caused."""
    ordered = []
    for event in events:
        late = event.get("open") and "leg" not in ordered[-1] and ordered[-1]["dir"] == "s2c" and \
            sum("leg" not in earlier and earlier["dir"] == "s2c" for earlier in ordered) > 2
        ordered.insert(len(ordered) - (1 if late else 0), event)
    return ordered


class BindReplay:
    """`ports` maps recorded numbers to those in use now; peers connect to `peer_host`."""

    def __init__(self, proxy, ports, events, peer_host="127.0.0.1"):
        self._proxy = proxy
        self._ports = ports
        self._events = in_causal_order(events)
        self._peer_host = peer_host
        self._replies = 0
        self._bound_port = None
        self._peers = {}

    def play(self):
        with contextlib.ExitStack() as stack:
            self._stack = stack
            self._client = stack.enter_context(contextlib.closing(wire.connect(self._proxy)))
            for event in self._events:
                if event["dir"] == "note":
                    self._note(event["note"])
                elif "leg" in event:
                    self._play_peer(event)
                else:
                    self._play_client(event)

    def _play_client(self, event):
        if event["dir"] == "c2s":
            if "hex" in event:
                self._client.sendall(rewritten(bytes.fromhex(event["hex"]), self._ports))
            else:
                self._client.shutdown(socket.SHUT_WR)
        elif "hex" in event:
            self._expect(rewritten(bytes.fromhex(event["hex"]), self._ports))
        else:
            assert wire.read_to_end(self._client) == b"", "bytes that were not recorded"

    def _expect(self, expected):
        got = wire.read_exactly(self._client, len(expected))
        assert without_bound_port(got) == without_bound_port(expected), \
            f"the server said {got.hex()} where {expected.hex()} was recorded"
        if expected[:3] != b"\x05\x00\x00":
            return
        self._replies += 1
        port = int.from_bytes(got[-2:], "big")
        if self._replies == 1:
            self._bound_port = port
            if (recorded := int.from_bytes(expected[-2:], "big")) in self._ports.values():
                assert port == recorded
        else:
            assert SUCCESS.fullmatch(got) and port == self._peers["peer"].getsockname()[1]

    def _play_peer(self, event):
        leg = event["leg"]
        if event.get("open"):
            self._peers[leg] = self._stack.enter_context(
                contextlib.closing(peer_of((self._peer_host, self._bound_port))))
            return
        peer = self._peers[leg]
        if event["dir"] == "c2s":
            if "hex" in event:
                peer.sendall(bytes.fromhex(event["hex"]))
            else:
                peer.shutdown(socket.SHUT_WR)
        elif "hex" in event:
            expected = bytes.fromhex(event["hex"])
            assert wire.read_exactly(peer, len(expected)) == expected
        else:
            assert wire.read_to_end(peer) == b"", "bytes that were not recorded"

    def _note(self, note):
        if "refused" in note:
            host = "::1" if "IPv6" in note else self._peer_host
            wait_until(lambda: self._refuses((host, self._bound_port)), f"nobody listens any more: {note}")
        else:
            assert "still open" in note, note
            readable, _, _ = select.select([self._client], [], [], 0.05)
            assert not readable, "the server said something or closed where it was silent in the recording"

    @staticmethod
    def _refuses(address):
        with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET) as sock:
            return sock.connect_ex(address) != 0
