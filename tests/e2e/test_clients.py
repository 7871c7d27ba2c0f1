"""Other clients: ncat, proxychains4, Python's socks module."""
import subprocess
import urllib.parse

import pytest
import socks

from support.waiting import TIMEOUT

USER, PASSWORD = "alice", "p@ss:word"
PROTECTED = f"socks5://{USER}:{urllib.parse.quote(PASSWORD, safe='')}@127.0.0.1:0"


@pytest.fixture(name="ports", scope="module")
def services(shared_gost):
    program = shared_gost("-L", "socks4://127.0.0.1:0", "-L", "socks5://127.0.0.1:0", "-L", "auto://127.0.0.1:0",
                          "-L", PROTECTED, services=4)
    return dict(zip(("socks4", "socks5", "auto", "protected"), (port for _, port in program.listening)))


# --- ncat ---

def ncat(proxy_type, proxy_port, target, *arguments):
    return subprocess.run(
        ["ncat", "--proxy-type", proxy_type, "--proxy", f"127.0.0.1:{proxy_port}", *arguments, *map(str, target)],
        input=b"ping through ncat\n", capture_output=True, timeout=TIMEOUT, check=False)


@pytest.mark.parametrize(("proxy_type", "service"), [("socks4", "socks4"), ("socks4", "auto"), ("socks5", "socks5"),
                                                     ("socks5", "auto")])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_ncat(ports, echo, proxy_type, service, host):
    done = ncat(proxy_type, ports[service], (host, echo.port))
    assert done.stdout == b"ping through ncat\n", done.stderr


def test_ncat_with_a_wrong_password(ports, echo):
    done = ncat("socks5", ports["protected"], ("127.0.0.1", echo.port), "--proxy-auth", "alice:secret")
    assert done.returncode != 0 and done.stdout == b""


def test_ncat_with_the_right_password(gost, echo):
    program = gost("-L", "socks5://alice:secret@127.0.0.1:0")
    done = ncat("socks5", program.port, ("127.0.0.1", echo.port), "--proxy-auth", "alice:secret")
    assert done.stdout == b"ping through ncat\n", done.stderr


# --- proxychains4 ---

def proxychains(tmp_path, proxy_line, *command, proxy_dns=False):
    configuration = tmp_path / "proxychains.conf"
    dns = "proxy_dns\n" if proxy_dns else ""
    configuration.write_text(f"strict_chain\nquiet_mode\n{dns}tcp_read_time_out 15000\n[ProxyList]\n{proxy_line}\n",
                             encoding="ascii")
    return subprocess.run(["proxychains4", "-q", "-f", str(configuration), *command], capture_output=True,
                          timeout=2 * TIMEOUT, check=False)


@pytest.mark.parametrize(("line", "service"), [("socks4 127.0.0.1 {}", "socks4"), ("socks5 127.0.0.1 {}", "socks5"),
                                               ("socks5 127.0.0.1 {}", "auto")])
def test_proxychains_with_curl(ports, web, tmp_path, line, service):
    done = proxychains(tmp_path, line.format(ports[service]),
                       "curl", "-s", "--noproxy", "*", f"http://127.0.0.1:{web.port}/")
    assert done.stdout == b"hello", done.stderr


def test_proxychains_sends_names(ports, web, tmp_path):
    done = proxychains(tmp_path, f"socks5 127.0.0.1 {ports['socks5']}",
                       "curl", "-s", "--noproxy", "*", f"http://localhost:{web.port}/", proxy_dns=True)
    assert done.stdout == b"hello", done.stderr


def test_proxychains_with_a_password(gost, web, tmp_path):
    program = gost("-L", "socks5://alice:secret@127.0.0.1:0")
    command = ["curl", "-s", "--noproxy", "*", f"http://127.0.0.1:{web.port}/"]
    good = proxychains(tmp_path, f"socks5 127.0.0.1 {program.port} alice secret", *command)
    assert good.stdout == b"hello", good.stderr
    bad = proxychains(tmp_path, f"socks5 127.0.0.1 {program.port} alice wrong", *command)
    assert bad.returncode != 0 and bad.stdout == b""


def test_a_proxychain_of_two_services(ports, web, tmp_path):
    lines = f"socks5 127.0.0.1 {ports['socks5']}\nsocks4 127.0.0.1 {ports['socks4']}"
    done = proxychains(tmp_path, lines, "curl", "-s", "--noproxy", "*", f"http://127.0.0.1:{web.port}/bytes/100000")
    assert len(done.stdout) == 100000, done.stderr


# --- Python's socks module ---

def python_client(kind, port, **options):
    sock = socks.socksocket()
    sock.set_proxy(kind, "127.0.0.1", port, **options)
    sock.settimeout(TIMEOUT)
    return sock


@pytest.mark.parametrize(("kind", "service"), [(socks.SOCKS4, "socks4"), (socks.SOCKS4, "auto"),
                                               (socks.SOCKS5, "socks5"), (socks.SOCKS5, "auto")])
@pytest.mark.parametrize("remote_names", [True, False])
def test_python_socks(ports, echo, kind, service, remote_names):
    with python_client(kind, ports[service], rdns=remote_names) as sock:
        # A client that looks names up itself may find ::1 first, where nobody listens.
        sock.connect(("localhost" if remote_names else "127.0.0.1", echo.port))
        sock.sendall(b"ping")
        assert sock.recv(4) == b"ping"


def test_python_socks_with_a_password(ports, echo):
    with python_client(socks.SOCKS5, ports["protected"], username=USER, password=PASSWORD) as sock:
        sock.connect(("127.0.0.1", echo.port))
        sock.sendall(b"ping")
        assert sock.recv(4) == b"ping"
    with python_client(socks.SOCKS5, ports["protected"], username=USER, password="wrong") as sock:
        with pytest.raises(socks.ProxyError, match="SOCKS5 authentication failed"):
            sock.connect(("127.0.0.1", echo.port))


def test_python_socks_is_told_why(ports, dead_port):
    with python_client(socks.SOCKS5, ports["socks5"]) as sock:
        with pytest.raises(socks.ProxyError, match="Connection refused"):
            sock.connect(("127.0.0.1", dead_port))
