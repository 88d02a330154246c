# ruff: noqa: E501  a row of a table, and a line of a configuration, is a line
"""What is read from files: Prometheus, Alertmanager, unit files, LiteLLM, Uptime Kuma."""

import json
from pathlib import Path

import pytest

from forensics.audit import audit
from forensics.audit.inventory.alertmanager import read_alertmanager
from forensics.audit.inventory.gather import Asked, gather
from forensics.audit.inventory.kuma import ask_kuma, read_kuma
from forensics.audit.inventory.litellm import ask_litellm, merged, read_litellm
from forensics.audit.inventory.prometheus import read_prometheus, without_secrets
from forensics.audit.inventory.units import WatchSettings, read_directory
from forensics.errors import UsageError
from forensics.web import Server
from tests.audit import effective as e
from tests.http_recorder import Recorder

# /etc/prometheus/prometheus.yml of Debian's package, without its comments
DEBIAN = """\
global:
  scrape_interval:     15s
  evaluation_interval: 15s
  external_labels:
      monitor: 'example'
alerting:
  alertmanagers:
  - static_configs:
    - targets: ['localhost:9093']
rule_files:
  # - "first_rules.yml"
scrape_configs:
  - job_name: 'prometheus'
    static_configs:
      - targets: ['localhost:9090']
  - job_name: node
    static_configs:
      - targets: ['localhost:9100']
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [*a{n - 1 or ''}{', *a' + str(n - 1 or '') if n else ''}]\n" for n in range(1, 40)
)
RULES = "groups: [{name: a, rules: [{alert: Down, expr: up == 0}, {record: 'a:b', expr: up}]}]"


def test_debians_prometheus_is_the_seeds_disease(tmp_path):
    """Alertmanager is configured, and there is no rule: nobody is ever told."""
    (tmp_path / "prometheus.yml").write_text(DEBIAN)
    found = gather(Asked(prometheus=(str(tmp_path / "prometheus.yml"),)), e.SUBJECT, e.JOURNAL)
    judged = {control.id: control for control in audit(found)}
    assert judged["alert-rules"].status == "missing"
    assert "has no rules: rule_files is empty; it is set up to send alerts to http://localhost:9093" in judged["alert-rules"].evidence
    assert judged["restart-count"].status == "missing"
    assert judged["health-check"].status == "missing"


@pytest.mark.skipif(not Path("/etc/prometheus/prometheus.yml").exists(), reason="prometheus is not installed")
def test_the_installed_package_is_read_as_the_table_has_it(tmp_path):
    (tmp_path / "prometheus.yml").write_text(DEBIAN)
    installed, written = read_prometheus(Path("/etc/prometheus/prometheus.yml")), read_prometheus(tmp_path / "prometheus.yml")
    if installed.globs == ():
        assert (installed.alertmanagers, installed.targets, installed.external_labels) == (
            written.alertmanagers,
            written.targets,
            written.external_labels,
        )


def test_rule_files_are_found_relative_to_the_configuration(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/a.yml").write_text(RULES)
    (tmp_path / "rules/b.yml").write_text("groups: [{name: b, rules: [{alert: Bad, expr: 'up =='}]}]")
    (tmp_path / "prometheus.yml").write_text("rule_files: [rules/*.yml, /nowhere/*.yml]")
    found = read_prometheus(tmp_path / "prometheus.yml")
    assert [state.rule.alert for state in found.rules] == ["Down"]
    assert found.recorded == ("a:b",)
    assert len(found.files) == 2
    assert "b.yml:1" in found.mistakes[0]


def test_probes_and_addresses_of_alertmanagers_are_read(tmp_path):
    (tmp_path / "prometheus.yml").write_text("""\
alerting:
  alertmanagers:
    - {scheme: https, path_prefix: /am, static_configs: [{targets: ['am:443']}]}
    - {kubernetes_sd_configs: [{role: pod}]}
scrape_configs:
  - job_name: probes
    metrics_path: /probe
    params: {module: [http_2xx]}
    static_configs: [{targets: ['http://me:secret@127.0.0.1:5000/health?key=secret'], labels: {team: a}}]
""")
    found = read_prometheus(tmp_path / "prometheus.yml")
    assert [each.address for each in found.alertmanagers] == ["https://am:443/am", "found by kubernetes_sd_configs"]
    assert [(target.probed, target.module, target.labels["team"]) for target in found.targets] == [
        ("http://127.0.0.1:5000/health", "http_2xx", "a")
    ]
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:pw@host:1/path?token=x#y", "https://host:1/path"),
        ("host:9100", "host:9100"),
        ("me:pw@host:9100", "host:9100"),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_what_is_secret_in_an_address_is_left_out(address, shown):
    assert without_secrets(address) == shown


READERS = {"prometheus": read_prometheus, "alertmanager": read_alertmanager, "litellm": read_litellm, "kuma": read_kuma}
UNUSABLE = {
    "not YAML": "a: [",
    "a bomb": BOMB,
    "deep": "[" * 5000,
    "binary": "\x00\x01",
    "a list": "- 1",
    "empty": "",
    "a tag": "!!python/object/apply:os.system ['true']",
    "something else": "hello: world",
}


@pytest.mark.parametrize("text", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("kind", ["alertmanager", "litellm", "kuma"])
def test_a_file_that_is_something_else_gives_a_reason(kind, text, tmp_path):
    (tmp_path / "file.yml").write_text(text)
    assert READERS[kind](tmp_path / "file.yml").problem


@pytest.mark.parametrize("text", [text for name, text in UNUSABLE.items() if name != "something else"])
def test_a_prometheus_yml_that_is_something_else_gives_a_reason(text, tmp_path):
    (tmp_path / "file.yml").write_text(text)
    assert read_prometheus(tmp_path / "file.yml").problem


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_is_too_large_a_directory_or_a_device_is_not_read(kind, tmp_path):
    (tmp_path / "large").write_bytes(b"#" * ((8 << 20) + 1))
    assert "is longer than" in READERS[kind](tmp_path / "large").problem
    assert "is a directory" in READERS[kind](tmp_path).problem
    assert "is a device" in READERS[kind](Path("/dev/zero")).problem


@pytest.mark.parametrize("name", ["prometheus", "litellm"])
def test_a_name_that_does_not_exist_is_refused(name, tmp_path):
    with pytest.raises(UsageError, match="does not exist; give a file, or a URL"):
        gather(Asked(**{name: (str(tmp_path / "nothing"),)}), e.SUBJECT, e.JOURNAL)


UNITS = {
    "etc/systemd/system/tabbyapi.service": "[Service]\nExecStart=/bin/app --api-key sk-live-4eC39HqLyjWDarjtT1zdp7dc\nEnvironment=A=hunter2hunter2\n",
    "etc/systemd/system/tabbyapi.service.d/limit.conf": "[Unit]\nStartLimitBurst=3\n",
    "lib/systemd/system/prometheus-node-exporter.service": "[Service]\nEnvironmentFile=/etc/default/prometheus-node-exporter\n"
    "ExecStart=/usr/bin/prometheus-node-exporter $ARGS\n",
    "etc/default/prometheus-node-exporter": 'ARGS="--collector.systemd.enable-restarts-metrics --web.config=/secret"\n',
    "etc/systemd/system.conf": "[Manager]\nDefaultStartLimitIntervalSec=5min\n",
    "lib/systemd/system/tabby-forensics.service": "[Service]\nExecStart=/usr/bin/tabby-forensics watch --listen :9847\n",
    "etc/tabby-forensics/watch.toml": 'units = ["tabby*"]\n[[sink]]\ntype = "ntfy"\nurl = "https://ntfy.sh/my-secret-topic"\n[[sink]]\ntype = "stdout"\n',
}


def test_a_directory_of_unit_files_is_read_and_no_environment_of_it(tmp_path):
    for name, text in UNITS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = gather(Asked(units=tmp_path), e.SUBJECT, e.JOURNAL).units
    assert found.units["tabbyapi.service"].settings.last("StartLimitBurst") == "3"
    assert found.exporter_flags == ("--collector.systemd.enable-restarts-metrics",)
    assert found.start_limit == ("5min", "")
    assert found.watch == WatchSettings(("ntfy", "stdout"), ("tabby*",))
    for secret in ("sk-live", "hunter2", "ntfy.sh"):
        assert secret not in str(found)


@pytest.mark.parametrize(("name", "problem"), [("nothing", "is not a directory"), (".", "has no unit files")])
def test_a_directory_without_unit_files(name, problem, tmp_path):
    assert read_directory(tmp_path / name).problem == problem


LITELLM = """\
model_list:
  - model_name: tabby-70b
    litellm_params: {model: openai/tabby-70b, api_base: 'http://user:pw@127.0.0.1:5000/v1', api_key: sk-live-4eC39HqLyjWDarjtT1zdp7dc, timeout: 5}
    model_info: {id: primary}
  - model_name: cpu
    litellm_params: {model: ollama/llama, api_base: os.environ/BASE}
router_settings: {allowed_fails: 4, cooldown_time: 60, fallbacks: [{tabby-70b: [cpu]}]}
litellm_settings: {context_window_fallbacks: [{tabby-70b: [cpu]}], allowed_fails: 1}
"""


class Proxy(Recorder):
    """LiteLLM's answers to an administrator."""

    def look_up(self, path):
        models = [{"model_name": "tabby-70b", "litellm_params": {"model": "m", "api_base": "http://h:1/v1"}, "model_info": {"id": "a"}}]
        answers = {
            "/model/info": {"data": models},
            "/router/settings": {"current_values": {"fallbacks": [{"tabby-70b": ["cpu"]}], "allowed_fails": None}},
        }
        if path == "/metrics/":
            return (
                200,
                b'litellm_deployment_cooled_down_total{id="a"} 2.0\nlitellm_deployment_cooled_down_total{id="b"} 1.0\n# TYPE x\nbroken{\n',
            )
        return (200, json.dumps(answers[path]).encode()) if path in answers else (404, b"")


def test_litellms_configuration_and_proxy(tmp_path):
    (tmp_path / "config.yaml").write_text(LITELLM)
    configured = read_litellm(tmp_path / "config.yaml")
    assert [(each.group, each.id, each.address, each.timeout_s) for each in configured.deployments] == [
        ("tabby-70b", "primary", "http://127.0.0.1:5000/v1", 5),
        ("cpu", "", "", None),
    ]
    assert (configured.fallbacks, configured.allowed_fails, configured.cooldown_s) == ({"tabby-70b": ("cpu",)}, 4, 60)
    assert configured.context_fallbacks == {"tabby-70b": ("cpu",)}
    assert "sk-live" not in str(configured)
    with Proxy() as proxy:
        running = ask_litellm(Server(proxy.url))
    assert running.counters["litellm_deployment_cooled_down_total"] == 3
    assert running.fallbacks == {"tabby-70b": ("cpu",)}
    assert merged(configured, running) == running
    down = ask_litellm(Server(proxy.url))
    assert down.problem == "refuses connections: nothing listens there"
    assert merged(configured, down).problems == {"counters": f"{proxy.url} refuses connections: nothing listens there"}


class KumaServer(Recorder):
    def look_up(self, path):
        labels = (
            'monitor_name="Tabby",monitor_type="http",monitor_url="http://h:5000/x?key=secret",monitor_hostname="null",monitor_port="null"'
        )
        port = 'monitor_name="SSH",monitor_type="port",monitor_url="https://",monitor_hostname="h",monitor_port="22"'
        return 200, f"monitor_status{{{labels}}} 1\nmonitor_status{{{port}}} 0\nmonitor_response_time{{{labels}}} 12\n".encode()


def test_uptime_kumas_backup_and_metrics(tmp_path):
    monitor = {"name": "Tabby", "type": "http", "url": "http://h:5000/x?key=secret", "interval": 60, "maxretries": 2, "active": True}
    port = {"name": "SSH", "type": "port", "url": "https://", "hostname": "h", "port": 22, "active": 0, "notificationIDList": {}}
    backup = {"version": "1.23", "monitorList": [{**monitor, "notificationIDList": {"1": True, "2": False}}, port, 7]}
    (tmp_path / "kuma.json").write_text(json.dumps(backup))
    found = read_kuma(tmp_path / "kuma.json").monitors
    assert [(each.name, each.address, each.is_active, each.notifications) for each in found[:2]] == [
        ("Tabby", "http://h:5000/x", True, 1),
        ("SSH", "h:22", False, 0),
    ]
    with KumaServer() as server:
        shown = ask_kuma(Server(server.url)).monitors
    assert [(each.name, each.address, each.state, each.notifications) for each in shown] == [
        ("Tabby", "http://h:5000/x", "up", None),
        ("SSH", "h:22", "down", None),
    ]
    assert "secret" not in str((found, shown))
