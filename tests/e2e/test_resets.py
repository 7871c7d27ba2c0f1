"""Peers that vanish with RST at every step: the others go on, the log says what happened, nothing is left behind."""
import contextlib

import pytest

from support import wire
from support.reasons import ends, last_line, lines_of
from support.wire import GREETING, GREETING_WITH_PASSWORD, credentials, request4, request5

RESET = "connection reset by peer"


@pytest.fixture(name="program")
def services(gost):
    program = gost("-L", "socks5://127.0.0.1:0", "-L", "socks4://127.0.0.1:0", "-L", "auto://127.0.0.1:0",
                   "-L", "socks5://alice:secret@127.0.0.1:0", services=4)
    program.at = dict(zip(("socks5", "socks4", "auto", "protected"), program.listening))
    return program


@pytest.fixture(autouse=True)
def bystander(program, echo):
    """An established tunnel echoes before and after; afterwards nothing but it is open."""
    with contextlib.closing(wire.tunnel5(program.at["socks5"], echo.address)) as sock:
        wire.assert_echo(sock, b"before")
        with program.leaves_nothing():
            yield
            wire.assert_echo(sock, b"after")


def steps(target):
    """Each way through a handshake: (service, [(what is sent, how many bytes answer)])."""
    return {
        "socks5": [(b"", 0), (b"\x05", 0), (b"\x01\x00", 2), (request5(*target)[:5], 0), (request5(*target)[5:], 10),
                   (b"payload", 7)],
        "protected": [(GREETING_WITH_PASSWORD[:2], 0), (b"\x02", 2), (credentials("alice", "secret")[:4], 0),
                      (credentials("alice", "secret")[4:], 2), (request5(*target), 10), (b"payload", 7)],
        "socks4": [(b"\x04", 0), (request4(*target)[1:-1], 0), (b"\x00", 8), (b"payload", 7)],
        "auto": [(b"", 0), (b"\x05", 0), (b"\x01\x00", 2), (request5(*target), 10), (b"payload", 7)],
    }


STEPS = [(service, count) for service, conversation in steps(("127.0.0.1", 1)).items()
         for count in range(1, len(conversation) + 1)]


@pytest.mark.parametrize(("service", "count"), STEPS)
def test_the_client_resets_after_each_answer(program, echo, service, count):
    sock = wire.connect(program.at[service])
    connection = ends(sock)
    for message, answer in steps(echo.address)[service][:count]:
        sock.sendall(message)
        wire.read_exactly(sock, answer)
    wire.reset(sock)
    last = last_line(program, connection)
    said = [line.get("err", "") for line in lines_of(program, last["sid"])]
    assert any(RESET in text for text in said), said


@pytest.mark.parametrize(("service", "count"), STEPS)
def test_the_client_resets_without_reading_the_answer(program, echo, service, count):
    sock = wire.connect(program.at[service])
    connection = ends(sock)
    for message, answer in steps(echo.address)[service][:count - 1]:
        sock.sendall(message)
        wire.read_exactly(sock, answer)
    sock.sendall(steps(echo.address)[service][count - 1][0])
    wire.reset(sock)
    last_line(program, connection)


def test_the_client_resets_with_everything_in_flight(program, echo):
    for _ in range(20):
        sock = wire.connect(program.at["socks5"])
        connection = ends(sock)
        sock.sendall(GREETING + request5(*echo.address) + b"payload" * 1000)
        wire.reset(sock)
        last_line(program, connection)


@pytest.mark.parametrize("after", [b"", b"some bytes"])
def test_the_target_resets(program, target, after):
    sock = wire.tunnel5(program.at["socks5"], target.address)
    connection = ends(sock)
    upstream = target.accept()
    upstream.sendall(after)
    assert wire.read_exactly(sock, len(after)) == after
    # What the client sends acknowledges what it got: a reset is passed on only behind what was delivered.
    sock.sendall(b"x")
    assert upstream.recv(1) == b"x"
    wire.reset(upstream)
    with pytest.raises(ConnectionResetError):
        sock.recv(1)
    sock.close()
    last = last_line(program, connection)
    ended = [line for line in program.log_lines(" >-< ") if line["sid"] == last["sid"]]
    assert [RESET in line["err"] for line in ended] == [True], ended


def test_a_client_reset_reaches_the_target_as_a_reset(program, target):
    sock = wire.tunnel5(program.at["socks5"], target.address)
    upstream = target.accept()
    sock.sendall(b"x")
    assert upstream.recv(1) == b"x"
    wire.reset(sock)
    with pytest.raises(ConnectionResetError):
        upstream.recv(1)


def test_the_target_resets_while_the_client_sends(program, target):
    sock = wire.tunnel5(program.at["socks5"], target.address)
    connection = ends(sock)
    upstream = target.accept()
    sock.sendall(b"x" * 100_000)
    wire.reset(upstream)
    with pytest.raises(ConnectionError):
        for _ in range(1000):
            sock.sendall(b"x" * 100_000)
    sock.close()
    last_line(program, connection)
