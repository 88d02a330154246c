"""Parse plain log text into records: message, time, host, identifier and process of each line.

Formats that a single line shows are read line by line, so that a text may have several; others count only where most lines have them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from forensics.explain.clock import Clock
from forensics.explain.copied import Line
from forensics.explain.format import MOST_SHARE
from forensics.explain.prefixes import MONOTONIC, PREFIXES, TIMES, Prefix
from forensics.explain.systemd_text import ManagerMessage
from forensics.model.text_length import LONGEST
from forensics.sanitize.lazy_pattern import LazyPattern

MOST_TIMES = 0.8  # of the lines must have a time before them for it to be no part of them
SAMPLE = 600  # lines by which the formats of a text are known
DEPTH = 3  # formats within each other: GitHub's time, docker compose, the time that docker adds, syslog
MARGINS = range(60, 81)  # of mails
MOST_BREAKS = 0.6  # of the lines without a prefix must be the rest of a wrapped line
WIDTHS = range(60, 401)  # of terminals


class LogRecord(NamedTuple):
    """One log record. line is 1-based; time is µs since the epoch, for a clock without a date since 0; null means not stated.

    statement: what a service manager or supervisor states by it.
    """

    line: int
    message: str
    time: int | None = None
    host: str | None = None
    identifier: str | None = None
    pid: int | None = None
    unit: str | None = None
    kernel: bool = False
    statement: ManagerMessage | None = None


_COMPOSE_ITSELF = LazyPattern(
    r"[\w.\-]{1,120} exited with code \d|Attaching to |(?:Gracefully s|S)topping |Aborting on container exit|Container \S{1,120} {1,4}[A-Z]"
)
_EXPLANATION = LazyPattern(r"--(?: |\Z)|░░")  # journalctl -x

Parsed = tuple[list[LogRecord], str | None, int]  # records, the name of the format of most lines, and how many lines have one


def without_times(lines: Sequence[Line], clock: Clock) -> tuple[list[Line], dict[int, int | None], str | None]:
    """Remove the time that stands before nearly all lines: the lines, the time of each, and the name of the format."""
    sample = lines[:: max(1, len(lines) // SAMPLE)]
    if sample and all(text.startswith(_DOCKERS) for _, text in sample):
        return *_of_dockers_file(lines, clock), "docker's log file"
    for prefix in TIMES:
        if sample and sum(1 for _, text in sample if prefix.pattern.match(text)) >= MOST_TIMES * len(sample):
            found = [(number, text, prefix.pattern.match(text)) for number, text in lines]
            times = {number: clock.micros(match["time"]) for number, _, match in found if match}
            rest = [(number, match["message"] or "" if match else text) for number, text, match in found]
            return [line for line in rest if line[1].strip()], times, prefix.name
    return list(lines), {}, None


_DOCKERS = '{"log":"'


def _of_dockers_file(lines: Sequence[Line], clock: Clock) -> tuple[list[Line], dict[int, int | None]]:
    """The lines in docker's own log file, with their times."""
    rest: list[Line] = []
    times: dict[int, int | None] = {}
    for number, text in lines:
        values = _object(text) or {}
        log, time = values.get("log"), values.get("time")
        rest += [(number, line) for line in (log.rstrip("\r\n").split("\n") if isinstance(log, str) else [text]) if line.strip()]
        times[number] = clock.micros(time) if isinstance(time, str) else None
    return rest, times


def parse_lines(lines: Sequence[Line], clock: Clock, times: Mapping[int, int | None]) -> Parsed:
    """Parse the lines of a log into records in their order."""
    texts = [text for _, text in lines]
    prefixes = formats_of(texts)
    is_sure = bool(prefixes) and prefixes[0].is_sure
    margin = _margin(texts, prefixes) if is_sure else 0
    reader = _Reader(prefixes, clock, _widths(texts, prefixes) if is_sure else frozenset(), margin)
    records = list(reader.read([(number, text.rstrip()) for number, text in lines] if margin else lines))
    records = _unwrapped(records, clock, DEPTH) if any(prefix.is_wrapper for prefix in prefixes) else records
    if any(record.message[:1] == "{" for record in records):
        records = [part for record in records for part in _with_stack(record)]
    if times:
        records = [record._replace(time=times.get(record.line)) if record.time is None else record for record in records]
    name = reader.counts.most_common(1)[0][0] if reader.counts else None
    return records, name, reader.counts.total() + reader.others


def formats_of(lines: Sequence[str]) -> list[Prefix]:
    """The formats of a text, the most frequent one first."""
    unindented = [line for line in lines if not line[:1].isspace()] or list(lines)
    sample = unindented[:: max(1, len(unindented) // SAMPLE)][: 2 * SAMPLE]
    sure: Counter[Prefix] = Counter()
    others: list[str] = []
    for line in sample:
        prefix = next((prefix for prefix in PREFIXES if prefix.is_sure and prefix.pattern.match(line)), None)
        if prefix is None:
            others += [] if _COMPOSE_ITSELF.match(line) else [line]
        else:
            sure[prefix] += 1
    return [prefix for prefix, _ in sure.most_common()] + _likely(others)


def _likely(lines: Sequence[str]) -> list[Prefix]:
    """The format of most of the lines."""
    for prefix in PREFIXES:
        if not prefix.is_sure:
            found = [match for line in lines if (match := prefix.pattern.match(line))]
            if len(found) > MOST_SHARE * len(lines) and (prefix.name != MONOTONIC or _one_host(found)):
                return [prefix]
    return []


def _one_host(matched: list[re.Match[str]]) -> bool:
    """Distinguish short-monotonic from dmesg, whose lines look alike but do not share their first word."""
    hosts = [match["host"] for match in matched]
    return hosts.count(hosts[0]) == len(hosts) and any(match["pid"] or match["source"] == "kernel" for match in matched)


def _widths(lines: Sequence[str], prefixes: Sequence[Prefix]) -> frozenset[int]:
    """The widths at which a terminal wrapped the lines: those of several lines after which one has no prefix."""
    sample = lines[: 4 * SAMPLE]
    has_prefix = [any(prefix.pattern.match(line) for prefix in prefixes) for line in sample]
    continues = [not starts and not _EXPLANATION.match(line) for line, starts in zip(sample, has_prefix, strict=True)]
    broken = Counter(len(line) for line, starts, after in zip(sample, has_prefix, continues[1:], strict=False) if starts and after)
    longest = max(map(len, sample), default=0)
    return frozenset(width for width, count in broken.items() if width in WIDTHS and (count > 1 or width == longest))


def _margin(lines: Sequence[str], prefixes: Sequence[Prefix]) -> int:
    """The margin at which a mail program wrapped the words of a text, 0 if none did: no word would have fit on the line before."""
    sample = [line.rstrip() for line in lines[: 4 * SAMPLE]]
    longest = max(map(len, sample), default=0)
    if longest not in MARGINS:
        return 0
    breaks = [(before, line) for before, line in pairwise(sample) if not any(prefix.pattern.match(line) for prefix in prefixes)]
    fits = sum(1 for before, line in breaks if _is_wrapped(line, len(before), longest))
    is_terminals = all(len(before) == longest for before, _ in breaks)
    return longest if fits >= MOST_BREAKS * len(breaks) and fits > 1 and not is_terminals else 0


def _is_wrapped(line: str, length: int, margin: int) -> bool:
    return length + 1 + len(line.split(" ", 1)[0]) > margin


class _Reader:
    """Reads lines into records; counts the lines of each format."""

    def __init__(self, prefixes: Sequence[Prefix], clock: Clock, widths: frozenset[int], margin: int) -> None:
        self.counts: Counter[str] = Counter()
        self.others = 0  # lines that continue a message, or explain one (`journalctl -x`)
        self._prefixes = prefixes
        self._clock = clock
        self._widths = widths
        self._margin = margin

    def read(self, lines: Sequence[Line]) -> Iterator[LogRecord]:
        """Yield a record for each line that begins one; lines that continue a message are joined to it."""
        waiting: LogRecord | None = None
        more: list[str] = []
        start = length = size = 0
        for number, line in lines:
            found = self._prefix_of(line)
            if found is None and self._prefixes and _EXPLANATION.match(line):
                self.others += 1
                continue
            if found is None and (part := self._continuing(line, start, length)) is not None:
                self.others += 1
                if size < LONGEST:
                    more.append(part)
                size, length = size + len(part), len(line)
                continue
            if waiting is not None:
                yield _complete(waiting, more) if more else waiting
            if found is not None:
                self.counts[found[0].name] += 1
                waiting, start, length = self._record(number, found[1]), found[1].start("message"), len(line)
            else:
                waiting, start, length = _following(waiting, number, line), 0, 0
            more, size = [], 0
        if waiting is not None:
            yield _complete(waiting, more) if more else waiting

    def _prefix_of(self, text: str) -> tuple[Prefix, re.Match[str]] | None:
        for prefix in self._prefixes:
            if match := prefix.pattern.match(text):
                return prefix, match
        return None

    def _continuing(self, line: str, start: int, length: int) -> str | None:
        """What a line adds to the message before: journalctl indents such lines, a terminal breaks them at its width."""
        if start and len(line) > start and not line[:start].strip():
            return f"\n{line[start:]}"
        if start and self._margin and _is_wrapped(line, length, self._margin):
            return f" {line}"
        return line if start and length in self._widths and len(line) <= length else None

    def within(self, record: LogRecord) -> LogRecord:
        """The record with what the prefix of its message adds."""
        found = self._prefix_of(record.message)
        if found is None:
            return record
        inner = self._record(record.line, found[1])
        return record._replace(
            message=inner.message,
            time=record.time if inner.time is None else inner.time,
            host=inner.host or record.host,
            identifier=inner.identifier if record.identifier is None or inner.identifier == "systemd" else record.identifier,
            pid=inner.pid,
            unit=inner.unit or record.unit,
            kernel=inner.kernel,
        )

    def _record(self, number: int, match: re.Match[str]) -> LogRecord:
        message, time, micros, host, source, pid, console, kernel = _parts_of(match.re)((None, *match.groups()))
        source = "systemd" if console is not None else source
        unit = source if source is not None and source.endswith((".service", ".scope")) else None
        micros = int(micros) if micros else self._clock.micros(time) if time else None
        is_kernels = kernel is not None or source == "kernel"
        return LogRecord(number, message, micros, host, None if unit else source, int(pid) if pid else None, unit, is_kernels)


@lru_cache(maxsize=64)
def _parts_of(prefix: re.Pattern[str]) -> Callable[[tuple[str | None, ...]], tuple[Any, ...]]:
    """Select _PARTS of (null, group 1, group 2, …): a format without a part gets null, in half the time of `groupdict`."""
    return itemgetter(*(prefix.groupindex.get(name, 0) for name in _PARTS))


_PARTS = ("message", "time", "micros", "host", "source", "pid", "console", "kernel")


def _complete(record: LogRecord, more: Sequence[str]) -> LogRecord:
    return record._replace(message="".join([record.message, *more])[:LONGEST])


def _following(before: LogRecord | None, number: int, line: str) -> LogRecord:
    """A line without a prefix: of the process that wrote the line before, if no manager did."""
    if before is None or before.identifier is None or before.kernel or before.identifier == "systemd" or before.unit == "init.scope":
        return LogRecord(number, line)
    return before._replace(line=number, message=line, time=None)


def _unwrapped(records: list[LogRecord], clock: Clock, depth: int) -> list[LogRecord]:
    """Parse the messages that a container runtime or a supervisor took from programs, in the format that they have."""
    prefixes = formats_of([record.message for record in records]) if depth else []
    if not prefixes:
        return records
    reader = _Reader(prefixes, clock, frozenset(), 0)
    inner = [reader.within(record) for record in records]
    return _unwrapped(inner, clock, depth - 1) if any(prefix.is_wrapper for prefix in prefixes) else inner


_STACKS: tuple[str, ...] = ("exception", "exc_info", "traceback", "stack_trace", "stacktrace", "stack", "error.stack_trace", "exc_text")


def _with_stack(record: LogRecord) -> Iterator[LogRecord]:
    """Append the stack trace of a JSON logger's line as lines of its own."""
    yield record
    if (values := _object(record.message)) is not None:
        stack = next((value for key in _STACKS if isinstance(value := values.get(key), str) and "\n" in value.strip()), None)
        for line in (stack or "").strip("\n").split("\n") if stack else ():
            yield record._replace(message=line.rstrip("\r"))


def _object(message: str) -> dict[str, object] | None:
    if not (message.startswith("{") and message.rstrip().endswith("}")):
        return None
    try:
        values = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def is_newest_first(records: Sequence[LogRecord]) -> bool:
    """Whether the text was printed with journalctl --reverse."""
    times = [record.time for record in records if record.time is not None]
    return len(times) > 1 and times[0] > times[-1] and all(a >= b for a, b in pairwise(times))
