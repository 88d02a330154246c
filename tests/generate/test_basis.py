"""Files are generated from incidents, and their head says from which; no text of a journal ends a comment."""

from dataclasses import replace

import pytest

from forensics.errors import NothingRecordedError
from forensics.generate.basis import UNIT_NAME, basis_of, commented, head
from tests.generate.history import UNIT


def test_the_day_has_one_incident(basis):
    assert basis.units == (UNIT,)
    assert [incident.kind for incident in basis.incidents] == ["restart-loop"]


def test_the_head_says_who_made_it_when_from_what_and_for_which_incidents(basis):
    lines = list(head(basis, "Rules", "rules", ["Proven: x."]))
    assert "tabby-forensics" in lines[0]
    assert "generate rules" in lines[0]
    assert "UTC" in lines[0]
    assert "From the journal of alpha" in lines[1]
    assert "Nothing was installed or changed" in lines[1]
    assert UNIT in lines[2]
    assert "restart loop" in lines[2]
    assert lines[-1] == "Proven: x."


def test_without_an_incident_nothing_is_generated(found):
    quiet = replace(found, report=replace(found.report, incidents=()))
    with pytest.raises(NothingRecordedError, match=r"There is no incident between .* nothing can be generated"):
        basis_of(quiet)


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\x85b", "a\u2028b", "a\x1b[31mb", "\x00"])
def test_a_comment_stays_a_comment(text):
    assert all(line.startswith("#") for line in commented([text]).splitlines())
    assert commented([text]).isprintable() is False  # its last character is the newline
    assert commented([text])[:-1].replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("name", "is_one", "why"),
    [
        ("tabbyapi.service", True, "usual"),
        ("job@.service", True, "a template"),
        (r"dev-disk-by\x2dlabel.service", True, "escaped by systemd"),
        ("a b.service", False, "a space"),
        ('a".service', False, "a quote"),
        ("a\n.service", False, "a line end"),
        ("../a.service", False, "a path"),
        ("a.timer", False, "not a service"),
    ],
)
def test_only_names_that_systemd_accepts_are_written_into_files(name, is_one, why):
    assert bool(UNIT_NAME.fullmatch(name)) is is_one, why
