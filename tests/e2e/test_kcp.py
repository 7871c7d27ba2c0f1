"""KCP: both roles against kcptun, ourselves over a bad network, and bad input."""
import contextlib
import hashlib
import os
import subprocess
import time

import pytest

from support import kcptun, mux, peers, servers, wire
from support.impairment import BadNetwork
from support.program import run_gost
from support.reasons import join
from support.udp import Association, UdpAnswering, UdpTunnel, udp_socket
from support.waiting import TIMEOUT, wait_until

CIPHERS = ["aes", "aes-128", "aes-192", "salsa20", "blowfish", "twofish", "cast5", "3des", "tea", "xtea", "xor", "sm4",
           "none"]
MODES = ["normal", "fast", "fast2", "fast3"]
# Of both programs: options of gost, options of kcptun.
VARIANTS = {
    **{crypt: (f"kcp.crypt={crypt}", {"crypt": crypt}) for crypt in CIPHERS},
    **{mode: (f"kcp.mode={mode}", {"mode": mode}) for mode in MODES},
    "nocomp": ("kcp.nocomp=true", {"nocomp": True}),
    "smux-2": ("kcp.smuxver=2", {"smuxver": 2}),
    "no-fec": ("kcp.datashard=0&kcp.parityshard=0", {"datashard": 0, "parityshard": 0}),
    # What kcptun receives must be as it is set there: until it has found out, it takes a parity packet of other settings
    # for data now and then, and the session breaks (between two kcptuns as well).
    "fec-set": ("kcp.datashard=7&kcp.parityshard=2", {"datashard": 7, "parityshard": 2}),
    "fec-there": ("kcp.datashard=0", {"datashard": 20, "parityshard": 5}),
    "mtu": ("kcp.mtu=600", {"mtu": 1200}),
    "windows": ("kcp.sndwnd=16&kcp.rcvwnd=16", {"sndwnd": 1024, "rcvwnd": 1024}),
}
KEY = "kcp.key=test"
MEGABYTE = peers.pattern(1 << 20)


def transfer(sock, data):
    """Sends `data` to an echo server and reads it back, at once in both directions."""
    sock.settimeout(TIMEOUT)
    received = bytearray()
    at = 0
    sock.setblocking(False)
    deadline = time.monotonic() + 3 * TIMEOUT
    while len(received) < len(data):
        assert time.monotonic() < deadline, f"{at} bytes sent, {len(received)} received"
        with contextlib.suppress(BlockingIOError):
            at += sock.send(data[at:at + 65536])
        try:
            got = sock.recv(1 << 16)
            assert got, "the tunnel has ended"
            received += got
        except BlockingIOError:
            time.sleep(0.001)
    sock.setblocking(True)
    sock.settimeout(TIMEOUT)
    assert received == data


def through(proxy, echo, data=MEGABYTE):
    with contextlib.closing(wire.tunnel5(proxy, echo.address)) as sock:
        transfer(sock, data)


def chained(gost, server, options=KEY, **more):
    """Our SOCKS server whose way leads through the kcp proxy at `server`."""
    return gost("-L", "socks5://127.0.0.1:0?udp=true&notls=true", "-F",
                f"socks5+kcp://127.0.0.1:{server[1]}?{options}&notls=true", **more)


@pytest.mark.parametrize(("server_shards", "client_shards"), [((7, 2), (0, 0)), ((0, 0), (7, 2)), ((5, 1), (10, 3))])
def test_error_correction_differs(gost, echo, server_shards, client_shards):
    options = [f"{KEY}&kcp.datashard={data}&kcp.parityshard={parity}" for data, parity in (server_shards, client_shards)]
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{options[0]}&notls=true")
    through(chained(gost, server.address, options[1]).address, echo)


@pytest.mark.parametrize("variant", VARIANTS)
def test_kcptun_client(gost, echo, tmp_path, variant):
    ours, theirs = VARIANTS[variant]
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&{ours}")
    with contextlib.closing(kcptun.client(tmp_path, server.address, **{"key": "test", **theirs})) as client:
        through(client.address, echo)
        through(client.address, echo, b"again")


@pytest.mark.parametrize("variant", VARIANTS)
def test_kcptun_server(gost, echo, tmp_path, variant):
    ours, theirs = VARIANTS[variant]
    with contextlib.closing(servers.microsocks(tmp_path)) as socks, contextlib.closing(
            kcptun.server(tmp_path, socks.address, **{"key": "test", **theirs})) as server:
        client = chained(gost, server.address, f"{KEY}&{ours}")
        through(client.address, echo)
        through(client.address, echo, b"again")


@pytest.mark.parametrize("version", [1, 2])
def test_a_go_client(gost, echo, go_peer, version):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&kcp.nocomp=true&kcp.smuxver={version}")
    peer = mux.GoPeer(go_peer("mux_peer"), mux.Protocol("smux", version), "client", carrier="kcp", key="test",
                      connect=join(server.address), target=join(echo.address), streams=200, bytes=30000, early=20, rounds=2)
    with contextlib.closing(peer):
        result = peer.said()
    assert result["errors"] == [] and result["complete"] + result["closed"] == 400
    wait_until(lambda: echo.open == 0, lambda: f"{echo.open} streams are left behind")


@pytest.mark.parametrize("version", [1, 2])
def test_a_go_server(gost, echo, go_peer, version):
    peer = mux.GoPeer(go_peer("mux_peer"), mux.Protocol("smux", version), "server", carrier="kcp", key="test")
    with contextlib.closing(peer):
        client = chained(gost, mux.address_of(peer.said()["listening"]), f"{KEY}&kcp.nocomp=true&kcp.smuxver={version}")
        assert mux.load_through(client.address, echo.address, 200, 30000, early=0.2) > 10
        wait_until(lambda: echo.open == 0, lambda: f"{echo.open} streams are left behind")


@pytest.mark.parametrize("key", ["", "it's a secrect"])
def test_both_public_keys_reach_a_server_without_one(gost, echo, tmp_path, key):
    server = gost("-L", "socks5+kcp://127.0.0.1:0", "-D")
    with contextlib.closing(kcptun.client(tmp_path, server.address, key=key)) as client:
        through(client.address, echo, b"hello")
    server.wait_for_log("the empty key" if not key else "the key of GOST's documentation")
    server.wait_for_log("kcp.key", level="warn")


def test_socks4(gost, echo):
    server = gost("-L", f"socks4+kcp://127.0.0.1:0?{KEY}")
    client = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks4+kcp://127.0.0.1:{server.port}?{KEY}")
    through(client.address, echo)


def test_forwards(gost, echo):
    far = gost("-L", f"tcp+kcp://127.0.0.1:0/127.0.0.1:{echo.port}?{KEY}")
    near = gost("-L", f"tcp://127.0.0.1:0/127.0.0.1:{echo.port}", "-F", f"forward+kcp://127.0.0.1:{far.port}?{KEY}")
    with contextlib.closing(wire.connect(near.address)) as sock:
        transfer(sock, MEGABYTE)


def test_one_session_for_many_streams(gost, echo):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&notls=true", env={"GOST_LOGGER_LEVEL": "debug"})
    client = chained(gost, server.address)
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(contextlib.closing(wire.tunnel5(client.address, echo.address)))
                 for _ in range(50)]
        for sock in socks:
            wire.assert_echo(sock)
    # One for each loop of the client at most.
    opened = {line["remote"] for line in server.log_lines("<->")}
    assert len(opened) <= os.cpu_count()


def test_datagrams(gost):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&notls=true&udp=true")
    with contextlib.closing(UdpAnswering()) as answering:
        # In frames on the tunnel (UDP-TUN).
        client = chained(gost, server.address)
        for make in (Association, UdpTunnel):
            with contextlib.closing(make(client.address)) as association:
                association.assert_echo(answering.address)
        # UDP ASSOCIATE through the tunnel, as its control connection; the datagrams take their own way.
        plain = gost("-L", "socks5://127.0.0.1:0?udp=true&notls=true", "-F",
                     f"socks5+kcp://127.0.0.1:{server.port}?{KEY}&notls=true&relay=udp")
        with contextlib.closing(Association(plain.address)) as association:
            association.assert_echo(answering.address)


def test_second_hop(gost, echo):
    """A kcp proxy behind another proxy: its packets are that proxy's datagrams."""
    first = gost("-L", "socks5://127.0.0.1:0?udp=true&notls=true")
    second = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&notls=true")
    client = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5://127.0.0.1:{first.port}?notls=true", "-F",
                  f"socks5+kcp://127.0.0.1:{second.port}?{KEY}&notls=true")
    through(client.address, echo)


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("mode", ["normal", "fast3"])
def test_bad_network(gost, echo, loss, mode):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&kcp.mode={mode}&notls=true")
    with contextlib.closing(
            BadNetwork(server.address, loss=loss, delay=0.1, jitter=0.02, repetition=loss / 2)) as network:
        client = chained(gost, network.address, f"{KEY}&kcp.mode={mode}")
        through(client.address, echo, MEGABYTE[:300_000])


def test_restarted_server_is_noticed_at_once(gost, echo):
    port = servers.free_port()
    url = f"socks5+kcp://127.0.0.1:{port}?{KEY}&notls=true"
    first = gost("-L", url)
    with contextlib.closing(BadNetwork(("127.0.0.1", port))) as network:
        client = chained(gost, network.address)
        through(client.address, echo, b"before")
        first.stop()
        gost("-L", url)
        through(client.address, echo, b"after")


def test_changed_source_is_a_new_session(gost, echo):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&notls=true")
    with contextlib.closing(BadNetwork(server.address)) as network:
        client = chained(gost, network.address)
        through(client.address, echo, b"before")
        network.forget_ways()
        through(client.address, echo, b"after")


def test_refusal_ends_the_session(gost, echo):
    port = servers.free_port()
    url = f"socks5+kcp://127.0.0.1:{port}?{KEY}&notls=true"
    first = gost("-L", url)
    client = chained(gost, ("127.0.0.1", port))
    through(client.address, echo, b"before")
    first.stop()
    with contextlib.closing(wire.connect(client.address)) as sock:
        sock.sendall(wire.GREETING)
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
        sock.sendall(wire.request5(*echo.address))
        assert wire.read_reply5(sock)[0] != 0
    gost("-L", url)
    through(client.address, echo, b"after")


def test_silent_server_is_given_up(gost, echo):
    with contextlib.closing(udp_socket()) as silent:
        client = chained(gost, silent.getsockname(), f"{KEY}&kcp.peerTimeout=1s", env={"GOST_LOGGER_LEVEL": "debug"})
        with contextlib.closing(wire.connect(client.address)) as sock:
            sock.sendall(wire.GREETING)
            assert wire.read_exactly(sock, 2) == b"\x05\x00"
            sock.sendall(wire.request5(*echo.address))
            assert wire.read_reply5(sock)[0] != 0
        client.wait_for_log("no acknowledgement for 1s")


def test_wrong_key_is_dropped(gost, echo):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&notls=true")
    stranger = chained(gost, server.address, "kcp.key=other&kcp.peerTimeout=1s")
    with contextlib.closing(wire.connect(stranger.address)) as sock:
        sock.sendall(wire.GREETING + wire.request5(*echo.address))
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
        assert wire.read_reply5(sock)[0] != 0
    server.wait_for_log("packets that did not open", level="warn")
    through(chained(gost, server.address).address, echo, b"still here")


def test_garbage_and_replays(gost, echo):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&notls=true")
    with contextlib.closing(BadNetwork(server.address)) as network:
        client = chained(gost, network.address)
        with contextlib.closing(wire.tunnel5(client.address, echo.address)) as sock:
            transfer(sock, MEGABYTE[:100_000])
            for direction, data in list(network.seen):
                for bad in (data[:-1], data[:30], b"", os.urandom(len(data)), data + b"x", data + bytes(1500)):
                    network.send_up(bad)
                # Nothing in a packet says who made it: sent back, the server's own could be taken for its client's.
                if direction == "up":
                    network.send_up(data)
            transfer(sock, MEGABYTE[:100_000])
            # From elsewhere, packets of a session that goes on make no session.
            with contextlib.closing(udp_socket()) as elsewhere:
                for _, data in list(network.seen)[:200]:
                    elsewhere.sendto(data, server.address)
            transfer(sock, MEGABYTE[:100_000])


class Replaying(BadNetwork):
    """As well somebody without the key who sees packets and can inject, but not remove, them: what goes up also reaches
    the server from elsewhere, and what it answers to that reaches the client in its name."""

    def __init__(self, server, **impairment):
        super().__init__(server, **impairment)
        self.injected = 0
        self.replaying = False
        self._elsewhere = udp_socket()
        self._elsewhere.settimeout(0.005)

    def close(self):
        super().close()
        self._elsewhere.close()

    def _pass(self, sock, data, peer):
        super()._pass(sock, data, peer)
        if peer is not None or not self.replaying:
            return
        self._elsewhere.sendto(data, self._server)
        with contextlib.suppress(TimeoutError):
            answer = self._elsewhere.recv(2000)
            for _, client in self._clients.values():
                self._front.sendto(answer, client)
            self.injected += 1


@pytest.mark.parametrize("client", ["gost", "kcptun"])
def test_answers_to_replayed_packets_harm_nobody(gost, echo, tmp_path, client):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&notls=true")
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(contextlib.closing(Replaying(server.address, delay=0.02)))
        if client == "gost":
            proxy = chained(gost, network.address)
        else:
            proxy = stack.enter_context(contextlib.closing(kcptun.client(tmp_path, network.address, key="test")))
        with contextlib.closing(wire.tunnel5(proxy.address, echo.address)) as sock:
            wire.assert_echo(sock)
            # Lost is what an answer might make the client believe to have arrived.
            network.loss = 0.1
            network.replaying = True
            for _ in range(40):
                wire.assert_echo(sock)
        assert network.injected > 5


def test_sessions_are_bounded(gost, echo):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&notls=true&kcp.maxSessionsPerHost=2")
    clients = [chained(gost, server.address, f"{KEY}&kcp.peerTimeout=2s") for _ in range(3)]
    for client in clients[:2]:
        through(client.address, echo, b"hello")
    with contextlib.closing(wire.connect(clients[2].address)) as sock:
        sock.sendall(wire.GREETING + wire.request5(*echo.address))
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
        assert wire.read_reply5(sock)[0] != 0
    server.wait_for_log("refused a session", level="warn")


def test_tunnels_outlive_the_end_of_accepting(gost, echo):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&notls=true")
    client = chained(gost, server.address)
    with contextlib.closing(wire.tunnel5(client.address, echo.address)) as sock:
        wire.assert_echo(sock)
        server.signal(15)
        server.wait_for_log("stopping")
        transfer(sock, MEGABYTE)


def test_download_is_whole(gost, web):
    server = gost("-L", f"socks5+kcp://127.0.0.1:0?{KEY}&kcp.mode=fast3&notls=true")
    client = chained(gost, server.address, f"{KEY}&kcp.mode=fast3")
    size = 30_000_000
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "60", "--socks5-hostname",
                           f"127.0.0.1:{client.port}", f"http://127.0.0.1:{web.port}/bytes/{size}"],
                          capture_output=True, check=True)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(peers.pattern(size)).digest()


def test_tcp_is_refused():
    done = run_gost("-L", "socks5+kcp://127.0.0.1:0?kcp.tcp=true")
    assert done.returncode != 0
    assert "kcp.tcp" in done.stderr
