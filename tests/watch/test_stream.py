"""Entries in pieces, as a journal brings them: what has ended, and which errors are nonfatal."""

import json

import pyarrow as pa
import pytest

from forensics.classes.overrides import Overrides
from forensics.journal.damage import DamageLog
from forensics.journal.json_lines import read_json
from forensics.resources import folder
from forensics.signatures import catalogue
from forensics.watch import stream as stream_module
from forensics.watch.stream import NONFATAL_S, ROUTINE_S, SETTLE_S, Stream
from tests.attempts.building import Journal, fails_219, plain_line
from tests.watch.streams import TRACEBACK, tables


@pytest.fixture(scope="module")
def known():
    return catalogue.load((folder("patterns"),))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_every_attempt_is_reported_once_however_its_entries_come(tmp_path, known, size):
    live, now, ended = Stream(known, Overrides()), 0.0, []
    for table in tables(tmp_path, size, line=TRACEBACK, restarts=5):
        live.feed(table, now)
        ended += live.settle(now)[0]
        now += SETTLE_S / 2
    ended += live.settle(now + ROUTINE_S)[0]
    assert len({attempt.invocation for attempt in ended}) == len(ended) == 6
    assert {attempt.signature.id for attempt in ended} == {"loader.libstdcxx-missing"}
    assert live.due is None


def fed(live, pieces, now, step=0.0):
    for table in pieces:
        live.feed(table, now)
        now += step
    return now


def test_what_only_repeats_itself_is_looked_at_less_often_than_what_is_new(tmp_path, known):
    live = Stream(known, Overrides())
    fed(live, tables(tmp_path, line=TRACEBACK, restarts=1), 0.0)
    assert live.due == SETTLE_S
    assert len(live.settle(SETTLE_S)[0]) == 2
    again = list(tables(tmp_path, line=TRACEBACK.replace("line 7", "line 8"), restarts=1))
    fed(live, again, 1.0)
    assert live.due == SETTLE_S + ROUTINE_S
    live.reported.clear()
    assert len(live.settle(SETTLE_S + ROUTINE_S)[0]) == 2
    fed(live, again, 10.0)
    assert live.due == 10.0 + SETTLE_S
    fed(live, tables(tmp_path, line="unheard-of trouble", restarts=0), 10.0)
    live.settle(10.0 + SETTLE_S)
    fed(live, again, 11.0)
    fed(live, tables(tmp_path, line="trouble of another kind", restarts=0), 11.0)
    assert live.due == 11.0 + SETTLE_S


def test_a_fast_loop_that_repeats_itself_is_looked_at_now_and_then(tmp_path, known, monkeypatch):
    looks, assembled = [], stream_module.assemble
    monkeypatch.setattr(stream_module, "assemble", lambda *given, **options: looks.append(1) or assembled(*given, **options))
    live, now, ended = Stream(known, Overrides()), 0.0, []
    for piece in tables(tmp_path, 1, line=TRACEBACK, restarts=39):
        live.feed(piece, now)
        ended += live.settle(now)[0]
        now += 0.02  # ten restarts a second
    ended += live.settle(now + ROUTINE_S)[0]
    assert len(ended) == 40
    assert len(looks) <= now / ROUTINE_S + 3 < 10


def test_entries_of_what_runs_for_long_do_not_pile_up(tmp_path, known, monkeypatch):
    monkeypatch.setattr(stream_module, "MOST_GROWN", 50)
    monkeypatch.setattr(stream_module, "MOST_LINES", 20)
    monkeypatch.setattr(stream_module, "FIRST_LINES", 5)
    live = Stream(known, Overrides())
    (line,) = list(tables(tmp_path, 1, line="INFO: loaded 7 modules"))[1:2]
    fed(live, [line] * 300, 0.0)
    assert len(live._held) + sum(map(len, live._fed)) <= 100


def test_the_last_lines_of_a_service_that_logged_much_count(tmp_path, known, monkeypatch):
    monkeypatch.setattr(stream_module, "MOST_GROWN", 50)
    live = Stream(known, Overrides())
    started, line, *rest = tables(tmp_path, 1, line="INFO: loaded 7 modules", restarts=0)
    _, last, *_ = tables(tmp_path, 1, line=TRACEBACK, restarts=0)
    fed(live, [started, *[line] * 300, last, *[line] * 100, *rest], 0.0)
    (attempt,), _ = live.settle(SETTLE_S)
    assert attempt.signature.id == "loader.libstdcxx-missing"


def test_what_has_ended_before_is_passed_over(tmp_path, known):
    live = Stream(known, Overrides())
    fed(live, tables(tmp_path, line=TRACEBACK), 0.0)
    live.pass_over(0)
    assert live.due is None
    fed(live, tables(tmp_path, line=TRACEBACK), 5.0)
    assert live.settle(5.0 + SETTLE_S) == ((), ())


def test_what_is_given_up_is_forgotten_and_nothing_else(tmp_path, known):
    live = Stream(known, Overrides())

    def about(table, unit):
        return table.set_column(
            table.schema.get_field_index("unit"), "unit", pa.array([unit] * len(table), pa.string()).dictionary_encode()
        )

    line = list(tables(tmp_path, 1, line="INFO: loaded 7 modules"))[1]
    fed(live, [about(line, None), about(line, "b.service"), *tables(tmp_path, line=TRACEBACK)], 0.0)
    assert {unit.unit for unit in live.give_up()} == {"a.service"}
    assert live._held["unit"].to_list() == [None, "b.service"]
    assert live.due is None


def test_restarts_are_known_at_once(tmp_path, known):
    (table,) = tables(tmp_path, restarts=3)
    facts = Stream(known, Overrides()).feed(table, 0.0)
    restarts = [(one.unit.unit, one.counter) for one in facts.statements if one.kind == "restart"]
    assert restarts == [("a.service", 1), ("a.service", 2), ("a.service", 3)]
    assert [boot.host for boot in facts.boots] == ["hydra"]


def test_an_error_of_a_service_that_keeps_running_is_reported_after_a_moment(tmp_path, known):
    live = Stream(known, Overrides())
    for table in list(tables(tmp_path, 1, line=TRACEBACK))[:2]:  # started, and its line
        live.feed(table, 0.0)
    assert live.settle(NONFATAL_S / 2) == ((), ())
    ((), (error,)) = live.settle(NONFATAL_S)
    assert (error.unit.unit, error.signature.id) == ("a.service", "loader.libstdcxx-missing")
    assert live.due is None


def test_an_error_that_ends_the_service_at_once_is_not_nonfatal(tmp_path, known):
    live = Stream(known, Overrides())
    for table in tables(tmp_path, line=TRACEBACK, restarts=0):
        live.feed(table, 0.0)
    (end,), nonfatal = live.settle(NONFATAL_S)
    assert (end.attempt.outcome, nonfatal) == ("failed", ())


def test_lines_that_were_seen_make_no_more_work(tmp_path, known):
    live = Stream(known, Overrides())
    first, again = list(tables(tmp_path, 1, line="Error: no route to 10.0.0.7"))[:2]
    live.feed(first, 0.0)
    live.feed(again, 0.0)
    live.settle(NONFATAL_S)
    live.feed(again, 10.0)
    assert live.due is None


def test_ordinary_lines_make_no_work(tmp_path, known):
    live = Stream(known, Overrides())
    for table in list(tables(tmp_path, 1, line="INFO: loaded 7 modules"))[1:2]:
        live.feed(table, 0.0)
    assert live.due is None


def played(journal, stream, every=10.0):
    """Feed a journal line by line at the times of its boot clock; return the ends."""
    ended = []
    for fields in journal.lines:
        at = int(fields["__MONOTONIC_TIMESTAMP"]) / 1e6
        while stream.due is not None and stream.due < at:
            ended += stream.settle(stream.due)[0]
        for table in read_json(iter([json.dumps(fields).encode() + b"\n"]), "live", DamageLog("live")):
            stream.feed(table, at)
        stream._forget(at)
    return ended + list(stream.settle(at + every)[0])


def test_attempts_without_invocation_ids_are_reported_once_each(known):
    journal = Journal()
    for _ in range(12):  # 85 s: more than KEEP_OTHERS_S
        fails_219(journal)
    ended = played(journal, Stream(known, Overrides()))
    assert [(end.attempt.outcome, end.signature.id) for end in ended] == [("failed", "python.module-missing")] * 12


def test_a_long_attempt_without_invocation_ids_keeps_its_lines(known):
    journal = Journal()
    plain_line(journal, "Started App.", "started", RESULT="done")
    journal.now += 600_000_000
    fails_219(journal)
    assert [end.signature.id for end in played(journal, Stream(known, Overrides()))] == ["python.module-missing"]


def test_lines_that_carry_the_id_of_an_attempt_reported_before_are_kept(known):
    journal = Journal()
    for n in range(5):
        journal.manager("started", f"r{n}")
        journal.writes("r0", "ImportError: libstdc++.so.6: cannot open shared object file", pid=100 + n, after=60)
        journal.manager("exit", f"r{n}", after=30, EXIT_CODE="exited", EXIT_STATUS="1", COMMAND="ExecStart")
        journal.manager("failed", f"r{n}", UNIT_RESULT="exit-code")
        journal.manager("restart", f"r{n}", after=10, N_RESTARTS=str(n + 1))
    ended = played(journal, Stream(known, Overrides()))
    assert [end.signature.id for end in ended] == ["loader.libstdcxx-missing"] * 5


def test_a_failure_while_stopping_has_a_class(known):
    journal = Journal()
    journal.manager("started", "r1")
    journal.manager("stopping", "r1", after=60, JOB_TYPE="stop")
    journal.dies("r1", status=127)
    journal.manager("stopped", "r1", JOB_TYPE="stop")
    (end,) = played(journal, Stream(known, Overrides()))
    assert (end.attempt.outcome, end.signature.id) == ("stopped", "exit:exit-code/127")
