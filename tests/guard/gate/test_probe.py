"""When a gate is tried: how long a change waits, and when a unit has held."""

import pytest

from forensics.guard.gate.probe import has_held, patience_s
from forensics.guard.gate.state import GateState
from forensics.policy.breaker import Breaker, Limits


@pytest.mark.parametrize(
    ("cooldown_s", "since_end_s", "waits_s", "reason"),
    [
        (600, 0, 0, "the first opening: a fix is tried at once"),
        (1200, 0, 30, "after a try that failed"),
        (1200, 29, 1, "from the end of that try on"),
        (1200, 31, 0, "not longer"),
        (3600, 0, 150, "at most: a change every second makes 24 tries an hour"),
    ],
)
def test_a_change_waits_ever_longer_after_tries_that_failed(cooldown_s, since_end_s, waits_s, reason):
    state = GateState(Breaker("open", cooldown_s=cooldown_s), noted=1000.0)
    assert patience_s(state, 1000.0 + since_end_s) == pytest.approx(waits_s), reason


@pytest.mark.parametrize(
    ("active", "entered_s", "held", "reason"),
    [
        ("active", 100, True, "long enough"),
        ("active", 995, False, "not yet"),
        ("reloading", 100, True, "a reload is no end"),
        ("activating", 100, False, "the time is of an earlier run"),
        ("failed", 100, False, "it is down"),
    ],
)
def test_a_unit_has_held(monkeypatch, active, entered_s, held, reason):
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    shown = {"ActiveState": active, "ActiveEnterTimestampMonotonic": str(int(entered_s * 1e6))}
    assert has_held(shown, GateState(limits=Limits(held_s=600.0))) is held, reason
