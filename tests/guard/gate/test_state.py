"""The state of a gate: whole or begun anew, whatever is in its file; one command at a time."""

import os
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import ForensicsError
from forensics.guard.gate.state import DAMAGED, GateState, directory, locked, parse_state, read_state, write_state
from forensics.guard.systemctl import Manager, NoManagerError
from forensics.policy.breaker import Breaker, Limits

UNIT = "tabbyapi.service"
OPEN = GateState(
    Breaker("open", 3, "torch.abi-mismatch", 3, 1, 600.0),
    Limits(cooldown_s=7.5),
    "An extension",
    "no",
    1.5,
    2.5,
    3.5,
    0.0,
    "a" * 32,
    "e",
    "",
)


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """A user's manager, whose directory is the test's."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return Manager(is_users=True)


def file_of(manager):
    return directory(manager) / f"{UNIT}.json"


def test_what_is_written_is_read(manager):
    with locked(manager, UNIT):
        write_state(manager, UNIT, OPEN)
    assert read_state(manager, UNIT) == OPEN


def test_without_a_file_it_is_closed(manager):
    assert read_state(manager, UNIT) == GateState()


def test_another_version_may_have_stored_less(manager):
    assert parse_state(b'{"version": 1, "breaker": {"state": "open", "failures": 3}, "limits": {}, "since": 4}') == GateState(
        Breaker("open", failures=3), since=4.0
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty: the disk was full"),
        (b"\0" * 100, "zeros: the machine lost its power"),
        (b'{"version": 1', "cut"),
        (b"[]", "no table"),
        (b'{"version": 2, "breaker": {"state": "open"}, "limits": {}}', "of a version to come"),
        (b'{"version": 1, "breaker": {"state": "ajar"}, "limits": {}}', "no such state"),
        (b'{"version": 1, "breaker": {"state": "open", "failures": -1}, "limits": {}}', "a count below 0"),
        (b'{"version": 1, "breaker": {"state": "open", "failures": "3"}, "limits": {}}', "text for a number"),
        (b'{"version": 1, "breaker": {"state": "open", "failures": true}, "limits": {}}', "a truth for a number"),
        (b'{"version": 1, "breaker": {"state": "open"}, "limits": {}, "since": NaN}', "not a number"),
        (b'{"version": 1, "breaker": {"state": "open", "cooldown_s": 1e999}, "limits": {}}', "endless"),
        (b"[" * 5000, "nested"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_damaged_file_is_a_closed_gate(content, reason):
    assert parse_state(content) == GateState(trouble=DAMAGED), reason


@given(st.binary(max_size=200))
def test_no_content_raises(content):
    parse_state(content)


@pytest.mark.parametrize("kind", ["directory", "pipe", "huge"])
def test_what_is_no_file_is_a_closed_gate(manager, kind):
    file_of(manager).parent.mkdir(parents=True)
    if kind == "huge":
        file_of(manager).write_bytes(b" " * 100_000)
    else:
        (os.mkdir if kind == "directory" else os.mkfifo)(file_of(manager))
    assert read_state(manager, UNIT) == GateState(trouble=DAMAGED)


def test_a_state_that_may_not_be_read_is_unknown(manager, monkeypatch):
    with locked(manager, UNIT):
        write_state(manager, UNIT, OPEN)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root reads everything
    with pytest.raises(NoManagerError, match="cannot be read by this user"):
        read_state(manager, UNIT)


def test_a_second_command_waits_but_not_for_ever(manager):
    order = []

    def second():
        with locked(manager, UNIT, within_s=30):
            order.append("second")

    with locked(manager, UNIT):
        with pytest.raises(ForensicsError, match="still busy"), locked(manager, UNIT, within_s=0.05):
            pass
        waiting = threading.Thread(target=second)
        waiting.start()
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_units_do_not_wait_for_each_other(manager):
    with locked(manager, UNIT), locked(manager, "other.service", within_s=0.05):
        write_state(manager, "other.service", replace(OPEN, title="other"))
    assert read_state(manager, "other.service").title == "other"
