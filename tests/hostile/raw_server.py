"""A server that answers with bytes of a table, whatever they are."""

import socket
import threading
from collections.abc import Mapping
from contextlib import contextmanager, suppress

HANG_S = 60


@contextmanager
def answering(answers: Mapping[str, bytes]):
    """Answer each request by its path, each with its own bytes; yield the URL of the server and the requests that it got."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=_serve, args=(listener, answers, got), daemon=True).start()
        yield f"http://127.0.0.1:{port}", got
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, answers: Mapping[str, bytes], got: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # closed: the test is over
            return
        with connection, suppress(OSError):
            connection.settimeout(HANG_S)
            request = _request(connection)
            path = request.split(b" ")[1].decode() if request else ""
            got.append(request)
            connection.sendall(answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))


def _request(connection: socket.socket) -> bytes:
    """Read a request with its body."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = connection.recv(65536)
        if not piece:
            return b""
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length and (piece := connection.recv(65536)):
        body += piece
    return head + b"\r\n\r\n" + body
