"""Ask a receiver of alerts or log lines over HTTP."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from forensics.alerting.sinks.sink import RefusedError, UnreachableError

TIMEOUT_S = 10
MOST_READ = 1 << 16  # bytes of an answer
TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})  # HTTP statuses after which it makes sense to try again


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Never follow a redirect: it could carry the alert to an address that the user did not choose."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; retry_after: the seconds that it asks to wait."""

    status: int
    text: str
    retry_after: float | None = None


def post(url: str, body: Any, headers: Mapping[str, str] | None = None) -> str:
    """POST `body` as JSON; no error names the URL, which may hold a secret.

    Raises UnreachableError or RefusedError.
    """
    answer = request(url, json.dumps(body).encode(), headers)
    if answer.status in range(200, 300):
        return f"HTTP {answer.status}"
    kind = UnreachableError if answer.status in TEMPORARY else RefusedError
    raise kind(f"HTTP {answer.status} {_brief(answer.text)}".strip())


def request(
    url: str, content: bytes | None, headers: Mapping[str, str] | None = None, *, zipped: bool = False, most_read: int = MOST_READ
) -> Answer:
    """POST encoded JSON, or GET without content, and return the answer, whatever its status. Raises UnreachableError without one."""
    sent = {"User-Agent": "tabby-forensics", **(headers or {})}
    if content is not None:
        sent = {"Content-Type": "application/json", **sent}
    if content is not None and zipped:
        content, sent["Content-Encoding"] = gzip.compress(content), "gzip"
    prepared = urllib.request.Request(url, content, sent)  # noqa: S310 - config.py takes http and https only
    try:
        return _answer(prepared, most_read)
    except (OSError, HTTPException) as error:
        raise UnreachableError(str(getattr(error, "reason", error)) or type(error).__name__) from None


def _answer(prepared: urllib.request.Request, most_read: int) -> Answer:
    try:
        with _opener.open(prepared, timeout=TIMEOUT_S) as answer:
            return Answer(answer.status, answer.read(most_read).decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        text = " ".join(error.read(most_read).decode("utf-8", "replace").split())
        return Answer(error.code, text, _seconds(error.headers.get("Retry-After")))


def _seconds(header: str | None) -> float | None:
    """Read Retry-After; its other form, a date, is not used."""
    return float(header) if header is not None and header.strip().isdecimal() else None


def _brief(text: str) -> str:
    """Keep the start and the end of an answer."""
    return text if len(text) <= 600 else f"{text[:300]} … {text[-300:]}"
