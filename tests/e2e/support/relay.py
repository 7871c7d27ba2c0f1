"""A hop whose connections a test can cut."""
import contextlib
import socket
import threading

from support import peers


class Relay:
    """A TCP hop in front of a proxy. `carried`: how many connections there were."""

    def __init__(self, to):
        self._to = to
        self.carried = 0
        self._pairs = []
        self._scripted = peers.Scripted(self._serve)
        self.address = self._scripted.address

    def _serve(self, near):
        near.settimeout(None)
        with socket.create_connection(self._to) as far:
            self._pairs.append((near, far))
            self.carried += 1
            back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
            back.start()
            self._pump(near, far)
            back.join()

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def cut(self):
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for sock in pair:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.cut()
        self._scripted.close()
