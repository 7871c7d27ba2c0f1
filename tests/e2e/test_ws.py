"""WebSocket below SOCKS and forwards: ws, wss, mws, mwss, with every kind of peer, and with those who break its rules."""
import asyncio
import contextlib
import json
import socket
import subprocess
import threading
import time
import zlib

import pytest
import websockets

from support import peers, tls, websocket, wire
from support.program import run_gost
from support.reasons import ends, join, last_line
from support.servers import Server, free_port
from support.tls import Authority
from support.waiting import TIMEOUT
from support.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

SERVERS = {
    "socks5+ws": "socks5+ws://127.0.0.1:0?udp=true&bind=true",
    "socks4+ws": "socks4+ws://127.0.0.1:0",
    "auto+ws": "auto+ws://127.0.0.1:0",
    "ws": "ws://127.0.0.1:0",
    "password": "socks5+ws://user:pass@127.0.0.1:0",
    "path": "socks5+ws://127.0.0.1:0?path=/tunnel",
    "compressing": "socks5+ws://127.0.0.1:0?enableCompression=true",
    "socks5+wss": "socks5+wss://127.0.0.1:0",
    "socks4+wss": "socks4+wss://127.0.0.1:0",
    "wss": "wss://127.0.0.1:0",
    "socks5+mws": "socks5+mws://127.0.0.1:0",
    "socks5+mwss": "socks5+mwss://127.0.0.1:0",
    "hasty": "socks5+ws://127.0.0.1:0?handshakeTimeout=1s",
    "hasty wss": "socks5+wss://127.0.0.1:0?handshakeTimeout=300ms",
    "pinging": "socks5+ws://127.0.0.1:0?keepalive=true&ttl=300ms",
    "trusting": "socks5+ws://127.0.0.1:0?trustedProxies=127.0.0.1",
    "suspicious": "socks5+ws://127.0.0.1:0?trustedProxies=192.0.2.0/24",
}

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


class Program:
    """One program for all of `urls`."""

    def __init__(self, start, urls):
        self.program = start(*[word for url in urls.values() for word in ("-L", url)], services=len(urls))
        self.addresses = dict(zip(urls, self.program.listening))

    def __getitem__(self, name):
        return self.addresses[name]


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


# --- what is no WebSocket ---

@pytest.mark.parametrize(("request_bytes", "status"), [
    (b"GET /ws HTTP/1.1\r\nHost: h\r\n\r\n", 426),
    (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 404),
    (b"HEAD /favicon.ico HTTP/1.0\r\n\r\n", 404),
    (websocket.request(path="/ws/x"), 404),
    (websocket.request(method="POST"), 405),
    (websocket.request(without=["Sec-WebSocket-Key"]), 400),
    (websocket.request(without=["Sec-WebSocket-Key"], extra="Sec-WebSocket-Key: short\r\n"), 400),
    (websocket.request(without=["Host"]), 400),
    (websocket.request(without=["Sec-WebSocket-Version"], extra="Sec-WebSocket-Version: 8\r\n"), 426),
    (websocket.request(extra="Content-Length: 5\r\n") + b"hello", 400),
    (websocket.request(extra="Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n", 400),
    (websocket.request() + frame(wire.GREETING), 400),
    (websocket.request(extra="X-Evil: a\x00b\r\n"), 400),
    (websocket.request(extra="X-Evil: a\nX-Other: b\r\n"), 400),
    (websocket.request(extra=" folded before any field\r\nBad name: x\r\n"), 400),
    (websocket.request(extra="X-Long: " + "x" * 17000 + "\r\n"), 431),
])
def test_requests_that_are_refused(servers, request_bytes, status):
    sock = wire.connect(servers["socks5+ws"])
    connection = ends(sock)
    with contextlib.closing(sock):
        sock.sendall(request_bytes)
        got, head, body = websocket.read_answer(sock)
    assert got == status and body, head
    line = last_line(servers.program, connection)
    assert line["err"].startswith("websocket: ") and line["err"].endswith(f"(answered {status})"), line
    assert len(servers.program.log_lines(line["err"], level="error", client=line["client"])) == 1


@pytest.mark.parametrize(("first", "said"), [
    (b"\x05\x01\x00", "SOCKS without WebSocket"), (b"\x16\x03\x01\x02\x00", "speaks TLS"), (b"\x00\x01", "does not speak HTTP")])
def test_what_is_no_http_is_closed_at_once(servers, first, said):
    sock = wire.connect(servers["socks5+ws"])
    connection = ends(sock)
    with contextlib.closing(sock):
        sock.sendall(first)
        assert wire.read_to_end(sock) == b""
    assert said in last_line(servers.program, connection)["err"]


def test_a_head_that_comes_too_slowly_is_refused_in_time(servers):
    with contextlib.closing(wire.connect(servers["hasty"])) as sock:
        start = time.monotonic()
        sock.settimeout(0.05)
        got = b""
        with contextlib.suppress(ConnectionError):
            for byte in websocket.request(extra="X-Slow: " + "x" * 5000 + "\r\n"):
                sock.sendall(bytes([byte]))
                try:
                    got = sock.recv(1000)
                    break
                except TimeoutError:
                    continue
        assert got.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert time.monotonic() - start < 10


def test_the_handshakes_limit_holds_for_tls_below_it(servers):
    with contextlib.closing(wire.connect(servers["socks5+wss"])) as patient, \
            contextlib.closing(wire.connect(servers["hasty wss"])) as hasty:
        assert wire.read_to_end(hasty) == b""
        patient.setblocking(False)
        with pytest.raises(BlockingIOError):
            patient.recv(1)


@pytest.mark.parametrize("cut", range(0, len(websocket.request()), 9))
def test_a_head_that_is_cut_is_forgotten(servers, cut):
    sock = wire.connect(servers["socks5+ws"])
    connection = ends(sock)
    with contextlib.closing(sock):
        sock.sendall(websocket.request()[:cut])
        sock.shutdown(socket.SHUT_WR)
        assert wire.read_to_end(sock) == b""
    assert last_line(servers.program, connection)["err"] == ("websocket: EOF" if cut == 0 else "websocket: unexpected EOF")


# --- who breaks the rules ---

@pytest.mark.parametrize(("raw", "reason"), [
    (frame(b"\x05\x01\x00", mask=False), "bad MASK"),
    (frame(b"x", opcode=3), "bad opcode 3"),
    (frame(b"x", opcode=15), "bad opcode 15"),
    (frame(b"x", rsv=4), "RSV1 set"),
    (frame(b"x", rsv=2), "RSV2 set"),
    (frame(b"x", rsv=1), "RSV3 set"),
    (frame(b"x" * 126, opcode=PING), "len > 125 for control"),
    (frame(b"x", opcode=PING, fin=False), "FIN not set on control"),
    (frame(b"x", opcode=CONTINUATION), "continuation after FIN"),
    (frame(b"\x05", fin=False) + frame(b"y"), "data before FIN"),
    (bytes.fromhex("82fe0001") + bytes(5), "length not in its shortest form"),
    (bytes.fromhex("82ff8000000000000000") + bytes(4), "length over 63 bits"),
    (frame(b"\x03\xed", opcode=CLOSE), "bad close code 1005"),
    (frame(b"x", opcode=CLOSE), "bad close payload"),
])
@pytest.mark.parametrize("tunnelled", [False, True])
def test_broken_rules(servers, bystander, echo, raw, reason, tunnelled):
    end = websocket.connect(servers["socks5+ws"])
    connection = ends(end.sock)
    with contextlib.closing(end):
        if tunnelled:
            websocket.tunnel5(end, echo.address)
        end.sock.sendall(raw)
        while end.recv(1 << 16):
            pass
        assert [(got.opcode, got.payload) for got in end.control] == [(CLOSE, b"\x03\xea" + reason.encode())]
    line = last_line(servers.program, connection)
    if not tunnelled:
        assert line["err"].endswith("websocket: the client broke the protocol: " + reason), line


def test_a_message_that_inflates_without_end_costs_no_memory(servers, echo):
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(1 << 20)
    piece = b"".join(compressor.compress(zeros) for _ in range(100)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    with contextlib.closing(websocket.connect(
            servers["compressing"], extra="Sec-WebSocket-Extensions: permessage-deflate\r\n")) as end:
        end.sock.sendall(frame(zeros[:0]))
        before = servers.program.resident_kib
        with contextlib.suppress(ConnectionError):
            end.sock.sendall(frame(piece[:-4], rsv=4))
        wire.read_to_end(end.sock)  # 0x00 is no version of SOCKS
        assert servers.program.resident_kib - before < 20_000


# --- pings, closes, fragments ---

def test_pings_are_answered_at_any_time_and_fragments_put_together(servers, echo):
    with contextlib.closing(websocket.connect(servers["socks5+ws"])) as end:
        end.sendall(b"", opcode=PING)
        end.sendall(wire.GREETING[:2], fin=False)
        end.sendall(b"middle", opcode=PING)
        end.sendall(wire.GREETING[2:], opcode=CONTINUATION)
        assert wire.read_exactly(end, 2) == b"\x05\x00"
        end.sendall(wire.request5(*echo.address), opcode=TEXT)
        assert wire.read_reply5(end)[0] == 0
        data = peers.pattern(1_000_000)
        sent = b"".join(frame(data[at:at + 10_000]) + frame(b"%d" % at, opcode=PING) for at in range(0, len(data), 10_000))
        end.sock.settimeout(TIMEOUT)
        with contextlib.closing(end.sock.dup()) as second:
            sender = threading.Thread(target=second.sendall, args=(sent,))
            sender.start()
            assert wire.read_exactly(end, len(data)) == data
            sender.join(TIMEOUT)
        while len(end.control) < 102:
            end.control.append(end.read_frame())
        assert [got.payload for got in end.control] == [b"", b"middle", *(b"%d" % at for at in range(0, len(data), 10_000))]
        assert all(got.opcode == PONG for got in end.control)


def test_payload_in_the_requests_message_is_kept(servers, echo):
    with contextlib.closing(websocket.connect(servers["socks5+ws"])) as end:
        end.sendall(wire.GREETING + wire.request5(*echo.address) + b"early")
        assert wire.read_exactly(end, 2) == b"\x05\x00"
        assert wire.read_reply5(end)[0] == 0
        assert wire.read_exactly(end, 5) == b"early"


@pytest.mark.parametrize(("payload", "answer"), [(b"\x03\xe8bye", b"\x03\xe8"), (b"", b""), (b"\x0f\xa0", b"\x0f\xa0")])
def test_a_close_is_answered_and_ends_the_tunnel(servers, echo, payload, answer):
    with contextlib.closing(websocket.connect(servers["socks5+ws"])) as end:
        websocket.tunnel5(end, echo.address)
        end.sendall(payload, opcode=CLOSE)
        assert end.recv(1) == b""
        assert [(got.opcode, got.payload) for got in end.control] == [(CLOSE, answer)]


def test_a_close_ends_the_tunnel_although_the_target_does_not_react(servers, target):
    with contextlib.closing(websocket.connect(servers["socks5+ws"])) as end:
        websocket.tunnel5(end, target.address)
        with contextlib.closing(target.accept()) as far:
            start = time.monotonic()
            end.sendall(b"last words")
            end.sendall(b"\x03\xe8", opcode=CLOSE)
            assert end.recv(1) == b""
            assert time.monotonic() - start < 5
            assert wire.read_to_end(far) == b"last words"


def test_a_paused_and_slow_download_is_not_cut_by_pings(servers, target):
    """It answers no ping, since it does not read them, or not in time; the pause is six of the server's intervals."""
    data = peers.pattern(30_000_000)
    with contextlib.closing(websocket.connect(servers["pinging"])) as end:
        websocket.tunnel5(end, target.address)
        far = target.accept()

        def feed():
            with contextlib.closing(far):
                far.sendall(data)
        feeder = threading.Thread(target=feed)
        feeder.start()
        time.sleep(1.8)
        assert wire.read_to_end(end) == data
        feeder.join(TIMEOUT)
        assert sum(got.opcode == PING for got in end.control) > 0


def test_a_server_pings_and_drops_who_does_not_answer(servers, echo):
    with contextlib.closing(websocket.connect(servers["pinging"])) as end:
        websocket.tunnel5(end, echo.address)
        for _ in range(5):
            assert end.read_frame() == (PING, b"", True, 0, False)
            end.sendall(b"", opcode=PONG)
        wire.assert_echo(end)
        start = time.monotonic()
        assert end.recv(1) == b"", "it hangs up"
        assert time.monotonic() - start < 10


def scripted_proxy(say_nothing_after):
    """A SOCKS5 server over ws that answers so many pings; (the server, the frames that came)."""
    came = []

    def serve(sock):
        _, end = websocket.accept(sock)
        wire.read_exactly(end, 3)
        end.sendall(b"\x05\x00")
        wire.read_exactly(end, 10)
        end.sendall(b"\x05\x00\x00\x01" + bytes(6))
        while True:
            got = end.read_frame()
            came.append(got)
            if got.opcode == PING and sum(frame.opcode == PING for frame in came) <= say_nothing_after:
                end.sendall(b"", opcode=PONG)
            if got.opcode == BINARY:
                end.sendall(got.payload)
    return peers.Scripted(serve), came


def test_a_client_pings_and_gives_up_a_server_that_does_not_answer(gost):
    server, came = scripted_proxy(say_nothing_after=3)
    with contextlib.closing(server):
        program = gost("-L", "socks5://127.0.0.1:0", "-F",
                       f"socks5+ws://{join(server.address)}?notls=true&keepalive=true&ttl=200ms")
        with contextlib.closing(wire.tunnel5(program.address, ("127.0.0.1", 9))) as sock:
            wire.assert_echo(sock)
            assert wire.read_to_end(sock) == b""
        pings = [got for got in came if got.opcode == PING]
        assert 4 <= len(pings) <= 6 and all(got.masked and got.payload == b"" for got in pings)
        line = program.wait_for_log(" >-< ")[0]
        assert "the server has not answered a ping for 400ms" in line["err"], line


@pytest.mark.parametrize(("last", "said"), [
    (frame(b"a whole message", mask=False)[:10], "the connection ended within a message"),
    (frame(b"\x03\xf3backend died", opcode=CLOSE, mask=False), "the server closed with 1011: backend died"),
    (frame(b"half", fin=False, mask=False) + frame(b"\x03\xe8", opcode=CLOSE, mask=False),
     "the server closed with 1000 within a message"),
])
def test_a_server_that_fails_within_an_answer_is_a_reset(gost, last, said):
    def serve(sock):
        _, end = websocket.accept(sock)
        wire.read_exactly(end, 3)
        end.sendall(b"\x05\x00")
        wire.read_exactly(end, 10)
        end.sendall(b"\x05\x00\x00\x01" + bytes(6))
        wire.read_exactly(end, 1)
        sock.sendall(last)
    with contextlib.closing(peers.Scripted(serve)) as server:
        program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+ws://{join(server.address)}?notls=true")
        with contextlib.closing(wire.tunnel5(program.address, ("127.0.0.1", 9))) as sock:
            sock.sendall(b"?")
            with pytest.raises(ConnectionResetError):
                while sock.recv(100):
                    pass
        assert said in program.wait_for_log(" >-< ")[0]["err"]


def test_the_reason_of_a_close_reaches_the_streams_of_a_session(gost):
    def serve(sock):
        websocket.accept(sock)
        sock.sendall(frame(b"\x03\xf3quota used up", opcode=CLOSE, mask=False))
        wire.read_to_end(sock)
    with contextlib.closing(peers.Scripted(serve)) as server:
        program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5+mws://{join(server.address)}?notls=true")
        with contextlib.closing(wire.connect(program.address)) as sock:
            sock.sendall(wire.GREETING + wire.request5("192.0.2.1", 9))
            assert wire.read_exactly(sock, 4)[3] != 0
        program.wait_for_log("has ended: read: websocket: the server closed with 1011: quota used up", level="warn")
        assert "quota used up" in program.wait_for_log(" >< ")[0]["err"]


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
