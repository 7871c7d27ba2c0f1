"""Recorded conversations of GOST 3.3.0 as a client of scripted proxies (tests/vectors/), replayed with this program."""
import contextlib
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from support.peers import Target
from support.reasons import join
from support.replay_client import DatagramClientReplay, StreamClientReplay

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
STREAMS = sorted(path.stem for path in VECTORS.glob("socks*-client-*.json") if "-server-" not in path.stem)
DATAGRAMS = sorted(path.stem for path in VECTORS.glob("udp-assoc-client-*.json"))


@dataclass
class Difference:
    """What this program deliberately does in another way: `change` makes its events of the recorded ones; `received`
    is what the application gets, if that is another thing."""
    why: str
    change: Callable[[list], list] = lambda events: events
    received: object = None


GOOD_ANSWER = {"leg": "udp", "dir": "s2c", "hex": (bytes.fromhex("000000017f0000015a8f") + b"pong-udp-1").hex()}

DIFFERENCES = {
    "socks5-client-reply-coalesced-payload": Difference(
        "payload behind the reply is kept, GOST loses what shares a read with it", received="banner-00\npong-x\n"),
    "udp-assoc-client-ctl-closed": Difference(
        "the end of the control connection ends the session, GOST goes on sending to a relay that is gone",
        lambda events: [*events[:6], {"dir": "c2s", "close": "fin"}]),
    "udp-assoc-client-frag": Difference(
        "an answer in fragments is dropped (RFC 1928 section 7), GOST takes each for a whole",
        lambda events: [*events[:-1], GOOD_ANSWER, events[-1]], received=["pong-udp-1"]),
    "udp-assoc-client-rsv-nonzero": Difference("RSV is ignored, GOST takes it for a length", received=["pong-rsv"]),
    "udp-assoc-client-short-answer": Difference(
        "a truncated answer harms only itself, GOST ends the association",
        lambda events: [*events[:6], GOOD_ANSWER, {"dir": "c2s", "close": "fin"}], received=["pong-udp-1"]),
}


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def events_of(name):
    events = load(name)["events"]
    return DIFFERENCES[name].change(events) if name in DIFFERENCES else events


def received(name):
    different = DIFFERENCES.get(name)
    if different and different.received is not None:
        return different.received
    return load(name)["expect"]["application_behind_client_received"]


@pytest.fixture(name="proxy", scope="module")
def scripted_proxy():
    with contextlib.closing(Target()) as listener:
        yield listener


@pytest.fixture(name="forward_for", scope="module")
def one_program_per_command(shared_gost, proxy):
    """forward_for(name): where the program with the recorded command listens. Sessions of UDP end soon."""
    running = {}

    def forward_for(name):
        recorded = load(name)
        words = shlex.split(recorded["client_cmd"])
        assert words[:2] == ["gost", "-L"] and words[3] == "-F", words
        service = words[2].replace("{LPORT}", "0").replace("{TPORT}", str(recorded["ports"]["TPORT"]))
        if service.startswith("udp"):
            service = service.replace("ttl=2s", "ttl=300ms") if "ttl=" in service else f"{service}?ttl=300ms"
        node = words[4].replace("127.0.0.1:{PORT}", join(proxy.address))
        assert "{" not in service + node
        if (service, node) not in running:
            running[service, node] = shared_gost("-L", service, "-F", node)
        return running[service, node].address

    return forward_for


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_client(forward_for, proxy, name):
    StreamClientReplay(forward_for(name), proxy, events_of(name), received(name)).play()


@pytest.mark.parametrize("name", DATAGRAMS)
def test_recorded_datagram_client(forward_for, proxy, name):
    DatagramClientReplay(forward_for(name), proxy, events_of(name), received(name)).play()


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_differences_differ(name):
    assert DIFFERENCES[name].why and name in STREAMS + DATAGRAMS
    recorded = load(name)
    assert (events_of(name), received(name)) != (recorded["events"],
                                                 recorded["expect"]["application_behind_client_received"])


def test_the_recordings_are_there():
    assert len(STREAMS) == 39 and len(DATAGRAMS) == 9
