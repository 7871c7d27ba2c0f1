"""A little FTP server for active mode: it connects to the address that the client names, as real ones do."""
import socket

from support.peers import Scripted
from support.waiting import TIMEOUT


class FtpServer(Scripted):
    """Serves one file under every name, and keeps the addresses to which it has connected."""

    ANSWERS = {b"USER": "331 which password", b"PASS": "230 welcome", b"PWD": '257 "/"', b"TYPE": "200 as you like",
               b"QUIT": "221 goodbye"}

    def __init__(self, file):
        self.file = file
        self.connected_to = []
        super().__init__(self._converse)

    def _converse(self, sock):
        with sock.makefile("rwb") as lines:
            def say(text):
                lines.write(text.encode() + b"\r\n")
                lines.flush()

            say("220 ready")
            data = None
            for line in lines:
                command, _, argument = line.strip().partition(b" ")
                if command == b"PORT":
                    numbers = [int(number) for number in argument.split(b",")]
                    data = (".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5])
                    say("200 I shall connect there")
                elif command == b"SIZE":
                    say(f"213 {len(self.file)}")
                elif command == b"RETR":
                    say("150 connecting")
                    self._send_file(data)
                    say("226 done")
                else:
                    say(self.ANSWERS.get(command, "502 unknown here"))

    def _send_file(self, address):
        with socket.create_connection(address, TIMEOUT) as connection:
            self.connected_to.append(address)
            connection.sendall(self.file)
