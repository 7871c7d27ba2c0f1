"""Chains of proxies: every kind of hop, failover, and what happens when one of them does not work."""
import contextlib
import socket
import subprocess

import pytest

from support import peers, upstreams, wire
from support.reasons import assert_reason, ends, join, last_line
from support.waiting import TIMEOUT

USER, PASSWORD = "alice", "secret"


@pytest.fixture(name="proxies", scope="module")
def upstream_proxies(shared_gost):
    """One program for each place in a chain; every one serves all three schemes."""
    def start():
        program = shared_gost("-L", "socks5://127.0.0.1:0", "-L", "socks4://127.0.0.1:0",
                              "-L", f"socks5://{USER}:{PASSWORD}@127.0.0.1:0", services=3)
        program.at = dict(zip(("socks5", "socks4", "protected"), program.listening))
        return program
    return [start() for _ in range(3)]


def node(proxy, scheme):
    """The -F value for a service of one of these."""
    if scheme == "protected":
        return f"socks5://{USER}:{PASSWORD}@{join(proxy.at['protected'])}"
    return f"{scheme}://{join(proxy.at['socks4' if scheme == 'socks4a' else scheme])}"


def through(gost, *nodes, service="socks5://127.0.0.1:0", **options):
    """A program with the chain of these -F values."""
    arguments = ["-L", service]
    for value in nodes:
        arguments += ["-F", value]
    return gost(*arguments, **options)


def ask(program, target):
    """(the reply to a CONNECT that fails, the ends of the connection)"""
    with contextlib.closing(wire.connect(program.address)) as sock:
        connection = ends(sock)
        sock.sendall(wire.GREETING)
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
        sock.sendall(wire.request5(*target[:2]))
        reply, _ = wire.read_reply5(sock)
        assert wire.read_to_end(sock) == b""
        return reply, connection


# --- one to three hops ---

CHAINS = [("socks5",), ("socks4",), ("protected",), ("socks4a",), ("socks5", "socks4"), ("socks4", "socks5"),
          ("protected", "socks5"), ("socks4", "socks4"), ("socks5", "socks5", "socks5"),
          ("socks4", "protected", "socks5"), ("socks5", "socks4a", "protected")]


@pytest.mark.parametrize("schemes", CHAINS, ids="-".join)
def test_every_hop_is_passed_in_order(gost, proxies, web, schemes):
    used = proxies[:len(schemes)]
    program = through(gost, *(node(proxy, scheme) for proxy, scheme in zip(used, schemes)))
    seen = [len(proxy.log_lines(" >< ")) for proxy in used]
    done = subprocess.run(["curl", "-sS", "--noproxy", "", "--socks5-hostname", join(program.address),
                           f"http://localhost:{web.port}/bytes/100000"], capture_output=True, timeout=60, check=False)
    assert done.stdout == peers.pattern(100000), done.stderr
    program.wait_for_log(" >< ")
    hosts = [proxy.wait_for_log(" >< ", count=before + 1)[-1]["host"] for proxy, before in zip(used, seen)]
    services = [proxy.at["socks4" if scheme == "socks4a" else scheme] for proxy, scheme in zip(used, schemes)]
    # Each is asked for the next one, the last one for the target, by the name that the client used.
    assert hosts == [*map(join, services[1:]), f"localhost:{web.port}"]


@pytest.mark.parametrize("schemes", [("socks5", "socks5"), ("socks4", "socks5", "socks4")], ids="-".join)
@pytest.mark.parametrize("proxy_type", ["socks4", "socks5"])
def test_ncat_through_a_chain(gost, proxies, echo, schemes, proxy_type):
    program = through(gost, *(node(proxy, scheme) for proxy, scheme in zip(proxies, schemes)),
                      service="auto://127.0.0.1:0")
    done = subprocess.run(["ncat", "--proxy-type", proxy_type, "--proxy", join(program.address), "127.0.0.1",
                           str(echo.port)], input=b"ping through ncat\n", capture_output=True, timeout=TIMEOUT,
                          check=False)
    assert done.stdout == b"ping through ncat\n", done.stderr


def test_the_log_names_the_first_proxy_as_destination(gost, proxies, echo):
    program = through(gost, node(proxies[0], "socks5"), node(proxies[1], "socks4"))
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        wire.assert_echo(sock)
        connection = ends(sock)
    last = last_line(program, connection)
    assert (last["dst"], last["host"]) == (join(proxies[0].at["socks5"]), join(echo.address))
    assert "err" not in last


@pytest.mark.parametrize("schemes", [("socks5", "socks5"), ("socks4", "socks5")], ids="-".join)
def test_a_half_close_travels_through(gost, proxies, target, schemes):
    program = through(gost, *(node(proxy, scheme) for proxy, scheme in zip(proxies, schemes)))
    with contextlib.closing(wire.tunnel5(program.address, target.address)) as sock:
        upstream = target.accept()
        sock.sendall(b"the whole question")
        sock.shutdown(socket.SHUT_WR)
        assert wire.read_to_end(upstream) == b"the whole question"
        upstream.sendall(b"the answer")
        upstream.close()
        assert wire.read_to_end(sock) == b"the answer"


def test_an_ipv6_target_through_two_hops(gost, proxies):
    program = through(gost, node(proxies[0], "socks5"), node(proxies[1], "socks5"))
    with contextlib.closing(peers.Answering("::1")) as echo:
        with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
            wire.assert_echo(sock)


def test_forty_tunnels_at_once_through_three_hops(gost, proxies, echo):
    program = through(gost, *(node(proxy, "socks5") for proxy in proxies))
    with contextlib.ExitStack() as stack:
        tunnels = [stack.enter_context(contextlib.closing(wire.tunnel5(program.address, echo.address)))
                   for _ in range(40)]
        for number, sock in enumerate(tunnels):
            wire.assert_echo(sock, b"tunnel %d" % number)


# --- a chain that does not work is an error, never a direct connection ---

def test_a_dead_hop_is_named_and_the_target_is_never_dialled(gost, echo, dead_port):
    program = through(gost, f"socks5://127.0.0.1:{dead_port}")
    reply, connection = ask(program, echo.address)
    assert reply == 5
    assert_reason(program, connection, f"hop-0/node-0 (127.0.0.1:{dead_port}): dial tcp 127.0.0.1:{dead_port}: "
                                       "connect: connection refused")
    assert echo.accepted == 0


@pytest.mark.parametrize("first", ["socks5", "socks4"])
def test_a_dead_middle_hop_is_named_with_the_reason_of_the_one_before(gost, proxies, echo, dead_port, first):
    program = through(gost, node(proxies[0], first), f"socks5://127.0.0.1:{dead_port}", node(proxies[1], "socks5"))
    reply, connection = ask(program, echo.address)
    assert reply == {"socks5": 5, "socks4": 1}[first]
    said = {"socks5": "socks5: connection refused (reply 05)",
            "socks4": "socks4: the proxy cannot reach the target (reply 5b)"}[first]
    assert_reason(program, connection, f"hop-1/node-0 (127.0.0.1:{dead_port}): not reached through "
                                       f"hop-0/node-0 ({join(proxies[0].at[first])}): {said}")
    assert echo.accepted == 0


def test_a_dead_target_behind_a_chain_blames_the_last_hop_and_marks_nobody(gost, proxies, echo, dead_port):
    program = through(gost, node(proxies[0], "socks5"), node(proxies[1], "socks5"))
    reply, connection = ask(program, ("127.0.0.1", dead_port))
    assert reply == 5
    assert_reason(program, connection, f"hop-1/node-0 ({join(proxies[1].at['socks5'])}): "
                                       "socks5: connection refused (reply 05)")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        wire.assert_echo(sock)


def test_wrong_credentials_for_a_hop(gost, proxies, echo):
    host = join(proxies[0].at["protected"])
    program = through(gost, f"socks5://{USER}:wrong@{host}")
    reply, connection = ask(program, echo.address)
    assert reply == 2
    last = last_line(program, connection)
    assert last["err"] == f"hop-0/node-0 ({host}): socks5: the proxy refused the user name or the password"
    assert echo.accepted == 0 and "wrong" not in program.stderr


def test_missing_credentials_for_a_hop(gost, proxies, echo):
    host = join(proxies[0].at["protected"])
    program = through(gost, f"socks5://{host}")
    _, connection = ask(program, echo.address)
    assert last_line(program, connection)["err"] == (
        f"hop-0/node-0 ({host}): socks5: the proxy wants authentication, and there are no credentials for it "
        "(method ff)")
    assert echo.accepted == 0


@pytest.fixture(name="bystander")
def tunnel_through_the_same_program(echo):
    """Begins and ends with an echo through `program`, which the test gives it."""
    with contextlib.ExitStack() as stack:
        started = []

        def begin(program):
            sock = stack.enter_context(contextlib.closing(wire.tunnel5(program.listening[1], echo.address)))
            wire.assert_echo(sock, b"before")
            started.append(sock)

        yield begin
        assert started
        for sock in started:
            wire.assert_echo(sock, b"after")


def beside_a_direct_service(gost, tmp_path, *upstream):
    """A program whose first service has these nodes as its hops (one each), and whose second one goes directly."""
    lines = ["services:",
             "- {name: chained, addr: '127.0.0.1:0', handler: {type: socks5, chain: out}, listener: {type: tcp}}",
             "- {name: direct, addr: '127.0.0.1:0', handler: {type: socks5}, listener: {type: tcp}}",
             "chains:", "- name: out", "  hops:"]
    for number, (scheme, address) in enumerate(upstream):
        lines += [f"  - name: hop-{number}", "    nodes:",
                  f"    - {{name: node-0, addr: '{join(address)}', connector: {{type: {scheme}}}, "
                  "dialer: {type: tcp}}"]
    file = tmp_path / "gost.yaml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return gost("-C", file, services=2)


CODES5 = {
    1: (1, "general failure (reply 01)"),
    2: (2, "not allowed by the proxy (reply 02)"),
    3: (3, "network unreachable (reply 03)"),
    4: (4, "host unreachable (reply 04)"),
    5: (5, "connection refused (reply 05)"),
    6: (6, "TTL expired (reply 06)"),
    7: (7, "command not supported (reply 07)"),
    8: (8, "address type not supported (reply 08)"),
    0x55: (1, "unknown failure (reply 55)"),
    0xFF: (1, "unknown failure (reply ff)"),
}


@pytest.mark.parametrize("code", CODES5)
def test_a_socks5_refusal_is_passed_on_with_its_reason(gost, tmp_path, echo, bystander, code):
    with contextlib.closing(upstreams.answering5(code)) as upstream:
        program = beside_a_direct_service(gost, tmp_path, ("socks5", upstream.address))
        bystander(program)
        reply, connection = ask(program, echo.address)
        assert reply == CODES5[code][0]
        assert_reason(program, connection, f"hop-0/node-0 ({join(upstream.address)}): socks5: {CODES5[code][1]}")
        assert upstream.accepted == 1


CODES4 = {
    0x5B: (1, "the proxy cannot reach the target (reply 5b)"),
    0x5C: (2, "not allowed by the proxy (reply 5c)"),
    0x5D: (2, "the proxy refused the user id (reply 5d)"),
}


@pytest.mark.parametrize("code", CODES4)
def test_a_socks4_refusal_is_passed_on_with_its_reason(gost, tmp_path, echo, bystander, code):
    with contextlib.closing(upstreams.answering4(code)) as upstream:
        program = beside_a_direct_service(gost, tmp_path, ("socks4", upstream.address))
        bystander(program)
        reply, connection = ask(program, echo.address)
        assert reply == CODES4[code][0]
        assert_reason(program, connection, f"hop-0/node-0 ({join(upstream.address)}): socks4: {CODES4[code][1]}")


@pytest.mark.parametrize("with_reset", [False, True], ids=["fin", "rst"])
def test_an_upstream_that_dies_between_handshake_bytes(gost, tmp_path, echo, bystander, with_reset):
    whole = len(upstreams.GREETING_ANSWER + upstreams.GRANTED5)
    with contextlib.ExitStack() as stack:
        for answered in range(whole):
            upstream = stack.enter_context(contextlib.closing(upstreams.dying5(answered, with_reset)))
            if answered == 0:
                program = beside_a_direct_service(gost, tmp_path, ("socks5", upstream.address))
                bystander(program)
            else:
                program = through(gost, f"socks5://{join(upstream.address)}")
            reply, connection = ask(program, echo.address)
            assert reply == 1
            reason = last_line(program, connection)["err"]
            assert reason.startswith(f"hop-0/node-0 ({join(upstream.address)}): socks5: "), (answered, reason)
    assert echo.accepted == 1  # the bystander


@pytest.mark.parametrize("data", [b"\x04\x00", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\x03", b"\x05\x80SSH-2.0-x\r\n",
                                  b"\x05\x00\x04\x00\x00\x01" + bytes(6), b"\x05\x00\x05\x00\x00\x00" + bytes(6),
                                  b"SSH-2.0-x\r\n" * 100], ids=lambda data: data[:8].hex())
def test_an_upstream_that_speaks_something_else(gost, tmp_path, echo, bystander, data):
    with contextlib.closing(upstreams.saying(data)) as upstream:
        program = beside_a_direct_service(gost, tmp_path, ("socks5", upstream.address))
        bystander(program)
        reply, connection = ask(program, echo.address)
        assert reply == 1
        reason = last_line(program, connection)["err"]
        assert reason.startswith(f"hop-0/node-0 ({join(upstream.address)}): socks5: "), reason


def test_an_upstream_that_never_answers(gost, echo):
    with contextlib.closing(upstreams.saying(b"")) as upstream:
        program = through(gost, f"socks5://{join(upstream.address)}?timeout=1s")
        reply, connection = ask(program, echo.address)
        assert reply == 6
        assert "timeout" in last_line(program, connection)["err"]


# --- failover ---

def broken(kind):
    return contextlib.closing({
        "refuses": upstreams.vanishing,  # closed below before anybody connects
        "vanishes": upstreams.vanishing,
        "dies in the greeting": lambda: upstreams.dying5(1),
        "wants a password": lambda: upstreams.saying(b"\x05\xff"),
        "is no proxy": lambda: upstreams.saying(b"220 mail.example ESMTP\r\n"),
    }[kind]())


@pytest.mark.parametrize("kind", ["refuses", "vanishes", "dies in the greeting", "wants a password", "is no proxy"])
def test_a_node_that_fails_is_replaced_within_the_request(gost, proxies, echo, dead_port, kind):
    with broken(kind) as first:
        address = ("127.0.0.1", dead_port) if kind == "refuses" else first.address
        good = proxies[0].at["socks5"]
        program = through(gost, f"socks5://{join(address)},{join(good)}?strategy=fifo")
        with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
            wire.assert_echo(sock)
        warning = program.wait_for_log("now trying", level="warn")[0]["msg"]
        assert warning.startswith(f"hop-0/node-0 ({join(address)}): ")
        assert warning.endswith(f"; now trying hop-0/node-1 ({join(good)})")
        # It is marked: the next request begins with the other one.
        with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
            wire.assert_echo(sock)
        assert len(program.log_lines("now trying")) == 1
        if kind != "refuses":
            assert first.accepted == 1


def test_a_middle_node_that_fails_is_replaced_too(gost, proxies, echo, dead_port):
    good = join(proxies[1].at["socks5"])
    program = through(gost, node(proxies[0], "socks5"), f"socks5://127.0.0.1:{dead_port},{good}?strategy=fifo",
                      node(proxies[2], "socks4"))
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        wire.assert_echo(sock)
    assert program.wait_for_log("now trying")[0]["msg"].startswith(f"hop-1/node-0 (127.0.0.1:{dead_port}): ")


def test_all_nodes_fail(gost, echo, dead_port):
    with contextlib.closing(upstreams.vanishing()) as second:
        program = through(gost, f"socks5://127.0.0.1:{dead_port},{join(second.address)}?strategy=fifo")
        _, connection = ask(program, echo.address)
        reason = last_line(program, connection)["err"]
        assert reason.startswith(f"hop-0/node-1 ({join(second.address)}): socks5: "), reason
        assert second.accepted == 1 and echo.accepted == 0


@pytest.mark.parametrize(("strategy", "expected"), [("round", {5, 5}), ("fifo", {10, 0})])
def test_strategies(gost, echo, strategy, expected):
    def granting(sock):
        upstreams.read_greeting5(sock)
        sock.sendall(upstreams.GREETING_ANSWER)
        upstreams.read_request5(sock)
        sock.sendall(upstreams.GRANTED5)
        wire.read_to_end(sock)
    with contextlib.closing(peers.Scripted(granting)) as first, contextlib.closing(peers.Scripted(granting)) as second:
        program = through(gost, f"socks5://{join(first.address)},{join(second.address)}?strategy={strategy}")
        for _ in range(10):
            wire.tunnel5(program.address, echo.address).close()
        assert {first.accepted, second.accepted} == expected


# --- bypass, hosts, files ---

def test_a_bypass_of_the_service_refuses(gost, proxies, echo):
    program = through(gost, node(proxies[0], "socks5"), service="socks5://127.0.0.1:0?bypass=127.0.0.0/8")
    reply, connection = ask(program, echo.address)
    assert reply == 2 and echo.accepted == 0
    assert_reason(program, connection, f"bypass: {join(echo.address)}")


def test_a_bypass_of_the_first_hop_goes_directly(gost, echo, dead_port):
    program = through(gost, f"socks5://127.0.0.1:{dead_port}?bypass=127.0.0.0/8")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        wire.assert_echo(sock)
    reply, _ = ask(program, ("localhost", echo.port))
    assert reply == 5  # a name is no address


def test_a_service_that_ignores_the_chain(gost, echo, dead_port):
    program = gost("-L", "socks5://127.0.0.1:0?ignoreChain=true", "-L", "socks5://127.0.0.1:0",
                   "-F", f"socks5://127.0.0.1:{dead_port}", services=2)
    with contextlib.closing(wire.tunnel5(program.listening[0], echo.address)) as sock:
        wire.assert_echo(sock)
    with contextlib.closing(wire.connect(program.listening[1])) as sock:
        sock.sendall(wire.GREETING + wire.request5(*echo.address))
        assert wire.read_to_end(sock)[3] == 5


def test_a_bypass_of_the_second_hop_ends_the_chain_at_the_first(gost, proxies, echo, dead_port):
    program = through(gost, node(proxies[0], "socks5"), f"socks5://127.0.0.1:{dead_port}?bypass=~10.0.0.0/8")
    seen = len(proxies[0].log_lines(" >< "))
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        wire.assert_echo(sock)
    assert proxies[0].wait_for_log(" >< ", count=seen + 1)[-1]["host"] == join(echo.address)


def test_hosts(gost, proxies, echo):
    direct = gost("-L", "socks5://127.0.0.1:0?hosts=target.example:127.0.0.1")
    chained = through(gost, node(proxies[0], "socks5"),
                      service="socks5://127.0.0.1:0?hosts=target.example:127.0.0.1")
    for program in (direct, chained):
        with contextlib.closing(wire.tunnel5(program.address, ("target.example", echo.port))) as sock:
            wire.assert_echo(sock)
            connection = ends(sock)
        assert last_line(program, connection)["host"] == f"target.example:{echo.port}"


NAMED = """
services:
- name: in
  addr: 127.0.0.1:0
  handler: {{type: socks5, chain: out}}
  listener: {{type: tcp}}
chains:
- name: out
  hops:
  - name: near
    nodes:
    - {{name: one, addr: '{near}', connector: {{type: socks5}}, dialer: {{type: tcp}}}}
  - name: far
hops:
- name: far
  selector: {{strategy: fifo, maxFails: 1, failTimeout: 30s}}
  nodes:
  - {{name: main, addr: '127.0.0.1:{dead}', connector: {{type: socks5}}, dialer: {{type: tcp}}}}
  - name: spare
    addr: '{far}'
    connector: {{type: socks5, auth: {{username: alice, password: secret}}}}
    dialer: {{type: tcp}}
    metadata: {{backup: true}}
"""


def test_named_hops_in_a_file(gost, tmp_path, proxies, echo, dead_port):
    file = tmp_path / "gost.yaml"
    file.write_text(NAMED.format(near=join(proxies[0].at["socks5"]), far=join(proxies[1].at["protected"]),
                                 dead=dead_port), encoding="utf-8")
    program = gost("-C", file)
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        wire.assert_echo(sock)
    warning = program.wait_for_log("now trying")[0]["msg"]
    assert warning.startswith(f"far/main (127.0.0.1:{dead_port}): not reached through near/one (")
    assert warning.endswith(f"now trying far/spare ({join(proxies[1].at['protected'])})")


# --- large and long ---

def test_a_large_download_through_three_hops(gost, proxies, web):
    program = through(gost, *(node(proxy, "socks5") for proxy in proxies))
    size = 30_000_000
    done = subprocess.run(["curl", "-sS", "--noproxy", "", "--socks5", join(program.address),
                           f"http://127.0.0.1:{web.port}/bytes/{size}"], capture_output=True, timeout=120, check=False)
    assert done.stdout == peers.pattern(size), done.stderr


def test_nothing_is_left_of_a_thousand_failed_requests(gost, dead_port, echo):
    program = through(gost, f"socks5://127.0.0.1:{dead_port}")
    ask(program, echo.address)
    descriptors = program.descriptors
    for _ in range(1000):
        ask(program, echo.address)
    program.wait_for_log(" >< ", count=1001)
    assert program.descriptors <= descriptors
