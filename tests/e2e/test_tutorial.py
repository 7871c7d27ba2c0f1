"""SOCKS in GOST's tutorial, plain and with TLS: each command and each file of examples/tutorial and examples/tls does what
it is there for."""
import contextlib
import re
import shlex

import pytest

from support import wire
from support.binding import Bind5, peer_of
from support.program import ROOT
from support.servers import free_port
from support.udp import Association, UdpAnswering, udp_socket

EXAMPLES = ROOT / "examples"


def commands_of(folder):
    text = (EXAMPLES / folder / "README.md").read_text("utf-8")
    return [block for block in re.findall(r"```bash\n(.*?)\n```", text, re.DOTALL) if block.startswith("gost ")]


COMMANDS = [command for command in commands_of("tutorial") if "5201" not in command and "notls" not in command]
# Those that work alone or with any other end; the rest are pairs.
BINDS = [text for text in COMMANDS if re.search(r"user\S*bind=true|/bind\.yaml", text)]
UDP_SERVERS = [text for text in COMMANDS if re.search(r"udp=true|/udp(-tun-server)?\.yaml", text)]
UDP_FORWARDS = [text for text in COMMANDS if re.search(r"udp://|/udp-\w+\.yaml", text)]
REMOTE_SERVERS = [text for text in COMMANDS if re.search(r"//:1080\?bind=true|/mbind\.yaml", text)]
REMOTE_CLIENTS = [text for text in COMMANDS if re.search(r"rtcp://|/mbind-client\.yaml", text)]
TUNNEL_SERVERS = [text for text in UDP_SERVERS if not re.search(r"udpBufferSize|/udp\.yaml", text)]
TUNNEL_FORWARDS = [text for text in UDP_FORWARDS if re.search(r":10053|/udp-tun\.yaml", text)]
WITHOUT_TLS = [command for command in commands_of("tls") if re.search(r"://user|/notls", command)]
TLS_SERVERS = [command for command in commands_of("tls") if re.search(r"-L \S*:8443|/socks", command)]
TLS_CLIENTS = [command for command in commands_of("tls") if re.search(r"-F \S*:8443|/client", command)]
WS_SERVERS = [command for command in commands_of("ws") if re.search(r"-L \S*:8080|/(socks|wss)", command)]
WS_CLIENTS = [command for command in commands_of("ws") if re.search(r"-F \S*:8080|/client", command)]

KCP_SERVERS = [command for command in commands_of("kcp") if re.search(r"-L \S*:8080|/(socks|server)", command)]
KCP_CLIENTS = [command for command in commands_of("kcp") if re.search(r"-F \S*:8080|/client", command)]


def start(gost, command, replacements):
    """As typed in examples/, with the ports of the tutorial replaced: some of them need rights, all may be in use."""
    def replaced(text):
        for port, address in replacements.items():
            text = re.sub(rf"(?<![\w.]):{port}\b", address, text)
        return text

    words = shlex.split(command)[1:]
    if words[0] == "-C":
        return gost("-C", "-", stdin=replaced((EXAMPLES / words[1]).read_text("utf-8")), cwd=EXAMPLES)
    return gost(*map(replaced, words), cwd=EXAMPLES)


@pytest.fixture(name="udp_echo")
def echo_of_datagrams():
    with contextlib.closing(UdpAnswering()) as server:
        yield server


@pytest.mark.parametrize("command", BINDS)
def test_bind(gost, command):
    program = start(gost, command, {1080: "127.0.0.1:0"})
    with contextlib.closing(Bind5(program.address, user="user", password="pass")) as bind:
        with contextlib.closing(peer_of(bind.bound)) as peer:
            bind.second_reply()
            peer.sendall(b"from the peer")
            assert wire.read_exactly(bind.sock, 13) == b"from the peer"


@pytest.mark.parametrize("command", UDP_SERVERS)
def test_a_server_for_datagrams(gost, udp_echo, command):
    program = start(gost, command, {1080: "127.0.0.1:0"})
    with contextlib.closing(Association(program.address)) as client:
        client.assert_echo(udp_echo.address, b"datagram")


@pytest.mark.parametrize("command", UDP_FORWARDS)
def test_a_forward_of_datagrams(gost, udp_echo, command):
    proxy = gost("-L", "socks5://127.0.0.1:0?udp=true")
    program = start(gost, command, {1080: f"127.0.0.1:{proxy.port}", 53: f"127.0.0.1:{udp_echo.port}",
                                    1053: "127.0.0.1:0", 10053: "127.0.0.1:0"})
    with contextlib.closing(udp_socket()) as sock:
        sock.sendto(b"query", ("127.0.0.1", program.port))
        assert sock.recv(100) == b"query"
    proxy.wait_for_log(" <-> ")


@pytest.mark.parametrize(("server", "client"), zip(REMOTE_SERVERS, REMOTE_CLIENTS))
def test_a_port_of_the_server(gost, echo, server, client):
    proxy = start(gost, server, {1080: "127.0.0.1:0"})
    port = free_port()
    program = start(gost, client, {1080: f"127.0.0.1:{proxy.port}", 2222: f"127.0.0.1:{port}",
                                   22: f"127.0.0.1:{echo.port}"})
    program.wait_for_log(" OK: ", kind="listener")
    assert proxy.listens_at(port)
    with contextlib.closing(wire.connect(("127.0.0.1", port))) as sock:
        wire.assert_echo(sock)


@pytest.mark.parametrize(("server", "forward"), zip(TUNNEL_SERVERS, TUNNEL_FORWARDS))
def test_datagrams_in_the_connection(gost, udp_echo, server, forward):
    proxy = start(gost, server, {1080: "127.0.0.1:0"})
    program = start(gost, forward, {1080: f"127.0.0.1:{proxy.port}", 53: f"127.0.0.1:{udp_echo.port}",
                                    10053: "127.0.0.1:0"})
    with contextlib.closing(udp_socket()) as sock:
        sock.sendto(b"query", ("127.0.0.1", program.port))
        assert sock.recv(100) == b"query"
    assert "standard UDP relay" not in program.stderr


@pytest.mark.parametrize("command", WITHOUT_TLS)
def test_negotiation_that_is_turned_off(gost, command):
    program = start(gost, command, {1080: "127.0.0.1:0"})
    with contextlib.closing(wire.connect(program.address)) as sock:
        sock.sendall(b"\x05\x04\x00\x02\x80\x82")
        assert wire.read_exactly(sock, 2) == b"\x05\x02"


def tunnel_to(server, start_client, echo):
    client = start_client(f"127.0.0.1:{server.port}")
    with contextlib.closing(wire.tunnel5(client.address, echo.address)) as sock:
        wire.assert_echo(sock)
    expected = re.compile("is not verified|this link is not secret")
    assert [line for line in client.log_lines(level="warn") if not expected.search(line["msg"])] == []


@pytest.mark.parametrize("command", TLS_SERVERS)
def test_socks_over_tls(gost, echo, command):
    version = re.search(r"socks\d", command)[0]
    tunnel_to(start(gost, command, {8443: "127.0.0.1:0"}),
              lambda server: gost("-L", "socks5://127.0.0.1:0", "-F", f"{version}+tls://{server}"), echo)


@pytest.mark.parametrize("command", TLS_CLIENTS)
def test_a_client_of_socks_over_tls(gost, echo, command):
    tunnel_to(gost("-L", "socks5+tls://127.0.0.1:0?notls=true"),
              lambda server: start(gost, command, {1080: "127.0.0.1:0", 8443: server}), echo)


@pytest.mark.parametrize("command", WS_SERVERS)
def test_socks_over_websocket(gost, echo, command):
    version = "socks4" if "socks4" in command else "socks5"
    named = re.search(r"\+(\w+):|/(wss)", command)
    transport = (named[1] or named[2]) if named else "ws"
    options = "?notls=true" if version == "socks5" else ""
    tunnel_to(start(gost, command, {8080: "127.0.0.1:0"}),
              lambda server: gost("-L", "socks5://127.0.0.1:0", "-F", f"{version}+{transport}://{server}{options}"), echo)


@pytest.mark.parametrize("command", WS_CLIENTS)
def test_a_client_of_socks_over_websocket(gost, echo, command):
    tunnel_to(gost("-L", f"socks5+{'mws' if 'mws' in command else 'ws'}://127.0.0.1:0"),
              lambda server: start(gost, command, {1080: "127.0.0.1:0", 8080: server}), echo)


def kcp_options(command):
    """What a command with a key of its own needs at the other end."""
    return "?kcp.key=change+me&notls=true" if "key" in command else ""


@pytest.mark.parametrize("command", KCP_SERVERS)
def test_socks_over_kcp(gost, echo, command):
    version = "socks4" if "socks4" in command else "socks5"
    tunnel_to(start(gost, command, {8080: "127.0.0.1:0"}), lambda server: gost(
        "-L", "socks5://127.0.0.1:0", "-F", f"{version}+kcp://{server}{kcp_options(command)}"), echo)


@pytest.mark.parametrize("command", KCP_CLIENTS)
def test_a_client_of_socks_over_kcp(gost, echo, command):
    tunnel_to(gost("-L", f"socks5+kcp://127.0.0.1:0{kcp_options(command)}"),
              lambda server: start(gost, command, {1080: "127.0.0.1:0", 8080: server}), echo)


def test_every_command_was_run():
    assert sorted(KCP_SERVERS + KCP_CLIENTS) == sorted(commands_of("kcp"))
    assert set(re.findall(r"-C (\S+)", " ".join(commands_of("kcp")))) == {
        f"kcp/{path.name}" for path in (EXAMPLES / "kcp").glob("*.yaml")}
    assert sorted(BINDS + UDP_SERVERS + UDP_FORWARDS + REMOTE_SERVERS + REMOTE_CLIENTS) == sorted(COMMANDS)
    pairs = (REMOTE_SERVERS, REMOTE_CLIENTS, TUNNEL_SERVERS, TUNNEL_FORWARDS)
    assert len(COMMANDS) == 14 and [len(commands) for commands in pairs] == [2, 2, 2, 2]
    assert set(re.findall(r"-C (\S+)", " ".join(COMMANDS))) == {
        f"tutorial/{path.name}" for path in (EXAMPLES / "tutorial").glob("*.yaml")}
    assert sorted(WS_SERVERS + WS_CLIENTS) == sorted(commands_of("ws"))
    assert set(re.findall(r"-C (\S+)", " ".join(commands_of("ws")))) == {
        f"ws/{path.name}" for path in (EXAMPLES / "ws").glob("*.yaml")}
    assert sorted(WITHOUT_TLS + TLS_SERVERS + TLS_CLIENTS) == sorted(commands_of("tls"))
    assert set(re.findall(r"-C (\S+)", " ".join(commands_of("tls")))) == {
        f"tls/{path.name}" for path in (EXAMPLES / "tls").glob("*.yaml")}
