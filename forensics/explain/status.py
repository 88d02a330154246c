"""Read what `systemctl status`, `systemctl --failed` and a failed `systemctl start` print: the state of units beside their log lines.

Source: systemctl-show.c and systemctl-start-unit.c, 208 … 262. Dates, which are of any language, are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from forensics.explain.attribution import ProgramNames, is_companion
from forensics.explain.copied import Line
from forensics.explain.log_formats import LogRecord
from forensics.explain.supervisors import Statements, failed, killed, signal_number
from forensics.explain.systemd_text import START_LIMIT, UNIT, ManagerMessage, parse_message
from forensics.model import systemd
from forensics.sanitize.lazy_pattern import LazyPattern

NAME = "systemctl status"

_HEAD = LazyPattern(rf"(?:[^\w\s]{{1,4}} {{0,3}}|\S{{1,4}} {{1,3}})?({UNIT})(?: - .{{0,300}})?\Z")
_FIELD = LazyPattern(
    r"\s{0,40}(Loaded|Drop-In|Transient|Active|Condition|Assert|Start condition|Triggers|Triggered ?By|Docs|Process|Main PID|Control PID"
    r"|Cntrl PID|Status|Error|IP|IO|Tasks|FD Store|Memory|CPU|CGroup|Invocation|Duration|Job|Since|Until|Device|Where|What|Follow|Listen"
    r"|Accepted|Bus ?Name|Extension Images|Names Registered|Mem peak): {0,4}(.*)"
)
_OF_FIELD = LazyPattern(r"\s{0,80}(?:[├└│|`]|\d{1,10} \S|man:|https?:|file:|info:|\(|n/a)")  # the lines of a field after its first
_LOADED_FROM = LazyPattern(r"\w{1,20} \((?:/[^;\n)]{0,300}/)?([^/;\n)]{1,255}\.service)[;)]")
_STATE = LazyPattern(r"(failed|activating|deactivating|inactive|active|reloading|maintenance)\b")
_RESULT = LazyPattern(r"\(Result: ([a-z-]{1,40})")
_ENDED = LazyPattern(r"\(code=(exited|killed|dumped),? {0,2}(?:status=(\d{1,3})|signal=(\w{1,12}))?")
_COMMAND = LazyPattern(r"(\d{1,10}) (Exec\w{1,20})=")
_PID = LazyPattern(r"(\d{1,10})\b")

_FAILED_LIST = LazyPattern(
    rf"(?:[^\w\s]{{1,3}} {{0,3}})?({UNIT}) {{1,200}}(?:loaded|not-found|bad-setting|error|masked) {{1,20}}failed {{1,20}}failed\b"
)
_JOB_FAILED = LazyPattern(rf"([Aa] dependency job|[Jj]ob) for ({UNIT}) failed(?:(?: because)? (.{{0,120}}))?")
_NOT_STARTED = LazyPattern(rf"(?:Failed to (?:re)?start|Unit) ({UNIT})(?:: |\.service )")
_REASONS = (
    ("timeout", "timeout"),
    ("fatal signal", "signal"),
    ("dump core", "core-dump"),
    ("watchdog", "watchdog"),
    ("protocol", "protocol"),
    ("resource", "resources"),
    ("out-of-memory", "oom-kill"),
)
_AFTER_AN_END = {systemd.UNIT_FAILURE_RESULT, systemd.UNIT_RESTART_SCHEDULED, systemd.UNIT_STOPPED, systemd.UNIT_FAILED, START_LIMIT}
_FAILING = {"failed", "activating", "deactivating", "inactive"}


@dataclass(slots=True)
class Section:
    """What one unit's status shows. first, last: the lines of its log; ended: the process that failed, or the main one."""

    unit: str
    first: int
    last: int = 0
    state: str = ""
    result: tuple[Line, str] | None = None
    ended: tuple[Line, Statements] | None = None
    words: list[Line] = field(default_factory=list)  # of Status: and Error:
    pids: set[int] = field(default_factory=set)


def without_status(lines: Sequence[Line]) -> tuple[list[Line], list[Section]]:
    """Separate the headers of `systemctl status` from the lines of logs."""
    sections: list[Section] = []
    rest: list[Line] = []
    is_spaced = sum(after[0] > before[0] + 1 for before, after in pairwise(lines)) > len(lines) / 2
    in_header = is_open = False
    for index, line in enumerate(lines):
        unit = _unit_of_head(lines, index)
        if unit is not None:
            sections.append(Section(unit, line[0]))
            in_header = is_open = True
            if not _FIELD.match(line[1]):
                continue
        if in_header and (found := _FIELD.match(line[1])):
            _read_field(sections[-1], found[1], found[2].replace("**", ""), line)
        elif not (in_header and _OF_FIELD.match(line[1])):
            ends = is_open and not in_header and not is_spaced and line[0] > rest[-1][0] + 1
            in_header, is_open = False, is_open and not ends
            if is_open:
                sections[-1].last = line[0]
            rest.append(line)
    return rest, sections


def _unit_of_head(lines: Sequence[Line], index: int) -> str | None:
    """The unit whose status begins with this line: its name stands there, or in the field "Loaded" without a line before."""
    text = lines[index][1]
    following = lines[index + 1][1] if index + 1 < len(lines) else ""
    if following.lstrip().startswith(("Loaded: ", "Active: ")) and (head := _HEAD.match(text.strip()[:600])):
        return head[1]
    if not text.lstrip().startswith("Loaded: "):
        return None
    loaded_from = _LOADED_FROM.match(text.lstrip().removeprefix("Loaded: "))
    before = _HEAD.match(lines[index - 1][1].strip()[:600]) if index else None
    return loaded_from[1] if loaded_from and not before else None


def _read_field(section: Section, name: str, value: str, line: Line) -> None:
    if name == "Active":
        state, result = _STATE.match(value), _RESULT.search(value)
        section.state = state[1] if state else ""
        if result or section.state == "failed":
            section.result = (line, result[1] if result else "")
    elif name in {"Process", "Main PID"}:
        pid, command = _PID.match(value), _COMMAND.match(value)
        section.pids |= {int(pid[1])} if pid else set()
        ends = _ended(section.unit, command[2] if command else "ExecStart", value)
        if ends and (section.ended is None or section.ended[1][0].kind == systemd.UNIT_SUCCESS):
            section.ended = (line, ends)
    elif name in {"Status", "Error"} and value.strip('" '):
        section.words.append((line[0], value.strip('" ')))


def _ended(unit: str, command: str, value: str) -> Statements:
    ended = _ENDED.search(value)
    if ended is None or command in {"ExecReload", "ExecStop", "ExecStopPost"}:
        return ()
    if ended[1] == "exited":
        if ended[2] == "0":
            return (ManagerMessage(systemd.UNIT_SUCCESS, unit),)
        ends = failed(unit, "exited", int(ended[2] or 1), "exit-code")
    else:
        number = signal_number(ended[3] or "") or int(ended[2] or 0)
        ends = failed(unit, ended[1], number, systemd.RESULT_OF_EXIT_CODE[ended[1]]) if number else killed(unit, 9)
    return tuple(replace(end, fields=end.fields | {"COMMAND": command}) if "COMMAND" in end.fields else end for end in ends)


def with_status(records: Sequence[LogRecord], sections: Sequence[Section]) -> list[LogRecord]:
    """Give each section's records its unit, and add what its header states where the records do not."""
    result: list[LogRecord] = []
    at = 0
    for section in sections:
        while at < len(records) and records[at].line < section.first:
            result.append(records[at])
            at += 1
        start = at
        while at < len(records) and records[at].line <= section.last:
            at += 1
        names = ProgramNames([section.unit])
        result += _completed([_of_unit(record, section, names) for record in records[start:at]], section)
    return result + list(records[at:])


def _of_unit(record: LogRecord, section: Section, names: ProgramNames) -> LogRecord:
    """Give a record the unit of its section, unless another program wrote it that only stands between the lines."""
    is_known = record.identifier in {None, "systemd"} or record.pid in section.pids or bool(names.units_of(record.identifier or ""))
    if record.kernel or record.unit is not None or (not is_known and is_companion(record.identifier or "")):
        return record
    return record._replace(unit=section.unit)


def _completed(records: list[LogRecord], section: Section) -> list[LogRecord]:
    """The records of a unit with its end, where it belongs among them."""
    stated = [parse_message(record.message) if record.identifier == "systemd" else None for record in records]
    kinds = {message.kind for message in stated if message is not None}
    words = [LogRecord(number, text, unit=section.unit) for number, text in section.words] if section.state in _FAILING else []
    ends = list(_ends(section, kinds))
    if not ends:
        return [*words, *records]
    own = [index for index, record in enumerate(records) if record.pid in section.pids]
    after = (index for index, message in enumerate(stated) if message is not None and message.kind in _AFTER_AN_END)
    at = own[-1] + 1 if own else next(after, len(records))
    return [*records[:at], *words, *ends, *records[at:]]


def _ends(section: Section, kinds: set[str | None]) -> list[LogRecord]:
    """The statements of a header that no line of the log makes."""
    line, statements = section.ended or ((0, ""), ())
    if statements and statements[0].kind == systemd.UNIT_SUCCESS:
        is_over = section.state == "inactive" and section.result is None and not kinds & _AFTER_AN_END
        return [LogRecord(line[0], line[1].strip(), statement=statements[0])] if is_over else _result(section, kinds)
    ends: list[LogRecord] = []
    if statements and section.state in _FAILING and systemd.UNIT_PROCESS_EXIT not in kinds:
        ends.append(LogRecord(line[0], line[1].strip(), statement=statements[0]))
    return ends + _result(section, kinds)


def _result(section: Section, kinds: set[str | None]) -> list[LogRecord]:
    if section.result is None or systemd.UNIT_FAILURE_RESULT in kinds or section.result[1] == "success":
        return []
    line, result = section.result
    fields = ({"UNIT_RESULT": result} if result else {}) | {"PRIORITY": "4"}
    message = ManagerMessage(systemd.UNIT_FAILURE_RESULT, section.unit, None, fields)
    return [LogRecord(line[0], line[1].strip(), statement=message)]


def stated_by_systemctl(message: str) -> tuple[Statements, str | None]:
    """What a line of `systemctl` itself states, and the unit that it is about."""
    if listed := _FAILED_LIST.match(message):
        unit = listed[1]
        return (ManagerMessage(systemd.UNIT_FAILURE_RESULT, unit, None, {"PRIORITY": "4"}, is_repeated=True),), unit
    if job := _JOB_FAILED.match(message):
        reason = job[3] or ""
        result = next((result for words, result in _REASONS if words in reason), "exit-code")
        return failed(job[2], None, None, "dependency" if job[1][0] in "Aa" else result, is_repeated=True), job[2]
    not_started = _NOT_STARTED.match(message)
    return (), not_started[1] if not_started else None
