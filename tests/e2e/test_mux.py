"""Transports that carry many streams on one connection: mtcp and mtls (wire.md section 11)."""
import concurrent.futures
import contextlib
import hashlib
import socket
import struct
import subprocess

import pytest

from support import peers, smux, wire
from support.reasons import join
from support.relay import Relay
from support.servers import free_port
from support.udp import UdpAnswering, udp_socket
from support.waiting import TIMEOUT, wait_until

TRANSPORTS = ("mtcp", "mtls")
# Each loop has a session of its own.
ONE_LOOP = {"GOMAXPROCS": "1"}


def pair(gost, transport, client="socks5", server=None, options="", **more):
    """A client and a server with `transport` between them."""
    proxy = gost("-L", f"{server or client}+{transport}://127.0.0.1:0{options}")
    return gost("-L", "socks5://127.0.0.1:0", "-F", f"{client}+{transport}://{join(proxy.address)}{options}", **more), proxy


def curl(proxy, url, *arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "30", "-x", f"socks5h://{join(proxy)}", *arguments, url],
                          capture_output=True, timeout=40, check=True).stdout


def through(proxy, target):
    """A tunnel of the client to `target`."""
    sock = wire.connect(proxy)
    sock.sendall(wire.GREETING)
    assert wire.read_exactly(sock, 2) == b"\x05\x00"
    sock.sendall(wire.request5(*target))
    answer = wire.read_exactly(sock, 10)
    assert answer[1] == 0, answer
    return sock


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("client", "server"), [("socks5", "socks5"), ("socks4", "socks4"), ("socks4a", "auto"),
                                                ("socks5", "auto")])
def test_curl(gost, web, transport, client, server):
    program, proxy = pair(gost, transport, client, server)
    assert curl(program.address, f"http://127.0.0.1:{web.port}/") == b"hello"
    assert proxy.wait_for_log(" >< ", listener=transport)[0]["cmd"] == "connect"


@pytest.mark.parametrize("options", ["?mux.version=1", "?mux.version=2", "?mux.maxFrameSize=1024&mux.keepaliveDisabled=true"])
def test_large_transfers_side_by_side(gost, web, options):
    program, _ = pair(gost, "mtcp", options=options)
    size = 5 << 20
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        got = pool.map(lambda _: hashlib.sha256(curl(program.address, f"http://127.0.0.1:{web.port}/bytes/{size}")).digest(),
                       range(8))
        assert set(got) == {hashlib.sha256(peers.pattern(size)).digest()}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_one_connection_carries_all(gost, echo, transport):
    proxy = gost("-L", f"socks5+{transport}://127.0.0.1:0")
    with contextlib.closing(Relay(proxy.address)) as hop, contextlib.ExitStack() as stack:
        program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+{transport}://{join(hop.address)}", env=ONE_LOOP)
        socks = [stack.enter_context(contextlib.closing(wire.connect(program.address))) for _ in range(50)]
        for sock in socks:  # all ask before the first has an answer
            sock.sendall(wire.GREETING + wire.request5(*echo.address))
        for number, sock in enumerate(socks):
            assert wire.read_exactly(sock, 12)[3] == 0
            wire.assert_echo(sock, b"%d" % number)
        assert hop.carried == 1


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_dead_connection_is_replaced_before_anybody_notices(gost, echo, transport):
    proxy = gost("-L", f"socks5+{transport}://127.0.0.1:0")
    with contextlib.closing(Relay(proxy.address)) as hop:
        program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+{transport}://{join(hop.address)}", env=ONE_LOOP)
        before = None
        for round_ in range(20):
            with contextlib.closing(through(program.address, echo.address)) as sock:
                wire.assert_echo(sock)
            before = before or program.descriptors
            hop.cut()
            assert hop.carried == round_ + 1
        with contextlib.closing(through(program.address, echo.address)) as sock:
            wire.assert_echo(sock)
        wait_until(lambda: program.descriptors <= before, lambda: f"{program.descriptors} of {before} descriptors")


def test_a_restarted_proxy_serves_the_first_request(gost, echo):
    port = free_port()
    proxy = gost("-L", f"socks5+mtcp://127.0.0.1:{port}")
    program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+mtcp://127.0.0.1:{port}", env=ONE_LOOP)
    with contextlib.closing(through(program.address, echo.address)) as sock:
        wire.assert_echo(sock)
    assert proxy.stop() == 0
    gost("-L", f"socks5+mtcp://127.0.0.1:{port}")
    with contextlib.closing(through(program.address, echo.address)) as sock:
        wire.assert_echo(sock)


def test_a_request_on_a_connection_that_dies_under_it_is_asked_again(gost):
    """The proxy closes an old connection in answer to a greeting; on a new one it works."""
    with contextlib.closing(peers.Target()) as proxy:
        program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+mtcp://{join(proxy.address)}?notls=true", env=ONE_LOOP)

        def asked():
            client = wire.connect(program.address)
            client.sendall(wire.GREETING + wire.request5("192.0.2.1", 80))
            return client

        def serve(session, stream):
            assert session.read(stream, 3) == b"\x05\x01\x00"
            session.send(smux.PSH, stream, b"\x05\x00")
            session.read(stream, 10)
            session.send(smux.PSH, stream, b"\x05\x00\x00\x01" + bytes(6))

        with contextlib.closing(asked()) as first:
            session = smux.Session(proxy.accept(), 2)
            serve(session, 3)
            assert wire.read_exactly(first, 12)[3] == 0
        with contextlib.closing(asked()) as second:
            assert session.read(5, 3) == b"\x05\x01\x00"
            session.sock.close()
            serve(smux.Session(proxy.accept(), 2), 3)
            assert wire.read_exactly(second, 12)[3] == 0


def test_a_dead_proxy_is_an_error_not_a_hang(gost, dead_port):
    program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+mtcp://127.0.0.1:{dead_port}")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        def ask(_):
            with contextlib.closing(wire.connect(program.address)) as sock:
                sock.sendall(wire.GREETING + wire.request5("192.0.2.1", 80))
                return wire.read_exactly(sock, 4)[3]
        assert set(pool.map(ask, range(20))) == {5}, "connection refused"


def test_forwards(gost, echo):
    proxy = gost("-L", f"tcp+mtcp://127.0.0.1:0/{join(echo.address)}")
    program = gost("-L", "tcp://127.0.0.1:0/192.0.2.1:1", "-F", f"forward+mtcp://{join(proxy.address)}")
    with contextlib.closing(wire.connect(program.address)) as sock:
        wire.assert_echo(sock, peers.pattern(1 << 20))


@pytest.mark.parametrize("relay", ["", "?relay=udp"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_datagrams(gost, transport, relay):
    proxy = gost("-L", f"socks5+{transport}://127.0.0.1:0?udp=true")
    with contextlib.closing(UdpAnswering()) as target, contextlib.closing(udp_socket()) as sock:
        port = free_port()
        gost("-L", f"udp://127.0.0.1:{port}/{join(target.address)}", "-F", f"socks5+{transport}://{join(proxy.address)}{relay}")
        for number in range(5):
            sock.sendto(b"%d" % number, ("127.0.0.1", port))
            assert sock.recv(100) == b"%d" % number


def test_a_transport_for_each_hop(gost, web, socks5):
    hops = [gost("-L", "socks5+mtcp://127.0.0.1:0"), gost("-L", "socks5+tls://127.0.0.1:0"),
            gost("-L", "socks4+mtls://127.0.0.1:0"), socks5]
    schemes = ("socks5+mtcp", "socks5+tls", "socks4+mtls", "socks5")
    chain = [word for scheme, hop in zip(schemes, hops) for word in ("-F", f"{scheme}://{join(hop.address)}")]
    program = gost("-L", "socks5://127.0.0.1:0", *chain)
    for _ in range(3):
        assert curl(program.address, f"http://127.0.0.1:{web.port}/") == b"hello"
    assert len(hops[-1].wait_for_log(" >< ", count=3)) == 3


def test_streams_may_finish_when_the_program_stops(gost, echo):
    program, proxy = pair(gost, "mtcp")
    with contextlib.closing(through(program.address, echo.address)) as sock:
        proxy.signal(15)
        proxy.wait_for_log("stopping: tunnels may go on")
        wire.assert_echo(sock)
    assert proxy.wait() == 0, "an idle connection keeps nobody waiting"


def test_a_stop_at_once_ends_connections(gost, echo):
    program, proxy = pair(gost, "mtcp")
    with contextlib.closing(through(program.address, echo.address)) as sock:
        proxy.signal(2)
        assert proxy.wait() == 0
        assert wire.read_to_end(sock) == b""


@pytest.mark.parametrize("version", [1, 2])
def test_a_stop_lets_a_slow_reader_have_everything(gost, version):
    """The last tunnel ends while most of it is still on its way, to a client that says something all the time."""
    proxy = gost("-L", f"socks5+mtcp://127.0.0.1:0?notls=true&mux.version={version}", "-drain", "60s")
    sent = peers.pattern(1 << 20)

    def serve(sock):
        sock.sendall(sent)

    with contextlib.closing(peers.Scripted(serve)) as target, contextlib.closing(socket.socket()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(TIMEOUT)
        sock.connect(proxy.address)
        session = smux.Session(sock, version)
        session.send(smux.SYN, 3)
        session.send(smux.PSH, 3, wire.GREETING)
        session.read(3, 2)
        session.send(smux.PSH, 3, wire.request5(*target.address))
        session.read(3, 10)
        proxy.signal(15)
        proxy.wait_for_log("stopping: tunnels may go on")
        got = 12
        while 3 not in session.seen.finished:
            command, _, payload = session.receive()
            got += len(payload) if command == smux.PSH else 0
            session.send(smux.NOP, 0)
            if version == 2:
                session.send(smux.UPD, 3, struct.pack("<II", got, 65536))
        assert session.seen.payload[3] == sent
        assert wire.read_to_end(sock) == b""
    assert proxy.wait() == 0


HALF_CLOSING = [("mtcp", "mux.version=1"), ("mtcp", "mux.version=2"), ("mtls", "mux.version=2"), ("mws", "mux.version=1"),
                ("mtcp", "mux.type=yamux")]


@pytest.mark.parametrize(("transport", "options"), HALF_CLOSING)
def test_half_close_between_two_of_ours(gost, transport, options):
    """The target answers when the client has said everything, and the other way round. Without TLS, which has an end of its
    own."""
    program, _ = pair(gost, transport, options=f"?notls=true&{options}")
    sent = peers.pattern(100_000)
    with contextlib.closing(peers.Target()) as target:
        for ends_first, ends_last in ((0, 1), (1, 0)):
            ends = [through(program.address, target.address), target.accept()]
            with contextlib.closing(ends[0]):
                ends[ends_first].sendall(sent)
                ends[ends_first].shutdown(socket.SHUT_WR)
                assert wire.read_to_end(ends[ends_last]) == sent
                ends[ends_last].sendall(sent[::-1])
                ends[ends_last].close()
                assert wire.read_to_end(ends[ends_first]) == sent[::-1]


def test_a_fin_of_another_smux_ends_both_directions(gost):
    """GOST's library knows no half-close."""
    proxy = gost("-L", "socks5+mtcp://127.0.0.1:0?notls=true")
    with contextlib.closing(peers.Target()) as target, contextlib.closing(wire.connect(proxy.address)) as sock:
        session = smux.Session(sock, 2)
        session.send(smux.SYN, 3)
        session.send(smux.PSH, 3, wire.GREETING)
        session.read(3, 2)
        session.send(smux.PSH, 3, wire.request5(*target.address))
        session.read(3, 10)
        served = target.accept()
        session.send(smux.PSH, 3, b"all")
        session.send(smux.FIN, 3)
        assert wire.read_to_end(served) == b"all"
        served.close()
        assert proxy.wait_for_log(" >< ")[0]["inputBytes"] == 3
        while 3 not in session.seen.finished:
            session.receive()


def test_another_smux_is_told_the_end_of_both_directions(gost):
    """A peer that has not said that it understands a half-close gets a FIN instead, and hears nothing of it."""
    with contextlib.closing(peers.Target()) as proxy:
        program = gost("-L", "tcp://127.0.0.1:0/192.0.2.1:1", "-F", f"forward+mtcp://{join(proxy.address)}?notls=true",
                       env=ONE_LOOP)
        with contextlib.closing(wire.connect(program.address)) as client:
            client.sendall(b"all")
            session = smux.Session(proxy.accept(), 2)
            assert [session.receive() for _ in range(2)] == [(smux.SYN, 3, b""), (smux.PSH, 3, b"all")]
            client.shutdown(socket.SHUT_WR)
            assert session.receive() == (smux.FIN, 3, b"")


# --- what can be wrong ---

def test_a_client_without_multiplexing_is_told_so(gost):
    """It has said three bytes, and would wait for an answer for ever."""
    proxy = gost("-L", "socks5+mtcp://127.0.0.1:0")
    with contextlib.closing(wire.connect(proxy.address)) as sock:
        sock.sendall(wire.GREETING)
        assert wire.read_to_end(sock) == b""
    proxy.wait_for_log("smux: the peer speaks version 5, not 2", level="warn")


def test_two_versions(gost, echo):
    proxy = gost("-L", "socks5+mtcp://127.0.0.1:0?mux.version=1")
    program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+mtcp://{join(proxy.address)}")
    with contextlib.closing(wire.connect(program.address)) as sock:
        sock.sendall(wire.GREETING + wire.request5(*echo.address))
        assert wire.read_exactly(sock, 4)[3] != 0
    line = proxy.wait_for_log("smux: ", level="warn")[0]["msg"]
    assert "version 2" in line and "mux.version" in line, line


def test_a_stalled_stream_harms_no_other(gost, echo):
    program, _ = pair(gost, "mtcp", env=ONE_LOOP)
    with contextlib.closing(through(program.address, echo.address)) as stalled, \
            contextlib.closing(through(program.address, echo.address)) as other:
        stalled.setblocking(False)
        data = peers.pattern(1 << 20)
        with contextlib.suppress(BlockingIOError):
            while True:  # what comes back is not read
                stalled.send(data)
        wire.assert_echo(other, data)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_connections_without_a_stream_are_bounded(gost, transport):
    proxy = gost("-L", f"socks5+{transport}://127.0.0.1:0?maxHandshakes=8")
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(contextlib.closing(wire.connect(proxy.address))) for _ in range(40)]
        proxy.wait_for_log("too many", level="warn")
        # Which ones go depends on the loops among which they are spread.
        wait_until(lambda: proxy.descriptors < len(socks), "most are still there")


def test_garbage(gost, echo):
    program, proxy = pair(gost, "mtcp")
    for garbage in (wire.GREETING + bytes(20), b"GET / HTTP/1.1\r\n\r\n", b"\x02\x07" + bytes(6), bytes(8)):
        with contextlib.closing(wire.connect(proxy.address)) as sock:
            sock.sendall(garbage)
            assert wire.read_to_end(sock) == b""
    with contextlib.closing(through(program.address, echo.address)) as sock:
        wire.assert_echo(sock)
