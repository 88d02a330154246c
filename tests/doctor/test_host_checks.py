"""What is found out about the host itself: clock, disk, libraries, gates."""

import pytest

from forensics.doctor import Host
from forensics.doctor.checks import clock, disk, gates, programs
from forensics.guard.gate.state import GateState, write_state
from forensics.guard.systemctl import Manager
from forensics.policy.breaker import Breaker
from tests.doctor.trees import host


@pytest.mark.parametrize(("files", "status"), [({"run/systemd/timesync/synchronized": ""}, "ok"), ({}, "unknown")])
def test_the_clock_of_a_copy(tmp_path, files, status):
    assert clock.check(host(tmp_path, files)).status == status


def test_the_clock_of_this_kernel_is_judged():
    assert clock.check(Host(now=0.0)).status in {"ok", "problem"}  # adjtimex answers everywhere


@pytest.mark.parametrize(("share", "status"), [(0.0, "ok"), (1.01, "problem")])
def test_disk_space(tmp_path, monkeypatch, share, status):
    monkeypatch.setattr(disk, "LEAST_SHARE", share)
    monkeypatch.setattr(disk, "LEAST_BYTES", 0)
    found = disk.check(Host(now=0.0, store=tmp_path / "not/yet/there"))
    assert (found.status, "MB free" in found.found) == (status, True)


def test_a_library_that_is_damaged_is_named(monkeypatch):
    assert programs.check(Host(now=0.0)).status == "ok"
    monkeypatch.setattr(programs, "NEEDED", {"no_such_library": "reports"})
    found = programs.check(Host(now=0.0))
    assert (found.status, "no_such_library (reports): ModuleNotFoundError" in found.found) == ("problem", True)


@pytest.mark.parametrize(
    ("states", "status", "words"),
    [
        ({}, "ok", "no gate has acted since the boot"),
        ({"a.service": "closed"}, "ok", "1 gate, none open"),
        (
            {"a.service": "closed", "b.service": "open", "c.service": "held"},
            "problem",
            "a gate is not closed: b.service (open), c.service (held)",
        ),
    ],
)
def test_gates(tmp_path, monkeypatch, states, status, words):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    manager = Manager(is_users=True)
    (manager.runtime_directory / "gate").mkdir(parents=True)
    for unit, state in states.items():
        write_state(manager, unit, GateState(Breaker(state=state)))
    found = gates.check(Host(now=0.0, manager=manager))
    assert (found.status, words in found.found) == (status, True), found


def test_a_damaged_gate_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "tabby-forensics/gate"
    folder.mkdir(parents=True)
    (folder / "a.service.json").write_text("{")
    found = gates.check(Host(now=0.0, manager=Manager(is_users=True)))
    assert (found.status, found.found) == ("problem", "the gate had trouble: a.service")
