"""A remedy is started once for a cause, whatever is killed, damaged, full or missing, and logged before and after."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from forensics import files
from forensics.errors import ForensicsError
from forensics.guard.remedy import execution, ledger
from forensics.guard.remedy.declared import Remedy
from forensics.guard.remedy.execution import Case, follow, run_once
from forensics.guard.remedy.ledger import file_of, forget_cause, read_cause
from forensics.guard.remedy.progress import in_progress, is_in_progress
from forensics.guard.systemctl import Manager
from forensics.model.own_entries import REMEDY_ENDED, REMEDY_STARTED
from tests.guard.remedy.host import ONESHOT

MANAGER = Manager(is_users=True)
UNIT, CLASS = "app.service", "torch.abi-mismatch"
NOT_AGAIN = "a person is needed"
FAILS = """sed -i 's/=inactive/=failed/; s/=success/=exit-code/' "$HOST/rebuild.service"
echo ExecMainStatus=7 >> "$HOST/rebuild.service"; echo "Job failed." >&2; exit 1
"""


@pytest.fixture(autouse=True)
def resets(monkeypatch):
    """The units whose gate was reset."""
    units = []
    monkeypatch.setattr(execution, "reset_gate", lambda _, unit: units.append(unit) or "")
    return units


@pytest.fixture
def sound(monkeypatch):
    """What is not in question costs no processes: the remedy is sound, and no condition skips it."""
    monkeypatch.setattr(execution, "problems", lambda *_: iter(()))
    monkeypatch.setattr("forensics.guard.remedy.once_started._was_skipped", lambda *_: False)


def case(environment="before", **changed):
    return Case(MANAGER, UNIT, CLASS, Remedy(CLASS, UNIT, "rebuild.service", **changed), lambda: environment)


def record():
    return read_cause(case().directory, UNIT, CLASS).starts


def test_a_remedy_that_is_done_resets_the_gate_and_is_logged_before_and_after(host, journal, resets):
    ended = run_once(case())
    first, last = journal.entries
    assert (ended.outcome, host.started, resets) == ("done", ["rebuild.service"], [UNIT])
    assert (first["MESSAGE_ID"], last["MESSAGE_ID"], last["TABBY_OUTCOME"]) == (REMEDY_STARTED, REMEDY_ENDED, "done")
    assert first["TABBY_SIGNATURE"] == CLASS
    assert first["TABBY_REMEDY"] == "rebuild.service"
    assert first["OBJECT_SYSTEMD_USER_UNIT"] == UNIT


@pytest.mark.parametrize(
    ("on_start", "outcome", "words", "reason"),
    [
        (FAILS, "failed", "failed (exit-code, status 7)", "the unit's own result is quoted"),
        ("echo 'Unit is masked.' >&2; exit 1\n", "failed", "could not be started: Unit is masked.", "nothing ran: systemctl's answer is"),
        ("exec sleep 30\n", "timed-out", "is not over after 1 s", "a remedy that hangs is left to go on"),
        ('echo skipped > "$HOST/journal"\n', "failed", "a condition of it does not hold", "a skipped oneshot is a success to systemctl"),
    ],
)
def test_a_remedy_that_does_not_help_leaves_the_gate_open(host, journal, resets, on_start, outcome, words, reason):
    (host.folder / "on-start").write_text(on_start)
    ended = run_once(case(within_s=1.0))
    assert ended.outcome == outcome
    assert words in ended.text, reason
    assert resets == []
    assert journal.entries[-1]["TABBY_OUTCOME"] == outcome
    assert NOT_AGAIN in run_once(case()).text
    assert host.started == ["rebuild.service"]


def test_a_unit_that_cannot_be_started_afterwards_is_logged(host, journal, monkeypatch):
    monkeypatch.setattr(execution, "reset_gate", lambda *_: "app.service is not started: a person holds its gate")
    assert run_once(case()).outcome == "refused"
    assert [entry.get("TABBY_OUTCOME") for entry in journal.entries] == [None, "done", "refused"]
    assert record()[-1].outcome == "done"


def test_the_same_cause_is_not_started_again(host, journal, resets):
    run_once(case())
    again = run_once(case())
    assert again.outcome == "refused"
    assert "rebuild.service ran already for torch.abi-mismatch and did not help: a person is needed" in again.text
    assert host.started == ["rebuild.service"]
    assert journal.entries[-1]["PRIORITY"] == "3"


def test_an_environment_that_the_remedy_changed_is_the_same_cause(host, resets):
    environments = iter(["old", "rebuilt", "compiled by the first start"])
    run_once(Case(MANAGER, UNIT, CLASS, case().remedy, lambda: next(environments)))
    assert [(start.before, start.after) for start in record()] == [("old", "rebuilt")]
    assert NOT_AGAIN in run_once(Case(MANAGER, UNIT, CLASS, case().remedy, lambda: next(environments))).text
    assert host.started == ["rebuild.service"]


def held(host, environment):
    """The unit is active for long enough after its remedy."""
    host.unit(UNIT, {"ActiveState": "active", "ActiveEnterTimestampMonotonic": "1", "LoadState": "loaded"})
    return follow(case(environment, held_s=1.0), sleep=lambda _: None)


@pytest.mark.parametrize(
    ("environment", "days", "again", "reason"),
    [
        ("before", 2, False, "the environment before the remedy"),
        ("settled", 2, False, "the environment in which the unit held"),
        ("upgraded", 2, True, "somebody changed it after the unit had held"),
        ("upgraded", 0.9, False, "less than a day ago"),
        ("upgraded", -1, False, "the clock was set back: nobody knows how long ago"),
    ],
)
def test_after_the_unit_held_another_environment_is_another_cause(host, monkeypatch, environment, days, again, reason):
    run_once(case())
    assert held(host, "settled")
    at = record()[-1].at
    monkeypatch.setattr(execution.time, "time", lambda: at + days * 86_400)
    assert (run_once(case(environment)).outcome == "done") == again, reason
    assert len(host.started) == 1 + again


def test_the_gates_own_entry_shows_that_a_unit_held_although_its_remedy_had_failed(host, monkeypatch):
    (host.folder / "on-start").write_text(FAILS)
    run_once(case())
    host.unit("rebuild.service", ONESHOT)
    (host.folder / "on-start").unlink()
    at = record()[-1].at
    monkeypatch.setattr(execution.time, "time", lambda: at + 100_000)
    assert run_once(case("mended by a person")).outcome == "refused"
    (host.folder / "journal").write_text(json.dumps({"__REALTIME_TIMESTAMP": str(int((at + 700) * 1e6))}) + "\n")
    monkeypatch.setattr("forensics.guard.remedy.once_started._was_skipped", lambda *_: False)
    assert run_once(case("mended by a person")).outcome == "done"


def test_a_unit_that_fails_again_has_not_held(host):
    run_once(case())
    assert not follow(case(held_s=1.0), sleep=lambda _: None)
    assert not record()[-1].held


def test_forgotten_it_may_run_once_more(host):
    run_once(case())
    assert forget_cause(case().directory, UNIT, CLASS)
    assert run_once(case()).outcome == "done"
    assert not forget_cause(case().directory, "other.service", CLASS)


def damaged_texts(text: str):
    yield from (text[:length] for length in range(0, len(text) - 1, 7))
    for place in range(0, len(text), 11):
        flipped = chr(ord(text[place]) ^ 1)
        if flipped.isspace() and text[place].isspace():
            continue
        yield text[:place] + flipped + text[place + 1 :]


def test_a_damaged_record_starts_nothing(host, journal, sound):
    run_once(case())
    file = file_of(case().directory, UNIT, CLASS)
    good = file.read_text()
    tried = list(damaged_texts(good))
    for text in tried:
        file.write_text(text)
        assert run_once(case("another")).outcome == "refused", text
        assert "is damaged" in journal.entries[-1]["MESSAGE"], text
    assert len(tried) > 50
    assert host.started == ["rebuild.service"]


def test_the_record_is_on_disk_before_the_remedy_is_started(host, monkeypatch):
    """Each directory that was made, and the record, is synced: a power failure forgets none."""
    synced = []
    monkeypatch.setattr(ledger, "sync_directory", synced.append)
    monkeypatch.setattr(files, "sync_directory", lambda folder: synced.append((folder, len(host.started))))
    run_once(case())
    top = host.folder / "STATE_HOME"
    assert synced[:4] == [host.folder, top, top / "tabby-forensics", (host.records, 0)]


def test_a_full_disk_starts_nothing(host, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("forensics.guard.remedy.ledger.write_atomically", full)
    ended = run_once(case())
    assert (ended.outcome, host.started) == ("refused", [])
    assert "No space left on device" in ended.text


def test_two_at_once_start_it_once(host):
    with in_progress(MANAGER, UNIT):
        assert is_in_progress(MANAGER, UNIT)
        assert run_once(case()).text == "A remedy of app.service is running already."
    assert not is_in_progress(MANAGER, UNIT)
    assert host.started == []


def test_other_users_cannot_lock_what_a_remedy_needs(host):
    run_once(case())
    locks = {*host.folder.rglob("*.lock")}
    assert len(locks) == 2
    assert {lock.stat().st_mode & 0o777 for lock in locks} == {0o600}


def killed_at(step: int) -> bool:
    """Run the remedy in a process that kills itself before its nth call of the system; whether it was killed."""
    child = os.fork()
    if child == 0:
        left = [step]

        def before(event: str, _: object) -> None:
            if event.partition(".")[0] in ("open", "os", "fcntl", "subprocess", "socket"):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(before)
        try:
            run_once(case())
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_killed_at_any_step_it_never_runs_twice(host, sound):
    """`kill -9` before each call of the system: afterwards it is started once more at most where it was not started before."""
    outcomes, step = [], 0
    while True:
        step += 1
        forget_cause(case().directory, UNIT, CLASS)
        (host.folder / "started").unlink(missing_ok=True)
        was_killed = killed_at(step)
        before = len(host.started)
        outcomes.append((before, run_once(case()).outcome))
        assert len(host.started) <= 1, f"killed at step {step}"
        if not was_killed:
            break
    assert {(0, "done"), (0, "refused"), (1, "refused")} == set(outcomes)
    assert step > 15


def test_without_the_right_to_write_nothing_is_started(host, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "Permission denied", "/x")))
    try:
        text = run_once(case()).text
    except ForensicsError as error:
        text = str(error)
    assert "Permission denied" in text
    assert host.started == []
