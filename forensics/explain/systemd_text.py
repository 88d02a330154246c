"""Recover the journal fields of the service manager's messages from their text: message id, unit, exit, result.

The wordings are systemd's (unit.c, service.c, execute.c and exec-invoke.c, 208 … 262), also cut by a pager.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from forensics.model import systemd
from forensics.sanitize.lazy_pattern import LazyPattern

START_LIMIT = "start-limit"  # a message without an id

UNIT = r"[\w.\\@:\-]+\.(?:service|socket|mount|target|timer|slice|scope|path|swap|device|automount)"

_ABOUT_UNIT = LazyPattern(rf"({UNIT}): (.*)", re.DOTALL)
_NAMED = LazyPattern(rf"(?:[A-Z][a-z]+|Failed to start) ({UNIT})(?: - (.*?))?\.{{0,3}}$", re.DOTALL)
_SKIPPED = LazyPattern(rf"({UNIT}) (?:- .*? )?(?:was )?(?:being )?skipped(?: because|,)", re.DOTALL)
_OF_FILE = LazyPattern(r"/(?>(?:[^\s/]+/)*)((?>[^\s/:]+?\.service))(?:\.d/[^:\s]+)?:\d+: ")
_JOBS = (
    ("Starting ", systemd.UNIT_STARTING),
    ("Started ", systemd.UNIT_STARTED),
    ("Finished ", systemd.UNIT_STARTED),
    ("Stopping ", systemd.UNIT_STOPPING),
    ("Stopped ", systemd.UNIT_STOPPED),
    ("Failed to start ", systemd.UNIT_FAILED),
    ("Dependency failed for ", systemd.UNIT_FAILED),
)
_EXITED = LazyPattern(r"([Mm]ain|[Cc]ontrol) process exited, code=(exited|killed|dumped)(?:[, ]{1,2}status=(\d{1,5}))?")
_RESULT = LazyPattern(r"Failed with result '([a-z-]{1,40})|(?:Unit|Service) entered failed state|[Ff]ailed\.?\Z")
_RESULTS = (
    "exit-code",
    "signal",
    "core-dump",
    "timeout",
    "oom-kill",
    "watchdog",
    "start-limit-hit",
    "protocol",
    "resources",
    "exec-condition",
)
_COUNTER = LazyPattern(r"Scheduled restart job, restart counter is at (\d{1,10})|Service (?:hold-off|RestartSec=\S{1,20}) ")
_BEFORE_220 = LazyPattern(
    rf"Unit ({UNIT}) entered failed state|({UNIT}) (failed\.|holdoff time over)|start request repeated too quickly for ({UNIT})"
)
_SPAWN = LazyPattern(r"Failed at step|(?:Failed|Unable) to locate executable|Failed to (?:execute|spawn)")
_WORDINGS = (
    (LazyPattern(r"Deactivated successfully|Succeeded\."), systemd.UNIT_SUCCESS),
    (LazyPattern(r"A process of this unit has been killed by the OOM killer"), systemd.UNIT_OUT_OF_MEMORY),
    (LazyPattern(r"Consumed "), systemd.UNIT_RESOURCES),
    (LazyPattern(r"Skipped due to 'exec-condition'"), systemd.UNIT_SKIPPED),
    (LazyPattern(r"[Ss]tart request repeated too quickly"), START_LIMIT),
)
_WARNS = LazyPattern(
    r"(?i)\b(?:fail|unable|cannot|can't|could not|refus|invalid|bad|err|den(?:y|ied)|ignor|unknown|missing"
    r"|not |timed|timeout|watchdog|unmet)"
)


@dataclass(frozen=True, slots=True)
class ManagerMessage:
    """A message of the manager. unit is null when the text names none; title: the unit's description next to it.

    is_repeated: it only repeats what other messages about the unit state better, and counts where there is none.
    """

    kind: str | None = None
    unit: str | None = None
    title: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    is_repeated: bool = False


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
            title = named[2] if named else message.removeprefix(prefix).rstrip(".…>")
            fields = {"JOB_RESULT": "dependency"} if prefix[0] == "D" else {}
            return ManagerMessage(kind, named[1] if named else None, title, fields)
    if old := _BEFORE_220.match(message):
        return _before_220(old)
    of_file = _OF_FILE.match(message)
    return ManagerMessage(None, of_file[1] if of_file else None, None, _warning(message))


def states_an_end_or_restart(message: str) -> bool:
    """Whether a text without a prefix is a message that only the manager writes."""
    about = _ABOUT_UNIT.match(message)
    if about is None:
        return False
    return any(wording.match(about[2]) for wording in (_EXITED, _RESULT, _COUNTER, _SPAWN, *(wording for wording, _ in _WORDINGS)))


def names_a_job(message: str) -> bool:
    """Whether a text may be the manager's message about a job."""
    return message.startswith(tuple(prefix for prefix, _ in _JOBS))


def _before_220(old: re.Match[str]) -> ManagerMessage:
    if old[4]:
        return ManagerMessage(START_LIMIT, old[4], None, _warning(old[0]))
    if old[3] == "holdoff time over":
        return ManagerMessage(systemd.UNIT_RESTART_SCHEDULED, old[2], None, {"PRIORITY": "6"})
    return ManagerMessage(systemd.UNIT_FAILURE_RESULT, old[1] or old[2], None, {"PRIORITY": "4"})


def _about_unit(unit: str, rest: str) -> ManagerMessage:
    if exited := _EXITED.match(rest):
        command = "ExecStart" if exited[1].lower() == "main" else "ExecStartPre"
        status = {"EXIT_STATUS": exited[3]} if exited[3] else {}
        return ManagerMessage(systemd.UNIT_PROCESS_EXIT, unit, None, {"EXIT_CODE": exited[2], "PRIORITY": "5", "COMMAND": command} | status)
    if result := _RESULT.match(rest):
        fields = {"UNIT_RESULT": _completed(result[1])} if result[1] else {}
        return ManagerMessage(systemd.UNIT_FAILURE_RESULT, unit, None, fields | {"PRIORITY": "4"})
    if counter := _COUNTER.match(rest):
        fields = {"N_RESTARTS": counter[1]} if counter[1] else {}
        return ManagerMessage(systemd.UNIT_RESTART_SCHEDULED, unit, None, fields | {"PRIORITY": "6"})
    if _SPAWN.match(rest):
        return ManagerMessage(systemd.SPAWN_FAILED, unit, None, {"PRIORITY": "3"})
    kind = next((kind for wording, kind in _WORDINGS if wording.match(rest)), None)
    return ManagerMessage(kind, unit, None, _warning(rest))


def _completed(result: str) -> str:
    """A result that a pager may have cut."""
    return next((known for known in _RESULTS if known.startswith(result)), result)


def _warning(message: str) -> dict[str, str]:
    """Guess the priority, which text does not show: only the manager's warnings become events."""
    return {"PRIORITY": "4" if _WARNS.search(message) else "6"}
