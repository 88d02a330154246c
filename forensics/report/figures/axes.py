"""Place the ticks of axes of counts, of times and of seconds on a log scale, so that their labels keep a distance."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo

from forensics import wording
from forensics.report.figures.description import Label, Plot, Tick, TimeAxis
from forensics.report.text_width import text_width

BELOW = 36.0  # room below the plot for two lines: time of day, date
BELOW_SECONDS = 20.0
_STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 129600, 525600))
_SECONDS = (1, 10, 60, 600, 3600, 6 * 3600, 86400, 4 * 86400, 30 * 86400, 365 * 86400)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MOST_TIMES, _TIME_WIDTH, _GAP = 10, 60.0, 6.0


@dataclass(frozen=True, slots=True)
class LogAxis:
    """Seconds on a log scale from one second at `low` to `last` at `high`; what is earlier is at one second."""

    last: float
    low: float
    high: float

    def at(self, seconds: float) -> float:
        return round(self.low + (self.high - self.low) * math.log10(max(1.0, seconds)) / math.log10(self.last), 1)


def seconds_axis(seconds: Iterable[float], low: float, high: float) -> LogAxis:
    """Make the axis that has all of them, and a minute at least."""
    return LogAxis(max([60.0, *seconds]), low, high)


def seconds_ticks(axis: LogAxis, bottom: float, width: float) -> tuple[Tick, ...]:
    """Place as many ticks as there is room for."""
    ticks = (
        Tick(axis.at(second), (_inside(Label(axis.at(second), bottom + 14, wording.duration(second), "middle"), width),))
        for second in _SECONDS
        if second <= axis.last
    )
    return spaced(ticks)


def count_scale(largest: int) -> tuple[float, tuple[int, ...]]:
    """End of the axis of counts, a little above the largest, and three to five round ticks."""
    rough = max(1, largest) / 4
    scale = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = math.ceil(next(factor * scale for factor in (1, 2, 2.5, 5, 10) if factor * scale >= rough))
    ceiling = max(1, largest) * 1.06
    return ceiling, tuple(range(0, math.floor(ceiling) + 1, step))


def counts_width(counts: Iterable[int]) -> float:
    """Return the room that the labels of an axis of counts need."""
    return max(text_width(wording.count(count)) for count in counts) + 11


def count_ticks(counts: Iterable[int], ceiling: float, plot: Plot) -> tuple[Tick, ...]:
    ticks = []
    for count in counts:
        at = round(plot.bottom - (plot.bottom - plot.top) * count / ceiling, 1)
        ticks.append(Tick(at, (Label(plot.left - 7, at + 4, wording.count(count), "end"),)))
    return tuple(ticks)


def time_ticks(axis: TimeAxis, where: tzinfo, bottom: float, width: float) -> tuple[Tick, ...]:
    """Place ticks on whole local days or hours; the date is written below where it changes."""
    most = min(_MOST_TIMES, max(1, int((axis.high - axis.low) / _TIME_WIDTH)))
    step = next((step for step in _STEPS if (axis.end - axis.start) / step <= most), _STEPS[-1])
    midnight = axis.start.astimezone(where).replace(hour=0, minute=0, second=0, microsecond=0)
    ticks: list[Tick] = []
    dated = ""
    for k in range(int((axis.end - midnight) / step) + 2):
        time = midnight + step * k
        if not axis.start <= time <= axis.end:
            continue
        local, at = time.astimezone(where), axis.at(time)
        date = f"{local.day} {_MONTHS[local.month - 1]}"
        texts = (date,) if step.days >= 1 else (f"{local:%H:%M}", date) if date != dated else (f"{local:%H:%M}",)
        labels = (_inside(Label(at, bottom + 17 + 14 * line, text, "middle"), width) for line, text in enumerate(texts))
        ticks.append(Tick(at, tuple(labels)))
        dated = date
    return spaced(ticks)


def _inside(label: Label, width: float) -> Label:
    """Move a centred label so far that it does not leave the drawing."""
    half = label.width / 2
    return replace(label, x=round(min(max(label.x, half + 1), width - half - 1), 1))


def spaced(ticks: Iterable[Tick]) -> tuple[Tick, ...]:
    """Leave out the ticks whose labels would touch the ones before."""
    kept: list[Tick] = []
    for tick in ticks:
        if not kept or min(label.left for label in tick.labels) >= max(label.right for label in kept[-1].labels) + _GAP:
            kept.append(tick)
    return tuple(kept)
