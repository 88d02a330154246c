"""Parse where alerts shall go, as in `ntfy:https://ntfy.sh/topic`, and write it as a receiver of Alertmanager."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from forensics.errors import UsageError
from forensics.watch.config import host_and_port, url_problem

_EMAIL = re.compile(r"[^\s@,;<>\"']+@[A-Za-z0-9.-]+")
Integration = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver's integration. described: what it is, without what could be a secret; needs: what the reader must know."""

    kind: str
    integration: Integration
    described: str
    needs: str = ""
    is_secret: bool = False  # the file has a URL, whose path is often a key


def parse_receiver(text: str, smarthost: str = "localhost:25") -> Receiver:
    """Read KIND:WHERE. Raises UsageError, which quotes no URL."""
    kind, colon, where = text.partition(":")
    if not colon or kind not in KINDS or not where:
        raise UsageError(f"--receiver: write {', '.join(f'{name}:{form}' for name, (form, _) in KINDS.items())}.")
    if kind == "email" and host_and_port(smarthost) is None:
        raise UsageError(f"--smarthost: '{smarthost}' is not HOST:PORT.")
    return KINDS[kind][1](where, smarthost)


def _webhook(url: str, _smarthost: str) -> Receiver:
    return Receiver("webhook", {"webhook_configs": [_to(url)]}, f"a webhook at {_host(url)}", is_secret=True)


def _webhook_file(path: str, _smarthost: str) -> Receiver:
    if not PurePosixPath(path).is_absolute() or not path.isprintable():
        raise UsageError(f"--receiver webhook-file: '{path}' is not a full path.")
    integration = {"webhook_configs": [{"url_file": path, "send_resolved": True}]}
    return Receiver("webhook-file", integration, f"the webhook whose URL is in {path}", "url_file needs Alertmanager 0.26 or newer.")


def _ntfy(url: str, _smarthost: str) -> Receiver:
    to = _to(url)
    to["url"] += ("&" if urlsplit(url).query else "?") + "template=alertmanager"
    needs = "template=alertmanager needs ntfy 2.14 or newer; an older server shows the alert as JSON."
    return Receiver("ntfy", {"webhook_configs": [to]}, f"ntfy at {_host(url)}", needs, is_secret=True)


def _email(address: str, smarthost: str) -> Receiver:
    if not _EMAIL.fullmatch(address):
        raise UsageError(f"--receiver email: '{address}' is not an address.")
    sender = f"alertmanager@{address.partition('@')[2]}"
    mail = {"to": address, "from": sender, "smarthost": smarthost, "send_resolved": True}
    if smarthost.startswith(("localhost:", "127.")):
        mail["require_tls"] = False
    return Receiver("email", {"email_configs": [mail]}, f"e-mail through {smarthost}", "A mail server that wants a login needs auth_* too.")


def _to(url: str) -> Integration:
    if problem := url_problem(url):
        raise UsageError(f"--receiver: the URL {problem}.")
    return {"url": url, "send_resolved": True}


def _host(url: str) -> str:
    return urlsplit(url).hostname or "?"


KINDS: Mapping[str, tuple[str, Callable[[str, str], Receiver]]] = {
    "webhook": ("URL", _webhook),
    "webhook-file": ("/PATH", _webhook_file),
    "ntfy": ("URL", _ntfy),
    "email": ("ADDRESS", _email),
}
