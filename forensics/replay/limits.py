"""Say what start limits, Restart= policies and gates would have done in an incident."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from forensics.model.controls import Replayed
from forensics.model.values import Signature
from forensics.policy.breaker import Limits
from forensics.policy.restart_setting import POLICIES
from forensics.replay.history import Floats, UnitHistory
from forensics.replay.limiters import RELOADS_RESET_UNTIL, Limited, StartLimit, gate, restart_policy, start_limit
from forensics.replay.scene import First, Named, Scene
from forensics.wording import count, duration, plural

Applied = Sequence[tuple[UnitHistory, Limited]]
KEPT = "people start the unit again when they did, whatever the limiter changed"
DEFAULT = Limits()
NO_LIMIT = 10**9


def replay_start_limit(scene: Scene, limit: StartLimit, source: str, id_: str = "") -> Replayed:
    """Replay StartLimitBurst= and StartLimitIntervalSec=."""
    name = f"StartLimit {limit} s"
    named = Named(id_ or f"limit:{limit}", name, "limit", source, (KEPT, *_of_version(scene)))
    applied = [(history, limited_by(history, scene, limit)) for history in scene.histories]
    refused = np.sort(_own_times(scene, applied, lambda history, limited, part: history.began[part][limited.refused[part]]))
    counts = {
        "restarts_avoided": _avoided(scene, applied),
        "refusals": int(scene.inside(refused).sum()),
        "refusals_outside": int(scene.quiet(refused).sum()),
    }
    inside = refused[scene.inside(refused)]
    if not len(inside):
        return scene.never(named, _out_of_reach(scene, applied, limit), restarts_after=scene.restarts_after(scene.start), **counts)
    refusals = plural(counts["refusals"], "start")
    reason = f"{refusals} refused: the unit is failed until somebody runs systemctl reset-failed and starts it"
    return scene.fires(named, First.at(float(inside[0]) - scene.start), reason, **counts)


def limited_by(history: UnitHistory, scene: Scene, limit: StartLimit) -> Limited:
    """Apply a start limit as the machine's systemd would have."""
    version = scene.machine.version
    reopens = version is not None and version <= RELOADS_RESET_UNTIL and history.unit.manager == "system"
    reloads = np.array(scene.machine.reloads, dtype=np.int64) if reopens else None
    return scene.once((id(history), limit), lambda: start_limit(history, limit, reloads))


def replay_policy(scene: Scene, policy: str, source: str, id_: str = "") -> Replayed:
    """Replay Restart=; in quiet times it counts the failures that a restart cured, and that would have stayed down."""
    named = Named(id_ or f"policy:{policy}", f"Restart={policy}", "policy", source, (KEPT,))
    applied = [(history, _by_policy(scene, history, policy)) for history in scene.histories]
    cured = _own_times(scene, applied, lambda history, limited, part: history.began[part][limited.avoided[part] & history.held[part]])
    missed = int(scene.quiet(cured).sum())
    down = np.sort(_own_times(scene, applied, lambda history, limited, part: history.ended[part][limited.acts[part]]))
    down = down[scene.inside(down)]
    avoided = _avoided(scene, applied)
    counts = {"restarts_avoided": avoided, "firings_outside": missed}
    if not avoided or (not len(down) and not _down_at(scene, applied)):
        reason = _why_nothing(scene, avoided)
        return scene.never(named, reason, restarts_after=scene.restarts_after(scene.start), **counts)
    reason = f"down after {plural(missed, 'single failure')} that a restart cured" if missed else "it misses no restart that cured anything"
    first = float(down[0]) - scene.start if len(down) else 0.0
    return scene.fires(named, First.at(first), reason, **counts)


def _why_nothing(scene: Scene, avoided: int) -> str:
    if avoided:
        return "it restarts all that failed in this incident"
    restarted = any(history.automatic[scene.part(history.began)].any() for history in scene.histories)
    return "it restarts all that was restarted" if restarted else "nothing was restarted here"


def replay_gates(scene: Scene, signatures: Mapping[str, Signature], source: str, limits: Limits = DEFAULT) -> list[Replayed]:
    """Replay the gate that `generate gate` writes, and one for each of its two reasons to open alone."""
    helps: Callable[[str], bool | None] = lambda id_: signatures[id_].restart_helps if id_ in signatures else None  # noqa: E731
    futile = f"{limits.futile} in a row of a class that no restart cures"
    gates = [
        ("gate:breaker", f"gate: {futile}, or {limits.any_class} of any", limits),
        ("gate:futile", f"gate: {futile}", replace(limits, any_class=NO_LIMIT)),
        ("gate:any", f"gate: {limits.any_class} failures in a row", replace(limits, futile=NO_LIMIT)),
    ]
    return [_gate(scene, Named(id_, name, "gate", source, (KEPT, _tries(limits))), of, helps) for id_, name, of in gates]


def _tries(limits: Limits) -> str:
    return (
        f"after {duration(limits.cooldown_s)} it tries the next recorded start, then each time after twice as long, up to "
        f"{duration(limits.longest_s)}; that it tries at once when the environment changes is left out"
    )


def _gate(scene: Scene, named: Named, limits: Limits, helps: Callable[[str], bool | None]) -> Replayed:
    applied = [(history, _gated(scene, named.id, history, limits, helps)) for history in scene.histories]
    began = _own_times(scene, applied, lambda history, limited, part: history.began[part][limited.acts[part]])
    ended = _own_times(scene, applied, lambda history, limited, part: history.ended[part][limited.acts[part]])
    tried = _own_times(scene, applied, lambda history, limited, part: history.began[part][limited.tried[part]])
    inside = np.flatnonzero(scene.inside(began))
    counts = {"restarts_avoided": _avoided(scene, applied), "firings_outside": int(scene.quiet(began).sum())}
    if not len(inside):
        return scene.never(named, _never_opened(limits), restarts_after=scene.restarts_after(scene.start), **counts)
    i = inside[np.argmin(began[inside])]
    first, opened = float(began[i]) - scene.start, float(ended[i]) - scene.start
    openings = "once" if len(inside) == 1 else plural(len(inside), "time")
    tries = plural(int(scene.inside(tried).sum()), "start")
    reason = f"opens {openings}, first when that start fails at T+{duration(opened)}, then tries {tries}; one by hand is let through"
    return scene.fires(named, First(first, first, opened), reason, **counts)


def _never_opened(limits: Limits) -> str:
    least = min(limits.futile, limits.any_class)
    what = "without a stable start between them" if limits.futile == NO_LIMIT else "of one class that no restart cures"
    more = f", and no {limits.any_class} of any" if NO_LIMIT not in {limits.futile, limits.any_class} else ""
    return f"there were no {least} failed starts in a row {what}{more} that were restarted"


def _by_policy(scene: Scene, history: UnitHistory, policy: str) -> Limited:
    """Apply a policy; those that restart after the same of the recorded results do the same."""
    recorded = scene.once((id(history), "results"), lambda: frozenset(history.result.tolist()))
    restarted = frozenset(filter(POLICIES[policy], recorded))
    return scene.once((id(history), restarted), lambda: restart_policy(history, policy))


def _gated(scene: Scene, id_: str, history: UnitHistory, limits: Limits, helps: Callable[[str], bool | None]) -> Limited:
    return scene.once((id(history), id_), lambda: gate(history, limits, helps))


def _own_times(scene: Scene, applied: Applied, chosen: Callable[[UnitHistory, Limited, slice], Floats]) -> Floats:
    """Collect times of the starts for which this incident answers."""
    return np.concatenate([chosen(history, limited, scene.part(history.began)) for history, limited in applied] or [np.empty(0)])


def _avoided(scene: Scene, applied: Applied) -> int:
    """Count the restarts that would not have happened, for which this incident answers."""
    return sum(
        int(history.weight[part][limited.avoided[part]].sum()) for history, limited in applied for part in [scene.part(history.began)]
    )


def _down_at(scene: Scene, applied: Applied) -> bool:
    """Whether the unit was down already when the incident began."""
    return any(bool(limited.avoided[_within(scene, history)].any()) for history, limited in applied)


def _within(scene: Scene, history: UnitHistory) -> slice:
    """Return where the starts of the incident are."""
    low, high = np.searchsorted(history.began, scene.start, side="left"), np.searchsorted(history.began, scene.until, side="right")
    return slice(int(low), int(high))


def _out_of_reach(scene: Scene, applied: Applied, limit: StartLimit) -> str:
    """Explain why a limit was never reached."""
    if limit.burst <= 0 or limit.interval_s <= 0:
        return "a burst or an interval of 0 is no limit"
    most = max((int(limited.most[_within(scene, history)].max(initial=0)) for history, limited in applied), default=0)
    cycles = np.concatenate([np.diff(history.clock[_within(scene, history)]) for history, _ in applied] or [np.empty(0)])
    cycles = cycles[cycles > 0]
    least = f"at most {count(most)} of {plural(limit.burst, 'start')} within {duration(limit.interval_s)}"
    if not len(cycles):
        return least
    cycle = float(np.median(cycles))
    return f"{least}: a start every {duration(cycle)} needs an interval of {duration(limit.burst * cycle)} or more"


def _of_version(scene: Scene) -> tuple[str, ...]:
    if scene.machine.version is not None or not scene.machine.reloads:
        return ()
    return (f"systemd is newer than {RELOADS_RESET_UNTIL}: a daemon-reload does not open the limit's window again",)
