"""Recorded conversations of GOST 3.3.0 with raw clients (tests/vectors/), replayed against this program."""
import contextlib
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import peers
from support.replay import Conversation, pong

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
GROUPS = ("socks4-server-", "socks4a-server-", "socks5-server-", "auto-")

HTTP_LATER = "the http handler, to which auto passes such clients, is not in this build"
BYPASS_LATER = "bypasses are not in this build"
SKIPPED = {
    "auto-auth-http": HTTP_LATER,
    "auto-auth-http-ok": HTTP_LATER,
    "auto-http-connect": HTTP_LATER,
    "auto-http-get": HTTP_LATER,
    "auto-http-origin-form": HTTP_LATER,
    "socks4-server-bypass": BYPASS_LATER,
    "socks5-server-bypass": BYPASS_LATER,
}


@dataclass
class Difference:
    """What this program deliberately does in another way: other events, and perhaps another command."""
    why: str
    events: list
    options: str = ""


def client(text):
    return {"dir": "c2s", "hex": text}


def server(text):
    return {"dir": "s2c", "hex": text}


CLIENT_FIN = {"dir": "c2s", "close": "fin"}
SERVER_END = {"dir": "s2c", "close": "fin"}
TRUTH = "the reply names the cause (RFC 1928 §6), GOST always says 03"
KEPT = "payload behind the request is kept, GOST loses what shares a read with the request"
PING1, PONG1 = b"ping-s5-1".hex(), b"pong-s5-1".hex()
PING2, PONG2 = b"ping-s5-2".hex(), b"pong-s5-2".hex()
REQUEST5 = "050100017f0000015a8f"
SUCCESS5 = "050000017f0000010000"

DIFFERENCES = {
    "socks5-server-refused": Difference(TRUTH, [
        client("050100"), server("0500"), client("050100017f0000015a95"), server("05050001000000000000"), SERVER_END]),
    "socks5-server-badname": Difference(TRUTH, [
        client("050100"), server("0500"), client("050100030e" + b"nosuch.invalid".hex() + "0050"),
        server("05040001000000000000"), SERVER_END]),
    "socks5-server-bad-atyp": Difference("an unknown address type is answered with 08, GOST closes silently", [
        client("050100"), server("0500"), client("050100027f0000015a8f"), server("05080001000000000000"), SERVER_END]),
    "socks4-server-bind-disabled": Difference("BIND is answered with 5b, GOST closes silently", [
        client("04025a8f7f00000100"), server("005b000000000000"), SERVER_END]),
    "socks5-server-auth-nopassword-configured": Difference(
        "an empty stored password matches only an empty one, GOST's matches any", [
            client("050102"), server("0502"), client("0103626f62087768617465766572"), server("0101"), SERVER_END]),
    "auto-silent": Difference("the first byte has the read timeout too, GOST waits for ever", [SERVER_END],
                              options="&readTimeout=1s"),
    "socks5-server-pipelined-all": Difference(KEPT, [
        client("050100" + REQUEST5 + PING1), server("0500"), server(SUCCESS5), server(PONG1),
        client(PING2), server(PONG2), CLIENT_FIN, SERVER_END]),
    "socks5-server-pipelined-request-payload": Difference(KEPT, [
        client("050100"), server("0500"), client(REQUEST5 + PING1), server(SUCCESS5), server(PONG1),
        client(PING2), server(PONG2), CLIENT_FIN, SERVER_END]),
    "socks5-server-pipelined-request-payload-500": Difference(KEPT, [
        client("050100"), server("0500"), client(REQUEST5 + (bytes(range(250)) * 2).hex()), server(SUCCESS5),
        server((bytes(range(250)) * 2).hex()), CLIENT_FIN, SERVER_END]),
}

REPLAYED = sorted(path.stem for path in VECTORS.glob("*.json") if path.stem.startswith(GROUPS))


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def url_of(vector, options=""):
    """The -L value of the recorded command, on a port of the kernel's choice."""
    words = shlex.split(vector["server_cmd"])
    assert words[:2] == ["gost", "-L"] and len(words) == 3, words
    return words[2].replace("{PORT}", "0") + options


@pytest.fixture(name="server_for", scope="module")
def one_program_per_command(shared_gost):
    running = {}

    def server_for(url):
        if url not in running:
            running[url] = shared_gost("-L", url)
        return running[url].address

    return server_for


@pytest.fixture(name="answering", scope="module")
def answering_targets():
    with contextlib.closing(peers.Answering(answer=pong)) as ipv4, \
            contextlib.closing(peers.Answering("::1", answer=pong)) as ipv6:
        yield {"TPORT": ipv4.port, "TPORT6": ipv6.port}


@pytest.mark.parametrize("name", REPLAYED)
def test_recorded_conversation(name, server_for, answering, target, dead_port):
    if name in SKIPPED:
        pytest.skip(SKIPPED[name])
    vector = load(name)
    different = DIFFERENCES.get(name)
    events = different.events if different else vector["events"]
    scripted = any(event.get("leg") == "target" for event in events)
    now = {**answering, "DEAD": dead_port, **({"TPORT": target.port} if scripted else {})}
    ports = {number: now[role] for role, number in vector["ports"].items() if role in now}
    proxy = server_for(url_of(vector, different.options if different else ""))
    Conversation(proxy, ports, events, target).play()


def test_every_listed_name_is_a_vector_and_nothing_is_listed_twice():
    assert REPLAYED, "the vectors are missing"
    assert set(SKIPPED) | set(DIFFERENCES) <= set(REPLAYED)
    assert not set(SKIPPED) & set(DIFFERENCES)


def test_the_index_names_every_recording():
    index = (VECTORS / "INDEX").read_text(encoding="utf-8").split()
    assert sorted(path.stem for path in VECTORS.glob("*.json")) == sorted(index)


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_differences_differ(name):
    """A difference that is none would hide that the recording itself could be replayed."""
    def said(events):
        text = "".join(event.get("hex", "|") for event in events if event["dir"] == "s2c" and "leg" not in event)
        return re.sub(r"(0500000[14]7f000001)....", r"\1", text)
    assert DIFFERENCES[name].why
    assert said(DIFFERENCES[name].events) != said(load(name)["events"])
