"""A day of a unit: stable, one isolated failure, stable again, then a restart loop that ends with a fix."""

import json
from datetime import UTC, datetime, timedelta

from forensics.pipeline import investigate
from forensics.query import Query, Sources
from tests.attempts.building import T0, Journal

UNIT = "tabby.service"
LOOP, CYCLE_S = 40, 13.0
QUIET_S = 6 * 3600.0
SECRET = "hf_abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 - made up
LIBRARY = "ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory"
MEMORY = f"torch.OutOfMemoryError: CUDA out of memory. HF_TOKEN={SECRET}"
ENDED = datetime.fromtimestamp(T0 / 1e6, UTC) + timedelta(days=1)


def day(
    unit: str = UNIT, loop: int = LOOP, cycle_s: float = CYCLE_S, isolated: int = 1, fails_with: str = LIBRARY, quiet_s: float = QUIET_S
) -> Journal:
    """Make the journal. loop: failures in the incident; isolated: single failures before it, each followed by a stable attempt."""
    journal = Journal(unit, "alpha", boot="a" * 32)
    numbers = iter(range(10**6))

    def begins(after: float) -> str:
        run = f"{next(numbers):032x}"
        journal.manager("started", run, after=after, JOB_TYPE="start", JOB_RESULT="done")
        return run

    def is_stable(run: str, for_s: float) -> None:
        journal.writes(run, "Uvicorn running on http://127.0.0.1:5000 (Press CTRL+C to quit)", after=1)
        journal.writes(run, "INFO: 10.0.0.7:40122 - GET /health", after=for_s)

    def fails(run: str, text: str, lives_s: float) -> None:
        journal.writes(run, text, after=lives_s)
        exits = {"EXIT_CODE": "exited", "EXIT_STATUS": "1", "COMMAND": "ExecStart"}
        journal.manager("exit", run, after=0.01, **exits)
        journal.manager("failed", run, UNIT_RESULT="exit-code")

    def is_restarted(run: str, counter: int) -> None:
        journal.manager("restart", run, after=10.0, N_RESTARTS=str(counter))

    for number in range(isolated):
        run = begins(0.1)
        is_stable(run, quiet_s)
        fails(run, MEMORY, 1.0)
        is_restarted(run, number + 1)
    run = begins(0.1)
    is_stable(run, quiet_s)
    journal.manager("stopping", run, JOB_TYPE="stop")
    journal.manager("well", run)
    journal.manager("stopped", run, JOB_TYPE="stop")
    for number in range(loop):
        run = begins(0.1)
        journal.writes(run, "INFO: serving on http://127.0.0.1:5001")
        fails(run, fails_with, cycle_s - 10.13)
        if number + 1 < loop:
            is_restarted(run, number + 1)
    for command in ("/usr/bin/nix profile upgrade", f"/usr/bin/systemctl restart {unit}"):
        text = f"ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND={command}"
        trusted = {"_UID": "0", "_COMM": "sudo", "_EXE": "/usr/bin/sudo", "_TRANSPORT": "syslog", "_PID": "900"}
        journal.add(2.0, trusted | {"SYSLOG_IDENTIFIER": "sudo", "MESSAGE": text, "PRIORITY": "5"})
    is_stable(begins(0.1), 3 * 3600.0)
    return journal


def stream(*journals: Journal) -> str:
    """Write journals as `journalctl -o json` prints them."""
    lines = sorted((line for journal in journals for line in journal.lines), key=lambda line: int(line["__REALTIME_TIMESTAMP"]))
    return "".join(json.dumps(line | {"__CURSOR": f"s={'a' * 32};i={number:x}"}) + "\n" for number, line in enumerate(lines, 1))


def investigated(folder, *journals: Journal, units=(), patterns=()):
    """Investigate journals. folder: an empty directory."""
    (folder / "journal.json").write_text(stream(*journals))
    return investigate(Query(Sources((), (folder / "journal.json",)), folder / "store", ENDED, units=units, pattern_folders=patterns))
