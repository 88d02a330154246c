"""The protocol of a sink, and the two ways in which sending fails."""

from __future__ import annotations

from typing import Protocol

from forensics.alerting.alert import Alert


class UnreachableError(Exception):
    """Try again later."""


class RefusedError(Exception):
    """Trying again would give the same answer."""


class Sink(Protocol):
    def send(self, alert: Alert) -> str:
        """Block until the receiver has the alert; return its answer, for people. Raises UnreachableError or RefusedError."""
        ...
