"""Read the times of log lines, in the months and weekdays of any language, as µs that can be compared within one text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from forensics.sanitize.lazy_pattern import LazyPattern

_DAY_S = 86_400
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBER = LazyPattern(r"\d{1,12}\.\d{1,9}")
_DATE = LazyPattern(r"(\d{4})-(\d\d)-(\d\d)[T _](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:(Z)|([+-])(\d\d):?(\d\d))?")
_MONTH_AND_DAY = LazyPattern(r"(.{0,40}?) {0,2}(\d{1,2})\.? (\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?")
_TAI64N = LazyPattern(r"@4([0-9a-f]{15})([0-9a-f]{8})")
_TAI_AHEAD_S = 10  # of UTC in the scale that multilog and svlogd write


class Clock:
    """The times of one text. Months of an unknown language count in the order in which they first appear."""

    def __init__(self) -> None:
        self._months: dict[str, int] = {}
        self._latest: tuple[str, int | None] = ("", None)

    def micros(self, text: str) -> int | None:
        """µs since the epoch, since the boot, or since the start of 2000 for a date without a year; null for no time."""
        if text != self._latest[0]:
            self._latest = (text, self._read(text))
        return self._latest[1]

    def _read(self, text: str) -> int | None:
        if _NUMBER.fullmatch(text):
            return int(float(text) * 1_000_000)
        if "-" in text and (dated := _DATE.search(text)):
            return _of_date(dated)
        if text[0] == "@" and (tai := _TAI64N.match(text)):
            return (int(tai[1], 16) - _TAI_AHEAD_S) * 1_000_000 + int(tai[2], 16) // 1000
        if named := _MONTH_AND_DAY.fullmatch(text):
            name, day, hours, minutes, seconds, fraction = named.groups()
            month = MONTHS.index(name) if name in MONTHS else self._months.setdefault(name, len(self._months))
            of_day = (int(day) - 1) * _DAY_S + _of_day(hours, minutes, seconds)
            return (_start_of(2000, month % 12 + 1, 1) + of_day) * 1_000_000 + _fraction(fraction)
        return None


def _of_date(dated: re.Match[str]) -> int | None:
    year, month, day = dated.groups()[:3]
    try:
        start = _start_of(int(year), int(month), int(day))
    except (ValueError, OverflowError):
        return None
    sign, hours, minutes = dated.groups()[8:11]
    ahead = 0 if sign is None else (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1)
    return max(0, (start + _of_day(*dated.groups()[3:6]) - ahead) * 1_000_000 + _fraction(dated[7]))


@lru_cache(maxsize=512)
def _start_of(year: int, month: int, day: int) -> int:
    """The second at which a day begins. Raises ValueError where there is no such day."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def _of_day(hours: str, minutes: str, seconds: str) -> int:
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def _fraction(digits: str | None) -> int:
    return int(digits[:6].ljust(6, "0")) if digits else 0
