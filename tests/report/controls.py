# ruff: noqa: E501  a row of the table is a line
"""Controls replayed on the seed's incident with the figures that were measured for it, and an audit of the fourteen controls."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from forensics.model.controls import (
    CANNOT_JUDGE,
    DEAD,
    EFFECTIVE,
    FIRES,
    MISSING,
    NEVER,
    UNKNOWN,
    UNREACHABLE,
    UNWIRED,
    Control,
    Link,
    Replayed,
)
from forensics.model.values import Incident, Report
from tests.report import sample

OPERATOR_S = 8_191.0
MIXIN, AWESOME, OWN = "shipped: node_exporter's mixin", "shipped: awesome-prometheus-alerts", "/etc/prometheus/rules/tabby.yml:4"
LIMITS, POLL = "shipped: start limits", "shipped: Uptime Kuma"
NOT_SEEN = "`failed` at 0 of 172,319 scrapes: the loop shows `activating` and `active`"

# control, kind, source, (first fire, earliest, latest), noise (times, hours)
FIRING_RULES = (
    ("NodeSystemdServiceRestarted (any restart in 5 min)", "rule", MIXIN, (30, 15, 38), (43, 3.4)),
    ("poll: systemctl is-active every 60 s", "poll", POLL, (40, 5, 100), (7, 0.1)),
    ("NodeSystemdServiceCrashlooping without `for`", "rule", MIXIN, (45, 30, 52), (0, 0.0)),
    ("SLO 99.9 %: fast burn 14.4", "rule", "shipped: SRE workbook", (60, 45, 67), (34, 2.89)),
    ("BlackboxProbeFailed for 1 min", "probe", AWESOME, (75, 60, 82), (7, 0.05)),
    ("SLO 99.9 %: slow burn 6", "rule", "shipped: SRE workbook", (135, 120, 142), (0, 0.0)),
    ("BlackboxProbeFailed for 5 min", "probe", AWESOME, (315, 300, 322), (0, 0.0)),
    ("SystemdServiceCrashLooping", "rule", AWESOME, (375, 371, 390), (0, 0.0)),
    ("poll: systemctl is-active every 60 s, 2 retries", "poll", POLL, (458, 145, 1160), (0, 0.0)),
    ("NodeSystemdServiceCrashlooping", "rule", MIXIN, (945, 930, 952), (0, 0.0)),
)
# control, kind, first fire, restarts avoided, refusals, refusals in quiet times
LIMITERS = (
    ("Restart=no", "policy", 2.9, 13_936, 1, 43),
    ("Gate: three failures in a row that no restart cures", "gate", 26, 12_176, 4, 0),
    ("StartLimit 3 in 3600 s", "limit", 39, 13_928, 4, 0),
    ("StartLimit 5 in 300 s", "limit", 65, 13_920, 4, 0),
    ("StartLimit 5 in 65 s", "limit", 65, 8_105, 2, 0),
    ("StartLimit 10 in 600 s", "limit", 129, 13_900, 4, 0),
    ("StartLimit 5 in 60 s", "limit", 9_077, 7_410, 1, 0),
)
SILENT = (
    ("NodeSystemdServiceFailed", "rule", MIXIN, NEVER, NOT_SEEN),
    ("StartLimit 5 in 10 s (systemd's default)", "limit", "shipped: systemd", NEVER, "five starts take 58 s at the fastest, the interval is 10 s"),
    ("TabbyAPIRestartLoop", "rule", OWN, DEAD, "`systemd_unit_start_total` exists in no exporter; nearest: systemd_service_restart_total"),
    ("TabbyAPIDown", "rule", "/etc/prometheus/rules/tabby.yml:11", DEAD, 'no target can have `up{job="tabbyapi"}`: TabbyAPI has no /metrics'),
    ("PrometheusJobMissing", "rule", AWESOME, CANNOT_JUDGE, 'the journal does not show whether the job "prometheus" was up'),
)  # fmt: skip


def fires(control: str, kind: str, source: str, after_s: float, **more: object) -> Replayed:
    at = sample.START + timedelta(seconds=after_s)
    return Replayed(f"{kind}:{control}", control, kind, source, FIRES, at, after_s, before_operator_s=OPERATOR_S - after_s, **more)


def _rule(control: str, kind: str, source: str, times: tuple[float, float, float], noise: tuple[int, float]) -> Replayed:
    after, earliest, latest = times
    return fires(
        control, kind, source, after, earliest_s=earliest, latest_s=latest, never_share=0.0, delivered_after_s=after + 30.0,
        restarts_after=13_936 - int(after / 12.9), firings_outside=noise[0], hours_outside=noise[1],
        assumptions=("45 s to be ready",) if kind == "probe" else (),
    )  # fmt: skip


def _limiter(control: str, kind: str, after_s: float, avoided: int, refusals: int, quiet: int) -> Replayed:
    source = "shipped: policies" if kind != "limit" else LIMITS
    left = {"restarts_avoided": avoided, "restarts_after": 13_936 - avoided, "refusals": refusals, "refusals_outside": quiet}
    return fires(control, kind, source, after_s, earliest_s=after_s, latest_s=after_s, **left)


def replay() -> tuple[Replayed, ...]:
    """The seed's table: what fires in the order of time, then one that depends on the timing, a stack, and what does not fire."""
    stack = fires(
        "StartLimit 5 in 300 s + NodeSystemdServiceFailed", "stack", MIXIN, 375.0, earliest_s=375.0, latest_s=375.0,
        restarts_avoided=13_920, restarts_after=16, delivered_after_s=405.0, firings_outside=0,
        reason="the limit makes the unit `failed`, which the rule can see",
    )  # fmt: skip
    seldom = fires(
        "unit not active for 5 min", "rule", "shipped: variants", 13_320.0, earliest_s=13_320.0, latest_s=16_440.0, never_share=0.75, firings_outside=0
    )  # fmt: skip
    firing = [*(_rule(*row) for row in FIRING_RULES), *(_limiter(*row) for row in LIMITERS), stack, seldom]
    silent = (Replayed(f"{kind}:{name}", name, kind, source, status, reason=why) for name, kind, source, status, why in SILENT)
    return (*sorted(firing, key=lambda row: row.after_s), *silent)


def with_replay(report: Report, controls: tuple[Replayed, ...] | None = None) -> Report:
    """The report in which the controls were replayed on every incident."""
    rows = replay() if controls is None else controls
    return replace(report, incidents=tuple(replace(incident, replay=rows) for incident in report.incidents))


def seed() -> Report:
    return with_replay(sample.seed())


def incident(*controls: Replayed) -> Incident:
    return replace(sample.seed().incidents[0], replay=controls or replay())


# layer, id, control, status, the link that breaks (or the last that holds), its evidence, remedy
AUDIT = (
    (1, "post-deploy-smoke-test", "Smoke test after a deployment", MISSING, "exists", "no unit asks the service after a system switch", "Ask for a completion after each switch."),
    (1, "prestart-dependency-check", "Check of what a start needs", MISSING, "exists", "the unit has no ExecCondition= and no ExecStartPre=", "Check before the start what the classes of this incident lack."),
    (1, "config-validation", "Check of the configuration", UNKNOWN, "exists", "the unit's file was not given: --units DIR", ""),
    (2, "alert-rules", "Alert rules", UNWIRED, "metric known", "/etc/prometheus/rules/tabby.yml:4: `systemd_unit_start_total` exists in no exporter", "Use systemd_service_restart_total."),
    (2, "restart-count", "Count of restarts", UNWIRED, "exporter flag on", "node_exporter runs without --collector.systemd.enable-restarts-metrics", "Add the flag to its unit."),
    (2, "error-patterns", "Patterns of errors", MISSING, "exists", "no `watch` and no ruler of Loki", "Run watch with a sink that reaches a person."),
    (2, "health-check", "Health check", MISSING, "exists", "no blackbox job, no monitor", "Probe the endpoint."),
    (3, "restart-limits", "Start limit", UNREACHABLE, "reachable", "five starts take 58 s at the fastest, systemd's default allows 10 s", "StartLimitIntervalSec=300 with StartLimitBurst=5."),
    (3, "circuit-breaker", "Circuit breaker", MISSING, "exists", "no gate stops a failure that no restart cures", ""),
    (3, "fallback-routing", "Fallback", UNKNOWN, "exists", "LiteLLM's configuration was not given: --litellm FILE", ""),
    (3, "auto-remediation", "Automatic remedy", MISSING, "exists", "the unit has no OnFailure=", ""),
    (4, "model-fallback-chain", "Chain of models", MISSING, "exists", "", ""),
    (4, "graceful-degradation", "Degraded service", MISSING, "exists", "", ""),
    (4, "self-healing-rebuild", "Rebuild of the environment", EFFECTIVE, "acts", "rebuild-venv.service ran 3 times and ended well", ""),
)  # fmt: skip


def audit() -> tuple[Control, ...]:
    """Fourteen controls of which one is effective; the chain of each is cut at one link."""
    before = Link("asked for", holds=True, evidence="the unit is in the audit")
    return tuple(
        Control(layer, name, control, status, (before, Link(link, _holds(status), evidence)), remedy, evidence)
        for layer, name, control, status, link, evidence, remedy in AUDIT
    )


def _holds(status: str) -> bool | None:
    return None if status == UNKNOWN else status == EFFECTIVE


def audited() -> Report:
    """The seed's report with its replay and an audit."""
    return replace(seed(), controls=audit())
