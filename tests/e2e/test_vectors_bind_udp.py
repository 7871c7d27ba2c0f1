"""Recorded conversations of GOST 3.3.0 about BIND and UDP (tests/vectors/), replayed against this program."""
import contextlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from support.replay_bind import BindReplay
from support.replay_datagrams import DatagramReplay
from support.servers import free_port
from support.udp import udp_socket

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
BINDS = sorted(path.stem for path in VECTORS.glob("bind-server-*.json"))
DATAGRAMS = sorted(path.stem for pattern in ("udp-assoc-server-*.json", "udptun-server-*.json")
                   for path in VECTORS.glob(pattern))
HOSTS = {
    "bind-server-ipv6": "::1",
    "udp-assoc-server-ipv6": {"target": "::1"},
    "udp-assoc-server-other-ip": {"udp2": "127.0.0.2"},
    "udptun-server-relay-ipv6": {"target": "::1"},
    "udptun-server-relay-ipv6-dest": {"target": "::1"},
}
# Numbers of the recordings that occur in bytes only.
PORT, BOUND, BUSY = 23180, 23184, 23190


@dataclass
class Difference:
    """What this program deliberately does in another way: `change` makes its events of the recorded ones."""
    why: str
    change: Callable[[list], list]


def event(direction, data, leg=None):
    return {"dir": direction, "hex": data.hex(), **({"leg": leg} if leg else {})}


def closing(direction, leg=None):
    return {"dir": direction, "close": "fin", **({"leg": leg} if leg else {})}


HEADER = bytes.fromhex("000000017f0000015a8f")
HEADER6 = bytes.fromhex("04000000000000000000000000000000015a91")
FRAME = bytes.fromhex("ff017f0000015a8f")


def from_the_target(answer):
    return [event("s2c", answer, "target"), event("s2c", HEADER + answer, "udp")]


def delivered(question, answer):
    """What follows when a datagram of the client is relayed."""
    return [event("c2s", question, "target"), *from_the_target(answer)]


def probe():
    """That nothing else was on its way shows in what comes next."""
    return [event("c2s", HEADER + b"ping-udp-9", "udp"), *delivered(b"ping-udp-9", b"pong-udp-9")]


def and_the_third_is_relayed(events):
    return events[:-1] + delivered(b"ping-udp-3", b"pong-udp-3") + events[-1:]


def without_the_last_exchange(events):
    """The client's last datagram is lost: then neither the target nor the client gets what was recorded."""
    return events[:-4] + probe() + events[-1:]


def frames_too_long_are_lost(events):
    return events[:5] + events[8:] if "leg" not in events[8] and events[8]["dir"] == "c2s" else events[:5] + events[9:]


DROPS = "a datagram that is longer than the buffer is lost as a whole, GOST cuts it"
GOES_ON = "a bad datagram harms only itself, GOST relays nothing more"

DIFFERENCES = {
    "bind-server-client-fin": Difference("half-closes pass through, GOST closes both", lambda events: [
        *events[:8], events[-1], event("s2c", b"ping-late"), closing("c2s", "peer"), closing("s2c")]),
    "bind-server-peer-fin": Difference("half-closes pass through, GOST closes both", lambda events: [
        *events[:-2], closing("s2c"), event("c2s", b"ping-late"), event("s2c", b"ping-late", "peer"), closing("c2s"),
        closing("s2c", "peer")]),
    "bind-server-nonlocal": Difference("an address that is not ours is the peer that is expected (RFC 1928 section 4)",
                                       lambda events: [
        *events[:3], event("s2c", bytes.fromhex("050000017f0000010000")), {"dir": "note", "note": "still open"},
        closing("c2s"), closing("s2c")]),
    **{f"udp-assoc-server-bad-{kind}": Difference(GOES_ON, and_the_third_is_relayed)
       for kind in ("atyp", "empty", "name", "port0", "short", "truncated-header")},
    "udp-assoc-server-buffer-64": Difference(DROPS, without_the_last_exchange),
    "udp-assoc-server-oversized": Difference(DROPS, without_the_last_exchange),
    "udp-assoc-server-oversized-answer": Difference(DROPS, lambda events: events[:-2] + probe() + events[-1:]),
    "udp-assoc-server-frag": Difference("fragments are put together (RFC 1928 section 7), GOST relays each",
                                        lambda events: [
        *events[:5], events[8], *delivered(b"ping-udp-1ping-udp-2", b"pong-udp-2"), events[-1]]),
    "udp-assoc-server-second-client-port": Difference("the first port is the client, GOST answers the latest",
                                                      lambda events: [
        *events[:9], *from_the_target(b"late-answer"), *probe(), events[-1]]),
    "udptun-server-relay-4097": Difference(DROPS, frames_too_long_are_lost),
    "udptun-server-relay-oversized": Difference(DROPS, frames_too_long_are_lost),
    "udptun-server-relay-badname": Difference("a name that does not exist harms only its datagram, GOST closes",
                                              lambda events: [
        *events[:5], events[6], event("c2s", b"ping-tun-2", "target"), event("s2c", b"pong-tun-2", "target"),
        event("s2c", b"\0\x0a" + FRAME + b"pong-tun-2"), closing("c2s")]),
    "udptun-server-relay-empty": Difference("an empty frame is an empty datagram, GOST takes what follows as its payload",
                                            lambda events: [
        *events[:5], event("c2s", b"", "target"), events[5], event("c2s", b"ping-tun-2", "target"),
        event("s2c", b"pong-tun-2", "target"), event("s2c", b"\0\x0a" + FRAME + b"pong-tun-2"), *events[-2:]]),
    "udptun-server-relay-empty-answer": Difference("an empty answer is kept from a client that may be GOST: it would lose "
                                                   "its place", lambda events: events[:7] + events[8:]),
    "udptun-server-relay-ipv6-dest": Difference("the socket is of both families, GOST's of IPv4 only", lambda events: [
        *events[:5], event("c2s", b"ping-tun-1", "target"), event("s2c", b"pong-tun-1", "target"),
        event("s2c", b"\0\x0a\xff" + HEADER6 + b"pong-tun-1"), closing("c2s")]),
}


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def events_of(name):
    events = load(name)["events"]
    return DIFFERENCES[name].change(events) if name in DIFFERENCES else events


@pytest.fixture(name="server_for", scope="module")
def one_program_per_command(shared_gost):
    running = {}

    def server_for(name):
        words = shlex.split(load(name)["server_cmd"])
        assert words[:2] == ["gost", "-L"] and len(words) == 3, words
        url = words[2].replace("{PORT}", "0")
        if url not in running:
            running[url] = shared_gost("-L", url)
        return running[url].address

    return server_for


@pytest.mark.parametrize("name", BINDS)
def test_recorded_bind(name, server_for):
    proxy = server_for(name)
    BindReplay(proxy, {PORT: proxy[1], BOUND: free_port()}, events_of(name), HOSTS.get(name, "127.0.0.1")).play()


@pytest.mark.parametrize("name", DATAGRAMS)
def test_recorded_datagrams(name, server_for):
    proxy = server_for(name)
    with contextlib.closing(udp_socket()) as busy:
        ports = {PORT: proxy[1], BOUND: free_port(), BUSY: busy.getsockname()[1]}
        DatagramReplay(proxy, ports, events_of(name), HOSTS.get(name)).play()


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_differences_differ(name):
    assert DIFFERENCES[name].why and name in BINDS + DATAGRAMS
    assert events_of(name) != load(name)["events"]


def test_the_recordings_are_there():
    assert len(BINDS) == 15 and len(DATAGRAMS) > 40
