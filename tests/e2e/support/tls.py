"""TLS by Python's ssl, openssl and stunnel4: certificates, clients and servers, recorded conversations."""
import contextlib
import hashlib
import json
import re
import select
import socket
import ssl
import subprocess
import threading

from support import wire
from support.peers import Scripted
from support.reasons import join
from support.servers import Server, free_port
from support.waiting import TIMEOUT

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*arguments):
    """Standard output of one openssl command."""
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fingerprint(cert_file):
    """As openssl says it: AB:CD:…"""
    return openssl("x509", "-in", cert_file, "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]


def plain(printed):
    """A fingerprint as gost's log writes it."""
    return "sha256:" + printed.replace(":", "").lower()


class Identity:
    """A certificate and its key, in files."""

    def __init__(self, directory, name):
        self.cert, self.key = directory / f"{name}.pem", directory / f"{name}.key"

    @property
    def fingerprint(self):
        return fingerprint(self.cert)

    @property
    def options(self):
        """For the URL of a gost."""
        return f"cert={self.cert}&key={self.key}"


class Authority:
    """A CA of its own, and what it signs."""

    def __init__(self, directory, name="ca"):
        self._directory = directory
        self._own = Identity(directory, name)
        self.file = self._own.cert
        openssl("req", "-x509", *NEW_KEY, "-keyout", self._own.key, "-out", self.file, "-days", 2,
                "-subj", f"/CN={name}")

    def sign(self, name, names="DNS:proxy.example,IP:127.0.0.1", days=2):
        """Files NAME.pem and NAME.key; with negative `days` the certificate is expired."""
        made = Identity(self._directory, name)
        request = self._directory / f"{name}.csr"
        openssl("req", "-new", *NEW_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}",
                "-addext", f"subjectAltName={names}")
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._own.key, "-days", days,
                "-copy_extensions", "copy", "-out", made.cert)
        return made


# --- clients ---

def client_context(ca=None, identity=None):
    """Verifies nothing; with `ca` the chain."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
    if ca:
        context.load_verify_locations(ca)
    if identity:
        context.load_cert_chain(identity.cert, identity.key)
    return context


def wrapped(sock, context=None, name=None):
    """The client's handshake over `sock`, which the result owns then. Without close_notify at the end reading fails."""
    return (context or client_context()).wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False)


def negotiated(proxy, greeting, chosen, **options):
    """A TLS stream upon a SOCKS5 connection whose server answers `greeting` with a method of TLS."""
    sock = wire.connect(proxy)
    sock.sendall(greeting)
    assert wire.read_exactly(sock, 2) == chosen
    return wrapped(sock, **options)


def shown_certificate(address, **options):
    """The fingerprint of what the server at `address` shows, in gost's form."""
    with contextlib.closing(wrapped(wire.connect(address), **options)) as sock:
        return "sha256:" + hashlib.sha256(sock.getpeercert(binary_form=True)).hexdigest()


class ByHand:
    """A client whose records pass through the test: `cut` makes pieces of each flight, which are sent one by one. The
    first flight begins with `before`, and what is read first is its `answer`."""

    def __init__(self, sock, cut, before=b"", answer=b""):
        self._sock = sock
        self._cut = cut
        self._before = before
        self._answer = answer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = client_context().wrap_bio(self._incoming, self._outgoing)
        self._until_done(self._tls.do_handshake)

    def _flush(self):
        for piece in self._cut(self._before + self._outgoing.read()):
            self._sock.sendall(piece)
        self._before = b""

    def _until_done(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                if self._answer:
                    assert wire.read_exactly(self._sock, len(self._answer)) == self._answer
                    self._answer = b""
                self._incoming.write(self._sock.recv(1 << 16))
            finally:
                self._flush()

    def sendall(self, data):
        self._until_done(lambda: self._tls.write(data))

    def recv(self, count):
        return self._until_done(lambda: self._tls.read(count))


# --- servers ---

class TlsServer(Scripted):
    """Serves each connection with `serve(sock, tls)`: the raw socket, and what makes the server's end of TLS of it."""

    def __init__(self, identity, serve, ca=None, host="127.0.0.1"):
        self.names = []  # the SNI of each handshake, None for none
        self.protocols = []  # the ALPN of each
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(identity.cert, identity.key)
        self._context.sni_callback = lambda _, name, __: self.names.append(name)
        if ca:
            self._context.load_verify_locations(ca)
            self._context.verify_mode = ssl.CERT_REQUIRED
        super().__init__(lambda sock: serve(sock, self._encrypt), host)

    def _encrypt(self, sock):
        # A copy: the original is what close() cuts.
        tls = self._context.wrap_socket(sock.dup(), server_side=True, suppress_ragged_eofs=False)
        self.protocols.append(tls.selected_alpn_protocol())
        return tls


def serve_connect(sock, choice, tls=None, log=None):
    """Plays a SOCKS5 server up to an echo behind a granted CONNECT. `choice` is the answer to the greeting; with `tls`
    what follows is inside of it. Appends what the client said to `log`."""
    said = [] if log is None else log
    version, count = wire.read_exactly(sock, 2)
    said.append(bytes([version, count]) + wire.read_exactly(sock, count))
    sock.sendall(bytes([5, choice]))
    with contextlib.closing(tls(sock)) if tls else contextlib.nullcontext(sock) as inner:
        if choice in (0x02, 0x82):
            head = wire.read_exactly(inner, 2)
            user = wire.read_exactly(inner, head[1] + 1)
            said.append(head + user + wire.read_exactly(inner, user[-1]))
            inner.sendall(b"\x01\x00")
        said.append(wire.read_exactly(inner, 10))
        inner.sendall(b"\x05\x00\x00\x01" + bytes(6))
        while data := inner.recv(65536):
            inner.sendall(data)


class Wiretap:
    """Passes connections on to `address` and keeps what each end said on the way."""

    def __init__(self, address):
        self.client = bytearray()
        self.server = bytearray()
        self._address = address
        self._scripted = Scripted(self._relay)
        self.address = self._scripted.address

    def _relay(self, client):
        with socket.create_connection(self._address) as server:
            ways = {client: (server, self.client), server: (client, self.server)}
            while ways:
                for sock in select.select(list(ways), [], [])[0]:
                    data = sock.recv(65536)
                    to, record = ways[sock]
                    record += data
                    if data:
                        to.sendall(data)
                    else:
                        del ways[sock]
                        to.shutdown(socket.SHUT_WR)

    def close(self):
        self._scripted.close()


def s_server(directory, identity, *options):
    """openssl's web server: every page tells about the connection."""
    port = free_port()
    return Server(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", identity.cert, "-key", identity.key,
                   "-www", "-quiet", *options], port, directory / f"s_server-{port}.out")


def stunnel(directory, settings, target):
    """stunnel4 with one service that passes on to `target`."""
    port = free_port()
    config = directory / f"stunnel-{port}.conf"
    config.write_text(f"foreground = yes\npid =\nsyslog = no\n[one]\naccept = 127.0.0.1:{port}\n"
                      f"connect = {target[0]}:{target[1]}\n{settings}\n", encoding="ascii")
    return Server(["stunnel4", str(config)], port, directory / f"stunnel-{port}.out")


# --- recordings ---

class Spoken:
    """A written conversation: "> HEX" is said by the client, "< HEX" by the server, "tls" begins TLS, "end" is the
    client's proper end, "closed" the server's end of whichever kind. {port} is the target's port in hex. BND of replies
    is not compared."""

    def __init__(self, lines, target_port):
        self._lines = [line.replace("{port}", f"{target_port:04x}") for line in lines]

    def as_client(self, proxy):
        sock = wire.connect(proxy)
        try:
            for line in self._lines:
                word, _, text = line.partition(" ")
                if word == "tls":
                    sock = wrapped(sock)
                elif word == ">":
                    sock.sendall(bytes.fromhex(text))
                elif word == "<":
                    self._hear(sock, bytes.fromhex(text))
                elif word == "end":
                    sock = sock.unwrap()
                else:
                    with contextlib.suppress(ssl.SSLError):
                        assert wire.read_to_end(sock) == b""
        finally:
            sock.close()

    def as_server(self, sock, tls):
        with contextlib.ExitStack() as stack:
            for line in self._lines:
                word, _, text = line.partition(" ")
                if word == "tls":
                    sock = stack.enter_context(contextlib.closing(tls(sock)))
                elif word == "<":
                    sock.sendall(bytes.fromhex(text))
                elif word == ">":
                    self._hear(sock, bytes.fromhex(text))
                else:
                    assert sock.recv(1) == b""  # fails without close_notify

    @staticmethod
    def _hear(sock, expected):
        got = wire.read_exactly(sock, len(expected))
        if re.fullmatch(rb"\x05\x00\x00\x01.{6}", expected, re.DOTALL):
            got, expected = got[:4], expected[:4]
        assert got == expected, f"{got.hex()} where {expected.hex()} was recorded"


class Heard(TlsServer):
    """A server that plays `lines` once; `wait` tells how that ended."""

    def __init__(self, identity, lines, target_port):
        self._done = threading.Event()
        self._failure = None
        self._spoken = Spoken(lines, target_port)
        super().__init__(identity, self._play)

    def _play(self, sock, tls):
        try:
            self._spoken.as_server(sock, tls)
        except (OSError, EOFError, AssertionError) as error:
            self._failure = error
        self._done.set()

    def wait(self):
        assert self._done.wait(TIMEOUT), "the conversation does not end"
        assert self._failure is None, self._failure


CONNECT = ["> 050100017f000001{port}", "< 05000001" + "00" * 6]
PINGS = [f"{way} {text.encode().hex()}" for name in ("tls", "bye")
         for way, text in ((">", f"ping-{name}"), ("<", f"pong-{name}"))]
LOGIN = ["> 0103626f6206736563726574", "< 0100"]

# What GOST 3.3.0 was recorded to say to raw clients; what is behind "tls" was inside TLS.
RECORDED_SERVERS = {
    "tls80-server": ("socks5://127.0.0.1:0", ["> 05020080", "< 0580", "tls", *CONNECT, *PINGS, "end"]),
    "tls80-server-only-80": ("socks5://127.0.0.1:0", ["> 050180", "< 0580", "tls", *CONNECT, *PINGS, "end"]),
    "tls80-server-order": ("socks5://127.0.0.1:0", ["> 050482028000", "< 0580", "tls", *CONNECT, *PINGS, "end"]),
    "tls80-server-notls": ("socks5://127.0.0.1:0?notls=true", ["> 05020080", "< 0500"]),
    "tls82-server": ("socks5://bob:secret@127.0.0.1:0", [
        "> 050400028082", "< 0582", "tls", *LOGIN, *CONNECT, *PINGS, "end"]),
    "tls82-server-02-offered": ("socks5://bob:secret@127.0.0.1:0", ["> 05020002", "< 0502"]),
    "tls82-server-80-only": ("socks5://bob:secret@127.0.0.1:0", ["> 050180", "< 05ff", "closed"]),
    "tls82-server-bad-password": ("socks5://bob:secret@127.0.0.1:0", [
        "> 050400028082", "< 0582", "tls", "> 0103626f620577726f6e67", "< 0101", "closed"]),
    "tls-listener-server": ("socks5+tls://127.0.0.1:0", ["tls", "> 05020080", "< 0580"]),
    "tls-listener-server-notls": ("socks5+tls://127.0.0.1:0?notls=true", [
        "tls", "> 05020080", "< 0500", *CONNECT, *PINGS, "end"]),
}

HELLO = "> 050400028082", "< 0582"
INSIDE = [*CONNECT, "> " + b"ping-tls-c".hex(), "< " + b"pong-tls-c\n".hex(), "end"]
# What GOST 3.3.0 was recorded to say to raw servers, and the SNI.
RECORDED_CLIENTS = {
    "tls80-client": ("socks5://127.0.0.1:{}", ["> 05020080", "< 0580", "tls", *INSIDE], None),
    "tls80-client-name": ("socks5://localhost:{}", ["> 05020080", "< 0580", "tls", *INSIDE], "localhost"),
    "tls82-client": ("socks5://bob:secret@127.0.0.1:{}", [*HELLO, "tls", *LOGIN, *INSIDE], None),
    "tls-listener-client": ("socks5+tls://127.0.0.1:{}?notls=true", ["tls", "> 050100", "< 0500", *INSIDE], None),
    "tls-listener-client-name": (
        "socks5+tls://localhost:{}?notls=true", ["tls", "> 050100", "< 0500", *INSIDE], "localhost"),
    "tls-listener-client-servername": (
        "socks5+tls://127.0.0.1:{}?notls=true&serverName=front.example", ["tls", "> 050100", "< 0500", *INSIDE],
        "front.example"),
}


# --- what clients verify ---

class Verifiers:
    """A program with a forward for each of CLIENTS, and the `tls` listeners through which they go."""

    CLIENTS = {
        # settings of the dialer, the server's certificate, what the error says (none: it works)
        "none": ({}, "default", None),
        "CA alone": ({"caFile": "{ca}", "serverName": "other.example"}, "server", None),
        "CA and address": ({"caFile": "{ca}", "secure": True}, "server", None),
        "CA and name": ({"caFile": "{ca}", "secure": True, "serverName": "proxy.example"}, "server", None),
        "the certificate as CA": ({"caFile": "{default}", "secure": True, "serverName": "gost.run"}, "default", None),
        "fingerprint": ({"fingerprint": "{print default}"}, "default", None),
        "fingerprint of the expired one": ({"fingerprint": "sha256:{print expired}"}, "expired", None),
        "expired": ({"caFile": "{ca}", "secure": True}, "expired", "the server's certificate expired on 2"),
        "expired, without secure": ({"caFile": "{ca}"}, "expired", "the server's certificate expired on 2"),
        "wrong name": ({"caFile": "{ca}", "secure": True, "serverName": "other.example"}, "server",
                       "is for proxy.example, 127.0.0.1, not for other.example; set serverName to one of these"),
        "system CAs": ({"secure": True}, "server", "is signed by a CA that is not trusted here; name that CA (caFile), "
                                                   "or pin the certificate (fingerprint {log server})"),
        "self-signed": ({"caFile": "{ca}", "secure": True, "serverName": "gost.run"}, "default",
                        "self-signed and not trusted; name it as CA (caFile), or pin it (fingerprint {log default})"),
        "wrong fingerprint": ({"fingerprint": "sha256:{print server}"}, "default",
                              "has the fingerprint {log default}, expected is {log server}"),
    }

    def __init__(self, start, certificates, target, directory):
        """`start` starts a gost, the servers forward to `target`, and `directory` keeps the default certificate."""
        names = ("server", "expired", "default")
        options = {name: f"?{getattr(certificates, name).options}" for name in names[:2]}
        servers = start(*[word for name in names for word in (
            "-L", f"tls://127.0.0.1:0/{join(target)}{options.get(name, '')}")], services=3,
            env={"XDG_STATE_HOME": str(directory)})
        default = directory / "gost/cert.pem"
        prints = {"server": certificates.server.fingerprint, "expired": certificates.expired.fingerprint,
                  "default": fingerprint(default)}
        self._values = {"{ca}": str(certificates.ca), "{default}": str(default)}
        for name, printed in prints.items():
            self._values[f"{{print {name}}}"] = printed
            self._values[f"{{log {name}}}"] = plain(printed)
        self.prints = [plain(prints[name]) for name in names]
        self.servers = servers
        addresses = dict(zip(names, servers.listening))
        self.program = start("-C", json.dumps(self._configuration(addresses)), services=len(self.CLIENTS),
                             env={"SSL_CERT_FILE": str(certificates.ca.parent / "stranger.pem")})
        self.addresses = dict(zip(self.CLIENTS, self.program.listening))

    def fill(self, text):
        for place, value in self._values.items():
            text = text.replace(place, value)
        return text

    def _configuration(self, addresses):
        services, chains = [], []
        for name, (settings, server, _) in self.CLIENTS.items():
            services.append({"name": name, "addr": "127.0.0.1:0", "handler": {"type": "tcp", "chain": name},
                             "forwarder": {"nodes": [{"name": "target", "addr": "127.0.0.1:80"}]}})
            chains.append({"name": name, "hops": [{"name": name, "nodes": [{
                "name": name, "addr": join(addresses[server]), "connector": {"type": "forward"},
                "dialer": {"type": "tls", "tls": json.loads(self.fill(json.dumps(settings)))}}]}]})
        return {"services": services, "chains": chains}
