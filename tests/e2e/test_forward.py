"""Port forwarding: TCP and UDP, several targets, sessions that come, answer often and end."""
import contextlib
import socket
import subprocess

import pytest

from support import peers, upstreams, wire
from support.reasons import join
from support.udp import UdpAnswering, UdpTarget, UdpTunnel, udp_socket
from support.waiting import TIMEOUT, wait_until


@pytest.fixture(name="udp_echo")
def echoing_target():
    with contextlib.closing(UdpAnswering()) as target:
        yield target


@pytest.fixture(name="proxy", scope="module")
def upstream_proxy(shared_gost):
    return shared_gost("-L", "socks5://127.0.0.1:0?udp=true&bind=true&udpBufferSize=65535")


@pytest.fixture(name="client")
def udp_client():
    with contextlib.closing(udp_socket()) as sock:
        yield sock


def ask(sock, port, payload):
    sock.sendto(payload, ("127.0.0.1", port))
    return sock.recv(65536)


def assert_answers(program, payload=b"still here"):
    """From a client of its own."""
    with contextlib.closing(udp_socket()) as sock:
        assert ask(sock, program.port, payload) == payload


# --- TCP ---

@pytest.mark.parametrize("scheme", ["tcp", "forward"])
def test_tcp(gost, echo, scheme):
    program = gost("-L", f"{scheme}://127.0.0.1:0/{join(echo.address)}")
    with contextlib.closing(wire.connect(program.address)) as sock:
        wire.assert_echo(sock, b"ping")
        wire.assert_echo(sock, peers.pattern(100_000))
    last = program.wait_for_log(" >< ")[0]
    # As in GOST a path on listener tcp makes the handler tcp, whatever the scheme.
    assert last.items() >= {"handler": "tcp", "dst": join(echo.address), "host": join(echo.address),
                            "inputBytes": 100_004, "outputBytes": 100_004}.items()


@pytest.mark.parametrize("options", [None, "", "?notls=true"])
def test_tcp_and_its_half_closes(gost, proxy, target, options):
    chain = [] if options is None else ["-F", f"socks5://{join(proxy.address)}{options}"]
    program = gost("-L", f"tcp://127.0.0.1:0/{join(target.address)}", *chain)
    with contextlib.closing(wire.connect(program.address)) as sock:
        upstream = target.accept()
        sock.sendall(b"question")
        sock.shutdown(socket.SHUT_WR)
        assert wire.read_to_end(upstream) == b"question"
        upstream.sendall(b"answer")
        upstream.close()
        assert wire.read_to_end(sock) == b"answer"


def test_a_server_that_speaks_first(gost, target):
    program = gost("-L", f"tcp://127.0.0.1:0/{join(target.address)}")
    with contextlib.closing(wire.connect(program.address)) as sock:
        target.accept().sendall(b"220 ready\r\n")
        assert wire.read_exactly(sock, 11) == b"220 ready\r\n"


def test_a_target_without_host_is_this_machine(gost, echo):
    program = gost("-L", f"tcp://127.0.0.1:0/:{echo.port}")
    with contextlib.closing(wire.connect(program.address)) as sock:
        wire.assert_echo(sock)


def test_a_target_without_host_through_a_proxy_is_the_machine_of_the_proxy(gost, proxy, echo):
    program = gost("-L", f"tcp://127.0.0.1:0/:{echo.port}", "-F", f"socks5://{join(proxy.address)}")
    with contextlib.closing(wire.connect(program.address)) as sock:
        wire.assert_echo(sock)


def test_targets_take_turns(gost):
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(contextlib.closing(peers.Answering())) for _ in range(3)]
        program = gost("-L", "tcp://127.0.0.1:0/" + ",".join(join(target.address) for target in targets))
        for _ in range(9):
            with contextlib.closing(wire.connect(program.address)) as sock:
                wire.assert_echo(sock)
        assert [target.accepted for target in targets] == [3, 3, 3]


@pytest.mark.parametrize("strategy", ["round", "fifo", "random", "hash"])
def test_a_dead_target_is_replaced_within_the_connection(gost, echo, dead_port, strategy):
    program = gost("-L", f"tcp://127.0.0.1:0/127.0.0.1:{dead_port},{join(echo.address)}?strategy={strategy}")
    for _ in range(6):
        with contextlib.closing(wire.connect(program.address)) as sock:
            wire.assert_echo(sock)


def test_every_target_is_dead(gost, dead_port):
    program = gost("-L", f"tcp://127.0.0.1:0/127.0.0.1:{dead_port}")
    with contextlib.closing(wire.connect(program.address)) as sock:
        assert wire.read_to_end(sock) == b""
    last = program.wait_for_log(" >< ")[0]
    assert last["err"].endswith(f"dial tcp 127.0.0.1:{dead_port}: connect: connection refused"), last
    assert len(program.log_lines(level="error", kind="handler")) == 1


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 7, 8])
def test_a_proxy_that_refuses_is_named(gost, echo, code):
    with contextlib.closing(upstreams.answering5(code)) as upstream:
        program = gost("-L", f"tcp://127.0.0.1:0/{join(echo.address)}", "-F", f"socks5://{join(upstream.address)}")
        with contextlib.closing(wire.connect(program.address)) as sock:
            assert wire.read_to_end(sock) == b""
        reason = program.wait_for_log(" >< ")[0]["err"]
        assert f"hop-0/node-0 ({join(upstream.address)}): socks5: " in reason and f"(reply 0{code})" in reason
        assert echo.accepted == 0


def test_an_idle_tcp_tunnel_ends_where_that_is_wanted(gost, echo):
    program = gost("-L", f"tcp://127.0.0.1:0/{join(echo.address)}?idleTimeout=500ms")
    with contextlib.closing(wire.connect(program.address)) as sock:
        wire.assert_echo(sock)
        assert wire.read_to_end(sock) == b""
    wait_until(lambda: echo.open == 0, "the target's connection ends too")


def test_two_forwards_of_one_program(gost):
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(contextlib.closing(peers.Answering(answer=lambda _, name=name: name)))
                   for name in (b"one", b"two")]
        program = gost("-L", f"tcp://127.0.0.1:0/{join(targets[0].address)}",
                       "-L", f"tcp://127.0.0.1:0/{join(targets[1].address)}", services=2)
        for address, name in zip(program.listening, (b"one", b"two")):
            with contextlib.closing(wire.connect(address)) as sock:
                sock.sendall(b"x")
                assert wire.read_exactly(sock, 3) == name


def test_ncat_through_a_forward(gost, echo):
    program = gost("-L", f"tcp://127.0.0.1:0/{join(echo.address)}")
    done = subprocess.run(["ncat", "127.0.0.1", str(program.port)], input=b"ping\n", capture_output=True,
                          timeout=TIMEOUT, check=False)
    assert done.stdout == b"ping\n", done.stderr


# --- UDP ---

WAYS = {"directly": None, "udp-tun": "?udpBufferSize=65535", "associate": "?relay=udp&udpBufferSize=65535"}


def forward(gost, target, proxy, way, options=""):
    """A program that forwards UDP to `target` in one of WAYS."""
    chain = [] if WAYS[way] is None else ["-F", f"socks5://{join(proxy.address)}{WAYS[way]}"]
    return gost("-L", f"udp://127.0.0.1:0/{join(target)}{options}", *chain)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("keepalive", ["", "?keepalive=true"])
def test_udp(gost, proxy, udp_echo, client, way, keepalive):
    program = forward(gost, udp_echo.address, proxy, way, keepalive)
    for number in range(10):
        assert ask(client, program.port, b"%d" % number) == b"%d" % number
    assert len(udp_echo.senders) == 1, "one client is one session"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("keepalive", ["", "?keepalive=true"])
def test_many_answers_to_one_question(gost, proxy, client, way, keepalive):
    answers = [b"%d" % number for number in range(20)]
    with contextlib.closing(UdpAnswering(answer=lambda _: answers)) as target:
        program = forward(gost, target.address, proxy, way, keepalive)
        client.sendto(b"all of them", ("127.0.0.1", program.port))
        assert [client.recv(100) for _ in answers] == answers


@pytest.mark.parametrize("way", WAYS)
def test_a_late_answer_after_the_first(gost, proxy, client, way):
    """GOST has closed the session by then."""
    with contextlib.closing(UdpTarget()) as target:
        program = forward(gost, target.address, proxy, way)
        client.sendto(b"question", ("127.0.0.1", program.port))
        payload, sender = target.receive()
        assert payload == b"question"
        for number in range(5):
            target.send(b"%d" % number, sender)
            assert client.recv(100) == b"%d" % number


@pytest.mark.parametrize("way", WAYS)
def test_clients_do_not_mix(gost, proxy, udp_echo, way):
    program = forward(gost, udp_echo.address, proxy, way)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(udp_socket())) for _ in range(50)]
        for round_number in range(3):
            for number, sock in enumerate(clients):
                sock.sendto(b"%d/%d" % (round_number, number), ("127.0.0.1", program.port))
            for number, sock in enumerate(clients):
                assert sock.recv(100) == b"%d/%d" % (round_number, number)
    assert len(udp_echo.senders) == 50


@pytest.mark.parametrize("way", WAYS)
def test_the_first_datagrams_wait_for_the_way(gost, proxy, udp_echo, client, way):
    program = forward(gost, udp_echo.address, proxy, way)
    sent = [b"%d" % number for number in range(100)]
    for payload in sent:
        client.sendto(payload, ("127.0.0.1", program.port))
    assert [client.recv(100) for _ in sent] == sent


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("keepalive", ["", "&keepalive=true"])
def test_a_session_ends_when_it_is_idle(gost, proxy, udp_echo, client, way, keepalive):
    program = forward(gost, udp_echo.address, proxy, way, f"?ttl=300ms{keepalive}")
    descriptors = program.descriptors
    assert ask(client, program.port, b"one") == b"one"
    program.wait_for_log(" >< ")
    wait_until(lambda: program.descriptors <= descriptors, "nothing of it is left")
    assert ask(client, program.port, b"two") == b"two"
    assert len(udp_echo.senders) == 2
    last = program.wait_for_log(" >< ", count=2)[0]
    assert last.items() >= {"handler": "udp", "network": "udp", "inputDatagrams": 1, "outputDatagrams": 1,
                            "inputBytes": 3, "outputBytes": 3}.items() and "err" not in last


@pytest.mark.parametrize("way", WAYS)
def test_empty_datagrams(gost, proxy, udp_echo, client, way):
    """Between our ends they survive in every way."""
    program = forward(gost, udp_echo.address, proxy, way)
    for payload in (b"", b"x", b"", b""):
        assert ask(client, program.port, payload) == payload
    assert udp_echo.payloads == [b"", b"x", b"", b""]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [1472, 9000, 60_000])
def test_large_datagrams(gost, proxy, udp_echo, client, way, size):
    program = forward(gost, udp_echo.address, proxy, way, "?readBufferSize=65535")
    assert ask(client, program.port, peers.pattern(size)) == peers.pattern(size)


def test_what_is_longer_than_the_buffer_is_dropped_whole(gost, proxy, udp_echo, client):
    program = forward(gost, udp_echo.address, proxy, "directly", "?ttl=300ms")
    for payload in (b"x" * 4096, b"y" * 4097, b"z"):
        client.sendto(payload, ("127.0.0.1", program.port))
    assert [client.recv(65536) for _ in range(2)] == [b"x" * 4096, b"z"]
    assert program.wait_for_log(" >< ")[0]["droppedDatagrams"] == 1


def test_a_target_that_refuses_is_left_for_another_one(gost, udp_echo, client, dead_port):
    program = gost("-L", f"udp://127.0.0.1:0/127.0.0.1:{dead_port},{join(udp_echo.address)}?strategy=fifo&ttl=1h")
    client.settimeout(0.1)

    def answered():
        client.sendto(b"hello", ("127.0.0.1", program.port))
        with contextlib.suppress(TimeoutError):
            return client.recv(100) == b"hello"

    wait_until(answered, "the client that goes on finds the other target")


def test_a_name_as_target(gost, proxy, udp_echo, client):
    for way in WAYS:
        program = forward(gost, ("localhost", udp_echo.port), proxy, way)
        assert ask(client, program.port, way.encode()) == way.encode()


def test_an_ipv6_target(gost, proxy, client):
    """GOST's tunnel asks for an IPv4-only socket, and this fails there."""
    with contextlib.closing(UdpAnswering("::1")) as target:
        for way in WAYS:
            program = forward(gost, target.address, proxy, way)
            assert ask(client, program.port, way.encode()) == way.encode()


def test_udp_targets_take_turns(gost):
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(contextlib.closing(UdpAnswering())) for _ in range(3)]
        program = gost("-L", "udp://127.0.0.1:0/" + ",".join(join(target.address) for target in targets))
        for _ in range(6):
            assert_answers(program)
        assert [len(target.received) for target in targets] == [2, 2, 2]


def test_a_dead_udp_target_harms_only_its_session(gost, udp_echo, client):
    with contextlib.closing(udp_socket()) as closed:
        dead = closed.getsockname()
    program = gost("-L", f"udp://127.0.0.1:0/{join(dead)}", "-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}",
                   services=2)
    for _ in range(5):
        client.sendto(b"x", program.listening[0])
        assert ask(client, program.listening[1][1], b"y") == b"y"


def test_a_dead_udp_target_is_noted_once(gost, client):
    with contextlib.closing(udp_socket()) as closed:
        dead = closed.getsockname()
    program = gost("-L", f"udp://127.0.0.1:0/{join(dead)}?ttl=500ms", env={"GOST_LOGGER_LEVEL": "debug"})

    client.sendto(b"x", ("127.0.0.1", program.port))
    program.wait_for_log("a datagram cannot be sent")
    client.sendto(b"x", ("127.0.0.1", program.port))
    last = program.wait_for_log(" >-< ")[0]
    assert "connection refused" in last["err"]
    assert len(program.log_lines("a datagram cannot be sent")) == 1


def test_answers_come_from_the_address_that_was_asked(gost, udp_echo):
    program = gost("-L", f"udp://:0/{join(udp_echo.address)}")
    for address in ["127.0.0.1", "127.0.0.5", "127.0.7.1"]:
        with contextlib.closing(udp_socket()) as sock:
            sock.connect((address, program.port))  # hears nobody else
            sock.send(b"from here")
            assert sock.recv(100) == b"from here"


@pytest.mark.parametrize("way", ["interface=127.0.0.7", "interface=lo,127.0.0.7!"])
def test_interface_is_where_connections_and_datagrams_leave_from(gost, way):
    with contextlib.closing(UdpAnswering()) as udp, contextlib.closing(socket.create_server(("127.0.0.1", 0))) as tcp:
        tcp.settimeout(TIMEOUT)
        program = gost("-L", f"tcp://127.0.0.1:0/{join(tcp.getsockname())}?{way}",
                       "-L", f"udp://127.0.0.1:0/{join(udp.address)}?{way}", services=2)
        expected = {"127.0.0.7"} if "lo" not in way else {"127.0.0.1", "127.0.0.7"}
        with contextlib.closing(socket.create_connection(program.listening[0], TIMEOUT)):
            accepted, source = tcp.accept()
            accepted.close()
        assert source[0] in expected
        with contextlib.closing(udp_socket()) as sock:
            assert ask(sock, program.listening[1][1], b"x") == b"x"
        assert {sender[0] for sender in udp.senders} <= expected


@pytest.mark.parametrize("way", ["udp-tun", "associate"])
def test_a_dead_proxy_is_an_error_and_never_direct(gost, udp_echo, client, dead_port, way):
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}?ttl=300ms",
                   "-F", f"socks5://127.0.0.1:{dead_port}{WAYS[way]}")
    client.sendto(b"x", ("127.0.0.1", program.port))
    last = program.wait_for_log(" >< ")[0]
    assert f"hop-0/node-0 (127.0.0.1:{dead_port}): " in last["err"]
    assert udp_echo.received == []


@pytest.mark.parametrize("code", [1, 3, 5, 8])
@pytest.mark.parametrize("way", ["udp-tun", "associate"])
def test_a_proxy_that_refuses_datagrams_is_named(gost, udp_echo, client, way, code):
    with contextlib.closing(upstreams.answering5(code)) as upstream:
        program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}?ttl=300ms",
                       "-F", f"socks5://{join(upstream.address)}{WAYS[way]}")
        client.sendto(b"x", ("127.0.0.1", program.port))
        reason = program.wait_for_log(" >< ")[0]["err"]
        assert f"hop-0/node-0 ({join(upstream.address)}): socks5: " in reason and f"(reply 0{code})" in reason, reason
        assert udp_echo.received == []


def test_a_socks4_proxy_carries_no_datagrams(gost, udp_echo, client, echo):
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}?ttl=300ms", "-F",
                   f"socks4://{join(echo.address)}")
    client.sendto(b"x", ("127.0.0.1", program.port))
    assert "hop-0/node-0" in program.wait_for_log(" >< ")[0]["err"]
    assert udp_echo.received == []


def test_the_session_survives_nothing_of_a_proxy_that_ends(gost, udp_echo, client):
    upstream = gost("-L", "socks5://127.0.0.1:0?udp=true")
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}?keepalive=true&ttl=60s",
                   "-F", f"socks5://{join(upstream.address)}")
    assert ask(client, program.port, b"one") == b"one"
    upstream.stop()
    program.wait_for_log(" >< ")
    again = gost("-L", f"socks5://{join(upstream.address)}?udp=true")
    assert ask(client, program.port, b"two") == b"two"
    again.wait_for_log(" <> ")


def test_a_thousand_clients_leave_nothing(gost, udp_echo):
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}?ttl=1s")
    descriptors = program.descriptors
    with contextlib.ExitStack() as stack:
        for number in range(1000):
            sock = stack.enter_context(contextlib.closing(udp_socket()))
            assert ask(sock, program.port, b"%d" % number) == b"%d" % number
    program.wait_for_log(" >< ", count=1000)
    wait_until(lambda: program.descriptors <= descriptors, "nothing is left of them")


def test_limits_of_sessions(gost, udp_echo):
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}?maxSessions=3&ttl=60s")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(udp_socket())) for _ in range(4)]
        for sock in clients[:3]:
            assert ask(sock, program.port, b"in") == b"in"
        clients[3].sendto(b"one too many", ("127.0.0.1", program.port))
        for sock in clients[:3]:
            assert ask(sock, program.port, b"still in") == b"still in"
        assert b"one too many" not in udp_echo.payloads


def test_the_end_of_the_program(gost, proxy, udp_echo, client):
    for way in WAYS:
        program = forward(gost, udp_echo.address, proxy, way)
        assert ask(client, program.port, b"x") == b"x"
        assert program.stop() == 0


# --- a name server behind the tutorial's forwards ---

def dns_query(number, name):
    labels = b"".join(bytes([len(label)]) + label for label in name.encode().split(b"."))
    return number.to_bytes(2, "big") + b"\x01\x00\x00\x01" + bytes(6) + labels + b"\0\x00\x01\x00\x01"


@pytest.mark.parametrize("way", WAYS)
def test_name_lookups_of_many_clients(gost, proxy, way):
    def answer(query):
        return [query[:2] + b"\x81\x80\x00\x01\x00\x01" + bytes(4) + query[12:] +
                b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x07"]
    with contextlib.closing(UdpAnswering(answer=answer)) as server:
        program = forward(gost, server.address, proxy, way)
        for number in range(50):
            with contextlib.closing(udp_socket()) as sock:
                got = ask(sock, program.port, dns_query(number, "www.example.org"))
                assert got[:2] == number.to_bytes(2, "big") and got.endswith(b"\x0a\x00\x00\x07")


def test_a_tunnel_of_somebody_else_goes_on(gost, udp_echo, client):
    """One program, a forward and a proxy service: a flood of one is no end of the other."""
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}", "-L", "socks5://127.0.0.1:0?udp=true", services=2)
    with contextlib.closing(UdpTunnel(program.listening[1])) as other:
        other.assert_echo(udp_echo.address, b"before")
        for number in range(3000):
            client.sendto(bytes(number % 1400), program.listening[0])
        other.assert_echo(udp_echo.address, b"after")
