"""Find out how the attempt with the last profile went: from the gate's state, else from the unit's own lines in the journal."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.guard.gate.state import read_state
from forensics.guard.ladder.choice import Last, Memory
from forensics.guard.systemctl import Manager, NoManagerError, called
from forensics.model.systemd import UNIT_FAILURE_RESULT, UNIT_PROCESS_EXIT, UNIT_STOPPED, UNIT_SUCCESS
from forensics.resources import folder

WANT_OF_MEMORY = ("gpu.vram-exhausted", "vllm.kv-cache-too-small", "llama-cpp.context-allocation")
WITHIN_S = 5.0
MOST_LINES, LONGEST_LINE = 500, 4096
FIELDS = "MESSAGE,MESSAGE_ID,INVOCATION_ID,USER_INVOCATION_ID,_SYSTEMD_INVOCATION_ID,_BOOT_ID,_UID,_PID"
ENDS = (UNIT_PROCESS_EXIT, UNIT_FAILURE_RESULT, UNIT_SUCCESS, UNIT_STOPPED)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry about the unit. at: seconds since the boot; id_: its MESSAGE_ID, "" for lines of the service itself."""

    at: float
    text: str
    id_: str
    invocation: str


def last_attempt(manager: Manager, unit: str, memory: Memory) -> Last:
    """Return how it went; nothing is known of it where the journal cannot be asked."""
    if not memory.profile:
        return Last()
    try:
        current = manager.show(unit, "InvocationID")["InvocationID"]
        lines = [line for line in journal_lines(manager, unit, memory) if not current or line.invocation != current]
    except NoManagerError:
        return Last()
    end = next((line.at for line in lines if line.id_ in ENDS), None)
    lacked = _by_gate(manager, unit, memory)
    if lacked is None:
        lacked = any(line.id_ == UNIT_FAILURE_RESULT for line in lines) and _by_lines(lines)
    return Last(lacked, None if end is None else end - memory.monotonic)


def boot_id() -> str:
    return BOOT_ID.read_text().strip().replace("-", "")


def journal_lines(manager: Manager, unit: str, memory: Memory) -> Iterator[Line]:
    """Yield what was logged about a unit since its last profile was chosen, in the same boot. Raises NoManagerError."""
    own, about, writer = ("_SYSTEMD_USER_UNIT", "USER_UNIT", str(os.getuid())) if manager.is_users else ("_SYSTEMD_UNIT", "UNIT", "0")
    boot = f"_BOOT_ID={memory.boot}"
    command = ["journalctl", "--no-pager", "-q", "-o", "json", "-n", str(MOST_LINES), f"--output-fields={FIELDS}"]
    called(["journalctl", "--sync"], WITHIN_S)
    found = called([*command, boot, f"{own}={unit}", "+", boot, f"{about}={unit}", f"_UID={writer}"], WITHIN_S)
    for text in found.stdout.splitlines():
        line = _line(text)
        if line is not None and line.at > memory.monotonic:
            yield line


def _line(text: str) -> Line | None:
    try:
        entry: dict[str, Any] = json.loads(text)
        at = int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    invocation = next((entry[name] for name in ("INVOCATION_ID", "USER_INVOCATION_ID", "_SYSTEMD_INVOCATION_ID") if entry.get(name)), "")
    return Line(at, str(entry.get("MESSAGE") or "")[:LONGEST_LINE], str(entry.get("MESSAGE_ID") or ""), str(invocation))


def _by_gate(manager: Manager, unit: str, memory: Memory) -> bool | None:
    """Whether the gate named the last failure as one that a smaller profile cures; None where it named none since the last choice."""
    try:
        gate = read_state(manager, unit)
    except NoManagerError:
        return None
    is_newer = memory.boot == boot_id() and gate.noted > memory.monotonic
    return gate.signature in WANT_OF_MEMORY if is_newer and gate.failures and gate.signature else None


def _by_lines(lines: Sequence[Line]) -> bool:
    """Whether the service itself logged such a failure."""
    written = "\n".join(line.text for line in lines if not line.id_)
    return any(pattern.search(written) for pattern in patterns())


def patterns() -> list[re.Pattern[str]]:
    """Compile the catalogue's patterns of these classes, without the catalogue's own machinery."""
    found = []
    for name in WANT_OF_MEMORY:
        area, _, problem = name.partition(".")
        with (folder("patterns") / area / f"{problem}.toml").open("rb") as file:
            found += [re.compile(text) for text in tomllib.load(file)["match"]["message"]]
    return found
