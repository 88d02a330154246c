"""`remedy` answers in sentences with defined exit codes, whatever is there."""

import pytest

from forensics.guard.remedy.ledger import Cause, Start, file_of, locked, write_cause
from tests.cli.running import assert_one_sentence, run
from tests.guard.remedy.host import DECLARED, ONESHOT, SERVICE

UNIT, CLASS = "app.service", "torch.abi-mismatch"


def recorded(host, **fields):
    with locked(host.records):
        write_cause(host.records, Cause(UNIT, CLASS, (Start("rebuild.service", 1_800_000_000.0, "0123456789abcdef", **fields),)))


@pytest.mark.parametrize(
    ("changed", "words", "reason"),
    [
        ({"Type": "simple"}, "rebuild.service has Type=simple", "its end would not be seen"),
        ({"RemainAfterExit": "yes"}, "has RemainAfterExit=yes", "a second start does nothing"),
        ({"Restart": "on-failure"}, "has Restart=on-failure", "systemd would run it again"),
        ({"LoadState": "masked"}, "rebuild.service is masked", "it cannot be started"),
        ({"LoadState": "not-found"}, "rebuild.service does not exist", "there is none"),
        ({"LoadState": "bad-setting"}, "is not loaded (bad-setting)", "systemd refuses it"),
        ({"Wants": "app.service"}, "rebuild.service starts app.service", "it would start what fails"),
        ({"OnSuccess": "x.timer app.service"}, "rebuild.service starts app.service", "it would start what fails, later"),
    ],
)
def test_an_unsound_remedy_is_named_and_never_started(host, changed, words, reason):
    host.unit("rebuild.service", ONESHOT | changed)
    done = run("remedy", "check", "--user")
    assert (done.returncode, words in done.stdout) == (3, True), reason
    assert_one_sentence(run("remedy", "run", "--user", UNIT, CLASS), 3, words)
    assert host.started == []


def test_a_remedy_that_leads_back_over_others_is_found(host):
    host.unit("rebuild.service", ONESHOT | {"Wants": "a.service network.target"})
    host.unit("a.service", {"Requires": "b.service rebuild.service"})
    host.unit("b.service", {"OnFailure": "a.service app.service"})
    assert "rebuild.service starts app.service" in run("remedy", "check", "--user").stdout


@pytest.mark.parametrize(
    ("text", "state", "code", "words"),
    [
        (DECLARED, SERVICE, 0, "1 remedy OK."),
        (DECLARED, {"LoadState": "masked"}, 3, "app.service is masked"),
        (DECLARED.replace("app.service", "app*"), {"LoadState": "masked"}, 0, "1 remedy OK."),
        (DECLARED.replace("rebuild", "app"), ONESHOT, 3, "is itself a unit that it is declared for"),
        ("", SERVICE, 0, "0 remedies OK."),
    ],
)
def test_what_is_declared_is_checked(host, text, state, code, words):
    host.declare(text)
    host.unit("app.service", state)
    done = run("remedy", "check", "--user")
    assert (done.returncode, words in done.stdout) == (code, True)


def test_without_a_service_manager_nothing_is_started_and_the_code_is_4(host):
    (host.folder / "bin/systemctl").write_text("#!/bin/sh\necho 'System has not been booted with systemd' >&2; exit 1\n")
    assert_one_sentence(run("remedy", "check", "--user"), 4, "not been booted")
    assert_one_sentence(run("remedy", "run", "--user", UNIT, CLASS), 4, "not been booted")
    assert not host.records.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", UNIT, "gpu.vram-exhausted"), 2, "No remedy is declared"),
        (("run", "a/b", CLASS), 2, "is not the name of a service"),
        (("check", "--config", "/nowhere.toml"), 2, "/nowhere.toml"),
        (("run", UNIT, CLASS, "--config", "/nowhere.toml"), 2, "/nowhere.toml"),
    ],
)
def test_a_mistake_is_one_sentence(host, arguments, code, words):
    assert_one_sentence(run("remedy", arguments[0], "--user", *arguments[1:]), code, words)


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({}, "its end is not recorded"),
        ({"outcome": "done", "held": True}, "done, the unit held"),
        ({"outcome": "done"}, "done, not known to have held"),
        ({"outcome": "timed-out"}, "timed-out"),
    ],
)
def test_the_list_has_what_is_declared_and_what_was_started(host, fields, end):
    recorded(host, **fields)
    assert run("remedy", "list", "--user").stdout.splitlines() == [
        "Declared:",
        "  torch.abi-mismatch of app.service: rebuild.service, within 1800 s",
        "Started:",
        f"  2027-01-15 08:00:00 UTC rebuild.service for torch.abi-mismatch of app.service (environment 0123456789ab): {end}",
    ]


def test_a_damaged_record_is_named_and_can_be_forgotten(host):
    recorded(host)
    file_of(host.records, UNIT, CLASS).write_text("{")
    done = run("remedy", "list", "--user")
    assert (done.returncode, "is damaged" in done.stderr, done.stdout.endswith("Started:\n  none\n")) == (4, True, True)
    assert run("remedy", "forget", "--user", UNIT, CLASS).stdout == "The remedy for torch.abi-mismatch of app.service may run again.\n"
    assert run("remedy", "forget", "--user", UNIT, CLASS).stdout == "Nothing is recorded about this cause.\n"


def test_control_characters_of_a_class_are_not_shown(host):
    host.declare(DECLARED.replace("torch.abi-mismatch", "*"))
    host.unit("rebuild.service", {"LoadState": "masked"})
    done = run("remedy", "run", "--user", UNIT, "x\x1b[31my")
    assert (done.returncode, "\x1b" in done.stderr) == (3, False)
