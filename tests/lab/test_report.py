"""The main job on a real systemd: units fail, somebody stops one of them, and the report says exactly that."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.lab.systemd import NEEDED, booted
from tests.lab.units import PROGRAMS, UNITS, UNTIL_REFUSED

pytestmark = NEEDED

ROOT = Path(__file__).resolve().parents[2]
SCHEDULED = "MESSAGE_ID=5eb03494b6584870a536b337290809b3"


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> Path:
    with booted(UNITS, tmp_path_factory.mktemp("lab"), programs=PROGRAMS) as lab:
        lab.run(["systemctl", "start", "--no-block", *UNITS])
        lab.wait_until(lambda: set(lab.states(UNTIL_REFUSED).values()) == {"failed"})
        lab.wait_until(lambda: lab.run(["journalctl", "-o", "cat", SCHEDULED, "UNIT=ends.service"]).count("\n") >= 5)
        lab.run(["systemctl", "stop", "ends.service"])
        lab.run(["journalctl", "--sync"])
    return lab.journal


@pytest.fixture(scope="module")
def told(journal, tmp_path_factory) -> dict:
    command = [sys.executable, "-m", "forensics", "report", "--journal-dir", str(journal), "--format", "json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def incident(told: dict, name: str) -> dict:
    (found,) = [each for each in told["incidents"] if each["unit"] == name]
    return found


def test_every_restart_that_journalctl_knows_is_counted(journal, told):
    lines = subprocess.run(
        ["journalctl", "--quiet", "-D", journal, "-o", "json", "--output-fields=UNIT", SCHEDULED],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    by_unit = Counter(json.loads(line)["UNIT"] for line in lines)
    assert told["restarts"]["total"] == len(lines)
    assert {each["unit"]: each["restarts"] for each in told["incidents"]} == by_unit
    assert set(by_unit) == set(UNITS) - {"healthy.service"}


@pytest.mark.parametrize(
    ("name", "restarts", "classes"),
    [
        ("library.service", 5, ["loader.libstdcxx-missing"]),
        ("port.service", 6, ["port.conflict"]),
        ("silent.service", 4, ["exit:exit-code/42"]),
    ],
)
def test_each_unit_gets_its_class(told, name, restarts, classes):
    """The start limit refuses the restart after the last start, which counts under why that start failed."""
    found = incident(told, name)
    assert [row["signature"] for row in found["classes"]] == classes
    assert found["restarts"] == restarts


def test_a_failed_preparation_is_told_in_its_own_words(told):
    (row,) = incident(told, "before.service")["classes"]
    assert (row["title"], row["restarts"]) == ("no model", 4)


def test_an_unknown_failure_keeps_its_words(told):
    (row,) = incident(told, "ends.service")["classes"]
    assert row["signature"].startswith("mined:")
    assert row["sample"]["message"] == "unknown trouble 17"


def test_who_gave_up_is_down_and_who_was_stopped_is_over(told):
    over = {each["unit"]: not each["ongoing"] for each in told["incidents"]}
    assert over.pop("ends.service")
    assert not any(over.values())
    assert incident(told, "ends.service")["detection"]["operator"] is not None
    assert incident(told, "ends.service")["recovery"] is None


def test_nothing_is_missing(told):
    assert told["completeness"]["complete"]
    assert told["completeness"]["damage"] == []
    assert all(check["expected"] == check["got"] for check in told["ledger"])
