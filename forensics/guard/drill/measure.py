"""Run a drill: start its unit, ask each link of the chain until the alert has arrived there or time is over, and take the unit away."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from forensics.alerting.sinks.sink import Sink
from forensics.classes.overrides import Overrides
from forensics.guard.drill import journal, unit
from forensics.guard.drill.links import REFUSED, SILENT, THERE, UNKNOWN, WRONG, Arrival, Drill, Link, Probe
from forensics.guard.drill.reach import why_unreachable
from forensics.guard.drill.read_back import notifications, page, read_back
from forensics.guard.drill.scene import Scene
from forensics.guard.drill.snapshot import NoStateError, State
from forensics.guard.drill.unit import Started
from forensics.guard.systemctl import Manager
from forensics.wording import duration

POLL_S = 0.02  # a state that has not changed costs two stat() calls
JOURNAL_S = 0.1
LAST_ANSWER_S = 10.0  # that a question asked just before the end may take, and the question why there was no answer
ACCEPTED, GONE = "accepted", "no longer queued; whether it was accepted, only `watch` itself has printed"
JOURNAL, WATCH = "journal", "watch"


@dataclass(frozen=True, slots=True)
class Chain:
    """What is measured. state: of the `watch` that runs, with its process; overrides: its names for classes; pages: URLs."""

    manager: Manager
    state: State
    watcher: int
    sinks: Mapping[str, Sink]
    overrides: Overrides = field(default_factory=Overrides)
    pages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_logged: bool = True  # what `watch` prints is in the journal, so that a refusal would be found


def run_drill(scene: Scene, chain: Chain, within_s: float) -> Drill:
    """Let the scene play, and measure. Raises NoManagerError, NoStateError."""
    chain.state.snapshot()
    sent = {name: counts for name, sink in chain.sinks.items() if (counts := notifications(sink)) is not None}
    started = unit.start(chain.manager, scene)
    try:
        links = _measured(_probes(scene, chain, started, sent), started, within_s)
    finally:
        unit.remove(chain.manager, started.unit)
    return Drill(scene.signature, scene.title, started.unit, started.at, within_s, links, chain.notes)


def _probes(scene: Scene, chain: Chain, started: Started, sent: Mapping[str, tuple[float, float]]) -> list[Probe]:
    """List the links in the order in which an alert passes them."""
    expected = chain.overrides.shown_as(scene.signature)
    probes = [
        Probe(JOURNAL, lambda: _in_journal(chain, started), JOURNAL_S, lambda: "systemd has reported no failure of the unit"),
        Probe(WATCH, lambda: _in_watch(chain, started, expected), POLL_S, lambda: _why_no_alert(chain)),
    ]
    for name, sink in chain.sinks.items():
        probes.append(_of_sink(name, sink, chain, started))
        probes += read_back(name, sink, started, sent)
    return [*probes, *(page(number, url, started.unit) for number, url in enumerate(chain.pages, 1))]


def _of_sink(name: str, sink: Sink, chain: Chain, started: Started) -> Probe:
    url = str(getattr(sink, "url", ""))
    return Probe(
        f"sink {name}",
        lambda: _delivered(name, chain, started),
        POLL_S,
        why=lambda: _why_not_delivered(url, chain, started),
        check=lambda: journal.refusal_of(name, started.unit, chain.watcher, started.at),
    )


def _in_journal(chain: Chain, started: Started) -> Arrival | None:
    at = journal.failure_recorded_at(chain.manager, started.unit)
    return None if at is None else Arrival(at, "the failure is recorded")


def _in_watch(chain: Chain, started: Started, expected: str) -> Arrival | None:
    snapshot = chain.state.snapshot()
    alert = snapshot.about(started.unit)
    if alert is None:
        return None
    at = alert.raised_at or snapshot.written
    if alert.signature != expected:
        return Arrival(at, f"its alert names the class {alert.signature}, not {expected}", is_right=False)
    return Arrival(at, f"{alert.name}, class {alert.signature}")


def _why_no_alert(chain: Chain) -> str:
    if not Path(f"/proc/{chain.watcher}").exists():
        return f"its process {chain.watcher} has ended"
    if any(alert.state == "flood" for alert in chain.state.snapshot().raised):
        return "it has raised no alert about the unit by itself: there are so many that it groups them"
    return "it has raised no alert about the unit; `tabby-forensics doctor` examines it"


def _why_not_delivered(url: str, chain: Chain, started: Started) -> str:
    if chain.state.snapshot().about(started.unit) is None:
        return "there was no alert to deliver"
    why = why_unreachable(url) if url else ""
    return f"the alert is still queued{f': {why}' if why else ''}"


def _delivered(name: str, chain: Chain, started: Started) -> Arrival | None:
    snapshot = chain.state.snapshot()
    if snapshot.about(started.unit) is None or snapshot.waits_for(name, started.unit):
        return None
    return Arrival(snapshot.written, ACCEPTED if chain.is_logged else GONE)


def _measured(probes: Sequence[Probe], started: Started, within_s: float) -> tuple[Link, ...]:
    """Ask each link in a thread of its own, at its own pace, so that a server that hangs delays no other measurement."""
    links: dict[str, Link] = {}
    deadline = time.monotonic() + within_s

    def measure(probe: Probe) -> None:
        links[probe.link] = _followed(probe, started, within_s, deadline)

    threads = [threading.Thread(target=measure, args=(probe,), daemon=True) for probe in probes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline + LAST_ANSWER_S - time.monotonic()))
    silent = Link("", SILENT, text=f"silent for {duration(within_s)}: its server does not answer")
    return tuple(links.get(probe.link) or replace(silent, name=probe.link) for probe in probes)


def _followed(probe: Probe, started: Started, within_s: float, deadline: float) -> Link:
    """Ask one link until the drill has arrived there or time is over."""
    problem = ""
    while time.monotonic() < deadline:
        try:
            problem, arrival = "", probe.ask()
        except NoStateError as error:
            problem, arrival = str(error), None
        if arrival is not None:
            return _arrived(probe, arrival, started)
        time.sleep(probe.every_s)
    if problem:
        return Link(probe.link, UNKNOWN, text=problem)
    why = _explained(probe)
    return Link(probe.link, SILENT, text=f"silent for {duration(within_s)}{f': {why}' if why else ''}")


def _explained(probe: Probe) -> str:
    try:
        return probe.why()
    except NoStateError:
        return ""


def _arrived(probe: Probe, arrival: Arrival, started: Started) -> Link:
    after_s = max(0.0, arrival.at - started.at)
    if refusal := probe.check():
        return Link(probe.link, REFUSED, after_s, f"refused the alert: {refusal}")
    return Link(probe.link, THERE if arrival.is_right else WRONG, after_s, arrival.text)
