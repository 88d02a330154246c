"""A gate's stop is nobody's request, its tries are restarts, and its entries are no lines of the service."""

from __future__ import annotations

import pytest

from forensics.assembly import assemble
from tests.attempts.building import Journal


def gated(after: float = 0.5) -> Journal:
    """Three failures, the last of which opens the gate; a try that fails, and one that runs."""
    journal = Journal()
    journal.fails("r1", counter=1)
    journal.fails("r2", counter=2)
    for number, run in enumerate(("r3", "r4"), 3):
        journal.manager("started", run, JOB_TYPE="start")
        journal.writes(run, "ImportError: libx.so: cannot open shared object file")
        journal.trips(run, number, after)
        journal.gate("probed", after=600)
    journal.manager("started", "r5", JOB_TYPE="start")
    return journal


@pytest.mark.parametrize("after", [0.05, 4.0, 80.0])
def test_an_attempt_that_a_gate_keeps_down_has_failed_by_itself(after):
    made = assemble(gated(after).frame())
    assert made.attempts["outcome"].to_list() == ["failed"] * 4 + ["running"]
    assert made.attempts["automatic"].to_list() == [False, True, True, True, True]
    assert made.lifecycle.filter(kind="stopped").select("requested", "job").rows() == [(False, None)] * 2


def test_a_gate_states_what_it_counted():
    lifecycle = assemble(gated().frame()).lifecycle
    assert lifecycle.filter(kind="gate-opened").select("counter", "about").rows() == [
        (3, "loader.library-missing"),
        (4, "loader.library-missing"),
    ]


def test_its_entries_are_no_lines_of_the_service_and_no_events():
    made = assemble(gated().frame())
    assert made.attempts["lines"].to_list() == [0, 0, 1, 1, 0]
    assert [text for text in made.events["text"] if "gate" in text] == []


def test_only_the_first_stop_is_the_gates():
    journal = gated()
    journal.manager("stopping", "r5", after=30, JOB_TYPE="stop")
    journal.manager("well", "r5")
    journal.manager("stopped", "r5", JOB_TYPE="stop", JOB_RESULT="done")
    made = assemble(journal.frame())
    assert made.attempts["outcome"][-1] == "stopped"
    assert made.lifecycle.filter(kind="stopped")["requested"].to_list() == [False, False, True]


def test_a_good_end_that_a_gate_keeps_from_being_restarted_is_no_stop_on_request():
    journal = Journal()
    journal.manager("started", "r1")
    journal.gate("opened", "r1", 5)
    journal.manager("well", "r1")
    journal.manager("stopped", "r1", JOB_TYPE="stop", JOB_RESULT="done")
    assert assemble(journal.frame()).attempts["outcome"].to_list() == ["clean"]


def test_a_restart_after_its_opening_shows_that_the_gate_did_not_act():
    journal = Journal()
    journal.fails("r1")
    journal.gate("opened", "r1")
    journal.manager("restart", "r1", after=5, N_RESTARTS="1")
    journal.manager("started", "r2")
    journal.manager("stopping", "r2", after=5, JOB_TYPE="stop")
    journal.manager("well", "r2")
    journal.manager("stopped", "r2", JOB_TYPE="stop")
    assert assemble(journal.frame()).lifecycle.filter(kind="stopped")["requested"].to_list() == [True]
