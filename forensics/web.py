"""Ask servers over HTTP within bounds: seconds for all questions to one server, megabytes per answer, no proxy, no redirect elsewhere."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, TypeVar
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from forensics.errors import UsageError
from forensics.sanitize import safe_line

WITHIN_S = 5.0  # for everything that one server is asked
MOST_READ = 8 << 20  # bytes of an answer
MOST_REDIRECTS = 3
LOGIN = (401, 403, 407)
REDIRECTS = (301, 302, 303, 307, 308)

Result = TypeVar("Result")


class NoAnswerError(Exception):
    """Why a server could not be asked, as in "refuses connections"; never with a path, which may hold a secret. status: HTTP's, else 0."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


def is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


@dataclass(slots=True)
class Server:
    """A server to ask until its time is over. token: sent as Bearer, or as user:password where it has a colon."""

    url: str
    token: str = ""
    within_s: float = WITHIN_S
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.within_s
        _parts(self.url)

    @property
    def left_s(self) -> float:
        """Return how much of its time is left."""
        return self._until - time.monotonic()

    @property
    def where(self) -> str:
        """The address as it may be shown: without user, password and query."""
        parts = _parts(self.url)
        return f"{parts.scheme}://{_host(parts)}{parts.path.rstrip('/')}"

    def text(self, path: str) -> str:
        """Return the answer to GET. Raises NoAnswerError."""
        return self._asked(path, None).decode("utf-8", "replace")

    def json(self, path: str) -> Any:
        """Return the JSON that answers GET. Raises NoAnswerError."""
        return _parsed(self.text(path))

    def post(self, path: str, body: Any) -> str:
        """Send JSON and return the answer. Raises NoAnswerError."""
        return self._asked(path, json.dumps(body).encode()).decode("utf-8", "replace")

    def _asked(self, path: str, body: bytes | None) -> bytes:
        try:
            status, raw = _within(self.left_s, lambda sockets: _followed(self, path, body, sockets))
        except TimeoutError:
            raise NoAnswerError(f"has not answered within {max(self.within_s, 1):.0f} s") from None
        if status in LOGIN:
            raise NoAnswerError(f"wants a login (HTTP {status})", status)
        if status not in range(200, 300):
            raise NoAnswerError(f"answers HTTP {status} {_start(raw)}".strip(), status)
        return raw

    def headers(self, origin: SplitResult) -> dict[str, str]:
        """Return the headers of a request, with the login that the URL or the token holds."""
        login = f"{unquote(origin.username or '')}:{unquote(origin.password or '')}" if "@" in origin.netloc else self.token
        sent = {
            "User-Agent": "tabby-forensics",
            "Accept-Encoding": "identity",
            "Accept": "application/json, text/plain",
            "Connection": "close",
        }
        if ":" in login:
            sent["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        elif login:
            sent["Authorization"] = f"Bearer {login}"
        return sent


def ask_each(urls: Sequence[str], path: str, within_s: float) -> dict[str, str]:
    """Ask servers at the same time, and return why each has no answer; "" where it has."""
    reasons: dict[str, str] = {}

    def ask(url: str) -> None:
        try:
            Server(url, within_s=within_s).text(path)
        except (NoAnswerError, UsageError) as error:
            reasons[url] = str(error)
        else:
            reasons[url] = ""

    threads = [threading.Thread(target=ask, args=(url,)) for url in dict.fromkeys(urls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return reasons


def _parts(url: str) -> SplitResult:
    """Split a URL. Raises UsageError for one that is none."""
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.port != 0
            and url.isascii()
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        usable = False
    if not usable:
        raise UsageError("A server's address must start with http:// or https://, a host and, if there is one, a port from 1 to 65535.")
    return parts


def _host(parts: SplitResult) -> str:
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{name}:{parts.port}" if parts.port else f"{name}"


def _address(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _followed(server: Server, path: str, body: bytes | None, sockets: list[socket.socket]) -> tuple[int, bytes]:
    """Ask, and ask again where the server redirects a GET to another path of its own."""
    origin = _parts(server.url)
    target = f"{origin.path.rstrip('/')}{path}"
    for _ in range(MOST_REDIRECTS + 1):
        status, raw, location = _answer(server, origin, target, body, sockets)
        if status not in REDIRECTS or location is None:
            return status, raw
        there = urlsplit(urljoin(f"{origin.scheme}://{_host(origin)}{target}", location))
        if _address(there) != _address(origin):
            raise NoAnswerError(f"redirects to another address, {safe_line(f'{there.scheme}://{there.hostname}')}")
        if body is not None:
            raise NoAnswerError("redirects to another path")
        target = there.path + (f"?{there.query}" if there.query else "")
    raise NoAnswerError(f"redirects more than {MOST_REDIRECTS} times")


def _answer(
    server: Server, origin: SplitResult, target: str, body: bytes | None, sockets: list[socket.socket]
) -> tuple[int, bytes, str | None]:
    connection = _connection(origin, server.within_s)
    with closing(connection):
        connection.connect()
        sockets.append(connection.sock)
        headers = server.headers(origin) | ({} if body is None else {"Content-Type": "application/json"})
        connection.request("GET" if body is None else "POST", target or "/", body, headers)
        response = connection.getresponse()
        with response:
            return response.status, _read(response), response.getheader("Location")


def _connection(origin: SplitResult, timeout: float) -> HTTPConnection:
    host = origin.hostname or ""
    if origin.scheme == "http":
        return HTTPConnection(host, origin.port, timeout=timeout)
    return HTTPSConnection(host, origin.port, timeout=timeout, context=ssl.create_default_context())


def _read(response: HTTPResponse) -> bytes:
    raw = response.read(MOST_READ + 1)
    if len(raw) > MOST_READ:
        raise NoAnswerError(f"answers with more than {MOST_READ >> 20} MB")
    if response.length:
        raise NoAnswerError("breaks off its answer")
    return raw


def _within(seconds: float, ask: Callable[[list[socket.socket]], tuple[int, bytes]]) -> tuple[int, bytes]:
    """Ask in a thread, because a socket never times out while a server sends a byte now and then. Raises NoAnswerError, TimeoutError."""
    sockets: list[socket.socket] = []
    outcome: list[tuple[int, bytes] | NoAnswerError | TimeoutError] = []

    def attempt() -> None:
        try:
            outcome.append(ask(sockets))
        except (NoAnswerError, TimeoutError) as error:
            outcome.append(error)
        except (OSError, HTTPException, ValueError) as error:
            outcome.append(NoAnswerError(_reason(error)))

    if seconds > 0:
        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        thread.join(seconds)
    if not outcome:
        for waiting in sockets:  # wakes the thread
            with suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)
        raise TimeoutError
    answer = outcome[0]
    if isinstance(answer, Exception):
        raise answer
    return answer


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refuses connections: nothing listens there"
    if isinstance(error, ssl.SSLError):
        return f"has no TLS that can be trusted: {safe_line(str(error.reason or error))}"
    if isinstance(error, HTTPException):
        return f"does not answer in HTTP ({type(error).__name__})"
    return f"cannot be reached: {safe_line(str(getattr(error, 'strerror', None) or error))}"


def _start(raw: bytes) -> str:
    """Show the start of what a server answers with an error; a page is not shown."""
    text = raw[:300].decode("utf-8", "replace")
    return "" if text.lstrip()[:1] == "<" else safe_line(text)


def _parsed(text: str) -> Any:
    if text.lstrip()[:1] == "<":
        raise NoAnswerError("answers HTML, not JSON: is it a login page or another program?")
    try:
        return json.loads(text)
    except RecursionError:
        raise NoAnswerError("answers JSON that is nested too deeply") from None
    except ValueError:
        raise NoAnswerError("answers something other than JSON") from None
