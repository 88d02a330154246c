"""Choose what a table of failure classes shows: failures, restarts or both, and how often a restart helped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from forensics import wording
from forensics.model.values import FailureClass, Incident, Report, RestartHelped

Helped = Callable[[FailureClass, Incident | None], list[str]]
NEVER = RestartHelped(0, 0)


def counted(classes: Sequence[FailureClass]) -> tuple[str, ...]:
    """Name the counts worth a column: both failures and restarts only where they differ."""
    failed, restarted = any(row.failures for row in classes), any(row.restarts for row in classes)
    if failed and not restarted:
        return ("failures",)
    differ = failed and any(row.failures != row.restarts for row in classes)
    return ("failures", "restarts") if differ else ("restarts",)


def number(row: FailureClass, name: str) -> int:
    return row.failures if name == "failures" else row.restarts


def share_heading(classes: Sequence[FailureClass]) -> str:
    return "Share of restarts" if len(counted(classes)) > 1 else "Share"


def over_the_window(report: Report, incident: Incident) -> dict[str, int]:
    """Count each class in the whole window, by what its share is of; empty if the incident has all of them."""
    name = counted(incident.classes)[-1]
    whole = {row.signature: number(row, name) for row in report.classes}
    return whole if any(whole.get(row.signature, number(row, name)) != number(row, name) for row in incident.classes) else {}


def caption(classes: Sequence[FailureClass]) -> str:
    names = counted(classes)
    if names == ("failures",):
        return "Each failure counts once, under the class that explains it."
    if names == ("restarts",):
        return "Each restart counts once, under the class that explains why the attempt before it failed."
    return "Each failure, and the restart that followed it, counts once, under the class that explains the failure."


def restart_helped(report: Report, here: str = "in this incident") -> Helped:
    """Return a function that writes how often a restart helped against a class: in its incident, in others, and after isolated failures.

    Its second argument is the incident of the class; None for a class of the whole window.
    """
    window = {row.signature: row.restart_helped or NEVER for row in report.classes}
    inside: dict[str, RestartHelped] = {}
    for row in (row for incident in report.incidents for row in incident.classes if row.restart_helped is not None):
        inside[row.signature] = _plus(inside.get(row.signature, NEVER), row.restart_helped)

    def helped(row: FailureClass, incident: Incident | None) -> list[str]:
        everywhere, incidents = window.get(row.signature, NEVER), inside.get(row.signature, NEVER)
        isolated = "isolated", _minus(everywhere, incidents)
        if incident is None:
            return _written((isolated, ("in incidents", incidents)))
        inside_this = row.restart_helped or NEVER
        return _written((isolated, (here, inside_this), ("in other incidents", _minus(incidents, inside_this))))

    return helped


def is_uncured(row: FailureClass) -> bool:
    """Whether restarts were tried against a class and none was followed by a start that held."""
    return row.restart_helped is not None and row.restart_helped.of > 0 and row.restart_helped.held == 0


def helps(row: FailureClass, incident: Incident | None) -> str:
    """Give the catalogue's opinion on restarts, and deny it where none helped. incident: of the class; None for one of the whole window."""
    opinion = wording.helps(row.restart_helps, row.restart_helps_when)
    where = "window" if incident is None else "incident"
    return f"{opinion}, but never in this {where}" if row.restart_helps and is_uncured(row) else opinion


def _plus(one: RestartHelped, other: RestartHelped | None) -> RestartHelped:
    return one if other is None else RestartHelped(one.of + other.of, one.held + other.held)


def _minus(whole: RestartHelped, part: RestartHelped) -> RestartHelped:
    return RestartHelped(max(0, whole.of - part.of), max(0, whole.held - part.held))


def _written(parts: Iterable[tuple[str, RestartHelped]]) -> list[str]:
    return [f"{wording.count(counts.held)} of {wording.count(counts.of)} {where}" for where, counts in parts if counts.of]
