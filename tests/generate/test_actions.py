"""Action items are closed and reopened by an audit, and a file keeps everything else that its user wrote."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.errors import UsageError
from forensics.generate.actions import DONE, OPEN, REOPENED, STATUSES, ActionItem, read_actions, rewritten, updated, write_actions
from forensics.model.controls import EFFECTIVE, MISSING, UNKNOWN, UNREACHABLE, UNWIRED, Control

RULE = ActionItem(
    "alert-rules:a.service", "Page on restart loops of a.service", "P1", "alert-rules", command="tabby-forensics generate rules"
)
LIMIT = ActionItem("restart-limits:a.service", "Limit restarts of a.service", "P1", "restart-limits", "a.service")
EDITED = '''# reviewed on Monday
[[action]]   # ours
id = "alert-rules:a.service"
title = "Page on restart loops of a.service"
priority = "P1"
control = "alert-rules"
status = "open"      # not yet
owner = "Ada"
due = 2026-02-01
notes = """
[[action]]
status = "done" is not a status here
"""

[[action]]
id = "restart-limits:a.service"
control = "restart-limits"   # no status: open

[ours]
status = "private"
'''


def control(id_, status):
    return Control(2, id_, id_, status)


EFFECTIVE_RULES = [control("alert-rules", EFFECTIVE)]


@pytest.mark.parametrize(
    ("before", "found", "after", "why"),
    [
        (OPEN, [EFFECTIVE], DONE, "it works"),
        (REOPENED, [EFFECTIVE], DONE, "it works again"),
        (DONE, [EFFECTIVE], DONE, "it still works"),
        (DONE, [MISSING], REOPENED, "it is gone"),
        (DONE, [UNWIRED], REOPENED, "a later link broke"),
        (DONE, [UNREACHABLE], REOPENED, "it can no longer act"),
        (DONE, [UNKNOWN], DONE, "the audit could not look"),
        (OPEN, [UNKNOWN], OPEN, "the audit could not look"),
        (OPEN, [MISSING], OPEN, "not done yet"),
        (REOPENED, [MISSING], REOPENED, "still not done"),
        (DONE, [], DONE, "the audit has no such control"),
        (OPEN, [EFFECTIVE, MISSING], OPEN, "not for every unit"),
        (DONE, [EFFECTIVE, MISSING], REOPENED, "not for every unit"),
        (OPEN, [EFFECTIVE, UNKNOWN], OPEN, "not checked for every unit"),
    ],
)
def test_an_item_follows_its_control(before, found, after, why):
    (item,) = updated([replace(RULE, status=before)], [control("alert-rules", status) for status in found])
    assert item.status == after, why


def test_an_audit_of_one_unit_leaves_the_items_of_others():
    (ours, others, everybodys) = updated([RULE, replace(RULE, unit="b.service"), replace(RULE, unit="")], EFFECTIVE_RULES, "a.service")
    assert (ours.status, others.status, everybodys.status) == (DONE, OPEN, DONE)


def test_items_are_read_as_they_were_written():
    assert read_actions(write_actions([RULE, LIMIT], "# head\n")) == (RULE, LIMIT)


@settings(max_examples=30)
@given(
    st.lists(
        st.builds(ActionItem, *[st.text(min_size=1).filter(str.strip)] * 5, st.sampled_from(STATUSES), st.text().map(str.strip)), max_size=4
    )
)
def test_any_text_of_an_item_comes_back(items):
    assert read_actions(write_actions(items)) == tuple(items)


def test_only_the_status_changes_in_a_file_that_was_edited():
    items = updated(read_actions(EDITED), [control("alert-rules", EFFECTIVE), control("restart-limits", MISSING)])
    assert rewritten(EDITED, items) == EDITED.replace('status = "open"      #', 'status = "done"      #')


def test_an_item_without_a_status_gets_one():
    items = updated(read_actions(EDITED), [control("restart-limits", EFFECTIVE)])
    changed = tomllib.loads(rewritten(EDITED, items))
    assert [row.get("status") for row in changed["action"]] == ["open", "done"]
    assert changed["ours"] == {"status": "private"}


def test_closing_and_reopening_leaves_the_file_as_it_was_but_for_the_status():
    closed = rewritten(EDITED, updated(read_actions(EDITED), [control("alert-rules", EFFECTIVE)]))
    reopened = rewritten(closed, updated(read_actions(closed), [control("alert-rules", UNWIRED)]))
    assert reopened == EDITED.replace('"open"', '"reopened"', 1)
    assert rewritten(reopened, read_actions(reopened)) == reopened


def test_new_items_are_appended_and_known_ones_stay_as_they_are():
    changed = rewritten(EDITED, [replace(RULE, title="another"), ActionItem("x", "New", "P2", "health-check")])
    assert changed.startswith(EDITED)
    assert [item.id for item in read_actions(changed)] == [RULE.id, LIMIT.id, "x"]


@pytest.mark.parametrize(
    ("text", "words", "why"),
    [
        ('[[action]]\nid = "a"\n', "control: is missing", "without a control no audit can close it"),
        ('[[action]]\nid = "a"\ncontrol = "b"\nstatus = "later"\n', "must be one of open, done, reopened", "an unknown status"),
        ("[[action]\n", "is not TOML", "not TOML"),
        ("[action]\nid = 1\n", "must be written as [[action]]", "a single table"),
    ],
)
def test_mistakes_of_a_file_are_named(text, words, why):
    with pytest.raises(UsageError, match=r"actions\.toml") as refused:
        read_actions(text, Path("actions.toml"))
    assert words in str(refused.value), why


@pytest.mark.parametrize(
    "text",
    ['action = [{id = "a", control = "alert-rules"}]\n', '[[action]]\nid = "a"\ncontrol = "alert-rules"\n"status" = "open"\n'],
)
def test_a_file_that_is_written_otherwise_is_refused_rather_than_damaged(text):
    with pytest.raises(UsageError, match=r"cannot be edited|not TOML"):
        rewritten(text, updated(read_actions(text), [control("alert-rules", EFFECTIVE)]))
