"""Small targets for tunnels."""
import contextlib
import hashlib
import http.server
import select
import socket
import threading

from support.waiting import TIMEOUT


def listening_socket(host="127.0.0.1"):
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, 0))
    sock.listen(4096)
    return sock


def dead_socket(host="127.0.0.1"):
    """Holds a port on which nobody listens: connecting is refused for as long as the socket lives."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.bind((host, 0))
    return sock


class Target:
    """Accepts connections; the test itself plays the target on what `accept` returns."""

    def __init__(self, host="127.0.0.1"):
        self._listener = listening_socket(host)
        self._listener.settimeout(TIMEOUT)
        self._accepted = []
        self.address = self._listener.getsockname()[:2]
        self.port = self.address[1]

    def accept(self):
        sock, _ = self._listener.accept()
        sock.settimeout(TIMEOUT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted.append(sock)
        return sock

    def close(self):
        for sock in [*self._accepted, self._listener]:
            sock.close()


class Answering:
    """Serves any number of connections on one thread: what `answer` makes of each read is sent back, and so is the
    end of the stream."""

    def __init__(self, host="127.0.0.1", answer=lambda data: data):
        self._answer = answer
        self._listener = listening_socket(host)
        self._listener.setblocking(False)
        self.address = self._listener.getsockname()[:2]
        self.port = self.address[1]
        self.accepted = 0
        self.open = 0
        self._wake, wake = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, args=(wake,), daemon=True)
        self._thread.start()

    def close(self):
        self._wake.close()
        self._thread.join(TIMEOUT)

    def _serve(self, wake):
        poll = select.epoll()
        poll.register(wake, select.EPOLLIN)
        poll.register(self._listener, select.EPOLLIN)
        connections = {}
        while True:
            for number, _ in poll.poll():
                if number == wake.fileno():
                    for sock in [wake, self._listener, *(entry[0] for entry in connections.values())]:
                        sock.close()
                    poll.close()
                    return
                if number == self._listener.fileno():
                    sock, _ = self._listener.accept()
                    sock.setblocking(False)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connections[sock.fileno()] = [sock, bytearray(), False]
                    self.accepted += 1
                    self.open += 1
                    poll.register(sock, select.EPOLLIN)
                elif not self._move(poll, number, connections[number]):
                    # By name: a program that is being started may hold a copy, and then closing is not enough.
                    poll.unregister(number)
                    connections.pop(number)[0].close()
                    self.open -= 1

    def _move(self, poll, number, connection):
        """One step of a connection; false when it is over."""
        sock, waiting, ended = connection
        try:
            if not waiting and not ended:
                data = sock.recv(1 << 18)
                connection[2] = ended = not data
                waiting += self._answer(data) if data else b""
            if waiting:
                del waiting[:sock.send(waiting)]
        except BlockingIOError:
            pass
        except ConnectionError:
            return False
        if ended and not waiting:
            return False
        poll.modify(number, select.EPOLLOUT if waiting else select.EPOLLIN)
        return True


def pattern(size):
    """`size` bytes that repeat nowhere near a buffer's size."""
    block = b"".join(hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(4099))
    return (block * (size // len(block) + 1))[:size]


class WebServer:
    """GET /bytes/N: N pattern bytes; PUT or POST anything: the SHA-256 of what came; other GETs: `hello`."""

    class _Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def _answer(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self._answer(pattern(int(self.path[7:])) if self.path.startswith("/bytes/") else b"hello")

        def do_PUT(self):
            digest = hashlib.sha256()
            left = int(self.headers["Content-Length"])
            while left > 0:
                data = self.rfile.read(min(left, 1 << 20))
                digest.update(data)
                left -= len(data)
            self._answer(digest.hexdigest().encode())

        do_POST = do_PUT

    def __init__(self, host="127.0.0.1"):
        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = True

        self._server = Server((host, 0), self._Handler)
        self.port = self._server.server_address[1]
        self.address = (host, self.port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Scripted:
    """Serves each connection with `serve(sock)` on a thread of its own; the connection ends when that returns or the
    other end went away. Keeps count."""

    def __init__(self, serve, host="127.0.0.1"):
        self._serve = serve
        self._listener = listening_socket(host)
        self.address = self._listener.getsockname()[:2]
        self.port = self.address[1]
        self.accepted = 0
        self._sockets = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(TIMEOUT)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.accepted += 1
            self._sockets.append(sock)
            self._threads.append(threading.Thread(target=self._run, args=(sock,), daemon=True))
            self._threads[-1].start()

    def _run(self, sock):
        with sock, contextlib.suppress(OSError, EOFError):
            self._serve(sock)

    def close(self):
        for sock in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(TIMEOUT)
        self._listener.close()
        for thread in self._threads:
            thread.join(TIMEOUT)
