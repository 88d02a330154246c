"""Attempts are cut by the order of the manager's statements where invocation ids are missing or stale."""

from __future__ import annotations

import polars as pl

from forensics.assembly import assemble
from tests.attempts.building import Journal, only


def direct(journal: Journal, runs: int, *, pid: int | None = None) -> None:
    """Play RestartMode=direct of 257: the manager's lines carry each attempt's own id, the service's the first one's."""
    for n in range(runs):
        journal.manager("started", f"r{n}", JOB_TYPE="start", JOB_RESULT="done")
        journal.writes("r0", f"error {n}", pid=pid or 100 + n, stream="s" if pid else None)
        journal.dies(f"r{n}")
        journal.writes("r0", f"stop-post {n}", pid=pid or 200 + n, stream="s" if pid else None)
        if n < runs - 1:
            journal.manager("restart", f"r{n}", N_RESTARTS=str(n + 1))


def lines_of(journal: Journal) -> list[tuple[str | None, list[str]]]:
    made = assemble(journal.frame())
    texts = made.events.filter(pl.col("kind") == "line").group_by("attempt", maintain_order=True).agg("text")
    return made.attempts.join(texts, on="attempt", how="left").select("invocation", pl.col("text").fill_null([])).rows()


def test_lines_with_the_first_attempts_id_belong_to_the_attempt_they_are_logged_in() -> None:
    journal = Journal()
    direct(journal, 5)
    assert lines_of(journal) == [(f"r{n}", [f"error {n}", f"stop-post {n}"]) for n in range(5)]


def test_the_order_decides_even_where_process_and_stream_are_the_same() -> None:
    journal = Journal()
    direct(journal, 3, pid=7)
    assert lines_of(journal) == [(f"r{n}", [f"error {n}", f"stop-post {n}"]) for n in range(3)]


def test_a_line_before_the_start_line_of_its_attempt_is_in_it_from_the_scheduled_restart_on() -> None:
    journal = Journal()
    direct(journal, 1)
    journal.manager("restart", "r0", N_RESTARTS="1")
    journal.writes("r0", "early", pid=9)
    journal.manager("started", "r1")
    journal.dies("r1")
    assert lines_of(journal) == [("r0", ["error 0", "stop-post 0"]), ("r1", ["early"])]


def test_a_process_that_the_manager_found_left_over_still_writes_for_its_own_attempt() -> None:
    journal = Journal()
    journal.manager("started", "r0")
    journal.writes("r0", "a child", pid=7)
    journal.dies("r0")
    journal.manager("restart", "r0", N_RESTARTS="1")
    left_over = "app.service: Found left-over process 7 (python3) in control group while starting unit. Ignoring."
    journal.manager("x", "r1", text=left_over, PRIORITY="4")
    journal.manager("started", "r1")
    journal.writes("r0", "the child again", pid=7)
    journal.dies("r1")
    assert lines_of(journal) == [("r0", ["a child", "the child again"]), ("r1", [])]


def test_one_id_over_several_cycles_is_as_many_attempts() -> None:
    journal = Journal()
    for n in range(3):
        journal.manager("starting", "same")
        journal.manager("started", "same")
        journal.writes("same", f"error {n}", pid=100 + n)
        journal.dies("same")
        journal.manager("restart", "same", N_RESTARTS=str(n + 1))
    made = assemble(journal.frame())
    assert made.attempts.select("invocation", "outcome", "lines", "restart_counter").rows() == [
        ("same", "failed", 1, 1),
        (None, "failed", 1, 2),
        (None, "failed", 1, 3),
    ]
    assert made.restarts["attempt"].to_list() == [0, 1, 2]


def test_a_oneshot_of_before_246_that_logs_started_last_is_one_attempt() -> None:
    journal = Journal()
    journal.manager("starting", "r1")
    journal.manager("well", "r1", text="app.service: Succeeded.")
    journal.manager("started", "r1")
    assert only(assemble(journal.frame()).attempts)["outcome"] == "clean"
