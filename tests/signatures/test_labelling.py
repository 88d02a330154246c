"""Which event explains the end of an attempt, rule by rule."""

from __future__ import annotations

import polars as pl
import pytest

from forensics.model.frames import EVENTS, LABELS
from forensics.signatures import label
from tests.signatures.making import CATALOGUE, TRACEBACK, attempt, attempts_frame, event, events_frame, manager, traceback


def labelled(*events: dict[str, object], **columns: object) -> dict[str, object]:
    """The label of one attempt that ended 10 s after its start; of `secondary` the signatures."""
    found = label(events_frame(*events), attempts_frame(attempt(**columns)), CATALOGUE).labels.row(0, named=True)
    return found | {"secondary": [problem["signature"] for problem in found["secondary"]]}


def test_a_secondary_problem_is_shown_by_its_first_row() -> None:
    events = event("port 80 taken", 1), event("port 80 taken", 2), event("no memory", 8)
    found = label(events_frame(*events), attempts_frame(attempt()), CATALOGUE)
    assert found.labels["secondary"].to_list() == [[{"signature": "port", "row": 0}]]


def test_a_known_problem_explains_the_end_and_is_its_own_evidence() -> None:
    found = labelled(event("INFO: hello", 1), event("ERROR: port 80 taken", 8), event("ERROR: shutting the door", 9))
    assert (found["signature"], found["why"], found["event"], found["row"]) == (
        "port",
        "catalogue pattern in the service's own output",
        1,
        1,
    )
    assert found["failed"]


def test_of_two_known_problems_long_after_each_other_the_last_one_explains_the_end() -> None:
    found = labelled(event("port 80 taken", 3), event("no memory", 8))
    assert (found["signature"], found["secondary"]) == ("memory", ["port"])


def test_of_two_known_problems_at_once_the_first_one_is_the_cause() -> None:
    found = labelled(event("port 80 taken", 7), event("no memory", 8))
    assert (found["signature"], found["secondary"]) == ("port", ["memory"])


def test_a_known_problem_that_was_overcome_explains_nothing() -> None:
    overcome = [event("ERROR: port 80 taken, retrying", 3), event("INFO: connected to the broker", 4)]
    assert labelled(*overcome)["signature"] == "exit:exit-code/1"
    assert labelled(*overcome, traceback(TRACEBACK, 5))["why"] == "exception of a traceback"
    assert labelled(*overcome, event("ERROR: no such host", 5))["why"] == "error line"
    assert labelled(*overcome, event("ERROR: port 80 taken", 5))["signature"] == "port"


def test_a_try_that_is_not_the_last_one_explains_an_end_when_nothing_recovers() -> None:
    assert labelled(event("ERROR: port 80 taken, retrying in 1 s", 3), event("INFO: waiting", 9))["signature"] == "port"


def test_a_known_problem_is_shown_by_its_first_line() -> None:
    found = labelled(event("no memory (device 0)", 3), event("ERROR: no memory", 4))
    assert (found["signature"], found["event"]) == ("memory", 0)


def test_a_cause_wins_over_the_consequence_it_explains() -> None:
    found = labelled(event("port 80 taken", 3), event("moved to another", 8))
    assert (found["signature"], found["secondary"]) == ("port", ["moved"])


def test_within_a_traceback_the_root_decides() -> None:
    text = "Traceback …\nno memory\nDuring handling …\nport 80 taken"
    chained = event(text, kind="traceback", root="OSError: port 80 taken", last="RuntimeError: no memory")
    assert labelled(chained)["signature"] == "port"
    assert labelled({**chained, "root": "RuntimeError: no memory", "last": "OSError: port 80 taken"})["signature"] == "memory"


def test_within_a_text_the_first_of_two_known_problems_decides() -> None:
    assert labelled(event("port 80 taken: no memory"))["signature"] == "port"


def test_a_small_problem_does_not_explain_an_end() -> None:
    found = labelled(event("INFO: small note", 9), manager("some.service: Main process exited"))
    assert (found["signature"], found["secondary"]) == ("exit:exit-code/1", ["note"])


def test_a_small_problem_is_secondary_to_an_unknown_traceback() -> None:
    found = labelled(event("small note", 3), traceback(TRACEBACK, 8))
    assert str(found["signature"]).startswith("mined:")
    assert found["secondary"] == ["note"]


def test_a_message_of_systemd_wins_over_an_unknown_error() -> None:
    found = labelled(traceback(TRACEBACK, 8), manager("some.service: A process of this unit has been killed by the OOM killer."))
    assert (found["signature"], found["why"]) == ("killed", "catalogue pattern in a message of systemd or the kernel")


def test_a_known_problem_of_the_service_wins_over_a_message_of_systemd() -> None:
    found = labelled(event("no memory", 8), manager("killed by the OOM killer"))
    assert (found["signature"], found["secondary"]) == ("memory", ["killed"])


def test_a_service_that_quotes_the_kernel_is_not_the_kernel() -> None:
    assert labelled(event("INFO: kmsg: killed by the OOM killer", 9))["secondary"] == []


def test_a_known_problem_mentioned_as_information_yields_to_an_unknown_error() -> None:
    found = labelled(event("INFO: port 80 taken, using 81", 3), event("ERROR: no such host", 8))
    assert (found["why"], found["secondary"]) == ("error line", ["port"])


def test_the_start_limit_explains_only_what_nothing_else_explains() -> None:
    limit = manager("some.service: Start request repeated too quickly.", 10.5)
    assert labelled(limit)["signature"] == "refused"
    assert labelled(event("loading", 9.5), limit)["signature"] == "refused"
    assert labelled(event("pre-check failed", 9.5), limit)["why"] == "line that mentions a problem"
    assert labelled(event("ERROR: port 80 taken"), limit)["signature"] == "port"
    assert str(labelled(event("ERROR: no such host"), limit)["signature"]).startswith("mined:")


def test_a_fault_of_the_program_wins_over_the_start_limit() -> None:
    fault = {"result": "signal", "exit_code": "killed", "exit_status": 11}
    found = labelled(manager("some.service: Start request repeated too quickly."), **fault)
    assert (found["signature"], found["secondary"]) == ("exit:signal/11", ["refused"])


def test_the_first_traceback_of_the_last_burst_decides_over_error_lines() -> None:
    first, second = TRACEBACK.replace("bad", "first"), TRACEBACK.replace("bad", "second")
    found = labelled(traceback(first, 1), traceback(TRACEBACK, 7), traceback(second, 8), event("ERROR: Application startup failed.", 9))
    assert (found["event"], found["why"]) == (1, "exception of a traceback")


def test_a_traceback_of_stopping_explains_nothing() -> None:
    stopping = traceback("Traceback …\nKeyboardInterrupt", 9.5)
    assert labelled(event("ERROR: no such host", 5), stopping)["why"] == "error line"


def test_the_first_error_line_of_the_last_burst_decides_but_not_a_farewell() -> None:
    burst = [event("ERROR: no such host 3", 7), event("ERROR: the plugin gave up", 7), event("ERROR: Exiting.", 8), event("INFO: bye", 8)]
    found = labelled(event("ERROR: one thing", 1), *burst)
    assert (found["event"], found["why"]) == (1, "error line")


def test_what_follows_a_recovery_is_a_burst_of_its_own() -> None:
    found = labelled(event("ERROR: no such host", 5), event("INFO: connected to the broker", 6), event("ERROR: the widget broke", 7))
    assert (found["event"], found["why"]) == (2, "error line")


def test_neither_a_rollback_nor_a_farewell_hides_a_complaint() -> None:
    found = labelled(event("line 31: resolvconf: command not found", 9), event("[#] ip link delete dev wg0", 9), event("Exiting.", 9))
    assert (found["event"], found["why"]) == (0, "line that mentions a problem")


def test_a_priority_marks_an_error_too() -> None:
    assert labelled(event("the door is shut", 2, priority=0), event("INFO: bye", 9))["why"] == "error line"


def test_a_last_line_before_an_exit_explains_it_when_nothing_else_does() -> None:
    found = labelled(event("INFO: hello", 1), event("handing the queue back", 9.5))
    assert (found["event"], found["why"]) == (1, "one of the last lines")


@pytest.mark.parametrize(
    ("events", "columns", "why"),
    [
        ([event("handing the queue back", 2)], {}, "logged too long before the end"),
        ([event("INFO: ready", 9.5)], {}, "an ordinary line"),
        (
            [event("handing the queue back", 9.5)],
            {"result": "signal", "exit_code": "killed", "exit_status": 9},
            "a signal does not follow from it",
        ),
        ([event("ERROR: no such host", 1)], {"result": "signal", "exit_status": 9, "uptime": 300.0}, "an error long before a signal"),
        ([traceback(TRACEBACK, 100)], {"uptime": 7200.0}, "a traceback long before a silent exit"),
        ([], {}, "no events at all"),
    ],
)
def test_an_end_that_no_line_explains_is_named_by_its_exit_result(
    events: list[dict[str, object]], columns: dict[str, object], why: str
) -> None:
    found = labelled(*events, **columns)
    assert found["why"] == "exit result", why
    assert str(found["signature"]).startswith("exit:"), why
    assert (found["event"], found["row"]) == (None, 999), why


def test_a_known_problem_long_before_an_exit_explains_it_only_after_later_errors() -> None:
    early = [event("no memory", 100), event("INFO: request done", 7000)]
    assert labelled(*early, uptime=7200.0)["why"] == "catalogue pattern in the service's own output"
    assert labelled(*early, traceback(TRACEBACK, 7199), uptime=7200.0)["why"] == "exception of a traceback"


def test_a_known_problem_long_before_a_kill_does_not_explain_it() -> None:
    found = labelled(event("no memory", 100), event("INFO: request done", 7000), uptime=7200.0, result="signal", exit_status=9)
    assert (found["signature"], found["secondary"]) == ("exit:signal/9", ["memory"])


def test_a_clean_exit_right_after_a_fatal_error_has_failed() -> None:
    found = labelled(event("ERROR: port 80 taken", 9), event("ERROR: Exiting.", 9), outcome="clean")
    assert (found["signature"], found["failed"]) == ("port", True)


@pytest.mark.parametrize(("outcome", "failed"), [("clean", False), ("stopped", False), ("cut", False)])
def test_an_attempt_that_ended_well_or_on_request_has_not_failed(outcome: str, failed: bool) -> None:
    found = labelled(event("ERROR: something unknown", 9), traceback(TRACEBACK, 9), outcome=outcome)
    assert (found["signature"], found["failed"]) == ("exit:success/0", failed)


def test_a_fatal_error_long_before_a_clean_end_is_not_a_failure() -> None:
    found = labelled(event("no memory", 100), event("INFO: bye", 7200), uptime=7200.0, outcome="clean")
    assert (found["signature"], found["secondary"], found["failed"]) == ("exit:success/0", ["memory"], False)


def test_a_running_attempt_has_no_label() -> None:
    assert label(events_frame(), attempts_frame(attempt(outcome="running")), CATALOGUE).labels.is_empty()


@pytest.mark.parametrize(
    ("columns", "signature"),
    [
        ({"result": "signal", "exit_status": 9}, "exit:signal/9"),
        ({"result": "core-dump", "exit_status": 11}, "exit:core-dump/11"),
        ({"result": None, "exit_code": "killed", "exit_status": 6}, "exit:signal/6"),
        ({"result": None, "exit_code": None, "exit_status": None}, "exit:unknown/none"),
        ({"result": "resources", "exit_code": None, "exit_status": None}, "exit:resources/none"),
        ({"result": "signal", "exit_status": 9, "oom_killed": True}, "exit:oom-kill/9"),
        ({"outcome": "stopped", "result": "success"}, "exit:success/0"),
    ],
)
def test_exit_results_have_a_name_and_a_readable_title(columns: dict[str, object], signature: str) -> None:
    result = label(events_frame(), attempts_frame(attempt(**columns)), CATALOGUE)
    assert result.labels["signature"].to_list() == [signature]
    assert result.signatures[signature].title


def test_titles_name_signals() -> None:
    killed = attempts_frame(attempt(result="signal", exit_status=11), attempt(1, exit_status=137))
    signatures = label(events_frame(), killed, CATALOGUE).signatures
    assert signatures["exit:signal/11"].title == "Killed by signal 11 (SIGSEGV), no log output before the exit"
    assert signatures["exit:exit-code/137"].title == "Exited with status 137 (SIGKILL of a child), no log output before the exit"


def test_every_id_in_use_is_described_and_lost_restarts_too() -> None:
    result = label(events_frame(event("small note", 1), traceback(TRACEBACK, 9)), attempts_frame(attempt(), attempt(1)), CATALOGUE)
    secondary = {problem["signature"] for problems in result.labels["secondary"] for problem in problems}
    used = {*result.labels["signature"], *secondary, *result.events["signature"]}
    assert used <= set(result.signatures)
    assert "journal.lost" in result.signatures
    mined = next(signature for id_, signature in result.signatures.items() if id_.startswith("mined:"))
    assert (mined.title, mined.severity, mined.restart_helps) == ("ValueError: bad value <n>", "high", None)


def test_named_events_carry_signature_reason_and_captures() -> None:
    named = label(events_frame(event("port 80 taken"), event("INFO: x")), attempts_frame(attempt()), CATALOGUE).events
    assert named.rows() == [(0, "port", "catalogue pattern port", [{"name": "port", "value": "80"}])]


def test_attempts_do_not_disturb_each_other() -> None:
    events = [event("port 80 taken", 9, 0), event("no memory", 9, 1), traceback(TRACEBACK, 9, 2)]
    together = label(events_frame(*events), attempts_frame(*[attempt(n) for n in range(4)]), CATALOGUE).labels
    alone = [
        label(events_frame({**columns, "attempt": 0}), attempts_frame(attempt()), CATALOGUE).labels["signature"][0] for columns in events
    ]
    assert together["signature"].to_list() == [*alone, "exit:exit-code/1"]
    assert together.schema == LABELS


def test_the_order_of_rows_changes_nothing() -> None:
    events = [
        event("port 80 taken", 9, 0),
        event("no memory", 9, 0),
        traceback(TRACEBACK, 9, 1),
        event("ERROR: x 1", 9, 2),
        event("x", 9, 2),
    ]
    frame, attempts = events_frame(*events), attempts_frame(*[attempt(n) for n in range(4)])
    straight, turned = label(frame, attempts, CATALOGUE), label(frame.reverse(), attempts.reverse(), CATALOGUE)
    assert straight.labels.equals(turned.labels)
    assert straight.events.equals(turned.events)
    assert straight.signatures == turned.signatures


def test_a_hostile_text_changes_no_other_label() -> None:
    hostile = ["x" * 1_000_000, "\0\x1b[2J\u202e", "(" * 10_000, "'" * 5_000 + "a1", ""]
    events = [event(text, 9, n) for n, text in enumerate(hostile)] + [event("ERROR: no memory", 9, len(hostile))]
    attempts = attempts_frame(*[attempt(n) for n in range(len(hostile) + 1)])
    assert label(events_frame(*events), attempts, CATALOGUE).labels["signature"].to_list()[-1] == "memory"


def test_each_of_fourteen_thousand_attempts_is_labelled() -> None:
    attempts, lines = 14_000, 30
    number = pl.int_range(attempts * lines, dtype=pl.UInt32, eager=True)
    one = events_frame(event("x", 9))
    events = pl.select(event=number, attempt=number // lines, row=number).with_columns(
        pl.lit(one[name][0], EVENTS[name]).alias(name) for name in EVENTS.names() if name not in {"event", "attempt", "row", "text"}
    )
    text = (
        pl.when(pl.col("event") % lines == lines - 1)
        .then(pl.lit("ERROR: no memory"))
        .otherwise(pl.format("INFO: step {}", pl.col("event") % 5000))
    )
    frame = events.with_columns(text=text).select(EVENTS.names())
    many = attempts_frame(attempt()).drop("attempt").join(pl.select(attempt=pl.int_range(attempts, dtype=pl.UInt32)), how="cross")
    found = label(frame, many.select(attempts_frame().columns), CATALOGUE).labels
    assert found["signature"].to_list() == ["memory"] * attempts


def test_a_failure_while_stopping_is_explained_like_any_other() -> None:
    stopped = {"outcome": "stopped", "result": "exit-code", "exit_code": "exited", "exit_status": 127}
    silent = labelled(failed_stopping=True, **stopped)
    assert (silent["signature"], silent["failed"]) == ("exit:exit-code/127", True)
    explained = labelled(event("ERROR: the lock was never released", 9), failed_stopping=True, **stopped)
    assert (explained["why"], explained["failed"]) == ("error line", True)


def test_a_stop_that_went_well_is_no_failure() -> None:
    found = labelled(event("ERROR: the lock was never released", 9), outcome="stopped", failed_stopping=False)
    assert (found["signature"], found["failed"]) == ("exit:success/0", False)


def test_a_start_that_a_dependency_prevented_has_a_title_without_an_exit() -> None:
    ended = {"result": "dependency", "exit_code": None, "exit_status": None}
    found = label(events_frame(), attempts_frame(attempt(**ended)), CATALOGUE)
    assert found.labels["signature"].to_list() == ["exit:dependency/none"]
    assert found.signatures["exit:dependency/none"].title == "Not started, because a unit it needs did not start"
