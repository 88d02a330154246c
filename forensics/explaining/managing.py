"""What the service manager says in text in, the journal fields that it wrote with it out: kind of line, unit, exit, result.

The wordings are systemd's (unit.c, service.c, execute.c and exec-invoke.c, 252 … 262).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

STARTING, STARTED, SKIPPED = "7d4958e842da4a758f6c1cdc7b36dcc5", "39f53479d3a045ac8e11786248231fbf", "0e4284a0caca4bfc81c0bb6786972673"
EXIT, FAILED, ENDED_WELL = "98e322203f7a4ed290d09fe03c09fe15", "d9b373ed55a64feb8242e02dbe79a49c", "7ad2d189f7e94e70a38c781354912448"
RESTART, STOPPED, STOPPING = "5eb03494b6584870a536b337290809b3", "9d1aaa27d60140bd96365438aad20286", "de5b426a63be47a7b6ac3eaac82e2f6f"
JOB_FAILED, SPAWN_FAILED = "be02cf6855d2428ba40df7e9d022f03d", "641257651c1b4ec9a8624d7a40a9e1e7"
OUT_OF_MEMORY, RESOURCES = "fe6faa94e7774663a0da52717891d8ef", "ae8f7b866b0347b9af31fe1c80b127c0"
START_LIMIT = "start-limit"  # a line without an id
COREDUMP = "fc2e22bc6ee647b6b90729ab34a250b1"

UNIT = r"[\w.\\@:\-]+\.(?:service|socket|mount|target|timer|slice|scope|path|swap|device|automount)"

_ABOUT_UNIT = re.compile(rf"({UNIT}): (.*)", re.DOTALL)
_NAMED = re.compile(rf"(?:[A-Z][a-z]+|Failed to start) ({UNIT})(?: - (.*?))?\.{{0,3}}$", re.DOTALL)
_SKIPPED = re.compile(rf"({UNIT}) (?:- .*? )?(?:was )?(?:being )?skipped(?: because|,)", re.DOTALL)
_OF_FILE = re.compile(r"/(?:\S+/)?(\S+\.service)(?:\.d/[^:\s]+)?:\d+: ")
_JOBS = (
    ("Starting ", STARTING),
    ("Started ", STARTED),
    ("Finished ", STARTED),
    ("Stopping ", STOPPING),
    ("Stopped ", STOPPED),
    ("Failed to start ", JOB_FAILED),
)
_EXITED = re.compile(r"(Main|Control) process exited, code=(exited|killed|dumped),? status=(\d+)")
_RESULT = re.compile(r"Failed with result '([a-z-]+)'")
_COUNTER = re.compile(r"Scheduled restart job, restart counter is at (\d+)")
_SPAWN = re.compile(r"Failed at step|(?:Failed|Unable) to locate executable|Failed to (?:execute|spawn)")
_SAYINGS = (
    (re.compile(r"Deactivated successfully|Succeeded\."), ENDED_WELL),
    (re.compile(r"A process of this unit has been killed by the OOM killer"), OUT_OF_MEMORY),
    (re.compile(r"Consumed "), RESOURCES),
    (re.compile(r"Skipped due to 'exec-condition'"), SKIPPED),
    (re.compile(r"[Ss]tart request repeated too quickly"), START_LIMIT),
)
_WARNS = re.compile(
    r"(?i)\b(?:fail|unable|cannot|can't|could not|refus|invalid|bad|err|den(?:y|ied)|ignor|unknown|missing"
    r"|not |timed|timeout|watchdog|unmet)"
)


@dataclass(frozen=True, slots=True)
class Saying:
    """One line of the manager. unit is null when the text names none; title is the description that stands beside it."""

    kind: str | None = None
    unit: str | None = None
    title: str | None = None
    fields: dict[str, str] = field(default_factory=dict)


def saying(message: str) -> Saying:
    """What a line of the manager says."""
    about = _ABOUT_UNIT.match(message)
    if about is not None:
        return _about_unit(about[1], about[2])
    if skipped := _SKIPPED.match(message):
        return Saying(STARTED, skipped[1])
    for words, kind in _JOBS:
        if message.startswith(words):
            named = _NAMED.match(message)
            title = named[2] if named else message.removeprefix(words).rstrip(".")
            return Saying(kind, named[1] if named else None, title)
    of_file = _OF_FILE.match(message)
    return Saying(None, of_file[1] if of_file else None, None, _warning(message))


def _about_unit(unit: str, rest: str) -> Saying:
    if found := _EXITED.match(rest):
        command = {"COMMAND": "ExecStart"} if found[1] == "Main" else {"COMMAND": "ExecStartPre"}
        return Saying(EXIT, unit, None, {"EXIT_CODE": found[2], "EXIT_STATUS": found[3], "PRIORITY": "5", **command})
    if found := _RESULT.match(rest):
        return Saying(FAILED, unit, None, {"UNIT_RESULT": found[1], "PRIORITY": "4"})
    if found := _COUNTER.match(rest):
        return Saying(RESTART, unit, None, {"N_RESTARTS": found[1], "PRIORITY": "6"})
    if _SPAWN.match(rest):
        return Saying(SPAWN_FAILED, unit, None, {"PRIORITY": "3"})
    kind = next((kind for words, kind in _SAYINGS if words.match(rest)), None)
    return Saying(kind, unit, None, _warning(rest))


def _warning(message: str) -> dict[str, str]:
    """Text does not tell the priority; only the manager's warnings count as events."""
    return {"PRIORITY": "4" if _WARNS.search(message) else "6"}
