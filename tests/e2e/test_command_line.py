"""Flags, sources and environment through the binary; all rules of URLs and files have unit tests (tests/golden)."""
import contextlib
import json

import pytest
import yaml

from support import wire
from support.program import ROOT, Gost, run_gost

GOLDEN = ROOT / "tests/golden/command_line"
SERVICE = {"services": [{"name": "from-file", "addr": "127.0.0.1:0", "handler": {"type": "socks5"}}]}


def names(program):
    return [line["service"] for line in program.log_lines("listening on")]


# --- flags ---

def test_the_version():
    done = run_gost("-V", "-L", "this is never read")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("gost ") and done.stdout.endswith("\n") and len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("flag", ["-h", "-help", "--help", "--h"])
def test_help(flag):
    done = run_gost(flag)
    assert done.returncode == 0 and done.stdout == ""
    for part in ("-L URL", "-C SOURCE", "-O FORMAT", "-drain", "gost check"):
        assert part in done.stderr


@pytest.mark.parametrize("arguments", [["-x"], ["-x=1"], ["--no-such-flag"], ["-L", "socks5://:0", "-Dx"]])
def test_an_unknown_flag(arguments):
    done = run_gost(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    flag = arguments[-1].lstrip("-").partition("=")[0]
    assert done.stderr.splitlines()[0] == f"flag provided but not defined: -{flag}"
    assert "Usage" in done.stderr


@pytest.mark.parametrize("arguments", [["-L"], ["-D=perhaps"], ["-drain", "soon"], ["-R", "1d"]])
def test_a_bad_value(arguments):
    done = run_gost(*arguments)
    assert done.returncode == 2
    assert arguments[0].partition("=")[0] in done.stderr.splitlines()[0]


@pytest.mark.parametrize("spelling", [["-L", "{}"], ["-L={}"], ["--L", "{}"], ["--L={}"]])
def test_ways_to_write_a_flag(gost, echo, spelling):
    program = gost(*(part.format("socks5://127.0.0.1:0") for part in spelling))
    with contextlib.closing(wire.tunnel5(program.address, echo.address)) as sock:
        wire.assert_echo(sock)


@pytest.mark.parametrize("number", ["E01", "E07", "E20", "E33"])
def test_printing_the_configuration(number):
    arguments = (GOLDEN / f"{number}.args").read_text(encoding="utf-8").splitlines()
    expected = (GOLDEN / f"{number}.yaml").read_text(encoding="utf-8")
    arguments = [argument for argument in arguments if argument]
    as_yaml = run_gost(*arguments, "-O", "yaml")
    assert as_yaml.returncode == 0 and as_yaml.stderr == ""
    assert as_yaml.stdout == expected
    as_json = run_gost(*arguments, "-O", "json")
    assert json.loads(as_json.stdout) == yaml.safe_load(expected)


def test_what_is_printed_can_be_read():
    url = "socks5+tls://user:pa%20ss@:1080?readTimeout=5s&bypass=10.0.0.0/8"
    printed = run_gost("-L", url, "-O", "yaml").stdout
    assert run_gost("-C", "-", "-O", "yaml", stdin=printed).stdout == printed


# --- several services ---

def test_several_services(gost, echo):
    program = gost("-L", "socks5://127.0.0.1:0", "-L", "socks4://127.0.0.1:0", "-L", "127.0.0.1:0", services=3)
    assert names(program) == ["service-0", "service-1", "service-2"]
    for address, tunnel in zip(program.listening, (wire.tunnel5, wire.tunnel4, wire.tunnel5)):
        with contextlib.closing(tunnel(address, echo.address)) as sock:
            wire.assert_echo(sock)


# --- sources ---

def test_a_yaml_file(gost, tmp_path):
    file = tmp_path / "gost.yaml"
    file.write_text(yaml.safe_dump(SERVICE), encoding="utf-8")
    assert names(gost("-C", file)) == ["from-file"]


def test_a_json_file(gost, tmp_path):
    file = tmp_path / "gost.json"
    file.write_text(json.dumps(SERVICE), encoding="utf-8")
    assert names(gost("-C", file)) == ["from-file"]


@pytest.mark.parametrize("write", [yaml.safe_dump, json.dumps])
def test_standard_input(gost, write):
    assert names(gost("-C", "-", stdin=write(SERVICE))) == ["from-file"]


def test_inline_json(gost):
    assert names(gost("-C", json.dumps(SERVICE))) == ["from-file"]


def test_several_sources_and_services_on_the_command_line(gost, tmp_path, echo):
    first = tmp_path / "first.yaml"
    first.write_text(yaml.safe_dump({**SERVICE, "log": {"level": "error"}}), encoding="utf-8")
    second = json.dumps({
        "services": [{"name": "protected", "addr": "127.0.0.1:0", "handler": {"type": "socks5", "auther": "people"}}],
        "log": {"level": "info"}})
    third = yaml.safe_dump({"authers": [{"name": "people", "auths": [{"username": "alice", "password": "secret"}]}]})
    program = gost("-C", first, "-C", second, "-C", "-", "-L", "socks4://127.0.0.1:0", stdin=third, services=3)
    assert names(program) == ["from-file", "protected", "service-0"]
    with contextlib.closing(wire.tunnel5(program.listening[1], echo.address, "alice", "secret")) as sock:
        wire.assert_echo(sock)


@pytest.mark.parametrize(("source", "stdin", "words"), [
    ("/nonexistent/gost.yaml", "", "/nonexistent/gost.yaml: no such file or directory"),
    ("-", "", "EOF"),
    ("-", "services: [", "yaml"),
    ("{}}", "", "json"),
    ("{\"services\": [{\"name\": 5, \"addr\": []}]}", "", "addr"),
])
def test_sources_that_cannot_be_used(source, stdin, words):
    done = run_gost("-C", source, "-L", "socks5://127.0.0.1:0", stdin=stdin)
    assert done.returncode == 1
    assert words in done.stderr and "listening" not in done.stderr, done.stderr


def test_the_default_file_of_the_user(gost, tmp_path):
    folder = tmp_path / ".gost"
    folder.mkdir()
    (folder / "gost.yaml").write_text(yaml.safe_dump(SERVICE), encoding="utf-8")
    assert names(gost(env={"HOME": str(tmp_path)}, cwd=tmp_path)) == ["from-file"]


def test_the_default_file_of_the_working_directory(gost, tmp_path):
    (tmp_path / "gost.json").write_text(json.dumps(SERVICE), encoding="utf-8")
    assert names(gost(cwd=tmp_path)) == ["from-file"]


def test_a_command_line_hides_the_default_file(gost, tmp_path):
    (tmp_path / "gost.json").write_text(json.dumps(SERVICE), encoding="utf-8")
    assert names(gost("-L", "socks5://127.0.0.1:0", cwd=tmp_path)) == ["service-0"]


def test_nothing_at_all(tmp_path):
    done = run_gost(cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert done.returncode == 1
    for part in ("/etc/gost", f"{tmp_path}/.gost", str(tmp_path)):
        assert part in done.stderr, done.stderr


# --- environment ---

@pytest.mark.parametrize(("level", "arguments", "lowest"), [
    ("debug", [], "debug"), ("trace", [], "debug"), ("info", ["-D"], "debug"), ("error", ["-DD"], "debug"),
    ("", [], "info"), ("nonsense", [], "info")])
def test_the_log_level_of_the_environment(gost, echo, level, arguments, lowest):
    program = gost("-L", "socks5://127.0.0.1:0", *arguments, env={"GOST_LOGGER_LEVEL": level} if level else None)
    with contextlib.closing(wire.tunnel5(program.address, echo.address)):
        program.wait_for_log(" <-> ")
    assert bool(program.log_lines(" >> ", level="debug")) == (lowest == "debug")


def test_the_number_of_loops(tmp_path):
    """GOMAXPROCS is what people set for GOST; a value that makes no sense is passed over."""
    for value in ("1", "3", "0", "-1", "many"):
        program = Gost("-L", "socks5://127.0.0.1:0", env={"GOMAXPROCS": value}, cwd=tmp_path)
        assert program.stop() == 0
