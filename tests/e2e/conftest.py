"""Fixtures of the end-to-end tests. Every gost they start must end with exit code 0 and without a sanitizer report."""
import contextlib
import resource
import signal

import pytest

from support import go_peers, peers, wire
from support.kernel import HAS_TLS
from support.program import Gost

# test_vm runs it under another kernel then.
collect_ignore = [] if HAS_TLS else ["test_kernel_tls.py"]


def pytest_configure():
    # The tests hold both ends of thousands of connections.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # What started the tests may have left this ignored for its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _factory():
    """Starts programs and ends them all in the end."""
    started = []

    def start(*arguments, **options):
        started.append(Gost(*arguments, **options))
        return started[-1]

    yield start
    codes = [(program, program.stop()) for program in started]
    for program, code in codes:
        assert code == 0, f"exit code {code}:\n{program.stderr}"


@pytest.fixture(name="gost")
def gost_factory():
    """gost(*arguments, services=1, …) starts the program; see support.program.Gost."""
    yield from _factory()


@pytest.fixture(name="shared_gost", scope="module")
def shared_gost_factory():
    """As `gost`, for programs that all tests of a file use."""
    yield from _factory()


@pytest.fixture(name="go_peer", scope="session")
def go_peer_builder():
    """go_peer(NAME) builds tests/interop/NAME/main.go and returns the program's path."""
    with contextlib.closing(go_peers.Builder()) as build:
        yield build


@pytest.fixture(name="socks5")
def socks5_server(gost):
    """A SOCKS5 server without users."""
    return gost("-L", "socks5://127.0.0.1:0")


@pytest.fixture(name="echo")
def echo_server():
    with contextlib.closing(peers.Answering()) as server:
        yield server


@pytest.fixture(name="target")
def scripted_target():
    with contextlib.closing(peers.Target()) as target:
        yield target


@pytest.fixture(name="web", scope="module")
def web_server():
    with contextlib.closing(peers.WebServer()) as server:
        yield server


@pytest.fixture(name="web6", scope="module")
def web_server_ipv6():
    with contextlib.closing(peers.WebServer("::1")) as server:
        yield server


@pytest.fixture(name="dead_port")
def port_where_nobody_listens():
    with contextlib.closing(peers.dead_socket()) as sock:
        yield sock.getsockname()[1]


@pytest.fixture(name="bystander")
def established_tunnel(socks5, echo):
    """A tunnel of another client through the same server: it echoes before and after whatever the test does."""
    with contextlib.closing(wire.tunnel5(socks5.address, echo.address)) as sock:
        wire.assert_echo(sock, b"before")
        yield sock
        wire.assert_echo(sock, b"after")
