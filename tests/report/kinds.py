# ruff: noqa: E501  sentences are as long as they are
"""Small reports of every kind of incident, of a consequence, and of isolated failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from forensics.model.values import (
    Bin,
    Change,
    Completeness,
    Cost,
    Detection,
    DetectionSummary,
    FailureClass,
    FailureTotals,
    FixAttempt,
    Incident,
    IsolatedFailures,
    LedgerCheck,
    Phase,
    Report,
    RestartHelped,
    RestartTotals,
    Window,
)
from tests.report import sample
from tests.report.sample import evidence

SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
MACHINE = "4f2ab8d1c07e4d6c9a1b5e8f00d3c2a7"
NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def failure_class(
    signature: str, title: str, failures: int, restarts: int, first: datetime, last: datetime, **more: object
) -> FailureClass:
    values = {
        "share": 1.0,
        "restart_helps": None,
        "severity": "high",
        "secondary": 0,
        "sample": evidence(first, f"{title.lower()}: the line that explains it"),
        "remedy": f"1. Look at what `{signature}` needs.\n2. Give it that.",
    }
    return FailureClass(
        signature=signature, title=title, failures=failures, restarts=restarts, first=first, last=last, **(values | more)
    )  # fmt: skip


def incident(unit: str, kind: str, start: datetime, end: datetime | None, row: FailureClass, **more: object) -> Incident:
    recovery = None if more.get("ongoing") else end
    seconds = ((end or UNTIL) - start).total_seconds()
    values = {
        "manager": "system",
        "host": "web1",
        "machine": MACHINE,
        "ongoing": False,
        "exact": True,
        "downtime_s": seconds,
        "downtime_method": "envelope",
        "availability": 1 - seconds / (UNTIL - SINCE).total_seconds(),
        "phases": (),
        "changes": (),
        "trigger": None,
        "trigger_text": "no change found",
        "fix_attempts": (),
        "detection": Detection(start, None, None, None, {"signal": row.sample} if row.sample else {}),
        "recovery": recovery,
        "time_to_recover_s": None if recovery is None else seconds,
        "cost": Cost(None, 48_000, 120),
        "bin_s": 60,
        "bins": (),
        "classes": (row,),
        "restarts": row.restarts,
        "failures": row.failures,
    }
    return Incident(id=f"web1/{unit}/{start:%Y-%m-%dT%H:%M:%SZ}", unit=unit, kind=kind, start=start, end=end, **(values | more))


def outage() -> Incident:
    """40 minutes down: six starts by hand failed, the seventh held."""
    row = failure_class(
        "postgres.wal-corrupt", "The write-ahead log is damaged", 6, 0, NOON, NOON + 31 * MINUTE, restart_helps=False, cycle_s=372.0
    )
    tries = [NOON + k * 6 * MINUTE for k in range(1, 6)]
    fixes = [FixAttempt(time, "systemctl start postgresql", "no-effect", evidence(time, "COMMAND=systemctl start")) for time in tries]
    fixes.append(FixAttempt(NOON + 40 * MINUTE, "pg_resetwal; systemctl start postgresql", "held", None))
    operator = evidence(tries[0], "simon : TTY=pts/0 ; USER=root ; COMMAND=/usr/bin/systemctl start postgresql")
    return incident(
        "postgresql.service",
        "outage",
        NOON,
        NOON + 40 * MINUTE,
        row,
        verdict="postgresql was down 40 min (6 starts failed): The write-ahead log is damaged; nobody was alerted; it ended when postgresql was started by hand.",
        fix_attempts=tuple(fixes),
        changes=tuple(Change(fix.time, "operator", fix.summary, fix.evidence) for fix in fixes),
        detection=Detection(NOON, None, tries[0], None, {"signal": row.sample, "operator": operator}),
    )  # fmt: skip


def consequence() -> Incident:
    """A unit that never failed itself: it could not run without the one that did."""
    row = failure_class(
        "exit:dependency", "A unit that it needs failed", 1, 0, NOON + MINUTE, NOON + MINUTE, severity="medium", remedy="", sample=None
    )
    return incident(
        "shop-api.service", "outage", NOON + MINUTE, NOON + 41 * MINUTE, row, caused_by="postgresql.service",
        verdict="shop-api was down 40 min: postgresql.service, which it needs, had failed; nobody was alerted, and no operator acted; it recovered without a fix on record.",
    )  # fmt: skip


def failing_job() -> Incident:
    """A nightly job that has failed for two weeks."""
    start = datetime(2026, 3, 17, 2, 30, tzinfo=UTC)
    row = failure_class(
        "rsync.partial-transfer",
        "Some files could not be copied",
        14,
        0,
        start,
        start + timedelta(days=13),
        restart_helps=None,
        cycle_s=86_400.0,
    )
    return incident(
        "nightly-backup.service", "failing-job", start, None, row, ongoing=True, downtime_s=0.0, availability=None,
        verdict="nightly-backup failed 14 times in a row, over 13 d, the first 24 h after its last good run: Some files could not be copied; nobody was alerted, and no operator acted; it is still going on at the end of the data.",
    )  # fmt: skip


def recurring() -> Incident:
    """Seven crashes in a day; each restart held."""
    start = datetime(2026, 3, 20, 1, tzinfo=UTC)
    ends = [start + timedelta(hours=3 * k) for k in range(7)]
    row = failure_class(
        "process.segmentation-fault", "Segmentation fault", 7, 7, start, ends[-1], restart_helps=True, cycle_s=10_800.0,
        restart_helped=RestartHelped(7, 7),
    )  # fmt: skip
    end = ends[-1] + timedelta(seconds=26)
    return incident(
        "thumbnailer.service", "recurring", start, end, row, downtime_s=182.0, time_to_recover_s=None, downtime_method="sum-of-gaps", availability=1 - 182 / 2_592_000,
        verdict="thumbnailer failed 7 times although it held each time in between, down 3 min in all: Segmentation fault; nobody was alerted, and no operator acted; it held again after the last failure.",
        phases=(Phase(start, end, 7, 10_800.0, row.signature, {row.signature: 7}),),
        bin_s=3600,
        bins=tuple(Bin(time, row.signature, 1) for time in ends),
    )  # fmt: skip


def slow_loop() -> Incident:
    """A loop that also failed once without a restart."""
    start = datetime(2026, 3, 25, 8, tzinfo=UTC)
    row = failure_class(
        "gpu.vram-exhausted", "Not enough GPU memory", 1441, 1440, start, start + timedelta(hours=100), restart_helps=True, cycle_s=250.0,
        restart_helped=RestartHelped(1440, 0),
    )  # fmt: skip
    end = start + timedelta(hours=100)
    return incident(
        "vllm.service", "restart-loop", start, end, row,
        verdict="vllm was down 4 d 4 h (1,440 restarts): Not enough GPU memory; nobody was alerted, and no operator acted; it recovered without a fix on record.",
        phases=(Phase(start, end, 1440, 250.0, row.signature, {row.signature: 1440}),),
        bin_s=3600,
        bins=tuple(Bin(start + timedelta(hours=k), row.signature, 14 + (k % 5 < 2)) for k in range(100)),
    )  # fmt: skip


ISOLATED = (
    IsolatedFailures(
        MACHINE, "web1", "vllm.service", "system", "gpu.vram-exhausted", "Not enough GPU memory", 3, 3,
        SINCE + timedelta(days=1), SINCE + timedelta(days=4), evidence(SINCE + timedelta(days=1), sample.LINES["cuda.out-of-memory"]),
    ),
    IsolatedFailures(
        MACHINE, "web1", "podman.service", "user:1000", "exit:exit-code/125", "Exited with status 125 (no log output before the exit)", 1, 0,
        SINCE + timedelta(days=9), SINCE + timedelta(days=9), None,
    ),
)  # fmt: skip


def report(*incidents: Incident, isolated: tuple[IsolatedFailures, ...] = ()) -> Report:
    """Report these incidents and isolated failures; the totals follow from them."""
    failures, restarts = (sum(getattr(one, name) for one in incidents) for name in ("failures", "restarts"))
    more_failures, more_restarts = (sum(getattr(row, name) for row in isolated) for name in ("failures", "restarts"))
    totals = FailureTotals(failures + more_failures, failures, more_failures)
    classes = [row for one in incidents for row in one.classes]
    for row in isolated:
        classes = _with(classes, row)
    return Report(
        host="web1",
        hosts=("web1",),
        units=tuple(sorted({one.unit for one in incidents} | {row.unit for row in isolated})),
        window=Window(SINCE, UNTIL),
        timezone="UTC",
        completeness=Completeness(1_204_331, True, 0, (), ()),
        restarts=RestartTotals(restarts + more_restarts, restarts, more_restarts, 0),
        failures=totals,
        isolated=isolated,
        classes=tuple(
            replace(row, share=row.restarts / (restarts + more_restarts) if restarts + more_restarts else row.failures / totals.total)
            for row in classes
        ),
        incidents=incidents,
        detection_summary=DetectionSummary(len(incidents), None, None, None),
        ledger=(
            LedgerCheck("failures in incidents + isolated = all", totals.total, totals.total),
            LedgerCheck("restarts in incidents + isolated = all", restarts + more_restarts, restarts + more_restarts),
        ),
        version="0.1.0",
    )


def _with(classes: list[FailureClass], isolated: IsolatedFailures) -> list[FailureClass]:
    """Add isolated failures to their class of the window; each of their restarts helped."""
    helped = RestartHelped(isolated.restarts, isolated.restarts)
    for k, row in enumerate(classes):
        if row.signature == isolated.signature:
            of = row.restart_helped or RestartHelped(0, 0)
            both = RestartHelped(of.of + helped.of, of.held + helped.held)
            merged = replace(row, failures=row.failures + isolated.failures, restarts=row.restarts + isolated.restarts, restart_helped=both)
            return [*classes[:k], merged, *classes[k + 1 :]]
    row = failure_class(
        isolated.signature, isolated.title, isolated.failures, isolated.restarts, isolated.first, isolated.last, sample=isolated.sample,
        restart_helped=helped if helped.of else None,
    )  # fmt: skip
    return sorted([*classes, row], key=lambda row: (-row.restarts, -row.failures))


def only_isolated() -> Report:
    return report(isolated=ISOLATED)


def all_kinds() -> Report:
    return report(outage(), consequence(), failing_job(), recurring(), slow_loop(), isolated=ISOLATED)


def hostile() -> Report:
    return sample.poisoned(all_kinds())


KINDS = {
    "outage": lambda: report(outage()),
    "failing-job": lambda: report(failing_job()),
    "recurring": lambda: report(recurring()),
    "slow-loop": lambda: report(slow_loop(), isolated=ISOLATED),
    "isolated": only_isolated,
    "all": all_kinds,
}
