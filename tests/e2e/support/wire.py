"""Raw SOCKS: messages as bytes, and sockets that read exactly what they expect."""
import errno
import ipaddress
import itertools
import socket
import struct

from support.waiting import TIMEOUT

GREETING = b"\x05\x01\x00"
GREETING_WITH_PASSWORD = b"\x05\x01\x02"
GRANTED4 = b"\x00\x5a" + bytes(6)


def address5(host, port):
    """ATYP, address and port; bytes, and a text that is no IP address, go as a name."""
    try:
        if isinstance(host, bytes):
            raise ValueError("a name")
        ip = ipaddress.ip_address(host)
        packed = (b"\x01" if ip.version == 4 else b"\x04") + ip.packed
    except ValueError:
        name = host if isinstance(host, bytes) else host.encode()
        packed = b"\x03" + bytes([len(name)]) + name
    return packed + struct.pack(">H", port)


def request5(host, port, command=1):
    return bytes([5, command, 0]) + address5(host, port)


def credentials(user, password):
    user, password = (text if isinstance(text, bytes) else text.encode() for text in (user, password))
    return b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password


def request4(host, port, user=b"", command=1):
    """SOCKS4 for an IPv4 address, SOCKS4a for a name."""
    try:
        return b"\x04" + bytes([command]) + struct.pack(">H", port) + socket.inet_aton(host) + user + b"\0"
    except OSError:
        name = host.encode()
        return b"\x04" + bytes([command]) + struct.pack(">H", port) + b"\0\0\0\x01" + user + b"\0" + name + b"\0"


# Below the kernel's ephemeral ports. No two connections of a run have the same port, so that each is found in a log.
_client_ports = itertools.count(10000)


def _bind_to_an_unused_port(sock):
    while True:
        try:
            return sock.bind(("", next(_client_ports)))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise


def connect(address, receive_buffer=None):
    sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    _bind_to_an_unused_port(sock)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(TIMEOUT)
    sock.connect(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def read_exactly(sock, count):
    data = bytearray()
    while len(data) < count:
        chunk = sock.recv(min(count - len(data), 1 << 20))
        if not chunk:
            raise EOFError(f"ended after {len(data)} of {count} bytes: {bytes(data[:64])!r}")
        data += chunk
    return bytes(data)


def read_to_end(sock):
    """Everything until the peer ends the stream; a reset counts as an end."""
    data = bytearray()
    try:
        while chunk := sock.recv(1 << 20):
            data += chunk
    except ConnectionError:
        pass
    return bytes(data)


def reset(sock):
    """Ends the connection with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def read_reply5(sock):
    """(REP, (host, port) of BND)"""
    version, reply, _, kind = read_exactly(sock, 4)
    assert version == 5 and kind in (1, 4), (version, kind)
    host = str(ipaddress.ip_address(read_exactly(sock, 4 if kind == 1 else 16)))
    return reply, (host, struct.unpack(">H", read_exactly(sock, 2))[0])


def tunnel5(proxy, target, user=None, password="", receive_buffer=None):
    """A client socket behind a granted SOCKS5 CONNECT."""
    sock = connect(proxy, receive_buffer)
    sock.sendall(GREETING if user is None else GREETING_WITH_PASSWORD)
    if user is None:
        assert read_exactly(sock, 2) == b"\x05\x00"
    else:
        assert read_exactly(sock, 2) == b"\x05\x02"
        sock.sendall(credentials(user, password))
        assert read_exactly(sock, 2) == b"\x01\x00"
    sock.sendall(request5(*target[:2]))
    reply, _ = read_reply5(sock)
    assert reply == 0, f"SOCKS5 reply {reply}"
    return sock


def tunnel4(proxy, target, user=b""):
    sock = connect(proxy)
    sock.sendall(request4(*target[:2], user))
    assert read_exactly(sock, 8) == GRANTED4
    return sock


def assert_echo(sock, text=b"still here"):
    sock.sendall(text)
    assert read_exactly(sock, len(text)) == text
