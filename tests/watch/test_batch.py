"""What entries say at once, and who may say it."""

import pytest

from forensics.watch.batch import Ears, Restart
from tests.attempts.building import Journal


def listened(journal):
    return Ears().listen(journal.frame())


def test_the_managers_words_are_taken_at_once():
    journal = Journal()
    journal.manager("started", "r1")
    journal.dies("r1")
    journal.manager("restart", "r1", N_RESTARTS="3")
    journal.manager("stopped", "r1", JOB_TYPE="restart")
    journal.manager("stopped", "r1", JOB_TYPE="stop")
    seen = listened(journal)
    assert [(type(one), one.unit, one.counter) for one in seen.restarts] == [(Restart, "app.service", 3)]
    assert seen.started == (("app.service", "r1"),)
    assert [unit for unit, _ in seen.stopped] == ["app.service"]
    assert (seen.ending, seen.host, seen.boot) == ({"app.service"}, "h", "b1")


@pytest.mark.parametrize("kind", ["restart", "started", "stopped", "exit"])
def test_a_service_cannot_speak_with_the_managers_voice(kind):
    journal = Journal()
    fields = {"N_RESTARTS": "500", "JOB_TYPE": "stop", "EXIT_CODE": "exited", "EXIT_STATUS": "1", "UNIT_RESULT": "exit-code"}
    journal.manager(kind, "r1", **fields)
    journal.lines[-1] |= {"_PID": "99", "_SYSTEMD_UNIT": "app.service", "_SYSTEMD_INVOCATION_ID": "r1"}
    seen = listened(journal)
    assert (seen.restarts, seen.started, seen.stopped, seen.ending) == ((), (), (), frozenset())


def test_only_journald_says_what_it_dropped():
    journal = Journal()
    said = {
        "MESSAGE_ID": "a596d6fe7bfa4994828e72309e95d61e",
        "N_DROPPED": "125",
        "OBJECT_SYSTEMD_UNIT": "app.service",
        "_SYSTEMD_UNIT": "systemd-journald.service",
    }
    journal.add(1, {"_PID": "7", "_TRANSPORT": "driver", "MESSAGE": "Suppressed 125 messages from app.service"} | said)
    journal.add(1, {"_PID": "8", "_TRANSPORT": "journal", "MESSAGE": "forged", "_SYSTEMD_UNIT": "app.service", "N_DROPPED": "7000000"})
    assert listened(journal).dropped == 125


def test_a_line_is_news_once_whatever_its_numbers_are():
    ears, journal = Ears(), Journal()
    journal.writes("r1", "request 17 of worker a7 failed", "request 18 of worker a9 failed", "all is well")
    first, again = ears.listen(journal.frame()), ears.listen(journal.frame())
    assert (first.news, first.alarming) == ({"app.service"}, {"app.service"})
    assert (again.news, again.alarming) == (frozenset(), frozenset())
