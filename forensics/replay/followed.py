"""Define a rule that is followed through an incident, and what it did there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from forensics.promql import Expression, Firing
from forensics.promql.labels import Labels
from forensics.replay.history import Floats
from forensics.replay.reel import Prometheus
from forensics.replay.scene import Scene
from forensics.replay.selection import Selection

FIRST_LOOK_S = 900.0  # how far after the start phases are followed at first
FARTHER = 4  # times that, until each phase has fired


@dataclass(frozen=True, slots=True)
class Watched:
    """A rule in a scene, with its series, ready to be followed. hold_s: `for`; keep_s: `keep_firing_for`."""

    scene: Scene
    expression: Expression
    selection: Selection
    prometheus: Prometheus
    hold_s: float = 0.0
    keep_s: float = 0.0

    @property
    def settle_s(self) -> float:
        """How long an alert may wait before it fires, and after it should resolve."""
        return self.hold_s + self.keep_s

    @property
    def horizons(self) -> list[float]:
        """Until when the phases are followed, in turn."""
        ends = [FIRST_LOOK_S]
        while self.scene.start + ends[-1] < self.scene.until:
            ends.append(ends[-1] * FARTHER)
        return [min(self.scene.start + end, self.scene.until) for end in ends]


@dataclass(frozen=True, slots=True)
class Alert:
    """A firing alert; resolves: infinite while it still fires."""

    fires: float
    resolves: float
    labels: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Raised:
    """Alerts of one unit over the whole window, in order of firing."""

    fires: Floats
    resolves: Floats
    labels: tuple[Labels, ...]

    @classmethod
    def of(cls, alerts: Iterable[Alert]) -> Raised:
        ordered = sorted(alerts, key=lambda alert: alert.fires)
        fires, resolves = (np.array([getattr(alert, name) for alert in ordered], dtype=np.float64) for name in ("fires", "resolves"))
        return cls(fires, resolves, tuple(alert.labels for alert in ordered))

    def first_in(self, watched: Watched) -> Alert | None:
        """Return the first that fires at an evaluation in the incident, also if it did so before."""
        scene = watched.scene
        inside = (self.fires <= scene.until) & (self.resolves - watched.prometheus.evaluation_s >= scene.start)
        first = int(np.argmax(inside)) if inside.any() else None
        return None if first is None else Alert(float(self.fires[first]), float(self.resolves[first]), self.labels[first])

    def longest_in(self, scene: Scene) -> float:
        """Return for how many seconds one of them was there at most within the incident."""
        lasted = np.minimum(self.resolves, scene.until) - np.maximum(self.fires, scene.start)
        return max(float(lasted.max(initial=0.0)), 0.0)


NOTHING_RAISED = Raised.of(())


@dataclass(slots=True)
class Followed:
    """What a rule did. raised: all alerts of the window in the middle phase; firsts: when the first one in the incident fires, by phase.

    firsts: of scrapes × of evaluations, infinite where none fires; labels: of one of these alerts.
    """

    raised: Raised = NOTHING_RAISED
    longest_s: Callable[[], float] = float  # for how long its expression was true at most in the incident, in the middle phase
    firsts: Floats = field(default_factory=lambda: np.full((0, 0), np.inf))
    labels: Labels = ()


def no_firsts(prometheus: Prometheus) -> Floats:
    return np.full((prometheus.phases, prometheus.phases), np.inf)


def alerts_of(found: Sequence[Firing], scene: Scene) -> Iterator[Alert]:
    """Convert alerts; one that would fire while the host is off does so afterwards, if it still holds."""
    for firing in found:
        fires, resolves = float(firing.fires or 0.0), np.inf if firing.resolves is None else firing.resolves
        for start, end in scene.machine.off:
            fires = end if start < fires < end else fires
        if fires < resolves:
            yield Alert(fires, resolves, tuple(sorted(firing.labels.items())))
