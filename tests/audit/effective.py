"""An inventory in which all fourteen controls are effective, and ways to break one part of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from forensics.audit.inventory import Inventory
from forensics.audit.inventory.alertmanager import Alertmanager, Sent
from forensics.audit.inventory.kuma import Kuma, Monitor
from forensics.audit.inventory.litellm import Deployment, LiteLlm
from forensics.audit.inventory.prometheus import AlertmanagerAddress, Prometheus, RuleState, Series, Target
from forensics.audit.inventory.subject import AfterSwitch, FailedClass, Journal, Signs, Subject
from forensics.audit.inventory.units import Unit, Units, WatchSettings
from forensics.model.controls import FIRES, NEVER, Replayed
from forensics.promql import Matcher
from forensics.replay.alertmanager import Route, Routing
from forensics.rules import Rule
from forensics.unit_file import parse_units

UNIT = "tabbyapi.service"
START = datetime(2025, 12, 7, 21, 30, tzinfo=UTC)
SERIES = {"job": "node", "instance": "127.0.0.1:9100", "name": UNIT}
RESTARTS = Rule(
    expr=f'increase(node_systemd_service_restart_total{{name="{UNIT}"}}[5m]) > 2',
    alert="TabbyRestarts",
    labels={"severity": "critical"},
    file="rules/tabby.yml",
    line=4,
)
PROBE = Rule(expr="probe_success == 0", alert="TabbyProbe", hold_s=60, labels={"severity": "critical"}, file="rules/tabby.yml", line=10)
FILES = {
    UNIT: """
[Unit]
StartLimitIntervalSec=300
StartLimitBurst=5
OnFailure=page@%n.service
[Service]
Restart=on-failure
ExecStartPre=/usr/bin/python -c 'import torch'
ExecStartPre=/usr/bin/python main.py --check-config
ExecStart=/srv/tabby/main.py --port 5000
ExecStartPost=/usr/bin/smoke-test http://127.0.0.1:5000/v1/completions --owner MainPID
ExecStopPost=-+/usr/bin/tabby-forensics gate note %n
""",
    "page@.service": "[Service]\nExecStart=/usr/bin/page %i\n",
    "rebuild-tabbyapi.service": "[Service]\nType=oneshot\nExecStart=/usr/bin/pip install -r /srv/tabby/requirements.txt\n",
    "rebuild-tabbyapi.path": "[Path]\nPathChanged=/run/current-system\n",
    "tabby-forensics.service": "[Service]\nExecStart=/usr/bin/tabby-forensics watch\n",
}


def signs(text: str, count: int = 2) -> Signs:
    return Signs(count, START + timedelta(hours=1), text)


def fires(control: str, kind: str = "rule", source: str = "") -> Replayed:
    return Replayed(f"{kind}:{control}", control, kind, source, FIRES, START + timedelta(seconds=45), 45.0)


def never(control: str, reason: str, kind: str = "rule", source: str = "") -> Replayed:
    return Replayed(f"{kind}:{control}", control, kind, source, NEVER, reason=reason)


def units(**changed: str) -> Units:
    """The units of FILES, with other text for some."""
    texts = {**FILES, **changed}
    made = {
        name: Unit(parse_units(name, [(f"/etc/systemd/system/{name}", text)]), "active", needs_reload=False) for name, text in texts.items()
    }
    flags = ("--collector.systemd.enable-restarts-metrics",)
    return Units("systemd of this host", True, systemd=257, units=made, exporter_flags=flags, watch=WatchSettings(("ntfy",)))


def edited(old: str, new: str) -> Units:
    """The units, with one text of the audited unit's file replaced."""
    assert old in FILES[UNIT]
    return units(**{UNIT: FILES[UNIT].replace(old, new)})


def routing(receiver: str, **receivers: tuple[str, ...]) -> Routing:
    """Critical alerts go to a receiver, all others to nobody."""
    critical = Route(receiver, matchers=(Matcher("severity", "=", "critical"),))
    return Routing("alertmanager.yml", Route("nobody", routes=(critical,)), {"phone": ("webhook",), "nobody": (), **receivers})


SUBJECT = Subject(
    UNIT,
    "the unit that failed",
    host="hydra-ai",
    incident="53192502f438",
    kind="restart-loop",
    start=START,
    end=START + timedelta(hours=98),
    restarts=13_936,
    failures=13_939,
    classes=(
        FailedClass("torch.abi-mismatch", "Extension built against another PyTorch", 7000, 7000, 11.7, restart_helps=False),
        FailedClass("gpu.vram-exhausted", "Not enough GPU memory", 3496, 3496, 43.2, restart_helps=True),
        FailedClass("config.file-invalid", "A configuration that cannot be read", 3, 3, 12.9, restart_helps=False),
    ),
)
JOURNAL = Journal(
    since=START - timedelta(days=19),
    until=START + timedelta(days=10),
    systemd=257,
    alerts=signs("Notify success for alert about tabbyapi.service"),
    refused=signs("tabbyapi.service: Start request repeated too quickly."),
    on_failure=signs("tabbyapi.service: Triggering OnFailure= dependencies."),
    gate=signs("gate: closed for tabbyapi.service"),
    failed_commands={"ExecStartPre": signs("tabbyapi.service: Control process exited, code=exited, status=1/FAILURE")},
    switches=(AfterSwitch(START, "system switch", (UNIT, "other.service")),),
    started={"rebuild-tabbyapi.service": Signs(1, START)},
    replayed=(
        fires("TabbyRestarts", source="rules/tabby.yml:4"),
        fires("TabbyProbe", source="rules/tabby.yml:10"),
        fires("watch: RestartLoop", "watch"),
        fires("probe every 60 s", "probe"),
    ),
)
PROMETHEUS = Prometheus(
    "http://127.0.0.1:9090",
    is_running=True,
    globs=("rules/*.yml",),
    files=("rules/tabby.yml",),
    rules=(RuleState(RESTARTS), RuleState(PROBE)),
    alertmanagers=(AlertmanagerAddress("http://127.0.0.1:9093", ""),),
    targets=(
        Target(SERIES, is_up=True),
        Target({"job": "blackbox", "instance": "http://127.0.0.1:5000/v1/models"}, True, probed="http://127.0.0.1:5000/v1/models"),
    ),
    external_labels={"site": "home"},
    series=(
        Series("node_systemd_service_restart_total", 40, (SERIES,)),
        Series("node_exporter_build_info", 1),
        Series("probe_success", 1),
        Series(f'node_systemd_service_restart_total{{name="{UNIT}"}}', 1),
    ),
)
ALERTMANAGER = Alertmanager(
    "http://127.0.0.1:9093",
    is_running=True,
    routing=routing("phone"),
    silences=(),
    why_not_ready="",
    sent=(Sent("email", 0, 0), Sent("webhook", 12, 0)),
)
LITELLM = LiteLlm(
    "http://127.0.0.1:4000",
    is_running=True,
    deployments=(
        Deployment("tabby-70b", "openai/tabby-70b", "tabbyapi-primary", "http://127.0.0.1:5000/v1", 5, ""),
        Deployment("ollama-7b", "openai/ollama-7b", "ollama-cpu", "http://127.0.0.1:11434/v1", 5, ""),
    ),
    fallbacks={"tabby-70b": ("ollama-7b",)},
    allowed_fails=4,
    cooldown_s=60,
    counters={"litellm_deployment_cooled_down_total": 3, "litellm_deployment_successful_fallbacks_total": 40},
)
EFFECTIVE = Inventory(SUBJECT, JOURNAL, PROMETHEUS, ALERTMANAGER, units(), LITELLM)
KUMA = Kuma("kuma.json", False, "", (Monitor("TabbyAPI", "http", "http://127.0.0.1:5000/health", True, 1, 60, 2),))


def with_prometheus(**changed) -> Inventory:
    return replace(EFFECTIVE, prometheus=replace(PROMETHEUS, **changed))


def with_alertmanager(**changed) -> Inventory:
    return replace(EFFECTIVE, alertmanager=replace(ALERTMANAGER, **changed))


def with_journal(**changed) -> Inventory:
    return replace(EFFECTIVE, journal=replace(JOURNAL, **changed))


def with_units(found: Units, **journal) -> Inventory:
    return replace(EFFECTIVE, units=found, journal=replace(JOURNAL, **journal))


def with_litellm(**changed) -> Inventory:
    return replace(EFFECTIVE, litellm=replace(LITELLM, **changed))


def with_rule(**changed) -> Inventory:
    """The restart rule changed, and the only one."""
    rule = replace(RESTARTS, **changed)
    return with_prometheus(rules=(RuleState(rule),))


def kuma(**changed) -> Kuma:
    return replace(KUMA, monitors=(replace(KUMA.monitors[0], **changed),))


def deployments(**changed) -> tuple[Deployment, ...]:
    """The deployments, with the fallback changed."""
    return (LITELLM.deployments[0], replace(LITELLM.deployments[1], **changed))


def without(name: str) -> Units:
    return replace(units(), units={other: unit for other, unit in units().units.items() if other != name})


def stopped(name: str) -> Units:
    return replace(units(), units={**units().units, name: replace(units().units[name], state="inactive")})


def reloading(name: str) -> Units:
    return replace(units(), units={**units().units, name: replace(units().units[name], needs_reload=True)})
