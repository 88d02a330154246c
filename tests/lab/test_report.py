"""Report on a real systemd in which units fail and an operator stops one of them."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.lab.systemd import NEEDED, booted
from tests.lab.units import PROGRAMS, UNITS, UNTIL_REFUSED, stop_what_ends

pytestmark = NEEDED

ROOT = Path(__file__).resolve().parents[2]
SCHEDULED = "MESSAGE_ID=5eb03494b6584870a536b337290809b3"


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> Path:
    with booted(UNITS, tmp_path_factory.mktemp("lab"), programs=PROGRAMS) as lab:
        lab.run(["systemctl", "start", "--no-block", *UNITS])
        lab.wait_until(lambda: set(lab.states(UNTIL_REFUSED).values()) == {"failed"})
        lab.wait_until(lambda: lab.run(["journalctl", "-o", "cat", SCHEDULED, "UNIT=ends.service"]).count("\n") >= 5)
        stop_what_ends(lab)
        lab.run(["journalctl", "--sync"])
    return lab.journal


@pytest.fixture(scope="module")
def report(journal, tmp_path_factory) -> dict:
    command = [sys.executable, "-m", "forensics", "report", "--journal-dir", str(journal), "--format", "json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def incident(report: dict, name: str) -> dict:
    (of_unit,) = [incident for incident in report["incidents"] if incident["unit"] == name]
    return of_unit


def test_every_restart_that_journalctl_knows_is_counted(journal, report):
    lines = subprocess.run(
        ["journalctl", "--quiet", "-D", journal, "-o", "json", "--output-fields=UNIT", SCHEDULED],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    by_unit = Counter(json.loads(line)["UNIT"] for line in lines)
    assert report["restarts"]["total"] == len(lines)
    assert {of_unit["unit"]: of_unit["restarts"] for of_unit in report["incidents"]} == by_unit
    assert set(by_unit) == set(UNITS) - {"healthy.service"}


@pytest.mark.parametrize(
    ("name", "restarts", "classes"),
    [
        ("library.service", 5, ["loader.libstdcxx-missing"]),
        ("port.service", 6, ["port.conflict"]),
        ("silent.service", 4, ["exit:exit-code/42"]),
    ],
)
def test_each_unit_gets_its_class(report, name, restarts, classes):
    """The restart that the start limit refuses counts under the class of the start that failed before it."""
    of_unit = incident(report, name)
    assert [row["signature"] for row in of_unit["classes"]] == classes
    assert of_unit["restarts"] == restarts


def test_a_failed_preparation_is_titled_with_its_own_line(report):
    (row,) = incident(report, "before.service")["classes"]
    assert (row["title"], row["restarts"]) == ("no model", 4)


def test_an_unknown_failure_keeps_its_line(report):
    (row,) = incident(report, "ends.service")["classes"]
    assert row["signature"].startswith("mined:")
    assert row["sample"]["message"] == "unknown trouble 17"


def test_the_incident_of_a_refused_unit_goes_on_and_that_of_a_stopped_one_is_over(report):
    over = {of_unit["unit"]: not of_unit["ongoing"] for of_unit in report["incidents"]}
    assert over.pop("ends.service")
    assert not any(over.values())
    assert incident(report, "ends.service")["detection"]["operator"] is not None
    assert incident(report, "ends.service")["recovery"] is None


def test_nothing_is_missing(report):
    assert report["completeness"]["complete"]
    assert report["completeness"]["damage"] == []
    assert all(check["expected"] == check["got"] for check in report["ledger"])
