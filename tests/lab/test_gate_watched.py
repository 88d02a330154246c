"""A real systemd, a gate and `watch`: one page at once when it opens, still open when tries fail, resolved when it closes."""

import json
import subprocess
import sys
from contextlib import ExitStack

import pytest

from forensics.model.own_entries import GATE_OPENED
from tests.cli.running import run
from tests.http_recorder import Recorder
from tests.lab.gate_units import PAGE, PROGRAMS, note, service
from tests.lab.program import ROOT, shared
from tests.lab.systemd import MACHINE_ID, NEEDED, booted

pytest.importorskip("systemd.journal")
pytestmark = NEEDED
UNITS = {"app.service": service("/lab/app /run/mode", note("--cooldown 3 --held 2")), "page@.service": PAGE}

LATE_S = 3.0  # measured: 0.07 and 0.71 s; the other tests may keep this machine busy


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """The alerts of one outage, with when they came, the journal's lines of the gate, and the report."""
    folder, server = tmp_path_factory.mktemp("watch"), Recorder()
    (folder / "watch.toml").write_text(f'[[sink]]\ntype = "webhook"\nurl = "{server.url}"\n')
    with (
        booted(UNITS, tmp_path_factory.mktemp("lab"), programs=PROGRAMS, shared=shared(tmp_path_factory.mktemp("shared"))) as lab,
        ExitStack() as left,
    ):
        options = ["--config", str(folder / "watch.toml"), "--state", str(folder / "state"), "--journal-dir", str(lab.journal / MACHINE_ID)]
        watch = left.enter_context(
            subprocess.Popen([sys.executable, "-m", "forensics", "watch", *options], stderr=subprocess.PIPE, text=True, cwd=ROOT)
        )
        left.callback(watch.kill)
        assert any("watching" in line for line in watch.stderr)  # after "learning…"

        def breakers():
            return [alert for alert in server.got if alert["labels"]["alertname"] == "BreakerOpened"]

        def openings():
            lines = lab.run(["journalctl", "-o", "json", "--no-pager", f"MESSAGE_ID={GATE_OPENED}"], check=False).splitlines()
            return [json.loads(line) for line in lines]

        lab.run(["systemctl", "start", "--no-block", "app"])
        lab.wait_until(lambda: len(openings()) >= 2)  # the first, and a try that failed
        lab.run(["sh", "-c", "echo ok > /run/mode"])
        lab.wait_until(lambda: any(alert["status"] == "resolved" for alert in breakers()))
        lab.run(["journalctl", "--sync"])
        sources = ["--journal-dir", str(lab.journal), "--store", str(folder / "store")]
        report = json.loads(run("report", *sources, "--format", "json", "--unit", "app").stdout)
        yield list(zip(server.times, server.got, strict=True)), openings(), report


def test_one_page_comes_at_once(seen):
    alerts, openings, _ = seen
    firing = [(at, alert) for at, alert in alerts if (alert["labels"]["alertname"], alert["status"]) == ("BreakerOpened", "firing")]
    ((at, alert),) = firing
    delay = at - int(openings[0]["__REALTIME_TIMESTAMP"]) / 1e6
    assert delay < LATE_S
    assert alert["annotations"]["class"] == "torch.abi-mismatch"
    assert "are stopped after 3 failures" in alert["annotations"]["summary"]
    assert "next try in 3 s" in alert["annotations"]["summary"]


def test_no_other_alert_is_resolved_while_it_is_open(seen):
    alerts, _, _ = seen
    states = [(alert["labels"]["alertname"], alert["status"]) for _, alert in alerts if alert["labels"]["unit"] == "app.service"]
    assert states == [("NewFailureSignature", "firing"), ("BreakerOpened", "firing"), ("BreakerOpened", "resolved")]


def test_the_report_has_the_whole_outage_and_what_the_gate_did(seen):
    _, openings, report = seen
    (incident,) = report["incidents"]
    assert (incident["kind"], incident["restarts"], incident["failures"]) == ("outage", 2, 2 + len(openings))
    assert (incident["gate"]["failures"], incident["gate"]["probes"]) == (3, len(openings))
    assert incident["gate"]["closed"] is not None
    assert (incident["fix_attempts"], incident["detection"]["operator"]) == ([], None)
