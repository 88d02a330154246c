"""Ask a receiver of alerts or log lines over HTTP."""

from __future__ import annotations

import gzip
import json
import string
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from forensics.alerting.sinks.sink import RefusedError, UnreachableError
from forensics.sanitize import safe_line

TIMEOUT_S = 10
MOST_REDIRECTS = 5
KEEPS_THE_REQUEST = frozenset({307, 308})  # RFC 9110: the same method and body are sent to the new address; others become a GET
DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_WAIT_S = 86_400.0  # that a server may ask for
MOST_READ = 1 << 16  # bytes of an answer
TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})  # HTTP statuses after which it makes sense to try again


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Return redirects as they are: urllib would turn a POST into a GET, and carry tokens to a host that the user did not choose."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. retry_after: the seconds that it asks to wait; is_redirected: it, or what led to it, is a redirect."""

    status: int
    text: str
    retry_after: float | None = None
    is_redirected: bool = False


def post(url: str, body: Any, headers: Mapping[str, str] | None = None) -> str:
    """POST `body` as JSON; no error names the URL, which may hold a secret.

    Raises UnreachableError or RefusedError.
    """
    answer = request(url, json.dumps(body).encode(), headers)
    if answer.status in range(200, 300):
        return f"HTTP {answer.status}"
    kind = UnreachableError if answer.status in TEMPORARY or answer.is_redirected else RefusedError  # a redirect can be mended
    raise kind(f"HTTP {answer.status} {_brief(safe_line(answer.text))}".strip())


def request(
    url: str, content: bytes | None, headers: Mapping[str, str] | None = None, *, zipped: bool = False, most_read: int = MOST_READ
) -> Answer:
    """POST encoded JSON, or GET without content, and return the answer, whatever its status. Raises UnreachableError without one.

    A redirect within the host is followed where the request stays the same. Of one that is not, the text of the answer is where it leads.
    """
    sent = {"User-Agent": "tabby-forensics", **(headers or {})}
    if content is not None:
        sent = {"Content-Type": "application/json", **sent}
    if content is not None and zipped:
        content, sent["Content-Encoding"] = gzip.compress(content), "gzip"
    try:
        return _followed(url, content, sent, most_read)
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a redirect to no address
        raise UnreachableError(safe_line(str(getattr(error, "reason", error))) or type(error).__name__) from None


def _followed(url: str, content: bytes | None, headers: Mapping[str, str], most_read: int) -> Answer:
    """Send a request, and send it again to where the server redirects it within the host."""
    for hop in range(MOST_REDIRECTS + 1):
        prepared = urllib.request.Request(url, content, dict(headers))  # noqa: S310 - config.py takes http and https only
        answer, location = _answer(prepared, most_read)
        if answer.status not in range(300, 400) or location is None:
            return replace(answer, is_redirected=hop > 0 or answer.status in range(300, 400))
        target = urljoin(url, quote(location, safe=string.punctuation, encoding="latin-1", errors="replace"))
        if answer.status not in KEEPS_THE_REQUEST or _origin(target) != _origin(url):
            return Answer(answer.status, _why_not_followed(url, target), is_redirected=True)
        url = target
    return Answer(answer.status, f"redirects more than {MOST_REDIRECTS} times", is_redirected=True)


def _answer(prepared: urllib.request.Request, most_read: int) -> tuple[Answer, str | None]:
    """Send a request; return the answer, and its header Location."""
    try:
        with _opener.open(prepared, timeout=TIMEOUT_S) as answer:
            return Answer(answer.status, answer.read(most_read).decode("utf-8", "replace")), None
    except urllib.error.HTTPError as error:
        with error:
            text = " ".join(error.read(most_read).decode("utf-8", "replace").split())
        return Answer(error.code, text, _seconds(error.headers.get("Retry-After"))), error.headers.get("Location")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of a URL; one whose port is no number equals no other."""
    parts = urlsplit(url)
    try:
        return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", None, None


def _why_not_followed(url: str, target: str) -> str:
    """Name where a redirect leads, without its path, which may hold a secret."""
    scheme, host, port = _origin(target)
    if (scheme, host, port) == _origin(url):
        return "is a redirect to another path that would drop what is sent: set the URL to that path"
    return f"is a redirect to {scheme}://{host}:{port}, another address than the configured one: set the URL to it if you trust it"


def _seconds(header: str | None) -> float | None:
    """Read Retry-After; its other form, a date, is not used."""
    return min(float(header), LONGEST_WAIT_S) if header is not None and header.strip().isdecimal() else None


def _brief(text: str) -> str:
    """Keep the start and the end of an answer."""
    return text if len(text) <= 600 else f"{text[:300]} … {text[-300:]}"
