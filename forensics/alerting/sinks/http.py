"""POST JSON to a receiver of alerts or log lines."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
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


def post(url: str, body: Any, headers: Mapping[str, str] | None = None, *, zipped: bool = False) -> str:
    """POST `body`, already encoded or to be encoded as JSON; no error names the URL, which may hold a secret.

    Raises UnreachableError or RefusedError.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", "User-Agent": "tabby-forensics", **(headers or {})}
    if zipped:
        content, sent["Content-Encoding"] = gzip.compress(content), "gzip"
    request = urllib.request.Request(url, content, sent)  # noqa: S310 - config.py takes http and https only
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            return f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        answer_text = _brief(" ".join(error.read(MOST_READ).decode("utf-8", "replace").split()))
        kind = UnreachableError if error.code in TEMPORARY else RefusedError
        raise kind(f"HTTP {error.code} {answer_text}".strip()) from None
    except (OSError, HTTPException) as error:
        raise UnreachableError(str(getattr(error, "reason", error)) or type(error).__name__) from None


def _brief(text: str) -> str:
    """Keep the start and the end: Loki names the number of lines it ignored last."""
    return text if len(text) <= 600 else f"{text[:300]} … {text[-300:]}"
