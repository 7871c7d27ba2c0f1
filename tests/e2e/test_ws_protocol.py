"""WebSocket by hand: what is none, who breaks its rules, control frames (RFC 6455)."""
import contextlib
import socket
import threading
import time
import zlib

import pytest

from support import peers, websocket, wire
from support.reasons import ends, join, last_line
from support.waiting import TIMEOUT
from support.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame
from support.ws_servers import SERVERS, Program


@pytest.fixture(name="servers", scope="module")
def one_program_for_all_servers(shared_gost):
    return Program(shared_gost, SERVERS)


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
