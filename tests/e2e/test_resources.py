"""What many connections leave behind: nothing."""
import contextlib

from support import wire
from support.peers import Answering
from support.program import without_quarantine
from support.waiting import wait_until

MANY = 2000
IDLE = 500
GROWTH_KIB = 8 * 1024


def one_of_each_kind(address, target, number):
    """A tunnel that ends well, or a client that gives up at one of its steps, with FIN or RST."""
    stages = [b"", b"\x05", wire.GREETING, wire.GREETING + wire.request5(*target)[:6],
              wire.GREETING + wire.request5(*target), wire.GREETING + wire.request5(*target) + b"payload", b"\xff",
              wire.request4(*target), wire.request4(*target)[:7]]
    if number % 2 == 0:
        with contextlib.closing(wire.tunnel5(address, target)) as sock:
            wire.assert_echo(sock)
        return
    sock = wire.connect(address)
    sock.sendall(stages[number // 4 % len(stages)])
    if number % 4 == 1:
        sock.close()
    else:
        wire.reset(sock)


def test_nothing_is_left_after_many_connections(gost, echo):
    program = gost("-L", "auto://127.0.0.1:0", env=without_quarantine())
    idle = program.descriptors
    for number in range(200):
        one_of_each_kind(program.address, echo.address, number)
    program.wait_for_log(" >< ", count=200)
    # Loops keep a few pipes and a socket for questions about names.
    idle = max(idle, program.descriptors)
    resident = program.resident_kib
    for number in range(MANY):
        one_of_each_kind(program.address, echo.address, number)
    program.wait_for_log(" >< ", count=200 + MANY)
    assert program.resident_kib - resident < GROWTH_KIB
    wait_until(lambda: program.descriptors <= idle, lambda: f"{program.descriptors} descriptors, {idle} before")
    wait_until(lambda: echo.open == 0, lambda: f"{echo.open} targets have not seen the end")


def test_idle_tunnels_stay_alive(socks5):
    with contextlib.closing(Answering()) as echo:
        descriptors = socks5.descriptors
        tunnels = [wire.tunnel5(socks5.address, echo.address) for _ in range(IDLE)]
        assert socks5.descriptors - descriptors == 2 * IDLE
        for _ in range(2):
            for number, sock in enumerate(tunnels):
                wire.assert_echo(sock, f"tunnel {number}".encode())
        for sock in tunnels:
            sock.close()
        wait_until(lambda: echo.open == 0, "the targets see the end")
        wait_until(lambda: socks5.descriptors <= descriptors, "the descriptors come back")
