"""Parse plain log text into records: message, time, host, identifier and process of each line.

A prefix is accepted only when most lines of the text have it. Known are those of journalctl's short formats, syslog, container runtimes
and dmesg (systemd's logs-show.c, RFC 3164, the container runtimes' documentation). All expressions are linear.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from forensics.explain.format import MOST_SHARE, PLAIN, Format
from forensics.model.text_length import LONGEST

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log record. line is 1-based; time is µs since the epoch, for a clock without a date since 0; null means not stated."""

    line: int
    message: str
    time: int | None = None
    host: str | None = None
    identifier: str | None = None
    pid: int | None = None
    unit: str | None = None
    kernel: bool = False


_ANSI = re.compile(r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|\x1b[()][0-9A-B]")
_SKIPPED = re.compile(r"-- (?:Boot |Reboot|Journal begins|Logs begin|No entries)|░░|lines \d+-\d+|Hint: You are currently not seeing")

_SOURCE = r"(?P<host>[^\s:\[\]]{1,255}) (?P<source>[^\s:\[]{1,255}|[^:\[\n]{1,60})(?:\[(?P<pid>\d{1,10})\])?: ?(?P<message>.*)"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)"
_ISO = rf"(?P<time>\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?(?:{_ZONE})?)"
_LEVEL = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SUCCESS"
_PRI = r"(?:<\d{1,3}>1? ?)?"

# In order: the first one that fits most lines is the text's.
_PREFIXES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.DOTALL)
    for name, pattern in {
        "short": rf"{_PRI}(?P<time>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{{1,6}})?) {_SOURCE}",
        "short-iso": rf"{_PRI}{_ISO} {_SOURCE}",
        "short-full": rf"(?P<time>[A-Z][a-z]{{2}} \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{{1,6}})?)(?: [A-Z+\-][\w+\-]{{0,5}})? {_SOURCE}",
        "short-unix": rf"(?P<time>\d{{9,11}}\.\d{{3,6}}) {_SOURCE}",
        "short-monotonic": rf"\[ {{0,12}}(?P<time>\d{{1,9}}\.\d{{6}})(?: <[^>\n]{{0,20}}>)? ?\] {_SOURCE}",
        "kmsg": r"(?P<kernel>)\d{1,3},\d{1,12},(?P<micros>\d{1,16}),[^;\n]{0,80};(?P<message>.*)",
        "dmesg": r"(?P<kernel>)(?:<\d{1,3}>)?\[ {0,12}(?P<time>\d{1,9}\.\d{6})\](?:\[[^\]\n]{1,12}\])? ?(?P<message>.*)",
        "dmesg -T": r"(?P<kernel>)\[[A-Z][a-z]{2} (?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) \d{4}\] ?(?P<message>.*)",
        "kubectl": r"\[(?P<source>pod/[^\]\s]{1,255})\] ?(?P<message>.*)",
        "compose": rf"(?P<source>(?!(?:{_LEVEL})\b)[A-Za-z0-9][\w.\-]{{0,120}}) *\| ?(?P<message>.*)",
        "cri": rf"{_ISO} (?:stdout|stderr) [FP] ?(?P<message>.*)",
        "docker": r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) ?(?P<message>.*)",
    }.items()
}
_WRAPPING = {"kubectl", "compose"}  # after these the runtime's time may follow


def log_records(text: str) -> tuple[list[LogRecord], Format]:
    """Parse plain text into records, oldest first, and its format."""
    lines = list(_lines(text))
    name, share = _format_of([line for _, line in lines])
    records = list(_read(lines, None if name is None else _PREFIXES[name]))
    if name in _WRAPPING:
        records = _unwrapped(records)
    records = [part for record in records for part in _of_json(record)]
    return records[::-1] if _is_newest_first(records) else records, Format(name or PLAIN, len(lines), share)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """(1-based number, line) without line ends, colours and journalctl's own messages."""
    for number, line in enumerate(text.split("\n"), 1):
        plain = _ANSI.sub("", line[:LONGEST]).rstrip("\r")
        if plain.strip("\r\x00 ") and not _SKIPPED.match(plain):
            yield number, plain


def _format_of(lines: list[str]) -> tuple[str | None, float]:
    """The format of most lines and their share; indented ones may continue the line before, and do not count."""
    unindented = [line for line in lines if not line[0].isspace()][:2000] or lines[:2000]
    for name, pattern in _PREFIXES.items():
        matched = [match for line in unindented if (match := pattern.match(line))]
        if len(matched) > MOST_SHARE * len(unindented) and (name != "short-monotonic" or _one_host(matched)):
            return name, len(matched) / len(unindented)
    return None, 0.0


def _one_host(matched: list[re.Match[str]]) -> bool:
    """Distinguish short-monotonic from dmesg, whose lines look alike but do not share their first word."""
    hosts = [match["host"] for match in matched]
    return hosts.count(hosts[0]) == len(hosts) and any(match["pid"] or match["source"] == "kernel" for match in matched)


def _read(lines: list[tuple[int, str]], prefix: re.Pattern[str] | None) -> Iterator[LogRecord]:
    waiting: LogRecord | None = None
    width = 0
    for number, line in lines:
        match = prefix.match(line) if prefix is not None else None
        if match is not None:
            if waiting is not None:
                yield waiting
            waiting, width = _record(number, match), match.start("message")
        elif prefix is not None and waiting is not None and len(line) > width and not line[:width].strip():
            if len(waiting.message) < LONGEST:  # journalctl indents further lines of a message
                waiting = replace(waiting, message=f"{waiting.message}\n{line[width:]}")
        else:
            if waiting is not None:
                yield waiting
                waiting = None
            yield LogRecord(number, line)
    if waiting is not None:
        yield waiting


def _record(number: int, match: re.Match[str]) -> LogRecord:
    parts = match.groupdict()
    source = parts.get("source")
    unit = source if source is not None and source.endswith((".service", ".scope")) else None
    return LogRecord(
        line=number,
        message=parts["message"],
        time=_micros(parts),
        host=parts.get("host"),
        identifier=None if unit else source,
        pid=int(parts["pid"]) if parts.get("pid") else None,
        unit=unit,
        kernel="kernel" in parts or source == "kernel",
    )


def _micros(parts: dict[str, str | None]) -> int | None:
    if parts.get("micros"):
        return int(parts["micros"] or 0)
    text = parts.get("time")
    if text is None:
        return None
    try:
        return int(_moment(text) * 1_000_000)
    except ValueError:
        return None


def _moment(text: str) -> float:
    """Seconds since the epoch, since the boot, or since the start of 2000 for a date without a year."""
    if re.fullmatch(r"\d+\.\d+", text):
        return float(text)
    if text[:3] in MONTHS:
        clock = datetime.fromisoformat(f"2000-{MONTHS.index(text[:3]) + 1:02}-{text[4:6].strip():0>2} {text[7:]}")
    else:
        clock = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text[4:] if text[0].isalpha() else text).replace(",", "."))
    return (clock if clock.tzinfo else clock.replace(tzinfo=UTC)).timestamp()


def _unwrapped(records: list[LogRecord]) -> list[LogRecord]:
    """Strip the container runtime's time from the messages, where all have it."""
    pattern = _PREFIXES["docker"]
    inner = [pattern.match(record.message) for record in records]
    if not all(inner):
        return records
    return [
        replace(record, message=match["message"], time=_micros(match.groupdict()))
        for record, match in zip(records, inner, strict=True)
        if match is not None
    ]


_STACKS: tuple[str, ...] = ("exception", "exc_info", "traceback", "stack_trace", "stacktrace", "stack", "error.stack_trace", "exc_text")


def _of_json(record: LogRecord) -> Iterator[LogRecord]:
    """Unwrap a line of a docker log file; append the stack trace of a JSON logger's line as lines of its own."""
    values = _object(record.message)
    if values is None:
        yield record
    elif isinstance(log := values.get("log"), str) and {"stream", "time"} & values.keys():
        yield replace(record, message=log.rstrip("\r\n"), time=_time_of(values) or record.time)
    else:
        yield record
        stack = next((value for key in _STACKS if isinstance(value := values.get(key), str) and "\n" in value.strip()), None)
        for line in (stack or "").strip("\n").split("\n") if stack else ():
            yield replace(record, message=line.rstrip("\r"))


def _object(message: str) -> dict[str, object] | None:
    if not (message.startswith("{") and message.rstrip().endswith("}")):
        return None
    try:
        values = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _time_of(values: dict[str, object]) -> int | None:
    return _micros({"time": text}) if isinstance(text := values.get("time"), str) else None


def _is_newest_first(records: list[LogRecord]) -> bool:
    """Whether the text was printed with journalctl --reverse."""
    times = [record.time for record in records if record.time is not None]
    return len(times) > 1 and times[0] > times[-1] and all(a >= b for a, b in pairwise(times))
