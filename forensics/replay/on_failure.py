"""Replay OnFailure=, which depends on the version of systemd: at each failure, or only when the restarts stop."""

from __future__ import annotations

import numpy as np

from forensics.model.controls import Replayed
from forensics.replay.history import Floats, UnitHistory
from forensics.replay.scene import First, Named, Scene
from forensics.wording import plural

AT_EACH_FAILURE = 254  # since then a service with RestartMode=normal is `failed` before each automatic restart (NEWS)


def replay_on_failure(scene: Scene, source: str, *, direct: bool = False, id_: str = "policy:OnFailure") -> Replayed:
    """Replay a unit that OnFailure= starts. direct: RestartMode=direct."""
    version = scene.machine.version
    at_each = not direct and (version is None or version >= AT_EACH_FAILURE)
    assumed = (f"systemd {AT_EACH_FAILURE} or newer, with RestartMode=normal: the journal does not name its version",)
    named = Named(id_, "OnFailure=", "policy", source, assumed if version is None and not direct else ())
    times = np.sort(np.concatenate([_triggers(history, at_each=at_each) for history in scene.histories] or [np.empty(0)]))
    inside, quiet = times[scene.inside(times)], int((scene.quiet(times) & scene.own(times)).sum())
    mode = "RestartMode=direct" if direct else f"systemd {version}"
    if not len(inside):
        why = f"with {mode} it acts only when the restarts stop, and they never do" if not at_each else "nothing ends as a failure here"
        return scene.never(named, why, restarts_after=scene.restarts_after(scene.start), firings_outside=quiet)
    often = f"{plural(len(inside), 'time')} in the incident"
    reason = f"{often}: at each failure" if at_each else f"{often}: with {mode} only when the restarts stop"
    after_s = float(inside[0]) - scene.start
    return scene.fires(named, First.at(after_s), reason, firings_outside=quiet)


def _triggers(history: UnitHistory, *, at_each: bool) -> Floats:
    """Return when the unit is `failed`."""
    ends = history.ended[history.ended_failed]
    if not at_each:
        stopped = history.ended_failed & (np.isnan(history.restart) | history.refused)
        following = np.append(history.automatic[1:], False)[: len(stopped)]
        ends = np.where(history.refused, history.restart, history.ended)[stopped & ~following]
    return ends[~np.isnan(ends)]
