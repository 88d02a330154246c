"""`watch` on a real systemd: each failure is alerted once, also over `kill -9` and a rotation, under the class that `report` names."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.http_recorder import Recorder
from tests.lab.systemd import MACHINE_ID, NEEDED, booted
from tests.lab.units import PROGRAMS, UNITS, UNTIL_REFUSED, stop_what_ends
from tests.servers import free_port, http_get

pytest.importorskip("systemd.journal")
pytestmark = [*NEEDED, pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")]
SURVIVES = """#!/bin/sh
cat >&2 <<'WORDS'
Traceback (most recent call last):
  File "/srv/app/jobs.py", line 3, in run
KeyError: 'queue'
WORDS
exec sleep 600
"""
LATE = "[Service]\nExecStart=/bin/sh -c 'echo late and unheard-of trouble >&2; exit 1'\n"
HERE = {**UNITS, "survives.service": "[Service]\nExecStart=/lab/survives.sh\n", "late.service": LATE}
# A stop counts after seconds instead of five minutes.
IMPATIENT = "from forensics.policy import limits; limits.STOP_GAP_S = 3.0; from forensics.cli import main; main()"
ROOT = Path(__file__).resolve().parents[2]


def started(folder: Path, journal: Path, port: int) -> subprocess.Popen:
    options = ["--config", str(folder / "watch.toml"), "--journal-dir", str(journal), "--listen", f"127.0.0.1:{port}"]
    command = [sys.executable, "-c", IMPATIENT, "watch", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert any("watching" in line for line in process.stderr)  # after "learning…"
    return process


def about(alert: dict) -> tuple[str, str]:
    return alert["labels"]["alertname"], alert["labels"].get("unit", "")


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Collect all alerts, and the metrics while one unit loops and one is healthy."""
    folder = tmp_path_factory.mktemp("watch")
    server, port = Recorder(), free_port()
    (folder / "watch.toml").write_text(f'[[sink]]\ntype = "webhook"\nurl = "{server.url}"\n')
    with booted(HERE, tmp_path_factory.mktemp("lab"), programs={**PROGRAMS, "survives.sh": SURVIVES}) as lab, ExitStack() as left:
        process = started(folder, lab.journal / MACHINE_ID, port)
        left.callback(process.kill)
        lab.run(["systemctl", "start", "--no-block", *UNITS, "survives.service"])
        lab.wait_until(lambda: any(about(alert)[0] == "RestartLoop" for alert in server.got))
        process.kill()
        process.communicate()
        lab.run(["journalctl", "--rotate"])
        lab.wait_until(lambda: set(lab.states(UNTIL_REFUSED).values()) == {"failed"})
        process = started(folder, lab.journal / MACHINE_ID, port)
        left.callback(process.kill)
        lab.wait_until(lambda: len({alert["id"] for alert in server.got if about(alert)[0] == "RestartLoop"}) >= 5)
        lab.run(["systemctl", "restart", "systemd-journald.service"])
        lab.run(["systemctl", "start", "--no-block", "late.service"])
        lab.wait_until(lambda: any(about(alert)[1] == "late.service" for alert in server.got))
        time.sleep(2)
        page = http_get(f"http://127.0.0.1:{port}/metrics")
        right = (folder / "watch.toml").read_text()
        wrong, renamed = right + 'x = "y"', right.replace("[[sink]]", '[[sink]]\nname = "b"')
        for text, answers in ((wrong, ["not reloaded: 1 mistake", "sink[0].x: unknown"]), (renamed, ["go to b."])):
            (folder / "watch.toml").write_text(text)
            process.send_signal(signal.SIGHUP)
            for answer in answers:
                assert answer in process.stderr.readline()
        stop_what_ends(lab)
        lab.wait_until(lambda: any(alert["status"] == "resolved" for alert in server.got))
        time.sleep(1)
        process.terminate()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0
        assert errors == ""
    server.close()
    # killed between a delivery and its record, an alert comes again, with the same id
    return list({alert["id"]: alert for alert in server.got}.values()), page


@pytest.fixture(scope="module")
def alerts(watched):
    """Leave out alerts about lost lines: while journald restarts, lines of the manager may not reach it."""
    return [alert for alert in watched[0] if about(alert)[0] != "JournalLoss"]


def test_the_metrics_show_the_loop_and_pass_promtool(watched):
    page = watched[1]
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    lines = page.decode().splitlines()
    assert 'tabby_forensics_unit_loop_active{unit="ends.service"} 1.0' in lines
    assert 'tabby_forensics_watch_queued_alerts{sink="webhook-1"} 0.0' in lines
    assert any(line.startswith('tabby_forensics_failures_total{signature="exit:exit-code/42",unit="silent.service"}') for line in lines)


def test_every_class_and_every_loop_is_alerted_once(alerts):
    firing = Counter(about(a) for a in alerts if a["status"] == "firing")
    units = set(UNITS) - {"healthy.service"}
    once = {(name, unit) for name in ("NewFailureSignature", "RestartLoop") for unit in units}
    without_loop = {("NewFailureSignature", unit) for unit in ("survives.service", "late.service")}
    sooner_or_later = {"FutileRestart", "UnitDown"}  # the second after a minute, which a slow machine may need
    assert {key for key in firing if key[0] not in sooner_or_later} == once | without_loop
    assert {key: count for key, count in firing.items() if count > 1} == {}
    assert {unit for name, unit in firing if name == "FutileRestart"} == {"library.service", "port.service"}


def test_an_error_that_a_service_survives_is_alerted_as_a_warning(alerts):
    (alert,) = [a for a in alerts if a["labels"]["unit"] == "survives.service"]
    assert alert["annotations"]["summary"].startswith("survives.service keeps running but logged a new error: KeyError")
    assert (alert["labels"]["severity"], alert["annotations"]["evidence"]) == ("warning", "KeyError: 'queue'")


def test_the_names_are_those_of_the_report(alerts):
    named = {a["labels"]["unit"]: a["labels"]["signature"] for a in alerts if a["labels"]["alertname"] == "NewFailureSignature"}
    assert named["library.service"] == "loader.libstdcxx-missing"
    assert named["port.service"] == "port.conflict"
    assert named["silent.service"] == "exit:exit-code/42"
    assert named["before.service"].startswith("mined:")


def test_an_alert_carries_cause_and_remedy(alerts):
    (alert,) = [a for a in alerts if a["labels"]["alertname"] == "NewFailureSignature" and a["labels"]["unit"] == "library.service"]
    annotations = alert["annotations"]
    assert "libstdc++.so.6" in annotations["evidence"]
    assert annotations["restart_helps"] == "no"
    assert all(annotations[name] for name in ("summary", "cause", "remedy", "why", "command", "first_seen"))


def test_a_stop_resolves_what_is_open_about_the_unit(alerts):
    resolved = {about(a) for a in alerts if a["status"] == "resolved"}
    assert resolved == {("NewFailureSignature", "ends.service"), ("RestartLoop", "ends.service")}
