"""What the words on the command line mean: text → times, zones, sources and folders, or a UsageError that says what is wrong."""

from __future__ import annotations

import os
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from forensics.errors import JournalPermissionError, UsageError
from forensics.paths import store_folder, users_patterns
from forensics.query import STREAM, Query, Sources
from forensics.resources import folder
from forensics.timespec import BootStart, month_hint, parse_time


def settings(
    since: str | None,
    until: str | None,
    tz: str | None,
    units: list[str] | None,
    declared: str | None,
    sources: Sources,
    store: Path | None,
    patterns: tuple[Path, ...],
) -> Query:
    """The question that a command line asks. The clock is read here, once."""
    now, zone = clock(), zone_named(tz)
    return Query(
        sources=sources,
        store=store or store_folder(),
        now=now,
        timezone=str(zone),
        since=moment(since, now, zone),
        until=moment(until, now, zone),
        units=tuple(units or ()),
        pattern_folders=patterns,
        declared=point(declared, now, zone),
    )


def clock() -> datetime:
    """Now, or what SOURCE_DATE_EPOCH says it is, so that the same journal can give the same bytes."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(fixed), UTC) if fixed.isdigit() else datetime.now(UTC)


def zone_named(name: str | None) -> tzinfo:
    """The time zone called `name` (IANA); the host's own for none. Raises UsageError for an unknown one."""
    try:
        return ZoneInfo(name or host_zone_name())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if name is None:
            return UTC
        raise UsageError(f"There is no time zone called '{name}'. Examples: UTC, Europe/Berlin, America/New_York.") from None


def host_zone_name() -> str:
    """The IANA name of the host's zone, from TZ or /etc/localtime; UTC when neither tells."""
    link = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    return os.environ.get("TZ", "").lstrip(":") or link.removeprefix("posix/") or "UTC"


def moment(text: str | None, now: datetime, zone: tzinfo) -> datetime | BootStart | None:
    """`text` as a time, None for none; a month that may be meant as a minute gets a hint on stderr."""
    if text is None:
        return None
    if hint := month_hint(text):
        typer.echo(f"tabby-forensics: {hint}", err=True)
    return parse_time(text, now=now, zone=zone)


def sources_named(journal_dirs: list[Path] | None, files: list[Path] | None) -> Sources:
    """The sources of a run. Raises UsageError for a path that is not there, JournalPermissionError for one out of reach."""
    for path in [*(journal_dirs or []), *(files or [])]:
        if path == STREAM:
            continue
        try:
            path.stat()
        except PermissionError:
            raise JournalPermissionError(f"'{path}' may not be read by this user.") from None
        except OSError:
            raise UsageError(f"There is no '{path}'.") from None
    for path in journal_dirs or []:
        if not path.is_dir():
            raise UsageError(f"'{path}' is not a directory; for a single file use --file.")
    for path in files or []:
        if path.is_dir():
            raise UsageError(f"'{path}' is a directory; name it with --journal-dir.")
    return Sources(tuple(journal_dirs or ()), tuple(files or ()))


def pattern_folders(named: list[Path] | None) -> tuple[Path, ...]:
    """The shipped catalogue, the user's own and those named. Raises UsageError for a named folder that is not there."""
    for path in named or []:
        if not path.is_dir():
            raise UsageError(f"There is no pattern folder '{path}'.")
    own = users_patterns()
    return (folder("patterns"), *((own,) if own.is_dir() else ()), *(named or ()))


def point(text: str | None, now: datetime, zone: tzinfo) -> datetime | None:
    """`text` as a time that needs no journal to resolve, None for none."""
    found = moment(text, now, zone)
    if isinstance(found, BootStart):
        raise UsageError(f"'{text}' names a boot; a time of the clock is needed here.")
    return found


def keep_from(retention: str | None) -> datetime | None:
    """The time before which nothing is kept, None to keep all."""
    return point(retention, datetime.now(UTC), UTC)
