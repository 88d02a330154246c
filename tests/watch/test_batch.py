"""What a batch of entries shows without assembling, and who may state it."""

import pytest

from forensics.model.values import UnitKey
from forensics.watch.batch import LoggedLines, facts_of
from tests.attempts.building import Journal

APP = UnitKey("h", "system", "app.service")


def facts(journal):
    return facts_of(journal.frame(), LoggedLines(), 100)


def test_the_managers_statements_are_taken_at_once():
    journal = Journal()
    journal.manager("started", "r1")
    journal.dies("r1")
    journal.manager("restart", "r1", N_RESTARTS="3")
    journal.manager("stopped", "r1", JOB_TYPE="restart")
    journal.manager("stopped", "r1", JOB_TYPE="stop")
    shown = facts(journal)
    assert [(one.kind, one.invocation, one.counter, one.asks_to_stop, one.number) for one in shown.statements] == [
        ("started", "r1", None, False, 100),
        ("exit", "r1", None, False, 101),
        ("failed", "r1", None, False, 102),
        ("restart", "r1", 3, False, 103),
        ("stopped", "r1", None, False, 104),
        ("stopped", "r1", None, True, 105),
    ]
    assert {one.unit for one in shown.statements} == {APP}
    assert shown.ending == {APP}
    assert [(boot.machine, boot.host, boot.last.boot) for boot in shown.boots] == [("h", "h", "b1")]


def test_a_start_that_a_condition_skipped_is_no_start():
    journal = Journal()
    journal.manager("started", text="app.service was skipped because of an unmet condition check (ConditionPathExists=/x).")
    assert [one.kind for one in facts(journal).statements] == ["skipped"]


@pytest.mark.parametrize("kind", ["restart", "started", "stopped", "exit"])
def test_a_service_cannot_speak_with_the_managers_voice(kind):
    journal = Journal()
    fields = {"N_RESTARTS": "500", "JOB_TYPE": "stop", "EXIT_CODE": "exited", "EXIT_STATUS": "1", "UNIT_RESULT": "exit-code"}
    journal.manager(kind, "r1", **fields)
    journal.lines[-1] |= {"_PID": "99", "_SYSTEMD_UNIT": "app.service", "_SYSTEMD_INVOCATION_ID": "r1"}
    shown = facts(journal)
    assert (shown.statements, shown.ending) == ((), frozenset())


def test_only_journald_reports_what_it_dropped():
    journal = Journal()
    report = {
        "MESSAGE_ID": "a596d6fe7bfa4994828e72309e95d61e",
        "N_DROPPED": "125",
        "OBJECT_SYSTEMD_UNIT": "app.service",
        "_SYSTEMD_UNIT": "systemd-journald.service",
    }
    journal.add(1, {"_PID": "7", "_TRANSPORT": "driver", "MESSAGE": "Suppressed 125 messages from app.service"} | report)
    journal.add(1, {"_PID": "8", "_TRANSPORT": "journal", "MESSAGE": "forged", "_SYSTEMD_UNIT": "app.service", "N_DROPPED": "7000000"})
    assert facts(journal).dropped == 125


def test_a_line_is_new_once_whatever_its_numbers_are():
    lines, journal = LoggedLines(), Journal()
    journal.writes("r1", "request 17 of worker a7 failed", "request 18 of worker a9 failed", "all is well")
    first, again = facts_of(journal.frame(), lines), facts_of(journal.frame(), lines)
    assert (first.with_new_lines, first.with_new_errors) == ({APP}, {APP})
    assert (again.with_new_lines, again.with_new_errors) == (frozenset(), frozenset())
