"""A failure that is named while its unit is still ending has the class that the whole history gives it."""

from dataclasses import dataclass
from functools import cache

import polars as pl
import pytest

from forensics.assembly import assemble
from forensics.classes.overrides import Overrides
from forensics.errors import ForensicsError
from forensics.explain.records import journal_records
from forensics.guard.gate.naming import MOST_LINES, Ending, entries_of, last_class
from forensics.guard.systemctl import Manager
from forensics.model import systemd
from forensics.resources import folder
from forensics.signatures import catalogue, label
from tests.journal.oracle import fixture_text

NONE = Overrides()
JOURNALS = ("252-events", "257-events")


@cache
def patterns():
    return catalogue.load([folder("patterns")])


@dataclass(frozen=True)
class Named:
    """One failure as both name it. whole: by the whole history; early: before its end was logged, "" where none was found."""

    unit: str
    whole: str
    early: str
    alike: int


@cache
def records(journal):
    return [record.fields for record in journal_records(fixture_text(journal))]


def about(record, unit):
    return unit in {record.get(name) for name in ("_SYSTEMD_UNIT", "UNIT", "OBJECT_SYSTEMD_UNIT", "COREDUMP_UNIT")}


@cache
def whole_history(journal):
    """The class of each attempt of the system's units, by unit and invocation."""
    assembly = assemble(entries_of(records(journal)))
    labels = label(assembly.events, assembly.attempts, patterns()).labels
    joined = labels.join(assembly.attempts.filter(pl.col("manager") == "system"), on="attempt").filter(
        "failed", pl.col("invocation").is_not_null()
    )
    return {(row["unit"], row["invocation"]): row["signature"] for row in joined.iter_rows(named=True)}


@cache
def endings(journal):
    """Where the end of each failed attempt is logged, by unit."""
    found = {}
    for number, record in enumerate(records(journal)):
        key = record.get("UNIT", ""), record.get("INVOCATION_ID", "")
        if record.get("MESSAGE_ID") == systemd.UNIT_FAILURE_RESULT and record.get("_PID") == "1" and key in whole_history(journal):
            found.setdefault(key[0], []).append(number)
    return found


def named(journal, unit, overrides=NONE):
    """Name the last failure of a unit from what there was before its end was logged."""
    number = endings(journal)[unit][-1]
    record = records(journal)[number]
    before = [one for one in records(journal)[:number] if about(one, unit) or one.get("_TRANSPORT") == "kernel"][-MOST_LINES:]
    ending = Ending(unit, record["INVOCATION_ID"], record["UNIT_RESULT"])
    signature, alike = last_class(before, Manager(), ending, patterns(), overrides)
    return Named(unit, whole_history(journal)[unit, record["INVOCATION_ID"]], signature.id, alike)


@pytest.mark.parametrize("journal", JOURNALS)
def test_it_is_the_class_of_the_whole_history(journal):
    units = sorted(endings(journal))
    assert len(units) > 8
    found = [named(journal, unit) for unit in units]
    assert [one for one in found if one.whole != one.early] == []


@pytest.mark.parametrize(("unit", "reason"), [("lab-direct.service", "lines with the first attempt's id"), ("lab-undef.service", "a loop")])
def test_it_counts_the_failures_in_a_row_of_that_class(unit, reason):
    assert named("257-events", unit).alike >= 3, reason


def test_the_users_merges_count():
    unit = "lab-undef.service"
    usual = named("257-events", unit).early
    assert named("257-events", unit, Overrides(aliases={usual: "mine"})).early == "mine"


def test_without_a_journal_there_is_no_class():
    with pytest.raises(ForensicsError):
        last_class([], Manager(), Ending("lab.service", "-", "exit-code"), patterns(), NONE)


def test_where_the_units_lines_are_lost_the_result_is_all_there_is():
    of_another = {"MESSAGE": "hello", "__REALTIME_TIMESTAMP": "1", "_SYSTEMD_UNIT": "other.service"}
    signature, alike = last_class([of_another], Manager(), Ending("lab.service", "0" * 32, "exit-code"), patterns(), NONE)
    assert (signature.id, signature.restart_helps, alike) == ("exit:exit-code/none", None, 1)
