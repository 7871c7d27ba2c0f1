"""Recorded conversations of GOST 3.3.0 as a client of scripted proxies (tests/vectors/), replayed with this program."""
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

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


def replaced(events, old, new):
    return [{**event, "hex": new} if event.get("hex") == old else event for event in events]


NO_TLS_YET = "methods 80 and 82 are not offered yet"

DIFFERENCES = {}


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


def starting(gost, name):
    """start(proxy): the recorded command with a proxy at this address; sessions of UDP end soon."""
    words = shlex.split(load(name)["client_cmd"])
    assert words[:2] == ["gost", "-L"] and words[3] == "-F", words

    def start(proxy):
        ports = load(name)["ports"]
        service = words[2].replace("{LPORT}", "0").replace("{TPORT}", str(ports["TPORT"]))
        if service.startswith("udp"):
            service = service.replace("ttl=2s", "ttl=300ms") if "ttl=" in service else f"{service}?ttl=300ms"
        node = words[4].replace("127.0.0.1:{PORT}", join(proxy))
        assert "{" not in service + node
        return gost("-L", service, "-F", node).address

    return start


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_client(gost, name):
    StreamClientReplay(starting(gost, name), events_of(name), received(name)).play()


@pytest.mark.parametrize("name", DATAGRAMS)
def test_recorded_datagram_client(gost, name):
    DatagramClientReplay(starting(gost, name), events_of(name), received(name)).play()


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_differences_differ(name):
    assert DIFFERENCES[name].why and name in STREAMS + DATAGRAMS
    recorded = load(name)
    assert (events_of(name), received(name)) != (recorded["events"],
                                                 recorded["expect"]["application_behind_client_received"])


def test_the_recordings_are_there():
    assert len(STREAMS) == 39 and len(DATAGRAMS) == 9
