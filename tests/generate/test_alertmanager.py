"""The routes and receivers are accepted by the real amtool, reach the receiver that was asked for, and hide no URL's key in a comment."""

import shutil
import subprocess

import pytest
import yaml

from forensics.errors import UsageError
from forensics.generate.alertmanager import alertmanager_text, configuration, head_lines
from forensics.generate.basis import commented
from forensics.generate.receivers import KINDS, parse_receiver

KEY = "T0PS3CR3T"
RECEIVERS = {
    "webhook": f"webhook:https://hooks.example/{KEY}?token={KEY}",
    "webhook-file": "webhook-file:/etc/alertmanager/webhook-url",
    "ntfy": f"ntfy:https://ntfy.sh/{KEY}",
    "email": "email:ops@example.org",
}
needs_amtool = pytest.mark.skipif(shutil.which("amtool") is None, reason="Alertmanager is not installed")


def amtool(*arguments):
    return subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False)


def written(tmp_path, basis, receiver, watchdog=None):
    file = tmp_path / "alertmanager.yml"
    to, switch = parse_receiver(receiver), parse_receiver(watchdog) if watchdog else None
    file.write_text(alertmanager_text(commented(head_lines(basis, to, switch)), to, switch))
    return file


def test_every_kind_has_an_example():
    assert RECEIVERS.keys() == KINDS.keys()


@pytest.mark.real
@needs_amtool
@pytest.mark.parametrize("receiver", [text for kind, text in RECEIVERS.items() if kind != "webhook-file"])
def test_amtool_accepts_the_file(tmp_path, basis, receiver):
    done = amtool("check-config", str(written(tmp_path, basis, receiver, RECEIVERS["webhook"])))
    assert done.returncode == 0, done.stderr
    assert "2 receivers" in done.stdout


@pytest.mark.real
@needs_amtool
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=UnitRestartLoop", "severity=critical", "unit=a.service"], "ntfy"),
        (["alertname=RestartMetricMissing", "severity=warning"], "ntfy"),
        (["alertname=Watchdog", "severity=none"], "watchdog"),
    ],
)
def test_alerts_are_routed_where_they_belong(tmp_path, basis, labels, receiver):
    file = written(tmp_path, basis, RECEIVERS["ntfy"])
    done = amtool("config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receiver}", *labels)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("receiver", RECEIVERS.values())
def test_no_comment_shows_what_may_be_a_key(tmp_path, basis, receiver):
    text = written(tmp_path, basis, receiver, receiver).read_text()
    assert KEY not in "".join(line for line in text.splitlines() if line.lstrip().startswith("#"))
    assert parse_receiver(receiver).is_secret is (KEY in text)


def test_each_receiver_has_an_integration_and_watchdog_sends_no_resolved():
    made = configuration(parse_receiver(RECEIVERS["ntfy"]), parse_receiver(RECEIVERS["webhook"]))
    assert all(len(receiver) > 1 for receiver in made["receivers"])
    assert made["receivers"][1]["webhook_configs"][0]["send_resolved"] is False


def test_alerts_without_a_unit_hide_nothing():
    (inhibit,) = configuration(parse_receiver(RECEIVERS["email"]))["inhibit_rules"]
    assert 'unit=~".+"' in inhibit["source_matchers"]
    assert 'unit=~".+"' in inhibit["target_matchers"]


def test_the_file_is_the_configuration(tmp_path, basis):
    assert yaml.safe_load(written(tmp_path, basis, RECEIVERS["email"]).read_text()) == configuration(parse_receiver(RECEIVERS["email"]))


@pytest.mark.parametrize(
    ("text", "words", "why"),
    [
        ("pager:1", "webhook:URL, webhook-file:/PATH, ntfy:URL, email:ADDRESS", "an unknown kind"),
        ("webhook", "webhook:URL", "nowhere"),
        ("webhook:", "webhook:URL", "nowhere"),
        (f"webhook:https://ada:{KEY}@hooks.example/", "no user and no password", "a password in the URL"),
        (f"ntfy:ftp://{KEY}", "http:// or https://", "another protocol"),
        ("webhook-file:url", "full path", "a relative path"),
        ("email:ops", "not an address", "no address"),
        ("email:a@b.example, c@d.example", "not an address", "two addresses"),
    ],
)
def test_a_bad_receiver_is_refused_without_quoting_a_key(text, words, why):
    with pytest.raises(UsageError) as refused:
        parse_receiver(text)
    assert words in str(refused.value), why
    assert KEY not in str(refused.value)
