"""Read what Kubernetes shows of containers that ended: `kubectl describe pod`, a pod's JSON or YAML, events and lists of pods.

Source: kubectl's describe.go and printers.go, the API's ContainerStateTerminated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from forensics.explain.copied import Line
from forensics.explain.log_formats import LogRecord
from forensics.explain.supervisors import Statements, ended, failed
from forensics.explain.systemd_text import ManagerMessage
from forensics.model import systemd
from forensics.sanitize.lazy_pattern import LazyPattern

NAME = "kubectl"
NEAR = 6  # lines between the fields of one end
FEWEST = 3  # lines of a description in a text that has one

_DESCRIBED = LazyPattern(
    r"[ \t]{0,60}(?:Name|Namespace|Priority|Service Account|Node|Start Time|Labels|Annotations|Status|IPs?|Controlled By"
    r"|(?:Init )?Containers|Container ID|Image(?: ID)?|(?:Host )?Ports?|Command|Args"
    r"|(?:Last )?State|Reason|Message|Exit Code|Signal|Started|Finished|Ready"
    r"|Restart Count|Limits|Requests|cpu|memory|Liveness|Readiness|Startup|Environment|Mounts|Conditions|Volumes|Type|QoS Class"
    r"|Node-Selectors|Tolerations|Events|Optional|SecretName|ConfigMapName|Initialized|ContainersReady|PodScheduled):(?:[ \t]|\Z)"
)
_STRUCTURE = LazyPattern(
    r"[ \t]{0,80}(?:- )?\"?(?:lastState|state|terminated|waiting|running|containerID|finishedAt|startedAt|containerStatuses|imageID|image"
    r"|restartCount|ready|started|name|reason|signal|exitCode)\"?: {0,4}(?:[{\[\"'\d\w].{0,300})?\Z|[ \t]{0,80}[}\]],?\Z"
)
_STATE = LazyPattern(r"[ \t]{0,60}(?:Last )?State:|[ \t]{0,80}\"?(?:lastState|terminated)\"?:")
_EXIT_CODE = LazyPattern(r"[ \t]{0,80}\"?(?:Exit Code|exitCode)\"?: {0,20}(\d{1,3})\b")
_REASON = LazyPattern(r"[ \t]{0,80}\"?[Rr]eason\"?: {0,20}\"?(\w{1,60})")
_CONTAINER = LazyPattern(r"[ \t]{2,6}(?!(?:lastState|state|terminated|waiting|running):)([a-z0-9][a-z0-9.\-]{0,60}):[ \t]{0,10}\Z")
_NAMED = LazyPattern(r"[ \t]{0,80}(?:- )?\"?name\"?: {0,4}\"?([a-z0-9][a-z0-9.\-]{0,100})\"?,?\Z")
_POD = LazyPattern(r"Name: {1,20}([a-z0-9][a-z0-9.\-]{0,250})\Z")
_EVENT = LazyPattern(
    r"[ \t]{0,20}(?:<?[\w ()<>]{1,40}?>?[ \t]{1,20}|\d{4}-\S{1,40} )?(Normal|Warning)[ \t]{1,20}([A-Z]\w{2,60})[ \t]{1,20}"
    r"((?:\d[\w ()]{0,60}?|<\w{1,12}>)[ \t]{2,20})?([\w./\-]{1,200})[, \t](.{0,2000})"
)
_MAY_BE = ('State":', "State:", "exitCode", "Exit Code", "Normal ", "Normal\t", "Warning ", "Warning\t")
_READY = LazyPattern(r"/\d{1,3} {1,40}[A-Z]")  # after a digit: pods that are ready
_BACK_OFF = LazyPattern(r"(?:BackOff|CrashLoopBackOff)\Z")
_LISTED = LazyPattern(
    r"(?:[a-z0-9.\-]{1,80} {2,60})?([a-z0-9][a-z0-9.\-]{1,250}) {1,80}\d{1,3}/\d{1,3} {1,40}"
    r"((?:Init:)?(?:CrashLoopBackOff|Error|OOMKilled|ImagePullBackOff|ErrImagePull|CreateContainerConfigError|CreateContainerError|RunContainerError|InvalidImageName|Evicted|StartError|ContainerStatusUnknown))\b"
)


def may_describe(text: str) -> bool:
    """Whether a text may have descriptions, events or lists of pods: searches of all of it that cost 10 ms for 10 MB."""
    return any(words in text for words in _MAY_BE) or any(
        text[ready.start() - 1 : ready.start()].isdecimal() for ready in _READY.finditer(text)
    )


def without_descriptions(lines: Sequence[Line]) -> tuple[list[Line], list[LogRecord]]:
    """Separate descriptions, events and lists of pods from the lines of logs: the other lines, and what the former state."""
    is_described = sum(1 for _, text in lines if _DESCRIBED.match(text)) >= FEWEST and any(_STATE.match(text) for _, text in lines)
    is_structured = any(_EXIT_CODE.match(text) for _, text in lines) and any(_STATE.match(text) for _, text in lines)
    rest: list[Line] = []
    stated: list[LogRecord] = []
    unit = "pod"
    for index, line in enumerate(lines):
        if listed := _LISTED.match(line[1]):
            stated += _records(line, _of_reason(listed[1], listed[2].removeprefix("Init:"), None, is_repeated=True))
        elif event := _EVENT.match(line[1]):
            stated += _of_event(line, event, unit)
        elif (is_described and _DESCRIBED.match(line[1])) or (is_structured and (_STRUCTURE.match(line[1]) or _CONTAINER.match(line[1]))):
            named = _POD.match(line[1]) or _CONTAINER.match(line[1]) or _NAMED.match(line[1])
            unit = named[1] if named else unit
            if code := _EXIT_CODE.match(line[1]):
                # in JSON and YAML the fields are in the order of the alphabet
                after = (found[1] for _, text in lines[index : index + 2 * NEAR] if (found := _NAMED.match(text)))
                stated += _of_exit(lines, index, code, next(after, unit))
        else:
            rest.append(line)
    return rest, stated


def _of_exit(lines: Sequence[Line], index: int, code: re.Match[str], unit: str) -> list[LogRecord]:
    """The end of a container, by its exit code and the reason near it."""
    near = lines[max(0, index - NEAR) : index + NEAR]
    reasons = sorted((abs(number - lines[index][0]), number, found[1], text) for number, text in near if (found := _REASON.match(text)))
    reason, line = (reasons[0][2], (reasons[0][1], reasons[0][3])) if reasons else ("", lines[index])
    return _records(line if reason == "OOMKilled" else lines[index], _of_reason(unit, reason, int(code[1])))


def _of_reason(unit: str, reason: str, code: int | None, *, is_repeated: bool = False) -> Statements:
    name = f"{unit}.service"
    if reason == "OOMKilled":
        return failed(name, "killed", 9, "oom-kill", is_repeated=is_repeated)
    if code is not None:
        return ended(name, code, is_repeated=is_repeated)
    return (ManagerMessage(systemd.UNIT_FAILURE_RESULT, name, None, {"PRIORITY": "4"}, is_repeated=True),)


def _of_event(line: Line, event: re.Match[str], unit: str) -> list[LogRecord]:
    kind, reason, _, source, text = event.groups()
    name = source.partition("/")[2] or unit
    if kind == "Normal":
        return []
    if _BACK_OFF.match(reason):
        return _records(line, _of_reason(name, reason, None, is_repeated=True))
    return [LogRecord(line[0], text.strip(), unit=f"{name}.service")]


def _records(line: Line, statements: Statements) -> list[LogRecord]:
    record = LogRecord(line[0], line[1].strip())
    return [record._replace(statement=statement) for statement in statements]
