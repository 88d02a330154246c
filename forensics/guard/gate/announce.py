"""Log what a gate does, as entries that `report` and `watch` read."""

from __future__ import annotations

from forensics.guard.gate.state import GateState
from forensics.guard.journal_entry import write_entry
from forensics.guard.systemctl import Manager
from forensics.model.own_entries import GATE_CLOSED, GATE_OPENED, GATE_PROBED, ON_HOLD

HELD, RESET, ENVIRONMENT, COOLDOWN = "held", "reset", "environment", "cooldown"
PROBED = {COOLDOWN: "the cooldown is over", ENVIRONMENT: "its environment changed"}
CLOSED = {HELD: "it held", RESET: "the gate was reset"}
WARNING, NOTICE, CRITICAL = 4, 5, 2


def opened(manager: Manager, unit: str, state: GateState) -> None:
    trouble = f" ({state.trouble})" if state.trouble else ""
    write_entry(
        GATE_OPENED, unit, f"Restarts of {unit} are stopped: {why(state)}{trouble}. {next_step(unit, state, manager)}",
        priority=CRITICAL, is_users=manager.is_users, TABBY_SIGNATURE=state.signature, TABBY_FAILURES=str(state.failures),
        TABBY_COOLDOWN_S=f"{state.cooldown_s:.0f}", TABBY_TITLE=state.title,
    )  # fmt: skip


def probed(manager: Manager, unit: str, state: GateState, reason: str) -> None:
    text = f"{unit} is started once, as {PROBED[reason]}: restarts stay stopped if it fails."
    write_entry(
        GATE_PROBED, unit, text, priority=NOTICE, is_users=manager.is_users, TABBY_REASON=reason, TABBY_SIGNATURE=state.signature
    )  # fmt: skip


def closed(manager: Manager, unit: str, reason: str) -> None:
    text = f"Restarts of {unit} are allowed again: {CLOSED[reason]}."
    write_entry(GATE_CLOSED, unit, text, priority=NOTICE, is_users=manager.is_users, TABBY_REASON=reason)


def on_hold(manager: Manager, unit: str) -> None:
    """Say that a person keeps a unit stopped whose restarts the gate had stopped: systemd logs nothing about it."""
    text = f"{unit} stays stopped: a person holds its gate."
    write_entry(GATE_CLOSED, unit, text, priority=NOTICE, is_users=manager.is_users, TABBY_REASON=ON_HOLD)


def why(state: GateState) -> str:
    """Explain in words why a gate opened."""
    named = f"{state.signature} ({state.title})" if state.title else state.signature
    count = f"{state.failures} failures in a row"
    if not state.signature:
        return f"{count}, of a class that could not be found"
    cure = ", which no restart cures" if state.helps == "no" else ""
    return f"{count}, the last of class {named}{cure}"


def next_step(unit: str, state: GateState, manager: Manager) -> str:
    user = " --user" if manager.is_users else ""
    return f"Next try in {span(state.cooldown_s)} or when its environment changes; `tabby-forensics gate reset{user} {unit}` tries at once."


def span(seconds: float) -> str:
    """Write a time to wait."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min" if minutes and not rest else f"{minutes} min {rest} s" if minutes else f"{rest} s"
