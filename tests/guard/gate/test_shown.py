"""What a person and a program read of a gate, and the exit code that goes with it."""

import json
import sys
from dataclasses import replace

import pytest

from forensics.guard.gate import shown
from forensics.guard.gate.by_hand import Status
from forensics.guard.gate.state import GateState, locked, write_state
from forensics.guard.systemctl import Manager
from forensics.policy.breaker import Breaker
from tests.cli.running import run

UNIT = "tabbyapi.service"
AT = 1_796_000_000.0
STORED = GateState(
    Breaker("open", 3, "torch.abi-mismatch", 3, 1, 600.0), title="Extension of another PyTorch", helps="no", since=AT, probe_at=AT + 600
)
SYSTEMCTL = """#!/bin/sh
printf 'LoadState=%s\\nActiveState=%s\\nActiveEnterTimestampMonotonic=%s\\nExecStopPost=%s\\n' \\
  "${LOADED:-loaded}" "${ACTIVE:-failed}" "${ENTERED:-0}" "${STOP_POST-gate note x}"
exit ${CODE:-0}
"""


def text(status, now=AT, *, user=False):
    return shown.as_text(status, Manager(user), now)


@pytest.mark.parametrize(
    ("status", "words", "reason"),
    [
        (Status(UNIT, "open", "failed", True, STORED), "after 3 failures in a row, the last of class torch.abi-mismatch", "why"),
        (Status(UNIT, "open", "failed", True, STORED), "which no restart cures", "what the class means"),
        (Status(UNIT, "open", "failed", True, STORED), "Next try at 2026-11-30T01:03:20Z", "when"),
        (Status(UNIT, "open", "failed", True, STORED), "`tabby-forensics gate reset tabbyapi.service`", "what to do"),
        (Status(UNIT, "open", "failed", False, STORED), "does not call it now", "the drop-in was removed"),
        (Status(UNIT, "half-open", "active", True, STORED), "closes after 10 min", "what decides"),
        (Status(UNIT, "held", "inactive", True, STORED), "held down by a person", "who"),
        (Status(UNIT, "closed", "active", True, GateState(Breaker(failures=2))), "closed; 2 of 5 failures in a row", "how near"),
        (Status(UNIT, "closed", "active", True, STORED), "closed. The unit is active", "it holds, though nobody has noted that yet"),
        (Status(UNIT, "closed", "active", True, GateState(trouble="it hung")), "Note: it hung.", "trouble"),
    ],
)
def test_it_says(status, words, reason):
    assert words in text(status), reason


@pytest.mark.parametrize(("later_s", "overdue"), [(0, False), (600, False), (661, True)])
def test_a_try_that_does_not_come_is_named(later_s, overdue):
    assert ("overdue" in text(Status(UNIT, "open", "failed", True, STORED), AT + later_s)) is overdue


def test_what_the_log_said_is_harmless():
    hostile = replace(STORED, title="\x1b[2Jgone\r\npassword=hunter22hunter")
    shown_text = text(Status(UNIT, "open", "failed", True, hostile))
    assert "\x1b" not in shown_text
    assert "hunter22hunter" not in shown_text
    assert len(shown_text.splitlines()) == 3


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A user's manager that shows what the environment says, and an open gate."""
    (tmp_path / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["tabby-forensics"])

    def store(state):
        with locked(Manager(is_users=True), UNIT):
            write_state(Manager(is_users=True), UNIT, state)

    return store


@pytest.mark.parametrize(
    ("state", "environment", "code", "named", "reason"),
    [
        (STORED, {}, 3, "open", "restarts are stopped"),
        (GateState(), {"ACTIVE": "active"}, 0, "closed", "nothing has happened"),
        (STORED, {"ACTIVE": "active", "ENTERED": "1"}, 0, "closed", "it has held long ago"),
        (STORED, {"ACTIVE": "activating"}, 3, "half-open", "a person starts it"),
        (replace(STORED, breaker=Breaker("held")), {"ACTIVE": "inactive"}, 3, "held", "a person keeps it down"),
        (replace(STORED, breaker=Breaker("half-open", opened=1)), {"ACTIVE": "failed"}, 3, "half-open", "its try is being judged"),
    ],
)
def test_the_exit_code(host, monkeypatch, state, environment, code, named, reason):
    host(state)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = run("gate", "status", "--user", UNIT, "--format", "json")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (code, named), reason


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"LOADED": "not-found"}, 2, "does not exist"),
        ({"LOADED": "masked"}, 2, "is masked"),
        ({"LOADED": "bad-setting"}, 2, "has settings that systemd refuses"),
        ({"CODE": "1"}, 4, "systemd does not answer"),
        ({"STOP_POST": ""}, 4, "has no gate"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(host, monkeypatch, environment, code, words):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = run("gate", "status", "--user", UNIT)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_unit_that_does_not_exist_is_neither_reset_nor_held(host, monkeypatch):
    monkeypatch.setenv("LOADED", "not-found")
    for command in ("reset", "hold"):
        assert run("gate", command, "--user", UNIT).returncode == 2
