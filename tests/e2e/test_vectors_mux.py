"""Recorded sessions of GOST 3.3.0 over mtcp and mws (wire.md section 11), replayed against this program at either end."""
import contextlib
import json
import shlex
from pathlib import Path

import pytest

from support import peers, smux, websocket, wire
from support.replay import SUCCESS, rewritten, serve_pongs

VECTORS = Path(__file__).resolve().parents[2] / "src/mux/testing/vectors"
SERVERS = sorted(path.stem for path in [*VECTORS.glob("mtcp-*.json"), *VECTORS.glob("mws-*.json")]
                 if "-client" not in path.stem)
CLIENTS = sorted(path.stem for path in VECTORS.glob("mtcp-client*.json"))

# Each loop has a session of its own, the recorded client had one.
ONE_LOOP = {"GOMAXPROCS": "1"}


def load(name):
    recording = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    # The first connection only: what follows a cut is said again in the same way.
    return recording, [event for event in recording["events"] if event.get("conn", 1) == 1]


def masked(payload):
    return {stream: SUCCESS.sub(b"<granted>", data) for stream, data in payload.items()}


def bytes_of(event):
    """What an event says of the session: the payload of its messages where it was recorded in frames of WebSocket, nothing
    where it is their handshake."""
    data = bytes.fromhex(event.get("hex", ""))
    if "text" in event:
        return b""
    return b"".join(frame.payload for frame in websocket.frames_of(data)[0]) if "smux" in event else data


class Server:
    """The recorded client, played to this program."""

    def __init__(self, sock, ports, version):
        self._ports = ports
        self.session = smux.Session(sock, version)
        self.wanted = smux.Seen()

    def play(self, event):
        if event["dir"] == "note":
            return
        if event["dir"] == "s2c":
            for command, stream, payload in smux.parse(bytes_of(event)):
                # The reply names the cause (RFC 1928 section 6), GOST always says 03.
                self.wanted.add(command, stream, payload.replace(b"\x05\x03\0", b"\x05\x05\0"))
            if "close" in event:
                assert wire.read_to_end(self.session.sock) is not None
            return
        self.session.receive_until(self.wanted)
        if data := bytes_of(event):
            self.session.sock.sendall(rewritten(data, self._ports))

    def finish(self):
        self.session.receive_until(self.wanted)
        self.session.sock.close()


@pytest.mark.parametrize("name", [name for name in SERVERS if name != "mtcp-server-raw-silent-stream"])
def test_server(gost, dead_port, name):
    recording, events = load(name)
    url = shlex.split(recording["server_cmd"])[-1].format(PORT=0)
    program = gost("-L", url)
    version = 1 if "mux.version=1" in url or "mws" in url else 2
    connect = websocket.connect if "mws" in url else wire.connect
    with contextlib.closing(peers.Scripted(serve_pongs)) as target:
        # 23189 is where the recordings connect to a port that is closed.
        ports = {23183: target.port, 23189: dead_port}
        replay = Server(connect(program.address), ports, version)
        ends = [at for at, event in enumerate(events) if event["dir"] == "c2s" and event.get("close")]
        for event in events[:ends[0] if ends else len(events)]:
            replay.play(event)
        replay.finish()
        assert masked(replay.session.seen.payload) == masked(replay.wanted.payload)
        assert replay.session.seen.finished >= replay.wanted.finished


def test_a_silent_stream_ends_alone(gost, echo):
    """GOST's session dies with it (the recording mtcp-server-raw-silent-stream)."""
    program = gost("-L", "socks5+mtcp://127.0.0.1:0?notls=true&readTimeout=500ms")
    with contextlib.closing(wire.connect(program.address)) as sock:
        session = smux.Session(sock, 2)
        session.send(smux.SYN, 3)
        session.send(smux.PSH, 3, wire.GREETING)
        assert session.read(3, 2) == b"\x05\x00"
        session.send(smux.PSH, 3, wire.request5(*echo.address))
        assert session.read(3, 10)[:2] == b"\x05\x00"
        session.send(smux.SYN, 5)
        while 5 not in session.seen.finished:
            session.receive()
        session.send(smux.PSH, 3, b"still here")
        assert session.read(3, 10) == b"still here"


@pytest.mark.parametrize("name", CLIENTS)
def test_client(gost, name):
    """The recorded proxy, played to this program; the application behind it says what it said then."""
    _, events = load(name)
    command = shlex.split(load(name)[0]["client_cmd"])
    wanted = smux.Seen()
    with contextlib.closing(peers.Target()) as proxy, contextlib.ExitStack() as stack:
        program = gost("-L", "tcp://127.0.0.1:0/127.0.0.1:23183",
                       "-F", command[-1].format(PORT=proxy.port), env=ONE_LOOP)
        applications = [stack.enter_context(contextlib.closing(wire.connect(program.address)))]
        session = smux.Session(proxy.accept(), 2)
        for event in events:
            if event["dir"] == "c2s":
                for frame in smux.parse(bytes.fromhex(event["hex"])):
                    wanted.add(*frame)
                    if frame[0] == smux.SYN and len(wanted.opened) > len(applications):
                        applications.append(stack.enter_context(contextlib.closing(wire.connect(program.address))))
                    if frame[2].startswith(b"ping"):
                        applications[0].sendall(frame[2])
                session.receive_until(wanted)
            elif "application behind" in event.get("note", ""):
                assert wire.read_exactly(applications[0], 8) == b"pong-m-c"
                assert wire.read_to_end(applications[0]) == b""
                applications[0].close()
            elif "hex" in event:
                session.sock.sendall(bytes.fromhex(event["hex"]))
        assert session.seen == wanted
