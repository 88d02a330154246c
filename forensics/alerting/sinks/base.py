"""What every sink is: `send` one alert, or say why not."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Protocol

from forensics.alerting.alert import Alert

TIMEOUT_S = 10
MOST_READ = 1 << 16  # bytes of an answer
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})  # HTTP statuses that may go away


class UnreachableError(Exception):
    """Try again later."""


class RefusedError(Exception):
    """Trying again gives the same answer."""


class Sink(Protocol):
    """`send` blocks until the other side has the alert and returns what came back, for people.

    Raises UnreachableError or RefusedError.
    """

    def send(self, alert: Alert) -> str: ...


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An address is where the user said it is; a redirect could carry the alert elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def post(url: str, body: Any, headers: Mapping[str, str] | None = None, *, zipped: bool = False) -> str:
    """POST JSON, given as bytes or as what is to be written. The URL is never in what is raised: it may hold a secret."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", "User-Agent": "tabby-forensics", **(headers or {})}
    if zipped:
        content, sent["Content-Encoding"] = gzip.compress(content), "gzip"
    request = urllib.request.Request(url, content, sent)  # noqa: S310 - config.py takes http and https only
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            return f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        said = _brief(" ".join(error.read(MOST_READ).decode("utf-8", "replace").split()))
        kind = UnreachableError if error.code in AGAIN else RefusedError
        raise kind(f"HTTP {error.code} {said}".strip()) from None
    except (OSError, HTTPException) as error:
        raise UnreachableError(str(getattr(error, "reason", error)) or type(error).__name__) from None


def block(alert: Alert, longest: int) -> str:
    """The text as a code block of at most so many letters, which no log line can end."""
    fence = "`" * 3
    return f"{fence}\n{alert.as_text().replace(fence, chr(39) * 3)[: longest - 2 * len(fence) - 2]}\n{fence}"


def _brief(text: str) -> str:
    """Its start and its end: Loki says last how many lines it ignored."""
    return text if len(text) <= 600 else f"{text[:300]} … {text[-300:]}"
