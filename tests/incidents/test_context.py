"""Quoted evidence is the whole event, with the lines of the same attempt around it, within bounds, and without secrets."""

from types import SimpleNamespace

import pytest

from forensics.assembly import assemble
from forensics.incidents import context
from forensics.incidents.inputs import quoted
from forensics.report.evidence import shown_before
from forensics.sanitize import sanitized
from tests.attempts.building import Journal

TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "/srv/app/main.py", line 3, in <module>',
    "    import torch",
    "ImportError: libfoo.so: cannot open shared object file",
]


def evidence(journal, text):
    """Quote the entry with this text."""
    entries = journal.frame()
    assembly = assemble(entries)
    inputs = SimpleNamespace(entries=entries, attempts=assembly.attempts, events=assembly.events)
    row = next(row for row, message in enumerate(entries["message"]) if text in message)
    return context.with_context((quoted(entries, [row])[0],), inputs)[0]


def failing(before=(), traceback=TRACEBACK, after=(), unit="app.service"):
    journal = Journal(unit)
    journal.manager("started", "r1", JOB_TYPE="start", JOB_RESULT="done")
    journal.writes("r1", *before, gap=0.5)
    journal.writes("r1", *traceback, after=0.5)
    journal.writes("r1", *after, after=0.5, gap=0.5, pid=101)
    journal.dies("r1")
    journal.manager("restart", "r1", after=10, N_RESTARTS="1")
    return journal


def test_a_traceback_is_quoted_as_a_whole_and_the_deciding_line_is_marked():
    found = evidence(failing(before=["one", "two"]), "ImportError")
    assert list(found.event) == TRACEBACK
    assert found.event[found.decides] == found.message == TRACEBACK[-1]
    assert found.before == ("Started app.service.", "one", "two")
    assert found.after[0] == "app.service: Main process exited, code=exited, status=1/X"
    assert len(found.after) == 3


def test_a_line_that_the_service_wrapped_is_joined():
    wrapped = ["2025-12-07 21:30:00.123 WARNING:  Port 5000 is currently in use. Switching to", "5001."]
    found = evidence(failing(traceback=wrapped, after=["and on"]), "Port 5000")
    assert found.event == (" ".join(wrapped),)
    assert found.after[0] == "and on"


def test_an_entry_of_several_lines_marks_its_exception():
    found = evidence(failing(traceback=["\n".join(TRACEBACK)]), "Traceback")
    assert list(found.event) == TRACEBACK
    assert found.event[found.decides].startswith("ImportError")


def test_no_line_of_another_unit_or_attempt_is_around_it():
    journal = failing(before=["of the first attempt"])
    journal.manager("started", "r2", JOB_TYPE="start", JOB_RESULT="done")
    journal.manager("started", "x1", unit="other.service", JOB_TYPE="start", JOB_RESULT="done")
    journal.writes("r2", "AssertionError: of the second attempt")
    journal.dies("r2")
    found = evidence(journal, "AssertionError")
    assert found.before == ("Started app.service.",)
    assert all("first attempt" not in line and "other.service" not in line for line in (*found.before, *found.after))


def test_what_is_about_no_unit_has_nothing_around_it():
    journal = failing()
    journal.kernel("something of the kernel")
    found = evidence(journal, "of the kernel")
    assert (found.before, found.event, found.after) == ((), (), ())


def test_a_long_event_keeps_its_head_its_end_and_the_lines_beside_the_deciding_one():
    frames = [line for k in range(200) for line in (f'  File "/srv/app/f{k}.py", line 3, in call', f"    step_{k}()")]
    found = evidence(failing(traceback=[TRACEBACK[0], *frames, TRACEBACK[-1]]), "ImportError")
    assert len(found.event) <= context.MOST_LINES
    assert found.event[0] == TRACEBACK[0]
    assert found.event[found.decides] == TRACEBACK[-1]
    assert [line for line in found.event if "more lines" in line] == ["… 372 more lines …"]


def test_what_is_quoted_is_bounded(monkeypatch):
    monkeypatch.setattr(context, "MOST_IN_ALL", 100)
    found = evidence(failing(before=["x" * 200]), "ImportError")
    assert (found.before, found.event, found.after) == ((), (), ())
    assert found.message == TRACEBACK[-1]


def test_an_endless_line_is_cut_where_it_is_not_searched_for_secrets_any_more():
    found = evidence(failing(before=["y" * 60_000]), "ImportError")
    assert max(map(len, found.before)) == context.MOST_CHARACTERS


def test_evidence_is_the_same_with_and_without_its_context():
    found = evidence(failing(), "ImportError")
    plain = quoted(failing().frame(), [found.row])[0]
    assert plain.event == ()
    assert {plain: 1} == {found: 1}


KEY = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"


@pytest.mark.parametrize(
    "before",
    [
        ["Your API key is:", "9f8e7d6c5b4a39281706f5e4d3c2b1a0", "one", "two"],
        ["-----BEGIN RSA PRIVATE KEY-----", *[KEY] * 20],
    ],
)
def test_a_secret_is_redacted_although_what_gives_it_away_is_not_shown(before):
    found = sanitized(evidence(failing(before=before), "ImportError"), redact=True)
    shown = "\n".join(shown_before(found))
    assert len(shown_before(found)) <= 3
    assert "Your API key" not in shown
    assert before[1] not in shown
    assert before[1] not in "\n".join(found.before)


def test_what_is_left_of_a_private_key_is_shown_on_neither_side_of_one_of_its_lines():
    block = ["-----BEGIN RSA PRIVATE KEY-----", *[f"{number:02}{KEY[2:]}" for number in range(5)], "-----END RSA PRIVATE KEY-----"]
    found = evidence(failing(before=block), "039vYmF")
    assert found.before == ()
    assert not set(block) & set(found.after)
    assert found.after[0] == TRACEBACK[0]
