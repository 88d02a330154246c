"""Each family of stacks is one event with a name of its own: what does not matter keeps the name, what does changes it."""

from __future__ import annotations

import polars as pl
import pytest

from forensics.assembly import assemble
from forensics.signatures import naming
from tests.attempts.building import Journal, frames
from tests.events.stacks_of_runtimes import FAMILIES, Family

BEFORE, AFTER = "INFO: loading the model now", "INFO: this line is another one"


def journal_of(text: str, one_entry: bool = False, number: int = 0) -> Journal:
    journal, run, pid = Journal(f"app{number}.service"), f"run{number}", 100 + number
    journal.manager("started", run, JOB_TYPE="start", JOB_RESULT="done")
    journal.writes(run, BEFORE, pid=pid)
    journal.writes(run, *([text] if one_entry else text.split("\n")), pid=pid)
    journal.writes(run, AFTER, pid=pid)
    journal.dies(run)
    return journal


def events(text: str) -> pl.DataFrame:
    found = assemble(journal_of(text).frame()).events
    return found.filter(pl.col("kind").cast(pl.String).is_in(("line", "traceback")))


def benign(family: Family) -> str:
    """The text with all that may change without a difference."""
    text = family.text
    for old, new in family.benign:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def fingerprints() -> dict[tuple[str, bool], str]:
    """(text, whether in one entry) → its name: each text is the stack of a unit of its own in one journal."""
    texts = [
        text
        for family in FAMILIES.values()
        for text in (family.text, benign(family), *(family.text.replace(*change) for change in family.differing))
    ]
    keys = [*((text, False) for text in dict.fromkeys(texts)), *((family.text, True) for family in dict.fromkeys(FAMILIES.values()))]
    journals = [journal_of(text, one_entry, number) for number, (text, one_entry) in enumerate(keys)]
    found = assemble(frames(journals))
    stacks = found.events.filter(pl.col("kind").cast(pl.String) == "traceback")
    units = stacks.select("event", "attempt").join(found.attempts.select("attempt", "unit"), on="attempt")
    names = naming.mined(stacks).join(units, on="event").select("unit", "signature").rows()
    assert len(names) == len(keys) == len(dict(names))
    return {key: dict(names)[journal.unit] for key, journal in zip(keys, journals, strict=True)}


def test_there_are_thirty_families_and_more() -> None:
    assert len(FAMILIES) >= 30


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_is_one_event_and_takes_no_other_line_along(family: str) -> None:
    found = events(FAMILIES[family].text)
    assert [text for text in found["text"] if text in {BEFORE, AFTER}] == [BEFORE, AFTER]
    assert found.filter(pl.col("kind").cast(pl.String) == "traceback").height == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_what_does_not_matter_keeps_the_name(fingerprints: dict[tuple[str, bool], str], family: str) -> None:
    assert fingerprints[benign(FAMILIES[family]), False] == fingerprints[FAMILIES[family].text, False]


@pytest.mark.parametrize(("family", "change"), [(name, change) for name, family in FAMILIES.items() for change in family.differing])
def test_what_matters_changes_the_name(fingerprints: dict[tuple[str, bool], str], family: str, change: tuple[str, str]) -> None:
    text = FAMILIES[family].text
    assert change[0] in text
    assert fingerprints[text.replace(*change), False] != fingerprints[text, False]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stack_in_one_entry_has_the_name_of_the_same_stack_in_many(fingerprints: dict[tuple[str, bool], str], family: str) -> None:
    assert fingerprints[FAMILIES[family].text, True] == fingerprints[FAMILIES[family].text, False]
