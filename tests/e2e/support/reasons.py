"""What the log says about one connection."""
from support.waiting import wait_until


def join(address):
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def ends(sock):
    """By which a connection is found in the log once the client's socket is closed."""
    return f"{join(sock.getsockname())} >< {join(sock.getpeername())}"


def last_line(program, connection):
    """The line that ends the connection with these `ends`; it is the only one for its sid."""
    lines = wait_until(lambda: program.log_lines(connection), lambda: f"no {connection!r} in\n{program.stderr}")
    last = lines[-1]
    assert sum(line["sid"] == last["sid"] for line in lines) == 1, lines
    return last


def lines_of(program, sid):
    return [line for line in program.log if line.get("sid") == sid]


def assert_reason(program, connection, reason):
    """The connection's last line says why it failed, and so do the one error line of the handler and GOST's second
    one of the service."""
    last = last_line(program, connection)
    assert last.get("err") == reason, last
    loud = [line for line in lines_of(program, last["sid"]) if line["level"] == "error"]
    assert sorted(line["kind"] for line in loud) == ["handler", "service"], loud
    assert all(line["msg"] == reason for line in loud), loud
    return last
