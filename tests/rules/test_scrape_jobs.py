"""Which jobs a Prometheus has is said only where its configuration alone decides."""

import pytest

from forensics.errors import UsageError
from forensics.rules.scrape_jobs import jobs_of

TWO = "scrape_configs:\n- job_name: node\n  static_configs: [{targets: ['a:9100']}]\n- job_name: blackbox\n"


def written(tmp_path, text):
    file = tmp_path / "prometheus.yml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWO, {"node", "blackbox"}),
        ("scrape_configs: []\n", set()),
        ("scrape_configs:\n- job_name: a\n  static_configs: [{targets: [x], labels: {job: b}}]\n", {"a", "b"}),
        ("scrape_configs:\n- job_name: a\n  relabel_configs: [{target_label: instance}]\n", {"a"}),
        ("scrape_configs:\n- job_name: a\n  kubernetes_sd_configs: [{role: pod}]\n", {"a"}),
        ("scrape_configs:\n- job_name: a\n  relabel_configs: [{target_label: job}]\n", None),
        ("scrape_configs:\n- job_name: a\n  metric_relabel_configs: [{target_label: job}]\n", None),
        ("scrape_configs:\n- job_name: a\n  relabel_configs: [{action: labelmap}]\n", None),
        ("scrape_configs:\n- job_name: a\n  honor_labels: true\n", None),
        ("scrape_configs:\n- job_name: a\n  file_sd_configs: [{files: [x.yml]}]\n", None),
        ("scrape_configs:\n- job_name: a\n  http_sd_configs: [{url: 'http://x'}]\n", None),
        (f"scrape_config_files: [more/*.yml]\n{TWO}", None),
    ],
)
def test_the_jobs_of_a_configuration(tmp_path, text, expected):
    found = jobs_of(written(tmp_path, text))
    assert found == (None if expected is None else frozenset(expected))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("groups: []\n", "is not a configuration of Prometheus"),
        ("", "is not a configuration of Prometheus"),
        ("scrape_configs: [\n", "line 2: is not YAML"),
        ("a: &a [*a]\n", "contains itself"),
    ],
)
def test_what_is_no_configuration_is_a_usage_error(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        jobs_of(written(tmp_path, text))


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        jobs_of(tmp_path / "nothing.yml")
