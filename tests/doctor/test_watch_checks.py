"""What is found out about `watch`: its state, its configuration, its receivers, its metrics, and who would notice its end."""

import json
import os
import stat
import time
from pathlib import Path

import pytest

from forensics.alerting.alert import Alert
from forensics.doctor import Host
from forensics.doctor.checks import configuration, exporter, prometheus, queue, rate_limits, sinks, systemd_version, watch_alive, watch_unit
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker
from tests.doctor.asked import Pages, watcher
from tests.doctor.trees import KEPT, host
from tests.http_recorder import Recorder
from tests.servers import free_port

HERE = Path("/")


def programs(folder, monkeypatch, **texts) -> None:
    """Put programs with these scripts first in PATH."""
    for name, text in texts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def state_with(folder: Path, *alerts: tuple[str, float]) -> Path:
    """Let `watch` commit alerts, each for a sink and raised at a time."""
    state = State.open(folder)
    for sink, at in alerts:
        state.commit(Position(), Tracker(), [Alert("RestartLoop", "a.service", "h", "critical", "s", at, raised_at=at)], [sink], {}, 0.0)
    state.commit(Position(), Tracker(), [], [], {}, 0.0)
    state.close()
    return folder


@pytest.mark.parametrize(
    ("waiting", "status", "words", "reason"),
    [
        ((), "ok", "no alert is waiting", "all delivered"),
        ((("hook", -5.0),), "ok", "1 alert waiting, the oldest for 5 s: hook (1)", "just raised"),
        ((("hook", -500.0), ("hook", -5.0)), "problem", "2 alerts waiting, the oldest for 8 min 20 s: hook (2)", "nobody takes them"),
        ((("x\x1b[2J", -500.0),), "problem", "1 alert waiting", "a sink with a hostile name"),
    ],
)
def test_the_queue(tmp_path, waiting, status, words, reason):
    now = 10_000.0
    directory = state_with(tmp_path / "watch", *((sink, now + at) for sink, at in waiting))
    found = queue.check(Host(now=now, root=HERE, watchers=(watcher(directory),)))
    assert (found.status, words in found.found, "\x1b" in found.found) == (status, True, False), (found, reason)


@pytest.mark.parametrize(("behind_s", "status"), [(0.0, "ok"), (59.0, "ok"), (120.0, "problem")])
def test_a_watch_that_is_behind_the_journal_is_not_alive(tmp_path, behind_s, status):
    directory = state_with(tmp_path / "state")
    examined = host(tmp_path, {f"{KEPT}/system.journal": b"x"}, watchers=(watcher(directory),))
    written = (directory / "watch.sqlite").stat().st_mtime
    os.utime(tmp_path / KEPT / "system.journal", (written + behind_s, written + behind_s))
    assert watch_alive.check(examined).status == status


HOOK = '[[sink]]\ntype = "webhook"\nname = "hook"\nurl = "http://127.0.0.1:9/x"\n'


@pytest.mark.parametrize(
    ("text", "status", "words", "reason"),
    [
        (HOOK, "ok", "sinks: hook; units: *", "a receiver"),
        ("", "problem", "no sink reaches a person: stdout", "the default: nobody reads it"),
        ('[[sink]]\ntype = "loki"\nurl = "http://127.0.0.1:9"\n', "problem", "no sink reaches a person: loki-1", "it only stores"),
        ("units = 3\n", "problem", "units", "a mistake"),
        (
            '[[sink]]\ntype = "ntfy"\nurl_env = "NTFY_URL"\n',
            "problem",
            "environment variable is not set",
            "not set for the process",
        ),
        ("[[[", "problem", "watch.toml", "not TOML"),
    ],
)
def test_the_configuration(tmp_path, text, status, words, reason):
    (tmp_path / "watch.toml").write_text(text)
    found = configuration.check(Host(now=0.0, config=tmp_path / "watch.toml", watchers=(watcher(),)))
    assert (found.status, words in found.found) == (status, True), (found, reason)


def test_sinks_are_only_connected_to_unless_a_test_alert_is_asked_for(tmp_path):
    with Recorder() as server:
        (tmp_path / "watch.toml").write_text(HOOK.replace("http://127.0.0.1:9/x", server.url))
        quiet, sent = (
            sinks.check(Host(now=0.0, config=tmp_path / "watch.toml", watchers=(watcher(),), sends_test=sends)) for sends in (False, True)
        )
    assert (quiet.status, quiet.found) == ("ok", "every sink can be reached (nothing was sent): hook")
    assert (sent.status, sent.found) == ("ok", "every sink took a test alert: hook")
    assert [body["labels"]["alertname"] for body in server.got] == ["TestAlert"]


def test_a_sink_that_refuses_is_named_with_its_answer(tmp_path):
    (tmp_path / "watch.toml").write_text(HOOK)
    found = sinks.check(Host(now=0.0, config=tmp_path / "watch.toml", watchers=(watcher(),)))
    assert (found.status, found.found) == ("problem", "hook: its server refuses connections: nothing listens there")
    with Recorder([403]) as server:
        (tmp_path / "watch.toml").write_text(HOOK.replace("http://127.0.0.1:9/x", server.url))
        found = sinks.check(Host(now=0.0, config=tmp_path / "watch.toml", watchers=(watcher(),), sends_test=True))
    assert (found.status, found.found) == ("problem", "hook: HTTP 403")


def targets(*urls, health="up"):
    found = [{"scrapeUrl": url, "health": health, "lastError": "e", "labels": {"job": "tf"}} for url in urls]
    return {"data": {"activeTargets": found}}


def rules(*queries):
    return {"data": {"groups": [{"rules": [{"query": query} for query in queries]}]}}


OURS, NAMED = "http://127.0.0.1:9847/metrics", f"http://{os.uname().nodename}:9847/metrics"


@pytest.mark.parametrize(
    ("pages", "status", "words", "reason"),
    [
        ((targets(OURS), rules('absent(up{job="tf"})')), "ok", "has a rule for when it is gone", "as it should be"),
        ((targets(NAMED), rules('up{job="tf"} == 0')), "ok", "has a rule", "by the host's name; a rule on up"),
        ((targets(OURS), rules("absent(tabby_forensics_build_info)")), "ok", "has a rule", "by a metric of ours"),
        ((targets(OURS), rules("up == 0", 'absent(up{job="other"})')), "problem", "no rule fires", "a rule that names neither"),
        ((targets(OURS), rules('tabby_forensics_unit_loop_active{job="tf"}')), "problem", "no rule fires", "silent when `watch` is"),
        ((targets(OURS), {}), "problem", "no rule fires", "no rules"),
        ((targets(OURS, health="down"), rules()), "problem", "cannot scrape `watch`: e", "scraped in vain"),
        ((targets("http://127.0.0.1:9100/metrics"), rules()), "problem", "has no target", "another exporter"),
        ((targets("http://other-host:9847/metrics"), rules()), "unknown", "other-host:9847; whether that is this host", "another host's"),
        ((targets("x" * 10_000, "", "http://["), rules()), "problem", "has no target", "no addresses"),
        (({"data": {"activeTargets": [1, None, {"labels": 3}]}}, {"data": {"groups": 3}}), "problem", "has no target", "another form"),
        (([], []), "problem", "has no target", "another program"),
        ((b"<html>", b""), "unknown", "answers HTML", "a login page"),
        ((None, None), "unknown", "answers HTTP 404", "nothing there"),
    ],
)
def test_prometheus(pages, status, words, reason):
    with Pages(dict(zip(("/api/v1/targets", "/api/v1/rules"), pages, strict=True))) as server:
        found = prometheus.check(Host(now=0.0, prometheus=server.url, watchers=(watcher(listen="127.0.0.1:9847"),)))
    assert (found.status, words in found.found) == (status, True), (found, reason)


def test_a_prometheus_elsewhere_does_not_scrape_this_host_by_its_loopback():
    far = prometheus._own_names(Host(now=0.0, prometheus="http://mon.example:9090"), "127.0.0.1:9847")
    assert far == {os.uname().nodename, os.uname().nodename.partition(".")[0]}


def test_the_exporter():
    with Pages({"/metrics": b"tabby_forensics_build_info 1\n"}) as server:
        assert exporter.check(Host(now=0.0, watchers=(watcher(listen=server.address),))).status == "ok"
    gone = exporter.check(Host(now=0.0, watchers=(watcher(listen=f"127.0.0.1:{free_port()}"),)))
    assert (gone.status, "refuses connections" in gone.found) == ("problem", True)
    none = [exporter.check(Host(now=0.0, prometheus=url, watchers=(watcher(),))).status for url in ("", "http://p:9090")]
    assert none == ["ok", "problem"]  # only a Prometheus needs it


@pytest.mark.parametrize(
    ("metrics", "healthz", "status", "words"),
    [
        (b"tabby_forensics_watch_skipped_total 0.0\n", b"ok\n", "ok", "has lost nothing"),
        (b"tabby_forensics_watch_skipped_total 3.0\n", b"ok\n", "problem", "3 entries that it could not process"),
        (b'tabby_forensics_watch_refused_alerts_total{sink="a"} 1.0\n', b"ok\n", "problem", "1 alert that a sink refused"),
        (b"tabby_forensics_watch_skipped_total x\n", b"ok\n", "unknown", "neither its state nor its metrics"),
    ],
)
def test_what_the_metrics_count_is_quoted(metrics, healthz, status, words):
    with Pages({"/metrics": metrics, "/healthz": healthz}) as server:
        found = watch_alive.check(Host(now=0.0, watchers=(watcher(listen=server.address),)))
    assert (found.status, words in found.found) == (status, True), found


SHOWN = "ActiveState=active\nUnitFileState=enabled\nRestart=on-failure\nWatchdogUSec=1min\nUser=\nDynamicUser=yes\nNRestarts=0"


@pytest.mark.parametrize(
    ("change", "status", "words", "reason"),
    [
        (("", ""), "ok", "user of its own", "as the generated unit"),
        (("enabled", "disabled"), "problem", "is disabled", "gone after a reboot"),
        (("on-failure", "no"), "problem", "without Restart=", "gone after a crash"),
        (("1min", "0"), "problem", "without WatchdogSec=", "nobody notices that it hangs"),
        (("DynamicUser=yes", "DynamicUser=no"), "ok", "user root", "as root it sees everything"),
    ],
)
def test_the_unit_of_watch(tmp_path, monkeypatch, change, status, words, reason):
    programs(tmp_path, monkeypatch, systemctl=f"cat <<'X'\n{SHOWN.replace(*change)}\nX")
    found = watch_unit.check(Host(now=0.0, watchers=(watcher(),)))
    assert (found.status, words in found.found) == (status, True), (found, reason)


@pytest.mark.parametrize(
    ("process", "status", "words"),
    [
        ((), "problem", "no `watch` is running"),
        ((watcher(unit=""),), "problem", "is not a service"),
        ((watcher(unit="w.service", is_users=True, uid=1000),), "unknown", "user 1000's manager"),
    ],
)
def test_a_watch_that_is_no_service_of_this_manager(process, status, words):
    found = watch_unit.check(Host(now=0.0, watchers=process))
    assert (found.status, words in found.found) == (status, True), found


@pytest.mark.parametrize(
    ("version", "status", "words"),
    [
        ("257 (257.9-1)", "ok", "systemd 257 has all"),
        ("252 (252.39-1~deb12u2)", "ok", "systemd 252 lacks RestartMode=direct"),
        ("systemd 219", "problem", "systemd 219 lacks StartLimitIntervalSec="),
        ("", "unknown", "systemd does not answer"),
    ],
)
def test_the_version_of_systemd(tmp_path, monkeypatch, version, status, words):
    programs(tmp_path, monkeypatch, systemctl=f"echo '{version}'")
    found = systemd_version.check(Host(now=0.0))
    assert (found.status, words in found.found) == (status, True), found


def test_a_unit_with_a_small_rate_limit_of_its_own_is_named(tmp_path, monkeypatch):
    units = "Id=a.service\nLogRateLimitBurst=10\n\nId=b.service\nLogRateLimitBurst=5000\n\nId=c.service\nLogRateLimitBurst=0"
    programs(tmp_path, monkeypatch, systemctl=f"printf '{units}'".replace("\n", "\\n"))
    found = rate_limits.check(Host(now=time.time()))
    assert (found.status, found.found) == ("problem", "LogRateLimitBurst= is below 1,000 for a.service")


def test_dropped_lines_are_counted_by_unit(tmp_path, monkeypatch):
    entries = [
        {"MESSAGE": f"Suppressed {n} messages from /system.slice/{unit}"} for n, unit in ((7, "a.service"), (2, "b"), (5, "a.service"))
    ]
    text = "\n".join([*map(json.dumps, entries), "garbage", "[]", '{"MESSAGE": [1]}'])
    (tmp_path / "lines").write_text(text)
    programs(tmp_path, monkeypatch, journalctl=f"cat {tmp_path}/lines")
    found = rate_limits.check(host(tmp_path, {f"{KEPT}/system.journal": b"x"}))
    assert (found.status, found.found) == ("problem", "journald dropped 14 lines in 7 days: a.service (12), b (2)")
