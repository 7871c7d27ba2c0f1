"""BIND from the client's side (RFC 1928 section 4, SOCKS4)."""
import ipaddress
import socket
import struct

from support import wire
from support.udp import negotiated

BIND = 2


class Bind5:
    """After the first reply; `bound` is where the server says that it listens."""

    def __init__(self, proxy, requested=("0.0.0.0", 0), user=None, password=""):
        self.sock = negotiated(proxy, user, password)
        try:
            self.sock.sendall(wire.request5(*requested, BIND))
            self.reply, self.bound = wire.read_reply5(self.sock)
            assert self.reply == 0, f"SOCKS5 reply {self.reply}"
        except BaseException:
            self.sock.close()
            raise

    def second_reply(self):
        """The address of the peer that came."""
        reply, peer = wire.read_reply5(self.sock)
        assert reply == 0, f"second SOCKS5 reply {reply}"
        return peer

    def close(self):
        self.sock.close()


def read_reply4(sock):
    """(CD, (address, port))"""
    version, code, port = struct.unpack(">BBH", wire.read_exactly(sock, 4))
    assert version == 0, version
    return code, (str(ipaddress.ip_address(wire.read_exactly(sock, 4))), port)


class Bind4:
    """The same with SOCKS4."""

    def __init__(self, proxy, requested=("0.0.0.0", 0), user=b""):
        self.sock = wire.connect(proxy)
        try:
            self.sock.sendall(wire.request4(*requested, user, BIND))
            self.reply, self.bound = read_reply4(self.sock)
            assert self.reply == 0x5A, f"SOCKS4 reply {self.reply:#x}"
        except BaseException:
            self.sock.close()
            raise

    def second_reply(self):
        code, peer = read_reply4(self.sock)
        assert code == 0x5A, f"second SOCKS4 reply {code:#x}"
        return peer

    def close(self):
        self.sock.close()


def peer_of(address, host=None):
    """Connects to a bound port as the peer, from `host` if that matters."""
    sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    if host:
        sock.bind((host, 0))
    sock.settimeout(wire.TIMEOUT)
    sock.connect(address)
    return sock
