"""docs/live.md matches the program."""

import re
from pathlib import Path

from forensics.alerting import alert
from forensics.alerting.sinks import KINDS
from forensics.alerting.sinks.ntfy import Ntfy
from forensics.watch.config import read_config
from forensics.watch.metrics import COUNTERS, GAUGES
from tests.cli_options import command_options

TEXT = (Path(__file__).resolve().parents[2] / "docs/live.md").read_text(encoding="utf-8")


def test_every_metric_is_documented():
    names = {f"{name}_total" for name in COUNTERS} | set(GAUGES) | {"attempt_duration_seconds"}
    assert [name for name in sorted(names) if f"`{name}`" not in TEXT] == []


def test_every_alert_is_documented_and_no_other():
    (table,) = re.findall(r"\| alert \| when \|\n(.*?)\n\n", TEXT, re.DOTALL)
    names = {alert.NEW, alert.LOOP, alert.FUTILE, alert.DOWN, alert.JOB, alert.BREAKER, alert.REMEDY_STARTED, alert.RECOVERED, alert.LOSS}
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == names


def test_every_sink_is_documented_with_its_settings():
    (table,) = re.findall(r"\| type \| settings \|\n(.*?)\n\n", TEXT, re.DOTALL)
    for kind, (_, needed, possible) in KINDS.items():
        (line,) = re.findall(rf"^\| .*`{kind}`.*$", table, re.MULTILINE)
        assert [name for name in (*needed, *possible) if f"`{name}`" not in line] == []


def test_the_configuration_in_it_is_valid(tmp_path, monkeypatch):
    (shown,) = re.findall(r"watch\.toml <<'EOF'\n(.*?)^EOF$", TEXT, re.DOTALL | re.MULTILINE)
    ((secret, file),) = re.findall(r"^\$ echo (\S+) > ~/(\S+)", TEXT, re.MULTILINE)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(secret)
    (tmp_path / "watch.toml").write_text(shown)
    assert read_config(tmp_path / "watch.toml").sinks == {"ntfy-1": Ntfy(secret)}


def test_every_option_in_it_exists():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT)) - {"--now"}  # systemctl's
    assert len(named) > 5
    assert named <= set().union(*command_options().values())
