"""Every command of examples/README.md runs; every file there is shown in it and says what its command says."""
import re
import shlex
import subprocess

import pytest
import yaml

from support.program import ROOT, run_gost
from support.servers import free_port

EXAMPLES = ROOT / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)\n```", README, re.DOTALL)


def groups():
    """([the ways to start each of the programs, in their order], what is done with them). A file that follows a command
    is another way to start the same program; after what is done with them, others begin."""
    programs, found = [], []
    for before, block in zip(["", *BLOCKS], BLOCKS):
        if not block.startswith("gost "):
            found.append((programs, block))
            continue
        if not before.startswith("gost "):
            programs = []
        if " -C " in block and " -L " in before:
            programs[-1].append(block)
        else:
            programs.append([block])
    return found


def cases():
    """(the commands, what is done with them): everything by command lines, everything by files, whichever there are."""
    for programs, done in groups():
        for way in range(max(map(len, programs))):
            yield [ways[min(way, len(ways) - 1)] for ways in programs], done


CASES = list(cases())


def start(gost, command, replaced):
    """As the user would type it in examples/, with other ports and targets."""
    words = shlex.split(command)[1:]
    if words[0] != "-C":
        return gost(*map(replaced, words), services=words.count("-L"), cwd=EXAMPLES)
    text = (EXAMPLES / words[1]).read_text(encoding="utf-8")
    return gost("-C", "-", stdin=replaced(text), services=len(yaml.safe_load(text)["services"]), cwd=EXAMPLES)


@pytest.mark.parametrize(("commands", "done"), CASES, ids=[f"{' '.join(commands)} ; {done}" for commands, done in CASES])
def test_commands(gost, web, commands, done):
    ports = {port: free_port() for port in ("1080", "1081", "8000", "8080")}

    def replaced(text):
        # What listens on every address listens on the loopback here, and what is asked for is here, too.
        text = re.sub(r"(?<![\w.\]])(?:127\.0\.0\.1)?:(1080|1081|8000|8080)\b",
                      lambda match: f"127.0.0.1:{ports[match[1]]}", text)
        text = text.replace("http://example.com/", f"http://localhost:{web.port}/")
        return text.replace("example.com:80", f"localhost:{web.port}")

    programs = [start(gost, command, replaced) for command in commands]
    result = subprocess.run([*shlex.split(replaced(done)), "--silent", "--show-error", "--noproxy", ""],
                            capture_output=True, timeout=60, check=False)
    assert result.stdout == b"hello", result.stderr
    for program in programs:
        warnings = [line["msg"] for line in program.log_lines(level="warn") if "is not verified" not in line["msg"]]
        assert warnings == [] and program.log_lines(level="error") == []


def test_every_command_was_run():
    run = {command for commands, done in CASES for command in [*commands, done]}
    assert run == set(BLOCKS)


def test_every_file_is_shown_and_good():
    shown = set(re.findall(r"-C (\S+)", README))
    files = {path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("*.yaml")}
    assert shown == {str(file) for file in files if file.parts[0] not in ("kcp", "tutorial", "tls", "ws")}  # of test_tutorial.py
    for name in shown:
        done = run_gost("check", "-C", name, cwd=EXAMPLES)
        assert (done.returncode, done.stdout) == (0, "the configuration is good\n"), done.stderr


@pytest.mark.parametrize(("command", "file"), [
    (first, second) for first, second in zip(BLOCKS, BLOCKS[1:]) if "-L " in first and "-C " in second])
def test_command_and_file_are_the_same(command, file):
    printed = [yaml.safe_load(run_gost(*shlex.split(text)[1:], "-O", "yaml", cwd=EXAMPLES).stdout)
               for text in (command, file)]
    assert printed[0] == printed[1]
