"""smux version 1 and 2 and yamux with peers made of the libraries that GOST uses: listener, dialer, and MBIND."""
import contextlib
import socket
import threading

import pytest

from support import mux, peers, wire
from support.mux import PROTOCOLS, GoPeer, address_of
from support.program import run_gost, without_quarantine
from support.reasons import join
from support.servers import free_port
from support.waiting import wait_until

MANY = 1000
ROOM_KIB = 24 * 1024  # for everything that is not unread bytes; without a bound these would be gigabytes

every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS, ids=str)
with_windows = pytest.mark.parametrize("protocol", [p for p in PROTOCOLS if p.has_windows], ids=str)


@pytest.fixture(name="peer")
def go_peers(go_peer):
    """peer(protocol, role, …) starts one."""
    with contextlib.ExitStack() as started:
        yield lambda *arguments, **flags: started.enter_context(
            contextlib.closing(GoPeer(go_peer("mux_peer"), *arguments, **flags)))


@pytest.fixture(name="unread")
def target_that_does_not_read(target):
    """Accepts, and reads nothing."""
    stop = threading.Event()

    def accept():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                target.accept()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield join(target.address)
    stop.set()
    with contextlib.closing(socket.create_connection(target.address)):
        thread.join()


def _write_for_ever(sock):
    sock.settimeout(None)
    block = bytes(1 << 16)
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(block)


@pytest.fixture(name="source")
def target_that_writes_for_ever():
    with contextlib.closing(peers.Scripted(_write_for_ever)) as source:
        yield join(source.address)


def listener(gost, protocol, **options):
    return gost("-L", f"socks5+mtcp://127.0.0.1:0?{protocol.query}", **options)


def dialer(gost, protocol, server, **options):
    return gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+mtcp://{server}?{protocol.query}", **options)


# --- our listener, their dialer ---

@every_protocol
def test_a_thousand_streams_of_a_go_client(gost, echo, peer, protocol):
    proxy = listener(gost, protocol)
    client = peer(protocol, "client", connect=join(proxy.address), target=join(echo.address), streams=MANY, bytes=30000,
                  early=20, rounds=2)
    result = client.said()
    assert result["errors"] == []
    assert result["complete"] + result["closed"] == 2 * MANY
    assert result["closed"] > 100
    wait_until(lambda: echo.open == 0, lambda: f"{echo.open} streams are left behind")


@every_protocol
def test_large_transfers_of_a_go_client(gost, echo, peer, protocol):
    proxy = listener(gost, protocol)
    client = peer(protocol, "client", connect=join(proxy.address), target=join(echo.address), streams=4,
                  bytes=16 << 20, exact=True)
    assert client.said() == {"complete": 4, "closed": 0, "errors": []}


@with_windows
def test_readers_that_stall_cost_the_others_nothing(gost, echo, peer, unread, source, protocol):
    proxy = listener(gost, protocol, env=without_quarantine())
    before = proxy.resident_kib
    client = peer(protocol, "client", connect=join(proxy.address), target=join(echo.address), push=unread, pull=source,
                  stalled=8, streams=100, bytes=200000)
    assert client.said() == {"complete": 100, "closed": 0, "errors": []}
    assert proxy.resident_kib - before < ROOM_KIB + 8 * 256


def test_in_version_1_a_stalled_reader_costs_no_memory(gost, echo, peer, unread):
    protocol = PROTOCOLS[0]
    proxy = listener(gost, protocol, env=without_quarantine())
    before = proxy.resident_kib
    client = peer(protocol, "client", connect=join(proxy.address), target=join(echo.address), push=unread, streams=0)
    assert client.said()["errors"] == []
    wait_until(lambda: proxy.resident_kib - before > 3 * 1024, "its buffer fills")
    # It has stopped reading: nothing moves any more, however long the peer goes on.
    used = wait_until(lambda: _at_rest(proxy), "it goes on working")
    assert used - before < ROOM_KIB + 4096


def _at_rest(program):
    """Its memory, once it has used no processor time for as long as a look takes."""
    cpu, memory = program.cpu_seconds, program.resident_kib
    threading.Event().wait(0.3)
    return memory if program.cpu_seconds == cpu else None


# --- our dialer, their listener ---

@every_protocol
def test_a_thousand_streams_to_a_go_server(gost, echo, peer, protocol):
    server = peer(protocol, "server").said()["listening"]
    proxy = dialer(gost, protocol, server)
    closed = mux.load_through(proxy.address, echo.address, MANY, 30000, early=0.2)
    assert closed > 100
    wait_until(lambda: echo.open == 0, lambda: f"{echo.open} streams are left behind")
    mux.load_through(proxy.address, echo.address, 10, 1000)


@every_protocol
def test_large_transfers_to_a_go_server(gost, echo, peer, protocol):
    server = peer(protocol, "server").said()["listening"]
    proxy = dialer(gost, protocol, server)
    block = peers.pattern(16 << 20)
    with contextlib.closing(wire.tunnel5(proxy.address, echo.address)) as sock:
        sender = threading.Thread(target=sock.sendall, args=(block,))
        sender.start()
        assert wire.read_exactly(sock, len(block)) == block
        sender.join()


@with_windows
def test_a_client_that_does_not_read_costs_the_others_nothing(gost, echo, peer, source, protocol):
    server = peer(protocol, "server").said()["listening"]
    proxy = dialer(gost, protocol, server, env=without_quarantine())
    before = proxy.resident_kib
    with contextlib.ExitStack() as stalled:
        for _ in range(8):
            stalled.enter_context(contextlib.closing(
                wire.tunnel5(proxy.address, address_of(source), receive_buffer=4096)))
        mux.load_through(proxy.address, echo.address, 50, 200000)
        assert proxy.resident_kib - before < ROOM_KIB + 8 * 256


def test_with_yamux_each_direction_ends_for_itself(gost, echo, peer):
    server = peer(PROTOCOLS[2], "server").said()["listening"]
    proxy = dialer(gost, PROTOCOLS[2], server)
    with contextlib.closing(wire.tunnel5(proxy.address, echo.address)) as sock:
        sock.sendall(b"the last question")
        sock.shutdown(socket.SHUT_WR)
        assert wire.read_to_end(sock) == b"the last question"


# --- what does not fit ---

@pytest.mark.parametrize("query, reason", [
    ("mux.type=quic", "mux.type is 'quic', but must be 'smux' or 'yamux'"),
    ("mux.type=yamux&mux.maxStreamWindow=1000", "mux.maxStreamWindow is 1000, but must be at least 262144"),
])
def test_options_that_cannot_work_are_refused(query, reason):
    done = run_gost("-L", f"socks5+mtcp://127.0.0.1:0?{query}")
    assert done.returncode == 1 and reason in done.stderr


def test_types_that_differ_are_named(gost):
    program = listener(gost, PROTOCOLS[2])
    with contextlib.closing(wire.connect(program.address)) as sock:
        sock.sendall(bytes.fromhex("0100000003000000") + bytes(8))
        wire.read_to_end(sock)
    program.wait_for_log("yamux: the peer speaks version 1, not 0 (mux.type must be the same at both ends)")


# --- MBIND ---

@every_protocol
def test_a_thousand_peers_of_a_go_clients_port(gost, peer, protocol):
    proxy = gost("-L", f"socks5://127.0.0.1:0?bind=true&{protocol.query}")
    bound = address_of(peer(protocol, "mbind-client", connect=join(proxy.address)).said()["bound"])
    assert mux.load_port(bound, MANY, 30000, early=0.2) > 100
    mux.load_port(bound, 4, 8 << 20)


@with_windows
def test_a_go_client_that_does_not_read_one_peer_serves_the_others(gost, peer, protocol):
    proxy = gost("-L", f"socks5://127.0.0.1:0?bind=true&{protocol.query}", env=without_quarantine())
    bound = address_of(peer(protocol, "mbind-client", connect=join(proxy.address), unread=1).said()["bound"])
    before = proxy.resident_kib
    with contextlib.closing(wire.connect(bound)) as stalled:
        stalled.setblocking(False)
        writer = threading.Thread(target=_write_what_fits, args=(stalled,))
        writer.start()
        mux.load_port(bound, 50, 200000)
        writer.join()
    assert proxy.resident_kib - before < ROOM_KIB


def _write_what_fits(sock):
    block = bytes(1 << 16)
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.sendall(block)


@every_protocol
def test_a_thousand_peers_of_our_port_at_a_go_server(gost, echo, peer, protocol):
    server = peer(protocol, "mbind-server").said()["listening"]
    port = free_port()
    client = gost("-L", f"rtcp://127.0.0.1:{port}/{join(echo.address)}", "-F", f"socks5://{server}?{protocol.query}")
    client.wait_for_log(" OK: ", kind="listener")
    assert mux.load_port(("127.0.0.1", port), MANY, 30000, early=0.2) > 100
    mux.load_port(("127.0.0.1", port), 4, 8 << 20)
