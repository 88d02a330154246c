"""What a unit's properties mean for it being active and the same as before."""

import subprocess
import time
from dataclasses import replace

import pytest

from forensics.guard.systemctl import Manager, NoManagerError
from forensics.guard.verify import unit as module
from forensics.guard.verify.unit import SHOWN, State, awaited, difference, held_check, unit_check

ACTIVE = State("loaded", "active", "running", "success", "", "simple", "10", "0", "a" * 32, "/system.slice/a.service", "", "")
LOOPING = replace(ACTIVE, active="activating", sub="auto-restart", result="exit-code")
GONE = replace(ACTIVE, pid="0", invocation="", group="")

STATES = [
    (ACTIVE, "ok", "a.service is active (running), pid 10, 0 restarts", "running"),
    (replace(ACTIVE, sub="exited", pid="0", kind="oneshot"), "ok", "a.service is active (exited), 0 restarts", "RemainAfterExit="),
    (replace(GONE, active="inactive", sub="dead"), "failed", "inactive (dead)", "stopped"),
    (
        replace(GONE, active="failed", sub="failed", result="oom-kill", restarts="4"),
        "failed",
        "after 4 restarts, with the result oom-kill",
        "failed",
    ),
    (replace(GONE, loaded="not-found", active="inactive", sub="dead"), "unknown", "there is no unit a.service here", "not there"),
    (replace(GONE, loaded="masked", active="inactive", sub="dead"), "failed", "is masked", "masked"),
    (replace(ACTIVE, loaded="masked"), "ok", "is active (running)", "masked while it runs"),
    (replace(GONE, loaded="bad-setting", active="inactive", sub="dead"), "failed", "a setting that systemd refuses", "broken"),
    (LOOPING, "failed", "activating (auto-restart) still", "between restarts when the time was over"),
    (
        replace(GONE, active="inactive", sub="dead", triggers="a.socket"),
        "unknown",
        "a.socket starts it",
        "sleeps until its socket is asked",
    ),
    (replace(GONE, active="failed", sub="failed", triggers="a.socket"), "failed", "is failed", "its socket does not excuse a failure"),
    (replace(GONE, active="inactive", sub="dead", kind="oneshot", invocation="b" * 32), "unknown", "oneshot", "a job that has ended"),
    (replace(GONE, active="inactive", sub="dead", kind="oneshot"), "failed", "inactive", "a job that never started"),
]


@pytest.mark.parametrize(("state", "outcome", "words", "reason"), STATES, ids=[case[-1] for case in STATES])
def test_whether_it_is_active(state, outcome, words, reason):
    check = unit_check("a.service", state)
    assert (check.outcome, words in check.evidence) == (outcome, True), (reason, check.evidence)


@pytest.mark.parametrize(
    ("now", "words", "reason"),
    [
        (ACTIVE, "", "the same"),
        (replace(ACTIVE, active="reloading", sub="reload"), "", "a reload keeps the process"),
        (replace(ACTIVE, restarts="2", pid="12", invocation="b" * 32), "systemd restarted it: 2 restarts since", "Restart="),
        (replace(ACTIVE, pid="12", invocation="b" * 32), "started anew, not by its Restart=", "systemctl restart"),
        (replace(ACTIVE, pid="12"), "changed from pid 10 to pid 12", "another main process of the same invocation"),
        (replace(LOOPING, restarts="1"), "activating (auto-restart) now, with the result exit-code, after 1 restart", "it loops"),
        (replace(GONE, active="failed", sub="failed", result="signal"), "failed (failed) now, with the result signal", "it died"),
        (replace(ACTIVE, restarts=""), "", "a version without NRestarts="),
    ],
)
def test_whether_it_is_the_same(now, words, reason):
    assert (words in difference(ACTIVE, now)) if words else not difference(ACTIVE, now), reason


@pytest.fixture
def shown(monkeypatch):
    """States that systemctl gives one after the other, the last one again and again."""
    states = []

    def show(_, unit, *names):
        state = states.pop(0) if len(states) > 1 else states[0]
        if state is None:
            raise NoManagerError("systemd does not answer.")
        return {name: getattr(state, field) for name, field in SHOWN.items()}

    monkeypatch.setattr(Manager, "show", show)
    return states


def test_it_is_waited_for_while_it_starts(shown):
    starting = replace(ACTIVE, active="activating", sub="start")
    shown += [replace(GONE, active="inactive", sub="dead", job="17"), starting, starting, ACTIVE]
    assert awaited(Manager(), "a.service", time.monotonic() + 20) == ACTIVE


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ([LOOPING, replace(LOOPING, restarts="3")], "a loop is not waited for"),
        ([replace(GONE, active="failed")], "nor a failure"),
    ],
)
def test_what_will_not_start_is_not_waited_for(shown, states, reason):
    shown += states
    assert awaited(Manager(), "a.service", time.monotonic() + 20) == states[-1], reason
    assert len(shown) == 1


def test_a_check_inside_the_unit_does_not_wait_for_itself(shown, monkeypatch):
    monkeypatch.setattr(module, "cgroup_of", lambda _: f"{ACTIVE.group}/control")
    starting = replace(ACTIVE, active="activating", sub="start-post")
    shown += [starting]
    assert awaited(Manager(), "a.service", time.monotonic() + 600) == starting
    check = unit_check("a.service", starting)
    assert (check.outcome, "runs inside it" in check.evidence) == ("unknown", True)


def test_the_wait_is_bounded(shown):
    shown += [LOOPING]
    assert awaited(Manager(), "a.service", time.monotonic() + 0.5) == LOOPING


@pytest.fixture
def process():
    with subprocess.Popen(["sleep", "60"]) as sleeping:
        yield sleeping
        sleeping.kill()


def test_a_process_that_ends_is_noticed_at_once(shown, process):
    state = replace(ACTIVE, pid=str(process.pid))
    shown += [replace(GONE, active="failed", sub="failed", result="signal")]

    glances = []

    def ends(*passed):
        glances.append(passed)
        process.kill()
        process.wait()

    check = held_check(Manager(), "a.service", state, 30, ends)
    assert (check.outcome, "failed (failed) now, with the result signal" in check.evidence) == ("failed", True)
    assert glances == [(0, 30), (1, 1)], "the first glance after its end finds it, and the bar is finished"


def test_a_process_that_stays_has_held(shown, process):
    state = replace(ACTIVE, pid=str(process.pid))
    shown += [state]
    passed = []
    check = held_check(Manager(), "a.service", state, 1, lambda done, total: passed.append((done, total)))
    assert (check.outcome, check.evidence) == ("ok", f"the same process (pid {process.pid}) for 1 s")
    assert passed[-1] == (1, 1)


def test_a_manager_that_does_not_answer_at_the_end_cannot_be_told(shown):
    shown += [None]
    assert held_check(Manager(), "a.service", ACTIVE, 0, None).outcome == "unknown"
