"""TLS: negotiated inside SOCKS5 (methods 0x80 and 0x82), and below it (+tls); certificates, and what is verified."""
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from support import peers, tls, wire
from support.program import run_gost
from support.reasons import ends, join, last_line
from support.replay import pong
from support.tls import (RECORDED_CLIENTS, RECORDED_SERVERS, Authority, Heard, Spoken, TlsServer, Verifiers, Wiretap,
                         plain, serve_connect, shown_certificate)
from support.udp import UdpAnswering, udp_socket
from support.waiting import TIMEOUT, wait_until

SERVICES = {
    "open": "socks5://127.0.0.1:0?udp=true",
    "closed": "socks5://user:pass@127.0.0.1:0",
    "notls": "socks5://127.0.0.1:0?notls=true",
    "closed-notls": "socks5://user:pass@127.0.0.1:0?notls=true",
    "auto": "auto://127.0.0.1:0",
    "hasty": "socks5://127.0.0.1:0?readTimeout=1s",
    "socks5+tls": "socks5+tls://127.0.0.1:0?notls=true&udp=true",
    "closed+tls": "socks5+tls://user:pass@127.0.0.1:0?notls=true",
    "socks4+tls": "socks4+tls://127.0.0.1:0",
    "auto+tls": "auto+tls://127.0.0.1:0",
    "twice": "socks5+tls://127.0.0.1:0",
}


class Services:
    """One program that serves all of SERVICES, with the default certificate."""

    def __init__(self, program):
        self.program = program
        self.addresses = dict(zip(SERVICES, program.listening))

    def __getitem__(self, name):
        return self.addresses[name]


@pytest.fixture(name="services", scope="module")
def one_program_for_all(shared_gost):
    urls = [word for url in SERVICES.values() for word in ("-L", url)]
    return Services(shared_gost(*urls, services=len(SERVICES)))


class Certificates:
    """A CA, a server, a client, a server of yesterday, and a client of somebody else's CA."""

    def __init__(self, directory):
        self.authority = Authority(directory)
        self.ca = self.authority.file
        self.server = self.authority.sign("server")
        self.client = self.authority.sign("client", "DNS:client.example")
        self.expired = self.authority.sign("expired", days=-1)
        self.stranger = Authority(directory, "stranger").sign("stranger's", "DNS:client.example")


@pytest.fixture(name="certificates", scope="module")
def made_certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(name="pongs", scope="module")
def target_of_the_recordings():
    with contextlib.closing(peers.Answering(answer=pong)) as server:
        yield server


def curl(*arguments):
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", "30", "--noproxy", "", *arguments],
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def failure_through(program, target=("127.0.0.1", 9)):
    """The reason in the log for which the SOCKS5 service, or the forward, could not serve a client."""
    sock = wire.connect(program.address)
    connection = ends(sock)
    with contextlib.closing(sock):
        sock.sendall(wire.GREETING + wire.request5(*target))
        wire.read_to_end(sock)
    return last_line(program, connection)["err"]


# --- 0x80 and 0x82: our server ---

@pytest.mark.parametrize(("service", "offered", "chosen"), [
    ("open", "0080", 0x80), ("open", "80", 0x80), ("open", "82028000", 0x80), ("open", "00", 0x00),
    ("open", "00028082", 0x80), ("open", "0002", 0x00), ("open", "82", 0xFF), ("open", "02", 0xFF),
    ("closed", "00028082", 0x82), ("closed", "82", 0x82), ("closed", "8202", 0x82), ("closed", "0002", 0x02),
    ("closed", "0080", 0xFF), ("closed", "80", 0xFF), ("closed", "00", 0xFF),
    ("notls", "0080", 0x00), ("notls", "80", 0xFF), ("notls", "00028082", 0x00),
    ("closed-notls", "00028082", 0x02), ("closed-notls", "82", 0xFF),
    ("auto", "0080", 0x80), ("auto", "00", 0x00),
])
def test_the_servers_choice(services, service, offered, chosen):
    methods = bytes.fromhex(offered)
    with contextlib.closing(wire.connect(services[service])) as sock:
        sock.sendall(bytes([5, len(methods)]) + methods)
        assert wire.read_exactly(sock, 2) == bytes([5, chosen])
        if chosen == 0xFF:
            assert wire.read_to_end(sock) == b""


@pytest.fixture(name="recorded_services", scope="module")
def one_program_for_the_recordings(shared_gost):
    urls = sorted({url for url, _ in RECORDED_SERVERS.values()})
    program = shared_gost(*[word for url in urls for word in ("-L", url)], services=len(urls))
    return dict(zip(urls, program.listening))


@pytest.mark.parametrize("name", RECORDED_SERVERS)
def test_recorded_server(recorded_services, pongs, name):
    url, lines = RECORDED_SERVERS[name]
    Spoken(lines, pongs.port).as_client(recorded_services[url])


def test_everything_that_follows_0x80_is_inside(services, echo):
    with contextlib.closing(tls.negotiated(services["open"], b"\x05\x02\x00\x80", b"\x05\x80")) as sock:
        assert sock.version() == "TLSv1.3"
        sock.sendall(wire.request5(*echo.address))
        assert wire.read_reply5(sock)[0] == 0
        wire.assert_echo(sock, peers.pattern(500_000))


@pytest.mark.parametrize(("user", "password", "status"), [
    ("user", "pass", 0), ("user", "wrong", 1), ("nobody", "pass", 1), ("", "", 1)])
def test_passwords_inside_0x82(services, echo, user, password, status):
    sock = tls.negotiated(services["closed"], b"\x05\x04\x00\x02\x80\x82", b"\x05\x82")
    connection = ends(sock)
    with contextlib.closing(sock):
        sock.sendall(wire.credentials(user, password))
        assert wire.read_exactly(sock, 2) == bytes([1, status])
        if status == 0:
            sock.sendall(wire.request5(*echo.address))
            assert wire.read_reply5(sock)[0] == 0
            wire.assert_echo(sock)
        else:
            assert wire.read_to_end(sock) == b""
    if status:
        assert last_line(services.program, connection)["err"] == "auth failure"


@pytest.mark.parametrize("cut", [
    pytest.param(lambda flight: [flight[i:i + 1] for i in range(len(flight))], id="bytewise"),
    pytest.param(lambda flight: [flight[:3], flight[3:5], flight[5:6], flight[6:]], id="header"),
    pytest.param(lambda flight: [flight[:-1], flight[-1:]], id="last byte"),
])
@pytest.mark.parametrize("service", ["open", "socks5+tls"])
def test_pieces_of_a_client_hello(services, echo, service, cut):
    with contextlib.closing(wire.connect(services[service])) as sock:
        if service == "open":
            sock.sendall(b"\x05\x01\x80")
            assert wire.read_exactly(sock, 2) == b"\x05\x80"
        client = tls.ByHand(sock, cut)
        if service != "open":
            client.sendall(wire.GREETING)
            assert wire.read_exactly(client, 2) == b"\x05\x00"
        client.sendall(wire.request5(*echo.address))
        assert wire.read_reply5(client)[0] == 0
        wire.assert_echo(client, b"in pieces")


def test_a_client_hello_may_come_with_the_greeting(services, echo):
    """Nothing of it gets lost between the SOCKS5 handshake and TLS."""
    with contextlib.closing(wire.connect(services["open"])) as sock:
        client = tls.ByHand(sock, lambda flight: [flight], before=b"\x05\x01\x80", answer=b"\x05\x80")
        client.sendall(wire.request5(*echo.address))
        assert wire.read_reply5(client)[0] == 0


@pytest.mark.parametrize(("data", "what"), [
    (wire.request5("127.0.0.1", 80), "plain SOCKS5"), (b"GET / HTTP/1.1\r\n\r\n", "plain HTTP"),
    (b"SSH-2.0-OpenSSH\r\n", "SSH"), (bytes(16), "something else (it begins with 0x0000000000000000)")])
def test_plaintext_instead_of_a_client_hello(services, data, what):
    sock = wire.connect(services["open"])
    connection = ends(sock)
    with contextlib.closing(sock):
        sock.sendall(b"\x05\x02\x00\x80")
        assert wire.read_exactly(sock, 2) == b"\x05\x80"
        sock.sendall(data)
        wire.read_to_end(sock)
    assert last_line(services.program, connection)["err"] == (
        f"tls: first record does not look like a TLS handshake: the client speaks {what} on this TLS port; "
        "let it use TLS, or another port")


def test_clients_that_stall_in_the_tls_handshake(services):
    with contextlib.ExitStack() as stack:
        stalled = [stack.enter_context(contextlib.closing(wire.connect(services["hasty"]))) for _ in range(2)]
        connections = [ends(sock) for sock in stalled]
        for sock, hello in zip(stalled, (b"", b"\x16\x03\x01\x02\x00\x01")):
            sock.sendall(b"\x05\x01\x80" + hello)
        assert [wire.read_to_end(sock) for sock in stalled] == [b"\x05\x80"] * 2
    for connection in connections:
        assert last_line(services.program, connection)["err"] == "handshake: tls handshake: i/o timeout"


# --- 0x80 and 0x82: our client ---

@pytest.mark.parametrize(("node", "choice", "said"), [
    ("socks5://user:pass@{}", 0x80, ["050400028082"]),
    ("socks5://{}", 0x82, ["05020080", "010000"]),  # not offered, as GOST 3.2.6 chooses: empty credentials
    ("socks5://{}?notls=true", 0x02, ["050100", "010000"]),  # as above
    ("socks5://{}", 0x00, ["05020080"]),
])
def test_our_client(gost, certificates, node, choice, said):
    heard = []

    def serve(sock, encrypt):
        serve_connect(sock, choice, encrypt if choice & 0x80 else None, heard)

    with contextlib.closing(TlsServer(certificates.server, serve)) as server:
        program = gost("-L", "tcp://127.0.0.1:0/192.0.2.7:80", "-F", node.format(join(server.address)))
        with contextlib.closing(wire.connect(program.address)) as sock:
            wire.assert_echo(sock, peers.pattern(100_000))
    assert [message.hex() for message in heard] == [*said, "05010001c00002070050"]


@pytest.mark.parametrize("choice", [0x00, 0x02])
@pytest.mark.parametrize("options", ["secure=true", "ca={ca}", "tls.fingerprint={print}"])
def test_a_proxy_that_is_to_be_verified_and_does_without_tls(gost, certificates, options, choice):
    """Anybody on the way could answer so, and would be told the password."""
    heard = []
    options = options.format(ca=certificates.ca, print=plain(certificates.server.fingerprint))
    with contextlib.closing(TlsServer(certificates.server, lambda sock, _: serve_connect(sock, choice, log=heard))) as \
            server:
        program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5://user:pass@{join(server.address)}?{options}")
        assert f"socks5: the proxy does without TLS (method {choice:02x})" in failure_through(program)
    assert heard == [bytes.fromhex("050400028082")]


def test_a_choice_that_was_not_offered_with_notls(gost, certificates):
    with contextlib.closing(TlsServer(certificates.server, lambda sock, _: serve_connect(sock, 0x80))) as server:
        program = gost("-L", "socks5://127.0.0.1:0", "-F", f"socks5://{join(server.address)}?notls=true")
        assert "socks5: the proxy chose method 80, which was not offered" in failure_through(program)


@pytest.mark.parametrize("name", RECORDED_CLIENTS)
def test_recorded_client(gost, certificates, name):
    node, lines, sni = RECORDED_CLIENTS[name]
    with contextlib.closing(Heard(certificates.server, lines, 80)) as server:
        program = gost("-L", "tcp://127.0.0.1:0/127.0.0.1:80", "-F", node.format(server.port))
        with contextlib.closing(wire.connect(program.address)) as sock:
            sock.sendall(b"ping-tls-c")
            assert wire.read_exactly(sock, 11) == b"pong-tls-c\n"
        server.wait()
        assert server.names == [sni] and server.protocols == [None]


@pytest.mark.parametrize(("service", "node", "prefixes"), [
    ("open", "socks5://{}", ("05020080", "0580")),
    ("closed", "socks5://user:pass@{}", ("050400028082", "0582")),
    ("socks5+tls", "socks5+tls://{}?notls=true", ("", "")),
])
def test_what_two_gosts_say_on_the_wire(gost, services, echo, service, node, prefixes):
    """Recordings tls80-gost-gost, tls82-gost-gost: the prefixes, and TLS behind them."""
    client, server = map(bytes.fromhex, prefixes)
    with contextlib.closing(Wiretap(services[service])) as tap:
        program = gost("-L", f"tcp://127.0.0.1:0/{join(echo.address)}", "-F", node.format(join(tap.address)))
        with contextlib.closing(wire.connect(program.address)) as sock:
            wire.assert_echo(sock, b"a secret of ours")
        assert tap.client.startswith(client + b"\x16\x03\x01") and tap.server.startswith(server + b"\x16\x03\x03")
        assert b"secret" not in tap.client + tap.server and b"pass" not in tap.client


# --- two gosts ---

@pytest.mark.parametrize(("service", "node"), [
    ("closed", "socks5://user:pass@{}"), ("closed+tls", "socks5+tls://user:pass@{}"), ("socks4+tls", "socks4+tls://{}"),
    ("auto+tls", "socks4+tls://{}"), ("twice", "socks5+tls://{}?notls=true"), ("twice", "socks5+tls://{}")])
def test_a_pair(gost, services, web, service, node):
    program = gost("-L", "socks5://127.0.0.1:0", "-F", node.format(join(services[service])))
    assert curl("--socks5-hostname", join(program.address), f"http://localhost:{web.port}/") == b"hello"
    if (service, node) == ("twice", "socks5+tls://{}"):
        program.wait_for_log("encrypts again", level="warn")
    else:
        program.wait_for_log(" >< ")
        assert not program.log_lines("encrypts again")


@pytest.mark.parametrize(("service", "node"), [("open", "socks5://{}"), ("socks5+tls", "socks5+tls://{}")])
def test_large_transfers(gost, services, web, tmp_path, service, node):
    size = 5 << 20
    program = gost("-L", f"tcp://127.0.0.1:0/{join(web.address)}", "-F", node.format(join(services[service])))
    upload = tmp_path / "upload"
    upload.write_bytes(peers.pattern(size))
    assert curl(f"http://{join(program.address)}/bytes/{size}") == upload.read_bytes()
    digest = tls.openssl("dgst", "-sha256", "-r", upload).split()[0]
    assert curl("-T", upload, f"http://{join(program.address)}/").decode() == digest


@pytest.mark.parametrize("nodes", [
    ["socks5+tls", "open"], ["open", "socks5+tls"], ["socks5+tls", "socks4+tls"], ["open", "open"]])
def test_chains(gost, services, echo, nodes):
    chain = [word for name in nodes for word in ("-F", f"{name.replace('open', 'socks5')}://{join(services[name])}")]
    program = gost("-L", f"tcp://127.0.0.1:0/{join(echo.address)}", *chain)
    with contextlib.closing(wire.connect(program.address)) as sock:
        wire.assert_echo(sock, peers.pattern(200_000))


@pytest.mark.parametrize("scheme", ["tls", "tcp+tls"])
def test_a_forward_behind_tls_and_its_client(gost, target, scheme):
    server = gost("-L", f"{scheme}://127.0.0.1:0/{join(target.address)}")
    client = gost("-L", "tcp://127.0.0.1:0/:80", "-F", f"forward+tls://{join(server.address)}")
    with contextlib.closing(wire.connect(client.address)) as sock:
        sock.sendall(b"question")
        upstream = target.accept()
        assert wire.read_exactly(upstream, 8) == b"question"
        sock.shutdown(socket.SHUT_WR)
        assert wire.read_to_end(upstream) == b""
        upstream.sendall(b"answer")
        upstream.close()
        assert wire.read_to_end(sock) == b"answer"


@pytest.mark.parametrize(("service", "node"), [
    ("open", "socks5://{}"), ("open", "socks5://{}?relay=udp"),
    ("socks5+tls", "socks5+tls://{}"), ("socks5+tls", "socks5+tls://{}?relay=udp")])
def test_datagrams(gost, services, service, node):
    with contextlib.closing(UdpAnswering()) as echo, contextlib.closing(udp_socket()) as sock:
        program = gost("-L", f"udp://127.0.0.1:0/{join(echo.address)}", "-F", node.format(join(services[service])))
        for size in (1, 1000, 3000):
            sock.sendto(peers.pattern(size), program.address)
            assert sock.recv(65536) == peers.pattern(size)


@pytest.mark.parametrize(("service", "node", "reason"), [
    ("notls", "socks5+tls://{}", ": tls"),  # an end or a reset, whichever comes first
    ("socks5+tls", "socks5://{}", "socks5: "),
])
def test_tls_at_one_end_only(gost, services, service, node, reason):
    program = gost("-L", "socks5://127.0.0.1:0", "-F", node.format(join(services[service])))
    assert reason in failure_through(program)
    if service == "socks5+tls":
        services.program.wait_for_log("first record does not look like a TLS handshake: the client speaks plain SOCKS5")


# --- other people's TLS ---

@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_s_client(gost, certificates, echo, version):
    program = gost("-L", f"tls://127.0.0.1:0/{join(echo.address)}?{certificates.server.options}")
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", join(program.address), "-quiet", "-no_ign_eof", "-CAfile", certificates.ca,
         "-verify_return_error", "-verify_hostname", "proxy.example", version],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        client.stdin.write(b"to the echo\n")
        client.stdin.flush()
        assert client.stdout.readline() == b"to the echo\n"
        client.communicate(timeout=TIMEOUT)
        assert client.returncode == 0
    finally:
        client.kill()


def test_openssl_s_server(gost, certificates, tmp_path):
    with contextlib.closing(tls.s_server(tmp_path, certificates.server)) as server:
        options = f"secure=true&serverName=proxy.example&ca={certificates.ca}"
        program = gost("-L", "tcp://127.0.0.1:0/:80", "-F", f"forward+tls://{join(server.address)}?{options}")
        page = curl(f"http://{join(program.address)}/")
        assert b"TLS_AES_128_GCM_SHA256" in page and b"TLSv1.3" in page


def test_stunnel_in_front_of_our_server(services, web, tmp_path):
    with contextlib.closing(tls.stunnel(tmp_path, "client = yes", services["socks5+tls"])) as front:
        page = curl("--socks5-hostname", join(front.address), f"http://localhost:{web.port}/bytes/300000")
        assert page == peers.pattern(300_000)


def test_stunnel_behind_our_client(gost, services, certificates, web, tmp_path):
    settings = f"cert = {certificates.server.cert}\nkey = {certificates.server.key}"
    with contextlib.closing(tls.stunnel(tmp_path, settings, services["notls"])) as front:
        program = gost("-L", "socks5://127.0.0.1:0", "-F",
                       f"socks5+tls://{join(front.address)}?secure=true&ca={certificates.ca}")
        page = curl("--socks5-hostname", join(program.address), f"http://localhost:{web.port}/bytes/300000")
        assert page == peers.pattern(300_000)


# --- certificates, and what is verified ---

@pytest.fixture(name="verifiers", scope="module")
def servers_with_certificates_and_their_clients(shared_gost, certificates, pongs, tmp_path_factory):
    return Verifiers(shared_gost, certificates, pongs.address, tmp_path_factory.mktemp("state"))


@pytest.mark.parametrize("name", Verifiers.CLIENTS)
def test_what_a_client_verifies(verifiers, name):
    reason = Verifiers.CLIENTS[name][2]
    with contextlib.closing(wire.connect(verifiers.addresses[name])) as sock:
        connection = ends(sock)
        sock.sendall(b"ping")
        if reason is None:
            assert wire.read_exactly(sock, 4) == b"pong"
        else:
            wire.read_to_end(sock)
    if reason:
        assert verifiers.fill(reason) in last_line(verifiers.program, connection)["err"]


def test_fingerprints_in_the_log_are_those_of_openssl(verifiers):
    lines = verifiers.servers.log_lines(": TLS certificate ", kind="tls")
    assert [line["msg"].rpartition(" ")[2] for line in lines] == verifiers.prints
    assert [shown_certificate(address) for address in verifiers.servers.listening] == verifiers.prints


def test_only_unverified_clients_are_warned_of(verifiers):
    warned = verifiers.program.log_lines("the TLS certificate of the proxy is not verified", level="warn")
    assert len(warned) == 1


def test_certificates_on_both_ends(gost, certificates, echo):
    """On the command line, with TLS of the transport; a foreign client's certificate too."""
    server = gost("-L", f"socks5+tls://127.0.0.1:0?notls=true&{certificates.server.options}&ca={certificates.ca}")
    node = f"socks5+tls://{join(server.address)}?notls=true&secure=true&ca={certificates.ca}&serverName=proxy.example"
    good = gost("-L", "socks5://127.0.0.1:0", "-F", f"{node}&{certificates.client.options}")
    with contextlib.closing(wire.tunnel5(good.address, echo.address)) as sock:
        wire.assert_echo(sock)
    without = gost("-L", "socks5://127.0.0.1:0", "-F", node)
    assert "tls: the server wants a client certificate (alert certificate_required); name one (certFile, keyFile)" in \
        failure_through(without)
    server.wait_for_log("tls: the client shows no certificate, and this server wants one (caFile)")
    stranger = gost("-L", "socks5://127.0.0.1:0", "-F", f"{node}&{certificates.stranger.options}")
    assert "tls: the server does not accept our client certificate (alert unknown_ca)" in failure_through(stranger)
    server.wait_for_log("the client's certificate is signed by a CA that is not trusted here")
    context = tls.client_context(certificates.ca, certificates.client)
    with contextlib.closing(tls.wrapped(wire.connect(server.address), context)) as sock:
        sock.sendall(wire.GREETING)
        assert wire.read_exactly(sock, 2) == b"\x05\x00"


def test_a_foreign_server_that_wants_a_certificate(gost, certificates):
    def serve(sock, encrypt):
        with contextlib.closing(encrypt(sock)) as inner:
            inner.sendall(inner.getpeercert()["subjectAltName"][0][1].encode())
            wire.read_to_end(inner)

    with contextlib.closing(TlsServer(certificates.server, serve, ca=certificates.ca)) as server:
        program = gost("-L", "tcp://127.0.0.1:0/:80", "-F",
                       f"forward+tls://{join(server.address)}?{certificates.client.options}")
        with contextlib.closing(wire.connect(program.address)) as sock:
            assert wire.read_exactly(sock, 14) == b"client.example"


def test_a_pinned_fingerprint_on_the_command_line(gost, verifiers, services, echo):
    default = shown_certificate(services["socks5+tls"])
    for pinned, works in ((default, True), (verifiers.prints[0], False)):
        program = gost("-L", "socks5://127.0.0.1:0", "-F",
                       f"socks5+tls://{join(services['socks5+tls'])}?tls.fingerprint={pinned}")
        if works:
            wire.tunnel5(program.address, echo.address).close()
            assert not program.log_lines(level="warn")
        else:
            assert f"has the fingerprint {default}, expected is {pinned}" in failure_through(program)


def install(identity, directory):
    """Puts the certificate and its key there, each at once, and returns the fingerprint."""
    for source, name in ((identity.key, "key.pem"), (identity.cert, "cert.pem")):
        shutil.copy(source, directory / f"{name}.new")
        os.rename(directory / f"{name}.new", directory / name)
    return plain(identity.fingerprint)


@pytest.fixture(name="renewed", scope="module", autouse=True)
def a_server_whose_certificate_is_replaced_when_these_tests_begin(shared_gost, certificates, tmp_path_factory):
    """(its address, the new fingerprint). At the begin, so that no test waits until the files are looked at."""
    directory = tmp_path_factory.mktemp("renewed")
    install(certificates.server, directory)
    program = shared_gost("-L", f"tls://127.0.0.1:0/:9?cert={directory}/cert.pem&key={directory}/key.pem")
    return program.address, install(certificates.client, directory)


def test_a_certificate_that_is_replaced(gost, certificates, echo, tmp_path):
    first = install(certificates.server, tmp_path)
    program = gost("-L", f"tls://127.0.0.1:0/{join(echo.address)}?cert={tmp_path}/cert.pem&key={tmp_path}/key.pem")
    with contextlib.closing(tls.wrapped(wire.connect(program.address))) as old:
        assert shown_certificate(program.address) == first
        second = install(certificates.client, tmp_path)
        program.signal(signal.SIGHUP)
        program.wait_for_log("reloaded from")
        assert shown_certificate(program.address) == second
        wire.assert_echo(old, b"a connection of before")
    (tmp_path / "cert.pem").write_text("nothing", encoding="ascii")
    program.signal(signal.SIGHUP)
    program.wait_for_log("has no certificate in PEM form", level="error")
    assert shown_certificate(program.address) == second


def test_a_default_certificate_of_the_user_that_is_replaced(gost, certificates, tmp_path):
    first = install(certificates.server, tmp_path)
    program = gost("-L", "socks5+tls://127.0.0.1:0", cwd=tmp_path)
    assert shown_certificate(program.address) == first
    second = install(certificates.client, tmp_path)
    program.signal(signal.SIGHUP)
    program.wait_for_log("reloaded from")
    assert shown_certificate(program.address) == second


def test_the_default_certificate_is_kept(gost, tmp_path):
    directory = tmp_path / "state/gost"
    shown = []
    for _ in range(2):
        program = gost("-L", "socks5+tls://127.0.0.1:0", env={"XDG_STATE_HOME": str(tmp_path / "state")})
        shown.append(shown_certificate(program.address))
        program.stop()
    assert shown == [plain(tls.fingerprint(directory / "cert.pem"))] * 2
    assert [path.stat().st_mode & 0o777 for path in (directory, directory / "cert.pem", directory / "key.pem")] == \
        [0o700, 0o600, 0o600]
    text = tls.openssl("x509", "-in", directory / "cert.pem", "-noout", "-text")
    for part in ("Subject: O = GOST, CN = gost.run", "DNS:gost.run", "prime256v1", "ecdsa-with-SHA256", "CA:TRUE",
                 "Digital Signature, Certificate Sign", "TLS Web Client Authentication, TLS Web Server Authentication"):
        assert part in text, text


def test_a_default_certificate_as_it_is_wanted(gost, tmp_path):
    wanted = {"tls": {"commonName": "proxy.example", "organization": "Us", "validity": "48h"}}
    gost("-C", json.dumps(wanted), "-L", "socks5+tls://127.0.0.1:0", env={"XDG_STATE_HOME": str(tmp_path)})
    cert = tmp_path / "gost/cert.pem"
    assert "O = Us, CN = proxy.example" in tls.openssl("x509", "-in", cert, "-noout", "-subject")
    for hours, exit_code in ((47, 0), (49, 1)):
        done = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-checkend", str(hours * 3600)],
                              capture_output=True, timeout=TIMEOUT, check=False)
        assert done.returncode == exit_code


YAML = """\
tls: {certFile: CERT(server), keyFile: KEY(server)}
services:
- {name: global, addr: "127.0.0.1:0", handler: {type: socks5}}
- name: handler
  addr: 127.0.0.1:0
  handler: {type: socks5, tls: {certFile: CERT(client), keyFile: KEY(client)}}
- name: strict
  addr: 127.0.0.1:0
  handler: {type: socks5, tls: {certFile: CERT(client), keyFile: KEY(client), caFile: CA}}
- {name: listener without, addr: "127.0.0.1:0", handler: {type: socks5, metadata: {notls: true}}, listener: {type: tls}}
- name: listener
  addr: 127.0.0.1:0
  handler: {type: socks5, metadata: {notls: true}}
  listener:
    type: tls
    tls: {certFile: CERT(expired), keyFile: KEY(expired), options: {maxVersion: VersionTLS12, alpn: [one, two]}}
"""
YAML_CLIENTS = {
    "connector": "connector: {type: socks5, tls: {secure: true, caFile: CA, serverName: proxy.example}}",
    "wrong connector": "connector: {type: socks5, tls: {secure: true, caFile: CA, serverName: other.example}}",
    "dialer": "connector: {type: socks5}, dialer: {type: tls, tls: {fingerprint: PRINT(server)}}",
}


def test_settings_in_a_file(gost, certificates, echo):
    def filled(text):
        text = re.sub(r"CERT\((\w+)\)", lambda found: str(getattr(certificates, found[1]).cert), text)
        text = re.sub(r"KEY\((\w+)\)", lambda found: str(getattr(certificates, found[1]).key), text)
        text = re.sub(r"PRINT\((\w+)\)", lambda found: plain(getattr(certificates, found[1]).fingerprint), text)
        return re.sub(r"CA([,}])", lambda found: f"{certificates.ca}{found[1]}", text)

    server = gost("-C", "-", stdin=filled(YAML), services=5)
    server.wait_for_log("service 'listener': TLS certificate expired on ", level="warn")
    inner = [tls.negotiated(address, b"\x05\x01\x80", b"\x05\x80") for address in server.listening[:2]]
    context = tls.client_context()
    context.set_alpn_protocols(["two", "three"])
    last = tls.wrapped(wire.connect(server.listening[4]), context)
    assert (last.version(), last.selected_alpn_protocol()) == ("TLSv1.2", "two")
    shown = ["sha256:" + hashlib.sha256(sock.getpeercert(binary_form=True)).hexdigest() for sock in [*inner, last]]
    for sock in [*inner, last]:
        sock.close()
    assert [*shown, shown_certificate(server.listening[3])] == [plain(identity.fingerprint) for identity in (
        certificates.server, certificates.client, certificates.expired, certificates.server)]

    for offered, chosen in ((b"\x05\x01\x00", b"\x05\xff"), (b"\x05\x02\x00\x80", b"\x05\x80")):
        with contextlib.closing(wire.connect(server.listening[2])) as sock:
            sock.sendall(offered)
            assert wire.read_exactly(sock, 2) == chosen

    nodes = dict(zip(YAML_CLIENTS, (server.listening[0], server.listening[0], server.listening[3])))
    text = "services:\n" + "".join(
        f"- {{name: {name}, addr: '127.0.0.1:0', handler: {{type: socks5, chain: {name}}}}}\n" for name in nodes)
    text += "chains:\n" + "".join(
        f"- {{name: {name}, hops: [{{name: {name}, nodes: "
        f"[{{name: {name}, addr: '{join(address)}', {YAML_CLIENTS[name]}}}]}}]}}\n" for name, address in nodes.items())
    client = gost("-C", "-", stdin=filled(text), services=3)
    addresses = dict(zip(nodes, client.listening))
    for name in ("connector", "dialer"):
        with contextlib.closing(wire.tunnel5(addresses[name], echo.address)) as sock:
            wire.assert_echo(sock)
    with contextlib.closing(wire.connect(addresses["wrong connector"])) as sock:
        sock.sendall(wire.GREETING + wire.request5(*echo.address))
        wire.read_to_end(sock)
    client.wait_for_log("is for proxy.example, 127.0.0.1, not for other.example", level="error")


@pytest.mark.parametrize("node", ["socks4://127.0.0.1:9", "forward://127.0.0.1:9", "socks5://127.0.0.1:9?notls=true"])
def test_a_node_that_is_to_be_verified_and_has_no_tls(node):
    done = run_gost("-L", "socks5://127.0.0.1:0", "-F", node + ("&" if "?" in node else "?") + "secure=true")
    assert done.returncode == 1 and "is to be verified" in done.stderr and "listening" not in done.stderr


@pytest.mark.parametrize(("options", "reason"), [
    ("cert=/nonexistent.pem", "/nonexistent.pem"),
    ("cert={server.cert}&key={client.key}", "does not fit the (first) certificate in"),
    ("cert={server.key}&key={server.key}", "has no certificate in PEM form"),
    ("cert={server.cert}&key={server.key}&ca={server.key}", "has no certificate in PEM form"),
])
def test_files_that_cannot_be_used(certificates, options, reason):
    done = run_gost("-L", "socks5+tls://127.0.0.1:0?" + options.format_map(vars(certificates)))
    assert done.returncode == 1 and reason in done.stderr and "listening" not in done.stderr


def test_a_certificate_that_is_replaced_without_a_signal(renewed):
    address, new = renewed
    wait_until(lambda: shown_certificate(address) == new, "the new certificate is not used")
