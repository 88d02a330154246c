"""A small language for stories of a unit, and the frames that the earlier stages would have made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import polars as pl

from forensics.attempts import lifecycle_of
from forensics.changes import find_changes
from forensics.incidents import Inputs
from forensics.incidents.completeness import judge_completeness
from forensics.incidents.gaps import find_gaps
from forensics.model.frames import ATTEMPTS, ENTRIES, EVENTS, LABELS, RESTARTS
from forensics.model.values import Completeness, Damage, Signature

BEGIN = datetime(2025, 11, 18, tzinfo=UTC)
STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"
STARTED, EXITED, FAILED = "39f53479d3a045ac8e11786248231fbf", "98e322203f7a4ed290d09fe03c09fe15", "d9b373ed55a64feb8242e02dbe79a49c"
RESTARTING, STOPPED, STOPPING = "5eb03494b6584870a536b337290809b3", "9d1aaa27d60140bd96365438aad20286", "de5b426a63be47a7b6ac3eaac82e2f6f"

Line = dict[str, Any]


@dataclass
class Tale:
    """One unit's history; `now` moves on as it is told."""

    unit: str = "app.service"
    host: str = "alpha"
    now: datetime = BEGIN
    manager: str = "system"
    boot: int = 1
    counter: int = 0
    automatic: bool = False
    announces: bool = False  # Type=notify: the manager logs `Starting`, and `Started` when the unit is ready
    booted: datetime = BEGIN
    lines: list[Line] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    restarts: list[dict[str, Any]] = field(default_factory=list)
    serial: count[int] = field(default_factory=count)

    def wait(self, seconds: float) -> Tale:
        self.now += timedelta(seconds=seconds)
        return self

    def at(self, time: datetime) -> Tale:
        self.now = time
        return self

    def say(self, message: str, **columns: Any) -> Line:
        line = {
            "time": self.now, "host": self.host, "boot": f"{self.host}-{self.boot:04d}", "message": message, "bytes": 100, "priority": 6,
            "monotonic": (self.now - self.booted) // timedelta(microseconds=1), **columns,
        }  # fmt: skip
        self.lines.append(line)
        return line

    def manager_says(self, message: str, message_id: str | None = None, **columns: Any) -> Line:
        about = {"identifier": "systemd", "pid": 1, "comm": "systemd", "unit": self.unit, "manager": self.manager}
        return self.say(message, message_id=message_id, **(about | columns))

    def host_says(self, identifier: str, message: str, **columns: Any) -> Tale:
        self.say(message, identifier=identifier, **columns)
        return self

    def _attempt(self, lives: float, outcome: str, klass: str | None, **columns: Any) -> dict[str, Any]:
        invocation = f"{self.host}/{self.unit}/{next(self.serial)}"
        text, message_id = ("Starting", STARTING) if self.announces else ("Started", STARTED)
        first = self.manager_says(f"{text} {self.unit}.", message_id, invocation=invocation, job_type="start", job_result="done")
        started = self.now
        self.wait(lives)
        last, ended = first, None
        if outcome != "cut":
            last = self.say(f"{klass or 'bye'}", unit=self.unit, manager=self.manager, invocation=invocation, identifier="app", pid=77)
        proof = last
        if outcome == "failed":
            self.manager_says("Main process exited", EXITED, exit_code="exited", exit_status=1, invocation=invocation)
            last = self.manager_says("Failed with result 'exit-code'.", FAILED, result="exit-code", invocation=invocation)
        if outcome in ("failed", "clean", "stopped"):
            ended = self.now
        made = {
            "host": self.host, "manager": self.manager, "unit": self.unit, "boot": first["boot"], "invocation": invocation,
            "started": started, "ready": None, "ended": ended, "uptime_s": lives, "automatic": self.automatic, "outcome": outcome,
            "result": "exit-code", "exit_code": "exited", "exit_status": 1, "refused": False, "oom_killed": False, "dumped_core":
            False, "lines": 1, "entries": 4, "bytes": 400, "lost": 0, "cpu_ns": 10**9, "first": first, "last": last, "proof": proof,
            "class": klass, "failed_stopping": False, **columns,
        }  # fmt: skip
        self.attempts.append(made)
        self.automatic = False
        return made

    def _restarted(self, made: dict[str, Any] | None, *, refused: bool = False, lost: int = 0) -> None:
        self.counter += 1 + lost
        row = self.manager_says("Scheduled restart job.", RESTARTING, restart_counter=self.counter, invocation=made and made["invocation"])
        common = {
            "time": self.now,
            "host": self.host,
            "machine": self.host,
            "manager": self.manager,
            "unit": self.unit,
            "boot": row["boot"],
            "line": row,
        }
        if lost:
            self.restarts.append({**common, "of": None, "count": lost, "lost": True, "refused": False})
        self.restarts.append({**common, "of": made, "count": 1, "lost": False, "refused": refused})
        if made is not None:
            made["restart_counter"], made["refused"] = self.counter, refused
        self.automatic = not refused

    def fail(self, times: int = 1, klass: str = "a", *, every: float = 12.0, lives: float | None = None, outcome: str = "failed") -> Tale:
        """Failures that the manager restarts, one `every` so many seconds."""
        alive = min(2.0, every / 2) if lives is None else lives
        for _ in range(times):
            made = self._attempt(alive, outcome, klass)
            self.wait(every - alive)
            self._restarted(made)
        return self

    def each(self, classes: list[str], *, every: float) -> Tale:
        for klass in classes:
            self.fail(1, klass, every=every)
        return self

    def lose(self, restarts: int, klass: str = "a", *, every: float = 12.0) -> Tale:
        """So many restarts leave no line; the next failure's counter shows them."""
        self.wait(restarts * every)
        made = self._attempt(2, "failed", klass)
        self.wait(every - 2)
        self._restarted(made, lost=restarts)
        return self

    def fall(self, klass: str = "a", *, lives: float = 2) -> Tale:
        """A failure that nothing restarts."""
        self._attempt(lives, "failed", klass)
        return self

    def fail_stopping(self, klass: str = "a", *, lives: float = 49) -> Tale:
        """An attempt that a client's restart stops, and that fails in stopping."""
        made = self._attempt(lives, "stopped", klass, failed_stopping=True)
        made["exit_status"] = 127
        return self

    def block(self, klass: str = "exit:dependency/none") -> Tale:
        """A start that fails because a unit it depends on failed."""
        self._attempt(0, "failed", klass, result="dependency", exit_code=None, exit_status=None)
        return self

    def refuse(self, klass: str = "a") -> Tale:
        made = self._attempt(2, "failed", klass)
        self.wait(1)
        self._restarted(made, refused=True)
        return self

    def hold(self, minutes: float = 20, *, then: str = "stopped", klass: str | None = None, **columns: Any) -> Tale:
        """A run that stays up; `then` it is stopped, fails (and is restarted) or is cut, or still runs."""
        made = self._attempt(minutes * 60, then, klass if then == "failed" else None, **columns)
        if then == "failed":
            self.wait(10)
            self._restarted(made)
        return self

    def stop(self) -> Tale:
        """A stop by hand while no attempt runs."""
        self.manager_says(f"Stopped {self.unit}.", STOPPED, job_type="stop", job_result="done")
        return self

    def stopped(self, lives: float = 5) -> Tale:
        """An attempt that is stopped by hand."""
        self._attempt(lives, "stopped", None)
        self.manager_says(f"Stopping {self.unit}...", STOPPING, job_type="stop")
        return self

    def finish(self, lives: float = 5) -> Tale:
        self._attempt(lives, "clean", None)
        return self

    def reboot(self, seconds: float = 60) -> Tale:
        self.wait(seconds)
        self.boot += 1
        self.booted, self.automatic, self.counter = self.now, False, 0
        self.say("Linux version 6.6.63", transport="kernel", identifier="kernel")
        return self


def inputs_of(*tales: Tale, signatures: dict[str, Signature] | None = None) -> Inputs:
    """The frames of several units' tales, in the canonical order of entries."""
    lines = [line for tale in tales for line in tale.lines]
    begun: dict[tuple[str, str], datetime] = {}
    for line in lines:
        begun[line["host"], line["boot"]] = min(line["time"], begun.get((line["host"], line["boot"]), line["time"]))
    lines.sort(key=lambda line: (line["host"], begun[line["host"], line["boot"]], line["boot"], line["monotonic"]))
    rows = {id(line): row for row, line in enumerate(lines)}
    entries = _frame(
        [
            {**line, "seqnum": i, "seqnum_id": line["host"], "machine": line["host"], "file": "made", "offset": i}
            for i, line in enumerate(lines)
        ],
        ENTRIES,
    )
    told = [made for tale in tales for made in tale.attempts]
    told.sort(key=lambda made: (made["host"], made["manager"], made["unit"], rows[id(made["first"])]))
    number = {id(made): i for i, made in enumerate(told)}
    attempts = _frame(
        [
            {**made, "attempt": i, "machine": made["host"], "first_row": rows[id(made["first"])], "last_row": rows[id(made["last"])]}
            for i, made in enumerate(told)
        ],
        ATTEMPTS,
    )
    labelled = [(i, made) for i, made in enumerate(told) if made["class"] is not None]
    labels = _frame(
        [
            {
                "attempt": i,
                "signature": made["class"],
                "why": "told",
                "row": rows[id(made["proof"])],
                "secondary": [{"signature": name, "row": rows[id(made["first"])]} for name in made.get("secondary", [])],
                "failed": True,
            }
            for i, made in labelled
        ],
        LABELS,
    )
    restarts = [restart for tale in tales for restart in tale.restarts]
    restarts = [
        {
            **restart,
            "attempt": None if restart["of"] is None or restart["lost"] else number[id(restart["of"])],
            "row": rows[id(restart["line"])],
        }
        for restart in restarts
    ]
    stated = lifecycle_of(entries)
    numbers = {made["invocation"]: i for i, made in enumerate(told)}
    lifecycle = stated.with_columns(pl.Series("attempt", [numbers.get(name) for name in stated["invocation"]], dtype=pl.UInt32))
    changes = find_changes(entries, lifecycle)
    return Inputs(entries, attempts, _frame([], EVENTS), _frame(restarts, RESTARTS), lifecycle, labels, changes, signatures or {})


def _frame(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    columns = {name: [row.get(name) for row in rows] for name in schema}
    plain = {
        name: pl.Series(name, values, dtype=pl.String if isinstance(schema[name], pl.Categorical | pl.Enum) else schema[name], strict=False)
        for name, values in columns.items()
    }
    return pl.DataFrame(plain).cast(dict(schema))


def seed(*, background: int = 0) -> Inputs:
    """The seed incident's table, exactly: 43 single failures, then 700, 7,413, 4,082 and 1,741 restarts; `background` other entries."""
    tale = Tale("tabbyapi.service", "hydra-ai")
    for _ in range(43):
        tale.hold(9 * 60, then="failed", klass="cuda.out-of-memory")
    tale.hold(((datetime(2025, 12, 7, 21, 29, tzinfo=UTC) - tale.now).total_seconds() - 10) / 60, then="stopped")
    tale.at(datetime(2025, 12, 7, 21, 29, 20, tzinfo=UTC)).host_says(
        "nixos", "switching to system configuration /nix/store/abc-nixos-system-hydra-ai-25.11"
    )
    tale.at(datetime(2025, 12, 7, 21, 30, tzinfo=UTC)).fail(700, "loader.libstdcxx", every=12.9, lives=2.9)
    tale.host_says("sudo", "    luna : TTY=pts/0 ; PWD=/etc/nixos ; USER=root ; COMMAND=/run/current-system/sw/bin/nixos-rebuild switch")
    tale.automatic = False
    tale.each(_mixed({"torch.abi-mismatch": 7000, "other": 413}), every=11.64)
    tale.at(datetime(2025, 12, 9, 0, 0, 10, tzinfo=UTC)).host_says(
        "sudo", "luna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/systemctl restart tabbyapi"
    )
    tale.wait(2).automatic = False
    tale.each(_mixed({"cuda.out-of-memory": 1896, "port.in-use": 1657, "cuda.kernel": 4, "other": 525}), every=42.3)
    tale.each(_mixed({"cuda.out-of-memory": 1600, "port.in-use": 100, "other": 41}), every=49.35)
    tale.at(datetime(2025, 12, 11, 23, 51, 58, tzinfo=UTC)).host_says(
        "sudo", "luna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/systemctl restart tabbyapi"
    )
    tale.at(datetime(2025, 12, 11, 23, 52, tzinfo=UTC)).automatic = False
    tale.hold((datetime(2025, 12, 18, tzinfo=UTC) - tale.now).total_seconds() / 60, then="running")
    if not background:
        return inputs_of(tale)
    quiet = Tale("quiet.service", "hydra-ai")
    for _ in range(background):
        quiet.wait(30 * 86400 / background - 0.0001).say("ping", identifier="quiet", unit="quiet.service", manager="system")
    return inputs_of(tale, quiet)


def _mixed(sizes: dict[str, int]) -> list[str]:
    """Every class spread evenly over the whole."""
    places = [((i + 0.5) / n, name) for name, n in sizes.items() for i in range(n)]
    return [name for _, name in sorted(places)]


def completeness_of(entries: pl.DataFrame, damage: tuple[Damage, ...] = (), outside: pl.DataFrame | None = None) -> Completeness:
    """Judge what entries lack. outside: the numbers of the entries that are not in the window."""
    return judge_completeness(entries, find_gaps(entries, None if outside is None else lambda: outside), damage)
