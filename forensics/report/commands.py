"""Write the commands that show a piece of evidence again: of this program, and of journalctl."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import PurePath
from shlex import quote

from forensics.model.values import Evidence, Report
from forensics.report.recommended import PROGRAM
from forensics.sanitize import one_line

_AROUND = timedelta(seconds=10)  # before and after an entry
_SECOND = timedelta(seconds=1)
_OF_THE_HOST = ("/var/log/journal/", "/run/log/journal/")


def show(report: Report, name: str) -> str:
    """Show evidence or an incident by its name in this report."""
    return f"{PROGRAM} show {quote(name)}{f' {report.asked.options}' if report.asked.options else ''}"


def journalctl(report: Report, evidence: Evidence) -> str:
    """Show the entry among those of its unit; "" where it is in no journal that journalctl reads."""
    source = _source(report, evidence.file)
    if source is None:
        return ""
    since = evidence.time.astimezone(UTC) - _AROUND
    until = evidence.time.astimezone(UTC) + _AROUND + _SECOND  # it is read in whole seconds
    unit = [("--user-unit" if evidence.manager.startswith("user:") else "-u", one_line(evidence.unit, 300))] if evidence.unit else []
    options = [*source, *unit, ("--since", f"{since:%F %T} UTC"), ("--until", f"{until:%F %T} UTC"), ("-o", "short-precise")]
    return " ".join(["journalctl", *(f"{name} {quote(value)}" for name, value in options)])


def _source(report: Report, file: str) -> list[tuple[str, str]] | None:
    """Return the options that name the journal with this file; none for the host's own, None where it is not in one."""
    folder = next((path for path in report.asked.directories if PurePath(path) in PurePath(file).parents), None)
    if folder is not None:
        return [("--directory", folder)]
    if not file.endswith((".journal", ".journal~")):
        return None
    return [] if file.startswith(_OF_THE_HOST) and file not in report.asked.files else [("--file", file)]
