"""Check that every restart and every failure is counted once: in one incident or none, one phase, one class."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from forensics.manager_fields import with_manager_fields
from forensics.model import systemd
from forensics.model.values import FailureClass, FailureTotals, Incident, IsolatedFailures, LedgerCheck, RestartTotals
from forensics.speakers import of_manager


def totals(restarts: pl.DataFrame) -> RestartTotals:
    inside = pl.col("incident").is_not_null()
    count = pl.col("count")
    sums = restarts.select(
        total=count.sum(),
        in_incidents=count.filter(inside).sum(),
        background=count.filter(~inside).sum(),
        lost=count.filter("lost").sum(),
        refused=count.filter("refused").sum(),
    )
    return RestartTotals(**{name: int(value) for name, value in sums.row(0, named=True).items()})


def failure_totals(attempts: pl.DataFrame, restarts: pl.DataFrame) -> FailureTotals:
    """Count failed attempts; a restart of which only the counter is known followed one too."""
    failed, lost = attempts.filter("failed"), restarts.filter("lost")
    inside, lost_inside = (
        failed.filter(pl.col("incident").is_not_null()).height,
        lost.filter(pl.col("incident").is_not_null())["count"].sum(),
    )
    total = failed.height + int(lost["count"].sum())
    in_incidents = inside + int(lost_inside)
    return FailureTotals(total, in_incidents, total - in_incidents)


def check_failures(
    sums: FailureTotals, classes: tuple[FailureClass, ...], incidents: tuple[Incident, ...], isolated: tuple[IsolatedFailures, ...]
) -> tuple[LedgerCheck, ...]:
    """Compare the sums of failures."""
    inside, outside = sum(incident.failures for incident in incidents), sum(row.failures for row in isolated)
    return (
        LedgerCheck("failures in incidents + isolated ones = all failures", sums.total, inside + outside),
        LedgerCheck("sum of the failure classes = all failures", sums.total, sum(c.failures for c in classes)),
        *(
            LedgerCheck(
                f"incident {incident.id}: sum of the classes = its failures", incident.failures, sum(c.failures for c in incident.classes)
            )
            for incident in incidents
        ),
    )


def check_sums(
    entries: pl.DataFrame,
    units: Sequence[str],
    restarts: pl.DataFrame,
    sums: RestartTotals,
    classes: tuple[FailureClass, ...],
    incidents: tuple[Incident, ...],
) -> tuple[LedgerCheck, ...]:
    """Compare the sums of restarts. units: of the analysed attempts and restarts.

    The restart lines are counted once more in ENTRIES, independently of LIFECYCLE, to prove that all were read.
    """
    inside = sum(incident.restarts for incident in incidents)
    restarts_logged = with_manager_fields(entries).filter(of_manager(entries) & (pl.col("message_id") == systemd.UNIT_RESTART_SCHEDULED))
    lines = restarts_logged["unit"].cast(pl.String)
    logged = lines.is_in(units).sum()
    read = restarts.filter(~pl.col("lost"))["count"].sum()
    checks = [
        LedgerCheck("restart lines in the journal = restarts read", int(logged), int(read)),
        LedgerCheck("restarts read + lost = all restarts", int(read) + sums.lost, sums.total),
        LedgerCheck("restarts in incidents + isolated ones = all restarts", sums.total, inside + sums.background),
        LedgerCheck("sum of the failure classes = all restarts", sums.total, sum(c.restarts for c in classes)),
    ]
    for incident in incidents:
        checks += _checks_of(incident)
    return tuple(checks)


def _checks_of(incident: Incident) -> list[LedgerCheck]:
    name = f"incident {incident.id}"
    by_class = {c.signature: c.restarts for c in incident.classes}
    over_phases: dict[str, int] = dict.fromkeys(by_class, 0)
    for phase in incident.phases:
        for signature, restarts in phase.classes.items():
            over_phases[signature] = over_phases.get(signature, 0) + restarts
    wrong = sum(abs(by_class.get(s, 0) - n) for s, n in over_phases.items())
    return [
        LedgerCheck(f"{name}: sum of the phases = its restarts", incident.restarts, sum(p.restarts for p in incident.phases)),
        LedgerCheck(f"{name}: sum of the classes = its restarts", incident.restarts, sum(by_class.values())),
        LedgerCheck(f"{name}: restarts that differ between classes and class × phase", 0, wrong),
    ]
