"""Recorded WebSocket conversations of GOST 3.3.0 (tests/vectors/ws-*), replayed with this program at either end."""
import contextlib
import json
import re
import shlex
import socket
import time
from pathlib import Path

import pytest

from support import peers, wire
from support.peers import Target
from support.reasons import join
from support.replay import SUCCESS, pong, rewritten, serve_pongs
from support.waiting import TIMEOUT
from support.websocket import CONTROL, accept_key, frames_of, masked, parse_frame, read_head

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
SERVERS = sorted(path.stem for path in VECTORS.glob("ws-server*.json"))
CLIENTS = sorted(path.stem for path in VECTORS.glob("ws-client*.json"))

# Answers in HTTP that are others than GOST's: the recorded status, ours, and why.
OTHER_STATUS = {
    "ws-server-hs-no-connection": (400, 426, "426 says what is missing (RFC 9110 section 15.5.22)"),
    "ws-server-hs-no-upgrade": (400, 426, "the same"),
    "ws-server-hs-version-8": (400, 426, "RFC 6455 section 4.2.2"),
    "ws-server-hs-path-dots": (307, 404, "no redirects: the path is another one"),
    "ws-server-pipelined": (None, 400, "GOST closes without a word"),
}
# What shares a message with the request, or the reply, is kept; GOST loses it.
DIFFERENT_PAYLOAD = {"ws-server-request-payload-one-message": b"pong-lost"}
DIFFERENT_RECEIVED = {"ws-client-reply-and-data-one-message": "banner\npong-ws-c\n"}
SKIPPED = {"ws-client-keepalive": "without an answer both directions end, GOST's connection stays for 10 s (test_ws_protocol.py)"}


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def stream_of(events, direction):
    return b"".join(bytes.fromhex(event["hex"]) for event in events if event["dir"] == direction and "hex" in event)


def split_head(data):
    head, end, rest = data.partition(b"\r\n\r\n")
    return head + end, rest


def with_ports(data, ports):
    """The stream of a client with other ports in the payload of its messages, also where a port is split over two of
    them; every byte keeps its place."""
    head, rest = split_head(data)
    frames, tail = frames_of(rest)
    payload = rewritten(b"".join(frame.payload for frame in frames if frame.opcode < CONTROL), ports)
    result = head
    for frame in frames:
        after = parse_frame(rest)[1]
        raw, rest = rest[:len(rest) - len(after)], after
        size = len(frame.payload)
        if frame.opcode < CONTROL and size:
            ours, payload = payload[:size], payload[size:]
            raw = raw[:-size] + (masked(ours, raw[-size - 4:-size]) if frame.masked else ours)
        result += raw
    return result + tail


def without_bound_ports(payload):
    return SUCCESS.sub(lambda match: match[0][:-2] + b"\0\0", payload)


def summed(data):
    """The payload and the control frames in the whole frames of a stream."""
    frames, rest = frames_of(data)
    assert rest == b"", f"not a frame: {rest[:40]!r}"
    return (b"".join(frame.payload for frame in frames if frame.opcode < CONTROL),
            [(frame.opcode, frame.payload) for frame in frames if frame.opcode >= CONTROL])


class Heard:
    """What comes from this program: frames may be cut in another way than the recorded ones."""

    def __init__(self, sock):
        self._sock = sock
        self._raw = b""
        self._payload = b""
        self._control = []
        self.frames = []

    def expect(self, recorded, more_payload=b""):
        """Reads until the payload and the control frames of `recorded` have come, and compares them."""
        payload, control = summed(recorded)
        payload += more_payload
        while len(self._payload) < len(payload) or len(self._control) < len(control):
            more = self._sock.recv(65536)
            assert more, f"ended after {self._payload!r}, {self._control} where {payload!r}, {control} was recorded"
            frames, self._raw = frames_of(self._raw + more)
            self.frames += frames
            self._payload += b"".join(frame.payload for frame in frames if frame.opcode < CONTROL)
            self._control += [(frame.opcode, frame.payload) for frame in frames if frame.opcode >= CONTROL]
        assert without_bound_ports(self._payload[:len(payload)]) == without_bound_ports(payload)
        assert self._control[:len(control)] == control
        self._payload, self._control = self._payload[len(payload):], self._control[len(control):]

    def expect_end(self):
        self._sock.settimeout(TIMEOUT)
        assert (self._raw + self._payload, self._control) == (b"", []) and wire.read_to_end(self._sock) == b"", \
            "bytes that were not recorded"


@pytest.fixture(name="server_for", scope="module")
def one_program_per_command(shared_gost):
    running = {}

    def server_for(vector):
        words = shlex.split(vector["server_cmd"])
        assert words[:2] == ["gost", "-L"] and len(words) == 3, words
        url = words[2].replace("{PORT}", "0")
        if url not in running:
            running[url] = shared_gost("-L", url)
        return running[url].address

    return server_for


@pytest.fixture(name="pongs", scope="module")
def target_of_the_recordings():
    # A client that says bye hears so, and nothing more.
    with contextlib.closing(peers.Answering(answer=pong)) as server:
        yield server


class ServerReplay:
    def __init__(self, vector, address, pongs_port):
        self._events = [event for event in vector["events"] if event.get("leg") is None and event["dir"] != "note"]
        ports = {vector["ports"]["TPORT"]: pongs_port}
        self._to_say = with_ports(stream_of(self._events, "c2s"), ports)
        self._name = vector["name"]
        self._address = address

    def play(self):
        with contextlib.closing(wire.connect(self._address)) as sock:
            said, heard, accepted = 0, b"", False
            self._heard = Heard(sock)
            for event in self._events:
                if event["dir"] == "c2s" and "hex" in event:
                    size = len(event["hex"]) // 2
                    sock.sendall(self._to_say[said:said + size])
                    said += size
                    time.sleep(0.001)  # pacing only
                elif event["dir"] == "c2s":
                    sock.shutdown(socket.SHUT_WR)
                elif "hex" in event:
                    heard += bytes.fromhex(event["hex"])
                    if not accepted:
                        if b"\r\n\r\n" not in heard:
                            continue
                        recorded, heard = split_head(heard)
                        if not self._compare_heads(read_head(sock), recorded.decode("latin-1")):
                            return
                        accepted = True
                    if heard and not frames_of(heard)[1]:
                        self._compare_frames(sock, heard)
                        heard = b""
                elif accepted:
                    if self._name != "ws-server":  # there it was the target that ended, and here it does not
                        self._heard.expect_end()
                else:
                    assert read_head(sock).startswith(f"HTTP/1.1 {OTHER_STATUS[self._name][1]} ")

    def _compare_heads(self, got, recorded):
        """False if that was all."""
        status = int(recorded.split()[1])
        was, now, _ = OTHER_STATUS.get(self._name, (status, status, ""))
        assert was == status
        assert got.startswith(f"HTTP/1.1 {now} ")
        if status == 101:
            assert got == recorded
        return status == 101

    def _compare_frames(self, sock, recorded):
        frames = frames_of(recorded)[0]
        if any(frame.rsv for frame in frames):
            got = parse_frame(sock.recv(1000))[0]
            assert got.rsv == 4, "compressed, in whatever way"
            return
        kept = DIFFERENT_PAYLOAD.get(self._name, b"") if SUCCESS.search(summed(recorded)[0]) else b""
        self._heard.expect(recorded, kept)


@pytest.mark.parametrize("name", SERVERS)
def test_recorded_client_of_our_server(server_for, pongs, name):
    vector = load(name)
    ServerReplay(vector, server_for(vector), pongs.port).play()


@pytest.mark.parametrize("connection", [1, 2])
def test_recorded_gost_client_of_our_server(server_for, connection):
    """The one connection is closed by the application, the other one by the target."""
    vector = load("ws-gost-gost")
    vector["events"] = [event for event in vector["events"] if event.get("conn") == connection]
    with contextlib.closing(peers.Scripted(serve_pongs)) as target:
        ServerReplay(vector, server_for(vector), target.port).play()


@pytest.fixture(name="proxy", scope="module")
def scripted_proxy():
    with contextlib.closing(Target()) as listener:
        yield listener


@pytest.fixture(name="forward_for", scope="module")
def one_client_per_command(shared_gost, proxy):
    running = {}

    def forward_for(vector):
        words = shlex.split(vector["client_cmd"])
        assert words[:2] == ["gost", "-L"] and words[3] == "-F", words
        service = words[2].replace("{LPORT}", "0").replace("{TPORT}", str(vector["ports"]["TPORT"]))
        node = words[4].replace("127.0.0.1:{PORT}", join(proxy.address))
        assert "{" not in service + node
        if (service, node) not in running:
            running[service, node] = shared_gost("-L", service, "-F", node)
        return running[service, node].address

    return forward_for


class ClientReplay:
    def __init__(self, vector, forward, listener):
        self._vector = vector
        self._events = [event for event in vector["events"] if event.get("leg") is None and event["dir"] != "note"]
        self._forward = forward
        self._listener = listener
        received = DIFFERENT_RECEIVED.get(vector["name"], vector["expect"]["application_behind_client_received"])
        self._received = None if received in ("<EOF>", "<reset>", "") else received.encode()

    def play(self):
        said = summed(split_head(stream_of(self._events, "c2s"))[1])[0]
        ping = re.search(rb"ping-ws.*|\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09.*", said, re.DOTALL)
        with contextlib.closing(wire.connect(self._forward)) as application:
            application.sendall(ping[0] if ping else b"ping")
            proxy = self._listener.accept()
            recorded = stream_of(self._events, "c2s")
            key = self._compare_requests(read_head(proxy), split_head(recorded)[0].decode("latin-1"))
            self._heard = Heard(proxy)
            heard = b""
            for event in self._events[1:]:
                data = bytes.fromhex(event.get("hex", ""))
                if event["dir"] == "s2c" and data:
                    proxy.sendall(self._answer_to(key, data))
                    time.sleep(0.001)  # pacing only
                elif event["dir"] == "s2c":
                    proxy.shutdown(socket.SHUT_WR)
                elif data:
                    heard += data
                    if not frames_of(heard)[1]:
                        self._heard.expect(heard)
                        heard = b""
                else:
                    self._end(application, proxy)

    def _compare_requests(self, got, recorded):
        """The key of ours."""
        def generic(head):
            return re.sub(r"Sec-WebSocket-Key: \S+", "Sec-WebSocket-Key: K",
                          re.sub(r"Host: 127.0.0.1:\d+", "Host: H", head))
        assert generic(got) == generic(recorded)
        return re.search(r"Sec-WebSocket-Key: (\S+)", got)[1]

    def _answer_to(self, key, data):
        """What the recorded server said, with the answer to our key where it was the right one."""
        recorded_key = re.search(rb"Sec-WebSocket-Key: (\S+)", stream_of(self._events, "c2s"))[1].decode()
        return data.replace(accept_key(recorded_key).encode(), accept_key(key).encode())

    def _end(self, application, proxy):
        if self._received:
            assert wire.read_exactly(application, len(self._received)) == self._received
        else:
            assert wire.read_to_end(application) == b""
        application.close()
        self._heard.expect_end()
        assert all(frame.masked for frame in self._heard.frames)


@pytest.mark.parametrize("name", CLIENTS)
def test_recorded_server_of_our_client(forward_for, proxy, name):
    if name in SKIPPED:
        pytest.skip(SKIPPED[name])
    vector = load(name)
    ClientReplay(vector, forward_for(vector), proxy).play()


def test_the_recordings_are_there():
    assert (len(SERVERS), len(CLIENTS)) == (40, 21)
    assert set(OTHER_STATUS) | set(DIFFERENT_PAYLOAD) <= set(SERVERS) and set(DIFFERENT_RECEIVED) | set(SKIPPED) <= set(CLIENTS)


@pytest.mark.parametrize("name", sorted(OTHER_STATUS))
def test_differences_differ(name):
    was, now, why = OTHER_STATUS[name]
    recorded = stream_of([event for event in load(name)["events"] if event.get("leg") is None], "s2c")
    assert why and was != now and recorded.startswith(f"HTTP/1.1 {was} ".encode() if was else b"")
