"""A real Prometheus that scrapes `watch` is recognised, and so is the rule that notices its end."""

import shutil

import pytest

from forensics.doctor import Host
from forensics.doctor.checks import prometheus
from tests.doctor.asked import Pages, watcher
from tests.servers import free_port, running_server, wait_for

pytestmark = [pytest.mark.real, pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")]
CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs: [{{job_name: watch, static_configs: [{{targets: ["{target}"]}}]}}]
"""
RULES = """\
groups:
- name: g
  rules:
  - alert: WatchIsGone
    expr: absent(up{job="watch"} == 1)
    for: 5m
"""


def test_the_target_and_the_rule_are_found(tmp_path):
    with Pages({"/metrics": b"tabby_forensics_build_info 1\n"}) as exporter:
        url = f"http://127.0.0.1:{free_port()}"
        (tmp_path / "prometheus.yml").write_text(CONFIG.format(target=exporter.address))
        (tmp_path / "rules.yml").write_text(RULES)
        options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={url.removeprefix('http://')}"]
        host = Host(now=0.0, prometheus=url, watchers=(watcher(listen=exporter.address),))
        with running_server(["prometheus", *options], url, tmp_path):
            wait_for(lambda: prometheus.check(host).status == "ok", 20)
            other = Host(now=0.0, prometheus=url, watchers=(watcher(listen=f"127.0.0.1:{free_port()}"),))
            assert "has no target for `watch`" in prometheus.check(other).found
