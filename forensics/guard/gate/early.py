"""Run `gate note` and what the gate's own timers call, before anything else of the program is imported: a count costs 0.1 CPU seconds."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from forensics.guard.alarm import ended_after
from forensics.guard.gate.note import LONGEST_S, note
from forensics.guard.gate.probe import changed, probe, settle
from forensics.guard.gate.state import locked, read_state, write_state
from forensics.guard.systemctl import Manager, service_name
from forensics.policy.breaker import Limits
from forensics.unit_file import seconds

VERBS = {"note": 1, "probe": 2, "changed": 2, "settle": 2, "classify": 4}  # how many words each has
OPTIONS = {"--futile": "futile", "--any": "any_class", "--cooldown": "cooldown_s", "--most": "longest_s", "--held": "held_s"}
LONGEST_TROUBLE = 300  # characters
LATER_S = 300.0  # for what a timer starts
_UMASK = 0o022  # `status` reads the state as any user


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was understood."""

    verb: str
    manager: Manager
    words: tuple[str, ...]
    limits: Limits


def parsed(words: Sequence[str]) -> Call | None:
    """Understand what follows `gate` on a command line; None for all that is for the usual command line, mistakes included."""
    if not words or words[0] not in VERBS:
        return None
    limits, rest, is_users = Limits(), [], False
    left = iter(words[1:])
    for word in left:
        name, _, value = word.partition("=")
        if word == "--user":
            is_users = True
        elif name in OPTIONS:
            found = _number(OPTIONS[name], value or next(left, ""))
            if found is None:
                return None
            limits = replace(limits, **{OPTIONS[name]: found})  # type: ignore[arg-type]
        elif word.startswith("-") and word != "-":
            return None
        else:
            rest.append(word)
    return Call(words[0], Manager(is_users), tuple(rest), limits) if len(rest) == VERBS[words[0]] else None


def run(call: Call) -> None:
    """Do what was asked for, and end without a word whatever happens: words would be the unit's, and a failure a unit's of its own."""
    try:
        if call.verb == "classify":
            _classify(call)
        else:
            _silently(call)
    except Exception as error:  # noqa: BLE001 - systemd restarts as without a gate; nobody reads what we print
        if call.verb == "note":
            _remember(call, f"the last end was not counted ({type(error).__name__}: {error})")


def _silently(call: Call) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    os.umask(_UMASK)
    unit = service_name(call.words[0])
    if call.verb == "note":
        with ended_after(LONGEST_S):
            note(call.manager, unit, call.limits)
        return
    with ended_after(LATER_S):
        {"probe": probe, "changed": changed, "settle": settle}[call.verb](call.manager, unit, int(call.words[1]))


def _classify(call: Call) -> None:
    from forensics.guard.gate.naming import Ending, answer  # noqa: PLC0415 - a second of imports

    unit, invocation, result, within_s = call.words
    with ended_after(float(within_s)):
        sys.stdout.write(answer(call.manager, Ending(service_name(unit), invocation, result)))


def _remember(call: Call, trouble: str) -> None:
    """Keep for `gate status` what went wrong; where even that cannot be written, nothing is left of it."""
    with suppress(Exception), locked(call.manager, service_name(call.words[0]), within_s=0.5):
        state = read_state(call.manager, call.words[0])
        write_state(call.manager, call.words[0], replace(state, trouble=trouble[:LONGEST_TROUBLE]))


def _number(name: str, text: str) -> float | int | None:
    if name in {"futile", "any_class"}:
        return int(text) if text.isdigit() and 1 <= int(text) <= 1000 else None
    found = seconds(text)
    return found if found is not None and 0 < found < math.inf else None
