"""Replays a recorded conversation: the client's side, and the target's where it was recorded, against this program."""
import re
import select
import socket
import struct
import time
from dataclasses import dataclass, field

from support import wire
from support.waiting import TIMEOUT

# A success reply: its BND.PORT is the kernel's choice.
SUCCESS = re.compile(rb"\x05\x00\x00(?:\x01(.{4})|\x04(.{16}))(..)", re.DOTALL)


def pong(data):
    """The recorded target: answers a ping with a pong and echoes anything else."""
    return b"pong" + data[4:] if data.startswith(b"ping") else data


def serve_pongs(sock):
    """The recorded target: it closes behind the last pong."""
    while data := sock.recv(4096):
        sock.sendall(pong(data))
        if data == b"ping-bye":
            return


def rewritten(data, ports):
    """`data` with the ports of the recording replaced by those in use now."""
    for recorded, now in ports.items():
        data = data.replace(struct.pack(">H", recorded), struct.pack(">H", now))
    return data


@dataclass
class Conversation:
    """`ports` maps recorded numbers to those in use now."""
    proxy: tuple
    ports: dict
    events: list
    target: object = None
    client: socket.socket = None
    target_side: socket.socket = None
    sent: bytes = b""
    _pending_port: dict = field(default_factory=dict)

    def play(self):
        self.client = wire.connect(self.proxy)
        try:
            outgoing = iter(self._outgoing())
            last_of_target = next((event for event in reversed(self.events) if event.get("leg") == "target"), None)
            for event in self.events:
                leg = event.get("leg")
                if event["dir"] == "note":
                    self._note(event["note"])
                elif leg == "target":
                    self._play_target(event)
                    if event is last_of_target and event["dir"] == "s2c" and "hex" in event:
                        # Its last word was recorded, that it closed then was not.
                        self.target_side.shutdown(socket.SHUT_WR)
                elif event["dir"] == "c2s" and "hex" in event:
                    self.client.sendall(next(outgoing))
                    # Pacing only: separate segments as far as the kernel lets them be.
                    time.sleep(0.001)
                elif event["dir"] == "c2s":
                    self.client.shutdown(socket.SHUT_WR)
                elif "hex" in event:
                    self._expect(bytes.fromhex(event["hex"]))
                else:
                    self._expect_end(self.client)
        finally:
            self.client.close()

    def _outgoing(self):
        """The client's segments with the ports rewritten, also where a port is split over two of them."""
        segments = [bytes.fromhex(event["hex"]) for event in self.events
                    if event["dir"] == "c2s" and "hex" in event and event.get("leg") is None]
        stream = rewritten(b"".join(segments), self.ports)
        position = 0
        for segment in segments:
            yield stream[position:position + len(segment)]
            position += len(segment)

    def _expect(self, expected):
        got = wire.read_exactly(self.client, len(expected))
        assert without_bound_port(got) == without_bound_port(expected), \
            f"the server said {got.hex()} where {expected.hex()} was recorded"

    def _play_target(self, event):
        if event.get("open"):
            self.target_side = self.target.accept()
        elif event["dir"] == "s2c" and "hex" in event:
            self.target_side.sendall(bytes.fromhex(event["hex"]))
        elif event["dir"] == "s2c":
            self.target_side.shutdown(socket.SHUT_WR)
        elif "hex" in event:
            expected = bytes.fromhex(event["hex"])
            assert wire.read_exactly(self.target_side, len(expected)) == expected
        else:
            self._expect_end(self.target_side)

    def _note(self, note):
        """All notes of these recordings say that the connection is still open and silent."""
        assert "still open" in note, note
        readable, _, _ = select.select([self.client], [], [], 0.05)
        assert not readable, "the server said something or closed where it was silent in the recording"

    @staticmethod
    def _expect_end(sock):
        sock.settimeout(TIMEOUT)
        assert wire.read_to_end(sock) == b"", "bytes that were not recorded"


def without_bound_port(data):
    match = SUCCESS.fullmatch(data)
    return data[:-2] + b"\0\0" if match else data
