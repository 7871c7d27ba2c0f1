"""TLS whose records the kernel makes (kTLS). Only where the kernel can do that; test_vm runs it where it cannot."""
import contextlib
import fcntl
import os
import socket
import ssl
import struct
import subprocess
import termios
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import peers, tls, wire
from support.reasons import join
from support.tls import ByHand, client_context, wrapped
from support.waiting import TIMEOUT, wait_until

SHORT = 64 << 10  # of a receive buffer

SIZE = 8 << 20
RESULT = {"TLSv1.2": "kTLS sends and receives", "TLSv1.3": "kTLS sends"}


def server_file(directory, target, versions="", noktls=False):
    """A `tls` listener that passes on to `target`."""
    path = directory / "server.yaml"
    path.write_text(f"""
services:
- name: front
  addr: 127.0.0.1:0
  handler: {{type: tcp}}
  listener: {{type: tls, tls: {{options: {{maxVersion: "{versions}", noktls: {str(noktls).lower()}}}}}}}
  forwarder: {{nodes: [{{name: target, addr: "{join(target)}"}}]}}
log: {{level: debug}}
""", encoding="ascii")
    return path


def has_pipes(program):
    """Whether it has spliced: pipes are kept for the next time. The program's own standard streams are pipes, too."""
    directory = f"/proc/{program.process.pid}/fd"
    return any(os.readlink(f"{directory}/{number}").startswith("pipe:")
               for number in os.listdir(directory) if int(number) > 2)


def queued(sock):
    """Bytes that `sock` has taken and its peer's machine has not."""
    return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]


@contextlib.contextmanager
def background(function, *arguments):
    """Runs `function` beside the block, and waits for its end behind it."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(function, *arguments)
        yield
        running.result(TIMEOUT)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_what_the_log_says(gost, echo, tmp_path, version):
    program = gost("-C", server_file(tmp_path, echo.address, "VersionTLS12" if version == "TLSv1.2" else ""))
    with contextlib.closing(wrapped(wire.connect(program.address))) as sock:
        assert sock.version() == version
        wire.assert_echo(sock, b"hello")
        line = program.wait_for_log(version)[0]["msg"]
        assert line.endswith(RESULT[version]) or RESULT[version] + "," in line


def test_switched_off(gost, echo, tmp_path):
    program = gost("-C", server_file(tmp_path, echo.address, noktls=True))
    with contextlib.closing(wrapped(wire.connect(program.address))) as sock:
        wire.assert_echo(sock, b"hello")
        assert "kTLS" not in program.wait_for_log("TLSv1.3")[0]["msg"]


@pytest.mark.parametrize(("server", "node", "spliced"), [
    ("socks5+tls://127.0.0.1:0?notls=true", "socks5+tls://{}?notls=true", True),
    ("socks5+tls://127.0.0.1:0?notls=true&noktls=true", "socks5+tls://{}?notls=true&noktls=true", False),
    ("socks5://127.0.0.1:0", "socks5://{}", True),
    ("socks5+tls://127.0.0.1:0", "socks5+tls://{}", False),
])
def test_tunnels_are_spliced(gost, web, tmp_path, server, node, spliced):
    server = gost("-L", server)
    client = gost("-L", f"tcp://127.0.0.1:0/{join(web.address)}", "-F", node.format(join(server.address)))
    url = f"http://{join(client.address)}"
    upload = tmp_path / "upload"
    upload.write_bytes(peers.pattern(SIZE))
    fetched = subprocess.run(["curl", "-sS", f"{url}/bytes/{SIZE}"], capture_output=True, timeout=60, check=True).stdout
    assert fetched == upload.read_bytes()
    digest = subprocess.run(["curl", "-sS", "-T", upload, url], capture_output=True, timeout=60, check=True).stdout
    assert digest.decode() == tls.openssl("dgst", "-sha256", "-r", upload).split()[0]
    # The client sends what is uploaded, the server what is downloaded.
    assert (has_pipes(client), has_pipes(server)) == (spliced, spliced)


def test_what_arrives_is_spliced(gost, target, tmp_path):
    """TLS 1.2: the kernel opens the records, and the goodbye behind them is no data."""
    program = gost("-C", server_file(tmp_path, target.address, "VersionTLS12"))
    data = peers.pattern(SIZE)
    with contextlib.closing(wrapped(wire.connect(program.address))) as sock:
        sock.sendall(data[:10])
        upstream = target.accept()
        upstream.sendall(b"early")
        assert wire.read_exactly(sock, 5) == b"early"
        with background(sock.sendall, data[10:]):
            assert wire.read_exactly(upstream, SIZE) == data
        assert has_pipes(program)
        upstream.close()
        sock.unwrap()


@pytest.mark.parametrize("size", [1000, SIZE])
@pytest.mark.parametrize("version", ["VersionTLS12", "VersionTLS13"])
def test_a_reader_that_stops(gost, target, tmp_path, version, size):
    program = gost("-C", server_file(tmp_path, target.address, version))
    data = peers.pattern(SIZE)
    with contextlib.closing(wrapped(wire.connect(program.address, SHORT))) as sock:
        sock.sendall(b"x")
        upstream = target.accept()

        def send():
            for start in range(0, SIZE, size):
                upstream.sendall(data[start:start + size])
            upstream.shutdown(socket.SHUT_WR)

        with background(send):
            # More than the program's socket takes: what is left has to wait until the client reads.
            wait_until(lambda: queued(upstream) > 0, "nothing waits at the target")
            assert wire.read_exactly(sock, SIZE) == data
        assert sock.recv(1) == b""


def test_a_client_that_wants_new_keys(gost, echo, tmp_path):
    """The kernel goes on with the old ones, so the client must not be told that new ones come."""
    program = gost("-C", server_file(tmp_path, echo.address))
    client = subprocess.Popen(["openssl", "s_client", "-connect", join(program.address), "-tls1_3"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        for typed, answer in [(b"K", b"KEYUPDATE"), (b"one", b"one"), (b"K", b"KEYUPDATE"), (b"two", b"two")]:
            client.stdin.write(typed + b"\n")
            client.stdin.flush()
            while (line := client.stdout.readline().strip()) != answer:
                assert client.poll() is None, "the client has ended"
        client.communicate(b"Q\n", timeout=TIMEOUT)
        assert client.returncode == 0
    finally:
        client.kill()
        client.wait()


DAMAGED = {
    "wrong keys": b"\x17\x03\x03\x00\x20" + bytes(32),
    "too long": b"\x17\x03\x03\xff\xf0" + bytes(65520),
    "wrong version": b"\x17\x03\x05\x00\x20" + bytes(32),
    "too short": b"\x17\x03\x03\x00\x05" + bytes(32),
    "plain": b"GET / HTTP/1.0\r\n\r\n" + bytes(40),
}


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("before", [5, SIZE])
@pytest.mark.parametrize("version", ["VersionTLS12", "VersionTLS13"])
def test_damaged_records(gost, target, tmp_path, version, before, name):
    program = gost("-C", server_file(tmp_path, target.address, version))
    data = peers.pattern(before)
    with contextlib.closing(wire.connect(program.address)) as sock:
        client = ByHand(sock, lambda flight: [flight])
        client.sendall(data[:5])
        upstream = target.accept()
        assert wire.read_exactly(upstream, 5) == data[:5]
        with background(client.sendall, data[5:]):
            assert wire.read_exactly(upstream, before - 5) == data[5:]
        # It hangs up before it has taken all of them.
        with contextlib.suppress(OSError):
            sock.sendall(DAMAGED[name])
        assert wire.read_to_end(upstream) == b""
    assert "tls: broken by the client or on the way" in program.wait_for_log(">-<")[0]["err"]


def test_many_at_once_leave_nothing(gost, echo, tmp_path):
    program = gost("-C", server_file(tmp_path, echo.address))
    before = len(os.listdir(f"/proc/{program.process.pid}/fd"))
    for _ in range(3):
        socks = [wrapped(wire.connect(program.address), client_context()) for _ in range(20)]
        for number, sock in enumerate(socks):
            wire.assert_echo(sock, str(number).encode())
        for number, sock in enumerate(socks):
            if number % 2:
                with contextlib.suppress(ssl.SSLError):
                    sock.unwrap()
            sock.close()
    wait_until(lambda: len(os.listdir(f"/proc/{program.process.pid}/fd")) <= before + 2, "sockets are left")
