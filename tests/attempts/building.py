"""Small ENTRIES frames for the tests: one call a line, time runs on by itself."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from forensics.model.own_entries import GATE_CLOSED, GATE_OPENED, GATE_PROBED
from tests.attempts.loading import entries

T0 = 1_765_143_000_000_000  # 2025-12-07 21:30 UTC
IDS = {
    "starting": "7d4958e842da4a758f6c1cdc7b36dcc5",
    "started": "39f53479d3a045ac8e11786248231fbf",
    "skipped": "0e4284a0caca4bfc81c0bb6786972673",
    "exit": "98e322203f7a4ed290d09fe03c09fe15",
    "failed": "d9b373ed55a64feb8242e02dbe79a49c",
    "well": "7ad2d189f7e94e70a38c781354912448",
    "restart": "5eb03494b6584870a536b337290809b3",
    "stopped": "9d1aaa27d60140bd96365438aad20286",
    "stopping": "de5b426a63be47a7b6ac3eaac82e2f6f",
    "job_failed": "be02cf6855d2428ba40df7e9d022f03d",
    "spawn": "641257651c1b4ec9a8624d7a40a9e1e7",
    "oom": "fe6faa94e7774663a0da52717891d8ef",
    "resources": "ae8f7b866b0347b9af31fe1c80b127c0",
}
GATE = {"opened": GATE_OPENED, "probed": GATE_PROBED, "closed": GATE_CLOSED}
TEXTS = {
    "starting": "Starting {unit}...",
    "started": "Started {unit}.",
    "exit": "{unit}: Main process exited, code={EXIT_CODE}, status={EXIT_STATUS}/X",
    "failed": "{unit}: Failed with result '{UNIT_RESULT}'.",
    "well": "{unit}: Deactivated successfully.",
    "restart": "{unit}: Scheduled restart job, restart counter is at {N_RESTARTS}.",
    "stopped": "Stopped {unit}.",
    "stopping": "Stopping {unit}...",
    "job_failed": "Failed to start {unit}.",
}
Line = dict[str, str]


class Journal:
    """Collects lines; every call is 10 ms later than the one before unless `after` says otherwise (s)."""

    def __init__(self, unit: str = "app.service", host: str = "h", boot: str = "b1") -> None:
        self.unit, self.host, self.boot = unit, host, boot
        self.now = 0
        self.lines: list[Line] = []

    def add(self, after: float, fields: Line) -> Line:
        self.now += int(after * 1e6)
        line = {
            "__REALTIME_TIMESTAMP": str(T0 + self.now),
            "__MONOTONIC_TIMESTAMP": str(1_000_000 + self.now),
            "_BOOT_ID": self.boot,
            "_HOSTNAME": self.host,
            "_MACHINE_ID": self.host,
        } | fields
        self.lines.append(line)
        return line

    def manager(self, kind: str, run: str = "", after: float = 0.01, unit: str | None = None, **fields: str) -> Line:
        unit = unit or self.unit
        text = fields.pop("text", None) or TEXTS.get(kind, kind).format_map({"unit": unit, **fields})
        ids = {"MESSAGE_ID": IDS[kind]} if kind in IDS else {}
        common = {"_PID": "1", "_COMM": "systemd", "_TRANSPORT": "journal", "_SYSTEMD_UNIT": "init.scope", "SYSLOG_IDENTIFIER": "systemd"}
        return self.add(after, common | {"UNIT": unit, "INVOCATION_ID": run, "MESSAGE": text, "PRIORITY": "5"} | ids | fields)

    def writes(self, run: str, *texts: str, pid: int = 100, stream: str | None = None, after: float = 0.01, gap: float = 0.00002) -> None:
        for n, text in enumerate(texts):
            self.add(
                gap if n else after,
                {
                    "_PID": str(pid),
                    "_COMM": "python3",
                    "_TRANSPORT": "stdout",
                    "_SYSTEMD_UNIT": self.unit,
                    "_STREAM_ID": stream or f"s{pid}",
                    "MESSAGE": text,
                    "PRIORITY": "6",
                    "SYSLOG_IDENTIFIER": "app",
                }
                | ({"_SYSTEMD_INVOCATION_ID": run} if run else {}),
            )

    def kernel(self, text: str, after: float = 0.01, source: int | None = None) -> None:
        fields = {"_TRANSPORT": "kernel", "MESSAGE": text, "PRIORITY": "3", "SYSLOG_IDENTIFIER": "kernel"}
        self.add(after, fields | ({"_SOURCE_MONOTONIC_TIMESTAMP": str(source)} if source is not None else {}))

    def fails(self, run: str, counter: int | None = None, status: int = 1) -> None:
        """A run that starts, dies with an exit status and, with a counter, is scheduled again."""
        self.manager("started", run, JOB_TYPE="start", JOB_RESULT="done")
        self.dies(run, status)
        if counter is not None:
            self.manager("restart", run, after=10, N_RESTARTS=str(counter))

    def dies(self, run: str, status: int = 1) -> None:
        self.manager("exit", run, after=1, EXIT_CODE="exited", EXIT_STATUS=str(status), COMMAND="ExecStart")
        self.manager("failed", run, UNIT_RESULT="exit-code")

    def gate(self, what: str, run: str = "", after: float = 0.01, **fields: str) -> None:
        """An entry of the gate: it opens within the unit, and tries and closes in units of its own."""
        own = {"_SYSTEMD_UNIT": self.unit, "_SYSTEMD_INVOCATION_ID": run} if run else {"_SYSTEMD_UNIT": "run-u1.service"}
        by = {"_PID": "900", "_UID": "0", "_COMM": "python3", "_TRANSPORT": "journal", "SYSLOG_IDENTIFIER": "tabby-forensics"}
        text = {"MESSAGE": f"gate of {self.unit}: ImportError, {what}", "PRIORITY": "2", "MESSAGE_ID": GATE[what]}
        self.add(after, by | own | {"OBJECT_SYSTEMD_UNIT": self.unit} | text | fields)

    def trips(self, run: str, failures: int = 3, after: float = 0.5, signature: str = "loader.library-missing") -> None:
        """A run that dies, and whose gate opens so many seconds later: the order of the lines is that of systemd 252."""
        self.manager("exit", run, after=1, EXIT_CODE="exited", EXIT_STATUS="1", COMMAND="ExecStart")
        self.gate("opened", run, after, TABBY_FAILURES=str(failures), TABBY_SIGNATURE=signature, TABBY_COOLDOWN_S="600")
        self.manager("failed", run, UNIT_RESULT="exit-code")
        self.manager("stopped", run, JOB_TYPE="stop", JOB_RESULT="done")

    def frame(self) -> pl.DataFrame:
        return entries(self.lines)


def exits(j: Journal, run: str, code: str, status: int, command: str = "ExecStart") -> None:
    j.manager("exit", run, EXIT_CODE=code, EXIT_STATUS=str(status), COMMAND=command)


def stopped_on_request(j: Journal) -> None:
    j.manager("started", "r1")
    j.manager("stopping", "r1", JOB_TYPE="stop")
    j.manager("well", "r1")
    j.manager("stopped", "r1", JOB_TYPE="stop")


def only(frame: pl.DataFrame) -> dict[str, object]:
    assert frame.height == 1, frame
    return frame.row(0, named=True)


def frames(journals: Iterable[Journal]) -> pl.DataFrame:
    return entries([line for journal in journals for line in journal.lines])


def plain_line(journal: Journal, text: str, kind: str = "", after: float = 0.001, **fields: str) -> None:
    """A line of the manager with only the fields that 219 writes."""
    made = journal.manager("x", "", after, text=text, **({"MESSAGE_ID": IDS[kind]} if kind else {}), **fields)
    del made["INVOCATION_ID"]


def fails_219(journal: Journal, *, restarts: bool = True, code: str = "exited", status: int = 1) -> None:
    """A run that starts and dies as systemd 219 logs it."""
    plain_line(journal, "Started App.", "started", RESULT="done")
    journal.writes("", "ImportError: No module named flask", pid=1000, stream="s")
    plain_line(
        journal, f"{journal.unit}: main process exited, code={code}, status={status}/X", after=0.4, EXIT_CODE=code, EXIT_STATUS=str(status)
    )
    plain_line(journal, f"Unit {journal.unit} entered failed state.")
    plain_line(journal, f"{journal.unit} failed.", PRIORITY="4")
    if restarts:
        plain_line(journal, f"{journal.unit} holdoff time over, scheduling restart.", after=5, CODE_FUNC="service_dispatch_timer")
        plain_line(journal, "Stopped App.", "stopped", RESULT="done")
