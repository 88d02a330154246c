"""Recognise how supervisors other than systemd report that a program started or ended, and with which code or signal.

Wordings of supervisord, s6, PM2, runit, OpenRC, launchd, upstart, docker, docker compose, Nomad, ECS, Heroku, Fly, CI runners and shells,
from their sources or documentation.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

from forensics.explain.systemd_text import ManagerMessage
from forensics.model import systemd
from forensics.sanitize.lazy_pattern import LazyPattern

Statements = tuple[ManagerMessage, ...]

OF_SHELL = 128  # + the signal's number
BY_SIGNAL = 256  # what s6 gives as the exit code of a killed process
_STOPS = {signal.SIGTERM, signal.SIGINT}  # how a container or process is asked to stop
_NAME = r"[\w.\-@/:%]{1,120}?"


def ended(unit: str | None, status: int, *, dumped: bool = False, is_repeated: bool = False) -> Statements:
    """The statements that a unit's program ended with an exit status, which may be a shell's for a signal."""
    number = status - OF_SHELL
    if 0 < number < 65 and systemd.signal_name(number):
        return killed(unit, number, dumped=dumped, is_repeated=is_repeated)
    if status == 0:
        return (ManagerMessage(systemd.UNIT_SUCCESS, unit, is_repeated=is_repeated),)
    return failed(unit, "exited", status, "exit-code", is_repeated=is_repeated)


def killed(unit: str | None, number: int, *, dumped: bool = False, is_repeated: bool = False) -> Statements:
    """The statements that a signal ended a unit's program; a signal that asks to stop is no failure."""
    if number in _STOPS:
        return (ManagerMessage(systemd.UNIT_SUCCESS, unit, is_repeated=is_repeated),)
    code, result = ("dumped", "core-dump") if dumped else ("killed", "signal")
    return failed(unit, code, number, result, is_repeated=is_repeated)


def failed(unit: str | None, code: str | None, status: int | None, result: str, *, is_repeated: bool = False) -> Statements:
    """The statements that a unit failed, with the end of its process where that is known."""
    exit_fields = {"EXIT_CODE": code or "exited", "PRIORITY": "5", "COMMAND": "ExecStart"}
    exit_ = ManagerMessage(systemd.UNIT_PROCESS_EXIT, unit, None, exit_fields | {"EXIT_STATUS": str(status)}, is_repeated=is_repeated)
    failure = ManagerMessage(systemd.UNIT_FAILURE_RESULT, unit, None, {"UNIT_RESULT": result, "PRIORITY": "4"}, is_repeated=is_repeated)
    return (failure,) if status is None else (exit_, failure)


def signal_number(name: str) -> int | None:
    """Return 11 for SIGSEGV, SEGV and 11; null for what is no signal."""
    if name.isdigit():
        return int(name) if systemd.signal_name(int(name)) else None
    found = signal.Signals.__members__.get("SIG" + name.upper().removeprefix("SIG"))
    return None if found is None else int(found)


def _of_supervisord(match: re.Match[str]) -> Statements:
    what, unit, rest = match["what"], match["unit"], match["rest"]
    if what == "spawned":
        return (ManagerMessage(systemd.UNIT_STARTING, unit),)
    if what == "success":
        return (ManagerMessage(systemd.UNIT_STARTED, unit),)
    if what == "gave up":
        return failed(unit, None, None, "exit-code", is_repeated=True)
    number = _SIGNALLED.search(rest)
    if number and (found := signal_number(number[1])) is not None:
        return killed(unit, found, dumped="core dumped" in rest)
    status = _STATUS.search(rest)
    if what == "stopped" or status is None or rest.endswith("; expected)"):
        return (ManagerMessage(systemd.UNIT_SUCCESS, unit),)
    return ended(unit, int(status[1])) if status[1] != "0" else failed(unit, "exited", 0, "exit-code")


_SIGNALLED = LazyPattern(r"terminated by (\w{1,20})")
_STATUS = LazyPattern(r"exit status (\d{1,3})")


def _of_supervisorctl(match: re.Match[str]) -> Statements:
    return failed(match["unit"], None, None, "exit-code", is_repeated=True)


def _of_code(match: re.Match[str]) -> Statements:
    """A code, and a signal where the wording has one."""
    parts = match.groupdict()
    unit = parts.get("unit")
    number = signal_number(parts["signal"]) if parts.get("signal") else None
    is_its_end = parts.get("code") in {None, "0", "255", "256"}  # PM2 names SIGINT beside every other code
    return killed(unit, number) if number and is_its_end else ended(unit, int(parts.get("code") or 1))


def _of_repeated_code(match: re.Match[str]) -> Statements:
    return ended(match.groupdict().get("unit"), int(match["code"]), is_repeated=True) if int(match["code"]) else ()


def _of_start(match: re.Match[str]) -> Statements:
    return (ManagerMessage(systemd.UNIT_STARTED, match["unit"]),)


def _of_given_up(match: re.Match[str]) -> Statements:
    return failed(match.groupdict().get("unit"), None, None, "exit-code", is_repeated=True)


def _of_failed_start(match: re.Match[str]) -> Statements:
    return ended(match["unit"].split()[0], 1)


_SHELL_WORDS = {
    "killed": signal.SIGKILL, "segmentation fault": signal.SIGSEGV, "aborted": signal.SIGABRT, "illegal instruction": signal.SIGILL,
    "bus error": signal.SIGBUS, "floating point exception": signal.SIGFPE, "trace/breakpoint trap": signal.SIGTRAP,
}  # fmt: skip


def _of_shell(match: re.Match[str]) -> Statements:
    return killed(None, _SHELL_WORDS[match["word"].lower()], dumped="core dumped" in match[0], is_repeated=True)


_CODE = r"(?P<code>\d{1,3})\b"
_FAILING = r"(?P<code>[1-9]\d{0,2})\b"
_UNIT = rf"(?P<unit>{_NAME})"
_BY = r"(?P<signal>\d{1,3}|[A-Z]{2,10}\d{0,2})"
_WHEN = r"(?:\d{4}-\d\d-\d\d[ T][\d:,.]{8,15}Z? {1,2})?"
_PM2 = rf"{_WHEN}(?:PM2[^:]{{0,20}}: {{0,4}})?"
_PM2_APP = rf"{_PM2}App \[(?P<unit>[^\]:]{{1,80}})(?::\d{{1,5}})?\]"
_LAUNCHD = rf"(?:.{{0,200}}\()?{_UNIT}?(?:\[\d{{1,10}}\])?\)? ?: ?"
_UPSTART = rf"(?:init: )?{_UNIT} (?:main|(?:pre|post)-(?:start|stop)) process \(\d{{1,10}}\)"
_SUPERVISORD = rf"{_WHEN}(?:INFO|WARN|CRIT|ERRO)\w{{0,4}}"
_LINE_OF_SCRIPT = r"(?:[\w./\-]{1,200}: (?:line )?\d{1,7}: {1,20}\d{1,10} {1,20})?"
_SHELLS = "Killed|Segmentation fault|Aborted|Illegal instruction|Bus error|Floating point exception|Trace/breakpoint trap"
_WORDINGS: tuple[tuple[LazyPattern, Callable[[re.Match[str]], Statements]], ...] = tuple(
    (LazyPattern(pattern, re.DOTALL), statements)
    for pattern, statements in (
        (
            rf"{_SUPERVISORD} (?P<what>exited|stopped|gave up|spawned|success): '?{_UNIT}'?(?:[ :](?P<rest>.{{0,300}}))?\Z",
            _of_supervisord,
        ),
        (rf"{_UNIT} {{2,80}}(?P<state>FATAL|BACKOFF) {{2,20}}\S", _of_supervisorctl),
        # s6, s6-overlay, Home Assistant's bashio
        (
            rf"(?:\[[\d:]{{8}}\] )?(?:[A-Z]{{4,7}}: )?[Ss]ervice (?:'?{_UNIT}'? )?exited with code {_CODE}(?: \(by signal {_BY}\))?",
            _of_code,
        ),
        (rf"s6-rc: info: service {_UNIT}:? (?:starting|successfully started)\Z", _of_start),
        (rf"s6-rc: warning: unable to start service {_UNIT}: command (?:exited {_CODE}|crashed with signal {_BY})", _of_code),
        (rf"(?:cont-init: info: |\[cont-init\.d\] )(?:/etc/cont-init\.d/)?{_UNIT}:? exited {_FAILING}", _of_code),
        # docker compose, docker events, docker ps
        (rf"{_UNIT} exited with code {_CODE}(?: \(restarting\))?\Z", _of_code),
        (rf".{{0,300}}\bcontainer {_UNIT} exited \((?P<code>[1-9]\d{{0,2}})\)", _of_repeated_code),
        (rf".{{0,80}}\bcontainer die [0-9a-f]{{12,64}} \((?:.{{0,600}}, )?exitCode={_CODE}(?:.{{0,600}}, name={_UNIT}[,)])?", _of_code),
        (rf"[0-9a-f]{{12}} .{{0,400}} (?:Exited|Restarting) \({_FAILING}\) .{{0,200}} {_UNIT}\Z", _of_repeated_code),
        (rf"{_PM2_APP} exited with code \[{_CODE}\] via signal \[{_BY}\]", _of_code),
        (rf"{_PM2_APP} online", _of_start),
        (rf"{_PM2}Script .{{1,300}} had too many unstable restarts", _of_given_up),
        (rf"(?:runsv|s6-supervise) {_UNIT}(?: \(child\))?: fatal: unable to (?:start|exec)", _of_given_up),
        # OpenRC
        (rf"(?: ?\* )?ERROR: {_UNIT} failed to start\Z", _of_failed_start),
        (r"(?: ?\* )?Starting (?P<unit>[^\n\[\]]{1,80}?) ?\.{3}[^\n\[\]]{0,200}\[ ?(?:!!|FAIL(?:ED)?) ?\]", _of_failed_start),
        (rf"{_UNIT}, pid \d{{1,10}}, (?:exited with return code {_CODE}|terminated by signal {_BY})", _of_code),
        (rf"{_LAUNCHD}(?:Service exited with abnormal code|Exited with code): {_CODE}", _of_code),
        (rf"{_LAUNCHD}(?:Service )?[Ee]xited (?:due to signal: |due to ){_BY}\b", _of_code),
        (rf"{_UPSTART} (?:terminated with status {_CODE}|killed by {_BY} signal)", _of_code),
        (rf"(?:init: )?{_UNIT} respawning too fast, stopped", _of_given_up),
        # Nomad, Heroku, Fly, CI runners, IDEs
        (rf".{{0,60}}\bTerminated +Exit Code: {_CODE}(?:, Signal: {_BY})?", _of_code),
        (rf" {{0,40}}\"?(?:Exit ?[Cc]ode|exitCode)\"?(?:: ?| )\"?{_FAILING}", _of_repeated_code),
        (rf"Process exited with status {_CODE}", _of_code),
        (rf".{{0,80}}\bMain child exited normally with code: {_CODE}", _of_code),
        (rf".{{0,80}}\bMain child exited with signal \(with signal '{_BY}'", _of_code),
        (rf"(?:##\[error\]|Error: )?Process completed with exit code {_FAILING}\.?\Z", _of_repeated_code),
        (rf"ERROR: Job failed: (?:command terminated with )?exit (?:code|status) {_FAILING}", _of_repeated_code),
        (rf"Process finished with exit code {_FAILING}", _of_repeated_code),
        (
            rf"{_LINE_OF_SCRIPT}(?i:(?P<word>{_SHELLS}))(?: {{1,20}}\(core dumped\).{{0,300}}| {{2,40}}\S.{{0,300}})?\Z",
            _of_shell,
        ),
    )
)
# What they have in common, in lower case: a search for words, before thirty matches.
_WORDS = (
    "exited",
    ": starting",
    "starting ",
    "spawned:",
    "success:",
    "gave up:",
    "stopped:",
    "fatal",
    "backoff",
    "successfully started",
    "unable to start",
    "unable to exec",
    "container die",
    "restarting (",
    "app [",
    "unstable restarts",
    "failed to start",
    "terminated ",
    "process (",
    "respawning too fast",
    "exit code",
    "exitcode",
    "exit status",
    "killed",
    "segmentation fault",
    "aborted",
    "illegal instruction",
    "bus error",
    "point exception",
    "/breakpoint",
)
# What no program but these writes: read in a journal of systemd's under whatever name a supervisor was started there
UNMISTAKABLE = LazyPattern(
    rf"{_SUPERVISORD} (?:exited|spawned|gave up|success|stopped): |{_PM2_APP} (?:exited with code|online)|s6-rc: |cont-init: "
)
OF_SUPERVISORD = LazyPattern(rf"{_WHEN}(?:INFO|WARN|CRIT|ERRO|DEBG|TRAC) (?!spawnerr)")  # its own lines, which are of no program
LONGEST = 1_000  # characters of a supervisor's line


def statements_of(message: str) -> Statements:
    """What a line of a supervisor states; nothing for a line of any other program."""
    if len(message) > LONGEST:
        return ()
    lower = message.lower()
    if not any(word in lower for word in _WORDS):
        return ()
    return next((statements(match) for pattern, statements in _WORDINGS if (match := pattern.match(message))), ())
