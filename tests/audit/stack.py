"""A real stack on loopback: Prometheus, Alertmanager, node_exporter, a stand-in for blackbox_exporter, and a receiver."""

import subprocess
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.http_recorder import Recorder
from tests.servers import free_port, running_server

UNIT = "tabbyapi.service"
GOOD = f'increase(node_systemd_service_restart_total{{name="{UNIT}"}}[5m]) > 2'
# alert → expression and labels: the first is sound, each other one has one broken link
RULES = {
    "Sound": (GOOD, "severity: critical"),
    "CannotBeEvaluated": ("node_systemd_service_restart_total + on() node_systemd_service_restart_total > 2", "severity: critical"),
    "DeadMetric": (f'increase(systemd_unit_start_total{{name="{UNIT}"}}[10m]) > 5', "severity: critical"),
    "FlagIsOff": (f'node_systemd_unit_start_time_seconds{{name="{UNIT}"}} > 1e12', "severity: critical"),
    "NotScraped": (f'increase(systemd_service_restart_total{{name="{UNIT}"}}[5m]) > 2', "severity: critical"),
    "OtherUnit": (GOOD.replace("tabbyapi", "ollama"), "severity: critical"),
    "NeverFires": (GOOD.replace("> 2", "> 2e9"), "severity: critical"),
    "ToNobody": (GOOD, "severity: none"),
    "Silenced": (GOOD, "severity: critical"),
    "NotDelivered": (GOOD, "severity: broken"),
    "Probe": ("probe_success == 0", "severity: critical"),
    "Watchdog": ("vector(1)", "severity: critical"),
    "WatchdogOfTheBroken": ("vector(1)", "severity: broken"),
}
ALERTMANAGER = """\
route:
  receiver: nobody
  group_wait: 0s
  group_interval: 1s
  routes:
    - {matchers: ['severity="critical"'], receiver: phone}
    - {match: {severity: broken}, receiver: refusing}
receivers:
  - name: nobody
  - name: phone
    webhook_configs: [{url: 'PHONE/secret-token-4eC39HqLyjWDarjtT1zdp7dc'}]
  - name: refusing
    slack_configs: [{api_url: 'REFUSING/services/T0/B0/4eC39HqLyjWDarjtT1zdp7dc', channel: '#a'}]
"""
PROMETHEUS = """\
global: {scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s, external_labels: {site: home}}
rule_files: [RULES/*.yml]
alerting:
  alertmanagers: [{static_configs: [{targets: ['ALERTMANAGER']}]}]
scrape_configs:
  - job_name: node
    static_configs: [{targets: ['NODE']}]
  - job_name: blackbox
    metrics_path: /probe
    params: {module: [http_2xx]}
    static_configs: [{targets: ['http://127.0.0.1:5000/v1/models']}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: 'BLACKBOX'}
"""


@dataclass
class Stack:
    folder: Path
    prometheus: str
    alertmanager: str
    phone: Recorder
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def configuration(self) -> Path:
        return self.folder / "prometheus.yml"

    @property
    def rules(self) -> Path:
        return self.folder / "rules" / "tabby.yml"


def rule_text(names) -> str:
    lines = ["groups:", "  - name: tabby", "    rules:"]
    for name in names:
        expression, labels = RULES[name]
        lines += [f"      - alert: {name}", f"        expr: '{expression}'", f"        labels: {{{labels}}}"]
    return "\n".join(lines) + "\n"


@contextmanager
def blackbox():
    """Answer /probe as blackbox_exporter does for a service that answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")  # Prometheus 3 asks for one
            self.end_headers()
            self.wfile.write(b"# TYPE probe_success gauge\nprobe_success 1\n")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def running_stack(folder: Path):
    """Start everything. node_exporter shows the restart counter from a file of its textfile collector, as no systemd runs here."""
    ports = {name: free_port() for name in ("prometheus", "alertmanager", "node")}
    for name in ("rules", "am", "data", "textfile"):
        (folder / name).mkdir()
    (folder / "textfile/restarts.prom").write_text(
        "".join(f'node_systemd_service_restart_total{{name="{unit}"}} 3\n' for unit in (UNIT, "nginx.service"))
    )
    with ExitStack() as stack:
        phone, refusing = stack.enter_context(Recorder()), stack.enter_context(Recorder([400] * 1000))
        (folder / "alertmanager.yml").write_text(ALERTMANAGER.replace("PHONE", phone.url).replace("REFUSING", refusing.url))
        (folder / "rules/tabby.yml").write_text(rule_text(RULES))
        addresses = {name.upper(): f"127.0.0.1:{port}" for name, port in ports.items()} | {"BLACKBOX": stack.enter_context(blackbox())}
        configuration = PROMETHEUS.replace("RULES", "rules")
        for name, address in addresses.items():
            configuration = configuration.replace(f"'{name}'", f"'{address}'")
        (folder / "prometheus.yml").write_text(configuration)
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        made = Stack(folder, urls["prometheus"], urls["alertmanager"], phone)
        made.processes["node"] = stack.enter_context(_node_exporter(folder, addresses["NODE"]))
        for name, command in _commands(addresses).items():
            made.processes[name] = stack.enter_context(running_server(command, urls[name], folder))
        yield made


def _commands(addresses):
    """Everything is bound to loopback; without an empty cluster address Alertmanager listens on all."""
    return {
        "alertmanager": [
            "prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=am", "--cluster.listen-address=",
            f"--web.listen-address={addresses['ALERTMANAGER']}",
        ],
        "prometheus": [
            "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.enable-lifecycle",
            "--rules.alert.resend-delay=1s", f"--web.listen-address={addresses['PROMETHEUS']}",
        ],
    }  # fmt: skip


@contextmanager
def _node_exporter(folder, address):
    command = [
        "prometheus-node-exporter", f"--web.listen-address={address}", "--collector.disable-defaults", "--collector.textfile",
        f"--collector.textfile.directory={folder / 'textfile'}",
    ]  # fmt: skip
    with (folder / "node.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()
