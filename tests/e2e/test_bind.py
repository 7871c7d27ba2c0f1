"""BIND of SOCKS5 and SOCKS4: both meanings of the address, both replies, one peer only, every way of leaving."""
import contextlib
import socket

import pytest

from support import binding, peers, wire
from support.binding import Bind4, Bind5, peer_of
from support.reasons import assert_reason, ends, last_line
from support.servers import free_port
from support.udp import negotiated


@pytest.fixture(name="program", scope="module")
def services(shared_gost):
    program = shared_gost("-L", "socks5://127.0.0.1:0?bind=true", "-L", "socks4://127.0.0.1:0?bind=true",
                          "-L", "auto://127.0.0.1:0?bind=true", "-L", "socks5://127.0.0.1:0", "-L", "socks4://127.0.0.1:0",
                          "-L", "socks5://127.0.0.1:0?bind=true&publicAddr=203.0.113.9",
                          "-L", "socks5://127.0.0.1:0?bind=true&publicAddr=pub.example",
                          "-L", "socks5://127.0.0.1:0?bind=true&bindTimeout=300ms", services=8)
    program.at = dict(zip(("socks5", "socks4", "auto", "off5", "off4", "public", "named", "hasty"), program.listening))
    return program


@pytest.fixture(autouse=True)
def bystander(program, echo):
    """A tunnel of somebody else goes on, and nothing but it is left afterwards."""
    with contextlib.closing(wire.tunnel5(program.at["socks5"], echo.address)) as sock:
        wire.assert_echo(sock, b"before")
        with program.leaves_nothing():
            yield
            wire.assert_echo(sock, b"after")


BINDS = [(Bind5, "socks5"), (Bind5, "auto"), (Bind4, "socks4"), (Bind4, "auto")]


@pytest.mark.parametrize(("bind", "service"), BINDS)
def test_a_peer_comes_and_both_speak(program, bind, service):
    with contextlib.closing(bind(program.at[service])) as client:
        assert client.bound[0] == "127.0.0.1" and client.bound[1] != 0
        with contextlib.closing(peer_of(client.bound)) as peer:
            assert client.second_reply() == peer.getsockname()
            client.sock.sendall(b"from the client")
            assert wire.read_exactly(peer, 15) == b"from the client"
            peer.sendall(b"from the peer")
            assert wire.read_exactly(client.sock, 13) == b"from the peer"
            assert not program.listens_at(client.bound[1]), "it listens on after the one peer"
            connection = ends(client.sock)
            peer.close()
            assert wire.read_to_end(client.sock) == b""
    last = last_line(program, connection)
    assert last.items() >= {"cmd": "bind", "inputBytes": 15, "outputBytes": 13}.items() and "err" not in last


@pytest.mark.parametrize(("bind", "service"), BINDS)
def test_half_closes_pass_both_ways(program, bind, service):
    with contextlib.closing(bind(program.at[service])) as client, contextlib.closing(peer_of(client.bound)) as peer:
        client.second_reply()
        client.sock.sendall(b"question")
        client.sock.shutdown(socket.SHUT_WR)
        assert wire.read_to_end(peer) == b"question"
        peer.sendall(b"answer")
        peer.close()
        assert wire.read_to_end(client.sock) == b"answer"


@pytest.mark.parametrize(("bind", "service"), BINDS)
def test_early_data_reaches_the_peer(program, bind, service):
    with contextlib.closing(bind(program.at[service])) as client:
        client.sock.sendall(b"before anybody came")
        with contextlib.closing(peer_of(client.bound)) as peer:
            client.second_reply()
            assert wire.read_exactly(peer, 19) == b"before anybody came"
            client.sock.sendall(b", and after")
            assert wire.read_exactly(peer, 11) == b", and after"


def test_much_early_data_is_held_back_and_arrives_whole(program):
    data = peers.pattern(100_000)
    with contextlib.closing(Bind5(program.at["socks5"])) as client:
        client.sock.sendall(data[:60_000])
        with contextlib.closing(peer_of(client.bound)) as peer:
            client.second_reply()
            client.sock.sendall(data[60_000:])
            client.sock.shutdown(socket.SHUT_WR)
            assert wire.read_to_end(peer) == data


def test_a_peer_that_speaks_first(program):
    with contextlib.closing(Bind5(program.at["socks5"])) as client, contextlib.closing(peer_of(client.bound)) as peer:
        peer.sendall(b"220 ready\r\n")
        assert client.second_reply() == peer.getsockname()
        assert wire.read_exactly(client.sock, 11) == b"220 ready\r\n"


# --- where it listens ---

@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_given_port(program, host):
    port = free_port()
    with contextlib.closing(Bind5(program.at["socks5"], (host, port))) as client:
        assert client.bound == ("127.0.0.1", port)
        with contextlib.closing(peer_of(client.bound)) as peer:
            assert client.second_reply() == peer.getsockname()


def test_ipv6(program):
    with contextlib.closing(Bind5(program.at["socks5"], ("::1", 0))) as client:
        with contextlib.closing(peer_of(("::1", client.bound[1]))) as peer:
            assert client.second_reply() == peer.getsockname()[:2]


def test_a_port_that_is_taken(program, dead_port):
    sock = negotiated(program.at["socks5"])
    connection = ends(sock)
    with contextlib.closing(sock):
        sock.sendall(wire.request5("127.0.0.1", dead_port, binding.BIND))
        assert wire.read_reply5(sock)[0] == 1
        assert wire.read_to_end(sock) == b""
    assert_reason(program, connection, f"listen tcp 127.0.0.1:{dead_port}: address already in use")


def test_a_name_that_does_not_exist(program):
    sock = negotiated(program.at["socks5"])
    connection = ends(sock)
    with contextlib.closing(sock):
        sock.sendall(wire.request5("nosuch.invalid", 0, binding.BIND))
        assert wire.read_reply5(sock)[0] == 1
        assert wire.read_to_end(sock) == b""
    assert "nosuch.invalid" in last_line(program, connection)["err"]


def test_a_public_address(program):
    with contextlib.closing(Bind5(program.at["public"])) as client:
        assert client.bound[0] == "203.0.113.9"
        with contextlib.closing(peer_of(("127.0.0.1", client.bound[1]))) as peer:
            assert client.second_reply() == peer.getsockname()


def test_a_public_name(program):
    with contextlib.closing(negotiated(program.at["named"])) as sock:
        sock.sendall(wire.request5("0.0.0.0", 0, binding.BIND))
        reply = wire.read_exactly(sock, 5 + 11 + 2)
        assert reply[:16] == b"\x05\x00\x00\x03\x0bpub.example"
        with contextlib.closing(peer_of(("127.0.0.1", int.from_bytes(reply[16:], "big")))) as peer:
            assert wire.read_reply5(sock) == (0, peer.getsockname())


# --- RFC 1928: the address is the peer that is expected ---

@pytest.mark.parametrize(("bind", "service"), [(Bind5, "socks5"), (Bind4, "socks4")])
def test_only_the_expected_peer_is_let_in(program, bind, service):
    """192.0.2.1 is nobody here: it cannot come, so whoever comes is turned away and the wait goes on."""
    with contextlib.closing(bind(program.at[service], ("192.0.2.1", 4242))) as client:
        for _ in range(3):
            with contextlib.closing(peer_of(client.bound)) as stranger:
                assert wire.read_to_end(stranger) == b""
        connection = ends(client.sock)
        client.sock.shutdown(socket.SHUT_WR)
        assert wire.read_to_end(client.sock) == b""
    assert "client left" in last_line(program, connection)["err"]


# --- leaving ---

def test_peers_that_come_while_the_wait_ends(program):
    """Whether the wait ends with a first peer or with the client: those who come a moment later find nobody."""
    for number in range(60):
        with contextlib.closing(Bind5(program.at["socks5"])) as client, contextlib.ExitStack() as stack:
            peers_at_once = [stack.enter_context(contextlib.closing(socket.socket())) for _ in range(4)]
            for peer in peers_at_once:
                peer.setblocking(False)
            if number % 2:
                client.sock.shutdown(socket.SHUT_WR)
            for peer in peers_at_once:
                peer.connect_ex(client.bound)
    assert program.running


@pytest.mark.parametrize("leave", [lambda sock: sock.shutdown(socket.SHUT_WR), wire.reset, lambda sock: sock.close()],
                         ids=["fin", "rst", "close"])
@pytest.mark.parametrize(("bind", "service"), [(Bind5, "socks5"), (Bind4, "socks4")])
def test_the_end_of_the_client_ends_the_listening(program, bind, service, leave):
    with contextlib.closing(bind(program.at[service])) as client:
        connection = ends(client.sock)
        leave(client.sock)
        last_line(program, connection)
        assert not program.listens_at(client.bound[1])


def test_the_end_of_a_client_that_has_said_much_ends_the_listening(program):
    with contextlib.closing(Bind5(program.at["socks5"])) as client:
        connection = ends(client.sock)
        client.sock.sendall(bytes(100_000))
        client.sock.close()
        assert "client left" in last_line(program, connection)["err"]
        assert not program.listens_at(client.bound[1])


def test_nobody_comes_in_time(program):
    with contextlib.closing(Bind5(program.at["hasty"])) as client:
        connection = ends(client.sock)
        reply, _ = wire.read_reply5(client.sock)
        assert reply == 6
        assert wire.read_to_end(client.sock) == b""
        assert not program.listens_at(client.bound[1])
    assert "timeout" in last_line(program, connection)["err"]


def test_the_peer_resets(program):
    with contextlib.closing(Bind5(program.at["socks5"])) as client:
        peer = peer_of(client.bound)
        client.second_reply()
        client.sock.sendall(b"x")
        assert peer.recv(1) == b"x"
        wire.reset(peer)
        with pytest.raises(ConnectionResetError):
            client.sock.recv(1)


@pytest.mark.parametrize(("service", "message", "answer"), [
    ("off5", wire.GREETING + wire.request5("0.0.0.0", 0, 2), b"\x05\x00\x05\x02\x00\x01" + bytes(6)),
    ("off4", wire.request4("0.0.0.0", 0, command=2), b"\x00\x5b" + bytes(6))])
def test_it_is_refused_where_it_is_off(program, service, message, answer):
    with contextlib.closing(wire.connect(program.at[service])) as sock:
        connection = ends(sock)
        sock.sendall(message)
        assert wire.read_to_end(sock) == answer
    assert_reason(program, connection, f"{'socks5' if service == 'off5' else 'socks4'}: BIND is disabled")


def test_the_end_of_the_program_does_not_wait_for_a_peer(gost):
    program = gost("-L", "socks5://127.0.0.1:0?bind=true")
    with contextlib.closing(Bind5(program.address)) as client:
        assert program.listens_at(client.bound[1])
        assert program.stop() == 0
        wire.read_to_end(client.sock)


def test_two_hundred_at_once(program):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(Bind5(program.at["socks5"]))) for _ in range(200)]
        assert len({client.bound for client in clients}) == 200
        for client in clients:
            peer = stack.enter_context(contextlib.closing(peer_of(client.bound)))
            assert client.second_reply() == peer.getsockname()
            peer.sendall(b"%d" % client.bound[1])
            assert wire.read_exactly(client.sock, len(str(client.bound[1]))) == b"%d" % client.bound[1]


def test_a_rule_turns_peers_away(gost):
    program = gost("-L", "socks5://127.0.0.1:0?bind=true&bypass=127.0.0.3")
    with contextlib.closing(Bind5(program.address)) as client:
        with contextlib.closing(peer_of(client.bound, "127.0.0.3")) as forbidden:
            assert wire.read_to_end(forbidden) == b""
        with contextlib.closing(peer_of(client.bound, "127.0.0.2")) as peer:
            assert client.second_reply() == peer.getsockname()
