"""`gost check`: exit codes and messages through the binary, and that what it refuses does not start."""
import json

import pytest

from support.program import ROOT, run_gost

GOLDEN = ROOT / "tests/golden/check"
CASES = sorted(path.name[:-4] for path in GOLDEN.glob("*.txt"))
BAD_CONFIGURATION = 78


def golden(name):
    return (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def is_error(line):
    return ": warning: " not in line and not line.startswith("warning: ")


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_mistake(name):
    done = run_gost("check", "-C", name, cwd=GOLDEN)
    expected = golden(name)
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if line != "the configuration is good"] == expected
    assert done.returncode == (BAD_CONFIGURATION if any(map(is_error, expected)) else 0)


@pytest.mark.parametrize("name", [name for name in CASES if any(map(is_error, golden(name)))])
def test_what_check_refuses_does_not_start(name):
    done = run_gost("-C", name, "-L", "socks5://127.0.0.1:0", cwd=GOLDEN)
    assert done.returncode == 1
    assert "listening on" not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert all(line["level"] == "fatal" for line in lines)
    assert [line["msg"] for line in lines] == [line for line in golden(name) if is_error(line)]


def test_a_good_configuration():
    done = run_gost("check", "-L", "socks5://user:pass@:1080", "-C", "-", stdin="log: {level: warn}\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "the configuration is good\n", "")


def test_nothing_is_bound_by_a_check():
    assert run_gost("check", "-L", "socks5://192.0.2.77:1080").returncode == 0


def test_warnings_do_not_fail(tmp_path):
    file = tmp_path / "gost.yaml"
    file.write_text("services:\n- name: s\n  addr: :0\n  handler: {typ: socks5}\n", encoding="utf-8")
    done = run_gost("check", "-C", file)
    assert done.returncode == 0
    assert f"{file}:4:" in done.stdout and "warning: unknown key 'typ'" in done.stdout and "'type'" in done.stdout


def test_what_a_chain_does_not_carry_is_told():
    done = run_gost("check", "-L", "socks5://:0?bind=true", "-F", "socks5://127.0.0.1:1")
    assert done.returncode == 0 and "BIND and MBIND (option bind) listen on this machine" in done.stderr + done.stdout


def test_unknown_keys_are_warnings_at_the_start(gost, tmp_path):
    file = tmp_path / "gost.yaml"
    file.write_text("""services:
- name: s
  addr: 127.0.0.1:0
  handler:
    type: socks5
    metadata: {readTimout: 3s}
""", encoding="utf-8")
    line = gost("-C", file).wait_for_log("unknown option 'readTimout'", level="warn")[0]
    assert "Did you mean 'readTimeout'?" in line["msg"] and f"{file}:6:" in line["msg"]


@pytest.mark.parametrize(("url", "message"), [
    ("quic://:0", "listener 'quic' is not available in this build"),
    ("http://:0", "handler 'http' is not available in this build"),
    ("rtcp://:0", "handler 'rtcp' has no target"),
    ("socks5://:0?admission=127.0.0.1", "admission"),
    ("tcp://:0", "handler 'tcp' has no target"),
    ("socks5://:0?readTimeout=soon", "readTimeout: the text \"soon\" is not a duration"),
    ("socks5://:70000", "invalid port"),
    ("socks5+tls://:0?key=key.pem", "key file key.pem is without a certificate"),
    ("socks5://:0?udp=true&udp.minPort=5000&udp.maxPort=4000", "udp.bindRange.max is 4000, but must not be below"),
    ("8080", "address 8080: missing port in address"),
])
def test_mistakes_on_the_command_line(url, message):
    checked = run_gost("check", "-L", url)
    assert checked.returncode == BAD_CONFIGURATION and message in checked.stderr, checked.stderr
    started = run_gost("-L", url, "-L", "socks5://127.0.0.1:0")
    assert started.returncode == 1 and "listening on" not in started.stderr
    fatal = json.loads(started.stderr.splitlines()[-1])
    assert fatal["level"] == "fatal" and message in fatal["msg"]


@pytest.mark.parametrize("node", ["http://127.0.0.1:1", "socks5+quic://127.0.0.1:1", "quic://127.0.0.1:1", "socks5://"])
def test_a_proxy_that_cannot_be_used_is_not_silently_left_out(node):
    done = run_gost("-L", "socks5://127.0.0.1:0", "-F", node)
    assert done.returncode == 1 and "listening on" not in done.stderr
