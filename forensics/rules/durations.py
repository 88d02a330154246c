"""Parse durations as Prometheus writes them: 1h30m, 5m, 1d; each unit at most once, from years down to milliseconds."""

from __future__ import annotations

import re

_UNITS = {"y": 365 * 86400, "w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_DURATION = re.compile("".join(rf"(?:([0-9]+){unit})?" for unit in _UNITS))  # prometheus/common model.ParseDuration
_LONGEST_S = 2**63 / 1e9  # Go's time.Duration


def parse_duration(text: str) -> float | None:
    """Return seconds; None for what Prometheus refuses as well."""
    if text == "0":
        return 0.0
    found = _DURATION.fullmatch(text) if text and len(text) < 100 else None
    if found is None:
        return None
    seconds = float(sum(int(number) * size for number, size in zip(found.groups(), _UNITS.values(), strict=True) if number))
    return seconds if seconds < _LONGEST_S else None
