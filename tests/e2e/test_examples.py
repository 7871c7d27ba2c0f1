"""Every command of examples/README.md runs; every file there is shown in it and says what its command says."""
import re
import shlex
import subprocess

import pytest
import yaml

from support.program import ROOT, run_gost

EXAMPLES = ROOT / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)\n```", README, re.DOTALL)


def pairs():
    """(a gost command, the curl commands that follow it or the commands beside it)"""
    found, group = [], []
    for block in BLOCKS:
        if block.startswith("gost "):
            if group and group[-1].startswith("curl "):
                group = []
            group.append(block)
        else:
            found += [(command, block) for command in group if command.startswith("gost ")]
            group.append(block)
    return found


PAIRS = pairs()


def start(gost, command):
    """As the user would type it in examples/, on ports of the kernel's choice."""
    words = shlex.split(command)[1:]
    if words[0] == "-C":
        text = (EXAMPLES / words[1]).read_text(encoding="utf-8")
        assert "addr: :1080" in text
        return gost("-C", "-", stdin=text.replace("addr: :1080", "addr: 127.0.0.1:0"), cwd=EXAMPLES)
    return gost(*(re.sub(r":1080\b", "127.0.0.1:0", word) for word in words), cwd=EXAMPLES)


@pytest.mark.parametrize(("command", "curl"), PAIRS)
def test_command(gost, web, command, curl):
    program = start(gost, command)
    words = shlex.split(curl.replace("127.0.0.1:1080", f"127.0.0.1:{program.port}")
                        .replace("http://example.com/", f"http://localhost:{web.port}/"))
    done = subprocess.run([*words, "--silent", "--show-error", "--noproxy", ""], capture_output=True, timeout=60,
                          check=False)
    assert done.stdout == b"hello", done.stderr
    assert "warn" not in program.stderr and "error" not in program.stderr


def test_every_command_was_run():
    commands = {command for pair in PAIRS for command in pair}
    assert commands == set(BLOCKS)


def test_every_file_is_shown_and_good():
    shown = set(re.findall(r"-C (\S+)", README))
    files = {path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("*.yaml")}
    assert shown == {str(file) for file in files if file.parts[0] != "tutorial"}
    for name in shown:
        done = run_gost("check", "-C", name, cwd=EXAMPLES)
        assert (done.returncode, done.stdout) == (0, "the configuration is good\n"), done.stderr


@pytest.mark.parametrize(("command", "file"), [
    (first, second) for first, second in zip(BLOCKS, BLOCKS[1:]) if "-L " in first and "-C " in second])
def test_command_and_file_are_the_same(command, file):
    printed = [yaml.safe_load(run_gost(*shlex.split(text)[1:], "-O", "yaml", cwd=EXAMPLES).stdout)
               for text in (command, file)]
    assert printed[0] == printed[1]
