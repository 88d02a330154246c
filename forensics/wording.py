"""Format numbers, times and paragraphs for readers, the same in every output."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_HELPS = {True: "yes", False: "no", None: "unknown"}
_OUTCOMES = {"held": "held", "changed-class": "changed the class", "no-effect": "no effect"}
_METHODS = {
    "envelope": "envelope: first failed start to first stable start",
    "not-ready": "the time it was not ready",
    "sum-of-gaps": "sum of the gaps: each failure to the next start",
}
_KINDS = {"restart-loop": "Restart loop", "outage": "Outage", "failing-job": "Failing job", "recurring": "Recurring failures"}
_RECOVERIES = {"failing-job": "first good run", "recurring": "last stable start"}
_BARS = "▁▂▃▄▅▆▇█"
_ITEM = re.compile(r"\s*(?:\d+[.)]|[-*•])\s")  # the start of a list item

NOT_REDACTED = "Secrets are NOT hidden (--no-redact)."  # at the head of every output that was asked for so


def zone(name: str) -> tzinfo:
    """Return the named time zone; UTC when this machine does not know it."""
    try:
        return UTC if name in {"", "UTC"} else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def instant(time: datetime | None, where: tzinfo = UTC) -> str:
    return "–" if time is None else time.astimezone(where).strftime("%Y-%m-%d %H:%M:%S")


def minute(time: datetime | None, where: tzinfo = UTC) -> str:
    return "–" if time is None else time.astimezone(where).strftime("%Y-%m-%d %H:%M")


def rfc3339(time: datetime | None) -> str | None:
    """Write a time of the JSON contracts: RFC 3339 in UTC with Z; microseconds only if there are any."""
    return None if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def json_number(value: float | None) -> float | int | None:
    """Round seconds and shares to 6 digits, which hides the noise of subtraction; NaN and infinity become null."""
    if value is None or not math.isfinite(value):
        return None
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def precise_enough(start: datetime | None, end: datetime | None) -> Callable[[datetime | None, tzinfo], str]:
    """Choose `instant` for spans shorter than an hour, otherwise `minute`."""
    return instant if start is not None and end is not None and (end - start).total_seconds() < 3600 else minute


def count(number: int) -> str:
    return f"{number:,}"


def plural(number: int, word: str, many: str = "") -> str:
    return f"{number:,} {word if number == 1 else many or word + 's'}"


def share(part: float | None) -> str:
    """Format percent with one digit; "< 0.1 %" and "> 99.9 %" rather than rounding a part to nothing or to all."""
    if part is None:
        return "–"
    if 0 < part < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= part < 1 else f"{part * 100:.1f} %"


def duration(seconds: float | None) -> str:
    """Format measured time in two units at most: 12.9 s, 6 min 14 s, 98 h 22 min, 13 d 4 h."""
    if seconds is None:
        return "–"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if seconds < 3600:
        return _two(round(seconds), 60, "min", "s")
    if seconds < 120 * 3600:
        return _two(round(seconds / 60), 60, "h", "min")
    return _two(round(seconds / 3600), 24, "d", "h")


def spoken_duration(seconds: float) -> str:
    """Format time for a sentence, without fractions of a second: 95 s, 6 min 14 s, 98 min, 98 h 22 min, 13 d 4 h."""
    left = round(seconds)
    if left < 120:
        return f"{left} s"
    if left < 600:
        return _two(left, 60, "min", "s")
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return _two(minutes, 60, "h", "min") if minutes < 240 * 60 else _two(round(seconds / 3600), 24, "d", "h")


def rounded(seconds: float) -> str:
    """Format computed time in whole seconds: 2.7 s, 75 s, 5 min 15 s, 2 h 31 min."""
    if seconds < 9.95:
        return duration(seconds)
    return f"{round(seconds)} s" if round(seconds) < 120 else duration(round(seconds))


def between(low: float, high: float) -> str:
    """Format a range of time, the unit once where it is the same: 15–38 s, 100 s – 19 min 20 s."""
    first, last = rounded(low), rounded(high)
    if first == last:
        return first
    if first.endswith(" s") and last.endswith(" s") and first.count(" ") == last.count(" ") == 1:
        return f"{first.removesuffix(' s')}–{last}"
    return f"{first} – {last}"


def about(seconds: float) -> str:
    """Format time in one unit, for both ends of a range: 2.4 h, 96 h, 5.3 d."""
    for unit, scale, most in (("s", 1, 60), ("min", 60, 60), ("h", 3600, 120)):
        if seconds < scale * most:
            return f"{seconds / scale:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds / 86400:.1f}".removesuffix(".0") + " d"


def _two(small: int, per: int, big_unit: str, small_unit: str) -> str:
    rest = small % per
    return f"{small // per} {big_unit}" + (f" {rest} {small_unit}" if rest else "")


def since_start(time: datetime | None, start: datetime) -> str:
    """Format time relative to the start of an incident: T+29 s, T−40 s; "never" without a time."""
    if time is None:
        return "never"
    seconds = (time - start).total_seconds()
    return f"T{'−' if seconds < 0 else '+'}{duration(abs(seconds))}"


def size(number: int) -> str:
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= scale:
            return f"{number / scale:.1f} {unit}"
    return f"{number} bytes"


def helps(answer: bool | None, when: str = "") -> str:
    """Answer whether a restart helps, with the condition where there is one: yes, once the memory is free."""
    return f"{_HELPS[answer]}, {when}" if answer and when else _HELPS[answer]


def outcome(name: str) -> str:
    return _OUTCOMES.get(name, name)


def method(name: str, *, ongoing: bool = False) -> str:
    """Describe how downtime was measured; an unknown name is returned as it is."""
    return "first failure to the end of the data" if ongoing and name == "envelope" else _METHODS.get(name, name)


def kind(name: str) -> str:
    return _KINDS.get(name, name.replace("-", " ").capitalize())


def recovery(kind: str) -> str:
    """Name the event that ends an incident of this kind."""
    return _RECOVERIES.get(kind, "first stable start")


def reflowed(text: str) -> str:
    """Put each paragraph and list item on one line: line breaks of a pattern file mean nothing on the page."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if lines and lines[-1] and line.strip() and not _ITEM.match(line):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    return "\n".join(lines)


def sparkline(counts: Sequence[int]) -> str:
    """Draw one bar per count: a space for zero, the lowest bar at least for anything more."""
    most = max(counts, default=0) or 1
    return "".join(" " if count == 0 else _BARS[min(len(_BARS) - 1, count * len(_BARS) // (most + 1))] for count in counts)
