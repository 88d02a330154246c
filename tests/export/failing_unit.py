"""The journal of one unit that prints a line, fails and is restarted, and what the pipeline finds in it."""

import json
from datetime import UTC, datetime

from forensics.pipeline import investigate
from forensics.query import Query, Sources

BOOT, INVOCATION = "b" * 32, "1" * 31
MACHINE = "c" * 32
HOSTILE = '=cmd|" /C calc"!A0 \u001b[31m token=hunter2hunter2'


def write_journal(folder, restarts=3, line=HOSTILE, host="hydra", step=0.5):
    """Write the journal as `journalctl -o json` prints it; an entry every `step` seconds."""
    rows, at = [], [1_765_000_000_000_000]

    def add(**fields):
        at[0] += int(step * 1e6)
        common = {"__REALTIME_TIMESTAMP": str(at[0]), "__MONOTONIC_TIMESTAMP": str(at[0] - 1_764_999_000_000_000), "_BOOT_ID": BOOT,
                  "_MACHINE_ID": MACHINE, "_HOSTNAME": host, "__CURSOR": f"s={MACHINE};i={len(rows) + 1:x}"}  # fmt: skip
        rows.append(common | fields)

    def manager(id_, message, invocation, **fields):
        add(_PID="1", _COMM="systemd", _UID="0", SYSLOG_IDENTIFIER="systemd", PRIORITY="6", UNIT="a.service", INVOCATION_ID=invocation,
            _TRANSPORT="journal", MESSAGE_ID=id_, MESSAGE=message, _SYSTEMD_CGROUP="/init.scope", **fields)  # fmt: skip

    for number in range(restarts + 1):
        invocation = INVOCATION + str(number)
        manager("39f53479d3a045ac8e11786248231fbf", "Started A.", invocation, JOB_TYPE="start", JOB_RESULT="done")
        add(_PID="77", _UID="33", _COMM="a", SYSLOG_IDENTIFIER="a", PRIORITY="3", _TRANSPORT="stdout", MESSAGE=line,
            _SYSTEMD_UNIT="a.service", _SYSTEMD_INVOCATION_ID=invocation)  # fmt: skip
        manager(
            "98e322203f7a4ed290d09fe03c09fe15", "Main process exited", invocation, EXIT_CODE="exited", EXIT_STATUS="1", COMMAND="ExecStart"
        )
        manager("d9b373ed55a64feb8242e02dbe79a49c", "Failed with result 'exit-code'.", invocation, UNIT_RESULT="exit-code")
        if number < restarts:
            manager("5eb03494b6584870a536b337290809b3", "Scheduled restart job", invocation, N_RESTARTS=str(number + 1))
    file = folder / "journal.json"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def investigate_journal(folder, **options):
    settings = Query(Sources((), (write_journal(folder, **options),)), folder / "store", datetime.now(UTC))
    return investigate(settings)
