"""Targets: both families of a name, and targets that do not answer."""
import contextlib
import signal
import socket
import time

import pytest

from support import wire
from support.peers import Answering
from support.reasons import assert_reason, ends, last_line
from support.waiting import wait_until


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_localhost_is_found_on_either_family(socks5, host):
    with contextlib.closing(Answering(host)) as echo:
        with contextlib.closing(wire.tunnel5(socks5.address, ("localhost", echo.port))) as sock:
            wire.assert_echo(sock)
        assert socks5.wait_for_log(" >< ")[0]["dst"].startswith("[::1]" if ":" in host else "127.0.0.1")


@pytest.mark.parametrize("text", ["::1", "0:0:0:0:0:0:0:1"])
def test_an_ipv6_literal_as_a_name(socks5, text):
    with contextlib.closing(Answering("::1")) as echo:
        with contextlib.closing(wire.tunnel5(socks5.address, (text.encode(), echo.port))) as sock:
            wire.assert_echo(sock)


@pytest.fixture(name="stalled")
def target_that_does_not_answer():
    """A listener whose queue is full: the kernel lets further clients wait."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(contextlib.closing(socket.socket()))
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(16):
            client = stack.enter_context(contextlib.closing(socket.socket()))
            client.settimeout(0.3)
            try:
                client.connect(listener.getsockname())
            except TimeoutError:
                break
        else:
            pytest.fail("the kernel's queue never filled up")
        yield listener.getsockname()


@pytest.mark.parametrize(("service", "request_for", "answer"), [
    ("socks5", lambda target: wire.GREETING + wire.request5(*target), b"\x05\x00\x05\x06\x00\x01" + bytes(6)),
    ("socks4", lambda target: wire.request4(*target), b"\x00\x5b" + bytes(6))])
def test_the_dial_timeout(gost, stalled, service, request_for, answer):
    program = gost("-L", f"{service}://127.0.0.1:0?dialTimeout=1s")
    with contextlib.closing(wire.connect(program.address)) as sock:
        connection = ends(sock)
        begin = time.monotonic()
        sock.sendall(request_for(stalled))
        assert wire.read_to_end(sock) == answer
        assert 0.9 < time.monotonic() - begin < 5
    last = assert_reason(program, connection, f"dial tcp 127.0.0.1:{stalled[1]}: i/o timeout")
    assert last["host"] == f"127.0.0.1:{stalled[1]}"


def dialling(program, stalled):
    """A client for whom the program is connecting to the stalled target."""
    sock = wire.connect(program.address)
    sock.sendall(wire.GREETING + wire.request5(*stalled))
    assert wire.read_exactly(sock, 2) == b"\x05\x00"
    program.wait_for_log(" >> ", level="debug")
    return sock


def test_a_client_that_leaves_meanwhile(gost, stalled):
    program = gost("-D", "-L", "socks5://127.0.0.1:0?dialTimeout=1s")
    descriptors = program.descriptors
    sock = dialling(program, stalled)
    connection = ends(sock)
    wire.reset(sock)
    last_line(program, connection)
    wait_until(lambda: program.descriptors <= descriptors, "nothing is left of it")


def test_the_end_of_the_program_does_not_wait_for_it(gost, stalled):
    program = gost("-D", "-L", "socks5://127.0.0.1:0")
    with contextlib.closing(dialling(program, stalled)) as sock:
        program.signal(signal.SIGINT)
        assert program.wait(5) == 0
        assert wire.read_to_end(sock) in (b"", b"\x05\x01\x00\x01" + bytes(6))
