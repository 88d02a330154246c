"""What `report` writes on a host is what `fleet` reads."""

import json

from tests.attempts.building import Journal
from tests.cli.journals import export_format
from tests.cli.running import run
from tests.fleet.making import machine_id

NOW = {"SOURCE_DATE_EPOCH": "1766145600", "PATH": "/usr/bin:/bin", "TZ": "UTC"}


def test_what_report_writes_is_read_with_the_changes_of_a_host_that_is_well(tmp_path):
    journal = Journal(host="gpu7", boot="0123456789abcdef0123456789abcdef")
    whose = {"_MACHINE_ID": machine_id(7), "_UID": "0", "_COMM": "sudo", "_EXE": "/usr/bin/sudo", "SYSLOG_IDENTIFIER": "sudo"}
    journal.add(1, {**whose, "_TRANSPORT": "syslog", "MESSAGE": "root : PWD=/ ; USER=root ; COMMAND=/usr/bin/apt install libcuda1"})
    journal.add(1, {**whose, "_TRANSPORT": "syslog", "MESSAGE": "root : PWD=/ ; USER=root ; COMMAND=/usr/bin/journalctl -b"})
    (tmp_path / "a.export").write_text(export_format(journal))
    written = run(
        "report", "--file", str(tmp_path / "a.export"), "--store", str(tmp_path / "store"), "-o", str(tmp_path / "r.json"), env=NOW
    )
    assert written.returncode == 0, written.stderr
    (host,) = json.loads(run("fleet", str(tmp_path / "r.json"), "--format", "json", env=NOW).stdout)["hosts"]
    assert (host["machine"], host["host"], host["failures"]) == (machine_id(7), "gpu7", 0)
    assert [change["key"] for change in host["changes"]] == ["package: root ran apt install libcuda1"]
