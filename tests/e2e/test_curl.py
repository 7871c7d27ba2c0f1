"""curl as the client: every SOCKS option it has, IPv4, IPv6 and names, right and wrong passwords, big bodies."""
import hashlib
import subprocess

import pytest

from support.peers import pattern

BIG = 20_000_000
PASSWORD_URL = "socks5://alice:wonder%20land@127.0.0.1:0"


def curl(*arguments, timeout=60, **options):
    return subprocess.run(["curl", "--silent", "--show-error", "--noproxy", "", "--max-time", "50", *arguments],
                          capture_output=True, timeout=timeout, check=False, **options)


def ok(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(name="server", scope="module")
def all_services(shared_gost):
    """Ports of a socks4, a socks5, an auto and a protected socks5 service of one program."""
    program = shared_gost("-L", "socks4://127.0.0.1:0", "-L", "socks5://127.0.0.1:0", "-L", "auto://127.0.0.1:0",
                          "-L", PASSWORD_URL, "-L", "socks4://bob@127.0.0.1:0", services=5)
    names = ("socks4", "socks5", "auto", "protected", "userid")
    program.ports = dict(zip(names, (port for _, port in program.listening)))
    return program


@pytest.mark.parametrize("service", ["socks4", "auto"])
@pytest.mark.parametrize(("option", "host"), [("--socks4", "127.0.0.1"), ("--socks4", "localhost"),
                                              ("--socks4a", "localhost"), ("--socks4a", "127.0.0.1")])
def test_socks4(server, web, service, option, host):
    assert ok(curl(option, f"127.0.0.1:{server.ports[service]}", f"http://{host}:{web.port}/")) == b"hello"


@pytest.mark.parametrize("service", ["socks5", "auto"])
@pytest.mark.parametrize(("option", "host"), [("--socks5", "127.0.0.1"), ("--socks5", "localhost"),
                                              ("--socks5-hostname", "localhost"), ("--socks5-hostname", "127.0.0.1")])
def test_socks5(server, web, service, option, host):
    assert ok(curl(option, f"127.0.0.1:{server.ports[service]}", f"http://{host}:{web.port}/")) == b"hello"


@pytest.mark.parametrize("option", ["--socks5", "--socks5-hostname"])
def test_socks5_to_an_ipv6_target(server, web6, option):
    assert ok(curl(option, f"127.0.0.1:{server.ports['socks5']}", f"http://[::1]:{web6.port}/")) == b"hello"


def test_a_service_on_ipv6(gost, web):
    program = gost("-L", "socks5://[::1]:0")
    assert program.address[0] == "::1"
    assert ok(curl("--socks5", f"[::1]:{program.port}", f"http://127.0.0.1:{web.port}/")) == b"hello"


def test_a_service_on_every_address(gost, web):
    program = gost("-L", "socks5://:0")
    assert program.address[0] == "::"
    for host in ("127.0.0.1", "[::1]"):
        assert ok(curl("--socks5", f"{host}:{program.port}", f"http://127.0.0.1:{web.port}/")) == b"hello"


def test_the_right_password(server, web):
    proxy = f"127.0.0.1:{server.ports['protected']}"
    assert ok(curl("--socks5", proxy, "-U", "alice:wonder land", f"http://127.0.0.1:{web.port}/")) == b"hello"
    url = f"socks5h://alice:wonder%20land@{proxy}"
    assert ok(curl("--proxy", url, f"http://localhost:{web.port}/")) == b"hello"


@pytest.mark.parametrize("user", ["alice:wrong", "alice:", "eve:wonder land", "alice:wonder land2", "alice:wonder lan"])
def test_a_wrong_password(server, web, user):
    done = curl("--socks5", f"127.0.0.1:{server.ports['protected']}", "-U", user, f"http://127.0.0.1:{web.port}/")
    assert done.returncode == 97 and b"User was rejected" in done.stderr, done.stderr


def test_no_password_where_one_is_needed(server, web):
    done = curl("--socks5", f"127.0.0.1:{server.ports['protected']}", f"http://127.0.0.1:{web.port}/")
    assert done.returncode == 97, done.stderr


def test_a_socks4_user_id(server, web):
    proxy = f"127.0.0.1:{server.ports['userid']}"
    assert ok(curl("--proxy", f"socks4://bob@{proxy}", f"http://127.0.0.1:{web.port}/")) == b"hello"
    assert curl("--proxy", f"socks4://eve@{proxy}", f"http://127.0.0.1:{web.port}/").returncode == 97


@pytest.mark.parametrize(("option", "words"), [("--socks5", b"(5)"), ("--socks4", b"request rejected or failed")])
def test_a_target_that_refuses(server, dead_port, option, words):
    done = curl(option, f"127.0.0.1:{server.ports['auto']}", f"http://127.0.0.1:{dead_port}/")
    assert done.returncode == 97 and words in done.stderr, done.stderr


def test_a_name_that_does_not_exist(server):
    done = curl("--socks5-hostname", f"127.0.0.1:{server.ports['socks5']}", "http://nosuch.invalid/")
    assert done.returncode == 97 and b"(4)" in done.stderr, done.stderr


@pytest.mark.parametrize("option", ["--socks4", "--socks5"])
def test_a_big_download(server, web, option):
    body = ok(curl(option, f"127.0.0.1:{server.ports['auto']}", f"http://127.0.0.1:{web.port}/bytes/{BIG}"))
    assert hashlib.sha256(body).digest() == hashlib.sha256(pattern(BIG)).digest()


@pytest.mark.parametrize("option", ["--socks4", "--socks5"])
def test_a_big_upload(server, web, option):
    url = f"http://127.0.0.1:{web.port}/"
    digest = ok(curl(option, f"127.0.0.1:{server.ports['auto']}", "-H", "Expect:", "--data-binary", "@-", url,
                     input=pattern(BIG)))
    assert digest.decode() == hashlib.sha256(pattern(BIG)).hexdigest()
