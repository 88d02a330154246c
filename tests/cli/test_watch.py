"""`watch` on the command line: its configuration, its test alert, its refusals."""

import time
from pathlib import Path

from forensics.alerting.alert import Alert
from forensics.cli.watch import _delivery
from forensics.watch.config import read_config
from forensics.watch.metrics import Metrics
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker
from tests.cli.running import assert_one_sentence, run


def config(tmp_path, text):
    (tmp_path / "watch.toml").write_text(text)
    return str(tmp_path / "watch.toml")


def test_a_configuration_without_mistakes_is_ok(tmp_path):
    result = run("watch", "--check-config", "--config", config(tmp_path, '[[sink]]\ntype = "stdout"\n'))
    assert (result.returncode, result.stderr) == (0, "")
    assert ": OK; sinks: stdout-1" in result.stdout


def test_a_wrong_configuration_is_refused_with_all_its_mistakes(tmp_path):
    result = run("watch", "--check-config", "--config", config(tmp_path, 'a = 1\n[[sink]]\ntype = "pigeon"\n'))
    assert_one_sentence(result, 2, "2 mistakes", "watch.toml:1: a: unknown key", "watch.toml:3: sink[0].type: must be one of stdout")


def test_a_missing_configuration_is_reported():
    assert_one_sentence(run("watch", "--config", "/not/there.toml"), 2, "/not/there.toml")


def test_a_test_alert_goes_through_each_sink_and_says_what_came_back(tmp_path):
    text = '[[sink]]\ntype = "stdout"\n[[sink]]\ntype = "command"\ncommand = ["/bin/false"]\n'
    result = run("watch", "--test-alert", "--config", config(tmp_path, text))
    assert result.returncode == 1
    assert "TestAlert: this is a test" in result.stdout
    assert "stdout-1: written" in result.stdout
    assert "command-2: failed: /bin/false: exit status 1" in result.stdout


def test_a_listen_address_without_a_host_is_refused(tmp_path):
    assert_one_sentence(run("watch", "--listen", "9847", "--store", str(tmp_path)), 2, "'9847' is not HOST:PORT")


def test_alerts_of_a_sink_that_was_renamed_are_in_the_metrics_and_counted_once(tmp_path, capsys):
    now, metrics = time.time(), Metrics()
    state = State.open(tmp_path)
    state.commit(Position(), Tracker(), [Alert("RestartLoop", "a.service", "h", "critical", "s", now)], ["old"], {}, 0)
    settings = read_config(Path(config(tmp_path, '[[sink]]\ntype = "stdout"\nname = "new"\n')))
    delivery = _delivery(settings, state, metrics)
    _delivery(settings, state, metrics, delivery)  # as a reload does
    text = metrics.text().decode()
    assert 'tabby_forensics_watch_queued_alerts{sink="old"} 1.0' in text
    assert 'tabby_forensics_watch_refused_alerts_total{sink="old"} 1.0' in text
    assert 'tabby_forensics_watch_refused_alerts_total{sink="new"} 0.0' in text
    assert capsys.readouterr().err.count("1 alert queued for the sink old, which is no longer configured") == 1
