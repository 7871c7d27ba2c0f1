"""SOCKS servers of other people, as upstreams and as measures: each is started on a free port and ended by its pid."""
import contextlib
import json
import os
import pwd
import random
import signal
import socket
import subprocess

from support.waiting import TIMEOUT, wait_until

DANTE = """\
logoutput: {log}
internal: 127.0.0.1 port = {port}
external: lo
clientmethod: none
socksmethod: none
user.privileged: {user}
user.unprivileged: {user}
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
{blocks}socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
"""


def free_port(host="127.0.0.1"):
    """A port that nobody has at this moment, neither for TCP nor for UDP. It is above those that the kernel gives away by
    itself: else another one of a busy machine would get it before it is used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = random.randrange(61000, 65536)
        with socket.socket(family) as stream, socket.socket(family, socket.SOCK_DGRAM) as datagrams:
            with contextlib.suppress(OSError):
                stream.bind((host, port))
                datagrams.bind((host, port))
                return port


def answers(port):
    with socket.socket() as sock:
        sock.settimeout(TIMEOUT)
        return sock.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A running program that accepts connections on `port`. It is the leader of a process group of its own, which
    ends with it."""

    def __init__(self, arguments, port, log, env=None, ready=answers):
        self.port = port
        self.address = ("127.0.0.1", port)
        self._log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            env={**os.environ, **(env or {})}, start_new_session=True)
        wait_until(lambda: self.process.poll() is not None or ready(port),
                   lambda: f"{arguments[0]} does not listen: {self.output}")
        assert self.process.poll() is None, f"{arguments[0]} ended: {self.output}"

    @property
    def output(self):
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(TIMEOUT)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT)


def danted(directory, blocked=()):
    """Dante's server: CONNECT, BIND and UDP ASSOCIATE. Connections to a port in `blocked` are refused by its rules."""
    port = free_port()
    config = directory / f"danted-{port}.conf"
    blocks = "".join(f"socks block {{ from: 0.0.0.0/0 to: 0.0.0.0/0 port = {number} }}\n" for number in blocked)
    config.write_text(DANTE.format(log=directory / f"danted-{port}.log", port=port, blocks=blocks,
                                   user=pwd.getpwuid(os.geteuid()).pw_name), encoding="ascii")
    return Server(["danted", "-f", config, "-p", directory / f"danted-{port}.pid"], port,
                  directory / f"danted-{port}.out")


def _v2ray(directory, accounts, outbound):
    port = free_port()
    config = directory / f"v2ray-{port}.json"
    config.write_text(json.dumps({
        "log": {"loglevel": "warning"},
        "inbounds": [{"port": port, "listen": "127.0.0.1", "protocol": "socks",
                      "settings": {**accounts, "udp": True, "ip": "127.0.0.1"}}],
        "outbounds": [outbound],
    }), encoding="ascii")
    return Server(["v2ray", "-config", config], port, directory / f"v2ray-{port}.out")


def v2ray(directory, user=None, password=""):
    """v2ray's SOCKS server: CONNECT and UDP ASSOCIATE."""
    accounts = {"auth": "noauth"} if user is None else {
        "auth": "password", "accounts": [{"user": user, "pass": password}]}
    return _v2ray(directory, accounts, {"protocol": "freedom"})


def v2ray_client(directory, upstream, user, password):
    """v2ray as a SOCKS client: everything that comes to it goes through the server at `upstream`."""
    server = {"address": upstream[0], "port": upstream[1], "users": [{"user": user, "pass": password}]}
    return _v2ray(directory, {"auth": "noauth"}, {"protocol": "socks", "settings": {"servers": [server]}})


def microsocks(directory, user=None, password=""):
    """microsocks: CONNECT only."""
    port = free_port()
    accounts = [] if user is None else ["-u", user, "-P", password]
    return Server(["microsocks", "-i", "127.0.0.1", "-p", str(port), *accounts], port,
                  directory / f"microsocks-{port}.out")


def socksify_environment(directory, proxy, protocols="tcp udp", commands="bind connect udpassociate", direct_ports=()):
    """The environment for dante-client's `socksify COMMAND` with `proxy` as its SOCKS5 server."""
    config = directory / f"socks-{proxy[1]}.conf"
    direct = "".join(f"route {{ from: 0.0.0.0/0 to: 127.0.0.0/8 port = {port} via: direct }}\n" for port in direct_ports)
    config.write_text(f"""\
logoutput: {directory / f"socksify-{proxy[1]}.log"}
resolveprotocol: fake
{direct}route {{
  from: 0.0.0.0/0 to: 0.0.0.0/0 via: {proxy[0]} port = {proxy[1]}
  proxyprotocol: socks_v5
  protocol: {protocols}
  command: {commands}
  method: none
}}
""", encoding="ascii")
    # Without these it would go around the proxy: to addresses of this machine, and where the proxy fails.
    return {"SOCKS_CONF": str(config), "SOCKS_AUTOADD_LANROUTES": "no", "SOCKS_DIRECTROUTE_FALLBACK": "no"}


class Iperf3:
    """iperf3 -s, which serves one test at a time and does not listen between two of them."""

    def __init__(self, directory):
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self._log = directory / f"iperf3-{self.port}.out"
        self._tests = 0
        self._server = Server(["iperf3", "-s", "-B", "127.0.0.1", "-p", str(self.port), "--forceflush"], self.port,
                              self._log, ready=lambda _: self._listening() == 1)

    def _listening(self):
        """How often it has begun to listen."""
        return self._log.read_text(encoding="utf-8", errors="replace").count(f"Server listening on {self.port}")

    def next_test(self):
        """To be said before each test: waits until the server is there for it."""
        wait_until(lambda: self._listening() > self._tests, lambda: f"iperf3 is busy: {self._server.output}")
        self._tests += 1

    def close(self):
        self._server.close()


def dnsmasq(directory, **addresses):
    """A name server for `example` that knows `addresses` (name=IP, with _ for dots), for UDP and TCP."""
    port = free_port()
    known = [f"--host-record={name.replace('_', '.')},{ip}" for name, ip in addresses.items()]
    return Server(["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                   "--bind-interfaces", "--listen-address=127.0.0.1", f"--port={port}", "--pid-file=",
                   "--local=/example/", "--user=",
                   "--group=", *known], port, directory / f"dnsmasq-{port}.out")


class Sshd:
    """An SSH server into which the user of the tests can log in, with a key made for it."""

    def __init__(self, directory):
        self.port = free_port()
        self._key, host_key = directory / "user", directory / "host"
        for key in (self._key, host_key):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        if os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        options = {"Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": host_key, "UsePAM": "no", "StrictModes": "no",
                   "PidFile": "none", "AuthorizedKeysFile": f"{self._key}.pub", "PermitRootLogin": "prohibit-password"}
        self._server = Server(["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null",
                               *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))],
                              self.port, directory / "sshd.out")

    def ssh(self, port, command):
        """What `command` says when it is run through `port`."""
        done = subprocess.run(["ssh", "-F", "/dev/null", "-i", str(self._key), "-p", str(port), "-o", "IdentitiesOnly=yes",
                               "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
                               "127.0.0.1", command], capture_output=True, timeout=60, stdin=subprocess.DEVNULL, text=True)
        assert done.returncode == 0, f"{done.stderr[-2000:]}\n{self._server.output}"
        return done.stdout

    def close(self):
        self._server.close()
