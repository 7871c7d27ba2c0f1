"""Remote forwards: ports of a proxy whose connections and datagrams come to targets here (rtcp, rudp)."""
import concurrent.futures
import contextlib
import hashlib
import json
import re
import shlex
import socket
import struct
import threading
from pathlib import Path

import pytest

from support import peers, servers, upstreams, wire
from support.reasons import join
from support.relay import Relay
from support.servers import free_port
from support.udp import UdpAnswering, udp_socket
from support.waiting import wait_until

BOUND = " OK: "


@pytest.fixture(name="proxy", scope="module")
def binding_proxy(shared_gost):
    return shared_gost("-L", "socks5://127.0.0.1:0?bind=true&udp=true")


@pytest.fixture(name="hop")
def cuttable_hop(proxy):
    with contextlib.closing(Relay(proxy.address)) as hop:
        yield hop


@pytest.fixture(name="udp_echo")
def echoing_udp_target():
    with contextlib.closing(UdpAnswering()) as target:
        yield target


def publish(gost, scheme, port, targets, proxy, options=""):
    """A remote forward whose port is there."""
    program = gost("-L", f"{scheme}://127.0.0.1:{port}/{targets}", "-F", f"socks5://{join(proxy)}{options}")
    program.wait_for_log(BOUND, kind="listener")
    return program


def ask(port, payload):
    with contextlib.closing(udp_socket()) as sock:
        sock.sendto(payload, ("127.0.0.1", port))
        return sock.recv(65536)


def echoes(port, payload=b"ping"):
    with contextlib.closing(wire.connect(("127.0.0.1", port))) as sock:
        wire.assert_echo(sock, payload)


# --- TCP ---

@pytest.mark.parametrize("options", ["", "?notls=true"])
def test_a_port_of_the_proxy_leads_to_the_target(gost, proxy, echo, options):
    port = free_port()
    program = publish(gost, "rtcp", port, join(echo.address), proxy.address, options)
    with contextlib.closing(wire.connect(("127.0.0.1", port))) as sock:
        wire.assert_echo(sock, b"ping")
        client = join(sock.getsockname())
    last = program.wait_for_log(" >< ", remote=client)[0]
    assert last.items() >= {"handler": "rtcp", "listener": "rtcp", "dst": join(echo.address), "inputBytes": 4,
                            "outputBytes": 4}.items()
    program.stop()
    wait_until(lambda: not proxy.listens_at(port), "the port goes with the program")


def test_smux_version_2(gost, echo):
    port = free_port()
    proxy = gost("-L", "socks5://127.0.0.1:0?bind=true&mux.version=2")
    publish(gost, "rtcp", port, join(echo.address), proxy.address, "?mux.version=2")
    echoes(port, peers.pattern(1 << 20))


def test_any_port(gost, proxy, echo):
    program = publish(gost, "rtcp", 0, join(echo.address), proxy.address)
    said = program.wait_for_log(BOUND, kind="listener")[0]["msg"]
    echoes(int(said.rpartition(":")[2]))


def test_through_two_proxies(gost, proxy, socks5, echo):
    port = free_port()
    program = gost("-L", f"rtcp://127.0.0.1:{port}/{join(echo.address)}", "-F", f"socks5://{join(socks5.address)}",
                   "-F", f"socks5://{join(proxy.address)}")
    program.wait_for_log(BOUND, kind="listener")
    echoes(port)


def test_targets_take_turns_and_dead_ones_are_replaced(gost, proxy, dead_port):
    port = free_port()
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(contextlib.closing(peers.Answering())) for _ in range(2)]
        addresses = ",".join([f"127.0.0.1:{dead_port}", *(join(target.address) for target in targets)])
        publish(gost, "rtcp", port, addresses, proxy.address)
        for _ in range(8):
            echoes(port)
        assert sum(target.accepted for target in targets) == 8 and all(target.accepted >= 3 for target in targets)


def test_many_connections_at_once(gost, proxy, echo):
    port = free_port()
    publish(gost, "rtcp", port, join(echo.address), proxy.address)
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(contextlib.closing(wire.connect(("127.0.0.1", port)))) for _ in range(200)]
        for number, sock in enumerate(socks):
            sock.sendall(b"%03d" % number)
        for number, sock in enumerate(socks):
            assert wire.read_exactly(sock, 3) == b"%03d" % number
        assert echo.open == 200
    wait_until(lambda: echo.open == 0, "the connections end")


def test_large_transfers_both_ways(gost, proxy, echo):
    port = free_port()
    publish(gost, "rtcp", port, join(echo.address), proxy.address)
    data = peers.pattern(8 << 20)

    def transfer(_):
        with contextlib.closing(wire.connect(("127.0.0.1", port))) as sock:
            sender = threading.Thread(target=sock.sendall, args=(data,))
            sender.start()
            got = wire.read_exactly(sock, len(data))
            sender.join()
        return hashlib.sha256(got).digest()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert set(pool.map(transfer, range(4))) == {hashlib.sha256(data).digest()}


def test_a_cut_tunnel_comes_back(gost, proxy, hop, echo):
    port = free_port()
    program = publish(gost, "rtcp", port, join(echo.address), hop.address)
    with contextlib.closing(wire.connect(("127.0.0.1", port))) as sock:
        wire.assert_echo(sock)
        hop.cut()
        assert wire.read_to_end(sock) == b""
    program.wait_for_log("is lost", kind="listener", level="warn")
    program.wait_for_log(BOUND, count=2, kind="listener")
    echoes(port)


def test_ten_thousand_connections_through_one_tunnel(gost, proxy, echo):
    """200 at a time: none is lost and none is stuck, and nothing of them stays."""
    port = free_port()
    program = publish(gost, "rtcp", port, join(echo.address), proxy.address)
    echoes(port)
    before = program.descriptors, proxy.descriptors

    def visit(number):
        with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as sock:
            sock.sendall(b"%06d" % number)
            return wire.read_exactly(sock, 6) == b"%06d" % number

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        assert all(pool.map(visit, range(10000)))
    wait_until(lambda: (program.descriptors, proxy.descriptors) <= before and echo.open == 0, "everything is closed")


def test_twenty_cuts_in_the_middle(gost, proxy, hop, echo):
    """The port comes back by itself each time, and no descriptor stays."""
    port = free_port()
    program = publish(gost, "rtcp", port, join(echo.address), hop.address)
    echoes(port)
    wait_until(lambda: echo.open == 0, "the first connection has ended")
    before = program.descriptors
    for cut in range(20):
        with contextlib.ExitStack() as stack:
            socks = [stack.enter_context(contextlib.closing(wire.connect(("127.0.0.1", port)))) for _ in range(5)]
            for sock in socks:
                wire.assert_echo(sock)
            hop.cut()
            for sock in socks:
                assert wire.read_to_end(sock) == b""
        program.wait_for_log(BOUND, count=cut + 2, kind="listener")
    echoes(port)
    wait_until(lambda: echo.open == 0 and program.descriptors <= before, lambda: f"{program.descriptors} of {before}")


def test_sshd_is_published(gost, proxy, tmp_path):
    """The tutorial's example: ssh to a machine that has no port of its own."""
    with contextlib.closing(servers.Sshd(tmp_path)) as sshd:
        port = free_port()
        publish(gost, "rtcp", port, f"127.0.0.1:{sshd.port}", proxy.address)
        said = sshd.ssh(port, "echo $((6 * 7)); head -c 3000000 /dev/zero | tee /dev/stderr | sha256sum")
        assert said.split() == ["42", hashlib.sha256(bytes(3000000)).hexdigest(), "-"]


def test_without_a_chain_the_port_is_here(gost, echo):
    port = free_port()
    program = gost("-L", f"rtcp://127.0.0.1:{port}/{join(echo.address)}")
    program.wait_for_log(BOUND, kind="listener")
    assert program.listens_at(port)
    echoes(port)


def test_running_connections_may_finish(gost, proxy, echo):
    port = free_port()
    program = publish(gost, "rtcp", port, join(echo.address), proxy.address)
    with contextlib.closing(wire.connect(("127.0.0.1", port))) as sock:
        wire.assert_echo(sock)
        program.signal(15)
        program.wait_for_log("stopping: tunnels may go on")
        wire.assert_echo(sock)
    assert program.wait() == 0


# --- what can be wrong ---

@pytest.mark.parametrize(("scheme", "what"), [("rtcp", "socks5: MBIND: general failure (reply 01)"),
                                              ("rudp", "socks5: UDP bind: general failure (reply 01)")])
def test_a_busy_port(gost, proxy, echo, scheme, what):
    kind = socket.SOCK_STREAM if scheme == "rtcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as busy:
        port = free_port()
        busy.bind(("127.0.0.1", port))
        program = gost("-L", f"{scheme}://127.0.0.1:{port}/{join(echo.address)}", "-F", f"socks5://{join(proxy.address)}")
        line = program.wait_for_log("failed", kind="listener", level="warn")[0]["msg"]
        assert line.endswith(f"hop-0/node-0 ({join(proxy.address)}): {what}, retrying in 1s")
    program.wait_for_log(BOUND, kind="listener")


def test_a_proxy_that_is_not_there_at_the_start(gost, echo):
    port, proxy_port = free_port(), free_port()
    program = gost("-L", f"rtcp://127.0.0.1:{port}/{join(echo.address)}", "-F", f"socks5://127.0.0.1:{proxy_port}")
    program.wait_for_log("connection refused, retrying in 1s", kind="listener", level="warn")
    gost("-L", f"socks5://127.0.0.1:{proxy_port}?bind=true")
    program.wait_for_log(BOUND, kind="listener")
    echoes(port)


@pytest.mark.parametrize(("code", "reason"), [(7, "command not supported (reply 07)"),
                                              (2, "not allowed by the proxy (reply 02)")])
@pytest.mark.parametrize("scheme", ["rtcp", "rudp"])
def test_a_proxy_that_refuses(gost, echo, scheme, code, reason):
    with contextlib.closing(upstreams.answering5(code)) as upstream:
        program = gost("-L", f"{scheme}://127.0.0.1:{free_port()}/{join(echo.address)}",
                       "-F", f"socks5://{join(upstream.address)}")
        program.wait_for_log(reason + ", retrying in 1s", kind="listener", level="warn")
        program.wait_for_log(reason + ", retrying in 2s", kind="listener", level="warn")


def test_a_proxy_without_bind_refuses(gost, socks5, echo):
    program = gost("-L", f"rtcp://127.0.0.1:{free_port()}/{join(echo.address)}", "-F", f"socks5://{join(socks5.address)}")
    program.wait_for_log("not allowed by the proxy (reply 02)", kind="listener", level="warn")


# --- UDP ---

@pytest.mark.parametrize("options", ["", "?notls=true"])
def test_a_udp_port_of_the_proxy(gost, proxy, udp_echo, options):
    port = free_port()
    publish(gost, "rudp", port, join(udp_echo.address), proxy.address, options)
    for number in range(5):
        assert ask(port, b"%d" % number) == b"%d" % number
    with contextlib.closing(udp_socket()) as sock:
        for number in range(5):
            sock.sendto(b"again %d" % number, ("127.0.0.1", port))
            assert sock.recv(65536) == b"again %d" % number
    assert len(udp_echo.senders) == 6, "a session for each peer"


def test_a_cut_udp_tunnel_comes_back(gost, proxy, hop, udp_echo):
    port = free_port()
    program = publish(gost, "rudp", port, join(udp_echo.address), hop.address)
    assert ask(port, b"before") == b"before"
    hop.cut()
    program.wait_for_log("is lost", kind="listener", level="warn")
    program.wait_for_log(BOUND, count=2, kind="listener")
    assert ask(port, b"after") == b"after"


def test_without_a_chain_the_udp_port_is_here(gost, udp_echo):
    port = free_port()
    program = gost("-L", f"rudp://127.0.0.1:{port}/{join(udp_echo.address)}")
    program.wait_for_log(BOUND, kind="listener")
    assert ask(port, b"hello") == b"hello"


def test_udp_targets_take_turns(gost, proxy):
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(contextlib.closing(UdpAnswering())) for _ in range(3)]
        port = free_port()
        publish(gost, "rudp", port, ",".join(join(target.address) for target in targets), proxy.address)
        for number in range(6):
            assert ask(port, b"%d" % number) == b"%d" % number
        assert [len(target.received) for target in targets] == [2, 2, 2]


# --- recordings of GOST 3.3.0 ---

RECORDINGS = Path(__file__).resolve().parents[2] / "src/mux/testing/vectors"
# Numbers of the recordings that occur in bytes only.
PROXY_PORT, BOUND_PORT = struct.pack(">H", 23180), struct.pack(">H", 23184)
PEER = re.compile(rb"\x05\x00\x00\x01\x7f\x00\x00\x01..", re.DOTALL)


def recorded(name):
    recording = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    events = recording["events"]
    # The recorder noticed some connections of peers only after what followed them.
    for at in range(1, len(events)):
        if events[at].get("open") and "SYN" in str(events[at - 1].get("frames")):
            events[at - 1:at + 1] = events[at], events[at - 1]
    return recording


def without_peer_ports(data):
    return PEER.sub(b"<peer>", data)


class ServerReplay:
    """The recorded client and its peers, played again to this program; what it says must be what was recorded."""

    def __init__(self, proxy):
        self._bound = free_port()
        self._ports = {PROXY_PORT: struct.pack(">H", proxy[1]), BOUND_PORT: struct.pack(">H", self._bound)}
        self._socks = {None: wire.connect(proxy)}
        self._said = self._wanted = b""

    def play(self, event):
        leg = event.get("leg")
        from_us = event["dir"] == "c2s"
        if event.get("open"):
            self._socks[leg] = wire.connect(("127.0.0.1", self._bound))
        elif "hex" in event:
            data = bytes.fromhex(event["hex"])
            if data[:2] == b"\x05\xf2":
                data = data[:-2] + self._ports.get(data[-2:], data[-2:])
            if from_us:
                self._socks[leg].sendall(data)
            elif leg is None:
                self._said += wire.read_exactly(self._socks[None], len(data))
                self._wanted += data
            else:
                assert wire.read_exactly(self._socks[leg], len(data)) == data
        elif from_us:
            self._socks[leg].close()
        elif "close" in event:
            assert wire.read_to_end(self._socks[leg]) == b""

    def compare(self):
        assert without_peer_ports(self._said) == without_peer_ports(self._wanted)

    def close(self):
        for sock in self._socks.values():
            sock.close()


NOT_REPLAYED = {
    "mbind-server-raw": "a FIN answers a peer's close that was not recorded; the unit tests have this conversation",
    "mbind-server-v2-bad-consumed": "here the peer is dropped when the relay's grace of 10 s is over, not at once",
    "mbind-server-v2-window": "where frames end depends on when the window's updates come",
}


@pytest.mark.parametrize("name", sorted({path.stem for path in RECORDINGS.glob("mbind-server-*.json")}
                                        - NOT_REPLAYED.keys()))
def test_server_recordings(gost, name):
    recording = recorded(name)
    program = gost(*shlex.split(recording["server_cmd"].replace("{PORT}", "0"))[1:])
    with contextlib.closing(ServerReplay(program.address)) as replay:
        for event in recording["events"]:
            replay.play(event)
        replay.compare()
