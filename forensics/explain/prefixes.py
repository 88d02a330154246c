"""What stands before the messages of a log: journalctl's short formats, syslog, container runtimes, supervisors and dmesg.

Sources: systemd's logs-show.c, RFC 3164 and 5424, the documentation of the container runtimes. Months, weekdays and zones may be of any
language. Each expression is matched at the start of a line and bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from forensics.sanitize.lazy_pattern import LazyPattern

_LEVEL = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|CRIT|CRITICAL|FATAL|PANIC|SUCCESS"
_PRI = r"(?:<\d{1,3}>(?!1 ))?"
# One or two words, of which one may be a number ("Thg 4", "4月"), before the day
_WORD = r"[^\s\d:;,=\[\]()<>|/\"'{}]{1,14}"
_MONTH = rf" ?(?:{_WORD}|\d{{1,2}}[^\s\d:.\-/\[\](),]{{1,3}})(?: \d{{1,2}})?"
_DAY = r" {1,2}\d{1,2}\.?"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_ZONE = r"(?: (?:[A-Z][A-Za-z]{1,5}|[+-]\d\d(?::?\d\d)?))?"
_ISO_DATE = r"\d{4}-\d\d-\d\d"
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"
_SHORT = rf"(?P<time>{_MONTH}{_DAY} {_CLOCK})"
_ISO = rf"(?P<time>{_ISO_DATE}T{_CLOCK}{_OFFSET})"
_FULL = rf"(?P<time>{_WORD} {_ISO_DATE} {_CLOCK}){_ZONE}"
_HOST = rf"(?P<host>(?!(?i:{_LEVEL})\b)[^\s:\[\]|\"'(){{}}=,]{{1,255}})"
_NAMED = (
    rf"(?!(?i:{_LEVEL})\b)(?P<source>[^\s:\[]{{1,255}}(?=(?:\[\d{{1,10}}\])?:)|[^:\[\n]{{1,60}}(?=\[\d{{1,10}}\]:))"
    r"(?:\[(?P<pid>\d{1,10})\])?: ?(?P<message>.*)"
)
_PID = r"\[(?P<pid>\d{1,10})\]: ?(?P<message>.*)"
_WITH_PID = rf"(?P<source>[^\s:\[\]|\"'=,]{{1,255}}){_PID}"
_NANOSECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}(?:Z|[+-]\d\d:\d\d)"


@dataclass(frozen=True, slots=True)
class Prefix:
    """A format. is_sure: a single line of it is known as such; is_wrapper: the lines of a program follow, in their own format."""

    name: str
    pattern: LazyPattern
    is_sure: bool = False
    is_wrapper: bool = False


def _sure(name: str, pattern: str) -> Prefix:
    return Prefix(name, LazyPattern(pattern, re.DOTALL), is_sure=True)


def _likely(name: str, pattern: str) -> Prefix:
    return Prefix(name, LazyPattern(pattern, re.DOTALL))


def _wrapper(name: str, pattern: str, *, is_sure: bool = False) -> Prefix:
    return Prefix(name, LazyPattern(pattern, re.DOTALL), is_sure=is_sure, is_wrapper=True)


MONOTONIC = "journalctl -o short-monotonic"
# In order: the first one that fits a line, or most lines, is its format.
PREFIXES: tuple[Prefix, ...] = (
    _sure("journalctl", rf"{_PRI}{_SHORT} {_HOST} {_NAMED}"),
    _sure("journalctl -o short-iso", rf"{_PRI}{_ISO} {_HOST} {_NAMED}"),
    _sure("journalctl -o short-full", rf"{_FULL} {_HOST} {_NAMED}"),
    _sure("journalctl -o short-unix", rf"(?P<time>\d{{9,11}}\.\d{{3,6}}) {_HOST} {_NAMED}"),
    _likely(MONOTONIC, rf"\[ {{0,12}}(?P<time>\d{{1,9}}\.\d{{6}})(?: <[^>\n]{{0,20}}>)? ?\] {_HOST} {_NAMED}"),
    _sure(
        "syslog (RFC 5424)",
        rf"<\d{{1,3}}>1 {_ISO} {_HOST} (?P<source>[^\s\[\]]{{1,48}}) (?:(?P<pid>\d{{1,10}})|\S{{1,128}}) \S{{1,32}}"
        r" (?:-|\[[^\]\n]{0,1000}\]) ?(?P<message>.*)",
    ),
    _sure("systemd's console", r"(?P<console>)\[ {0,3}(?:OK|FAILED|DEPEND|TIME|INFO|SKIP|WARN) {0,3}\] (?=[A-Z])(?P<message>.*)"),
    # without a host or a date: the process is what is known by
    _sure("journalctl --no-hostname", rf"{_PRI}{_SHORT} {_WITH_PID}"),
    _sure("journalctl --no-hostname", rf"{_PRI}{_ISO} {_WITH_PID}"),
    _sure("journalctl --no-hostname", rf"{_FULL} {_WITH_PID}"),
    _sure("journalctl", rf"{_PRI}(?P<time>{_ISO_DATE}[T ]{_CLOCK}{_OFFSET}?){_ZONE} (?:{_HOST} )?{_WITH_PID}"),
    _sure("journalctl without dates", rf"(?:(?P<time>{_CLOCK}) )?(?:{_HOST} )?(?P<source>systemd|kernel|sshd|sudo){_PID}"),
    _likely("journalctl without dates", rf"(?:(?P<time>{_CLOCK}) )?(?:{_HOST} )?{_WITH_PID}"),
    _likely("syslog without a host", rf"{_SHORT} (?!(?i:{_LEVEL})\b)(?P<source>[^\s:\[\]|\"'=,(){{}}]{{1,255}}): ?(?P<message>.*)"),
    _likely("kmsg", r"(?P<kernel>)\d{1,3},\d{1,12},(?P<micros>\d{1,16}),[^;\n]{0,80};(?P<message>.*)"),
    _likely("dmesg", r"(?P<kernel>)(?:<\d{1,3}>)?\[ {0,12}(?P<time>\d{1,9}\.\d{6})\](?:\[[^\]\n]{1,12}\])? ?(?P<message>.*)"),
    _likely("dmesg -T", rf"(?P<kernel>)\[{_WORD} (?P<time>{_MONTH}{_DAY} {_CLOCK}) \d{{4}}\] ?(?P<message>.*)"),
    _wrapper("kubectl logs --prefix", r"\[(?P<source>pod/[^\]\s]{1,255})\] ?(?P<message>.*)", is_sure=True),
    _wrapper("kubetail", r"\[(?P<source>[a-z0-9.\-]{1,200}-[a-z0-9]{5,10}-[a-z0-9]{5}(?: [a-z0-9.\-]{1,60})?)\] ?(?P<message>.*)"),
    _wrapper(
        "pm2 logs",
        rf"(?:(?P<manager>PM2)|\d{{1,4}}\|(?P<source>[\w.\-@ ]{{1,60}}?)) {{0,40}}"
        rf"\| ?(?:(?P<time>{_ISO_DATE}[T ]{_CLOCK}{_OFFSET}?): )?(?P<message>.*)",
        is_sure=True,
    ),
    _wrapper(
        "docker compose logs", rf"(?:{_CLOCK} )?(?P<source>(?!(?i:{_LEVEL})\b)[A-Za-z0-9][\w.\-]{{0,120}}) {{0,80}}[|│] ?(?P<message>.*)"
    ),
    _sure("heroku logs", rf"{_ISO} (?:app|heroku)\[(?P<source>[\w.\-]{{1,60}})\]: ?(?P<message>.*)"),
)
# Times that container runtimes, supervisors and CI runners put before whole lines, which may be of any format
TIMES: tuple[Prefix, ...] = (
    _sure("containerd", rf"(?P<time>{_ISO_DATE}T{_CLOCK}{_OFFSET}) (?:stdout|stderr) [FP] ?(?P<message>.*)"),
    _sure("docker logs --timestamps", rf"(?P<time>{_NANOSECONDS})(?: (?P<message>.*)|\Z)"),
    _sure("multilog", r"(?P<time>@4[0-9a-f]{23})(?: (?P<message>.*)|\Z)"),
    _sure("svlogd", rf"(?P<time>{_ISO_DATE}_{_CLOCK})(?: (?P<message>.*)|\Z)"),
)
