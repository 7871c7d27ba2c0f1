"""More clients than there is room for: of descriptors, and of clients in the handshake."""
import contextlib
import time

import pytest

from support import wire
from support.reasons import assert_reason, ends
from support.waiting import wait_until

CROWD = 2000
FEW_FILES = 256
LOOPS = 2


def close_all(socks):
    for sock in socks:
        with contextlib.suppress(OSError):
            sock.close()


@pytest.fixture(name="small")
def program_with_few_descriptors(gost):
    return gost("-L", "socks5://127.0.0.1:0?readTimeout=60s", max_files=FEW_FILES, env={"GOMAXPROCS": str(LOOPS)})


def test_a_crowd_against_few_descriptors(small, echo):
    with contextlib.closing(wire.tunnel5(small.address, echo.address)) as bystander:
        wire.assert_echo(bystander)
        baseline = small.descriptors
        crowd = [wire.connect(small.address) for _ in range(CROWD)]
        small.wait_for_log("too many open files", level="warn")
        wait_until(lambda: small.descriptors >= FEW_FILES - 8, "the descriptors are used up")
        wire.assert_echo(bystander)
        cpu = small.cpu_seconds
        time.sleep(2)  # what is measured: waiting for descriptors must not spin
        assert small.cpu_seconds - cpu < 0.4
        wire.assert_echo(bystander)
        close_all(crowd)
        with contextlib.closing(wire.tunnel5(small.address, echo.address)) as sock:
            wire.assert_echo(sock)
        wait_until(lambda: small.descriptors <= baseline, "the descriptors come back")
        wire.assert_echo(bystander)
    warnings = small.log_lines("too many open files", level="warn")
    assert len(warnings) <= LOOPS, f"{len(warnings)} warnings about one shortage"


def test_a_crowd_that_asks_for_tunnels_against_few_descriptors(small, echo):
    """Whoever gets in and no descriptor for the target is told; those that wait get in later."""
    crowd = [wire.connect(small.address) for _ in range(CROWD // 4)]
    for sock in crowd:
        sock.sendall(wire.GREETING + wire.request5(*echo.address))
    granted = refused = 0
    for sock in crowd:
        assert wire.read_exactly(sock, 2) == b"\x05\x00"
        reply, _ = wire.read_reply5(sock)
        assert reply in (0, 1), reply
        if reply == 0:
            wire.assert_echo(sock)
            granted += 1
        else:
            refused += 1
        sock.close()
    assert granted >= FEW_FILES // 4, (granted, refused)
    small.wait_for_log("too many open files")
    with contextlib.closing(wire.tunnel5(small.address, echo.address)) as sock:
        wire.assert_echo(sock)


def test_the_oldest_of_too_many_handshakes_goes(gost, echo):
    program = gost("-L", "socks5://127.0.0.1:0?maxHandshakes=8")
    assert not program.log_lines(level="warn")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as bystander:
        silent = []
        for number in range(8):
            silent.append(wire.connect(program.address))
            program.wait_for_log(" <> ", count=number + 2)
        connection = ends(silent[0])
        silent.append(wire.connect(program.address))
        assert wire.read_to_end(silent[0]) == b""
        assert_reason(program, connection,
                      "dropped: more than 8 clients in the handshake at once (option maxHandshakes)")
        # Whoever speaks still gets through, and the tunnel is none of them.
        with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
            wire.assert_echo(sock)
        wire.assert_echo(bystander)
        for sock in silent[2:]:
            sock.sendall(wire.GREETING)
            assert wire.read_exactly(sock, 2) == b"\x05\x00"
        close_all(silent)


def test_a_crowd_of_silent_clients_does_not_keep_others_out(gost, echo):
    """More silent clients than the default of 1024."""
    program = gost("-L", "auto://127.0.0.1:0?readTimeout=60s")
    crowd = [wire.connect(program.address) for _ in range(1500)]
    program.wait_for_log("dropped: more than 1024 clients", count=1500 - 1024, kind="handler", level="error")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        wire.assert_echo(sock)
    close_all(crowd)
    program.wait_for_log(" >< ", count=1501)
