"""The log through the binary: keys, levels, formats, files, and that clients cannot write into it."""
import contextlib
import json
import re

import pytest
import yaml

from support import wire
from support.reasons import join, lines_of
from support.waiting import wait_until

COMMON = {"time", "level", "msg", "kind", "service", "listener", "handler", "network", "remote", "local", "client",
          "sid"}
KNOWN = COMMON | {"user", "clientID", "dst", "cmd", "host", "src"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")


def write_log_section(tmp_path, **log):
    file = tmp_path / "gost.yaml"
    service = {"name": "socks", "addr": "127.0.0.1:0", "handler": {"type": "socks5"}}
    file.write_text(yaml.safe_dump({"services": [service], "log": log}), encoding="utf-8")
    return file


def finished(program, sock, count=1):
    """Closes the tunnel and waits for its last line."""
    sock.close()
    return program.wait_for_log(" >< ", count=count)[-1]


# --- the lines of a connection ---

def test_the_keys_of_one_connect(gost, echo):
    program = gost("-L", "socks5://bob:secret@127.0.0.1:0")
    sock = wire.tunnel5(program.address, ("localhost", echo.port), "bob", "secret")
    wire.assert_echo(sock, b"12345")
    client, server = join(sock.getsockname()), join(program.address)
    last = finished(program, sock)
    lines = lines_of(program, last["sid"])
    target, dialled = f"localhost:{echo.port}", join(echo.address)
    assert [line["msg"] for line in lines] == [f"{client} <> {server}", f"{client} <-> {target}",
                                               f"{client} >-< {target}", f"{client} >< {server}"]
    assert [set(line) for line in lines] == [COMMON, KNOWN, KNOWN | {"duration"},
                                             KNOWN | {"duration", "inputBytes", "outputBytes"}]
    for line in lines:
        assert line.items() >= {"level": "info", "kind": "handler", "service": "service-0", "listener": "tcp",
                                "handler": "socks5", "network": "tcp", "remote": client, "local": server,
                                "client": client}.items()
        assert TIME.fullmatch(line["time"]) and re.fullmatch("[0-9a-v]{20}", line["sid"])
    for line in lines[1:]:
        assert line.items() >= {"user": "bob", "clientID": "bob", "dst": dialled, "cmd": "connect",
                                "host": target}.items()
        assert re.fullmatch(r"127\.0\.0\.1:\d+", line["src"])
    assert (last["inputBytes"], last["outputBytes"]) == (5, 5)
    assert 0 < lines[2]["duration"] <= last["duration"]


def test_the_line_of_a_service(socks5):
    line = socks5.log_lines("listening on")[0]
    assert line.pop("time") and line == {
        "level": "info", "msg": f"listening on {join(socks5.address)}/tcp", "kind": "service", "service": "service-0",
        "listener": "tcp", "handler": "socks5"}


def test_every_connection_has_its_own_sid(socks5, echo):
    for number in range(20):
        finished(socks5, wire.tunnel5(socks5.address, echo.address), number + 1)
    sids = [line["sid"] for line in socks5.log_lines(" >< ")]
    assert len(set(sids)) == 20
    for sid in sids:
        assert len(lines_of(socks5, sid)) == 4


# --- failures ---

@pytest.mark.parametrize(("host", "reason"), [
    ("127.0.0.1", r"dial tcp 127\.0\.0\.1:{port}: connect: connection refused"),
    ("localhost", r"dial tcp (127\.0\.0\.1|\[::1\]):{port}: connect: connection refused"),
    ("nosuch.invalid", r"dial tcp: lookup nosuch\.invalid: no such host")])
def test_a_target_that_cannot_be_reached(gost, dead_port, host, reason):
    program = gost("-L", "socks4://127.0.0.1:0")
    with contextlib.closing(wire.connect(program.address)) as sock:
        sock.sendall(wire.request4(host, dead_port, b"me"))
        assert wire.read_to_end(sock) == b"\x00\x5b" + bytes(6)
    last = program.wait_for_log(" >< ")[0]
    assert re.fullmatch(reason.format(port=dead_port), last["err"]), last
    assert last.items() >= {"user": "me", "cmd": "connect", "host": f"{host}:{dead_port}"}.items()
    error = program.log_lines(level="error", kind="handler")[0]
    assert error["msg"] == last["err"] and error["sid"] == last["sid"] and error["host"] == last["host"]


def test_a_refused_login_names_the_user_and_never_the_password(gost):
    program = gost("-L", "socks5://bob:secret@127.0.0.1:0", "-DD")
    with contextlib.closing(wire.connect(program.address)) as sock:
        sock.sendall(wire.GREETING_WITH_PASSWORD + wire.credentials("eve", "guessed-it"))
        assert wire.read_to_end(sock) == b"\x05\x02\x01\x01"
    last = program.wait_for_log(" >< ")[0]
    assert last["err"] == "auth failure" and last["user"] == "eve"
    assert "guessed-it" not in program.stderr and "secret" not in program.stderr


# --- hostile texts ---

HOSTILE = [b'x","level":"fatal","msg":"owned"}\n{"level":"fatal","msg":"owned"}', b"x\r\nlevel=fatal msg=owned",
           b"\x1b[2J\x1b]0;title\x07", b"\xff\xfe\x00\x01", "‮evil\u2066".encode(), b'" user="root', b"a b=c"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("log_format", ["json", "text"])
def test_hostile_user_and_host_names(gost, tmp_path, name, log_format):
    file = write_log_section(tmp_path, format=log_format)
    program = gost("-C", file, "-C", json.dumps({"authers": []}))
    lines_before = len(program.stderr_lines)
    with contextlib.closing(wire.connect(program.address)) as sock:
        sock.sendall(wire.GREETING + wire.request5(name, 80))
        assert wire.read_to_end(sock)[2:4] == b"\x05\x04"
    wait_until(lambda: any(" >< " in line for line in program.stderr_lines), "the connection ends")
    lines = program.stderr_lines[lines_before:]
    assert len(lines) == 4, lines
    for line in lines:
        assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", line), line
        if log_format == "json":
            assert json.loads(line)["level"] in ("info", "error")
        else:
            assert re.match(r"time=\S+ level=(info|error) msg=", line), line
            assert line.count(" level=") == 1 or '"' in line, line


def test_a_hostile_user_name(gost):
    program = gost("-L", "socks5://bob:secret@127.0.0.1:0")
    for count, name in enumerate(HOSTILE, 1):
        with contextlib.closing(wire.connect(program.address)) as sock:
            sock.sendall(wire.GREETING_WITH_PASSWORD + wire.credentials(name, "x"))
            assert wire.read_to_end(sock) == b"\x05\x02\x01\x01"
        last = program.wait_for_log(" >< ", count=count)[-1]
        assert last["user"] == name.decode("utf-8", "replace") and last["level"] == "info"
    assert all(line.startswith("{") for line in program.stderr_lines)
    assert not program.log_lines(level="fatal")


# --- the log section ---

def test_text(gost, tmp_path, echo):
    program = gost("-C", write_log_section(tmp_path, format="text"))
    wire.tunnel5(program.address, echo.address).close()
    wait_until(lambda: " >< " in program.stderr, "the connection ends")
    first = next(line for line in program.stderr_lines if "listening" in line)
    assert re.fullmatch(r'time=\S+ level=info msg="listening on 127\.0\.0\.1:\d+/tcp" kind=service service=socks '
                        r"listener=tcp handler=socks5", first), first
    assert "\x1b" not in program.stderr, "colours are for terminals"


@pytest.mark.parametrize(("level", "expected"), [("trace", {"debug", "info"}), ("debug", {"debug", "info"}),
                                                 ("info", {"info"})])
def test_levels(gost, tmp_path, echo, level, expected):
    program = gost("-C", write_log_section(tmp_path, level=level))
    finished(program, wire.tunnel5(program.address, echo.address))
    assert {line["level"] for line in program.log} == expected
    assert all(("caller" in line) == (level != "info") for line in program.log_lines(kind="handler"))


@pytest.mark.parametrize("level", ["warn", "error"])
def test_quiet_levels(gost, echo, dead_port, level):
    """Nothing about what goes well; a failure is an error."""
    port = free_port()
    program = gost("-L", f"socks5://127.0.0.1:{port}", env={"GOST_LOGGER_LEVEL": level}, services=0)
    wait_until(lambda: tunnel_or_none(port, echo), "it listens").close()
    with contextlib.closing(wire.connect(("127.0.0.1", port))) as sock:
        sock.sendall(wire.GREETING + wire.request5("127.0.0.1", dead_port))
        assert wire.read_to_end(sock)[3] == 5
    assert program.stop() == 0
    assert [(line["level"], line["kind"]) for line in program.log] == [("error", "handler"), ("error", "service")]


def test_standard_output(gost, tmp_path):
    program = gost("-C", write_log_section(tmp_path, output="stdout"))
    assert program.stderr == ""
    assert "listening on" in [json.loads(line)["msg"][:12] for line in program.stdout_lines]


def read_log(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def free_port():
    with contextlib.closing(wire.socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_a_file_in_a_new_folder_and_appending(gost, tmp_path, echo):
    log = tmp_path / "deep" / "down" / "gost.log"
    for starts in (1, 2):
        program = gost("-C", write_log_section(tmp_path, output=str(log)), services=0)
        wait_until(lambda: log.exists() and log.read_text(encoding="utf-8").count("listening on") == starts,
                   "the log file tells of the start")
        port = int(re.findall(r"listening on 127\.0\.0\.1:(\d+)", log.read_text(encoding="utf-8"))[-1])
        wire.tunnel5(("127.0.0.1", port), echo.address).close()
        wait_until(lambda: log.read_text(encoding="utf-8").count(" >< ") == starts, "the log tells of the connection")
        assert program.stop() == 0
        assert program.stderr == ""
    assert all(line["level"] == "info" for line in read_log(log))


def test_a_file_that_cannot_be_opened(gost, tmp_path):
    program = gost("-C", write_log_section(tmp_path, output="/proc/nothing/gost.log"))
    warning = program.log_lines("/proc/nothing/gost.log", level="warn")
    assert warning and program.log_lines("listening on")


def test_rotation(gost, tmp_path, echo):
    log = tmp_path / "gost.log"
    file = write_log_section(tmp_path, output=str(log), level="trace",
                             rotation={"maxSize": 1, "maxBackups": 2, "compress": False})
    program = gost("-C", file, services=0)
    wait_until(lambda: log.exists() and "listening on" in log.read_text(encoding="utf-8"), "it listens")
    port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text(encoding="utf-8"))[1])
    name = b"n" * 250
    connections = 0
    while len(list(tmp_path.glob("gost-*.log"))) < 1:
        with contextlib.closing(wire.connect(("127.0.0.1", port))) as sock:
            sock.sendall(wire.GREETING + wire.request5(name, 80))
            wire.read_to_end(sock)
        connections += 1
        assert connections < 3000
    program.stop()
    backups = list(tmp_path.glob("gost-*.log"))
    assert all(re.fullmatch(r"gost-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log", path.name) for path in backups)
    assert all(path.stat().st_size <= 1 << 20 for path in [*backups, log])
    lines = [line for path in sorted(backups) + [log] for line in read_log(path)]
    assert sum(" >< " in line["msg"] for line in lines) == connections, "no line was lost or cut"


def test_no_log(gost, tmp_path, echo):
    port = free_port()
    program = gost("-L", f"socks5://127.0.0.1:{port}", "-C", "-", stdin="log: {output: none}\n", services=0)
    wait_until(lambda: tunnel_or_none(port, echo), "it listens").close()
    assert program.stop() == 0
    assert program.stderr == "" and program.stdout_lines == []


def tunnel_or_none(port, echo):
    with contextlib.suppress(ConnectionRefusedError):
        return wire.tunnel5(("127.0.0.1", port), echo.address)
    return None
