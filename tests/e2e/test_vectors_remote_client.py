"""Recorded conversations of GOST 3.3.0 as the client of scripted proxies for remote forwards, rtcp and rudp, replayed
with this program."""
import contextlib
import json
import shlex
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from support.peers import Target
from support.replay_tunnel import RemoteDatagramReplay, RemoteStreamReplay, rsv_1, without
from support.udp import UdpTarget

TESTS = Path(__file__).resolve().parents[1]
STREAM_VECTORS = TESTS.parent / "src/mux/testing/vectors"
DATAGRAM_VECTORS = TESTS / "vectors"
BOUND = 23184
ATTEMPTS = 3  # of those that were recorded; the pauses between them grow
BOTH_ENDS = "udptun-rudp-gost-gost"

NOT_REPLAYED = {
    "mbind-client-keepalive": "32 s of silence; smux_vectors_test replays it without waiting",
}
STREAMS = sorted({path.stem for path in STREAM_VECTORS.glob("mbind-client*.json")} - NOT_REPLAYED.keys())
DATAGRAMS = sorted(path.stem for path in DATAGRAM_VECTORS.glob("udptun-rudp-client*.json"))


@dataclass
class Difference:
    """What this program deliberately does in another way: `change` makes its events of the recorded ones."""
    why: str
    change: Callable[[list], list]


def frames(direction, *parts):
    """Frames of smux version 1: (command, stream, payload)."""
    data = [struct.pack("<BBHI", 1, command, len(payload), stream) + payload for command, stream, payload in parts]
    return {"dir": direction, "hex": b"".join(data).hex()}


SYN, DATA = 0, 2
A_GOOD_STREAM = [frames("s2c", (SYN, 5, b""), (DATA, 5, bytes.fromhex("05000001c6336407d431")), (DATA, 5, b"ping-p1")),
                 frames("c2s", (DATA, 5, b"pong-p1"))]


def the_session_goes_on(events):
    """The recorded client closed here, and came again."""
    closed = next(at for at, event in enumerate(events) if "close" in event)
    return [*events[:closed], *A_GOOD_STREAM]


OF_EVERY_TUNNEL = Difference("RSV=1 in the request says that empty frames are understood, GOST ignores it", rsv_1)

DROPS = "a stream that does not begin as it should is dropped, GOST ends the session"

DIFFERENCES = {
    "mbind-client-fin-before-reply": Difference(DROPS, the_session_goes_on),
    "mbind-client-reply-badname": Difference(DROPS, the_session_goes_on),
    "mbind-client-reply-failure": Difference(DROPS, the_session_goes_on),
    "mbind-client-reply-with-payload": Difference("payload behind the reply is kept, GOST loses what shares its frame",
                                                  lambda events: [
        *events[:5], frames("c2s", (DATA, 3, b"pong-lost")), *events[5:]]),
}


def load(name):
    folder = DATAGRAM_VECTORS if name.startswith("udptun") else STREAM_VECTORS
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def events_of(name):
    events = OF_EVERY_TUNNEL.change(load(name)["events"])
    events = [event for event in events if event.get("conn", 1) <= ATTEMPTS]
    return DIFFERENCES[name].change(events) if name in DIFFERENCES else events


@pytest.fixture(name="proxy")
def scripted_proxy():
    with contextlib.closing(Target()) as listener:
        yield listener


@pytest.fixture(name="udp_target")
def scripted_udp_target():
    with contextlib.closing(UdpTarget()) as target:
        yield target


def start(gost, name, proxy, target):
    """The recorded command. What is bound keeps its number: it is on the proxy only, which is played."""
    command = load(name)["client_cmd"].replace("ttl=2s", "ttl=300ms")
    for placeholder, number in {"BPORT": BOUND, "TPORT": target.port, "PORT": proxy.port}.items():
        command = command.replace(f"{{{placeholder}}}", str(number))
    return gost(*shlex.split(command)[1:])


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_stream_client(gost, proxy, target, name):
    start(gost, name, proxy, target)
    RemoteStreamReplay(proxy, target).play(events_of(name))


@pytest.mark.parametrize("name", DATAGRAMS)
def test_recorded_datagram_client(gost, proxy, udp_target, name):
    start(gost, name, proxy, udp_target)
    RemoteDatagramReplay(proxy, udp_target).play(events_of(name))


def test_sessions_of_peers_and_a_cut_tunnel(gost, proxy, udp_target):
    program = start(gost, BOTH_ENDS, proxy, udp_target)
    events = without(["peer", "peer2"], events_of(BOTH_ENDS))
    idle = next(at for at, event in enumerate(events) if event.get("hex", "").endswith(b"ping-peer-1c".hex()))
    # The recorder cut both sides; here it is the proxy that ends first.
    cut = next(at for at, event in enumerate(events) if "close" in event)
    events[cut:cut + 2] = reversed(events[cut:cut + 2])
    replay = RemoteDatagramReplay(proxy, udp_target)
    replay.play(events[:idle])
    program.wait_for_log(" >< ", count=2)  # the sessions of both peers are over
    replay.play(events[idle:])
    senders = list(dict.fromkeys(replay.senders))
    assert ["ABCD"[senders.index(sender)] for sender in replay.senders] == load(BOTH_ENDS)["target_source_sockets"]


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_differences_differ(name):
    assert DIFFERENCES[name].why and name in [*STREAMS, *DATAGRAMS, BOTH_ENDS]
    assert events_of(name) != OF_EVERY_TUNNEL.change(load(name)["events"])


def test_the_recordings_are_there():
    assert len(STREAMS) == 15 and len(DATAGRAMS) == 6
    assert all(reason and load(name) for name, reason in NOT_REPLAYED.items())
