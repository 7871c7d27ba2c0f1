"""Recorded conversations of a GOST client and a GOST server about UDP over the SOCKS5 connection (tests/vectors/): this
program takes the place of the client, then of the server."""
import contextlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from support.peers import Target
from support.reasons import join
from support.replay_datagrams import DatagramReplay
from support.replay_tunnel import (TunnelClientReplay, asked, conversations, in_whole_frames, rsv_1, with_application,
                                   without)
from support.servers import free_port

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
RELAYS = sorted(path.stem for path in VECTORS.glob("udptun-relay-*.json"))
BINDS = ["udptun-rudp-gost-gost"]
PORT, TARGET, TARGET6, BOUND = 23180, 23183, 23185, 23184


@dataclass
class Difference:
    """What this program deliberately does in another way: `change` makes its events of the recorded ones."""
    why: str
    change: Callable[[list], list]


def event(direction, data, leg=None):
    return {"dir": direction, "hex": data.hex(), **({"leg": leg} if leg else {})}


def closing(direction):
    return {"dir": direction, "close": "fin"}


def numbered(conn, events):
    return [{**event, "conn": conn} for event in events]


FRAME = bytes.fromhex("ff017f0000015a8f")
FRAME6 = bytes.fromhex("ff04000000000000000000000000000000015a91")


def exchange(number, header=FRAME):
    """A question and its answer as frames, and what the target sees of them."""
    ping, pong = b"ping-tun-%d" % number, b"pong-tun-%d" % number
    return [event("c2s", b"\0\x0a" + header + ping), event("c2s", ping, "target"), event("s2c", pong, "target"),
            event("s2c", b"\0\x0a" + header + pong)]


ASK_FOR_THE_RELAY = numbered(2, [
    event("c2s", b"\x05\x01\x00"), event("s2c", b"\x05\x00"), event("c2s", b"\x05\x03\x00\x01" + bytes(6)),
    event("s2c", b"\x05\x02\x00\x01" + bytes(6)), closing("s2c"), closing("c2s")])

OF_EVERY_CLIENT = Difference("RSV=1 in the request says that empty frames are understood, GOST ignores it", rsv_1)

AS_CLIENT = {
    "udptun-relay-gost-gost-big": Difference(
        "a datagram that is longer than the buffer is lost as a whole, GOST cuts it", lambda events: [
            *with_application(conversations(events)[0]), asked(b"x" * 5004, 2), asked(b"ping-tun-9", 2),
            *numbered(2, [*conversations(events)[1][:4], *without(["target"], exchange(9)), closing("c2s")])]),
    "udptun-relay-gost-gost-disabled": Difference(
        "a proxy that forbids the tunnel is asked for its standard relay, GOST gives up", lambda events: [
            asked(b"ping"), *events, *ASK_FOR_THE_RELAY]),
    "udptun-relay-gost-gost-empty": Difference(
        "an empty datagram is not sent to a proxy that may be GOST: it would lose its place", lambda events: [
            asked(b""), asked(b"ping-tun-2"), *events[:4], *without(["target"], exchange(2)), closing("c2s")]),
}

AS_SERVER = {
    "udptun-relay-gost-gost-big-answer": Difference(
        "a datagram that is longer than the buffer is lost as a whole, GOST cuts it", lambda events: [
            *events[:-3], *numbered(2, exchange(9)), *events[-2:]]),
    "udptun-relay-gost-gost-empty": Difference(
        "an empty frame is an empty datagram, GOST takes what follows as its payload", lambda events: [
            *events[:5], event("c2s", b"", "target"), *exchange(2), closing("c2s"), closing("s2c")]),
    "udptun-relay-gost-gost-ipv6": Difference(
        "the socket is of both families, GOST's of IPv4 only", lambda events: [
            *events[:4], *exchange(1, FRAME6), closing("c2s"), closing("s2c")]),
}


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def without_our_differences(name):
    return in_whole_frames(without(["target"], load(name)["events"]))


def events_of_client(name):
    events = OF_EVERY_CLIENT.change(without_our_differences(name))
    return AS_CLIENT[name].change(events) if name in AS_CLIENT else with_application(events)


def events_of_server(name):
    events = load(name)["events"]
    return AS_SERVER[name].change(events) if name in AS_SERVER else events


@pytest.fixture(name="proxy")
def scripted_proxy():
    with contextlib.closing(Target()) as listener:
        yield listener


@pytest.fixture(name="server_for", scope="module")
def one_server_per_command(shared_gost):
    running = {}

    def server_for(name):
        words = shlex.split(load(name)["server_cmd"])
        assert words[:2] == ["gost", "-L"] and len(words) == 3, words
        url = words[2].replace("{PORT}", "0")
        if url not in running:
            running[url] = shared_gost("-L", url)
        return running[url].address

    return server_for


@pytest.mark.parametrize("name", RELAYS)
def test_as_the_client(gost, proxy, name):
    words = shlex.split(load(name)["client_cmd"])
    assert words[:2] == ["gost", "-L"] and words[3] == "-F", words
    # The sessions end soon.
    service = words[2].replace("ttl=2s", "ttl=300ms")
    if "ttl=" not in service:
        service += ("&" if "?" in service else "?") + "ttl=300ms"
    for placeholder, number in {"LPORT": 0, "TPORT": TARGET, "TPORT6": TARGET6}.items():
        service = service.replace(f"{{{placeholder}}}", str(number))
    program = gost("-L", service, "-F", words[4].replace("127.0.0.1:{PORT}", join(proxy.address)))
    TunnelClientReplay(program.address, proxy, events_of_client(name)).play()


@pytest.mark.parametrize("name", RELAYS)
def test_as_the_server(server_for, name):
    proxy = server_for(name)
    for conversation in conversations(events_of_server(name)):
        DatagramReplay(proxy, {PORT: proxy[1]}, conversation, {"target": "::1"} if "ipv6" in name else None).play()


@pytest.mark.parametrize("name", BINDS)
def test_as_the_server_of_a_remote_forward(server_for, name):
    proxy = server_for(name)
    for conversation in conversations(without(["target"], events_of_server(name))):
        DatagramReplay(proxy, {PORT: proxy[1], BOUND: free_port()}, conversation).play()


@pytest.mark.parametrize("name", RELAYS)
def test_differences_differ(name):
    recorded = without_our_differences(name)
    assert OF_EVERY_CLIENT.change(recorded) != recorded
    if name in AS_CLIENT:
        assert AS_CLIENT[name].why and events_of_client(name) != with_application(OF_EVERY_CLIENT.change(recorded))
    if name in AS_SERVER:
        assert AS_SERVER[name].why and events_of_server(name) != load(name)["events"]


def test_the_recordings_are_there():
    assert len(RELAYS) == 8 and set(AS_CLIENT) | set(AS_SERVER) <= set(RELAYS)
