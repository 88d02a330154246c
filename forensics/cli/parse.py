"""Parse command-line values: times, zones, sources and directories. Raises UsageError with what is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forensics.cli import output
from forensics.errors import JournalPermissionError, UsageError
from forensics.paths import users_patterns
from forensics.resources import folder
from forensics.wording import duration

if TYPE_CHECKING:
    from forensics.query import Sources
    from forensics.timespec import BootStart


def clock() -> datetime:
    """Now, or the time in SOURCE_DATE_EPOCH, so that the same journal can give the same bytes."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(fixed), UTC) if fixed.isdigit() else datetime.now(UTC)


def zone_named(name: str | None) -> tzinfo:
    """The time zone with this IANA name; the host's own for None. Raises UsageError for an unknown one."""
    try:
        return ZoneInfo(name or host_zone_name())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if name is None:
            return UTC
        raise UsageError(f"There is no time zone '{name}'. Examples: UTC, Europe/Berlin, America/New_York.") from None


def host_zone_name() -> str:
    """The IANA name of the host's zone, from TZ or /etc/localtime; UTC when neither is set."""
    link = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    return os.environ.get("TZ", "").lstrip(":") or link.removeprefix("posix/") or "UTC"


def moment(text: str | None, now: datetime, zone: tzinfo) -> datetime | BootStart | None:
    """Parse a time, None for None; a month that may be meant as a minute gets a hint on stderr."""
    from forensics.timespec import month_hint, parse_time

    if text is None:
        return None
    if hint := month_hint(text):
        output.notice(hint)
    return parse_time(text, now=now, zone=zone)


def point(text: str | None, now: datetime, zone: tzinfo) -> datetime | None:
    """Parse a time that needs no journal to resolve, None for None."""
    from forensics.timespec import BootStart

    time = moment(text, now, zone)
    if isinstance(time, BootStart):
        raise UsageError(f"'{text}' is the start of a boot; give a date and time here.")
    return time


def seconds(option: str, text: str, *, shortest: float = 1.0, longest: float = 3600.0) -> float:
    """Parse a length of time; a bare number is seconds. Raises UsageError for one out of bounds."""
    from forensics.timespec import span_seconds

    length = span_seconds(f"{text}s" if text.replace(".", "", 1).isdecimal() else text)
    if length is None or not shortest <= length <= longest:
        raise UsageError(f"{option} {text}: must be from {duration(shortest)} to {duration(longest)}, such as 90s or 2m.")
    return length


def absolute_path(option: str, path: str, refused: str = " ") -> str:
    """Refuse a path that other programs would not take as it is. Raises UsageError."""
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or set(path) & set(refused):
        named = "spaces or" if refused == " " else "spaces, quotes, %, $ or"
        raise UsageError(f"{option} must start with / and have no {named} control characters.")
    return path


def sources_named(journal_dirs: list[Path] | None, files: list[Path] | None) -> Sources:
    """The sources to read. Raises UsageError for a path that does not exist, JournalPermissionError for an unreadable one."""
    from forensics.query import STREAM, Sources

    for path in [*(journal_dirs or []), *(files or [])]:
        if path == STREAM:
            continue
        try:
            path.stat()
        except PermissionError:
            raise JournalPermissionError(f"'{path}' cannot be read by this user.") from None
        except OSError:
            raise UsageError(f"'{path}' does not exist.") from None
    for path in journal_dirs or []:
        if not path.is_dir():
            raise UsageError(f"'{path}' is not a directory; use --file for a single file.")
    for path in files or []:
        if path.is_dir():
            raise UsageError(f"'{path}' is a directory; use --journal-dir.")
    return Sources(tuple(journal_dirs or ()), tuple(files or ()))


def store_named(path: Path | None) -> Path:
    """The store at `path`, or the user's own. Raises UsageError for a directory in a store, or one that has a store in it."""
    from forensics.ingest.leads import refuse_no_store
    from forensics.paths import store_folder

    if path is not None:
        refuse_no_store(path)
    return path or store_folder()


def pattern_folders(named: Sequence[Path] | None) -> tuple[Path, ...]:
    """The shipped catalogue, the user's own and the named ones. Raises UsageError for a named one that does not exist."""
    for path in named or []:
        if not path.is_dir():
            raise UsageError(f"--patterns: there is no directory '{path}'.")
    own = users_patterns()
    return (folder("patterns"), *((own,) if own.is_dir() else ()), *(named or ()))


def require_choice(what: str, value: str, choices: Iterable[str]) -> None:
    """Raises UsageError unless `value` is one of the choices."""
    if value not in (allowed := tuple(choices)):
        raise UsageError(f"There is no {what} '{value}'; choose from {', '.join(allowed)}.")
