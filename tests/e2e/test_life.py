"""Start and end: addresses in use, signals, draining, systemd, users files that change."""
import contextlib
import os
import signal
import socket
import time

import pytest

from support import wire
from support.program import run_gost
from support.waiting import TIMEOUT, wait_until


# --- start ---

def test_an_address_in_use_ends_the_start(tmp_path):
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = tmp_path / "gost.yaml"
        file.write_text(f"""
services:
- name: free
  addr: 127.0.0.1:0
- name: busy
  addr: 127.0.0.1:{port}
  handler: {{type: socks5}}
""", encoding="utf-8")
        done = run_gost("-C", file)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert '"level":"fatal"' in last
    for part in ("service 'busy'", f"127.0.0.1:{port}", "address already in use"):
        assert part in last, last


def test_nothing_stays_bound_after_a_failed_start():
    with contextlib.closing(socket.socket()) as free, contextlib.closing(socket.socket()) as taken:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
        free.close()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run_gost("-L", f"socks5://127.0.0.1:{address[1]}", "-L",
                        f"socks5://127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 1
    with pytest.raises(ConnectionRefusedError):
        wire.connect(address)


@pytest.mark.parametrize("address", ["192.0.2.77:0", "nosuch.invalid:0"])
def test_an_address_that_is_not_ours(address):
    done = run_gost("-L", f"socks5://{address}")
    assert done.returncode == 1
    assert "service 'service-0'" in done.stderr and address.partition(":")[0] in done.stderr, done.stderr


# --- end ---

def refused(address):
    try:
        wire.connect(address).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(socks5, number):
    socks5.signal(number)
    assert socks5.wait() == 0


def test_sigterm_lets_tunnels_end_by_themselves(gost, echo):
    program = gost("-L", "socks5://127.0.0.1:0", "-drain", "1m")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        program.signal(signal.SIGTERM)
        program.wait_for_log("stopping: tunnels may go on for 1m0s")
        wait_until(lambda: refused(program.address), "new connections are refused")
        for number in range(10):
            wire.assert_echo(sock, f"during the drain {number}".encode())
        assert program.running
    assert program.wait() == 0
    assert len(program.log_lines(" >< ")) >= 1


def test_the_drain_is_limited(gost, echo):
    program = gost("-L", "socks5://127.0.0.1:0", "-drain", "1s")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        begin = time.monotonic()
        program.signal(signal.SIGTERM)
        assert wire.read_to_end(sock) == b""
        assert 0.9 < time.monotonic() - begin < 5
        assert program.wait() == 0
    assert program.log_lines(" >-< "), "the log tells the end of a tunnel that was cut, too"


def test_no_drain(gost, echo):
    program = gost("-L", "socks5://127.0.0.1:0", "--drain=0")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        program.signal(signal.SIGTERM)
        assert wire.read_to_end(sock) == b""
        assert program.wait() == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_drain(gost, echo, second):
    program = gost("-L", "socks5://127.0.0.1:0", "-drain", "1h")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        program.signal(signal.SIGTERM)
        program.wait_for_log("stopping: tunnels may go on for 1h0m0s")
        wire.assert_echo(sock)
        program.signal(second)
        assert wire.read_to_end(sock) == b""
        assert program.wait() == 0
    assert program.log_lines("stopping at once")


def test_sigint_ends_tunnels_at_once(gost, echo):
    program = gost("-L", "socks5://127.0.0.1:0", "-drain", "1h")
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        program.signal(signal.SIGINT)
        assert wire.read_to_end(sock) == b""
        assert program.wait() == 0


@pytest.mark.parametrize("sent", [b"", b"\x05", wire.GREETING])
def test_clients_in_the_handshake_do_not_stop_the_end(gost, sent):
    program = gost("-L", "socks5://127.0.0.1:0", "-drain", "1s")
    with contextlib.closing(wire.connect(program.address)) as sock:
        sock.sendall(sent)
        program.wait_for_log(" <> ")
        program.signal(signal.SIGTERM)
        assert program.wait() == 0


# --- systemd ---

@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(gost, tmp_path, abstract):
    path = f"\0gost-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notifications:
        notifications.bind(path)
        notifications.settimeout(TIMEOUT)
        program = gost("-L", "socks5://127.0.0.1:0", env={"NOTIFY_SOCKET": path.replace("\0", "@")})
        assert b"READY=1" in notifications.recv(1000).split(b"\n")
        program.signal(signal.SIGTERM)
        assert b"STOPPING=1" in notifications.recv(1000).split(b"\n")
        assert program.wait() == 0


def test_systemd_is_not_told_of_a_failed_start(tmp_path):
    path = str(tmp_path / "notify")
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as notifications:
        notifications.bind(path)
        notifications.setblocking(False)
        assert run_gost("-L", "socks5://192.0.2.77:0", env={"NOTIFY_SOCKET": path}).returncode == 1
        with pytest.raises(BlockingIOError):
            notifications.recv(1000)


# --- users files ---

def write_users(path, text):
    """As editors do: a new file takes the place of the old one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def login(program, user, password):
    with contextlib.closing(wire.connect(program.address)) as sock:
        sock.sendall(wire.GREETING_WITH_PASSWORD)
        assert wire.read_exactly(sock, 2) == b"\x05\x02"
        sock.sendall(wire.credentials(user, password))
        return wire.read_exactly(sock, 2) == b"\x01\x00"


@pytest.fixture(name="with_users")
def program_with_a_users_file(gost, tmp_path):
    def start(reload):
        users = tmp_path / "users.txt"
        write_users(users, "# who may come in\nalice one\n\n  bob   two words  \ncarol\n")
        file = tmp_path / "gost.yaml"
        file.write_text(f"""
services:
- name: socks
  addr: 127.0.0.1:0
  handler: {{type: socks5, auther: people}}
authers:
- name: people
  auths: [{{username: root, password: inline}}]
  file: {{path: {users}}}
  {reload}
""", encoding="utf-8")
        return gost("-C", file), users
    return start


def test_a_users_file(with_users):
    program, _ = with_users("")
    for user, password in [("alice", "one"), ("bob", "two words"), ("carol", ""), ("root", "inline")]:
        assert login(program, user, password), user
    for user, password in [("alice", "two"), ("alice", ""), ("bob", "two"), ("carol", "x"), ("", ""), ("#", "who"),
                           ("eve", "one"), ("root", "")]:
        assert not login(program, user, password), user


def test_sighup_reads_the_users_again(with_users, echo):
    program, users = with_users("")
    with contextlib.closing(wire.tunnel5(program.address, echo.address, "alice", "one")) as sock:
        write_users(users, "alice changed\ndave four\n")
        assert login(program, "alice", "one"), "nothing changes without a signal"
        program.signal(signal.SIGHUP)
        program.wait_for_log("users reloaded from", kind="auther", auther="people")
        assert login(program, "alice", "changed") and login(program, "dave", "four")
        assert login(program, "root", "inline")
        assert not login(program, "alice", "one") and not login(program, "bob", "two words")
        wire.assert_echo(sock)


@pytest.mark.parametrize("damage", ["unlink", "binary"])
def test_a_damaged_users_file_changes_nothing(with_users, damage):
    program, users = with_users("")
    if damage == "unlink":
        users.unlink()
    else:
        users.write_bytes(b"mallory evil\n\x00\x01\n")
    program.signal(signal.SIGHUP)
    line = program.wait_for_log("the old users stay", level="error")[0]
    assert str(users) in line["msg"]
    assert login(program, "alice", "one") and not login(program, "mallory", "evil")


def test_users_are_read_again_by_themselves(with_users):
    program, users = with_users("reload: 1s")
    write_users(users, "alice changed\n")
    wait_until(lambda: login(program, "alice", "changed"), "the new password is good")
    assert not login(program, "alice", "one")
    program.wait_for_log("users reloaded from", kind="auther")


def test_a_missing_users_file_ends_the_start(tmp_path):
    file = tmp_path / "gost.yaml"
    file.write_text("""
services: [{name: s, addr: "127.0.0.1:0", handler: {type: socks5, auther: people}}]
authers: [{name: people, file: {path: /nonexistent/users}}]
""", encoding="utf-8")
    done = run_gost("-C", file)
    assert done.returncode == 1
    assert "listening" not in done.stderr
    assert "/nonexistent/users" in done.stderr and "no such file" in done.stderr
