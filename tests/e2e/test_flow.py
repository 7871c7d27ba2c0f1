"""Half-closed tunnels, targets that speak first, readers that stop reading."""
import contextlib
import select
import socket
import threading
import time

import pytest

from support import wire
from support.peers import pattern
from support.reasons import ends, last_line
from support.waiting import TIMEOUT, wait_until

MUCH = 5_000_000


def send_and_end(sock, data):
    sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:0", "auto://127.0.0.1:0"])
def test_a_target_that_speaks_first(gost, target, url):
    program = gost("-L", url)
    with contextlib.closing(wire.tunnel5(program.address, target.address)) as sock:
        upstream = target.accept()
        upstream.sendall(b"220 at your service\r\n")
        assert wire.read_exactly(sock, 21) == b"220 at your service\r\n"


@pytest.mark.usefixtures("bystander")
class TestHalfClose:
    def test_client_ends_and_much_comes_back(self, socks5, target):
        with contextlib.closing(wire.tunnel5(socks5.address, target.address)) as sock:
            connection = ends(sock)
            upstream = target.accept()
            sock.shutdown(socket.SHUT_WR)
            assert upstream.recv(1) == b""
            body = pattern(MUCH)
            sender = threading.Thread(target=send_and_end, args=(upstream, body), daemon=True)
            sender.start()
            assert wire.read_to_end(sock) == body
            sender.join()
            assert "err" not in last_line(socks5, connection)

    def test_target_ends_and_much_goes_on(self, socks5, target):
        with contextlib.closing(wire.tunnel5(socks5.address, target.address)) as sock:
            connection = ends(sock)
            upstream = target.accept()
            upstream.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""
            body = pattern(MUCH)
            sender = threading.Thread(target=send_and_end, args=(sock, body), daemon=True)
            sender.start()
            assert wire.read_to_end(upstream) == body
            sender.join()
            assert "err" not in last_line(socks5, connection)

    def test_the_rest_arrives_before_the_end(self, socks5, target):
        with contextlib.closing(wire.tunnel5(socks5.address, target.address)) as sock:
            upstream = target.accept()
            body = pattern(MUCH)
            sender = threading.Thread(target=send_and_end, args=(upstream, body), daemon=True)
            sender.start()
            assert wire.read_to_end(sock) == body
            send_and_end(sock, b"goodbye")
            assert wire.read_to_end(upstream) == b"goodbye"
            sender.join()

    def test_client_ends_right_behind_its_request(self, socks5, target):
        with contextlib.closing(wire.connect(socks5.address)) as sock:
            send_and_end(sock, wire.GREETING + wire.request5(*target.address) + b"last words")
            upstream = target.accept()
            assert wire.read_to_end(upstream) == b"last words"
            send_and_end(upstream, b"answer")
            assert wire.read_to_end(sock)[12:] == b"answer"

    def test_both_end_at_once(self, socks5, target):
        with contextlib.closing(wire.tunnel5(socks5.address, target.address)) as sock:
            upstream = target.accept()
            send_and_end(sock, b"from the client")
            send_and_end(upstream, b"from the target")
            assert wire.read_to_end(sock) == b"from the target"
            assert wire.read_to_end(upstream) == b"from the client"


def fill(sock, limit):
    """Sends until the way is blocked for a second, or `limit` bytes are gone; returns how many are."""
    sock.setblocking(False)
    data = memoryview(pattern(1 << 20))
    sent = 0
    while sent < limit:
        if not select.select([], [sock], [], 1.0)[1]:
            break
        with contextlib.suppress(BlockingIOError):
            sent += sock.send(data[sent % len(data):])
    sock.settimeout(TIMEOUT)
    return sent


LIMIT = 64 << 20


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("stops", ["client", "target"])
def test_a_reader_that_stops_reading(socks5, target, stops):
    """The other side is blocked, memory stays where it was, and later everything arrives."""
    with contextlib.closing(wire.tunnel5(socks5.address, target.address, receive_buffer=1 << 16)) as sock:
        upstream = target.accept()
        reader, writer = (sock, upstream) if stops == "client" else (upstream, sock)
        before = socks5.resident_kib
        sent = fill(writer, LIMIT)
        assert sent < LIMIT, "nothing held the sender back"
        assert socks5.resident_kib - before < 16 * 1024
        cpu = socks5.cpu_seconds
        time.sleep(0.5)  # what is measured: a blocked tunnel costs nothing
        assert socks5.cpu_seconds - cpu < 0.2
        body = wire.read_exactly(reader, sent)
        assert body == (pattern(1 << 20) * (sent // (1 << 20) + 1))[:sent]
        writer.sendall(b"and on it goes")
        assert wire.read_exactly(reader, 14) == b"and on it goes"


def test_many_stopped_readers_cost_no_memory(socks5, target):
    """Each of them would hold megabytes if they were read ahead."""
    tunnels = []
    for _ in range(16):
        tunnels.append((wire.tunnel5(socks5.address, target.address, receive_buffer=1 << 16), target.accept()))
    fill(tunnels[0][1], LIMIT)
    before = socks5.resident_kib
    writers = [threading.Thread(target=fill, args=(upstream, LIMIT)) for _, upstream in tunnels[1:]]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert socks5.resident_kib - before < 24 * 1024
    for sock, upstream in tunnels:
        sock.close()
        upstream.close()
    wait_until(lambda: len(socks5.log_lines(" >< ")) == 16, "the tunnels end")
