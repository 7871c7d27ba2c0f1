"""The program under test: started with arguments, observed through its log and /proc, ended and examined."""
import atexit
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

from support.waiting import TIMEOUT, wait_until

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("GOST_BINARY", str(ROOT / "build/asan/gost"))

SANITIZER_OPTIONS = {
    "ASAN_SYMBOLIZER_PATH": "/usr/lib/llvm-19/bin/llvm-symbolizer",
    "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "LSAN_OPTIONS": "exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
}
SANITIZER_EXIT_CODE = 99
# Where the program keeps its certificate: one for all tests of a run.
STATE_HOME = tempfile.mkdtemp(prefix="gost-state-")
atexit.register(shutil.rmtree, STATE_HOME, ignore_errors=True)
SANITIZER_REPORT = re.compile(r"Sanitizer|runtime error:")
LISTENING = re.compile(r'listening on (\[[^\]]*\]|[^"\s]*):(\d+)/(\w+)')


def environment(extra=None):
    """The environment without anything that would configure the program, plus `extra`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GOST_") and key != "NOTIFY_SOCKET"}
    return {**SANITIZER_OPTIONS, **kept, "HOME": "/nonexistent", "XDG_STATE_HOME": STATE_HOME, **(extra or {})}


def without_quarantine():
    """Freed memory goes back at once instead of into the sanitizer's quarantine, so that growth can be measured."""
    options = os.environ.get("ASAN_OPTIONS", SANITIZER_OPTIONS["ASAN_OPTIONS"])
    return {"ASAN_OPTIONS": options + ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0"}


def assert_no_sanitizer_report(text, code):
    assert not SANITIZER_REPORT.search(text) and code != SANITIZER_EXIT_CODE, f"sanitizer report:\n{text}"


def run_gost(*arguments, stdin="", env=None, cwd=None, timeout=TIMEOUT):
    """Runs the program to its end; for command lines that do not serve."""
    done = subprocess.run([BINARY, *map(str, arguments)], input=stdin, env=environment(env), cwd=cwd, timeout=timeout,
                          text=True, capture_output=True, check=False)
    assert_no_sanitizer_report(done.stderr, done.returncode)
    return done


class Gost:
    """A running gost. `services` listening lines are awaited, in whatever the log is written to standard error."""

    def __init__(self, *arguments, services=1, env=None, cwd=None, stdin=None, max_files=None):
        def limit_files():
            resource.setrlimit(resource.RLIMIT_NOFILE, (max_files, max_files))

        self.process = subprocess.Popen(
            [BINARY, *map(str, arguments)], env=environment(env), cwd=cwd, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit_files if max_files else None)
        self.stderr_lines = []
        self.stdout_lines = []
        self._readers = [
            threading.Thread(target=self._collect, args=(self.process.stderr, self.stderr_lines), daemon=True),
            threading.Thread(target=self._collect, args=(self.process.stdout, self.stdout_lines), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        if stdin is not None:
            self.process.stdin.write(stdin.encode())
        self.process.stdin.close()
        wait_until(lambda: len(self.listening) >= services or self.process.poll() is not None,
                   lambda: f"gost does not listen; it said {self.stderr!r}")
        if len(self.listening) < services:
            self._finish_reading()
            raise AssertionError(f"gost ended with {self.process.returncode}: {self.stderr}")

    @staticmethod
    def _collect(pipe, lines):
        for line in pipe:
            lines.append(line.decode("utf-8", "replace").rstrip("\n"))

    def _finish_reading(self):
        for reader in self._readers:
            reader.join(TIMEOUT)

    # --- what it said ---

    @property
    def stderr(self):
        return "\n".join(self.stderr_lines)

    @property
    def listening(self):
        """(host, port) of each service, in the order of the configuration."""
        found = (LISTENING.search(line) for line in list(self.stderr_lines) + list(self.stdout_lines))
        return [(match[1].strip("[]"), int(match[2])) for match in found if match]

    @property
    def address(self):
        return self.listening[0]

    @property
    def port(self):
        return self.address[1]

    @property
    def log(self):
        """The JSON lines of the log so far."""
        return [json.loads(line) for line in list(self.stderr_lines) if line.startswith("{")]

    def log_lines(self, text="", **fields):
        """The log lines whose message contains `text` and whose fields are equal to `fields`."""
        return [line for line in self.log
                if text in line["msg"] and all(line.get(key) == value for key, value in fields.items())]

    def wait_for_log(self, text="", count=1, **fields):
        """Waits until `count` such lines are there and returns them."""
        def enough():
            lines = self.log_lines(text, **fields)
            return lines if len(lines) >= count else None
        return wait_until(enough, lambda: f"no {count} lines with {text!r} {fields} in\n{self.stderr}")

    # --- what it uses ---

    @property
    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @contextlib.contextmanager
    def leaves_nothing(self):
        """What the block has it open it has closed in the end, or soon afterwards."""
        before = self.descriptors
        yield
        wait_until(lambda: self.descriptors <= before, lambda: f"{self.descriptors} descriptors, {before} before")

    def listens_at(self, port):
        """Whether a socket of its own accepts TCP connections at this port. Connecting would not tell: the port may be
        somebody else's by now."""
        own = set()
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                own.add(os.readlink(link))
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{self.process.pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port and f"socket:[{fields[9]}]" in own:
                    return True
        return False

    @property
    def resident_kib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    @property
    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # --- its end ---

    @property
    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=TIMEOUT):
        """Waits for its end and returns the exit code; there must be no sanitizer report."""
        code = self.process.wait(timeout)
        self._finish_reading()
        assert_no_sanitizer_report(self.stderr, code)
        return code

    def stop(self):
        """Ends it as a user would: first politely, then at once, since a test may leave tunnels open."""
        if self.running:
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGINT)
        try:
            return self.wait()
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            raise AssertionError(f"gost does not end:\n{self.stderr}") from error
