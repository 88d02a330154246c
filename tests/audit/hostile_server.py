"""Servers that answer in every way but the one that is wanted."""

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LIFE_S = 60.0  # of a connection that drips


def whole(body: bytes, head: bytes = OK) -> bytes:
    return head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def serving(handle):
    """Call `handle(connection)` for each request, in a thread of its own; yield the URL."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        thread = threading.Thread(target=_accept, args=(listener, handle, over), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listener, handle, over):
    while not over.is_set():
        with suppress(OSError):
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, handle), daemon=True).start()


def _answer(connection, handle):
    with connection, suppress(OSError):
        connection.settimeout(LIFE_S)
        connection.recv(65536)
        handle(connection)


def answering(raw: bytes):
    return lambda connection: connection.sendall(raw)


def silent(connection):
    connection.recv(1)  # until the other side gives up


def dripping(connection):
    """Send a byte of an endless body now and then, so that no read ever times out."""
    connection.sendall(OK + b"\r\n")
    until = time.monotonic() + LIFE_S
    while time.monotonic() < until:
        connection.sendall(b" ")
        time.sleep(0.05)


def dripping_head(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(int(LIFE_S / 0.05)):
        connection.sendall(f"X-{number}: 1\r\n".encode())
        time.sleep(0.05)


def endless(connection):
    """Send 50 MB without a length."""
    connection.sendall(OK + b"\r\n")
    for _ in range(50):
        connection.sendall(b" " * (1 << 20))


DEEP = b"[" * 100_000 + b"]" * 100_000
HTML = b"<!DOCTYPE html><html><title>Sign in to sk-live-4eC39HqLyjWDarjtT1zdp7dc</title></html>"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://example.invalid:8080/login?token=sk-live-4eC39HqLyjWDarjtT1zdp7dc\r\n"
# what the server does, and the reason that a user reads
HOSTILE = {
    "silent": (silent, "has not answered within"),
    "drips": (dripping, "has not answered within"),
    "drips headers": (dripping_head, "has not answered within"),
    "closes": (lambda _: None, "does not answer in HTTP"),
    "not HTTP": (answering(b"\x00\xffSSH-2.0-OpenSSH\r\n"), "does not answer in HTTP"),
    "50 MB": (endless, "more than 8 MB"),
    "50 MB announced": (answering(OK + b"Content-Length: 52428800\r\n\r\n" + b" " * (9 << 20)), "more than 8 MB"),
    "wants a login": (answering(whole(b"{}", b"HTTP/1.1 401 Unauthorized\r\n")), "wants a login (HTTP 401)"),
    "forbids": (answering(whole(b"{}", b"HTTP/1.1 403 Forbidden\r\n")), "wants a login (HTTP 403)"),
    "HTML": (answering(whole(HTML)), "HTML"),
    "an error": (answering(whole(b"upstream \x1b[31mdown", b"HTTP/1.1 502 Bad Gateway\r\n")), "HTTP 502 upstream down"),
    "redirects elsewhere": (answering(whole(b"", REDIRECT)), "redirects to another address"),
    "redirects in a circle": (answering(whole(b"", b"HTTP/1.1 302 Found\r\nLocation: /\r\n")), "redirects more than 3 times"),
    "redirects to a file": (
        answering(whole(b"", b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n")),
        "redirects to another address",
    ),
    "not JSON": (answering(whole(b"nothing here")), "something other than JSON"),
    "cut off": (answering(OK + b"Content-Length: 100\r\n\r\n{"), "breaks off its answer"),
    "deep JSON": (answering(whole(DEEP)), "nested too deeply"),
    "other JSON": (answering(whole(b'{"data": [1]}')), "JSON, but not as"),
    "a number": (answering(whole(b"1" + b"0" * 5000)), "JSON"),
    "null": (answering(whole(b"null")), "JSON, but not as"),
    "strange shapes": (
        answering(whole(json.dumps({"data": {"groups": [1, {"rules": [2]}]}, "config": {"original": "route: ["}}).encode())),
        "",
    ),
}
