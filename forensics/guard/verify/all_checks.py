"""Make all checks of a unit in turn; what has failed ends them early."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

from forensics.guard.systemctl import NoManagerError
from forensics.guard.verify.answer import answer_check
from forensics.guard.verify.asked import AGAIN_WITHIN_S, Asked
from forensics.guard.verify.checks import FAILED, OK, UNKNOWN, Check, Verdict, outcome_of
from forensics.guard.verify.port import (
    Ports,
    address_of,
    address_of_port,
    choose_port,
    has_hosts_network,
    look,
    port_check,
    wait_for_listener,
)
from forensics.guard.verify.unit import Progress, State, awaited, difference, held_check, state_of, unit_check

WAKES_WITHIN_S, GLANCE_S = 5.0, 0.1

Found = dict[str, Check]  # by name, in the order they were made
More = Callable[[], Check]


def verify(asked: Asked, progress: Progress | None = None, more: More | None = None) -> Verdict:
    """Verify a unit. more: a check to make at the end, of what else may be new. Raises UsageError for a URL that is none."""
    start = time.monotonic()
    found: Found = {}
    port = asked.port
    try:
        state = _awake(asked, awaited(asked.manager, asked.unit, start + asked.timeout_s))
        _note(found, unit_check(asked.unit, state))
        if state.active == "active":
            port = _checked(asked, state, start + asked.timeout_s, found, progress)
        elif port is not None and _has_failed(found) and (ports := look(port, state)).holders.found:  # who keeps it from starting
            _note(found, port_check(asked.unit, state, ports))
    except NoManagerError as error:
        _note(found, Check("unit", UNKNOWN, str(error).rstrip(".")))
    if more is not None and found["unit"].outcome != UNKNOWN:
        _note(found, more())
    return Verdict(asked.unit, asked.manager.name, tuple(found.values()), port, time.monotonic() - start)


def _checked(asked: Asked, state: State, until: float, found: Found, progress: Progress | None) -> int | None:
    """Check the endpoint before and after settling; return its port."""
    if asked.port is not None or asked.question.url:
        _endpoint(asked, state, asked.port, until, found)
        if _has_failed(found):
            _note_change(asked, state, found)
            return asked.port
    held = held_check(asked.manager, asked.unit, state, asked.settle_s, progress)
    if asked.settle_s or held.outcome != OK:
        _note(found, held)
    if _has_failed(found):
        return asked.port
    port = asked.port
    if port is None:
        chosen, port = choose_port(asked.unit, state)
        _note(found, chosen)
    if port is not None and (asked.settle_s or asked.port is None):
        _endpoint(asked, state, port, time.monotonic() + min(AGAIN_WITHIN_S, asked.timeout_s), found)
    return port


def _endpoint(asked: Asked, state: State, port: int | None, until: float, found: Found) -> None:
    """Check the port and what answers there."""

    def stays() -> bool:
        return not _change(asked, state)

    ports = None
    if port is not None:
        if has_hosts_network(state):
            wait_for_listener(port, until, stays)
        ports = look(port, state)
        _note(found, port_check(asked.unit, state, ports))
    if asked.question.is_asked:
        refusal = "" if ports is None else _refusal(found["port"], ports, has_url=bool(asked.question.url))
        url = asked.question.url or (f"http://{address_of(ports, state)}:{port}" if ports is not None else "")
        _note(found, Check("answer", UNKNOWN, refusal) if refusal else answer_check(url, asked.question, until, stays))


def _refusal(check: Check, ports: Ports, *, has_url: bool) -> str:
    """Say why the endpoint is not asked; "" where it is: a prompt is for the unit, not for whoever holds its port."""
    if check.outcome == FAILED and ports.holders.found:
        return "not asked: another process may answer"
    if not ports.holders.found and not has_url:
        return "not asked: nobody listens"
    return ""


def _awake(asked: Asked, state: State) -> State:
    """Connect to the port of a unit that its socket starts, and wait for it. Raises NoManagerError."""
    if state.active != "inactive" or not state.sockets or asked.port is None:
        return state
    with suppress(OSError), socket.create_connection((address_of_port(asked.port), asked.port), WAKES_WITHIN_S):
        pass
    until = time.monotonic() + WAKES_WITHIN_S
    while state.active == "inactive" and time.monotonic() < until:
        time.sleep(GLANCE_S)
        state = awaited(asked.manager, asked.unit, until)
    return state


def _note(found: Found, check: Check) -> None:
    """Keep a check, in place of the one before settling."""
    found.pop(check.name, None)
    found[check.name] = check


def _note_change(asked: Asked, state: State, found: Found) -> None:
    """Name it where the unit itself ended before its endpoint was right."""
    if change := _change(asked, state):
        _note(found, Check("held", FAILED, f"{change}, before its endpoint was there"))


def _change(asked: Asked, state: State) -> str:
    """Say how the unit is no longer what it was; "" also while its manager does not answer."""
    with suppress(NoManagerError):
        return difference(state, state_of(asked.manager, asked.unit))
    return ""


def _has_failed(found: Found) -> bool:
    return outcome_of(tuple(found.values())) == FAILED
