"""Close a gate: count anew, forget what was arranged, and say so where restarts were stopped."""

from __future__ import annotations

import time
from dataclasses import replace

from forensics.guard.gate import announce, transient
from forensics.guard.gate.state import GateState, write_state
from forensics.guard.systemctl import Manager
from forensics.policy import breaker


def close_gate(manager: Manager, unit: str, state: GateState, reason: str) -> GateState:
    """Close the gate of a unit; return its new state."""
    closed = replace(state, breaker=breaker.closed(state.breaker), title="", helps="", good=0, since=time.time(), trouble="")
    write_state(manager, unit, closed)
    if state.is_open:
        transient.cancel(manager, unit, state.opened)
        announce.closed(manager, unit, reason)
    return closed
