"""The tutorial's "iperf Test": TCP and UDP through forwards and a SOCKS5 server, with both kinds of UDP. Small."""
import contextlib
import json
import re
import shlex
import subprocess

import pytest

from support.program import ROOT
from support.reasons import join
from support.servers import Iperf3, free_port

TUTORIAL = (ROOT / "examples/tutorial/README.md").read_text(encoding="utf-8")
SERVER, FORWARDS = (shlex.split(command)[1:] for command in re.findall(r"^gost .*65535.*$", TUTORIAL, re.MULTILINE))


@pytest.fixture(name="iperf", scope="module")
def iperf_server(tmp_path_factory):
    with contextlib.closing(Iperf3(tmp_path_factory.mktemp("iperf"))) as server:
        yield server


@pytest.fixture(name="front_port", scope="module", params=["relay=udp&udpBufferSize=65535", "udpBufferSize=65535", ""],
                ids=["associate", "udp-tun", "defaults"])
def forwards(request, shared_gost, iperf):
    """The two programs of the tutorial with other ports, and its node option or others in its place."""
    server = shared_gost(*SERVER[:-1], SERVER[-1].replace(":1080", "127.0.0.1:0"))
    port = free_port()

    def replaced(word):
        for old, new in ((":15201", f"127.0.0.1:{port}"), (":5201", f":{iperf.port}"), (":1080", join(server.address)),
                         ("relay=udp&udpBufferSize=65535", request.param)):
            word = word.replace(f"/{old}", f"/{new}").replace(f"?{old}", f"?{new}")
        return word

    shared_gost(*map(replaced, FORWARDS), services=2)
    return port


@pytest.fixture(name="run_iperf")
def iperf_client(front_port, iperf):
    """run_iperf(*arguments) is what the client reports at the end of a test through the forwards."""
    def run(*arguments):
        iperf.next_test()
        return run_client(front_port, *arguments)
    return run


def run_client(port, *arguments):
    done = subprocess.run(["iperf3", "--json", "-c", "127.0.0.1", "-p", str(port), *arguments], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert "error" not in report, report["error"]
    return report["end"]


@pytest.mark.parametrize("direction", [[], ["-R"]], ids=["up", "down"])
def test_udp(run_iperf, direction):
    """1 Mbit/s, as iperf3 does without further options. Nothing may be lost at that rate."""
    end = run_iperf("-u", "-t", "2", *direction)
    assert end["sum"]["packets"] > 5 and end["sum"]["lost_packets"] == 0, end["sum"]


@pytest.mark.parametrize("direction", [[], ["-R"]], ids=["up", "down"])
def test_udp_faster_and_in_parallel(run_iperf, direction):
    """On a loaded machine with a sanitizer the kernel's buffers may overflow: most of it must arrive."""
    end = run_iperf("-u", "-b", "5M", "-P", "2", "-l", "1400", "-t", "2", *direction)
    assert end["sum"]["packets"] > 1000 and end["sum"]["lost_percent"] < 50, end["sum"]


def test_udp_in_large_datagrams(run_iperf, request):
    if "defaults" in request.node.name:
        pytest.skip("the default buffer is for datagrams of up to 4096 bytes")
    end = run_iperf("-u", "-b", "10M", "-l", "32000", "-t", "1")
    assert end["sum"]["packets"] > 20 and end["sum"]["lost_percent"] < 50, end["sum"]


@pytest.mark.parametrize("direction", [[], ["-R"]], ids=["up", "down"])
def test_tcp(run_iperf, direction):
    end = run_iperf("-n", "100M", *direction)
    # The receiver stops counting when the control connection says that the sender is done.
    assert end["sum_sent"]["bytes"] >= 100_000_000 and end["sum_received"]["bytes"] >= 50_000_000
