"""Shape the controls replayed on an incident for readers: which rows are shown first, and each value in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics import wording
from forensics.model.controls import CANNOT_JUDGE, DEAD, FIRES, NEVER, Replayed
from forensics.model.values import Incident
from forensics.sanitize import brief, one_line

KINDS = {
    "rule": "alert rule",
    "limit": "start limit",
    "policy": "restart policy",
    "probe": "probe",
    "poll": "poll",
    "gate": "gate",
    "litellm": "LiteLLM",
    "watch": "watch",
    "stack": "limit with a rule",
}
STATUSES = {FIRES: "would have fired", NEVER: "never", DEAD: "can never fire", CANNOT_JUDGE: "cannot judge"}
MARKS = {FIRES: "●", NEVER: "○", DEAD: "✕", CANNOT_JUDGE: "?"}
NOTHING = "–"
_LONGEST_NAME, _LONGEST_SOURCE, _LONGEST_REASON = 90, 120, 400
_ENOUGH = {"rule": 3, "limit": 2, "watch": 2}  # controls of a kind before others come first; else 1
_TIMED_BY = {
    "rule": "scrape timing",
    "probe": "scrape timing",
    "stack": "scrape timing",
    "poll": "poll timing",
    "litellm": "request timing",
}
_RELIED_ON = {"limit": 1, "rule": 2, "probe": 2, "poll": 2}
_SHIPPED = "shipped"  # how the source of a control begins that is not the user's


@dataclass(frozen=True, slots=True)
class Row:
    """One control in words. timing: the range over scrape timings, "" where there is none; noise: outside of incidents."""

    of: Replayed
    name: str
    kind: str
    source: str
    first: str
    timing: str
    delivered: str
    avoided: str
    after: str
    noise: str
    why: str
    assumes: tuple[str, ...]

    @property
    def fires(self) -> bool:
        return self.of.status == FIRES and self.of.after_s is not None

    @property
    def limits(self) -> bool:
        return self.of.restarts_avoided is not None

    @property
    def is_quiet(self) -> bool:
        """Whether it is known to do nothing outside of incidents."""
        return (self.of.firings_outside, self.of.refusals_outside) in {(0, None), (None, 0), (0, 0)}

    @property
    def is_yours(self) -> bool:
        return not self.of.source.startswith(_SHIPPED)

    @property
    def mark(self) -> str:
        return MARKS.get(self.of.status, MARKS[CANNOT_JUDGE])


def rows(incident: Incident) -> list[Row]:
    """Put every replayed control into words, the first to fire first."""
    return [_row(control) for control in incident.replay]


def _row(control: Replayed) -> Row:
    after_s = control.after_s if control.status == FIRES else None
    return Row(
        of=control,
        name=brief(control.control, _LONGEST_NAME),
        kind=KINDS.get(control.kind, one_line(control.kind, 40)),
        source=brief(control.source, _LONGEST_SOURCE),
        first=STATUSES.get(control.status, STATUSES[CANNOT_JUDGE]) if after_s is None else f"T+{wording.rounded(after_s)}",
        timing="" if after_s is None else _timing(control),
        delivered=NOTHING if control.delivered_after_s is None else f"T+{wording.rounded(control.delivered_after_s)}",
        avoided=_counted(None if after_s is None else control.restarts_avoided),
        after=_counted(control.restarts_after),
        noise=_noise(control),
        why=one_line(control.reason, _LONGEST_REASON),
        assumes=tuple(one_line(assumption, _LONGEST_REASON) for assumption in control.assumptions),
    )


def _counted(number: int | None) -> str:
    return NOTHING if number is None else wording.count(number)


def _timing(control: Replayed) -> str:
    """Write the range of first fires over the timings of scrapes and evaluations, and in how many of them it fires at all."""
    parts = []
    if control.earliest_s is not None and control.latest_s is not None and control.earliest_s < control.latest_s:
        parts.append(wording.between(control.earliest_s, control.latest_s))
    if control.never_share:
        parts.append(f"in {wording.share(1 - control.never_share)} of the timings, else never")
    return ", ".join(parts)


def _noise(control: Replayed) -> str:
    """Write what the control would have done outside of incidents: alerts, or starts refused in quiet times."""
    if control.refusals_outside is not None:
        refused = control.refusals_outside
        return f"{wording.plural(refused, 'start')} refused" if refused else "none"
    if control.firings_outside is None:
        return NOTHING
    hours = f", {wording.duration(round(control.hours_outside * 3600))}" if control.hours_outside else ""
    return f"{wording.plural(control.firings_outside, 'time')}{hours}" if control.firings_outside else "none"


def chosen(shaped: Sequence[Row], most: int) -> list[Row]:
    """Choose what is shown first: what fires first, without false alarms before with them, and some that do not fire; yours before all."""
    silent = sorted((row for row in shaped if not row.fires), key=_silent_rank)
    firing = _varied(sorted((row for row in shaped if row.fires), key=lambda row: (not row.is_yours, not row.is_quiet)))
    kept = silent[: max(-(-most // 3), most - len(firing))]
    shown = {id(row) for row in (*firing[: most - len(kept)], *kept)}
    return [row for row in shaped if id(row) in shown]


def _silent_rank(row: Row) -> tuple[bool, int]:
    """Put first, among controls that do not fire, what somebody may rely on."""
    status = row.of.status
    return not row.is_yours, 4 if status == CANNOT_JUDGE else 0 if status == DEAD else _RELIED_ON.get(row.of.kind, 3)


def _varied(firing: Sequence[Row]) -> list[Row]:
    """Put back what comes after enough shipped controls of its kind, so that one kind cannot fill the figure."""
    numbers: Counter[str] = Counter()
    first: list[Row] = []
    later: list[Row] = []
    for row in firing:
        numbers[row.of.kind] += 1
        (first if row.is_yours or numbers[row.of.kind] <= _ENOUGH.get(row.of.kind, 1) else later).append(row)
    return first + later


def remaining(shaped: Sequence[Row], shown: Sequence[Row]) -> list[Row]:
    """Return the rows that are not among those shown first."""
    ids = {id(row) for row in shown}
    return [row for row in shaped if id(row) not in ids]


def title(shaped: Sequence[Row]) -> str:
    """Head the figure: that controls would have fired, and whether yours would."""
    if not any(row.fires for row in shaped):
        return "None of these controls would have fired here"
    yours = [row for row in shaped if row.is_yours]
    return "These controls would have fired here" + ("; yours never" if yours and not any(row.fires for row in yours) else "")


def columns(shaped: Sequence[Row]) -> list[str]:
    """Name the optional columns that have a value in some row."""
    return [name for name in ("delivered", "avoided") if any(getattr(row, name) != NOTHING for row in shaped)]


def assumptions(shaped: Sequence[Row]) -> dict[str, int]:
    """Number what the verdicts assume, in the order of the rows."""
    distinct = dict.fromkeys(text for row in shaped for text in row.assumes)
    return {text: number for number, text in enumerate(distinct, 1)}


def legend(shown: Sequence[Row]) -> list[tuple[str, str]]:
    """Explain the marks that the figure has."""
    firing = [row for row in shown if row.fires]
    entries = (
        ("fires", "fires", any(not row.limits for row in firing)),
        ("limit", "stops the restarts", any(row.limits for row in firing)),
        ("range", "range, depending on timing", any(row.timing for row in firing)),
        ("delivered", "alert delivered", any(row.of.delivered_after_s is not None for row in firing)),
    )
    return [(mark, text) for mark, text, is_drawn in entries if is_drawn]


def summary(shaped: Sequence[Row]) -> str:
    """Sum up the replay: how many would have fired, the first of them, how many of the user's own; "" without a replay."""
    return " ".join(_sentences(shaped)) if shaped else ""


def _sentences(shaped: Sequence[Row]) -> Iterator[str]:
    replayed = f"{wording.plural(len(shaped), 'control')} replayed on this incident"
    if (earliest := first(shaped)) is not None:
        yield f"Of {replayed}, {wording.count(sum(row.fires for row in shaped))} would have fired."
        yield _first(earliest)
    else:
        yield f"None of {replayed} would have fired."
    yield from _silent(shaped)
    yield from _of_yours([row for row in shaped if row.is_yours], len(shaped))


def first(shaped: Sequence[Row]) -> Row | None:
    """Choose the first that fires and does nothing outside of incidents, or else the first that fires."""
    firing = [row for row in shaped if row.fires]
    return next((row for row in firing if row.is_quiet), firing[0] if firing else None)


def _first(row: Row) -> str:
    """Name the first control to fire."""
    which = "The first without a false alarm in this window" if row.is_quiet else "The first"
    ahead = row.of.before_operator_s
    before = f", {wording.spoken_duration(ahead)} before the first operator action" if ahead and ahead > 0 else ""
    return f"{which} ({row.name}) would have {'acted' if row.limits else 'fired'} {fires_after(row)}{before}."


def fires_after(row: Row) -> str:
    """Write when a control fires, for a sentence: 30 s after the start (15–38 s, depending on scrape timing)."""
    depends = "" if row.of.never_share else f", depending on {_TIMED_BY.get(row.of.kind, 'timing')}"
    return f"{wording.rounded(row.of.after_s or 0.0)} after the start" + (f" ({row.timing}{depends})" if row.timing else "")


def _silent(shaped: Sequence[Row]) -> Iterator[str]:
    numbers = {status: sum(row.of.status == status for row in shaped) for status in (NEVER, DEAD, CANNOT_JUDGE)}
    words = {NEVER: "would never have fired", DEAD: "can fire nowhere", CANNOT_JUDGE: "cannot be judged from the journal"}
    parts = [f"{wording.count(number)} {words[status]}" for status, number in numbers.items() if number]
    if parts:
        yield f"{', '.join(parts)}."


def _of_yours(yours: Sequence[Row], replayed: int) -> Iterator[str]:
    """Count the user's own controls, unless all are theirs."""
    if not yours or len(yours) == replayed:
        return
    firing = [row for row in yours if row.fires]
    if firing:
        yield f"Of your {wording.count(len(yours))}, {wording.count(len(firing))} would have fired, the first {fires_after(firing[0])}."
    else:
        yield f"None of your {wording.count(len(yours))} would have fired." if len(yours) > 1 else "Yours would not have fired."
