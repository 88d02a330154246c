"""Each family of stacks is one event with a name of its own: what does not matter keeps the name, what does changes it."""

from __future__ import annotations

import polars as pl
import pytest

from forensics.assembly import assemble
from forensics.signatures import naming
from tests.attempts.building import Journal
from tests.events.stacks_of_runtimes import FAMILIES

BEFORE, AFTER = "INFO: loading the model now", "INFO: this line is another one"


def events(text: str, *, one_entry: bool = False) -> pl.DataFrame:
    journal = Journal()
    journal.manager("started", "run", JOB_TYPE="start", JOB_RESULT="done")
    journal.writes("run", BEFORE)
    journal.writes("run", *([text] if one_entry else text.split("\n")))
    journal.writes("run", AFTER)
    journal.dies("run")
    found = assemble(journal.frame()).events
    return found.filter(pl.col("kind").cast(pl.String).is_in(("line", "traceback")))


def stack(text: str, *, one_entry: bool = False) -> pl.DataFrame:
    return events(text, one_entry=one_entry).filter(pl.col("kind").cast(pl.String) == "traceback")


def fingerprint(text: str, *, one_entry: bool = False) -> str:
    return naming.mined(stack(text, one_entry=one_entry))["signature"].item()


def test_there_are_thirty_families_and_more() -> None:
    assert len(FAMILIES) >= 30


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_is_one_event_and_takes_no_other_line_along(family: str) -> None:
    found = events(FAMILIES[family].text)
    assert [text for text in found["text"] if text in {BEFORE, AFTER}] == [BEFORE, AFTER]
    assert found.filter(pl.col("kind").cast(pl.String) == "traceback").height == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_what_does_not_matter_keeps_the_name(family: str) -> None:
    text, benign, _ = FAMILIES[family]
    other = text
    for old, new in benign:
        assert old in other
        other = other.replace(old, new)
    assert fingerprint(other) == fingerprint(text)


@pytest.mark.parametrize(("family", "change"), [(name, change) for name, family in FAMILIES.items() for change in family.differing])
def test_what_matters_changes_the_name(family: str, change: tuple[str, str]) -> None:
    text = FAMILIES[family].text
    assert change[0] in text
    assert fingerprint(text.replace(*change)) != fingerprint(text)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_in_one_entry_has_the_name_of_the_same_stack_in_many(family: str) -> None:
    assert fingerprint(FAMILIES[family].text, one_entry=True) == fingerprint(FAMILIES[family].text)
