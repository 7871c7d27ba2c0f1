"""smux frames by hand (wire.md section 6): one end of a session, and what recordings hold of one."""
import struct
from dataclasses import dataclass, field

from support import wire

SYN, FIN, PSH, NOP, UPD = range(5)


def frame(version, command, stream, payload=b""):
    return struct.pack("<BBHI", version, command, len(payload), stream) + payload


def parse(data):
    """The frames of `data`, which holds whole ones: (command, stream, payload)."""
    while data:
        _, command, length, stream = struct.unpack_from("<BBHI", data)
        yield command, stream, data[8:8 + length]
        data = data[8 + length:]


@dataclass
class Seen:
    """What one direction has said, stream by stream. Windows and keepalives are not part of it."""
    opened: list = field(default_factory=list)
    payload: dict = field(default_factory=dict)
    finished: set = field(default_factory=set)

    def add(self, command, stream, payload):
        if command == SYN:
            self.opened.append(stream)
        elif command == FIN:
            self.finished.add(stream)
        elif command == PSH:
            self.payload[stream] = self.payload.get(stream, b"") + payload

    def covers(self, other):
        return (self.opened[:len(other.opened)] == other.opened and other.finished <= self.finished
                and all(len(self.payload.get(stream, b"")) >= len(data) for stream, data in other.payload.items()))


class Session:
    """One end of a session on a socket."""

    def __init__(self, sock, version):
        self.sock = sock
        self.version = version
        self.seen = Seen()

    def send(self, command, stream, payload=b""):
        self.sock.sendall(frame(self.version, command, stream, payload))

    def receive(self):
        version, command, length, stream = struct.unpack("<BBHI", wire.read_exactly(self.sock, 8))
        assert version == self.version
        payload = wire.read_exactly(self.sock, length)
        self.seen.add(command, stream, payload)
        return command, stream, payload

    def receive_until(self, wanted):
        """Reads on until `wanted` has been seen."""
        while not self.seen.covers(wanted):
            self.receive()

    def read(self, stream, count):
        """The next `count` bytes of a stream."""
        while len(self.seen.payload.get(stream, b"")) < count:
            self.receive()
        data = self.seen.payload[stream]
        self.seen.payload[stream] = data[count:]
        return data[:count]
