"""Histories of units for the tests of replay: from tales, and from bare lists of starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from forensics.incidents import analyse
from forensics.model.values import UnitKey, Window
from forensics.replay import ReplayInputs, replay, scenes_of, shipped
from forensics.replay.asked import Asked
from forensics.replay.history import UnitHistory
from forensics.replay.scene import Scene
from tests.incidents.making import Tale, inputs_of

FRAMES = ("entries", "attempts", "restarts", "lifecycle", "labels", "signatures")
NOTHING = Asked(rules=())


def replay_inputs(*tales: Tale, **more: Any) -> ReplayInputs:
    """The frames of these tales, with the incidents in them."""
    made = inputs_of(*tales, **more)
    found = analyse(made, Window(None, None))
    times = made.entries["time"]
    window = (times.min().timestamp(), times.max().timestamp())
    return ReplayInputs(**{name: getattr(made, name) for name in FRAMES}, incidents=found.incidents, window=window)


def scene_of(*tales: Tale, **more: Any) -> Scene:
    """The scene of the only incident."""
    (scene,) = scenes_of(replay_inputs(*tales, **more))
    return scene


def rows_of(*tales: Tale, asked: Asked | None = None, signatures: dict | None = None) -> dict[str, Any]:
    """The replayed controls of the only incident, by id."""
    (rows,) = replay(replay_inputs(*tales, signatures=signatures), asked or shipped()).values()
    return {row.id: row for row in rows}


def history(began: Sequence[float], by_hand: Sequence[int] = (0,), *, lives: float = 1.0, **columns: Any) -> UnitHistory:
    """Starts at these seconds since the boot; each but those by hand follows a failure."""
    n = len(began)
    times = np.array(began, dtype=np.float64)
    automatic = np.array([number not in by_hand for number in range(n)], dtype=np.bool_)
    followed = np.append(automatic[1:], False)[:n]
    none, no, yes = np.full(n, np.nan), np.zeros(n, dtype=np.bool_), np.ones(n, dtype=np.bool_)
    made = UnitHistory(
        unit=UnitKey("m", "system", "app.service"), host="alpha", began=times, ready=none, stopping=none, ended=times + lives,
        lived_s=np.full(n, lives), restart=np.where(followed, np.append(times[1:], np.nan)[:n], np.nan),
        counter=np.cumsum(automatic).astype(np.float64), clock=times, boot=np.zeros(n, dtype=np.int64), row=np.arange(n) * 10,
        automatic=automatic, counts=yes, announced=no, failed=yes, ended_failed=yes, refused=no.copy(),
        outcome=np.full(n, "failed", dtype=object), result=np.full(n, "exit-code", dtype=object),
        signature=np.full(n, "a", dtype=object), weight=np.ones(n, dtype=np.int64), restarts=times[automatic],
        restart_counts=np.ones(int(automatic.sum()), dtype=np.int64), stops=np.empty(0), is_oneshot=False, boot_begins=np.array([0.0]),
    )  # fmt: skip
    return replace(made, **{name: np.array(value) for name, value in columns.items()})
