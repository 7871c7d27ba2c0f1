"""Proxies that a test plays: what they answer is wrong on purpose, or recorded."""
from support import wire
from support.peers import Scripted

GREETING_ANSWER = b"\x05\x00"
GRANTED5 = b"\x05\x00\x00\x01" + bytes(6)


def read_greeting5(sock):
    """The methods that the client offers."""
    version, count = wire.read_exactly(sock, 2)
    assert version == 5
    return wire.read_exactly(sock, count)


def read_request5(sock):
    """The whole request as bytes."""
    head = wire.read_exactly(sock, 4)
    if head[3] == 3:
        length = wire.read_exactly(sock, 1)
        return head + length + wire.read_exactly(sock, length[0] + 2)
    return head + wire.read_exactly(sock, {1: 4, 4: 16}[head[3]] + 2)


def read_request4(sock):
    """The whole request as bytes, of SOCKS4a too."""
    data = wire.read_exactly(sock, 8)
    named = data[4:7] == bytes(3) and data[7] != 0
    for _ in range(2 if named else 1):
        while (byte := wire.read_exactly(sock, 1)) != b"\0":
            data += byte
        data += byte
    return data


def answering5(reply, port=0):
    """A SOCKS5 server that answers every request with the code `reply`, and then waits for the client to leave."""
    def serve(sock):
        read_greeting5(sock)
        sock.sendall(GREETING_ANSWER)
        read_request5(sock)
        sock.sendall(bytes([5, reply, 0, 1]) + bytes(4) + port.to_bytes(2, "big"))
        wire.read_to_end(sock)
    return Scripted(serve)


def answering4(reply):
    """The same for SOCKS4."""
    def serve(sock):
        read_request4(sock)
        sock.sendall(bytes([0, reply]) + bytes(6))
        wire.read_to_end(sock)
    return Scripted(serve)


def dying5(answered, with_reset=False):
    """A SOCKS5 server that goes away after the first `answered` bytes of its two answers."""
    def leave(sock):
        if with_reset:
            wire.reset(sock)

    def serve(sock):
        read_greeting5(sock)
        sock.sendall(GREETING_ANSWER[:answered])
        if answered < 2:
            return leave(sock)
        read_request5(sock)
        sock.sendall(GRANTED5[:answered - 2])
        return leave(sock)
    return Scripted(serve)


def saying(data):
    """A server that says `data` as soon as somebody connects, and nothing more."""
    def serve(sock):
        sock.sendall(data)
        wire.read_to_end(sock)
    return Scripted(serve)


def vanishing():
    """A server that closes every connection at once."""
    return Scripted(lambda sock: None)
