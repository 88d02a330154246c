"""Define what files are generated from: an investigation with incidents, and the head that says so in each file."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from forensics import wording
from forensics.errors import NothingRecordedError
from forensics.model.values import Incident, Report
from forensics.pipeline import Investigation
from forensics.sanitize import one_line, sanitized
from forensics.sanitize.characters import visible_name

UNIT_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,248}\.service")  # systemd.unit(5): what systemd itself accepts
MOST_LISTED = 20  # incidents in the head of a file
_WIDTH, _LONGEST_LINE = 118, 600


@dataclass(frozen=True, slots=True)
class Basis:
    """An investigation that found incidents. report: what it found, safe to quote; texts: of deciding events by class, safe too."""

    investigation: Investigation
    report: Report
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def incidents(self) -> tuple[Incident, ...]:
        return self.report.incidents

    @property
    def units(self) -> tuple[str, ...]:
        """The services with incidents that systemd could have under this name, in order."""
        return tuple(dict.fromkeys(unit for unit in sorted(incident.unit for incident in self.incidents) if UNIT_NAME.fullmatch(unit)))

    def of(self, unit: str) -> tuple[Incident, ...]:
        return tuple(incident for incident in self.incidents if incident.unit == unit)


def basis_of(investigation: Investigation, texts: Mapping[str, str] | None = None, *, redact: bool = True) -> Basis:
    """Take what was found as a basis. Raises NothingRecordedError without an incident of a service."""
    report, texts = sanitized((investigation.report, dict(texts or {})), redact=redact)
    basis = Basis(investigation, report, texts)
    if not basis.units:
        window = investigation.report.window
        raise NothingRecordedError(
            f"There is no incident between {wording.minute(window.since)} and {wording.minute(window.until)} UTC: "
            "nothing can be generated. Choose another window with --since and --until."
        )
    return basis


def head(basis: Basis, what: str, command: str, proven: Iterable[str], incidents: Sequence[Incident] | None = None) -> Iterator[str]:
    """Yield the lines of a file's head: who made it from which history, for which incidents, and what was proven how."""
    report = basis.report
    window, complete = report.window, "complete" if report.completeness.complete else "not complete"
    length = "" if window.since is None or window.until is None else f" ({wording.duration((window.until - window.since).total_seconds())})"
    yield f"{what}. Made by tabby-forensics {report.version} on {wording.minute(report.generated)} UTC: tabby-forensics generate {command}"
    yield (
        f"From the journal of {report.host}, {wording.minute(window.since)} → {wording.minute(window.until)} UTC{length}, "
        f"{wording.count(report.completeness.entries)} entries, {complete}. Nothing was installed or changed."
    )
    incidents = basis.incidents if incidents is None else incidents
    for incident in incidents[:MOST_LISTED]:
        yield f"Incident: {described(incident)}"
    if len(incidents) > MOST_LISTED:
        yield f"… and {wording.plural(len(incidents) - MOST_LISTED, 'more incident')}."
    yield from proven


def described(incident: Incident) -> str:
    """Describe an incident in one line."""
    end = "ongoing" if incident.end is None or incident.ongoing else f"{wording.instant(incident.end)} UTC"
    counts = f"{wording.plural(incident.failures, 'failure')}, {wording.plural(incident.restarts, 'restart')}"
    names = f"{visible_name(incident.unit)} on {visible_name(incident.host)}"
    return f"{names}, {wording.kind(incident.kind).lower()}, {wording.instant(incident.start)} → {end}, {counts}"


def commented(lines: Iterable[str], mark: str = "# ", width: int = _WIDTH) -> str:
    """Write lines as comments; no line of them can end the comment."""
    written = []
    for line in lines:
        safe = visible_name(one_line(line, _LONGEST_LINE))
        written += textwrap.wrap(safe, width, subsequent_indent="  ", break_on_hyphens=False) or [""]
    return "".join(f"{mark}{line}".rstrip() + "\n" for line in written)
