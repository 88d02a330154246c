"""`report` on RestartMode=direct of a real systemd, whose lines carry the first attempt's invocation id in all later ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.systemd import booted
from tests.lab.units import PROGRAMS, unit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("TABBY_TEST_SYSTEM" not in os.environ, reason="needs a systemd of 254 or newer: make check-trixie"),
]
ROOT = Path(__file__).resolve().parents[2]
STARTS = 6
DIRECT = {
    "direct.service": unit(STARTS, "Restart=on-failure", "RestartMode=direct", "ExecStart=/lab/library.sh"),
    "plain.service": unit(STARTS, "Restart=on-failure", "ExecStart=/lab/library.sh"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict:
    with booted(DIRECT, tmp_path_factory.mktemp("lab"), programs=PROGRAMS) as lab:
        lab.run(["systemctl", "start", "--no-block", *DIRECT])
        lab.wait_until(lambda: set(lab.states([*DIRECT]).values()) == {"failed"})
        lab.run(["journalctl", "--sync"])
        ids = lab.run(["journalctl", "-o", "json", "--output-fields=_SYSTEMD_INVOCATION_ID", "_SYSTEMD_UNIT=direct.service"])
    assert len({json.loads(line)["_SYSTEMD_INVOCATION_ID"] for line in ids.splitlines()}) == 1  # what makes the mode hard
    command = [sys.executable, "-m", "forensics", "report", "--journal-dir", str(lab.journal), "--format", "json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


@pytest.mark.parametrize("name", DIRECT)
def test_every_attempt_is_a_failure_of_its_class(report, name):
    (one,) = [incident for incident in report["incidents"] if incident["unit"] == name]
    assert [(row["signature"], row["failures"]) for row in one["classes"]] == [("loader.libstdcxx-missing", STARTS)]
    assert (one["failures"], one["restarts"], one["kind"], one["ongoing"]) == (STARTS, STARTS, "restart-loop", True)


def test_nothing_is_missing(report):
    assert report["completeness"]["complete"]
    assert all(check["expected"] == check["got"] for check in report["ledger"])
