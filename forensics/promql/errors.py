"""Define the two ways in which an expression is not evaluated."""

from __future__ import annotations


class UnsupportedError(Exception):
    """The expression has a construct that is not evaluated here, such as "topk() of equal values": no verdict can be given."""


class RefusedError(UnsupportedError):
    """Prometheus itself ends the evaluation with an error on these series, such as for many-to-many matching."""


class UndecidedError(Exception):
    """All series have to be evaluated together to know whether Prometheus refuses them. Never leaves the package."""


class SyntaxMistakeError(Exception):
    """The text is not PromQL; one sentence says why."""
