"""The catalogue of metric names: complete where it says so, and made of sources that it names."""

import json
import re
from pathlib import Path

import pytest

from forensics.promql import parse
from forensics.rules import DEAD, HostFacts, catalogue
from forensics.rules.verdicts import verdict_on
from forensics.watch import metrics

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "forensics/rules/metrics.json"
PUBLIC = [line for line in (Path(__file__).parent / "public_metrics.txt").read_text().splitlines() if not line.startswith("#")]

# a misspelling, a rename or an invention → the metric that is meant, which is offered first, and its flag
SEEDED = {
    "systemd_unit_start_total": ("systemd_service_restart_total", "--systemd.collector.enable-restart-count"),
    "node_systemd_unit_restarts_total": ("node_systemd_service_restart_total", "--collector.systemd.enable-restarts-metrics"),
    "node_systemd_unit_restart_count_total": ("node_systemd_service_restart_total", "--collector.systemd.enable-restarts-metrics"),
    "node_systemd_service_restarts_total": ("node_systemd_service_restart_total", "--collector.systemd.enable-restarts-metrics"),
    "systemd_service_restarts_total": ("systemd_service_restart_total", "--systemd.collector.enable-restart-count"),
    "systemd_unit_states": ("systemd_unit_state", ""),
    "node_sytemd_unit_state": ("node_systemd_unit_state", "--collector.systemd"),
    "probe_sucess": ("probe_success", ""),
    "probe_duration": ("probe_duration_seconds", ""),
    "probe_http_status": ("probe_http_status_code", ""),
    "probe_ssl_cert_expiry": ("probe_ssl_earliest_cert_expiry", ""),
    "node_cpu": ("node_cpu_seconds_total", ""),  # up to 0.15
    "node_filesystem_free": ("node_filesystem_free_bytes", ""),  # up to 0.15
    "node_filesystem_avail": ("node_filesystem_avail_bytes", ""),  # up to 0.15
    "node_filesytem_avail_bytes": ("node_filesystem_avail_bytes", ""),
    "node_network_receive_bytes": ("node_network_receive_bytes_total", ""),  # up to 0.15
    "node_disk_io_time_ms": ("node_disk_io_time_seconds_total", ""),  # up to 0.15
    "node_disk_bytes_read": ("node_disk_read_bytes_total", ""),  # up to 0.15
    "node_load": ("node_load1", ""),
    "node_boot_time": ("node_boot_time_seconds", ""),  # up to 0.15
    "node_timex_offset": ("node_timex_offset_seconds", ""),
    "node_textfile_mtime": ("node_textfile_mtime_seconds", ""),
    "alertmanager_notifications_failure_total": ("alertmanager_notifications_failed_total", ""),
    "alertmanager_notification_failed_total": ("alertmanager_notifications_failed_total", ""),
    "alertmanager_alerts_total": ("alertmanager_alerts_received_total", ""),
    "prometheus_notifications_alertmanager_discovered": ("prometheus_notifications_alertmanagers_discovered", ""),
    "prometheus_rule_evaluation_failed_total": ("prometheus_rule_evaluation_failures_total", ""),
    "prometheus_tsdb_head_serie": ("prometheus_tsdb_head_series", ""),
    "prometheus_target_scrape_exceeded_sample_limit_total": ("prometheus_target_scrapes_exceeded_sample_limit_total", ""),
    "DCGM_FI_DEV_GPU_TEMPERATURE": ("DCGM_FI_DEV_GPU_TEMP", ""),
    "DCGM_FI_DEV_FB_MEMORY_USED": ("DCGM_FI_DEV_FB_USED", ""),
    "litellm_deployment_status": ("litellm_deployment_state", ""),
    "vllm:num_request_running": ("vllm:num_requests_running", ""),
    "vllm:requests_running": ("vllm:num_requests_running", ""),
    "vllm:gpu_cache_usage": ("vllm:gpu_cache_usage_perc", ""),
    "llamacpp:request_processing": ("llamacpp:requests_processing", "--metrics"),
    "namedprocess_namegroup_memory": ("namedprocess_namegroup_memory_bytes", ""),
    "tabby_forensics_unit_restart_total": ("tabby_forensics_unit_restarts_total", ""),
}


def judged(name):
    (selector,) = parse(name).selectors
    return verdict_on(selector, HostFacts())


@pytest.mark.parametrize("name", SEEDED)
def test_a_name_that_no_exporter_has_is_dead_and_the_right_one_is_offered_first(name):
    meant, flag = SEEDED[name]
    found = judged(name)
    assert found.verdict == DEAD
    assert found.near[0] == meant
    assert len(found.near) == 3
    assert flag in found.flag
    assert all(catalogue().get(near) for near in found.near)


@pytest.mark.parametrize("name", PUBLIC)
def test_no_metric_that_public_rules_use_is_dead(name):
    assert judged(name).verdict != DEAD


def test_every_metric_is_a_name_with_an_exporter_and_a_type():
    rows = catalogue().rows
    assert len(rows) > 5000
    for name in rows:
        metric = catalogue().get(name)
        assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name)
        assert metric.by
        assert metric.kind in {"counter", "gauge", "histogram", "summary", "untyped", "info"}, name
        assert all(values is None or values for values in metric.labels.values())


def test_one_metric_is_one_line():
    lines = FILE.read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith('"') and '"by": ' in line for line in lines) == len(catalogue().rows)
    assert max(map(len, lines)) < 1000


def test_the_sources_are_named():
    sources = json.loads(FILE.read_text(encoding="utf-8"))["sources"]
    named = {catalogue().get(name).by for name in catalogue().rows} - {"a textfile script", "Prometheus itself"}
    assert named <= sources.keys()


def test_our_own_metrics_are_in_it():
    ours = {f"{metrics.PREFIX}{name}_total": labels for name, (_, labels) in metrics.COUNTERS.items()}
    ours |= {metrics.PREFIX + name: labels for name, (_, labels) in metrics.GAUGES.items()}
    ours |= {f"{metrics.PREFIX}attempt_duration_seconds_{end}": ["unit"] for end in ("sum", "count")}
    ours[f"{metrics.PREFIX}attempt_duration_seconds_bucket"] = ["unit", "le"]
    named = {name for name in catalogue().rows if name.startswith(metrics.PREFIX)}
    assert named == ours.keys(), "run fixtures/metrics/make.py again"
    assert all(set(catalogue().get(name).labels) == set(labels) for name, labels in ours.items())


@pytest.mark.parametrize(
    ("name", "kind"), [("node_systemd_units", "closed"), ("node_hwmon_x", "open"), ("prometheus_operator_x", "foreign")]
)
def test_the_longest_family_decides(name, kind):
    assert catalogue().family(name).kind == kind


def test_a_name_of_many_words_is_no_work():
    assert judged("node_systemd_" + "unit_" * 5000 + "x").near == ()
