"""`report --unit` is about one unit, but knows what the rest of the journal shows about it."""

import json

from tests.attempts.building import Journal
from tests.cli.running import run


def notified_after(failures: int) -> str:
    """A loop of app.service whose OnFailure= unit notifies somebody after the last failure."""
    journal = Journal("app.service", "alpha", boot="a" * 32)
    for number in range(failures):
        journal.fails(f"{number:032}", number + 1)
    journal.manager("started", "f" * 32, unit="notify@app.service", JOB_TYPE="start", JOB_RESULT="done")
    lines = (line | {"__CURSOR": f"s={'a' * 32};i={n:x}"} for n, line in enumerate(journal.lines, 1))
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_an_alert_by_another_unit_counts_where_only_one_unit_is_asked_for(tmp_path):
    stream = notified_after(5)
    options = ("report", "--file", "-", "--format", "json", "--store")
    whole = json.loads(run(*options, str(tmp_path / "a"), input=stream).stdout)
    alone = json.loads(run(*options, str(tmp_path / "b"), "--unit", "app.service", input=stream).stdout)
    alerts = [report["incidents"][0]["detection"]["alert"] for report in (whole, alone)]
    assert alerts[0] == alerts[1] is not None
    assert alone["units"] == ["app.service"]
