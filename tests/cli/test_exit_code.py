"""`report --exit-code` is 3 exactly when there is an incident."""

import json

import pytest

from tests.attempts.building import Journal
from tests.cli.running import run


def journal_with(failures: int) -> str:
    journal = Journal("app.service", "alpha", boot="a" * 32)
    for number in range(failures + 1):
        invocation = f"{number:032}"
        journal.manager("started", invocation, after=0.1, JOB_TYPE="start", JOB_RESULT="done")
        if number < failures:
            journal.writes(invocation, "ValueError: upside down", after=2)
            journal.dies(invocation)
            journal.manager("restart", invocation, after=1, N_RESTARTS=str(number + 1))
    journal.writes(f"{failures:032}", "serving", after=2000)
    return "".join(json.dumps(line | {"__CURSOR": f"s={'a' * 32};i={n:x}"}) + "\n" for n, line in enumerate(journal.lines, 1))


@pytest.mark.parametrize(("failures", "code"), [(0, 0), (2, 0), (3, 3)])
def test_the_exit_code_is_3_exactly_when_there_is_an_incident(tmp_path, failures, code):
    done = run("report", "--file", "-", "--store", str(tmp_path / "store"), "--exit-code", input=journal_with(failures))
    assert done.returncode == code, done.stderr
    assert ("No incident: 2 isolated failures" in done.stdout) == (failures == 2)
