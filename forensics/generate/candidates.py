"""List the rules that are tried for a unit: a small family on metrics that exporters have, the most robust of each kind first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forensics import wording
from forensics.policy.templates import TEMPLATE
from forensics.rules import Rule

RESTART_LOOP, FAILED, DOWN, KNOWN_FAILURE = "UnitRestartLoop", "UnitFailed", "UnitDown", "UnitKnownFailure"
METRIC_MISSING, WATCHDOG = "RestartMetricMissing", "Watchdog"
THRESHOLDS = (5, 3, 2, 1, 0)  # restarts in the range: the more, the less one or two single failures matter
RANGES_S = (300, 600, 900, 1800, 3600)
HELD_TWICE = 2.0  # a range is twice as long as the restarts that it must see, so that a slower loop is seen too
HOLDS_S = (60, 30, 15, 0)  # of rules on a state
PROBE_HOLDS_S = (30, 60, 120, 300, 600)  # of rules on a probe, which also fails while a healthy service starts
MISSING_S = 600


@dataclass(frozen=True, slots=True)
class Exporter:
    """Where the metrics of units come from. label: of the unit's name; state: empty where it has no such metric."""

    program: str
    restarts: str
    state: str
    label: str
    needs: str

    def has(self, expr: str) -> bool:
        """Whether an expression is about its metrics."""
        return expr.startswith((self.state or self.restarts) + "{") or f"({self.restarts}{{" in expr


EXPORTERS: Mapping[str, Exporter] = {
    "node": Exporter(
        "node_exporter", "node_systemd_service_restart_total", "node_systemd_unit_state", "name",
        "--collector.systemd --collector.systemd.enable-restarts-metrics",
    ),
    "systemd": Exporter(
        "systemd_exporter", "systemd_service_restart_total", "systemd_unit_state", "name", "--systemd.collector.enable-restart-count"
    ),
    "watch": Exporter("tabby-forensics watch", "tabby_forensics_unit_restarts_total", "", "unit", "--listen HOST:PORT"),
}  # fmt: skip


def restart_rules(unit: str, exporter: Exporter, cycle_s: float | None) -> Iterator[Rule]:
    """Yield rules on the number of restarts in a range that the slowest cycle fills."""
    for threshold in THRESHOLDS:
        needed = HELD_TWICE * (threshold + 1) * (cycle_s or 0.0)
        ranges = [range_s for range_s in RANGES_S if range_s >= needed]
        for range_s in ranges[:2]:
            yield _rule(
                RESTART_LOOP, unit, f"increase({exporter.restarts}{{{_matcher(exporter, unit)}}}[{_span(range_s)}]) > {threshold}", 0,
                summary=f"{unit} is in a restart loop",
                description=f"{_who(exporter)} was restarted about {_COUNT} times in {wording.duration(range_s)}.",
            )  # fmt: skip


def failed_rules(unit: str, exporter: Exporter) -> Iterator[Rule]:
    """Yield rules on the state that a unit has when it is not restarted: for good, by a start limit, or a job that failed."""
    for hold_s in HOLDS_S if exporter.state else ():
        yield _rule(
            FAILED, unit, f'{exporter.state}{{{_matcher(exporter, unit)},state="failed"}} == 1', hold_s,
            summary=f"{unit} has failed and is not restarted",
            description=f"{_who(exporter)} is in the state failed. Fix the cause, then systemctl reset-failed {unit} and start it.",
        )  # fmt: skip


def down_rules(unit: str, job: str) -> Iterator[Rule]:
    """Yield rules on a probe of the unit's endpoint, the fastest first."""
    for hold_s in PROBE_HOLDS_S:
        yield _rule(
            DOWN, unit, f"probe_success{{job={_quoted(job)}}} == 0", hold_s,
            summary=f"{unit} does not answer",
            description="The probe of {{ $labels.instance }} fails.",
        )  # fmt: skip


def class_rules(unit: str, signature: str) -> Iterator[Rule]:
    """Yield rules on failures of one class, which only `watch` counts, the fastest first."""
    selector = f"{_matcher(EXPORTERS['watch'], unit)},signature={_quoted(signature)}"
    for threshold in (0, 1, 2):
        yield _rule(
            KNOWN_FAILURE, unit, f"increase(tabby_forensics_failures_total{{{selector}}}[{_span(RANGES_S[1])}]) > {threshold}", 0,
            summary=f"{unit} fails with {signature}",
            description=f"{{{{ $labels.unit }}}} failed about {_COUNT} times in {wording.duration(RANGES_S[1])} with {signature}.",
            more={"severity": "warning", "signature": signature},
        )  # fmt: skip


def missing_rule(units: Sequence[str], exporter: Exporter) -> Rule:
    """Return the rule that fires where the others would be dead: nobody exports the counter they need."""
    expr = " or ".join(f"absent({exporter.restarts}{{{_matcher(exporter, unit)}}})" for unit in units)
    return Rule(
        expr, METRIC_MISSING, hold_s=MISSING_S, labels={"severity": "warning"},
        annotations={
            "summary": "the restart counter of a unit is not exported",
            "description": f"{exporter.restarts} of {{{{ $labels.{exporter.label} }}}} is missing, so that no rule can see a restart loop. "
            f"{exporter.program} needs {exporter.needs}.",
        },
    )  # fmt: skip


def watchdog_rule() -> Rule:
    """Return the rule that always fires, so that a dead man's switch can complain when it stops."""
    texts = {"summary": "alerting works", "description": "It always fires. A dead man's switch complains when it no longer arrives."}
    return Rule("vector(1)", WATCHDOG, labels={"severity": "none"}, annotations=texts)


_COUNT = '{{ $value | printf "%.0f" }}'


def _rule(alert: str, unit: str, expr: str, hold_s: float, summary: str, description: str, more: Mapping[str, str] | None = None) -> Rule:
    labels = {"severity": "critical", "unit": unit, **(more or {})}
    return Rule(expr, alert, hold_s=hold_s, labels=labels, annotations={"summary": summary, "description": description})


def _who(exporter: Exporter) -> str:
    return f"{{{{ $labels.{exporter.label} }}}} on {{{{ $labels.instance }}}}"


def _matcher(exporter: Exporter, unit: str) -> str:
    """Select a unit, or all instances of a template."""
    if not unit.endswith(TEMPLATE):
        return f"{exporter.label}={_quoted(unit)}"
    pattern = re.escape(unit.removesuffix(TEMPLATE)) + "@.+[.]service"
    return f"{exporter.label}=~{_quoted(pattern)}"


def _quoted(text: str) -> str:
    """Write a string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _span(seconds: int) -> str:
    return f"{seconds // 3600}h" if seconds % 3600 == 0 else f"{seconds // 60}m"
