"""WebSocket below SOCKS and forwards: ws, wss, mws, mwss, with every kind of peer."""
import asyncio
import contextlib
import json
import socket
import subprocess
import time

import pytest
import websockets

from support import peers, tls, websocket, wire
from support.program import run_gost
from support.reasons import ends, join, last_line
from support.servers import Server, free_port
from support.tls import Authority
from support.waiting import TIMEOUT
from support.ws_servers import SERVERS, Program

# name: (server, connector, dialer, options of the dialer, user)
CLIENTS = {
    "socks5+ws": ("socks5+ws", "socks5", "ws", {}),
    "socks4+ws": ("socks4+ws", "socks4", "ws", {}),
    "socks4 to auto+ws": ("auto+ws", "socks4", "ws", {}),
    "socks5 to ws": ("ws", "socks5", "ws", {}),
    "path and host": ("path", "socks5", "ws", {"path": "/tunnel", "host": "front.example"}),
    "small frames": ("socks5+ws", "socks5", "ws", {"writeBufferSize": 100}),
    "compressed": ("compressing", "socks5", "ws", {"enableCompression": True}),
    "compression refused": ("socks5+ws", "socks5", "ws", {"enableCompression": True}),
    "keepalive": ("socks5+ws", "socks5", "ws", {"keepalive": True, "ttl": "300ms"}),
    "headers": ("socks5+ws", "socks5", "ws", {"header": {"X-Token": "secret", "Host": "other.example"}}),
    "socks5+wss": ("socks5+wss", "socks5", "wss", {}),
    "socks4+wss": ("socks4+wss", "socks4", "wss", {}),
    "socks5 to wss": ("wss", "socks5", "wss", {}),
    "socks5+mws": ("socks5+mws", "socks5", "mws", {}),
    "socks5+mwss": ("socks5+mwss", "socks5", "mwss", {}),
}


@pytest.fixture(name="servers", scope="module")
def one_program_for_all_servers(shared_gost):
    return Program(shared_gost, SERVERS)


def node(name, address, connector, dialer, options):
    return {"name": name, "addr": join(address), "connector": {"type": connector, "metadata": {"notls": True}}
            if connector == "socks5" else {"type": connector}, "dialer": {"type": dialer, "metadata": options}}


@pytest.fixture(name="clients", scope="module")
def one_program_for_all_clients(shared_gost, servers):
    services, chains = [], []
    for name, (server, connector, dialer, options) in CLIENTS.items():
        services.append({"name": name, "addr": "127.0.0.1:0", "handler": {"type": "auto", "chain": name},
                         "listener": {"type": "tcp"}})
        chains.append({"name": name, "hops": [{"name": name, "nodes": [
            node(name, servers[server], connector, dialer, options)]}]})
    program = shared_gost("-C", json.dumps({"services": services, "chains": chains}), services=len(CLIENTS))
    return dict(zip(CLIENTS, program.listening))


@pytest.fixture(name="certificate", scope="module")
def one_certificate(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates")).sign("front")


def curl(*arguments):
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "30", "--noproxy", "", *arguments],
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


# --- our two ends ---

@pytest.mark.parametrize("name", CLIENTS)
def test_curl_through_both_ends(clients, web, name):
    proxy = f"socks5h://{join(clients[name])}"
    assert curl("--proxy", proxy, f"http://127.0.0.1:{web.port}/") == b"hello"
    size = 3_000_000
    assert curl("--proxy", proxy, f"http://127.0.0.1:{web.port}/bytes/{size}") == peers.pattern(size)


@pytest.mark.parametrize("name", ["socks5+ws", "compressed", "socks5+wss", "socks5+mws"])
def test_many_bytes_both_ways_at_once(clients, echo, name):
    with contextlib.closing(wire.tunnel5(clients[name], echo.address)) as sock:
        data = peers.pattern(4_000_000)
        got = bytearray()
        sock.setblocking(False)
        sent = 0
        deadline = time.monotonic() + 60
        while len(got) < len(data):
            assert time.monotonic() < deadline
            with contextlib.suppress(BlockingIOError):
                sent += sock.send(data[sent:sent + 100_000])
            with contextlib.suppress(BlockingIOError):
                got += sock.recv(1 << 18)
        assert bytes(got) == data


def test_a_half_close_is_passed_on(clients, target):
    with contextlib.closing(wire.tunnel5(clients["socks5+ws"], target.address)) as sock:
        sock.sendall(b"question")
        sock.shutdown(socket.SHUT_WR)
        far = target.accept()
        assert wire.read_to_end(far) == b"question"
        far.sendall(b"answer")
        far.close()
        assert wire.read_to_end(sock) == b"answer"


def test_forwards_over_websocket(gost, servers, echo):
    """A forward through a proxy over ws, and a forward whose own listener is ws or wss."""
    through = gost("-L", f"tcp://127.0.0.1:0/{join(echo.address)}", "-F",
                   f"socks5+ws://{join(servers['socks5+ws'])}?notls=true")
    with contextlib.closing(wire.connect(through.address)) as sock:
        wire.assert_echo(sock)
    for transport in ("ws", "wss"):
        far = gost("-L", f"tcp+{transport}://127.0.0.1:0/{join(echo.address)}")
        near = gost("-L", "tcp://127.0.0.1:0/192.0.2.1:9", "-F", f"forward+{transport}://{join(far.address)}")
        with contextlib.closing(wire.connect(near.address)) as sock:
            wire.assert_echo(sock, peers.pattern(300_000))


def test_chains(gost, servers, echo):
    chain = gost("-L", "socks5://127.0.0.1:0?notls=true", "-F", f"socks5+ws://{join(servers['socks5+ws'])}?notls=true",
                 "-F", f"socks5+wss://{join(servers['socks5+wss'])}?notls=true",
                 "-F", f"socks4+ws://{join(servers['socks4+ws'])}")
    with contextlib.closing(wire.tunnel5(chain.address, echo.address)) as sock:
        wire.assert_echo(sock, peers.pattern(200_000))


def test_the_log_says_what_carries_a_connection_and_what_the_server_answered(gost, servers):
    wrong = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+ws://{join(servers['path'])}?path=/wrong")
    sock = wire.connect(wrong.address)
    connection = ends(sock)
    with contextlib.closing(sock):
        sock.sendall(wire.GREETING + wire.request5("127.0.0.1", 9))
        wire.read_to_end(sock)
    assert "websocket: the server answered 404 Not Found to GET /wrong; is the path right" in \
        last_line(wrong, connection)["err"]


# --- somebody else's ends ---

class Messages:
    """A websockets connection as a stream with the methods of asyncio's."""

    def __init__(self, connection):
        self._connection = connection
        self._data = b""

    async def readexactly(self, count):
        while len(self._data) < count:
            message = await self._connection.recv()
            self._data += message
        data, self._data = self._data[:count], self._data[count:]
        return data


async def socks5_over(connection, target, payload):
    stream = Messages(connection)
    await connection.send(wire.GREETING)
    assert await stream.readexactly(2) == b"\x05\x00"
    await connection.send(wire.request5(*target))
    assert (await stream.readexactly(10))[1] == 0
    await connection.send(payload)
    assert await stream.readexactly(len(payload)) == payload
    await asyncio.wait_for(await connection.ping(), TIMEOUT)


@pytest.mark.parametrize("name", ["socks5+ws", "compressing", "socks5+wss"])
def test_pythons_client(servers, echo, name):
    scheme = "wss" if name.endswith("wss") else "ws"

    async def talk():
        context = tls.client_context() if scheme == "wss" else None
        async with websockets.connect(f"{scheme}://{join(servers[name])}/ws", ssl=context, max_size=None) as connection:
            assert bool(connection.extensions) == (name == "compressing")
            await socks5_over(connection, echo.address, peers.pattern(500_000))
            await connection.close(1000, "bye")
            assert connection.close_code == 1000

    asyncio.run(asyncio.wait_for(talk(), 60))


@pytest.mark.parametrize("compression", ["deflate", None])
def test_pythons_server(gost, echo, compression):
    """The server is a SOCKS5 server that knows one target."""
    async def serve(connection):
        stream = Messages(connection)
        await stream.readexactly(3)
        await connection.send(b"\x05\x00")
        await stream.readexactly(10)
        await connection.send(b"\x05\x00\x00\x01" + bytes(6))
        async for message in connection:
            await connection.send(message)

    async def talk():
        async with websockets.serve(serve, "127.0.0.1", 0, compression=compression, max_size=None) as server:
            port = server.sockets[0].getsockname()[1]
            program = await asyncio.to_thread(
                gost, "-L", "socks5://127.0.0.1:0?notls=true",
                "-F", f"socks5+ws://127.0.0.1:{port}?path=/any&notls=true&enableCompression=true")
            await asyncio.to_thread(through, program)

    def through(program):
        with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
            wire.assert_echo(sock, peers.pattern(500_000))

    asyncio.run(asyncio.wait_for(talk(), 60))


class GoPeer:
    """tests/interop/ws_peer, running."""

    def __init__(self, binary, *arguments):
        self.process = subprocess.Popen([binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        host, port = self.process.stdout.readline().decode().split(":")
        self.address = (host, int(port))

    def close(self):
        with self.process:
            self.process.terminate()


@pytest.mark.parametrize(("name", "options"), [
    ("socks5+ws", ["-buffer", "100"]), ("socks5+ws", ["-buffer", "40000"]), ("compressing", ["-compress"]),
    ("socks5+wss", [])])
def test_gorillas_client(go_peer, servers, echo, name, options):
    scheme = "wss" if name.endswith("wss") else "ws"
    peer = GoPeer(go_peer("ws_peer"), "-role", "client", "-url", f"{scheme}://{join(servers[name])}/ws", *options)
    with contextlib.closing(peer), contextlib.closing(wire.tunnel5(peer.address, echo.address)) as sock:
        wire.assert_echo(sock)
        wire.assert_echo(sock, peers.pattern(500_000))


@pytest.mark.parametrize("options", [[], ["-compress"]])
def test_gorillas_server(go_peer, gost, socks5, echo, options):
    peer = GoPeer(go_peer("ws_peer"), "-role", "server", "-target", join(socks5.address), *options)
    with contextlib.closing(peer):
        program = gost("-L", "socks5://127.0.0.1:0?notls=true", "-F",
                       f"socks5+ws://{join(peer.address)}?notls=true&enableCompression=true")
        with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
            wire.assert_echo(sock)
            wire.assert_echo(sock, peers.pattern(500_000))


NGINX = """\
daemon off;
master_process off;
error_log stderr;
pid {directory}/nginx.pid;
events {{ worker_connections 100; }}
http {{
  access_log off;
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate.cert};
    ssl_certificate_key {certificate.key};
    location /ws {{
      proxy_pass http://{backend};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }}
  }}
}}
"""


@pytest.fixture(name="nginx", scope="module")
def nginx_in_front(tmp_path_factory, servers, certificate):
    directory = tmp_path_factory.mktemp("nginx")
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(NGINX.format(directory=directory, port=port, certificate=certificate,
                                   backend=join(servers["trusting"])), encoding="ascii")
    with contextlib.closing(Server(["nginx", "-e", "stderr", "-c", str(config)], port, directory / "nginx.out")) as server:
        yield server


def test_behind_nginx_with_tls(gost, servers, nginx, echo):
    """The usual deployment: our wss dialer, nginx with the certificate, our ws listener."""
    client = gost("-L", "socks5://127.0.0.1:0?notls=true", "-F",
                  f"socks5+wss://127.0.0.1:{nginx.port}?notls=true&keepalive=true&ttl=200ms")
    with contextlib.closing(wire.tunnel5(client.address, echo.address)) as sock:
        wire.assert_echo(sock)
        wire.assert_echo(sock, peers.pattern(2_000_000))
    servers.program.wait_for_log(" >< ", client="127.0.0.1:0")
    # nginx says from where its client came; through it a client cannot say that it is somebody else.
    sock = socket.create_connection(nginx.address, TIMEOUT, ("127.0.0.5", 0))
    with contextlib.closing(websocket.over(tls.wrapped(sock), extra="X-Forwarded-For: 203.0.113.66\r\n")) as end:
        websocket.tunnel5(end, echo.address)
        wire.assert_echo(end)
    servers.program.wait_for_log(" >< ", client="127.0.0.5:0")
    assert "203.0.113.66" not in servers.program.stderr


# --- who the client is ---

@pytest.mark.parametrize(("name", "field", "client"), [
    ("trusting", "X-Forwarded-For: 198.51.100.1, 203.0.113.7", "203.0.113.7:0"),
    ("trusting", "X-Real-IP: 203.0.113.8", "203.0.113.8:0"),
    ("trusting", "CF-Connecting-IP: 2001:db8::9", "[2001:db8::9]:0"),
    ("suspicious", "X-Forwarded-For: 203.0.113.10", None),
    ("socks5+ws", "X-Forwarded-For: 203.0.113.11", None),
    ("socks5+ws", "CF-Connecting-IP: 203.0.113.12", None),
])
def test_the_clients_address_is_what_trusted_proxies_say(servers, echo, name, field, client):
    end = websocket.connect(servers[name], extra=field + "\r\n")
    connection, own = ends(end.sock), join(end.sock.getsockname())
    with contextlib.closing(end):
        websocket.tunnel5(end, echo.address)
    line = last_line(servers.program, connection)
    assert line["client"] == (client or own), line


# --- what is set wrongly ---

@pytest.mark.parametrize(("metadata", "said"), [
    ({"header": {"X-A": "1\r\nEvil: 1"}}, "header 'X-A': its value has a control character"),
    ({"header": {"Upgrade": "h2c"}}, "header 'Upgrade' belongs to the handshake"),
    ({"header": {"bad name": "1"}}, "'bad name' cannot be the name of a header"),
    ({"header": "X-A: 1"}, "not a map"),
    ({"host": "a\r\nb"}, "cannot stand in the field Host"),
])
def test_options_that_would_break_the_request(metadata, said):
    config = {"services": [{"name": "s", "addr": "127.0.0.1:0", "handler": {"type": "socks5", "chain": "c"}}],
              "chains": [{"name": "c", "hops": [{"name": "h", "nodes": [node("n", ("127.0.0.1", 9), "socks5", "ws", metadata)]}]}]}
    done = run_gost("-C", json.dumps(config))
    assert done.returncode != 0 and said in done.stderr, done.stderr


def test_a_dialer_has_no_client_whose_head_could_be_late():
    done = run_gost("check", "-L", "socks5+ws://127.0.0.1:0?readHeaderTimeout=1s",
                    "-F", "socks5+ws://127.0.0.1:9?readHeaderTimeout=1s")
    assert "-F #1: warning: unknown option 'readHeaderTimeout'" in done.stdout, done
    assert "-L #1" not in done.stdout, done


def test_trusted_proxies_must_be_addresses():
    done = run_gost("-L", "socks5+ws://127.0.0.1:0?trustedProxies=nginx")
    assert done.returncode != 0 and "'nginx' is neither an IP address nor a block" in done.stderr
