"""The remedy of a report and of an explanation has the values that the log shows, and none that a shell would read."""

import json

from tests.attempts.building import Journal
from tests.cli.journals import export_format
from tests.cli.running import run

BUSY = "nginx: [emerg] bind() to 0.0.0.0:8443 failed (98: Address already in use)"


def test_a_report_fills_the_remedy_of_a_class_with_the_values_of_its_sample(tmp_path):
    journal = Journal()
    for number in range(3):
        journal.manager("started", f"run{number}")
        journal.writes(f"run{number}", BUSY)
        journal.dies(f"run{number}")
    (tmp_path / "log.export").write_text(export_format(journal))
    result = run("report", "--file", str(tmp_path / "log.export"), "--store", str(tmp_path / "store"), "--format", "json")
    assert result.returncode == 0, result.stderr
    (row,) = [row for row in json.loads(result.stdout)["classes"] if row["signature"] == "port.conflict"]
    assert "`ss -ltnp 'sport = :8443'`" in row["remedy"]
    assert (row["restart_helps"], row["restart_helps_when"]) == (False, "")


def test_an_explanation_fills_what_is_harmless_only():
    silent = "Nov 23 08:40:43 alpha systemd[1]: shop.service: Main process exited, code=dumped, status=11/SEGV\n"
    assert "`coredumpctl info shop.service`" in run("explain", "-", input=silent).stdout
    assert "sport = :8443" in run("explain", "-", input=BUSY).stdout
    hostile = "Error: EACCES: permission denied, open '/srv/$(reboot)/a'\n"
    shown = run("explain", "-", input=hostile).stdout
    assert "namei -l FILE" in shown
    remedy = shown.partition("Remedy")[2]
    assert "reboot)" not in remedy
