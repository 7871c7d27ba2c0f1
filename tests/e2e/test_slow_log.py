"""A log whose reader is stuck delays nobody, and says later how much of it is missing."""
import contextlib
import json
import os
import re
import select

from support import wire
from support.waiting import TIMEOUT, wait_until

# More than the pipe and the program's buffer of 4 MiB can hold.
CONNECTIONS = 2500
NAME = b"n" * 250


def read_available(pipe):
    """Everything that comes until the writer pauses."""
    data = b""
    while select.select([pipe], [], [], 1.0)[0]:
        data += os.read(pipe, 1 << 20)
    return data


def test_a_log_that_nobody_reads(gost, tmp_path, echo):
    path = tmp_path / "log"
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        program = gost("-D", "-L", "socks5://127.0.0.1:0?notls=true", "-C", json.dumps({"log": {"output": str(path)}}), services=0)
        assert select.select([pipe], [], [], TIMEOUT)[0], "the program says nothing"
        port = int(re.search(rb"listening on 127\.0\.0\.1:(\d+)", os.read(pipe, 10_000))[1])
        with contextlib.closing(wire.tunnel5(("127.0.0.1", port), echo.address)) as bystander:
            for _ in range(CONNECTIONS):
                with contextlib.closing(wire.connect(("127.0.0.1", port))) as sock:
                    sock.sendall(wire.GREETING + wire.request5(NAME, 80))
                    assert wire.read_to_end(sock)[3] == 4
                wire.assert_echo(bystander)
            before = program.resident_kib
            assert before < 200 * 1024
            text = read_available(pipe)
            # One more line makes the writer try again; then it tells what is missing.
            wire.tunnel5(("127.0.0.1", port), echo.address).close()
            text += wait_until(lambda: read_available(pipe), "the log goes on")
        lines = [json.loads(line) for line in text.splitlines()]
        lost = [int(match[1]) for line in lines if (match := re.match(r"(\d+) log lines were lost", line["msg"]))]
        assert lost and all(line["level"] == "warn" for line in lines if "were lost" in line["msg"])
        assert program.stop() == 0
        assert program.stderr == ""
    finally:
        os.close(pipe)
