"""Run the checks of a unit; exit with 78 only for a check that failed, so that everything else lets the start through."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from forensics.errors import ForensicsError
from forensics.guard.preflight.check_file import KINDS, default_file, read_checks
from forensics.guard.preflight.checks import Access, Check, Configuration, Disk, Library, Outcome, Port, Result, Vram
from forensics.guard.preflight.derived import by_hand, required
from forensics.guard.preflight.files import check_access, check_configuration, check_disk
from forensics.guard.preflight.libraries import check_library
from forensics.guard.preflight.ports import check_port
from forensics.guard.preflight.unit import Unit, read_unit
from forensics.guard.preflight.vram import check_vram
from forensics.guard.systemctl import Manager, service_name

OK, UNKNOWN, FAILED = 0, 4, 78  # 78 is EX_CONFIG of sysexits.h
WITHIN_S = 8.0  # the drop-in kills this program after 10 s
LONGEST_TEXT, MOST_SHOWN = 600, 50
CHECKERS: Mapping[type, tuple[str, Callable[[Any, Unit], Outcome]]] = MappingProxyType(
    {
        Library: ("library", check_library),
        Port: ("port", check_port),
        Access: ("path", check_access),
        Configuration: ("config", check_configuration),
        Disk: ("disk", check_disk),
        Vram: ("vram", check_vram),
    }
)
assert {kind for kind, _ in CHECKERS.values()} == {*KINDS}  # noqa: S101
MARKS = MappingProxyType({"ok": "ok      ", "failed": "FAILED  ", "warned": "warning ", "unknown": "unknown "})


@dataclass(frozen=True, slots=True)
class Asked:
    """checks: the file, None for the default one; quiet: as ExecStartPre, only what fails is shown, and only what can fail is checked."""

    unit: str
    checks: Path | None = None
    as_json: bool = False
    quiet: bool = False
    is_users: bool = False


class OutOfTimeError(Exception):
    """The checks took too long."""


def main(arguments: Sequence[str]) -> int:
    """Run with these arguments; whatever goes wrong here is not the service's fault, so that only 78 means a failed check."""
    try:
        return preflight(_parsed(arguments))
    except ForensicsError as error:
        _say(f"preflight: {error}")
        return error.exit_code if error.exit_code != FAILED else UNKNOWN
    except Exception as error:  # noqa: BLE001 - the start must go on
        _say(f"preflight: internal error: {type(error).__name__}: {error}; nothing was checked.")
    return UNKNOWN


def preflight(asked: Asked) -> int:
    """Check a unit and show what came of it. Raises ForensicsError where nothing could be checked."""
    name = service_name(asked.unit)
    results: list[Result] = []
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, WITHIN_S)
    problem = ""
    try:
        unit = read_unit(name, Manager(asked.is_users))
        for result in _results(unit, asked):
            results.append(result)  # noqa: PERF402 - what was found before the time is over counts
    except OutOfTimeError:
        problem = f"the checks did not end within {WITHIN_S:.0f} s"
    except ForensicsError as error:
        problem = str(error)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    _show(name, results, problem, asked)
    return _exit_code(results, problem)


def _results(unit: Unit, asked: Asked) -> Iterator[Result]:
    yield from required(unit)
    if not asked.quiet:
        yield from by_hand(unit)
    file = asked.checks or default_file(unit.name, is_users=asked.is_users)
    if asked.checks is None and _is_absent(file):
        return
    for check in read_checks(file):
        if asked.quiet and check.about.optional:
            continue
        yield _checked(check, unit)


def _is_absent(file: Path) -> bool:
    """Whether there is no such file; one that this user may not see is refused with its reason when it is read."""
    try:
        file.stat()
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False


def _checked(check: Check, unit: Unit) -> Result:
    kind, run = CHECKERS[type(check)]
    outcome = run(check, unit)
    if outcome.status == "failed" and check.about.optional:
        outcome = Outcome("warned", outcome.text)
    return Result(kind, check.subject, check.about.signature, outcome)


def _exit_code(results: Sequence[Result], problem: str) -> int:
    statuses = {result.outcome.status for result in results}
    if "failed" in statuses:
        return FAILED
    return UNKNOWN if problem or "unknown" in statuses else OK


def _show(name: str, results: Sequence[Result], problem: str, asked: Asked) -> None:
    if asked.as_json:
        rows = [
            {"kind": each.kind, "subject": harmless(each.subject), "class": each.signature, "status": each.outcome.status,
             "text": harmless(each.outcome.text)} for each in results
        ]  # fmt: skip
        sys.stdout.write(json.dumps({"unit": name, "checks": rows, "problem": harmless(problem)}, indent=2) + "\n")
        return
    if asked.quiet:
        for result in [each for each in results if each.outcome.status == "failed"][:MOST_SHOWN]:
            _say(f"{harmless(result.outcome.text)} (preflight)")  # patterns are anchored at the start of a line
    else:
        for line in [*map(_line, results[:MOST_SHOWN]), f"{name}: {_counts(results)}"]:
            sys.stdout.write(harmless(line) + "\n")
    if problem:
        _say("\n".join(f"preflight: {line}" for line in problem.splitlines()))


def _line(result: Result) -> str:
    text = f": {result.outcome.text}" if result.outcome.text else ""
    return f"{MARKS[result.outcome.status]}{result.kind} {result.subject}{text}"


def _counts(results: Sequence[Result]) -> str:
    words = {"ok": "passed", "failed": "failed", "warned": "warned", "unknown": "could not be checked"}
    counts = {status: sum(each.outcome.status == status for each in results) for status in words}
    return ", ".join(f"{count} {words[status]}" for status, count in counts.items() if count) or "nothing was checked"


def harmless(text: str) -> str:
    """Bound a text and write out what a terminal or a log could take amiss."""
    text = text[:LONGEST_TEXT]
    if text.isascii() and text.isprintable():
        return text
    from forensics.sanitize.characters import make_visible, without_controls  # noqa: PLC0415 - 30 ms, for hostile texts only

    return make_visible(without_controls(text)).replace("\n", " ")


def _say(text: str) -> None:
    for line in text.splitlines():
        sys.stderr.write(harmless(line) + "\n")


def _ring(_number: int, _frame: object) -> None:
    raise OutOfTimeError


def _parsed(arguments: Sequence[str]) -> Asked:
    parser = argparse.ArgumentParser(prog="preflight", description="Check before a service starts; exit 0 ok, 78 failed, 4 could not tell.")
    parser.add_argument("unit")
    parser.add_argument("--checks", type=Path)
    parser.add_argument("--format", choices=("term", "json"), default="term")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--user", action="store_true")
    parsed = parser.parse_args(arguments)
    return Asked(parsed.unit, parsed.checks, parsed.format == "json", parsed.quiet, parsed.user)
