"""Give the same entries to `report` and, as a stream, to `watch`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from forensics.alerting.alert import Alert
from forensics.assembly import assemble
from forensics.changes import find_changes
from forensics.classes.overrides import Overrides
from forensics.incidents import Inputs, analyse
from forensics.journal.damage import DamageLog
from forensics.journal.json_lines import read_json
from forensics.model.frames import ENTRIES
from forensics.model.values import Incident, Window
from forensics.signatures import label
from forensics.watch.stream import ROUTINE_S, Stream
from forensics.watch.tracker import Tracker
from tests.attempts.building import Journal
from tests.shipped import shipped

KNOWN = shipped()
LINES = {
    "library": "ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory",
    "unknown": "ValueError: the model is upside down",
}
PLACES = (("app.service", "alpha"), ("app.service", "beta"), ("web.service", "alpha"))


@dataclass
class Unit:
    """Writes the journal of one unit, step by step."""

    journal: Journal
    attempts: int = 0
    counter: int = 0

    def start(self, after: float) -> str:
        self.attempts += 1
        invocation = f"{self.journal.host}{self.journal.unit.removesuffix('.service')}{self.attempts:04}".ljust(32, "x")
        self.journal.manager("started", invocation, after=after, JOB_TYPE="start", JOB_RESULT="done")
        return invocation

    def die(self, invocation: str, klass: str, lives: float) -> None:
        self.journal.writes(invocation, LINES[klass], after=lives)
        self.journal.dies(invocation)

    def restart(self, invocation: str, after: float) -> None:
        self.counter += 1
        self.journal.manager("restart", invocation, after=after, N_RESTARTS=str(self.counter))

    def stop(self, invocation: str = "", after: float = 0.01) -> None:
        self.counter = 0
        if invocation:
            self.journal.manager("stopping", invocation, after=after, JOB_TYPE="stop")
            self.journal.manager("well", invocation)
        self.journal.manager("stopped", invocation, JOB_TYPE="stop", JOB_RESULT="done", after=0.01 if invocation else after)

    def gated(self, failures: int, klass: str, classified_s: float, tries: int, end: str) -> None:
        """Failures up to the one at which a gate opens, tries that fail, and how it goes on."""
        for _ in range(failures - 1):
            self.step("fail", 1, klass, 12.0)
        invocation = self.start(0.1)
        self.journal.writes(invocation, LINES[klass], after=1)
        self.journal.trips(invocation, failures, classified_s)
        for _ in range(tries):
            self.journal.gate("probed", after=700)
            invocation = self.start(0.1)
            self.journal.writes(invocation, LINES[klass], after=1)
            self.journal.trips(invocation, failures, classified_s)
        self.counter = 0
        match end:
            case "held":
                self.journal.gate("probed", after=300)
                invocation = self.start(0.1)
                self.journal.gate("closed", after=605, TABBY_REASON="held")
                self.stop(invocation, after=30)
            case "reset":
                self.journal.gate("closed", after=50, TABBY_REASON="reset")
                self.stop(self.start(0.1), after=700)
            case "hold":
                self.journal.gate("closed", after=50, TABBY_REASON="hold")
                self.journal.now += 1_000_000_000
            case _:
                self.journal.now += 900_000_000

    def step(self, name: str, *given: object) -> None:
        match name, *given:
            case "fail", times, klass, every:
                for _ in range(times):
                    invocation = self.start(0.1)
                    self.die(invocation, klass, min(1.5, every / 4))
                    self.restart(invocation, every - min(1.5, every / 4) - 0.1)
            case "hold", seconds, "fail":
                invocation = self.start(0.1)
                self.die(invocation, "library", seconds)
                self.restart(invocation, 10)
            case "hold", seconds, _:
                self.stop(self.start(0.1), after=seconds)
            case "gate", failures, klass, classified_s, tries, end:
                self.gated(failures, klass, classified_s, tries, end)
            case "stop", waits:
                self.stop(after=1)
                self.journal.now += int(waits * 1e6)
            case "finish", seconds:
                self.journal.manager("well", self.start(0.1), after=seconds)
            case "down", klass, waits:
                self.die(self.start(0.1), klass, 1)
                self.counter = 0
                self.journal.now += int(waits * 1e6)
            case _:
                text = f"{self.journal.unit} was skipped because of an unmet condition check (ConditionPathExists=/x)."
                self.journal.manager("started", text=text, JOB_RESULT="done")


def table_of(stories: list[list[tuple[object, ...]]]) -> pa.Table:
    """The journal of one unit per story, merged by time; an hour of nothing at the end."""
    units = [Unit(Journal(unit, host, boot=host[0] * 32)) for (unit, host), _ in zip(PLACES, stories, strict=False)]
    for unit, story in zip(units, stories, strict=True):
        for step in story:
            unit.step(*step)
    return merged(units)


def merged(units: list[Unit]) -> pa.Table:
    end = max(unit.journal.now for unit in units) + 3_600_000_000
    for unit in units:
        unit.journal.add((end - unit.journal.now) / 1e6, {"MESSAGE": "tick", "_PID": "7", "_SYSTEMD_UNIT": "cron.service"})
    lines = sorted((line for unit in units for line in unit.journal.lines), key=lambda line: int(line["__REALTIME_TIMESTAMP"]))
    numbered = [line | {"__CURSOR": f"s={line['_HOSTNAME'][0] * 32};i={n + 1:x}"} for n, line in enumerate(lines)]
    (table,) = read_json(iter(["".join(json.dumps(line) + "\n" for line in numbered).encode()]), "law", DamageLog("law"))
    return table


def entries_of(table: pa.Table) -> pl.DataFrame:
    entries = pl.DataFrame(table).select(pl.col(name).cast(kind) for name, kind in ENTRIES.items())
    return entries.sort("host", "monotonic", maintain_order=True)


def first_finishes(table: pa.Table) -> dict[tuple[str, str], int]:
    """When the attempt began by whose good end each (host, unit) is first known to be a job, in µs since 1970."""
    clean = assemble(entries_of(table)).attempts.filter(pl.col("outcome") == "clean")
    return {(host, unit): us(at.timestamp()) for host, unit, at in clean.group_by("host", "unit").agg(pl.col("started").min()).iter_rows()}


def report_of(table: pa.Table) -> tuple[Incident, ...]:
    entries = entries_of(table)
    made = assemble(entries)
    labelled = label(made.events, made.attempts, KNOWN)
    changes = find_changes(entries, made.lifecycle)
    inputs = Inputs(entries, made.attempts, made.events, made.restarts, made.lifecycle, labelled.labels, changes, labelled.signatures)
    return analyse(inputs, Window(None, None)).incidents


def watch_over(table: pa.Table) -> Iterator[Alert]:
    """The alerts of a stream, as time passes: a look at the journal wherever nothing was written for a while, a tick every minute."""
    stream, tracker = Stream(KNOWN, Overrides()), Tracker()
    times = [time.timestamp() for time in table["time"].to_pylist()]
    start, ticked = 0, times[0]
    for upto in range(1, len(times) + 1):
        if upto < len(times) and times[upto] - times[upto - 1] < 3 * ROUTINE_S:
            continue
        now = times[upto - 1]
        while ticked + 60 < times[start]:
            ticked += 60
            yield from tracker.tick(ticked, ticked)
        tracker.read(stream.feed(table.slice(start, upto - start), now), now)
        yield from tracker.settle((), stream.waiting)
        ended, _ = stream.settle(now + 2 * ROUTINE_S)
        yield from tracker.settle(ended, stream.waiting)
        start, ticked = upto, max(ticked, now)
    yield from tracker.tick(times[-1], times[-1])


def us(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e6)


def lasting(alerts: list[Alert], name: str) -> dict[tuple[str, str, str, int | None], int | None]:
    """(host, unit, class, start) → end of every alert of that name; null while it is open."""
    found: dict[tuple[str, str, str, int | None], int | None] = {}
    for alert in alerts:
        if alert.name == name:
            found[alert.host, alert.unit, alert.signature, us(alert.starts_at)] = us(alert.ended_at)
    return found


def lasting_incidents(incidents: tuple[Incident, ...], kind: str) -> dict[tuple[str, str, str, int | None], int | None]:
    found = [one for one in incidents if one.kind == kind]
    return {(one.host, one.unit, "", us(one.start.timestamp())): one.end and us(one.end.timestamp()) for one in found}
