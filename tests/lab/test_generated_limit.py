"""A real systemd loops without a limit; the drop-in that is generated from its journal stops the same loop after `burst` restarts."""

import base64
import time

import pytest

from tests.cli.running import run
from tests.lab.systemd import NEEDED, booted

pytestmark = NEEDED
LOOPS = """\
[Unit]
StartLimitIntervalSec=0
[Service]
Restart=always
RestartSec=200ms
ExecStart=/bin/sh -c 'echo unknown trouble 17 >&2; exit 1'
"""
UNIT = "loops.service"


def show(lab, name):
    return lab.run(["systemctl", "show", "-P", name, UNIT]).strip()


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """What the unit did with the drop-in, and whether it could be started then."""
    folder = tmp_path_factory.mktemp("lab")
    with booted({UNIT: LOOPS}, folder) as lab:
        lab.run(["systemctl", "start", UNIT], check=False)
        lab.wait_until(lambda: int(show(lab, "NRestarts")) >= 12)
        lab.run(["systemctl", "stop", UNIT])
        lab.run(["journalctl", "--sync"])
        done = run("generate", "limits", "--journal-dir", str(lab.journal), "--store", str(folder / "store"), "--tz", "UTC")
        assert done.returncode == 0, done.stderr
        directory, text = f"/run/systemd/system/{UNIT}.d", base64.b64encode(done.stdout.encode()).decode()
        lab.run(["sh", "-c", f"mkdir -p {directory} && echo {text} | base64 -d > {directory}/50-start-limit.conf"])
        lab.run(["systemctl", "daemon-reload"])
        lab.run(["systemctl", "reset-failed", UNIT], check=False)
        lab.run(["systemctl", "start", UNIT], check=False)
        lab.wait_until(lambda: show(lab, "ActiveState") == "failed")
        time.sleep(1)
        stopped = show(lab, "ActiveState"), show(lab, "NRestarts")
        lab.run(["systemctl", "start", UNIT], check=False)
        refused = show(lab, "ActiveState")
        lab.run(["systemctl", "reset-failed", UNIT])
        lab.run(["systemctl", "start", UNIT], check=False)
        lab.wait_until(lambda: int(show(lab, "NRestarts")) >= 1)
        return done.stdout, stopped, refused


def test_it_stops_the_loop_after_as_many_restarts(limited):
    text, stopped, _ = limited
    assert "StartLimitBurst=5\n" in text
    assert stopped == ("failed", "5")


def test_a_start_by_hand_is_refused_until_reset_failed(limited):
    text, _, refused = limited
    assert refused == "failed"
    assert f"systemctl reset-failed {UNIT}" in " ".join(text.replace("\n#", " ").split())
