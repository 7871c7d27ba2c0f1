"""so_mark: in a network of the test's own there is an address that only packets with the mark reach."""
import contextlib
import ctypes
import os
import shutil
import subprocess

import pytest

from support import wire
from support.peers import Answering
from support.reasons import join
from support.udp import Association, UdpAnswering, udp_socket

MARK = 7
GUARDED = "198.51.100.1"
NETWORK_UNREACHABLE = 3
CLONE_NEWNET = 0x40000000
# The loopback is all there is. What is sent to the guarded address comes from 127.0.0.1, so that answers need no mark.
SETUP = f"""\
link set lo up
address add {GUARDED}/32 dev lo
route replace local {GUARDED} dev lo src 127.0.0.1 table local
rule add pref 1 fwmark {MARK} lookup local
rule add pref 2 to {GUARDED} unreachable
rule add pref 3 lookup local
rule del pref 0
"""

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="marks, and a network of one's own, are for root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2"),
]


def system_call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


@pytest.fixture(name="network", autouse=True)
def own_network():
    """This thread, and every socket and program that it makes, are in a network of their own."""
    with open("/proc/thread-self/ns/net", "rb") as before:
        try:
            system_call("unshare", CLONE_NEWNET)
        except OSError as error:
            pytest.skip(f"no network of one's own can be made here: {error}")
        try:
            subprocess.run(["ip", "-batch", "-"], input=SETUP, text=True, check=True)
            yield
        finally:
            system_call("setns", before.fileno(), CLONE_NEWNET)


@pytest.fixture(name="target")
def guarded_target():
    with contextlib.closing(Answering(GUARDED)) as target:
        yield target


@pytest.fixture(name="udp_target")
def guarded_udp_target():
    with contextlib.closing(UdpAnswering(GUARDED)) as target:
        yield target


def reply_of_connect(proxy, target):
    with contextlib.closing(wire.connect(proxy)) as sock:
        sock.sendall(wire.GREETING + wire.request5(*target))
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
        return wire.read_reply5(sock)[0]


def test_connections_carry_the_mark(gost, target):
    program = gost("-L", f"socks5://127.0.0.1:0?so_mark={MARK}")
    with contextlib.closing(wire.tunnel5(program.address, target.address)) as sock:
        wire.assert_echo(sock)


@pytest.mark.parametrize("options", ["", f"?so_mark={MARK + 1}"])
def test_connections_without_the_mark(gost, target, options):
    program = gost("-L", f"socks5://127.0.0.1:0{options}")
    assert reply_of_connect(program.address, target.address) == NETWORK_UNREACHABLE
    assert target.accepted == 0


def test_connections_to_a_proxy(gost, target):
    proxy = gost("-L", f"socks5://{GUARDED}:0?so_mark={MARK}")
    node = f"socks5://{join(proxy.address)}?notls=true"
    marked = gost("-L", "socks5://127.0.0.1:0", "-F", f"{node}&so_mark={MARK}")
    with contextlib.closing(wire.tunnel5(marked.address, target.address)) as sock:
        wire.assert_echo(sock)
    unmarked = gost("-L", "socks5://127.0.0.1:0", "-F", node)
    assert reply_of_connect(unmarked.address, target.address) == NETWORK_UNREACHABLE
    assert target.accepted == 1


def test_datagrams_carry_the_mark(gost, udp_target):
    program = gost("-L", f"socks5://127.0.0.1:0?udp=true&so_mark={MARK}")
    with contextlib.closing(Association(program.address)) as client:
        client.assert_echo(udp_target.address)


def test_datagrams_without_the_mark(gost, udp_target):
    program = gost("-L", "socks5://127.0.0.1:0?udp=true")
    with contextlib.closing(UdpAnswering()) as free, contextlib.closing(Association(program.address)) as client:
        client.send(b"lost", udp_target.address)
        client.assert_echo(free.address)  # by then the first one is lost
    assert udp_target.received == []


@pytest.mark.parametrize(("options", "arrives"), [(f"&so_mark={MARK}", True), ("", False)])
def test_a_forward_of_datagrams(gost, udp_target, options, arrives):
    program = gost("-L", f"udp://127.0.0.1:0/{join(udp_target.address)}?keepalive=true&ttl=300ms{options}")
    with contextlib.closing(udp_socket()) as sock:
        sock.sendto(b"datagram", program.address)
        if arrives:
            assert sock.recv(100) == b"datagram"
        program.wait_for_log(" >< ")
    assert udp_target.payloads == ([b"datagram"] if arrives else [])
