"""A bad network: forwards UDP datagrams between clients and a server, and loses, delays, reorders and repeats them.

As a program: impairment.py PORT SERVER-PORT LOSS DELAY forwards what comes to 127.0.0.1:PORT until it is ended."""
import collections
import heapq
import random
import select
import signal
import socket
import sys
import threading
import time

BUFFER = 4 * 1024 * 1024


class BadNetwork:
    """Clients send to `address`; for the server each of them is a socket of its own. What happens to a datagram is
    decided by a generator with a `seed`: `loss` and `repetition` are probabilities, `delay` and `jitter` seconds for
    each direction (the jitter reorders). All of them may be changed while it runs."""

    def __init__(self, server, loss=0.0, delay=0.0, jitter=0.0, repetition=0.0, seed=1, port=0):
        self.loss, self.delay, self.jitter, self.repetition = loss, delay, jitter, repetition
        self.passed = collections.Counter()  # "up", "down": datagrams that came
        self.seen = collections.deque(maxlen=2000)  # (direction, datagram)
        self._server = server
        self._random = random.Random(seed)
        self._front = self._socket()
        self._front.bind(("127.0.0.1", port))
        self.address = self._front.getsockname()
        self.port = self.address[1]
        self._ways = {}  # of each client, its socket towards the server
        self._clients = {}
        self._late = []
        self._number = 0
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._wake.close()
        self._thread.join()

    def send_up(self, data):
        """A datagram to the server from every client's way, past all chance."""
        for way in list(self._ways.values()):
            way.send(data)

    def forget_ways(self):
        """From now on the clients reach the server from other addresses, as behind a NAT that was restarted."""
        for way in list(self._ways.values()):
            self._poll.unregister(way)
            del self._clients[way.fileno()]
            way.close()
        self._ways.clear()

    @staticmethod
    def _socket():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        sock.setblocking(False)
        return sock

    def _run(self):
        self._poll = select.epoll()
        self._poll.register(self._woken, select.EPOLLIN)
        self._poll.register(self._front, select.EPOLLIN)
        while True:
            timeout = max(self._late[0][0] - time.monotonic(), 0) if self._late else None
            for number, _ in self._poll.poll(timeout):
                if number == self._woken.fileno():
                    return self._end()
                if number == self._front.fileno():
                    self._receive(self._front, "up")
                elif number in self._clients:
                    self._receive(self._clients[number][0], "down")
            while self._late and self._late[0][0] <= time.monotonic():
                _, _, sock, data, peer = heapq.heappop(self._late)
                self._send(sock, data, peer)

    def _receive(self, sock, direction):
        for _ in range(200):
            try:
                data, sender = sock.recvfrom(65536)
            except BlockingIOError:
                return
            except OSError:  # an ICMP message
                continue
            self.passed[direction] += 1
            self.seen.append((direction, data))
            if direction == "up":
                self._pass(self._way_of(sender), data, None)
            else:
                self._pass(self._front, data, self._clients[sock.fileno()][1])

    def _way_of(self, client):
        if client not in self._ways:
            way = self._socket()
            way.connect(self._server)
            self._ways[client] = way
            self._clients[way.fileno()] = (way, client)
            self._poll.register(way, select.EPOLLIN)
        return self._ways[client]

    def _pass(self, sock, data, peer):
        if self._random.random() < self.loss:
            return
        for _ in range(2 if self._random.random() < self.repetition else 1):
            late = self.delay + self._random.random() * self.jitter
            if late > 0:
                self._number += 1
                heapq.heappush(self._late, (time.monotonic() + late, self._number, sock, data, peer))
            else:
                self._send(sock, data, peer)

    @staticmethod
    def _send(sock, data, peer):
        try:
            if peer is None:
                sock.send(data)
            else:
                sock.sendto(data, peer)
        except OSError:  # no room, nobody there, or closed meanwhile: lost
            pass

    def _end(self):
        for way in self._ways.values():
            way.close()
        for sock in (self._front, self._woken):
            sock.close()
        self._poll.close()


def main():
    port, server, loss, delay = sys.argv[1:]
    BadNetwork(("127.0.0.1", int(server)), loss=float(loss), delay=float(delay), port=int(port))
    signal.sigwait([signal.SIGTERM, signal.SIGINT])


if __name__ == "__main__":
    main()
