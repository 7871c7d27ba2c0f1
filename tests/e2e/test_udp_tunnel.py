"""UDP-TUN (command F3): relay and bind mode, framing in any segmentation, bad frames, sizes, the end."""
import contextlib
import socket
import threading

import pytest

from support import peers, wire
from support.reasons import assert_reason, ends, last_line, lines_of
from support.servers import free_port
from support.udp import UDP_TUN, UdpAnswering, UdpTarget, UdpTunnel, frame, negotiated, udp_socket
from support.waiting import wait_until


@pytest.fixture(name="program", scope="module")
def services(shared_gost):
    program = shared_gost("-L", "socks5://127.0.0.1:0?udp=true&bind=true", "-L", "socks5://127.0.0.1:0",
                          "-L", "socks5://127.0.0.1:0?udp=true", "-L", "socks5://127.0.0.1:0?bind=true",
                          "-L", "socks5://127.0.0.1:0?udp=true&udpBufferSize=65535",
                          "-L", "socks5://127.0.0.1:0?udp=true&udp.idleTimeout=500ms",
                          "-L", "socks5://127.0.0.1:0?udp=true&bypass=127.0.0.2", services=7)
    program.at = dict(zip(("both", "off", "udp", "bind", "large", "hasty", "bypass"), program.listening))
    return program


@pytest.fixture(name="udp_echo")
def echoing_target():
    with contextlib.closing(UdpAnswering()) as target:
        yield target


@pytest.fixture(autouse=True)
def bystander(program, udp_echo):
    """The tunnel of somebody else goes on, and nothing but it is left afterwards."""
    with contextlib.closing(UdpTunnel(program.at["both"])) as other:
        other.assert_echo(udp_echo.address, b"before")
        with program.leaves_nothing():
            yield
            other.assert_echo(udp_echo.address, b"after")


@pytest.fixture(name="tunnel")
def relay_tunnel(program):
    with contextlib.closing(UdpTunnel(program.at["both"])) as tunnel:
        yield tunnel


# --- relay mode ---

@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_answer_comes_with_its_source(tunnel, host):
    with contextlib.closing(UdpAnswering(host)) as target:
        tunnel.send(b"question", target.address)
        answer = tunnel.receive()
        assert (answer.payload, answer.source, answer.fragment) == (b"question", target.address, 0xFF)


@pytest.mark.parametrize("requested", [("0.0.0.0", 0), ("::", 0), ("127.0.0.1", 0), ("localhost", 0)])
def test_the_address_of_the_request_does_not_matter(program, udp_echo, requested):
    with contextlib.closing(UdpTunnel(program.at["udp"], requested=requested)) as tunnel:
        assert tunnel.bound[1] != 0
        tunnel.assert_echo(udp_echo.address)
        with contextlib.closing(UdpAnswering("::1")) as target6:
            tunnel.assert_echo(target6.address)


def test_names_are_resolved_at_the_server(tunnel, udp_echo):
    tunnel.send(b"by name", ("localhost", udp_echo.port))
    answer = tunnel.receive()
    assert (answer.payload, answer.source) == (b"by name", udp_echo.address)


def test_frames_one_byte_at_a_time(tunnel, udp_echo):
    for byte in frame(*udp_echo.address, b"slowly"):
        tunnel.sock.sendall(bytes([byte]))
    assert tunnel.receive().payload == b"slowly"


@pytest.mark.parametrize("mark", [0x00, 0x7F, 0xFF])
def test_the_third_byte_means_nothing(tunnel, udp_echo, mark):
    tunnel.send(b"x", udp_echo.address, mark=mark)
    assert tunnel.receive().payload == b"x"


def test_many_frames_in_one_segment(tunnel, udp_echo):
    sent = [b"%d" % number for number in range(100)]
    tunnel.sock.sendall(b"".join(frame(*udp_echo.address, payload) for payload in sent))
    assert [tunnel.receive().payload for _ in sent] == sent


def test_frames_behind_the_request_in_one_segment(program, udp_echo):
    with contextlib.closing(negotiated(program.at["udp"])) as sock:
        sock.sendall(wire.request5("0.0.0.0", 0, UDP_TUN) + frame(*udp_echo.address, b"eager"))
        assert wire.read_reply5(sock)[0] == 0
        whole = frame(*udp_echo.address, b"eager")
        assert wire.read_exactly(sock, len(whole)) == whole


def test_an_empty_frame_does_not_desynchronise(tunnel, udp_echo):
    """GOST takes what follows for a payload. A client that may be GOST gets no empty answer, which it could not read."""
    tunnel.send(b"", udp_echo.address)
    tunnel.assert_echo(udp_echo.address, b"behind it")
    assert udp_echo.payloads[-2:] == [b"", b"behind it"]


def test_an_empty_answer_is_never_sent_to_a_client_that_may_be_gost(tunnel):
    with contextlib.closing(UdpAnswering(answer=lambda data: [b"", data])) as target:
        tunnel.assert_echo(target.address)


@pytest.mark.parametrize("size", [1, 1472, 9000, 60_000, 65507])
def test_every_size(program, udp_echo, size):
    with contextlib.closing(UdpTunnel(program.at["large"])) as tunnel:
        tunnel.assert_echo(udp_echo.address, peers.pattern(size))


def test_what_is_too_long_is_dropped_whole_and_said_once(program, udp_echo):
    with contextlib.closing(UdpTunnel(program.at["udp"])) as tunnel:
        tunnel.assert_echo(udp_echo.address, b"x" * 4096)
        for size in (4097, 65507, 65535):
            tunnel.send(b"y" * size, udp_echo.address)
        tunnel.assert_echo(udp_echo.address)
        connection = ends(tunnel.sock)
    assert not any(b"y" in payload for payload in udp_echo.payloads)
    last = last_line(program, connection)
    assert last["droppedDatagrams"] == 3
    assert len([line for line in lines_of(program, last["sid"]) if line["level"] == "warn"]) == 1


GOOD_FRAMES_WITH_BAD_TARGETS = {
    "port 0": ("127.0.0.1", 0), "no such name": ("nosuch.invalid", 53), "no name": (b"", 53),
    "unreachable network": ("240.0.0.1", 9), "broadcast": ("255.255.255.255", 9),
}


@pytest.mark.parametrize("target", GOOD_FRAMES_WITH_BAD_TARGETS.values(), ids=GOOD_FRAMES_WITH_BAD_TARGETS)
def test_a_bad_destination_harms_only_its_datagram(tunnel, udp_echo, target):
    tunnel.send(b"lost", target)
    tunnel.assert_echo(udp_echo.address)


def test_a_closed_port_does_not_end_the_tunnel(tunnel, udp_echo):
    with contextlib.closing(udp_socket()) as closed:
        target = closed.getsockname()
    for _ in range(5):
        tunnel.send(b"nobody is there", target)
        tunnel.assert_echo(udp_echo.address)


@pytest.mark.parametrize("kind", [0, 2, 5, 0xFF])
def test_an_unknown_address_type_ends_the_tunnel(program, udp_echo, kind):
    with contextlib.closing(UdpTunnel(program.at["udp"])) as tunnel:
        tunnel.assert_echo(udp_echo.address)
        connection = ends(tunnel.sock)
        tunnel.sock.sendall(b"\x00\x01\xff" + bytes([kind]) + bytes(20))
        assert wire.read_to_end(tunnel.sock) == b""
    last = last_line(program, connection)
    ended = [line.get("err", "") for line in lines_of(program, last["sid"]) if " >-< " in line["msg"]]
    assert len(ended) == 1 and "frame" in ended[0], ended


def test_frames_cut_at_every_byte(program, udp_echo):
    whole = frame("localhost", udp_echo.port, b"never whole")
    for length in range(1, len(whole)):
        with contextlib.closing(UdpTunnel(program.at["udp"])) as tunnel:
            connection = ends(tunnel.sock)
            tunnel.sock.sendall(whole[:length])
            tunnel.sock.shutdown(socket.SHUT_WR)
            assert wire.read_to_end(tunnel.sock) == b""
        last_line(program, connection)
    assert b"never whole" not in udp_echo.payloads


def test_many_answers_from_many(tunnel):
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(contextlib.closing(UdpAnswering(answer=lambda data: [data] * 5)))
                   for _ in range(5)]
        for target in targets:
            tunnel.send(b"%d" % target.port, target.address)
        got = [tunnel.receive() for _ in range(25)]
        assert all(answer.payload == b"%d" % answer.source[1] for answer in got)
        assert sorted(answer.source[1] for answer in got) == sorted(target.port for target in targets for _ in range(5))


def test_a_slow_reader_loses_datagrams_and_nothing_else(program, udp_echo):
    with contextlib.closing(UdpAnswering(answer=lambda data: [bytes(4000)] * 50)) as target:
        with contextlib.closing(UdpTunnel(program.at["udp"])) as tunnel:
            for _ in range(100):
                tunnel.send(b"20 MB of answers", target.address)
            before = len(udp_echo.received)
            tunnel.send(b"behind", udp_echo.address)
            wait_until(lambda: len(udp_echo.received) > before, "the other direction goes on")
            reader = threading.Thread(target=read_until, args=(tunnel, b"behind"), daemon=True)
            reader.start()

            def arrives():
                # Its answer may be among what is lost.
                tunnel.send(b"behind", udp_echo.address)
                return not reader.is_alive()
            wait_until(arrives, "what comes is still framed")


def read_until(tunnel, payload):
    while (got := tunnel.receive().payload) != payload:
        assert got == bytes(4000)


def test_rules_count_for_both_directions(program, udp_echo):
    with contextlib.closing(UdpTarget("127.0.0.2")) as forbidden, contextlib.closing(UdpTarget()) as target:
        with contextlib.closing(UdpTunnel(program.at["bypass"])) as tunnel:
            tunnel.send(b"x", forbidden.address)
            tunnel.send(b"x", target.address)
            outbound = ("127.0.0.1", target.receive()[1][1])
            forbidden.send(b"not for you", outbound)
            target.send(b"for you", outbound)
            assert tunnel.receive().payload == b"for you"
            tunnel.assert_echo(udp_echo.address)
            connection = ends(tunnel.sock)
        assert last_line(program, connection)["droppedDatagrams"] == 2


def test_the_idle_timeout(program, udp_echo):
    with contextlib.closing(UdpTunnel(program.at["hasty"])) as tunnel:
        tunnel.assert_echo(udp_echo.address)
        connection = ends(tunnel.sock)
        assert wire.read_to_end(tunnel.sock) == b""
    last = last_line(program, connection)
    ended = [line["err"] for line in lines_of(program, last["sid"]) if " >-< " in line["msg"]]
    assert ended == ["no datagram for 500ms (option udp.idleTimeout)"]


# --- bind mode ---

@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_bound_to_a_port_peers_are_told_apart(program, host):
    port = free_port()
    with contextlib.closing(UdpTunnel(program.at["bind"], requested=(host, port))) as tunnel:
        assert tunnel.bound == ("0.0.0.0" if host == "0.0.0.0" else "127.0.0.1", port)
        with contextlib.closing(udp_socket()) as one, contextlib.closing(udp_socket("127.0.0.2")) as two:
            for sock in (one, two, one):
                sock.sendto(b"question", ("127.0.0.1", port))
                came = tunnel.receive()
                assert (came.payload, came.source) == (b"question", sock.getsockname())
                tunnel.send(b"answer", came.source)
                assert sock.recvfrom(100) == (b"answer", ("127.0.0.1", port))


def test_bound_to_ipv6(program):
    port = free_port("::1")
    with contextlib.closing(UdpTunnel(program.at["bind"], requested=("::1", port))) as tunnel:
        assert tunnel.bound == ("::1", port)
        with contextlib.closing(udp_socket("::1")) as peer:
            peer.sendto(b"question", ("::1", port))
            came = tunnel.receive()
            assert came.source == peer.getsockname()[:2]
            tunnel.send(b"answer", came.source)
            assert peer.recv(100) == b"answer"


def test_a_port_that_is_taken(program):
    with contextlib.closing(udp_socket()) as taken:
        host, port = taken.getsockname()
        with contextlib.closing(negotiated(program.at["bind"])) as sock:
            connection = ends(sock)
            sock.sendall(wire.request5(host, port, UDP_TUN))
            assert wire.read_reply5(sock)[0] == 1
            assert wire.read_to_end(sock) == b""
    assert "address already in use" in last_line(program, connection)["err"]


@pytest.mark.parametrize("host", ["192.0.2.1", "nosuch.invalid"])
def test_an_address_to_which_it_cannot_be_bound(program, host):
    with contextlib.closing(negotiated(program.at["bind"])) as sock:
        connection = ends(sock)
        sock.sendall(wire.request5(host, 4242, UDP_TUN))
        assert wire.read_reply5(sock)[0] == 1
        assert wire.read_to_end(sock) == b""
    assert last_line(program, connection)["err"]


def test_the_end_of_the_client_frees_the_port(program):
    port = free_port()
    with contextlib.closing(UdpTunnel(program.at["bind"], requested=("127.0.0.1", port))) as tunnel:
        connection = ends(tunnel.sock)
    last_line(program, connection)
    udp_socket("127.0.0.1", port).close()


# --- what is allowed ---

@pytest.mark.parametrize(("service", "port"), [("off", 0), ("off", 4242), ("bind", 0), ("udp", 4242)])
def test_each_mode_needs_its_option(program, service, port):
    with contextlib.closing(negotiated(program.at[service])) as sock:
        connection = ends(sock)
        sock.sendall(wire.request5("0.0.0.0", port, UDP_TUN))
        assert wire.read_to_end(sock) == b"\x05\x02\x00\x01" + bytes(6)
    assert_reason(program, connection, "socks5: UDP tunnel is disabled")


# --- leaving ---

@pytest.mark.parametrize("leave", [lambda sock: sock.shutdown(socket.SHUT_WR), wire.reset], ids=["fin", "rst"])
def test_it_ends_with_the_connection(program, udp_echo, leave):
    with contextlib.closing(UdpTunnel(program.at["udp"])) as tunnel:
        tunnel.assert_echo(udp_echo.address)
        connection = ends(tunnel.sock)
        leave(tunnel.sock)
        last = last_line(program, connection)
    assert last.items() >= {"inputDatagrams": 1, "outputDatagrams": 1, "inputBytes": 10, "outputBytes": 10}.items()


def test_a_thousand_tunnels_come_and_go(program, udp_echo):
    for number in range(1000):
        with contextlib.closing(UdpTunnel(program.at["udp"])) as tunnel:
            if number % 10 == 0:
                tunnel.assert_echo(udp_echo.address)
