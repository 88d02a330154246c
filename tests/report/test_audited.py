"""What a reader learns of an audit: each control's status in a word, and the first link that is broken."""

import pytest

from forensics.model.controls import EFFECTIVE, MISSING, UNKNOWN, UNWIRED, Control, Link
from forensics.report import audited
from tests.report import controls

GOOD, BROKEN, LATER, OPEN = (Link("exists", True, "a"), Link("fed", False, "b"), Link("routed", False, "c"), Link("reachable", None, "d"))


def only(status, *links, **more):
    ((_, (row,)),) = audited.layers((Control(2, "alert-rules", "Alert rules", status, links, **more),))
    return row


@pytest.mark.parametrize(
    ("status", "links", "where", "reason"),
    [
        (UNWIRED, (GOOD, BROKEN, LATER), "fed: b", "the first broken link, not a later one"),
        (UNWIRED, (GOOD, OPEN, BROKEN), "fed: b", "what is broken comes before what could not be checked"),
        (UNKNOWN, (GOOD, OPEN), "reachable: d", "what could not be checked, where nothing is broken"),
        (MISSING, (), "all in all", "without links its own evidence"),
        (MISSING, (BROKEN,), "b", "that a missing control does not exist is known from its status"),
        (EFFECTIVE, (GOOD,), "all in all", "an effective control is broken nowhere"),
    ],
)
def test_the_chain_breaks_at_its_first_broken_link(status, links, where, reason):
    assert only(status, *links, evidence="all in all").where == where, reason


def test_an_unknown_status_claims_nothing():
    row = only("of a later version", GOOD)
    assert (row.status, row.mark, row.holds) == ("unknown", "?", False)


def test_the_layers_are_in_order_and_every_control_is_in_one():
    found = audited.layers(tuple(reversed(controls.audit())))
    assert [name for name, _ in found] == ["1. Prevent", "2. Detect", "3. Limit", "4. Recover"]
    assert sum(len(rows) for _, rows in found) == 14


def test_the_summary_counts_by_status():
    assert audited.summary(controls.audit()) == "1 of 14 controls is effective: 2 unwired, 1 unreachable, 8 missing, 2 unknown."
    assert audited.summary(controls.audit()[-1:]) == "1 of 1 control is effective."


def test_every_status_has_its_own_shape():
    assert len(set(audited.MARKS.values())) == len(audited.MARKS)
