"""`ladder` on a user's service manager: what a start gets after what the journal shows of the one before."""

import json
import time

import pytest

from forensics.guard.gate.state import GateState, directory, write_state
from forensics.guard.ladder.choosing import settled, time_left
from forensics.guard.ladder.last_attempt import boot_id, patterns
from forensics.guard.ladder.profiles import GIB, Ladder, Profile
from forensics.guard.systemctl import Manager
from forensics.model.systemd import UNIT_FAILURE_RESULT, UNIT_SUCCESS
from forensics.policy.breaker import Breaker
from tests.cli.running import assert_one_sentence, run
from tests.guard.remedy.host import Host

UNIT = "app.service"
PROFILES = """wait = "0s"
[[profile]]
name = "70b"
gib = 24
environment = { MODEL = "70b $HOME" }
[[profile]]
name = "14b"
gib = 10
environment = { MODEL = "14b" }
"""
LACKED = "torch.OutOfMemoryError: CUDA out of memory. Tried to\nallocate 2.00 GiB. GPU 0 has a total capacity of 23.65 GiB"


@pytest.fixture
def host(tmp_path, monkeypatch):
    made = Host(tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    made.unit(UNIT, {"InvocationID": "new"})
    folder = tmp_path / "CONFIG_HOME/tabby-forensics/ladder"
    folder.mkdir(parents=True)
    (folder / f"{UNIT}.toml").write_text(PROFILES)
    free(made, 30)
    return made


def free(host, gib):
    program = host.folder / "bin/nvidia-smi"
    program.write_text(f"#!/bin/sh\necho 0, GPU-a, {gib * 1024}\n")
    program.chmod(0o755)


def logged(host, *entries, invocation="old"):
    """What the journal has of the attempt before, from a second after its profile was chosen."""
    lines, at = [], time.clock_gettime(time.CLOCK_MONOTONIC) + 1
    for number, (after_s, fields) in enumerate(entries):
        place = {"__MONOTONIC_TIMESTAMP": str(int((at + after_s) * 1e6 + number)), "_BOOT_ID": boot_id(), "INVOCATION_ID": invocation}
        lines.append(json.dumps(place | fields))
    (host.folder / "journal").write_text("\n".join(lines) + "\n")


def choose(host):
    done = run("ladder", "choose", "--user", UNIT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def variables(host):
    return (host.folder / "RUNTIME_DIR/tabby-forensics/ladder" / f"{UNIT}.env").read_text()


FAILURE = {"MESSAGE_ID": UNIT_FAILURE_RESULT, "MESSAGE": "app.service: Failed with result 'exit-code'."}
GOOD_END = {"MESSAGE_ID": UNIT_SUCCESS, "MESSAGE": "app.service: Deactivated successfully."}


@pytest.mark.parametrize(
    ("entries", "expected", "reason"),
    [
        ([(1, {"MESSAGE": LACKED}), (2, FAILURE)], "14b", "it failed for want of memory, in a line that was wrapped"),
        ([(1, {"MESSAGE": LACKED}), (2, GOOD_END)], "70b", "it logged that and went on, until somebody stopped it"),
        ([(1, {"MESSAGE": "KeyError: 'x'"}), (2, FAILURE)], "70b", "it failed for another reason"),
        ([(1, {"MESSAGE": [67, 85]}), (1, {"MESSAGE": None}), (2, FAILURE)], "70b", "lines that are not text"),
        ([], "70b", "the journal has nothing"),
    ],
)
def test_what_the_last_attempt_logged_decides(host, entries, expected, reason):
    assert "profile 70b (1 of 2, 24.0 GiB): 30.0 GiB free; the first that fits." in choose(host)
    logged(host, *entries)
    assert f"profile {expected} " in choose(host), reason


@pytest.mark.parametrize(
    ("signature", "after_s", "expected", "reason"),
    [
        ("gpu.vram-exhausted", 5, "14b", "the gate named it, although the journal has nothing"),
        ("torch.abi-mismatch", 5, "70b", "the gate named another"),
        ("gpu.vram-exhausted", -5, "70b", "that was before the last choice"),
        ("", 5, "70b", "the gate named none"),
    ],
)
def test_what_the_gate_named_decides(host, signature, after_s, expected, reason):
    choose(host)
    noted = time.clock_gettime(time.CLOCK_MONOTONIC) + after_s
    directory(Manager(is_users=True)).mkdir()
    write_state(Manager(is_users=True), UNIT, GateState(Breaker(failures=3, signature=signature), noted=noted))
    assert f"profile {expected} " in choose(host), reason


def test_the_lines_of_the_start_under_way_are_not_of_the_last_attempt(host):
    choose(host)
    logged(host, (1, {"MESSAGE": LACKED}), (2, FAILURE), invocation="new")
    assert "profile 70b " in choose(host)


def test_higher_after_a_hold_or_by_hand(host):
    choose(host)
    logged(host, (1, {"MESSAGE": LACKED}), (2, FAILURE))
    choose(host)
    assert run("ladder", "status", "--user", UNIT).returncode == 3
    logged(host, (700, GOOD_END))
    assert "profile 14b (2 of 2, 10.0 GiB): 30.0 GiB free; 70b did not fit into 30.0 GiB." in choose(host)
    assert run("ladder", "up", "--user", UNIT).stdout == "app.service gets 70b at its next start, if it fits.\n"
    assert "chosen by hand" in choose(host)
    assert run("ladder", "status", "--user", UNIT).stdout == "70b: 24.0 GiB – the last start\n14b: 10.0 GiB – the last that held\n"
    assert run("ladder", "up", "--user", UNIT).stdout == "app.service has no larger profile.\n"


def test_after_a_reset_the_largest_that_fits(host):
    free(host, 12)
    assert "profile 14b" in choose(host)
    free(host, 30)
    assert "profile 14b" in choose(host)
    assert run("ladder", "reset", "--user", UNIT).returncode == 0
    assert "profile 70b" in choose(host)
    assert variables(host) == 'MODEL="70b \\$HOME"\n'


def test_a_mistake_in_the_file_leaves_the_variables_of_last_time(host):
    choose(host)
    (host.folder / "CONFIG_HOME/tabby-forensics/ladder" / f"{UNIT}.toml").write_text("[[profile]]\n")
    done = run("ladder", "choose", "--user", UNIT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("INFO: tabby-forensics ladder: no profile is chosen, the variables of last time stay: 2 mistakes in")
    assert "70b" in variables(host)


def test_a_damaged_record_is_named_and_counts_as_none(host):
    choose(host)
    record = host.folder / "STATE_HOME/tabby-forensics/ladder" / f"{UNIT}.json"
    record.write_text(record.read_text()[:-20])
    assert "profile 70b (1 of 2, 24.0 GiB): 30.0 GiB free; the first that fits; what was known of the unit was damaged." in choose(host)


def test_a_choice_that_cannot_be_remembered_is_made_all_the_same(host):
    (host.folder / "STATE_HOME").write_text("")
    assert choose(host).endswith("the first that fits; it could not be remembered (Not a directory).\n")
    assert "70b" in variables(host)


@pytest.mark.parametrize(
    ("timeout", "expected"), [("1min 30s", 40.0), ("10s", 5.0), ("infinity", 40.0), ("", 40.0), ("0", 40.0), ("1min 19.999s", 39.9995)]
)
def test_a_choice_takes_at_most_half_of_the_time_for_a_start(host, timeout, expected):
    host.unit(UNIT, {"TimeoutStartUSec": timeout})
    assert time_left(Manager(is_users=True), UNIT) == expected


def test_without_a_file_it_is_one_sentence(host):
    assert_one_sentence(run("ladder", "status", "--user", "other"), 2, "other.service.toml")
    assert_one_sentence(run("ladder", "up", "--user", "a/b"), 2, "is not the name of a service")
    assert run("ladder", "choose", "--user", "other").returncode == 2


def test_its_line_in_the_units_log_explains_no_failure(host):
    lines = [choose(host)]
    logged(host, (1, {"MESSAGE": LACKED}), (2, FAILURE))
    lines.append(choose(host))
    for line in lines:
        end = "Nov 27 10:00:01 h systemd[1]: app.service: Main process exited, code=exited, status=1/FAILURE\n"
        explained = run("explain", "-", input=f"Nov 27 10:00:00 h env[10]: {line}{end}")
        assert "exit:exit-code/1" in explained.stdout, line


@pytest.mark.parametrize(
    ("free_gib", "expected", "asked", "reason"),
    [
        ([30], 30, 1, "enough at once"),
        ([5, 5, 12, 20, 26, 26], 26, 5, "an ended process gives it back little by little"),
        ([5] * 30, 5, 6, "nothing is freed for 5 s: somebody else needs it"),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], 11, 11, "for `wait` seconds at most"),
        ([5, None, None, 30], 30, 4, "one answer is missing"),
        ([None], None, 1, "not known"),
    ],
)
def test_memory_that_is_being_freed_is_waited_for(free_gib, expected, asked, reason):
    answers, count = iter(free_gib), []
    ladder = Ladder((Profile("p", (24 * GIB,)),), wait_s=10.0)

    def ask():
        count.append(1)
        answer = next(answers)
        return None if answer is None else (answer * GIB,)

    found = settled(ladder, ask, lambda have: sum(have) >= 24 * GIB, sleep=lambda _: None)
    assert (found and found[0] // GIB, len(count)) == (expected, asked), reason


def test_the_catalogues_patterns_are_ordinary_expressions():
    assert any(pattern.search(LACKED) for pattern in patterns())
    assert not any(pattern.search('INFO: to avoid "CUDA out of memory" by fragmentation') for pattern in patterns())
