"""The Go peer of smux and yamux sessions (tests/interop/mux_peer), and a load of echo tunnels."""
import asyncio
import json
import random
import subprocess
import threading

from support import wire
from support.waiting import TIMEOUT

LOAD_TIMEOUT = 120.0  # of everything that runs at once: the build is sanitized, and the machine may be busy


class Protocol:
    """What both ends of a session must agree upon."""

    def __init__(self, kind, version=1):
        self.kind = kind
        self.arguments = ("-proto", kind, "-version", str(version))
        self.query = "mux.type=yamux" if kind == "yamux" else f"mux.version={version}"
        self.has_windows = kind == "yamux" or version == 2

    def __str__(self):
        return self.query


PROTOCOLS = [Protocol("smux", 1), Protocol("smux", 2), Protocol("yamux")]


class GoPeer:
    """A running mux_peer; what it says comes as lines of JSON."""

    def __init__(self, binary, protocol, role, **flags):
        arguments = [binary, *protocol.arguments, "-role", role]
        for name, value in flags.items():
            arguments.append(f"-{name}={value}")
        self.process = subprocess.Popen([*map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self._errors = []
        self._reader = threading.Thread(target=lambda: self._errors.append(self.process.stderr.read()), daemon=True)
        self._reader.start()

    def said(self):
        """The next thing it says."""
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(TIMEOUT)
            self._reader.join(TIMEOUT)
        assert line, f"mux_peer ended: {b''.join(self._errors).decode()}"
        return json.loads(line)

    def close(self):
        self.process.kill()
        self.process.wait()
        self._reader.join(TIMEOUT)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


def address_of(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


async def _exchange(open_tunnel, number, most, early):
    """True if it was to be closed in the middle."""
    chance = random.Random(number)
    count = chance.randrange(1, most + 1)
    stop = chance.randrange(count) if chance.random() < early else count
    sent = chance.randbytes(count)
    reader, writer = await open_tunnel()

    async def send():
        writer.write(sent)
        await writer.drain()

    sending = asyncio.create_task(send())
    try:
        assert await reader.readexactly(stop) == sent[:stop]
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
    return stop < count


async def _load(open_tunnel, streams, most, early):
    exchanges = [_exchange(open_tunnel, number, most, early) for number in range(streams)]
    results = await asyncio.wait_for(asyncio.gather(*exchanges, return_exceptions=True), LOAD_TIMEOUT)
    failures = [repr(result) for result in results if isinstance(result, BaseException)]
    assert not failures, f"{len(failures)} of {streams} failed: {failures[:5]}"
    return sum(results)


def load_through(proxy, target, streams, most, early=0.0):
    """`streams` SOCKS5 tunnels at once to an echoing target, each with up to `most` bytes; a part of them, `early`, is
    closed in the middle. How many those were; the others had all of their bytes back."""
    async def open_tunnel():
        reader, writer = await asyncio.open_connection(*proxy)
        writer.write(wire.GREETING)
        assert await reader.readexactly(2) == b"\x05\x00"
        writer.write(wire.request5(*target))
        assert (await reader.readexactly(10))[:2] == b"\x05\x00"
        return reader, writer

    return asyncio.run(_load(open_tunnel, streams, most, early))


def load_port(address, streams, most, early=0.0):
    """The same for plain connections to a port that echoes."""
    return asyncio.run(_load(lambda: asyncio.open_connection(*address), streams, most, early))
