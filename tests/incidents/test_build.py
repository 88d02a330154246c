"""What an incident's story says: cause, classes, changes, what it cost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from forensics.incidents import analyse
from forensics.model.values import Incident, Signature, Window
from tests.incidents.making import BEGIN, Tale, inputs_of

OPEN = Window(None, None)
NIX = "/nix/store/k2s0h3n7r5l6v1-nixos-system-alpha-25.11"
SWITCH = "system switch to nixos-system-alpha-25.11 (k2s0h3n7)"


def only(tale: Tale, *others: Tale, declared=None, window=OPEN) -> Incident:
    (incident,) = analyse(inputs_of(tale, *others), window, declared).incidents
    return incident


def sudo(tale: Tale, command: str) -> Tale:
    return tale.host_says("sudo", f"luna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND={command}")


def test_the_trigger_is_the_change_just_before_the_first_failure():
    tale = Tale().hold(20).host_says("nixos", f"switching to system configuration {NIX}").wait(40).fail(5).hold()
    incident = only(tale)
    assert incident.trigger is not None
    assert incident.trigger.kind == "system-switch"
    assert incident.trigger_text == f"{SWITCH}, 40 s before the first failure"
    assert incident.trigger.evidence is not None
    assert NIX in incident.trigger.evidence.message


TRIGGERS = [
    ("nothing", lambda t: t.wait(1800), "no change found"),
    ("too long ago", lambda t: sudo(t, "/bin/x").wait(1801), "no change found"),
    ("a look", lambda t: sudo(t, "/bin/journalctl -u app").wait(60), "no change found"),
    (
        "the restart that a package led to",
        lambda t: sudo(sudo(t, "/bin/apt install y").wait(300), "/bin/systemctl restart app").wait(1),
        "luna ran apt install y, 5 min 1 s before the first failure",
    ),
    (
        "a restart long after a package",
        lambda t: sudo(sudo(t, "/bin/apt install y").wait(1500), "/bin/systemctl restart app").wait(1),
        "luna ran systemctl restart app, 1 s before the first failure",
    ),
    ("another unit's restart", lambda t: sudo(t, "/bin/systemctl restart nginx").wait(5), "no change found"),
    ("a boot", lambda t: t.reboot().wait(20), "the host booted, 20 s before the first failure"),
    (
        "only a login",
        lambda t: t.host_says("systemd-logind", "New session 5 of user luna.").wait(50),
        "luna logged in, 50 s before the first failure",
    ),
]


@pytest.mark.parametrize(("why", "before", "text"), TRIGGERS, ids=[row[0] for row in TRIGGERS])
def test_triggers(why, before, text):
    assert only(before(Tale().hold(60)).fail(5).hold()).trigger_text == text, why


def test_a_trigger_that_may_lie_before_the_data_is_a_note():
    (note,) = analyse(inputs_of(Tale().wait(60).fail(5).hold()), OPEN).notes
    assert "app.service" in note
    assert "--since" in note
    seen = sudo(Tale().wait(60), "/bin/apt install y").fail(5).hold()
    later = Tale().host_says("cron", "tick").wait(1800).fail(5).hold()
    assert analyse(inputs_of(seen), OPEN).notes == ()
    assert analyse(inputs_of(later), OPEN).notes == ()


def test_downtime_is_the_envelope_inside_the_window():
    window = Window(BEGIN - timedelta(seconds=880), BEGIN + timedelta(seconds=120))
    incident = only(Tale().fail(10).hold(), window=window)
    assert (incident.downtime_s, incident.downtime_method, incident.availability) == (120.0, "envelope", pytest.approx(0.88))
    assert only(Tale().fail(20), window=window).downtime_s == 120.0


def test_costs_are_added_up_and_unknown_cpu_is_null():
    cost = only(Tale().fail(10).hold()).cost
    assert (cost.cpu_s, cost.journal_bytes, cost.entries) == (10.0, 4000, 40)
    tale = Tale().fail(10).hold()
    for made in tale.attempts:
        made["cpu_ns"] = None
    assert only(tale).cost.cpu_s is None


def test_what_is_only_seen_beside_the_cause_has_a_row_of_its_own():
    tale = Tale().fail(6, "a").hold()
    for made in tale.attempts[1:4]:
        made["secondary"] = ["beside", "passing"]
    known = {"beside": Signature("beside", "Beside", "medium"), "passing": Signature("passing", "Passing", "low")}
    (incident,) = analyse(inputs_of(tale, signatures=known), OPEN).incidents
    assert [c.signature for c in incident.classes] == ["a"]
    (beside,) = incident.beside
    assert beside.signature == "beside"
    assert (beside.restarts, beside.secondary, beside.share) == (0, 3, 0.0)
    assert (beside.first, beside.last) == (tale.attempts[1]["ended"], tale.attempts[3]["ended"])
    assert beside.sample is not None


def test_classes_carry_what_the_catalogue_knows_and_their_evidence():
    tale = Tale().fail(6, "a").fail(2, "b").lose(3, "b")
    tale.attempts[0]["secondary"] = ["b"]
    known = Signature("a", "The thing", "critical", restart_helps=False, cause="c", remedy="r")
    analysis = analyse(inputs_of(tale, signatures={"a": known}), OPEN)
    rows = {c.signature: c for c in analysis.classes}
    assert {s: c.restarts for s, c in rows.items()} == {"a": 6, "b": 3, "journal.lost": 3}
    assert (rows["a"].title, rows["a"].restart_helps, rows["a"].share) == ("The thing", False, 0.5)
    assert (rows["b"].secondary, rows["b"].severity) == (1, "medium")
    assert rows["a"].sample is not None
    assert rows["a"].sample.message == "a"
    assert rows["journal.lost"].sample is not None
    assert rows["a"].cycle_s == 12.0
    assert analysis.restarts.lost == 3


def test_lost_restarts_are_no_main_class_however_many_they_are():
    incident = only(Tale().fail(3, "a").lose(9, "a").hold())
    assert [(c.signature, c.restarts) for c in incident.classes] == [("a", 4), ("journal.lost", 9)]
    assert [phase.primary for phase in incident.phases] == ["a"]
    assert "mostly a (31%; 69% left no line);" in incident.verdict


def test_of_classes_as_frequent_the_one_that_tells_more_is_the_main_one():
    exit_, unknown, known = "exit:exit-code/1", "mined:0123456789abcdef", "port.conflict"
    incident = only(Tale().each([exit_, unknown, known] * 3, every=12).hold())
    assert [c.signature for c in incident.classes] == [known, unknown, exit_]
    assert incident.phases[0].primary == known


def test_a_failure_without_a_label_is_named_by_its_exit():
    tale = Tale().fail(5)
    for made in tale.attempts:
        made["class"] = None
    (row,) = analyse(inputs_of(tale), OPEN).classes
    assert row.signature == "exit:exit-code/1"


def test_changes_are_shown_from_a_day_before_to_the_end_newest_first():
    tale = sudo(sudo(Tale().wait(3600), "/bin/old").wait(25 * 3600), "/bin/near").wait(3600)
    sudo(tale.fail(10), "/bin/within").wait(60)
    incident = only(sudo(tale.fail(10).hold(), "/bin/after"))
    assert [c.summary for c in incident.changes] == ["luna ran within", "luna ran near"]


def test_bins_hold_every_restart_and_are_few():
    incident = only(Tale().each(["a", "b"] * 2000, every=60))
    assert sum(b.restarts for b in incident.bins) == incident.restarts == 4000
    assert len({b.start for b in incident.bins}) <= 150
    assert incident.bin_s == 1800


def test_only_the_asked_units_restarts_are_in_the_ledger():
    made = inputs_of(Tale().fail(5), Tale("web.service").fail(7))
    only_app = [made.attempts, made.restarts]
    attempts, restarts = (frame.filter(unit="app.service") for frame in only_app)
    analysis = analyse(replace(made, attempts=attempts, restarts=restarts), OPEN)
    assert analysis.restarts.total == 5
    assert all(check.holds for check in analysis.ledger)


def test_a_restart_that_was_not_read_breaks_the_ledger():
    made = inputs_of(Tale().fail(5))
    analysis = analyse(replace(made, restarts=made.restarts.slice(1)), OPEN)
    assert [(c.expected, c.got) for c in analysis.ledger if not c.holds] == [(5, 4)]
