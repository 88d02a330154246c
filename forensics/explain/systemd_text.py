"""Recover the journal fields of the service manager's messages from their text: message id, unit, exit, result.

The wordings are systemd's (unit.c, service.c, execute.c and exec-invoke.c, 252 … 262).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from forensics.model import systemd

START_LIMIT = "start-limit"  # a message without an id

UNIT = r"[\w.\\@:\-]+\.(?:service|socket|mount|target|timer|slice|scope|path|swap|device|automount)"

_ABOUT_UNIT = re.compile(rf"({UNIT}): (.*)", re.DOTALL)
_NAMED = re.compile(rf"(?:[A-Z][a-z]+|Failed to start) ({UNIT})(?: - (.*?))?\.{{0,3}}$", re.DOTALL)
_SKIPPED = re.compile(rf"({UNIT}) (?:- .*? )?(?:was )?(?:being )?skipped(?: because|,)", re.DOTALL)
_OF_FILE = re.compile(r"/(?>(?:[^\s/]+/)*)((?>[^\s/:]+?\.service))(?:\.d/[^:\s]+)?:\d+: ")
_JOBS = (
    ("Starting ", systemd.UNIT_STARTING),
    ("Started ", systemd.UNIT_STARTED),
    ("Finished ", systemd.UNIT_STARTED),
    ("Stopping ", systemd.UNIT_STOPPING),
    ("Stopped ", systemd.UNIT_STOPPED),
    ("Failed to start ", systemd.UNIT_FAILED),
)
_EXITED = re.compile(r"(Main|Control) process exited, code=(exited|killed|dumped),? status=(\d+)")
_RESULT = re.compile(r"Failed with result '([a-z-]+)'")
_COUNTER = re.compile(r"Scheduled restart job, restart counter is at (\d+)")
_SPAWN = re.compile(r"Failed at step|(?:Failed|Unable) to locate executable|Failed to (?:execute|spawn)")
_WORDINGS = (
    (re.compile(r"Deactivated successfully|Succeeded\."), systemd.UNIT_SUCCESS),
    (re.compile(r"A process of this unit has been killed by the OOM killer"), systemd.UNIT_OUT_OF_MEMORY),
    (re.compile(r"Consumed "), systemd.UNIT_RESOURCES),
    (re.compile(r"Skipped due to 'exec-condition'"), systemd.UNIT_SKIPPED),
    (re.compile(r"[Ss]tart request repeated too quickly"), START_LIMIT),
)
_WARNS = re.compile(
    r"(?i)\b(?:fail|unable|cannot|can't|could not|refus|invalid|bad|err|den(?:y|ied)|ignor|unknown|missing"
    r"|not |timed|timeout|watchdog|unmet)"
)


@dataclass(frozen=True, slots=True)
class ManagerMessage:
    """A message of the manager. unit is null when the text names none; title: the unit's description next to it."""

    kind: str | None = None
    unit: str | None = None
    title: str | None = None
    fields: dict[str, str] = field(default_factory=dict)


def parse_message(message: str) -> ManagerMessage:
    """Parse a message of the manager."""
    about = _ABOUT_UNIT.match(message)
    if about is not None:
        return _about_unit(about[1], about[2])
    if skipped := _SKIPPED.match(message):
        return ManagerMessage(systemd.UNIT_STARTED, skipped[1])
    for prefix, kind in _JOBS:
        if message.startswith(prefix):
            named = _NAMED.match(message)
            title = named[2] if named else message.removeprefix(prefix).rstrip(".")
            return ManagerMessage(kind, named[1] if named else None, title)
    of_file = _OF_FILE.match(message)
    return ManagerMessage(None, of_file[1] if of_file else None, None, _warning(message))


def _about_unit(unit: str, rest: str) -> ManagerMessage:
    if exited := _EXITED.match(rest):
        command = "ExecStart" if exited[1] == "Main" else "ExecStartPre"
        fields = {"EXIT_CODE": exited[2], "EXIT_STATUS": exited[3], "PRIORITY": "5", "COMMAND": command}
        return ManagerMessage(systemd.UNIT_PROCESS_EXIT, unit, None, fields)
    if result := _RESULT.match(rest):
        return ManagerMessage(systemd.UNIT_FAILURE_RESULT, unit, None, {"UNIT_RESULT": result[1], "PRIORITY": "4"})
    if counter := _COUNTER.match(rest):
        return ManagerMessage(systemd.UNIT_RESTART_SCHEDULED, unit, None, {"N_RESTARTS": counter[1], "PRIORITY": "6"})
    if _SPAWN.match(rest):
        return ManagerMessage(systemd.SPAWN_FAILED, unit, None, {"PRIORITY": "3"})
    kind = next((kind for wording, kind in _WORDINGS if wording.match(rest)), None)
    return ManagerMessage(kind, unit, None, _warning(rest))


def _warning(message: str) -> dict[str, str]:
    """Guess the priority, which text does not show: only the manager's warnings become events."""
    return {"PRIORITY": "4" if _WARNS.search(message) else "6"}
