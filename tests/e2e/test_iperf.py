"""The tutorial's "iperf Test": TCP and UDP through forwards and a SOCKS5 server, with both kinds of UDP. Small."""
import contextlib
import json
import subprocess

import pytest

from support.reasons import join
from support.servers import Iperf3


@pytest.fixture(name="iperf", scope="module")
def iperf_server(tmp_path_factory):
    with contextlib.closing(Iperf3(tmp_path_factory.mktemp("iperf"))) as server:
        yield server


@pytest.fixture(name="front_ports", scope="module", params=["?relay=udp&udpBufferSize=65535", "?udpBufferSize=65535", ""],
                ids=["associate", "udp-tun", "defaults"])
def forwards(request, shared_gost, iperf):
    """A TCP and a UDP forward on one port, as in the tutorial."""
    server = shared_gost("-L", "socks5://127.0.0.1:0?notls=true&udp=true&udpBufferSize=65535")
    node = f"socks5://{join(server.address)}{request.param}"
    tcp = shared_gost("-L", f"tcp://127.0.0.1:0/:{iperf.port}", "-F", node)
    shared_gost("-L", f"udp://127.0.0.1:{tcp.port}/:{iperf.port}?keepalive=true&readBufferSize=65535", "-F", node)
    return tcp.port


@pytest.fixture(name="run_iperf")
def iperf_client(front_ports, iperf):
    """run_iperf(*arguments) is what the client reports at the end of a test through the forwards."""
    def run(*arguments):
        iperf.next_test()
        return run_client(front_ports, *arguments)
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
    end = run_iperf("-u", "-b", "20M", "-P", "2", "-l", "1400", "-t", "2", *direction)
    assert end["sum"]["packets"] > 1000 and end["sum"]["lost_percent"] < 20, end["sum"]


def test_udp_in_large_datagrams(run_iperf, request):
    if "defaults" in request.node.name:
        pytest.skip("the default buffer is for datagrams of up to 4096 bytes")
    end = run_iperf("-u", "-b", "20M", "-l", "32000", "-t", "1")
    assert end["sum"]["packets"] > 20 and end["sum"]["lost_percent"] < 20, end["sum"]


@pytest.mark.parametrize("direction", [[], ["-R"]], ids=["up", "down"])
def test_tcp(run_iperf, direction):
    end = run_iperf("-n", "100M", *direction)
    # The receiver stops counting when the control connection says that the sender is done.
    assert end["sum_sent"]["bytes"] >= 100_000_000 and end["sum_received"]["bytes"] >= 50_000_000
