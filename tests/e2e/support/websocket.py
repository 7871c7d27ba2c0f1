"""WebSocket as bytes (RFC 6455): requests, frames, and an end that speaks it over any socket."""
import base64
import hashlib
import os
import re
import struct
from collections import namedtuple

from support import wire

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
CONTROL = 8
KEY = "dGhlIHNhbXBsZSBub25jZQ=="

Frame = namedtuple("Frame", "opcode payload fin rsv masked")


def accept_key(key):
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def request(path="/ws", extra="", host="proxy.example", without=(), method="GET"):
    fields = {"Host": host, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
              "Sec-WebSocket-Key": KEY}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if name not in without)
    return f"{method} {path} HTTP/1.1\r\n{lines}{extra}\r\n".encode()


def masked(payload, key):
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def frame(payload, opcode=BINARY, fin=True, mask=True, rsv=0):
    """One frame; `mask` as a client does."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size) if size < 65536 else \
        b"\x7f" + struct.pack(">Q", size)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode, length[0] | (0x80 if mask else 0)]) + length[1:]
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + masked(payload, key)


def parse_frame(data):
    """(frame, rest); None if it is not whole."""
    if len(data) < 2:
        return None
    size, at = data[1] & 127, 2
    extra = {126: 2, 127: 8}.get(size, 0)
    if extra:
        size, at = int.from_bytes(data[2:2 + extra], "big"), 2 + extra
    key = data[at:at + 4] if data[1] & 128 else b""
    at += len(key)
    if len(data) < at + size or (data[1] & 128 and len(key) < 4):
        return None
    payload = bytes(data[at:at + size])
    return Frame(data[0] & 15, masked(payload, key) if key else payload, bool(data[0] & 128), data[0] >> 4 & 7,
                 bool(key)), data[at + size:]


def frames_of(data):
    """([whole frames], rest)"""
    frames = []
    while parsed := parse_frame(data):
        frames.append(parsed[0])
        data = parsed[1]
    return frames, data


def read_head(sock):
    """The head of an HTTP message as text, and not a byte more."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += wire.read_exactly(sock, 1)
        assert len(head) < 20000
    return head.decode("latin-1")


def read_answer(sock):
    """(status, head, body) of an ordinary answer, after which the connection must end."""
    head = read_head(sock)
    body = wire.read_exactly(sock, int(re.search(r"(?i)^content-length: (\d+)", head, re.MULTILINE)[1]))
    assert wire.read_to_end(sock) == b""
    return int(head.split()[1]), head, body


class WebSocket:
    """One end after the handshake, with the methods of a socket that the helpers in `wire` use. Pings that come are
    kept in `control`, and so is everything else that is no data."""

    def __init__(self, sock, client=True):
        self.sock = sock
        self.control = []
        self._client = client
        self._raw = b""
        self._data = b""

    def sendall(self, payload, **options):
        self.sock.sendall(frame(payload, mask=self._client, **options))

    def read_frame(self):
        while not (parsed := parse_frame(self._raw)):
            more = self.sock.recv(1 << 18)
            if not more:
                raise EOFError(f"ended within a frame: {self._raw[:64]!r}" if self._raw else "ended")
            self._raw += more
        self._raw = parsed[1]
        return parsed[0]

    def recv(self, size):
        while not self._data:
            try:
                got = self.read_frame()
            except EOFError:
                if self._raw:
                    raise
                return b""
            assert got.masked != self._client, "masked by the wrong side"
            if got.opcode < CONTROL:
                self._data += got.payload
            else:
                self.control.append(got)
        data, self._data = self._data[:size], self._data[size:]
        return data

    def close(self):
        self.sock.close()


def over(sock, path="/ws", extra=""):
    """A client upon `sock`, behind a handshake that was accepted."""
    sock.sendall(request(path, extra))
    head = read_head(sock)
    assert head.startswith("HTTP/1.1 101 ") and accept_key(KEY) in head, head
    return WebSocket(sock)


def connect(address, path="/ws", extra=""):
    return over(wire.connect(address), path, extra)


def accept(sock, extra=""):
    """The server's handshake; (the request's head, the end)."""
    head = read_head(sock)
    key = re.search(r"(?i)sec-websocket-key: (\S+)", head)[1]
    sock.sendall((f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Accept: {accept_key(key)}\r\n{extra}\r\n").encode())
    return head, WebSocket(sock, client=False)


def tunnel5(end, target):
    """SOCKS5 CONNECT over `end`."""
    end.sendall(wire.GREETING)
    assert wire.read_exactly(end, 2) == b"\x05\x00"
    end.sendall(wire.request5(*target))
    assert wire.read_reply5(end)[0] == 0
    return end
