"""Clients that speak wrongly: each gets what the protocol says, leaves its reason in the log, and disturbs nobody."""
import contextlib
import time

import pytest

from support import peers, wire
from support.reasons import assert_reason, ends, last_line
from support.wire import GREETING, GREETING_WITH_PASSWORD, credentials, request4, request5

REFUSED_METHOD = b"\x05\xff"
LONG = b"n" * 255


def failure5(reply):
    return bytes([5, reply, 0, 1]) + bytes(6)


@pytest.fixture(name="program", scope="module")
def all_services(shared_gost):
    program = shared_gost("-L", "socks5://127.0.0.1:0", "-L", "socks4://127.0.0.1:0", "-L", "auto://127.0.0.1:0",
                          "-L", "socks5://alice:secret@127.0.0.1:0", "-L", "socks5://127.0.0.1:0?readTimeout=1s",
                          "-L", f"socks5://{LONG.decode()}:{LONG.decode()}@127.0.0.1:0",
                          "-L", "socks4://bob@127.0.0.1:0", services=7)
    names = ("socks5", "socks4", "auto", "protected", "hasty", "long", "userid")
    program.at = dict(zip(names, program.listening))
    return program


@pytest.fixture(autouse=True)
def bystander(program, echo):
    """An established tunnel of somebody else echoes before and after each of these."""
    with contextlib.closing(wire.tunnel5(program.at["socks5"], echo.address)) as sock:
        wire.assert_echo(sock, b"before")
        yield sock
        wire.assert_echo(sock, b"after")


def say(program, service, data, then_fin=False, in_pieces=False):
    """Sends `data`, reads to the end, returns what came and the ends of the connection."""
    with contextlib.closing(wire.connect(program.at[service])) as sock:
        connection = ends(sock)
        # The server may close before it has read everything.
        with contextlib.suppress(OSError):
            if in_pieces:
                for byte in data:
                    sock.sendall(bytes([byte]))
                    time.sleep(0.001)  # so that the segments are not merged before they leave
            else:
                sock.sendall(data)
            if then_fin:
                sock.shutdown(wire.socket.SHUT_WR)
        return wire.read_to_end(sock), connection


SPEAKS_HTTP = "the client seems to speak HTTP, this service speaks SOCKS4 and SOCKS5 only"
SPEAKS_TLS = "the client speaks TLS, this service speaks SOCKS4 and SOCKS5 over plain TCP"
IPV4_REQUEST = request5("127.0.0.1", 1)

WRONG = {
    "http to socks5": ("socks5", b"GET / HTTP/1.1\r\n\r\n", b"", "bad version 71, expected 5"),
    "http to socks4": ("socks4", b"GET / HTTP/1.1\r\n\r\n", b"", "Bad version 71, SOCKS4 begins with 4"),
    "http to auto": ("auto", b"GET / HTTP/1.1\r\n\r\n", b"", SPEAKS_HTTP),
    "tls to auto": ("auto", b"\x16\x03\x01\x02\x00\x01", b"", SPEAKS_TLS),
    "zeros to auto": ("auto", bytes(100), b"",
                      "unknown protocol: the first byte is 0, SOCKS4 begins with 4, SOCKS5 with 5"),
    "much garbage to socks5": ("socks5", b"\xff" * 100_000, b"", "bad version 255, expected 5"),
    "much garbage to auto": ("auto", b"\xff" * 100_000, b"",
                             "unknown protocol: the first byte is 255, SOCKS4 begins with 4, SOCKS5 with 5"),
    "version 4 to socks5": ("socks5", b"\x04\x01\x00", b"", "bad version 4, expected 5"),
    "version 5 to socks4": ("socks4", b"\x05\x01\x00", b"", "Bad version 5, SOCKS4 begins with 4"),
    "zero methods": ("socks5", b"\x05\x00", b"", "bad method: none offered"),
    "only unknown methods": ("socks5", b"\x05\x03\x01\x03\x99", REFUSED_METHOD,
                             "bad method: the client insists on authentication"),
    "only the password method": ("socks5", b"\x05\x01\x02", REFUSED_METHOD,
                                 "bad method: the client insists on authentication"),
    "no password method": ("protected", GREETING, REFUSED_METHOD,
                           "bad method: the client does not offer user/password authentication"),
    "bad version of the credentials": ("protected", GREETING_WITH_PASSWORD + b"\x05\x01a\x01b", b"\x05\x02",
                                       "bad version 5, expected 1"),
    "wrong password": ("protected", GREETING_WITH_PASSWORD + credentials("alice", "wrong"), b"\x05\x02\x01\x01",
                       "auth failure"),
    "empty credentials": ("protected", GREETING_WITH_PASSWORD + credentials("", ""), b"\x05\x02\x01\x01",
                          "auth failure"),
    "a request of version 4": ("socks5", GREETING + b"\x04" + IPV4_REQUEST[1:], b"\x05\x00", "bad version 4, expected 5"),
    "an unknown address type": ("socks5", GREETING + b"\x05\x01\x00\x02" + bytes(6), b"\x05\x00" + failure5(8),
                                "bad address type 2"),
    "an unknown command": ("socks5", GREETING + request5("127.0.0.1", 1, command=9), b"\x05\x00" + failure5(7),
                           "socks5: unknown command 9"),
    "BIND": ("socks5", GREETING + request5("127.0.0.1", 1, command=2), b"\x05\x00" + failure5(2),
             "socks5: BIND is disabled"),
    "UDP ASSOCIATE": ("socks5", GREETING + request5("127.0.0.1", 1, command=3), b"\x05\x00" + failure5(2),
                      "socks5: UDP relay is disabled"),
    "SOCKS4 BIND": ("socks4", request4("127.0.0.1", 1, command=2), b"\x00\x5b" + bytes(6), "socks4: BIND is disabled"),
    "an unknown SOCKS4 command": ("socks4", b"\x04\x03\x00\x50\x7f\x00\x00\x01\x00", b"", "Bad command"),
    "a SOCKS4 user that is not known": ("userid", request4("127.0.0.1", 1, b"eve"), b"\x00\x5d" + bytes(6),
                                        "auth failure"),
    "a SOCKS4 user id that is too long": ("socks4", b"\x04\x01\x00\x50\x7f\x00\x00\x01" + b"u" * 256, b"",
                                          "user id longer than 255 bytes"),
    "a SOCKS4 user id that never ends": ("socks4", b"\x04\x01\x00\x50\x7f\x00\x00\x01" + b"u" * 100_000, b"",
                                         "user id longer than 255 bytes"),
    "a SOCKS4a name that is too long": ("socks4", b"\x04\x01\x00\x50\x00\x00\x00\x01\x00" + b"d" * 256 + b"\x00", b"",
                                        "host name longer than 255 bytes"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong(program, what):
    service, data, answer, reason = WRONG[what]
    got, connection = say(program, service, data)
    assert got == answer
    assert_reason(program, connection, reason)


@pytest.mark.parametrize("what", ["zero methods", "wrong password", "an unknown address type", "an unknown command",
                                  "SOCKS4 BIND", "a SOCKS4 user that is not known", "only unknown methods"])
def test_wrong_byte_by_byte(program, what):
    service, data, answer, reason = WRONG[what]
    got, connection = say(program, service, data, in_pieces=True)
    assert got == answer
    assert_reason(program, connection, reason)


SOCKS5_CONVERSATION = GREETING_WITH_PASSWORD + credentials("alice", "secret") + request5("localhost", 1)
TRUNCATED = (
    [("protected", SOCKS5_CONVERSATION[:size]) for size in range(len(SOCKS5_CONVERSATION))]
    + [("socks4", request4("localhost", 1, b"me")[:size]) for size in range(len(request4("localhost", 1, b"me")))]
    + [("auto", b""), ("auto", b"\x04"), ("auto", b"\x05")])


def test_truncated_handshakes(program):
    """The client stops talking (FIN) after each possible number of bytes."""
    for service, data in TRUNCATED:
        got, connection = say(program, service, data, then_fin=True)
        assert got in (b"", b"\x05\x02", b"\x05\x02\x01\x00"), data
        last = last_line(program, connection)
        assert last["err"] in ("EOF", "unexpected EOF"), (data, last)


@pytest.mark.parametrize("data", [b"", b"\x05", b"\x05\x02\x00", GREETING, GREETING + IPV4_REQUEST[:-1]])
def test_silent_handshakes_end_after_the_read_timeout(program, data):
    before = time.monotonic()
    _, connection = say(program, "hasty", data)
    assert 0.9 < time.monotonic() - before < 10
    assert_reason(program, connection, "handshake: read: i/o timeout")


def test_dripping_does_not_extend_the_read_timeout(program):
    """One byte now and then: the deadline is for the whole handshake."""
    before = time.monotonic()
    with contextlib.closing(wire.connect(program.at["hasty"])) as sock:
        sock.settimeout(0.1)
        ended = False
        with contextlib.suppress(ConnectionError):
            for byte in b"\x05\xff" + b"\x80" * 250:
                sock.sendall(bytes([byte]))
                try:
                    ended = sock.recv(1) == b""
                    break
                except TimeoutError:
                    continue
    assert ended or time.monotonic() - before < 10
    assert 0.9 < time.monotonic() - before < 10


# --- unusual, but right ---

def conversation5(target, payload=b""):
    return GREETING + request5(*target) + payload


@pytest.mark.parametrize("service", ["socks5", "auto"])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_socks5_pipelined_with_payload(program, echo, service, in_pieces):
    payload = b"early payload " * 10
    got, connection = say(program, service, conversation5(echo.address, payload), then_fin=True, in_pieces=in_pieces)
    assert got[:4] == b"\x05\x00\x05\x00" and got[12:] == payload
    assert "err" not in last_line(program, connection)


@pytest.mark.parametrize("service", ["socks4", "auto"])
@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_socks4_pipelined_with_payload(program, echo, service, in_pieces, host):
    payload = b"early payload " * 10
    data = request4(host, echo.port, b"me") + payload
    got, connection = say(program, service, data, then_fin=True, in_pieces=in_pieces)
    assert got == wire.GRANTED4 + payload
    assert "err" not in last_line(program, connection)


def test_pipelined_with_much_payload(program, echo):
    payload = peers.pattern(200_000)
    with contextlib.closing(wire.connect(program.at["socks5"])) as sock:
        sock.sendall(conversation5(echo.address, payload))
        assert wire.read_exactly(sock, 12)[:4] == b"\x05\x00\x05\x00"
        assert wire.read_exactly(sock, len(payload)) == payload


def test_a_password_pipelined_with_the_request(program, echo):
    data = GREETING_WITH_PASSWORD + credentials("alice", "secret") + request5(*echo.address) + b"early"
    got, _ = say(program, "protected", data, then_fin=True)
    assert got[:6] == b"\x05\x02\x01\x00\x05\x00" and got[14:] == b"early"


def test_a_wrong_password_pipelined_with_the_request_reaches_nobody(program, echo):
    before = echo.accepted
    data = GREETING_WITH_PASSWORD + credentials("alice", "wrong") + request5(*echo.address) + b"early"
    got, connection = say(program, "protected", data, then_fin=True)
    assert got == b"\x05\x02\x01\x01"
    assert_reason(program, connection, "auth failure")
    assert echo.accepted == before


def test_user_and_password_of_255_bytes(program, echo):
    with contextlib.closing(wire.tunnel5(program.at["long"], echo.address, LONG, LONG)) as sock:
        wire.assert_echo(sock)
    data = GREETING_WITH_PASSWORD + credentials(LONG, LONG[:-1])
    assert say(program, "long", data)[0] == b"\x05\x02\x01\x01"


@pytest.mark.parametrize("name", [b"n" * 255, b".".join([b"label" * 12] * 4)[:255], b"a..b", b".", b"\xff\xfe", b"a b",
                                  b"nosuch.invalid"])
def test_names_that_cannot_exist(program, name):
    got, connection = say(program, "socks5", GREETING + request5(name, 80))
    assert got == b"\x05\x00" + failure5(4)
    last = last_line(program, connection)
    assert last["err"].startswith("dial tcp: lookup ") and last["err"].endswith(": no such host"), last


def test_a_name_of_255_bytes_to_socks4(program):
    got, connection = say(program, "socks4", request4("n" * 255, 80))
    assert got == b"\x00\x5b" + bytes(6)
    assert last_line(program, connection)["err"].endswith(": no such host")


@pytest.mark.parametrize("name", [b"", b"LocalHost", b"localhost", b"127.0.0.1"])
def test_names_of_the_local_host(program, echo, name):
    with contextlib.closing(wire.tunnel5(program.at["socks5"], (name, echo.port))) as sock:
        wire.assert_echo(sock)


def test_255_methods(program, echo):
    with contextlib.closing(wire.connect(program.at["socks5"])) as sock:
        methods = bytes(method for method in reversed(range(256)) if method != 0x80)
        sock.sendall(b"\x05\xff" + methods)
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
        sock.sendall(request5(*echo.address))
        assert wire.read_reply5(sock)[0] == 0
        wire.assert_echo(sock)


def test_bnd_is_the_address_from_which_the_target_is_reached(program, target):
    with contextlib.closing(wire.connect(program.at["socks5"])) as sock:
        sock.sendall(GREETING + request5(*target.address))
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
        assert wire.read_reply5(sock) == (0, target.accept().getpeername())
