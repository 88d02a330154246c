"""Whether one selector can match: by its name, by closed labels, by what the host has."""

import pytest

from forensics.promql import parse
from forensics.rules import DEAD, DEPENDS, KNOWN, NO_TARGET, NOT_COVERED, RECORDED, HostFacts
from forensics.rules.verdicts import verdict_on


def verdict(expr, **facts):
    (selector,) = parse(expr).selectors
    return verdict_on(selector, HostFacts(**facts))


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("up", KNOWN),
        ('ALERTS{alertstate="firing"}', KNOWN),
        ("node_systemd_service_restart_total", KNOWN),
        ("systemd_unit_state", KNOWN),
        ("probe_success", KNOWN),
        ("DCGM_FI_DEV_XID_ERRORS", KNOWN),
        ("vllm:num_requests_running", KNOWN),
        ("vllm:gpu_cache_usage_perc", KNOWN),  # of older versions
        ("vllm:e2e_request_latency_seconds_bucket", KNOWN),
        ("vllm:prompt_tokens_created", KNOWN),
        ("llamacpp:requests_deferred", KNOWN),
        ("litellm_deployment_cooled_down_total", KNOWN),
        ("tabby_forensics_unit_restarts_total", KNOWN),
        ("prometheus_http_requests_total", KNOWN),
        ("node_network_receive_errors_total", KNOWN),
        ("node_memory_MemAvailable_bytes", KNOWN),
        ("node_hwmon_temp_alarm", DEPENDS),
        ("node_memory_SomethingNew_bytes", DEPENDS),
        ("node_netstat_Ip_InAddrErrors", DEPENDS),
        ("node_vmstat_whatever", DEPENDS),
        ("nvidia_smi_temperature_gpu", DEPENDS),
        ("node_my_own_script", DEPENDS),
        ("node_reboot_required", KNOWN),  # a script of the textfile collector
        ("my_app_up", NOT_COVERED),
        ("kube_pod_status_phase", NOT_COVERED),
        ("instance:node_cpu:ratio", NOT_COVERED),
        ("vllm:request_latency:p95", NOT_COVERED),  # named as a recording rule is
        ("prometheus_operator_syncs", NOT_COVERED),
        ("systemd_unit_owner", NOT_COVERED),  # a script of Wikimedia's
        ("systemd_resolved_timeouts_total", NOT_COVERED),  # another exporter
        ("blackbox_api_status_gauge", NOT_COVERED),  # of SAP
        ("node_cpu_user", NOT_COVERED),  # Redis Enterprise
        ('{job="x"}', NOT_COVERED),
        ('{__name__=~"node_systemd_.+"}', KNOWN),
        ('{__name__=~"mine_.+"}', NOT_COVERED),
        ('{__name__="systemd_unit_start_total"}', DEAD),
        ("systemd_unit_start_total", DEAD),
        ("node_cpu", DEAD),
        ("prometheus_local_storage_memory_series", DEAD),
        ('node_systemd_unit_state{state="failed"}', KNOWN),
        ('node_systemd_unit_state{state="crashed"}', DEAD),
        ('node_systemd_unit_state{state=~"failed|crashed"}', KNOWN),
        ('node_systemd_unit_state{state=~"crash.*"}', DEAD),
        ('node_systemd_unit_state{state!~"a.*|inactive|deactivating|failed"}', DEAD),
        ('node_systemd_unit_state{state!="failed"}', KNOWN),
        ('node_systemd_unit_state{state=""}', DEAD),
        ('node_systemd_unit_state{state="failed", state!="failed"}', DEAD),
        ('node_systemd_unit_state{type="service"}', DEAD),  # the Type= of a service, such as simple
        ('node_systemd_unit_state{type="simple"}', KNOWN),
        ('node_systemd_unit_state{type="ext4"}', KNOWN),  # of a mount
        ('systemd_unit_state{type="service", state="failed"}', KNOWN),  # the kind of unit
        ('node_systemd_unit_state{state=~"(?i)FAILED"}', KNOWN),
        ('node_systemd_unit_state{state=~"(((((a*)*)*)*)*)*b"}', DEAD),
        ('node_cpu_seconds_total{mode="idle"}', KNOWN),
        ('node_cpu_seconds_total{mode="waiting"}', DEAD),
        ('probe_http_duration_seconds{phase="dns"}', DEAD),
        ('alertmanager_alerts{state="firing"}', DEAD),
        ('ALERTS{alertstate="resolved"}', DEAD),
    ],
)
def test_a_selector_is_judged(selector, expected):
    assert verdict(selector).verdict == expected


def test_a_dead_label_is_explained_by_its_values():
    assert verdict('node_systemd_unit_state{state="crashed"}').why == (
        "no series has state='crashed': state of node_systemd_unit_state is 'active', 'activating', 'deactivating', 'failed' or 'inactive'"
    )


def test_a_known_metric_names_its_flag():
    found = verdict("node_systemd_service_restart_total")
    assert found.flag == "--collector.systemd --collector.systemd.enable-restarts-metrics"
    assert found.by == "node_exporter"


def test_the_flag_of_a_dead_metric_is_that_of_the_nearest():
    assert verdict("systemd_unit_start_total").flag == "--systemd.collector.enable-restart-count"


def test_a_metric_of_older_versions_says_so():
    assert "only up to version" in verdict("vllm:gpu_prefix_cache_hit_rate").why


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ('node_systemd_unit_state{name="tabbyapi.service", state="failed"}', KNOWN),
        ('node_systemd_unit_state{name="tabbyapi"}', DEAD),
        ('node_systemd_unit_state{name=~"tabby.+"}', KNOWN),
        ('systemd_service_restart_total{name="vllm.service"}', DEAD),
        ('tabby_forensics_unit_up{unit="vllm.service"}', DEAD),
        ("systemd_service_restart_total", KNOWN),
        ('my_metric{name="vllm.service"}', NOT_COVERED),
    ],
)
def test_a_unit_that_the_host_has_not_is_dead(selector, expected):
    assert verdict(selector, units=frozenset({"tabbyapi.service", "ssh.service"})).verdict == expected
    assert verdict(selector).verdict != DEAD


def test_what_is_recorded_is_known():
    assert verdict("a:b", recorded={"a:b": "x.yml:3"}).verdict == RECORDED
    assert verdict("systemd_unit_start_total", recorded={"systemd_unit_start_total": "x.yml:3"}).verdict == RECORDED


@pytest.mark.parametrize(
    ("selector", "jobs", "expected"),
    [
        ('up{job="tabbyapi"}', None, NO_TARGET),  # it serves no metrics
        ('up{job="tabby-api"}', None, NO_TARGET),
        ('up{job="ollama"}', None, NO_TARGET),
        ('up{job="vllm"}', None, KNOWN),
        ('up{job=~"tabby.*"}', None, KNOWN),
        ('up{job!="tabbyapi"}', None, KNOWN),
        ('probe_success{job="tabbyapi"}', None, KNOWN),
        ('up{job="tabbyapi"}', {"tabbyapi"}, KNOWN),
        ('up{job="tabbyapi"}', {"node"}, NO_TARGET),
        ('up{job=~"tabby.*|node"}', {"node"}, KNOWN),
        ('my_metric{job="nodes"}', {"node"}, NO_TARGET),
        ('absent(up{job="tabbyapi"})', {"node"}, NO_TARGET),
        ('up{job=""}', set(), NO_TARGET),
    ],
)
def test_a_target_must_be_there(selector, jobs, expected):
    found = verdict(selector, jobs=None if jobs is None else frozenset(jobs), jobs_from="prometheus.yml")
    assert found.verdict == expected
    if expected == NO_TARGET:
        assert found.why.startswith("no target can have job=")
