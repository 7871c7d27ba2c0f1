"""Much data at once, in both directions, on the path that copies and on the path that splices."""
import hashlib
import threading

import pytest

from support import wire
from support.peers import pattern

BIG = 20_000_000


def sent_and_echoed(sock, body):
    """Sends all of `body` while reading its echo; returns the digest of what came back."""
    def send():
        sock.sendall(body)
        sock.shutdown(wire.socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    digest = hashlib.sha256()
    count = 0
    while data := sock.recv(1 << 20):
        digest.update(data)
        count += len(data)
    sender.join()
    return count, digest.digest()


@pytest.mark.parametrize("tunnel", [wire.tunnel4, wire.tunnel5])
def test_both_directions_at_once(gost, echo, tunnel):
    program = gost("-L", "127.0.0.1:0")
    with tunnel(program.address, echo.address) as sock:
        body = pattern(BIG)
        assert sent_and_echoed(sock, body) == (BIG, hashlib.sha256(body).digest())
    line = program.wait_for_log(" >< ")[0]
    assert (line["inputBytes"], line["outputBytes"]) == (BIG, BIG)


def test_eight_tunnels_at_once_each_with_its_own_bytes(socks5, echo):
    size = 2_000_000
    results = {}

    def run(number):
        with wire.tunnel5(socks5.address, echo.address) as sock:
            body = bytes([number]) * size
            results[number] = sent_and_echoed(sock, body) == (size, hashlib.sha256(body).digest())

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(8), True)


def test_small_and_big_writes_alternate(socks5, echo):
    """From copying to splicing and back again."""
    with wire.tunnel5(socks5.address, echo.address) as sock:
        for size in (1, 300_000, 7, 1_000_000, 100, 64 * 1024, 3):
            body = pattern(size)
            sender = threading.Thread(target=sock.sendall, args=(body,), daemon=True)
            sender.start()
            assert wire.read_exactly(sock, size) == body
            sender.join()
            for number in range(20):
                wire.assert_echo(sock, f"small {number}".encode())
