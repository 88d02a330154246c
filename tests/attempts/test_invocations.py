"""Which run a line belongs to: by its invocation id, its process, its stream, and by what can have happened."""

from __future__ import annotations

from forensics.assembly import assemble
from tests.attempts.building import Journal, frames, only


def test_the_same_invocation_id_on_two_hosts_is_two_attempts() -> None:
    journals = [Journal(host="a", boot="ba"), Journal(host="b", boot="bb")]
    for journal in journals:
        journal.fails("r1", counter=1)
    made = assemble(frames(journals))
    assert made.attempts["host"].to_list() == ["a", "b"]
    assert made.restarts["attempt"].to_list() == [0, 1]


def test_a_user_managers_unit_is_kept_apart_from_the_systems() -> None:
    journal = Journal()
    journal.fails("r1", counter=1)
    for kind, fields in (
        ("started", {}),
        ("exit", {"EXIT_CODE": "exited", "EXIT_STATUS": "1", "COMMAND": "ExecStart"}),
        ("failed", {"UNIT_RESULT": "exit-code"}),
        ("restart", {"N_RESTARTS": "1"}),
    ):
        line = journal.manager(kind, "", **fields)
        del line["UNIT"], line["INVOCATION_ID"]
        line |= {
            "_PID": "593",
            "USER_UNIT": "app.service",
            "USER_INVOCATION_ID": "r2",
            "_SYSTEMD_UNIT": "user@1000.service",
            "_SYSTEMD_USER_UNIT": "init.scope",
            "_SYSTEMD_OWNER_UID": "1000",
        }
        journal.lines[-1] = line
    made = assemble(journal.frame())
    assert list(made.attempts.select("manager", "invocation", "outcome").iter_rows()) == [
        ("system", "r1", "failed"),
        ("user:1000", "r2", "failed"),
    ]
    assert made.restarts["lost"].to_list() == [False, False]


def test_a_service_cannot_speak_with_the_managers_voice() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.manager("restart", "r1", N_RESTARTS="500")
    journal.lines[-1] |= {"_PID": "99", "_SYSTEMD_UNIT": "app.service", "_SYSTEMD_INVOCATION_ID": "r1"}
    made = assemble(journal.frame())
    assert made.restarts.is_empty()
    assert only(made.attempts)["outcome"] == "running"


def test_lines_without_an_id_go_to_the_run_of_their_process_else_to_the_open_one() -> None:
    journal = Journal()
    journal.fails("r1", counter=1)
    journal.manager("started", "r2")
    journal.writes("r2", "known", pid=5)
    journal.writes("", "same process", pid=5)
    journal.writes("", "unknown process", pid=6)
    journal.dies("r2")
    journal.manager("restart", "r2", N_RESTARTS="2")
    journal.writes("", "first words of the third", pid=7)
    journal.writes("", "left-over child of the second", pid=5)
    journal.fails("r3")
    made = assemble(journal.frame()).attempts
    assert made["lines"].to_list() == [0, 4, 1]


def test_dropped_lines_are_counted_for_the_run_that_wrote_them() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.add(
        1,
        {
            "_PID": "7",
            "_TRANSPORT": "driver",
            "MESSAGE_ID": "a596d6fe7bfa4994828e72309e95d61e",
            "MESSAGE": "Suppressed 125 messages from app.service",
            "N_DROPPED": "125",
            "OBJECT_SYSTEMD_UNIT": "app.service",
            "OBJECT_SYSTEMD_INVOCATION_ID": "r1",
            "_SYSTEMD_UNIT": "systemd-journald.service",
        },
    )
    attempt = only(assemble(journal.frame()).attempts)
    assert (attempt["lost"], attempt["lines"]) == (125, 0)


def test_a_line_with_the_id_of_the_next_run_before_the_end_of_this_one_is_this_ones() -> None:
    journal = Journal()
    journal.manager("started", "r1")
    journal.writes("r2", "last words of the first", pid=5)
    journal.dies("r1")
    journal.manager("restart", "r1", N_RESTARTS="1")
    journal.writes("r2", "first words of the second, before it is called started", pid=6)
    journal.manager("started", "r2")
    journal.writes("r2", "last words of the second", pid=6)
    journal.writes("r1", "a child of the first that is left over", pid=5)
    journal.dies("r2")
    made = assemble(journal.frame())
    said = made.events.filter(made.events["kind"] == "line").select("attempt", "text")
    assert list(said.iter_rows()) == [
        (0, "last words of the first"),
        (0, "a child of the first that is left over"),
        (1, "first words of the second, before it is called started"),
        (1, "last words of the second"),
    ]
    assert made.attempts["lines"].to_list() == [2, 2]
