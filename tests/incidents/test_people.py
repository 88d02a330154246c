"""Who noticed an incident, what people tried to repair it, and what came of it."""

from datetime import timedelta

import polars as pl
import pytest

from forensics.incidents import analyse
from forensics.incidents.detection import naming
from forensics.model.values import Incident, Window
from tests.incidents.making import BEGIN, STARTED, STOPPING, Tale, inputs_of

OPEN = Window(None, None)


def only(tale: Tale, *others: Tale, declared=None, window=OPEN) -> Incident:
    (incident,) = analyse(inputs_of(tale, *others), window, declared).incidents
    return incident


def sudo(tale: Tale, command: str) -> Tale:
    return tale.host_says("sudo", f"luna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND={command}")


def by_hand(tale: Tale) -> Tale:
    tale.automatic = False
    return tale


def test_fix_attempts_say_what_came_of_them():
    tale = Tale().fail(40, "a")
    by_hand(sudo(tale, "/bin/vim /etc/app.conf").wait(5)).fail(200, "a")
    by_hand(sudo(tale, "/bin/systemctl restart app").wait(2)).fail(100, "b", every=14)
    by_hand(sudo(tale, "/bin/systemctl restart app").wait(2)).hold()
    incident = only(tale)
    assert [f.outcome for f in incident.fix_attempts] == ["no-effect", "changed-class", "held"]
    assert [p.primary for p in incident.phases] == ["a", "b"]
    assert incident.phases[0].restarts == 240


def test_looking_and_logging_in_repair_nothing():
    tale = Tale().fail(20)
    sudo(tale, "/bin/journalctl -u app").host_says("systemd-logind", "New session 5 of user luna.")
    assert only(tale.fail(20).hold()).fix_attempts == ()


def test_two_classes_that_tip_over_are_no_effect():
    tale = Tale().each(["a", "b"] * 50, every=12)
    by_hand(sudo(tale, "/bin/systemctl restart app").wait(2)).each(["b", "a", "b"] * 40, every=12)
    assert [f.outcome for f in only(tale).fix_attempts] == ["no-effect"]


def test_a_start_by_hand_without_a_word_is_a_try_of_its_own():
    tale = by_hand(Tale().fail(5).refuse().wait(3600)).hold()
    assert [(f.summary, f.outcome) for f in only(tale).fix_attempts] == [("app.service started manually", "held")]


def ssh(tale: Tale) -> Tale:
    return tale.host_says("sshd", "Accepted publickey for luna from 10.0.0.7 port 50222 ssh2: ED25519 SHA256:x")


def app_lines(tale: Tale) -> Tale:
    """The unit names a file of its environment."""
    tale.say("File /srv/app/venv/lib/x.so", unit=tale.unit, manager=tale.manager, identifier="app", pid=77)
    return tale


def in_app(tale: Tale, command: str) -> Tale:
    return tale.host_says("sudo", f"luna : TTY=pts/0 ; PWD=/srv/app ; USER=app ; COMMAND={command}")


def tries(tale: Tale) -> list[tuple[str, str]]:
    return [(attempt.summary, attempt.outcome) for attempt in only(tale).fix_attempts]


def test_what_is_prepared_belongs_to_the_try_that_puts_it_into_effect():
    tale = Tale().fail(40, "a")
    in_app(tale, "/bin/python3 -m venv venv.new").fail(100, "a")
    in_app(tale, "/srv/app/venv.new/bin/pip install torch").fail(100, "a")
    by_hand(sudo(in_app(tale, "/bin/mv -T venv.new venv").wait(5), "/bin/systemctl restart app").wait(2)).hold()
    pip = "luna ran /srv/app/venv.new/bin/pip install torch"
    assert tries(tale) == [
        (f"luna ran python3 -m venv venv.new; {pip}; luna ran mv -T venv.new venv; luna ran systemctl restart app", "held")
    ]


def test_what_the_next_automatic_start_uses_is_a_try_of_its_own():
    tale = app_lines(Tale().fail(40, "a"))
    in_app(tale, "/srv/app/venv/bin/pip install torch").fail(100, "b", every=14)
    by_hand(sudo(tale, "/bin/systemctl restart app").wait(2)).hold()
    assert tries(tale) == [("luna ran /srv/app/venv/bin/pip install torch", "changed-class"), ("luna ran systemctl restart app", "held")]


def test_another_manual_start_ends_what_was_prepared_before_it():
    tale = Tale().fail(40, "a")
    sudo(tale, "/bin/systemctl edit app").fail(100, "a")
    by_hand(sudo(tale, "/bin/systemctl restart app").wait(2)).fail(100, "a")
    by_hand(sudo(tale, "/bin/systemctl restart app").wait(2)).hold()
    assert tries(tale) == [
        ("luna ran systemctl edit app; luna ran systemctl restart app", "no-effect"),
        ("luna ran systemctl restart app", "held"),
    ]


def test_while_the_unit_is_down_every_change_waits_for_its_start():
    tale = Tale().fail(5).refuse().wait(600)
    sudo(tale, "/bin/vim /etc/app.conf").wait(1800)
    by_hand(sudo(tale, "/bin/systemctl start app").wait(2)).hold()
    assert tries(tale) == [("luna ran vim /etc/app.conf; luna ran systemctl start app", "held")]


def test_what_was_never_put_into_effect_is_no_try():
    tale = Tale().fail(40)
    sudo(tale, "/bin/systemctl edit app").fail(200).hold()
    incident = only(tale)
    assert incident.fix_attempts == ()
    assert [change.summary for change in incident.changes] == ["luna ran systemctl edit app"]


def test_a_unit_file_that_a_manual_start_follows_at_once_is_tested_by_it():
    tale = Tale().fail(40)
    by_hand(sudo(tale, "/bin/vim /etc/systemd/system/app.service").wait(20)).hold()
    assert tries(tale) == [("luna ran vim /etc/systemd/system/app.service", "held")]


def test_a_command_about_something_else_is_no_try():
    tale = Tale().fail(40)
    sudo(tale, "/bin/certbot renew").fail(20).hold()
    assert only(tale).fix_attempts == ()


def test_a_login_is_not_noticing():
    tale = ssh(Tale().fail(100)).fail(100)
    sudo(tale, "/bin/bash").fail(100)
    assert only(tale.hold()).detection.operator is None


NOTICED = [
    ("/bin/journalctl -u app -n 200", True),
    ("/bin/journalctl -u web", False),
    ("/bin/systemctl status", True),
    ("/bin/systemctl restart web", False),
    ("/bin/vim /etc/app/app.conf", True),
    ("/bin/apt install libfoo", True),
    ("/bin/ls /root", False),
]


@pytest.mark.parametrize(("command", "noticed"), NOTICED)
def test_the_first_operator_action_is_about_the_unit_or_the_system(command, noticed):
    tale = ssh(Tale().fail(10)).wait(60)
    sudo(tale, command).wait(10)
    found = only(tale.fail(10).hold()).detection
    assert found.operator == (BEGIN + timedelta(seconds=180) if noticed else None)
    assert found.operator_action == (f"luna ran {command.removeprefix('/bin/')}" if noticed else None)


def test_a_client_that_restarts_the_unit_around_the_clock_is_nobody():
    tale = Tale().fail(5)
    for _ in range(40):
        by_hand(tale).fall().wait(20)
        tale.manager_says("Stopping app...", STOPPING, job_type="restart")
    incident = only(tale)
    assert (incident.detection.operator, incident.fix_attempts, incident.changes) == (None, (), ())


def test_a_job_of_cron_is_not_an_operator():
    tale = Tale().fail(10)
    line = "root : PWD=/ ; USER=root ; COMMAND=/bin/systemctl restart app"
    tale.host_says("sudo", line, unit="cron.service", manager="system").wait(60)
    assert only(tale.fail(10).hold()).detection.operator is None


def test_reading_the_log_is_not_shown_as_a_change():
    tale = Tale().fail(10)
    sudo(tale, "/bin/journalctl -u app").wait(60)
    incident = only(tale.fail(10).hold())
    assert incident.changes == ()
    assert incident.detection.operator_action == "luna ran journalctl -u app"


def test_detection_names_what_a_machine_and_a_human_could_see():
    tale = Tale().fail(100)
    sudo(tale, "/bin/journalctl -u app").wait(60)
    incident = only(tale.fail(10).hold())
    found = incident.detection
    assert found.signal == BEGIN + timedelta(seconds=2)
    assert found.operator == BEGIN + timedelta(seconds=1200)
    assert found.alert is None
    assert set(found.evidence) == {"signal", "operator"}
    assert "nobody was alerted;" in incident.verdict


def test_an_alert_counts_only_when_it_names_the_unit():
    def alert_at(message, **columns):
        tale = Tale().fail(10)
        tale.host_says("alertmanager", message, **columns)
        return only(tale.fail(10).hold()).detection.alert

    assert alert_at('level=debug msg="Notify success" aggrGroup="{name=\\"app.service\\"}"') == BEGIN + timedelta(seconds=120)
    assert alert_at('level=debug msg="Notify success" aggrGroup="{name=\\"web.service\\"}"') is None
    assert alert_at("level=info msg=Loading app.yml") is None


NAMING = [
    ("app.service", "unit=app.service sent", True),
    ("app.service", 'labels="{name=\\"app.service\\"}"', True),
    ("app.service", "App is down", True),
    ("app.service", "restarts of app: 12", True),
    ("app.service", "line one\\napp.service failed", True),
    ("app.service", "system.slice/app.service", True),
    ("app.service", "The unit is app.", True),
    ("api.service", "tabbyapi.service", False),
    ("api.service", "my-api.service", False),
    ("api.service", "api-gateway is down", False),
    ("api.service", "POST /api/v2/alerts", False),
    ("api.service", "https://api.example.org", False),
    ("api.service", "instance=api:8080", False),
    ("api.service", "api.timer", False),
    ("worker@1.service", "worker@1.service failed", True),
    ("worker@1.service", "worker@1 failed", True),
    ("worker@1.service", "worker@12.service failed", False),
    ("worker@1.service", "worker failed", False),
    ("worker.service", "worker@1.service failed", False),
]


@pytest.mark.parametrize(("unit", "text", "named"), NAMING)
def test_an_alert_names_a_unit_as_a_whole(unit, text, named):
    assert pl.Series([text]).str.contains(naming(unit)).item() == named


def test_an_alert_of_a_sender_does_not_name_the_sender():
    tale = Tale("grafana.service").fail(10)
    tale.host_says("grafana", 'level=info msg="notification sent" rule=web', unit="grafana.service", manager="system")
    assert only(tale.fail(10).hold()).detection.alert is None


def test_an_on_failure_unit_that_notifies_is_an_alert():
    tale = Tale().fail(10)
    tale.manager_says("Finished Notify about app.service.", STARTED, unit="notify@app.service.service")
    assert only(tale.fail(10).hold()).detection.alert == BEGIN + timedelta(seconds=120)


def test_what_the_user_declares_goes_to_the_incident_that_was_open():
    tale = Tale().fail(5).hold(20).fail(50).hold(20).fail(5).hold()
    incidents = analyse(inputs_of(tale), OPEN, BEGIN + timedelta(seconds=1500)).incidents
    assert [i.detection.declared is not None for i in incidents] == [False, True, False]


def test_times_to_detect_are_averaged_only_over_three():
    def summary(loops):
        tale = Tale()
        for _ in range(loops):
            by_hand(sudo(tale.fail(10), "/bin/systemctl restart app").wait(2)).hold(60)
        return analyse(inputs_of(tale), OPEN).detection_summary

    two, three = summary(2), summary(3)
    assert (two.mttd_s, two.median_ttd_s, two.mttr_s) == (None, 120.0, 122.0)
    assert (three.incidents, three.mttd_s) == (3, 120.0)


def test_nobody_noticed_is_null_and_not_zero():
    found = analyse(inputs_of(Tale().fail(10).hold()), OPEN).detection_summary
    assert (found.median_ttd_s, found.mttr_s) == (None, 120.0)


def test_a_start_by_a_timer_is_nobody_s_hand():
    def acts(lines):
        tale = by_hand(Tale().fail(5).refuse().wait(3600)).fail(5)
        tale.manager_says("Started timer.", STARTED, unit=lines)
        return only(tale.hold()).fix_attempts

    assert len(acts("other.timer")) == 1
    assert acts("app.timer") == ()


def test_the_stop_that_ends_an_incident_is_no_try_to_repair_it():
    tale = Tale().fail(10).stopped(5).wait(3600).hold()
    incident = only(tale)
    assert (incident.recovery, incident.fix_attempts) == (None, ())
    assert incident.detection.operator is not None
