# ruff: noqa: E501  a row of a table is a line
"""Each check: effective where all is there; where one link is broken, exactly that link is named."""

from dataclasses import replace

import pytest

from forensics.audit import audit
from forensics.audit.checks import CHECKS
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.alertmanager import AlertTest, Sent, Silence
from forensics.audit.inventory.kuma import Kuma
from forensics.audit.inventory.prometheus import AlertmanagerAddress, Prometheus, RuleState, Series, Target
from forensics.audit.inventory.subject import AfterSwitch, FailedClass, Signs
from forensics.audit.inventory.units import WatchSettings
from forensics.promql import Matcher
from forensics.replay.alertmanager import Route, Routing
from tests.audit import effective as e

ONLY_RULE = {"alert-rules": e.with_rule, "restart-count": e.with_rule}
DEAD = f'increase(systemd_unit_start_total{{name="{e.UNIT}"}}[10m]) > 5'
NO_SERIES = (Series("node_systemd_service_restart_total", 0), Series("node_exporter_build_info", 0))
OF_OTHERS = (Series("node_systemd_service_restart_total", 3),)
WITHOUT_FLAG = (Series("node_systemd_service_restart_total", 0), Series("node_exporter_build_info", 1))
NODE_DOWN = (Target(e.SERIES, False, "connect: connection refused"),)
RULES = (RuleState(e.RESTARTS),)
PROBE_ONLY = (RuleState(e.PROBE),)
OTHERS_PROBE = (Target({"job": "blackbox", "instance": "https://example.org"}, True, probed="https://example.org"),)
SILENT = (Silence((Matcher("alertname", "=~", "Tabby.*"),), "2030-01-01T00:00:00Z", "holidays"),)
ALREADY = e.never("TabbyRestarts", "it was firing already", source="rules/tabby.yml:4")

# control, what is broken, inventory, the links that do not hold, status
BROKEN = [
    ("alert-rules", "no rule", e.with_prometheus(rules=(), globs=()), ["exists"], "missing"),
    ("alert-rules", "the pattern matches no file", e.with_prometheus(rules=()), ["exists"], "missing"),
    ("alert-rules", "not loaded", e.with_prometheus(rules=(), not_loaded=(e.RESTARTS,)), ["loaded"], "unwired"),
    ("alert-rules", "an error of evaluation", e.with_prometheus(rules=(RuleState(e.RESTARTS, "many-to-many"),)), ["loaded"], "unwired"),
    ("alert-rules", "a metric that exists nowhere", e.with_rule(expr=DEAD), ["metric known"], "unwired"),
    ("alert-rules", "a label value that cannot be", e.with_rule(expr='node_systemd_unit_state{state="crashed"} == 1'), ["metric known"], "unwired"),
    ("alert-rules", "the exporter's flag", e.with_prometheus(rules=RULES, series=WITHOUT_FLAG), ["exporter flag on"], "unwired"),
    ("alert-rules", "no series", e.with_prometheus(rules=RULES, series=NO_SERIES), ["fed"], "unwired"),
    ("alert-rules", "no series of the unit", e.with_prometheus(rules=RULES, series=OF_OTHERS), ["selects this unit"], "unwired"),
    ("alert-rules", "another unit", e.with_rule(expr=e.RESTARTS.expr.replace("tabbyapi", "tabby")), ["selects this unit"], "unwired"),
    ("alert-rules", "the seed's second rule", e.with_prometheus(rules=(RuleState(replace(e.RESTARTS, expr='up{job="tabbyapi"} == 0')),),
                                                                  series=(Series("up", 0),)), ["fed"], "unwired"),
    ("alert-rules", "never fires", replace(e.with_journal(replayed=(ALREADY,)), prometheus=replace(e.PROMETHEUS, rules=RULES)),
     ["replay fires"], "unreachable"),
    ("alert-rules", "no Alertmanager", e.with_prometheus(alertmanagers=()), ["Alertmanager reachable"], "unwired"),
    ("alert-rules", "a dead Alertmanager",
     e.with_prometheus(alertmanagers=(AlertmanagerAddress("http://127.0.0.1:9093", "refuses connections"),)), ["Alertmanager reachable"], "unwired"),
    ("alert-rules", "a receiver without integrations", e.with_alertmanager(routing=e.routing("phone", phone=())), ["routed to a receiver"], "unwired"),
    ("alert-rules", "a route to nobody", e.with_alertmanager(routing=e.routing("nobody")), ["routed to a receiver"], "unwired"),
    ("alert-rules", "a silence", e.with_alertmanager(silences=SILENT), ["not silenced"], "unwired"),
    ("alert-rules", "failed notifications", e.with_alertmanager(sent=(Sent("webhook", 4, 4),)), ["delivered"], "unwired"),
    ("alert-rules", "a test alert that is lost", e.with_alertmanager(test=AlertTest(False, "not delivered")), ["delivered"], "unwired"),
    ("restart-count", "no rule on restarts", replace(e.with_prometheus(rules=PROBE_ONLY), units=e.units(**{"tabby-forensics.service": ""})),
     ["exists"], "missing"),
    ("restart-count", "the seed's rule", replace(e.with_rule(expr=DEAD), units=e.units(**{"tabby-forensics.service": ""})),
     ["metric known"], "unwired"),
    ("error-patterns", "no watch", e.with_units(e.units(**{"tabby-forensics.service": ""})), ["exists"], "missing"),
    ("error-patterns", "watch is not running", e.with_units(e.stopped("tabby-forensics.service")), ["active"], "unwired"),
    ("error-patterns", "only a sink to standard output", e.with_units(replace(e.units(), watch=WatchSettings(("stdout",)))),
     ["routed to a receiver"], "unwired"),
    ("error-patterns", "another unit", e.with_units(replace(e.units(), watch=WatchSettings(("ntfy",), ("ollama", "llama-*")))), ["selects this unit"], "unwired"),
    ("error-patterns", "no alert about this incident", e.with_journal(replayed=(e.never("watch: RestartLoop", "not in this incident", "watch"),)),
     ["replay fires"], "unreachable"),
    ("health-check", "no probe", e.with_prometheus(targets=(Target(e.SERIES, is_up=True),)), ["exists"], "missing"),
    ("health-check", "a probe of something else", e.with_prometheus(targets=OTHERS_PROBE), ["probes the service"], "unwired"),
    ("health-check", "the prober is down", e.with_prometheus(targets=(replace(e.PROMETHEUS.targets[1], is_up=False, last_error="refused"),)),
     ["fed"], "unwired"),
    ("health-check", "no rule on the probe", e.with_prometheus(rules=RULES), ["an alert depends on it"], "unwired"),
    ("health-check", "a monitor without a notification", replace(e.EFFECTIVE, prometheus=None, kuma=e.kuma(notifications=0)),
     ["routed to a receiver"], "unwired"),
    ("health-check", "a paused monitor", replace(e.EFFECTIVE, prometheus=None, kuma=e.kuma(is_active=False)), ["probes the service"], "unwired"),
    ("health-check", "no monitor of the unit", replace(e.EFFECTIVE, prometheus=None, kuma=e.kuma(name="Blog", address="http://127.0.0.1:80")),
     ["exists"], "missing"),
    ("restart-limits", "systemd's default", e.with_units(e.edited("StartLimitIntervalSec=300\nStartLimitBurst=5\n", "")), ["would act"], "unreachable"),
    ("restart-limits", "the usual advice, 5 in 60 s", e.with_units(e.edited("IntervalSec=300", "IntervalSec=1min")), ["would act"], "unreachable"),
    ("restart-limits", "switched off", e.with_units(e.edited("IntervalSec=300", "IntervalSec=0")), ["exists"], "missing"),
    ("restart-limits", "not loaded", e.with_units(e.reloading(e.UNIT)), ["loaded"], "unwired"),
    ("circuit-breaker", "no gate", replace(e.with_units(e.edited("ExecStopPost", "ExecReload")), litellm=None), ["exists"], "missing"),
    ("circuit-breaker", "ExecStartPre= loops on", replace(e.with_units(e.edited("ExecStopPost", "ExecStartPre")), litellm=None),
     ["would act"], "unreachable"),
    ("circuit-breaker", "a condition on systemd 257", replace(e.with_units(e.edited("ExecStopPost=-+/usr/bin/tabby-forensics gate note %n",
     "[Unit]\nConditionPathExists=!/run/gate/%n")), litellm=None), ["would act"], "unreachable"),
    ("circuit-breaker", "time-outs longer than the window", replace(e.with_litellm(cooldown_s=20), units=e.edited("ExecStopPost", "ExecReload")),
     ["would act"], "unreachable"),
    ("circuit-breaker", "a lone deployment without allowed_fails",
     replace(e.with_litellm(allowed_fails=None), units=e.edited("ExecStopPost", "ExecReload")), ["would act"], "unreachable"),
    ("fallback-routing", "no fallback", e.with_litellm(fallbacks={}), ["exists"], "missing"),
    ("fallback-routing", "the same process", e.with_litellm(deployments=e.deployments(address="http://localhost:5000/v1")), ["would act"], "unreachable"),
    ("fallback-routing", "a dead fallback", e.with_litellm(deployments=e.deployments(why_not="refuses connections")),
     ["the fallback answers"], "unwired"),
    ("auto-remediation", "no OnFailure=", e.with_units(e.edited("OnFailure=page@%n.service", "")), ["exists"], "missing"),
    ("auto-remediation", "no such unit", e.with_units(replace(e.without("page@.service"), is_running=False)), ["its unit exists"], "unwired"),
    ("auto-remediation", "systemd 252 without a limit",
     e.with_units(replace(e.edited("StartLimitBurst=5", "StartLimitBurst=50"), systemd=252)), ["would act"], "unreachable"),
    ("model-fallback-chain", "no second model", e.with_litellm(fallbacks={}), ["exists"], "missing"),
    ("model-fallback-chain", "the same model twice", e.with_litellm(deployments=e.deployments(model="openai/tabby-70b")), ["would act"], "unreachable"),
    ("graceful-degradation", "no tier without a GPU", e.with_litellm(deployments=e.deployments(id="ollama-gpu")), ["exists"], "missing"),
    ("graceful-degradation", "a dead tier", e.with_litellm(deployments=e.deployments(why_not="refuses connections")), ["would act"], "unreachable"),
    ("self-healing-rebuild", "no such unit", e.with_units(e.without("rebuild-tabbyapi.service")), ["exists"], "missing"),
    ("self-healing-rebuild", "nothing starts it", e.with_units(e.without("rebuild-tabbyapi.path")), ["would act"], "unreachable"),
    ("post-deploy-smoke-test", "nothing asks", e.with_units(e.edited("ExecStartPost", "ExecReload")), ["exists"], "missing"),
    ("post-deploy-smoke-test", "only /health", e.with_units(e.edited("v1/completions --owner MainPID", "health")), ["would act"], "unreachable"),
    ("post-deploy-smoke-test", "not after each switch", e.with_journal(switches=(AfterSwitch(e.START, "system switch", ("other.service",)),)),
     ["has acted"], "unwired"),
    ("prestart-dependency-check", "none", e.with_units(e.edited("-c 'import torch'", "--version")), ["exists"], "missing"),
    ("prestart-dependency-check", "of something else", e.with_units(e.edited("-c 'import torch'", "&& pg_isready")), ["would act"], "unreachable"),
    ("config-validation", "none", e.with_units(e.edited("--check-config", "--version")), ["exists"], "missing"),
    ("config-validation", "an incident of another kind", replace(e.EFFECTIVE, subject=replace(e.SUBJECT, classes=e.SUBJECT.classes[:2])),
     ["would act"], "unreachable"),
]  # fmt: skip


def control(found: Inventory, name: str):
    return next(each for each in audit(found) if each.id == name)


def test_there_are_fourteen_controls_in_four_layers():
    controls = audit(e.EFFECTIVE)
    assert [sum(each.layer == layer for each in controls) for layer in (1, 2, 3, 4)] == [3, 4, 4, 3]
    assert [each.id for each in controls] == list(CHECKS)


@pytest.mark.parametrize("found", [e.EFFECTIVE, replace(e.EFFECTIVE, kuma=e.kuma())], ids=["without Uptime Kuma", "with Uptime Kuma"])
def test_all_is_effective(found):
    assert [(each.id, each.status, [link for link in each.links if not link.holds]) for each in audit(found)] == [
        (name, "effective", []) for name in CHECKS
    ]


def test_each_control_is_broken_somewhere():
    assert {row[0] for row in BROKEN} == set(CHECKS)
    assert len(BROKEN) >= 50


@pytest.mark.parametrize(
    ("name", "found", "links", "status"), [(row[0], *row[2:]) for row in BROKEN], ids=[f"{row[0]}: {row[1]}" for row in BROKEN]
)
def test_exactly_the_broken_link_is_named(name, found, links, status):
    judged = control(found, name)
    assert [link.link for link in judged.links if link.holds is False] == links
    assert judged.status == status
    assert judged.remedy.endswith(".")
    assert next(link.evidence for link in judged.links if link.holds is False) in judged.evidence


@pytest.mark.parametrize("name", CHECKS)
def test_without_a_source_nothing_is_claimed(name):
    nothing = Inventory(e.SUBJECT, e.JOURNAL)
    judged = control(nothing, name)
    assert judged.status == "unknown"
    assert "--" in judged.remedy


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_only_configured_is_not_effective(name):
    """Files alone, and a journal that shows nothing of any control."""
    journal = replace(
        e.JOURNAL, alerts=Signs(), refused=Signs(), on_failure=Signs(), gate=Signs(), failed_commands={}, switches=(), started={}
    )
    files = Inventory(
        e.SUBJECT,
        journal,
        prometheus=replace(e.PROMETHEUS, is_running=False, series=None, alertmanagers=(AlertmanagerAddress("http://127.0.0.1:9093"),)),
        alertmanager=replace(e.ALERTMANAGER, is_running=False, silences=None, sent=None, why_not_ready=None),
        units=replace(
            e.units(), is_running=False, units={name: replace(unit, state="", needs_reload=None) for name, unit in e.units().units.items()}
        ),
        litellm=replace(e.LITELLM, is_running=False, counters=None),
    )
    judged = control(files, name)
    assert judged.status == "unknown"
    assert judged.remedy


SOURCES = [
    (
        "alert-rules",
        {"prometheus": Prometheus("http://p:9090", True, "has not answered within 5 s")},
        "http://p:9090 has not answered within 5 s",
    ),
    ("health-check", {"kuma": Kuma("http://k:3001", True, "wants a login (HTTP 401)"), "prometheus": None}, "wants a login (HTTP 401)"),
    ("fallback-routing", {"litellm": replace(e.LITELLM, problem="refuses connections")}, "http://127.0.0.1:4000 refuses connections"),
    ("restart-limits", {"units": replace(e.units(), problem="systemd does not run here")}, "systemd does not run here"),
    ("restart-limits", {"units": e.without(e.UNIT)}, "has no tabbyapi.service"),
    ("alert-rules", {"alertmanager": replace(e.ALERTMANAGER, problem="answers HTML", routing=None)}, "http://127.0.0.1:9093 answers HTML"),
]


@pytest.mark.parametrize(("name", "changed", "reason"), SOURCES)
def test_a_source_that_does_not_answer_makes_it_unknown_with_the_reason(name, changed, reason):
    judged = control(replace(e.EFFECTIVE, **changed), name)
    assert judged.status == "unknown"
    assert reason in judged.evidence


def test_a_limit_is_judged_at_the_slowest_cycle_and_says_what_it_needs():
    found = e.with_units(e.edited("IntervalSec=300", "IntervalSec=65"))
    assert control(found, "restart-limits").evidence.startswith(
        "tabbyapi.service: Not enough GPU memory: one start every 43.2 s, so 5 starts take"
    )


def test_the_managers_default_counts_and_is_named():
    of_manager = replace(e.edited("StartLimitIntervalSec=300\nStartLimitBurst=5\n", ""), start_limit=("10min", "5"))
    links = control(e.with_units(of_manager), "restart-limits").links
    assert links[0].evidence == "StartLimitBurst=5 in StartLimitIntervalSec=10min (the manager's default)"
    assert all(link.holds for link in links)


def test_a_class_that_no_pattern_names_cannot_be_checked_for():
    mined = FailedClass("mined:e529b11a1237606f", "something", 5, 5, 10.0)
    judged = control(replace(e.EFFECTIVE, subject=replace(e.SUBJECT, classes=(mined,))), "prestart-dependency-check")
    assert (judged.status, judged.links[1].holds) == ("unknown", None)


def test_a_rule_about_something_else_does_not_hide_a_broken_one():
    """Whether disk_free is about the unit is not known; the rule that names the unit is what was meant to watch it."""
    other = replace(e.RESTARTS, alert="Disk", expr="my_disk_free < 1")
    found = e.with_prometheus(rules=(RuleState(other), RuleState(replace(e.RESTARTS, expr=DEAD))), series=(Series("my_disk_free", 3),))
    judged = control(found, "alert-rules")
    assert (judged.status, judged.links[0].evidence) == ("unwired", "TabbyRestarts in rules/tabby.yml:4")


def test_the_rule_that_gets_furthest_is_shown():
    dead = replace(e.RESTARTS, alert="Dead", expr=DEAD)
    judged = control(
        e.with_prometheus(rules=(RuleState(dead), RuleState(e.RESTARTS, "many-to-many"), RuleState(e.PROBE)), series=()), "alert-rules"
    )
    assert judged.links[0].evidence == "Dead in rules/tabby.yml:4"


@pytest.mark.parametrize(
    ("expr", "links"),
    [
        (f"{e.RESTARTS.expr} unless on() maintenance_mode == 1", []),  # what is not there excludes nothing
        (f"{e.RESTARTS.expr} and on() maintenance_mode == 1", ["fed"]),
        (f"absent(node_systemd_service_restart_total{{name='other.service'}}) and {e.RESTARTS.expr}", []),
        (f"{e.RESTARTS.expr} or {e.RESTARTS.expr.replace('tabbyapi', 'other')}", []),
        (f"{e.RESTARTS.expr} and {e.RESTARTS.expr.replace('tabbyapi', 'other')}", ["selects this unit"]),
        (f"sum by (name) ({e.RESTARTS.expr})", []),
        ("increase(node_systemd_service_restart_total[5m]) > 2", []),
        ("increase(node_systemd_service_restart_total{name=~'tabby.+'}[5m]) > 2", []),
        ("increase(node_systemd_service_restart_total{job='other'}[5m]) > 2", ["selects this unit"]),
    ],
)
def test_only_what_a_rule_cannot_fire_without_breaks_it(expr, links):
    found = e.with_rule(expr=expr)
    assert [link.link for link in control(found, "alert-rules").links if link.holds is False] == links


def test_an_aggregated_alert_is_routed_by_the_labels_that_are_left():
    by_job = replace(
        e.ALERTMANAGER,
        routing=Routing("", Route("nobody", routes=(Route("phone", matchers=(Matcher("job", "=", "node"),)),)), {"phone": ("webhook",)}),
    )
    for expr, holds in (
        (e.RESTARTS.expr, True),
        (f"sum by (name) ({e.RESTARTS.expr})", False),
        (f"sum without (name) ({e.RESTARTS.expr})", True),
    ):
        found = replace(e.with_rule(expr=expr, labels={}), alertmanager=by_job)
        assert {link.link: link.holds for link in control(found, "alert-rules").links}["routed to a receiver"] is holds


CLIENT = "[Service]\nExecStart=/usr/bin/open-webui --backend http://127.0.0.1:5000/v1/completions --owner MainPID\n"
TEST = "[Service]\nType=oneshot\nExecStart=/usr/bin/curl http://127.0.0.1:5000/v1/completions --owner MainPID\n"


@pytest.mark.parametrize(("text", "status"), [(CLIENT, "missing"), (TEST, "unwired"), (TEST.replace(":5000", ":50001"), "missing")])
def test_a_client_of_the_service_is_no_test_of_it(text, status):
    found = e.with_units(e.units(**{e.UNIT: e.FILES[e.UNIT].replace("ExecStartPost", "ExecReload"), "other.service": text}))
    found = replace(found, journal=replace(found.journal, switches=(AfterSwitch(e.START, "system switch", ()),)))
    assert control(found, "post-deploy-smoke-test").status == status


def test_a_model_group_that_may_be_another_service_is_not_taken_for_the_unit():
    elsewhere = tuple(replace(each, address="http://gpu:8000/v1", id="") for each in e.LITELLM.deployments)
    judged = control(e.with_litellm(deployments=elsewhere), "fallback-routing")
    assert (judged.status, judged.evidence) == ("unknown", "no model group of http://127.0.0.1:4000 is known to be tabbyapi.service")
