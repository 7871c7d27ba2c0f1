"""SOCKS5 and datagrams: a client of UDP ASSOCIATE, a client of UDP-TUN, and small UDP targets."""
import select
import socket
import struct
import threading
from dataclasses import dataclass

from support import wire
from support.waiting import TIMEOUT

ASSOCIATE, UDP_TUN = 3, 0xF3
ANY4 = ("0.0.0.0", 0)


def udp_socket(host="127.0.0.1", port=0):
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, port))
    sock.settimeout(TIMEOUT)
    return sock


def header(host, port, fragment=0, reserved=0):
    """What precedes the payload of a datagram between a client and the relay (RFC 1928 section 7)."""
    return struct.pack(">HB", reserved, fragment) + wire.address5(host, port)


def frame(host, port, payload, mark=0xFF):
    """A datagram on a UDP-TUN connection: its length, FF, its address, the payload."""
    return struct.pack(">HB", len(payload), mark) + wire.address5(host, port) + payload


@dataclass
class Datagram:
    """What came out of the relay."""
    payload: bytes
    source: tuple
    fragment: int = 0
    reserved: int = 0


def parse(data):
    """The datagram that a relay sent."""
    reserved, fragment, kind = struct.unpack_from(">HBB", data)
    length = {1: 4, 4: 16}.get(kind)
    if length is None:
        assert kind == 3, f"unknown address type in {data[:32].hex()}"
        length, start = data[4], 5
        host = data[start:start + length].decode()
    else:
        start = 4
        host = socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data[start:start + length])
    end = start + length
    assert len(data) >= end + 2, f"truncated: {data.hex()}"
    return Datagram(data[end + 2:], (host, struct.unpack_from(">H", data, end)[0]), fragment, reserved)


def negotiated(proxy, user=None, password=""):
    """A connection to a SOCKS5 server that waits for the request."""
    sock = wire.connect(proxy)
    if user is None:
        sock.sendall(wire.GREETING)
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
    else:
        sock.sendall(wire.GREETING_WITH_PASSWORD)
        assert wire.read_exactly(sock, 2) == b"\x05\x02"
        sock.sendall(wire.credentials(user, password))
        assert wire.read_exactly(sock, 2) == b"\x01\x00"
    return sock


class Association:
    """UDP ASSOCIATE: a control connection and a socket for datagrams.

    `requested` is what the request names: the address from which the datagrams will come, or zeros; "own" asks with
    the true one. A `host` other than the control connection's sends from another address.
    """

    def __init__(self, proxy, user=None, password="", requested=ANY4, host=None):
        self.control = negotiated(proxy, user, password)
        self.sock = udp_socket(host or self.control.getsockname()[0])
        try:
            if requested == "own":
                requested = self.sock.getsockname()[:2]
            self.control.sendall(wire.request5(*requested, ASSOCIATE))
            self.reply, self.relay = wire.read_reply5(self.control)
            assert self.reply == 0, f"SOCKS5 reply {self.reply}"
        except BaseException:
            self.close()
            raise

    def send(self, payload, target, **fields):
        self.send_raw(header(*target[:2], **fields) + payload)

    def send_raw(self, data):
        self.sock.sendto(data, self.relay)

    def receive(self, timeout=TIMEOUT):
        self.sock.settimeout(timeout)
        data, sender = self.sock.recvfrom(65536)
        assert sender[:2] == self.relay, f"a datagram from {sender}, the relay is {self.relay}"
        return parse(data)

    def assert_echo(self, target, payload=b"still here"):
        self.send(payload, target)
        got = self.receive()
        assert (got.payload, got.source[1]) == (payload, target[1])

    def close(self):
        self.sock.close()
        self.control.close()


class UdpTunnel:
    """UDP-TUN: datagrams as frames on the SOCKS5 connection."""

    def __init__(self, proxy, user=None, password="", requested=ANY4):
        self.sock = negotiated(proxy, user, password)
        try:
            self.sock.sendall(wire.request5(*requested, UDP_TUN))
            self.reply, self.bound = wire.read_reply5(self.sock)
            assert self.reply == 0, f"SOCKS5 reply {self.reply}"
        except BaseException:
            self.sock.close()
            raise

    def send(self, payload, target, **fields):
        self.sock.sendall(frame(*target[:2], payload, **fields))

    def receive(self):
        head = wire.read_exactly(self.sock, 4)
        if head[3] == 3:
            length = wire.read_exactly(self.sock, 1)
            head += length
            rest = length[0]
        else:
            rest = {1: 4, 4: 16}[head[3]]
        head += wire.read_exactly(self.sock, rest + 2)
        return parse(head + wire.read_exactly(self.sock, struct.unpack_from(">H", head)[0]))

    def assert_echo(self, target, payload=b"still here"):
        self.send(payload, target)
        got = self.receive()
        assert (got.payload, got.source[1]) == (payload, target[1])

    def close(self):
        self.sock.close()


class UdpTarget:
    """A target that the test itself plays."""

    def __init__(self, host="127.0.0.1"):
        self._sock = udp_socket(host)
        self.address = self._sock.getsockname()[:2]
        self.port = self.address[1]

    def receive(self, timeout=TIMEOUT):
        """(payload, who sent it)"""
        self._sock.settimeout(timeout)
        return self._sock.recvfrom(65536)

    def send(self, payload, to):
        self._sock.sendto(payload, to)

    def close(self):
        self._sock.close()


class UdpAnswering:
    """Sends back, for each datagram, those that `answer(payload)` returns; keeps what came and from where."""

    def __init__(self, host="127.0.0.1", answer=lambda data: [data]):
        self._answer = answer
        self._sock = udp_socket(host)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.address = self._sock.getsockname()[:2]
        self.port = self.address[1]
        self.received = []
        self._wake, wake = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, args=(wake,), daemon=True)
        self._thread.start()

    @property
    def payloads(self):
        return [payload for payload, _ in list(self.received)]

    @property
    def senders(self):
        """Each socket that ever sent here, in the order of their first datagrams."""
        return list(dict.fromkeys(sender for _, sender in list(self.received)))

    def _serve(self, wake):
        with wake, self._sock:
            while True:
                readable, _, _ = select.select([wake, self._sock], [], [])
                if wake in readable:
                    return
                data, sender = self._sock.recvfrom(65536)
                self.received.append((data, sender))
                for answer in self._answer(data):
                    self._sock.sendto(answer, sender)

    def close(self):
        self._wake.close()
        self._thread.join(TIMEOUT)
