"""kcptun, Debian's: the other implementation of the whole stack (xtaci/kcp-go, smux, snappy)."""
from support.servers import Server, free_port


def _words(options):
    return [word for key, value in options.items()
            for word in ([f"-{key}"] if value is True else [f"-{key}", str(value)])]


def client(directory, server, **options):
    """Takes TCP connections at `address` and passes each to the kcptun or gost at `server`."""
    port = free_port()
    arguments = ["kcptun-client", "-l", f"127.0.0.1:{port}", "-r", f"{server[0]}:{server[1]}", *_words(options)]
    return Server(arguments, port, directory / f"kcptun-client-{port}.out")


def server(directory, target, **options):
    """Listens at `address` (UDP) and passes each stream on to the TCP address `target`."""
    port = free_port()
    arguments = ["kcptun-server", "-l", f"127.0.0.1:{port}", "-t", f"{target[0]}:{target[1]}", *_words(options)]
    log = directory / f"kcptun-server-{port}.out"
    return Server(arguments, port, log, ready=lambda _: b"key derivation done" in log.read_bytes())
