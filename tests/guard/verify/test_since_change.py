"""A failure class is new since the last change when the journal has it after the change only."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from forensics.guard.verify.since_change import LONGEST_CHANGE_S, classes_check, last_change
from forensics.model.frames import CHANGES
from forensics.query import Query, Sources
from forensics.resources import folder
from tests.attempts.building import Journal
from tests.generate.history import LIBRARY, MEMORY, UNIT, stream

NIX = "/nix/store/0a1b2c3d4e5f6g7h-nixos-system-alpha-24.05"
NOW = datetime(2025, 12, 20, tzinfo=UTC)
RUNS = iter(f"{number:032x}" for number in range(10**6))


def fails(journal, text, times=1, after=60.0):
    for _ in range(times):
        run = next(RUNS)
        journal.manager("started", run, after=after, JOB_TYPE="start", JOB_RESULT="done")
        journal.writes(run, text, after=1.0)
        journal.manager("exit", run, EXIT_CODE="exited", EXIT_STATUS="1", COMMAND="ExecStart")
        journal.manager("failed", run, UNIT_RESULT="exit-code")


def switches(journal, after=3600.0):
    trusted = {
        "_UID": "0",
        "_COMM": "perl",
        "_EXE": "/nix/store/x-perl/bin/perl",
        "_TRANSPORT": "syslog",
        "_PID": "900",
        "_SYSTEMD_UNIT": "session-3.scope",
    }
    said = {"SYSLOG_IDENTIFIER": "nixos", "MESSAGE": f"switching to system configuration {NIX}", "PRIORITY": "6"}
    journal.add(after, trusted | said)


def checked(tmp_path, journal, unit=UNIT, manager="system"):
    (tmp_path / "journal.json").write_text(stream(journal))
    query = Query(Sources((), (tmp_path / "journal.json",)), tmp_path / "store", NOW, units=(unit,), pattern_folders=(folder("patterns"),))
    return classes_check(query, manager)


@pytest.fixture
def journal():
    return Journal(UNIT, "alpha", boot="a" * 32)


def test_a_class_that_failed_before_the_change_is_not_new(tmp_path, journal):
    fails(journal, MEMORY)
    switches(journal)
    fails(journal, MEMORY, times=2)
    check = checked(tmp_path, journal)
    assert check.outcome == "ok", check
    assert "no failure class is new since 2025-12-07 22:3" in check.evidence
    assert "1 class known before failed again" in check.evidence
    assert "(2 failures)" not in check.evidence, "failures before the change are no failures since"


def test_a_class_that_is_new_is_named(tmp_path, journal):
    fails(journal, MEMORY)
    switches(journal)
    fails(journal, LIBRARY, times=2)
    check = checked(tmp_path, journal)
    assert check.outcome == "failed", check
    assert check.evidence.endswith("(system switch to nixos-system-alpha-24.05 (0a1b2c3d)): loader.libstdcxx-missing (2 failures)")


def test_another_units_failures_do_not_count(tmp_path, journal):
    fails(journal, MEMORY)
    switches(journal)
    journal.unit = "other.service"
    fails(journal, LIBRARY)
    assert checked(tmp_path, journal).outcome == "ok"


def test_without_a_change_it_cannot_be_told(tmp_path, journal):
    fails(journal, MEMORY)
    check = checked(tmp_path, journal)
    assert (check.outcome, "nothing to compare with" in check.evidence) == ("unknown", True)


@pytest.mark.parametrize(
    ("unit", "manager", "words"), [("absent.service", "system", "history cannot be read"), (UNIT, "user:1000", "no failure class is new")]
)
def test_a_unit_that_history_does_not_have(tmp_path, journal, unit, manager, words):
    fails(journal, MEMORY)
    switches(journal)
    fails(journal, LIBRARY)
    assert words in checked(tmp_path, journal, unit, manager).evidence


def changes(*steps):
    rows = [(NOW + timedelta(seconds=at), "m", kind, unit, f"{kind} at {at}", 0) for at, kind, unit in steps]
    return pl.DataFrame(rows, schema=CHANGES, orient="row")


@pytest.mark.parametrize(
    ("steps", "begin", "summary", "reason"),
    [
        ([(0, "package", None)], 0, "package at 0", "one step"),
        ([(0, "package", None), (599, "unit-reload", None)], 0, "package at 0", "steps of one deployment"),
        ([(0, "package", None), (601, "unit-reload", None)], 601, "unit-reload at 601", "another one, later"),
        ([(0, "unit-reload", None), (60, "system-switch", None)], 0, "system-switch at 60", "the switch names it"),
        ([(0, "package", None), (60, "login", None), (90, "operator", None)], 0, "package at 0", "a login is no deployment"),
        ([(0, "package", None), (60, "configuration", "other.service")], 0, "package at 0", "another unit's"),
        ([(n * 500, "unit-reload", None) for n in range(20)], 19 * 500 - 3500, None, "reloads all day: at most an hour of them"),
    ],
)
def test_where_the_last_change_begins(steps, begin, summary, reason):
    change = last_change(changes(*steps), UNIT)
    assert change is not None
    assert change.begin == NOW + timedelta(seconds=begin), reason
    assert summary is None or change.summary == summary
    assert (NOW + timedelta(seconds=steps[-1][0]) - change.begin).total_seconds() <= LONGEST_CHANGE_S


def test_no_change_at_all():
    assert last_change(changes(), UNIT) is None
