"""Parse times as people write them, in the notations of journalctl, Prometheus and ISO 8601.

`30d` and `1h30m` mean that long ago, as do `-30d` and `30 days ago`; `m` is a minute and `M` a month, as in systemd.time(7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from forensics.errors import UsageError

_SECONDS = {
    "us": 1e-6, "usec": 1e-6, "ms": 1e-3, "msec": 1e-3,
    "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600,
    "d": 86_400, "day": 86_400, "days": 86_400,
    "w": 604_800, "week": 604_800, "weeks": 604_800,
    "M": 2_629_800, "month": 2_629_800, "months": 2_629_800,  # systemd's month: 30.44 days
    "y": 31_557_600, "year": 31_557_600, "years": 31_557_600,
}  # fmt: skip
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")
_BOOT = re.compile(r"boot(?:-(\d+))?$")
_TIME = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?$")
_EXAMPLES = "30d, 1h30m, '30 days ago', yesterday, @1765143000, 2025-12-07, '2025-12-07 21:30', 2025-12-07T21:30:00Z, boot, boot-1"


@dataclass(frozen=True, slots=True)
class BootStart:
    """The start of a boot, counted back from the newest in the data (0); only the journal has its time."""

    ago: int


def parse_time(text: str, *, now: datetime, zone: tzinfo) -> datetime | BootStart:
    """Parse a time into UTC; naive times are in `zone`. Raises UsageError with examples."""
    word = text.strip()
    if boot := _BOOT.match(word):
        return BootStart(int(boot[1] or 0))
    try:
        moment = _named(word, now, zone) or _ago(word, now) or _absolute(word, now, zone)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"'{text}' is not a time ({error}). Examples: {_EXAMPLES}.") from None
    return moment.astimezone(UTC)


def month_hint(text: str) -> str | None:
    """Hint that `M` is a month, which is easily meant as a minute; None without `M`."""
    meant_month = re.search(r"\d\s*M\b", text)
    return f"'{text}': M means month; for minutes use m or min." if meant_month else None


def _named(word: str, now: datetime, zone: tzinfo) -> datetime | None:
    days = {"today": 0, "yesterday": -1, "tomorrow": 1}
    if word == "now":
        return now
    if word not in days:
        return None
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=days[word]), time(), zone)


def _ago(word: str, now: datetime) -> datetime | None:
    """Subtract a span from `now`, or add it for `+…`."""
    sign = 1 if word.startswith("+") else -1
    seconds = span_seconds(word.lstrip("+-").removesuffix("ago").strip())
    return None if seconds is None else now + timedelta(seconds=sign * seconds)


def span_seconds(text: str) -> float | None:
    """Parse a span such as 1h30m; None for anything else."""
    seconds, rest = 0.0, text
    while rest:
        part = _PART.match(rest)
        if not part or part[2] not in _SECONDS:
            return None
        seconds += float(part[1]) * _SECONDS[part[2]]
        rest = rest[part.end() :]
    return seconds if text else None


def _absolute(word: str, now: datetime, zone: tzinfo) -> datetime:
    if word.startswith("@"):
        return datetime.fromtimestamp(float(word[1:]), UTC)
    if _TIME.match(word):
        word = f"{now.astimezone(zone).date()} {word.zfill(len(word) + (word[1] == ':'))}"
    bare = word.removesuffix(" UTC")
    moment = datetime.fromisoformat(bare)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC if bare != word else zone)
    return moment
