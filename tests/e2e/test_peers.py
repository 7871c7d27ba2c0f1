"""Other people's programs: dante, v2ray and microsocks in front of us and behind us, dante's socksify as a client."""
import contextlib
import os
import re
import subprocess

import pytest

from support import peers, servers, wire
from support.binding import peer_of
from support.ftp import FtpServer
from support.reasons import ends, join, last_line
from support.udp import Association, UdpAnswering, udp_socket
from support.waiting import TIMEOUT, wait_until


@pytest.fixture(name="directory", scope="module")
def directory_for_all(tmp_path_factory):
    return tmp_path_factory.mktemp("peers")


@pytest.fixture(name="blocked", scope="module")
def target_that_dante_forbids():
    with contextlib.closing(peers.Answering()) as target:
        yield target


@pytest.fixture(name="dante", scope="module")
def dante_server(directory, blocked):
    with contextlib.closing(servers.danted(directory, blocked=[blocked.port])) as server:
        yield server


@pytest.fixture(name="v2ray", scope="module")
def v2ray_server(directory):
    with contextlib.closing(servers.v2ray(directory)) as server:
        yield server


@pytest.fixture(name="protected_v2ray", scope="module")
def v2ray_server_with_a_user(directory):
    with contextlib.closing(servers.v2ray(directory, "alice", "secret")) as server:
        yield server


@pytest.fixture(name="microsocks", scope="module")
def microsocks_server(directory):
    with contextlib.closing(servers.microsocks(directory)) as server:
        yield server


@pytest.fixture(name="protected_microsocks", scope="module")
def microsocks_server_with_a_user(directory):
    with contextlib.closing(servers.microsocks(directory, "alice", "secret")) as server:
        yield server


@pytest.fixture(name="udp_echo")
def echoing_target():
    with contextlib.closing(UdpAnswering()) as target:
        yield target


# --- as upstreams: CONNECT ---

UPSTREAMS = ["dante", "v2ray", "microsocks", "protected_v2ray", "protected_microsocks"]


def node(request, name, options=""):
    login = "alice:secret@" if name.startswith("protected") else ""
    return f"socks5://{login}{join(request.getfixturevalue(name).address)}{options}"


@pytest.mark.parametrize("name", UPSTREAMS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_connect_through(gost, request, echo, name, host):
    program = gost("-L", "socks5://127.0.0.1:0", "-F", node(request, name))
    with contextlib.closing(wire.tunnel5(program.address, (host, echo.port))) as sock:
        wire.assert_echo(sock, b"ping")
        wire.assert_echo(sock, peers.pattern(300_000))


@pytest.mark.parametrize("names", [("dante", "v2ray"), ("v2ray", "microsocks"), ("microsocks", "dante", "protected_v2ray")],
                         ids="-".join)
def test_a_chain_of_other_peoples_servers(gost, request, web, names):
    arguments = [argument for name in names for argument in ("-F", node(request, name))]
    program = gost("-L", "auto://127.0.0.1:0", *arguments)
    for proxy in ("--socks5-hostname", "--socks4a"):
        done = subprocess.run(["curl", "-sS", "--noproxy", "", proxy, join(program.address),
                               f"http://127.0.0.1:{web.port}/bytes/1000000"], capture_output=True, timeout=60, check=False)
        assert done.stdout == peers.pattern(1_000_000), done.stderr


def test_socks4_through_dante(gost, dante, echo):
    program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks4://{join(dante.address)}?disable4a=true")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        wire.assert_echo(sock)


def refused(program, target):
    with contextlib.closing(wire.connect(program.address)) as sock:
        connection = ends(sock)
        sock.sendall(wire.GREETING)
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
        sock.sendall(wire.request5(*target[:2]))
        reply, _ = wire.read_reply5(sock)
        assert wire.read_to_end(sock) == b""
    return reply, last_line(program, connection)["err"]


def test_dante_refuses_what_its_rules_forbid(gost, dante, blocked):
    program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5://{join(dante.address)}")
    reply, reason = refused(program, blocked.address)
    assert (reply, reason) == (2, f"hop-0/node-0 ({join(dante.address)}): socks5: not allowed by the proxy (reply 02)")
    assert blocked.accepted == 0


@pytest.mark.parametrize("name", ["dante", "microsocks"])
def test_a_target_that_refuses_behind(gost, request, dead_port, name):
    program = gost("-L", "socks5://127.0.0.1:0", "-F", node(request, name))
    reply, reason = refused(program, ("127.0.0.1", dead_port))
    assert reply == 5 and reason.endswith("socks5: connection refused (reply 05)")


@pytest.mark.parametrize("name", ["protected_v2ray", "protected_microsocks"])
def test_wrong_credentials(gost, request, echo, name):
    address = join(request.getfixturevalue(name).address)
    for login, said in (("alice:wrong@", "refused"), ("", "authentication")):
        program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5://{login}{address}")
        reply, reason = refused(program, echo.address)
        assert reply in (1, 2) and reason.startswith(f"hop-0/node-0 ({address}): socks5: "), reason
        assert said in reason or "closed" in reason or "EOF" in reason, reason
    assert echo.accepted == 0


# --- as upstreams: UDP ---

def ask(port, payload):
    with contextlib.closing(udp_socket()) as sock:
        sock.sendto(payload, ("127.0.0.1", port))
        return sock.recv(65536)


@pytest.mark.parametrize("name", ["dante", "v2ray", "protected_v2ray"])
def test_a_udp_forward_through(gost, request, udp_echo, name):
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}",
                   "-F", node(request, name, "?relay=udp&udpBufferSize=65535"))
    for payload in (b"one", b"x" * 1400, b"three"):
        assert ask(program.port, payload) == payload


@pytest.mark.parametrize("name", ["dante", "v2ray"])
def test_a_server_without_udp_tun_is_asked_for_its_standard_relay_once(gost, request, udp_echo, name):
    """dante hangs up, which says no the third time."""
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}", "-F", node(request, name))
    for number in range(4):
        assert ask(program.port, b"%d" % number) == b"%d" % number
    said = [line["msg"] for line in program.wait_for_log("has no UDP over TCP")]
    assert len(said) == 1 and said[0].startswith(f"the proxy {join(request.getfixturevalue(name).address)} "), said


def test_microsocks_has_no_udp_at_all(gost, microsocks, udp_echo):
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_echo.address)}?ttl=300ms", "-F", f"socks5://{join(microsocks.address)}")
    with contextlib.closing(udp_socket()) as sock:
        sock.sendto(b"x", ("127.0.0.1", program.port))
        reason = program.wait_for_log(" >< ")[0]["err"]
    assert reason.startswith(f"hop-0/node-0 ({join(microsocks.address)}): socks5: ") and "reply 07" in reason
    assert udp_echo.received == []


@pytest.mark.parametrize("name", ["dante", "v2ray"])
def test_associate_through(gost, request, udp_echo, name):
    program = gost("-L", "socks5://127.0.0.1:0?udp=true", "-F", node(request, name, "?relay=udp"))
    with contextlib.closing(Association(program.address)) as client:
        for number in range(5):
            client.assert_echo(udp_echo.address, b"%d" % number)


# --- in front of us ---

def test_v2ray_as_our_client(gost, directory, echo):
    # It names the target where RFC 1928 wants the client's own port: with a target at the client's own address that
    # would be taken for it.
    program = gost("-L", "socks5://alice:secret@127.0.0.1:0?udp=true")
    with contextlib.closing(servers.v2ray_client(directory, program.address, "alice", "secret")) as front:
        with contextlib.closing(wire.tunnel5(front.address, echo.address)) as sock:
            wire.assert_echo(sock, peers.pattern(100_000))
        with contextlib.closing(UdpAnswering("127.0.0.2")) as target, \
                contextlib.closing(Association(front.address)) as client:
            for number in range(5):
                client.assert_echo(target.address, b"%d" % number)
    program.wait_for_log(" >< ", cmd="connect")
    last = program.wait_for_log(" >< ", cmd="udp")[0]
    assert last["user"] == "alice" and last["inputDatagrams"] == 5


# --- dante's socksify as our client ---

@pytest.fixture(name="socksified")
def started_under_socksify(gost, tmp_path):
    """socksified(*command) starts a command whose sockets use our server: (the process, our program)."""
    program = gost("-L", "socks5://127.0.0.1:0?bind=true&udp=true")
    environment = {**os.environ, **servers.socksify_environment(tmp_path, program.address)}
    started = []

    def start(*command):
        started.append(subprocess.Popen(["socksify", *command], env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return started[-1], program

    yield start
    for process in started:
        process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
        process.wait(TIMEOUT)


def test_socksify_connects(socksified, echo):
    process, program = socksified("ncat", "127.0.0.1", str(echo.port))
    output, errors = process.communicate(b"ping\n", timeout=TIMEOUT)
    assert output == b"ping\n", errors
    assert program.wait_for_log(" >< ", cmd="connect")[0]["host"] == join(echo.address)


def test_socksify_binds(socksified):
    process, program = socksified("socat", "-d", "-d", "-", "TCP4-LISTEN:0")
    listening = next(match for line in process.stderr if (match := re.search(rb"listening on AF=2 ([\d.]+):(\d+)", line)))
    with contextlib.closing(peer_of((listening[1].decode(), int(listening[2])))) as peer:
        peer.sendall(b"from the peer")
        assert process.stdout.read(13) == b"from the peer"
        process.stdin.write(b"from the client")
        process.stdin.close()
        assert wire.read_exactly(peer, 15) == b"from the client"
    last = program.wait_for_log(" >< ", cmd="bind")[0]
    assert (last["inputBytes"], last["outputBytes"]) == (15, 13)


def test_active_ftp_with_curl(socksified):
    """curl lets the server connect to it: to the address that our BIND announced."""
    file = peers.pattern(500_000)
    with contextlib.closing(FtpServer(file)) as server:
        process, program = socksified("curl", "-sS", "--noproxy", "*", "-P", "-", f"ftp://127.0.0.1:{server.port}/file")
        output, errors = process.communicate(timeout=60)
        assert output == file, errors
        assert len(server.connected_to) == 1
    # It asks for an IPv6 address first, which fails and is another BIND.
    wait_until(lambda: any(line["inputBytes"] + line["outputBytes"] == len(file)
                           for line in program.log_lines(" >< ", cmd="bind")), lambda: program.stderr)


def test_socksify_associates(socksified, udp_echo):
    process, program = socksified("socat", "-T", "1", "-", f"UDP4-SENDTO:{join(udp_echo.address)}")
    process.stdin.write(b"ping")
    process.stdin.flush()
    assert process.stdout.read(4) == b"ping"
    process.communicate(timeout=TIMEOUT)
    last = program.wait_for_log(" >< ", cmd="udp")[0]
    assert last.items() >= {"inputDatagrams": 1, "outputDatagrams": 1}.items()


# --- a real name server ---

@pytest.fixture(name="names", scope="module")
def name_server(directory):
    with contextlib.closing(servers.dnsmasq(directory, www_example="10.0.0.7", target_example="127.0.0.1")) as server:
        yield server


def query(number, name):
    labels = b"".join(bytes([len(label)]) + label for label in name.encode().split(b"."))
    return number.to_bytes(2, "big") + b"\x01\x00\x00\x01" + bytes(6) + labels + b"\0\x00\x01\x00\x01"


@pytest.mark.parametrize("options", ["", "?relay=udp"], ids=["udp-tun", "associate"])
def test_a_name_server_behind_both_kinds_of_udp(gost, names, options):
    proxy = gost("-L", "socks5://127.0.0.1:0?udp=true")
    program = gost("-L", f"udp://127.0.0.1:0/{join(names.address)}", "-F", f"socks5://{join(proxy.address)}{options}")
    for number in range(20):
        got = ask(program.port, query(number, "www.example"))
        assert got[:2] == number.to_bytes(2, "big") and got.endswith(bytes([10, 0, 0, 7]))


@pytest.mark.parametrize("scheme", ["", "udp://", "tcp://"])
def test_a_service_that_asks_a_name_server(gost, names, echo, scheme):
    program = gost("-L", f"socks5://127.0.0.1:0?resolver={scheme}{join(names.address)}")
    with contextlib.closing(wire.tunnel5(program.address, ("target.example", echo.port))) as sock:
        wire.assert_echo(sock)
    with contextlib.closing(wire.connect(program.address)) as sock:
        sock.sendall(wire.GREETING + wire.request5("nosuch.example", echo.port))
        assert wire.read_to_end(sock)[2:4] == b"\x05\x04"
