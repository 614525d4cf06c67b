"""A load generator for the emulated machine: a closed loop that ends after an exact number of requests.

Slower than wrk, which is no matter where the time of others is not counted; and between two counts no connection is opened.
"""

import select
import socket


class ClosedLoop:
    """Keep-alive connections, each with one request on its way."""

    def __init__(self, port, path, headers, connections):
        self.request = f"GET {path} HTTP/1.1\r\n".encode() + b"".join(f"{name}: {value}\r\n".encode() for name, value in headers.items()) + b"\r\n"
        self.sockets = {}
        self.poll = select.epoll()
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets[connection.fileno()] = connection
            self.poll.register(connection, select.EPOLLIN)
        self.answer = self._first_answer()

    def run(self, requests):
        """Exactly so many requests, all answered when it returns; before and after, the connections are silent."""
        unsent, unanswered = requests, requests
        received = dict.fromkeys(self.sockets, 0)
        for connection in list(self.sockets.values())[:unsent]:
            connection.sendall(self.request)
            unsent -= 1
        while unanswered:
            for number, _ in self.poll.poll():
                connection = self.sockets[number]
                piece = connection.recv(65536)
                if not piece or (received[number] == 0 and not piece.startswith(b"HTTP/1.1 200 ")):
                    raise RuntimeError(f"an answer begins with {piece[:60]}")
                received[number] += len(piece)
                if received[number] > self.answer:
                    raise RuntimeError("an answer is longer than the first one")
                if received[number] == self.answer:
                    received[number] = 0
                    unanswered -= 1
                    if unsent:
                        connection.sendall(self.request)
                        unsent -= 1

    def close(self):
        for connection in self.sockets.values():
            connection.close()
        self.poll.close()

    def _first_answer(self):
        """How long an answer is: what changes in it from one to the next (the date) keeps its length."""
        connection = next(iter(self.sockets.values()))
        connection.sendall(self.request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65536)
        head, body = answer.split(b"\r\n\r\n", 1)
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            body += connection.recv(65536)
        return len(head) + 4 + length
