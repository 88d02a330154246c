"""The headline has the service, what came before, whether anybody was alerted, and how it ended: nothing in time is called a cause."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from forensics.incidents import analyse
from forensics.incidents.in_words import ending_words, trigger_words
from forensics.model.values import Change, FixAttempt, Window
from tests.incidents.making import Tale, inputs_of

OPEN = Window(None, None)
AT = datetime(2025, 12, 7, tzinfo=UTC)


def headline(*tales, where=UTC, of=0):
    return analyse(inputs_of(*tales), OPEN, None, where).incidents[of].verdict


def ran(tale, command):
    return tale.host_says("sudo", f"luna : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/bin/{command}")


@pytest.mark.parametrize(
    ("acts", "words"),
    [
        (["kill 4711", "mv -T venv.new venv", "systemctl restart app"], "process 4711 was killed and the environment replaced"),
        (["kill 1239235", "mv -T venv.new venv"], "a left-over process was killed and the environment replaced"),
        (["/srv/venv/bin/pip install torch==2.7.1", "systemctl restart app"], "a Python package was installed"),
        (["apt install libc6", "systemctl restart app"], "a package was installed"),
        (["nano /etc/app/config.yml", "systemctl restart app"], "config.yml was changed"),
        (["rm /run/app.lock"], "app.lock was removed"),
        (["nixos-rebuild switch"], "the system was switched to another configuration"),
        (["nixos-rebuild switch --rollback"], "the system was rolled back"),
        (["chown -R app /srv"], "the access to a file was changed"),
        (["systemctl restart app"], "it was started by hand"),
        (["systemctl restart redis"], "redis was started by hand"),
        (["frobnicate it --key hunter2secret"], "frobnicate it was run"),
        (["TOKEN=hunter2secret frobnicate"], "a command was run"),
    ],
)
def test_a_fix_is_worded_by_what_it_did(acts, words):
    fix = FixAttempt(AT, "; ".join(["1 earlier action", *(f"luna ran {act}" for act in acts)]), "held", None)
    assert ending_words(fix, "app.service", {"1239235"}) == words


@pytest.mark.parametrize(
    ("kind", "summary", "words"),
    [
        ("system-switch", "system switch to nixos-system-a-25.05 (k2s0h3n7)", "a NixOS switch"),
        ("system-switch", "system switch to nixos-system-a-25.05 (k2s0h3n7) failed", "a failed NixOS switch"),
        ("operator", "luna ran nixos-rebuild switch", "a NixOS switch"),
        ("package", "luna ran apt upgrade", "a package change (apt upgrade)"),
        ("boot", "boot", "a boot"),
        ("operator", "luna ran frobnicate", "an operator's command (frobnicate)"),
        ("login", "luna logged in", ""),
    ],
)
def test_a_trigger_is_named_in_a_few_words(kind, summary, words):
    assert trigger_words(Change(AT, kind, summary, None)) == words


def test_a_loop_after_a_switch_and_an_end_by_hand():
    tale = Tale().wait(3600).host_says("nixos", "switching to system configuration /nix/store/abc-nixos-system-a-25.11").wait(40)
    ran(tale.fail(10, every=6 * 3600), "rm /run/app.lock").wait(3).automatic = False
    assert headline(tale.hold(), where=ZoneInfo("Europe/Berlin")) == (
        "app was down 2 d 12 h (10 restarts) after a NixOS switch at 02:00; nobody was alerted; it ended when app.lock was removed."
    )


def test_a_loop_without_a_trigger_has_its_cause_and_no_ending_is_made_up():
    assert headline(Tale().wait(3600).fail(3).hold()) == (
        "app was down 36 s (3 restarts): a; nobody was alerted, and no operator acted; it recovered without a fix on record."
    )


def test_what_goes_on_is_said_to_go_on_and_lost_lines_make_a_lower_bound():
    going = headline(Tale("db.service").fail(5))
    assert going.startswith("db has been down ")
    assert going.endswith("it is still going on at the end of the data.")
    assert headline(Tale().fail(3, "a").lose(9, "a").hold()).startswith(
        "app was down for at least 2 min 36 s (13 restarts or more): mostly a"
    )


def test_a_unit_that_another_kept_down_names_it():
    database, api = Tale("db.service"), Tale("api.service")
    database.hold(60).fall("disk.full", lives=2)
    api.at(database.now).block().wait(1200).hold()
    database.wait(1190).hold()
    analysis = analyse(inputs_of(database, api), OPEN)
    (dependent,) = [incident for incident in analysis.incidents if incident.caused_by]
    assert "db.service, which it needs, had failed" in dependent.verdict
    assert "because" not in dependent.verdict
