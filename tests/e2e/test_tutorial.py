"""The plain SOCKS part of GOST's tutorial: each command and each file of examples/tutorial does what it is there for."""
import contextlib
import re
import shlex

import pytest

from support import wire
from support.binding import Bind5, peer_of
from support.program import ROOT
from support.udp import Association, UdpAnswering, udp_socket

EXAMPLES = ROOT / "examples"
COMMANDS = [block for block in re.findall(r"```bash\n(.*?)\n```", (EXAMPLES / "tutorial/README.md").read_text("utf-8"), re.DOTALL)
            if block.startswith("gost ") and "iperf" not in block and "5201" not in block and "notls" not in block]


def start(gost, command, replacements):
    """As typed in examples/, with the ports of the tutorial replaced: some of them need rights, all may be in use."""
    def replaced(text):
        for port, address in replacements.items():
            text = re.sub(rf"(?<![\w.]):{port}\b", address, text)
        return text

    words = shlex.split(command)[1:]
    if words[0] == "-C":
        return gost("-C", "-", stdin=replaced((EXAMPLES / words[1]).read_text("utf-8")), cwd=EXAMPLES)
    return gost(*map(replaced, words), cwd=EXAMPLES)


@pytest.fixture(name="udp_echo")
def echo_of_datagrams():
    with contextlib.closing(UdpAnswering()) as server:
        yield server


@pytest.mark.parametrize("command", [text for text in COMMANDS if "bind" in text])
def test_bind(gost, command):
    program = start(gost, command, {1080: "127.0.0.1:0"})
    with contextlib.closing(Bind5(program.address, user="user", password="pass")) as bind:
        with contextlib.closing(peer_of(bind.bound)) as peer:
            bind.second_reply()
            peer.sendall(b"from the peer")
            assert wire.read_exactly(bind.sock, 13) == b"from the peer"


@pytest.mark.parametrize("command", [text for text in COMMANDS if "udp=true" in text or "udp.yaml" in text])
def test_a_server_for_datagrams(gost, udp_echo, command):
    program = start(gost, command, {1080: "127.0.0.1:0"})
    with contextlib.closing(Association(program.address)) as client:
        client.assert_echo(udp_echo.address, b"datagram")


@pytest.mark.parametrize("command", [text for text in COMMANDS if "udp://" in text or re.search(r"udp-\w+\.yaml", text)])
def test_a_forward_of_datagrams(gost, udp_echo, command):
    proxy = gost("-L", "socks5://127.0.0.1:0?udp=true")
    program = start(gost, command, {1080: f"127.0.0.1:{proxy.port}", 53: f"127.0.0.1:{udp_echo.port}",
                                    1053: "127.0.0.1:0", 10053: "127.0.0.1:0"})
    with contextlib.closing(udp_socket()) as sock:
        sock.sendto(b"query", ("127.0.0.1", program.port))
        assert sock.recv(100) == b"query"
    proxy.wait_for_log(" <-> ")


def test_every_command_was_run():
    assert len(COMMANDS) == 9
