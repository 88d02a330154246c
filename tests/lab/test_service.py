"""The generated unit on a real systemd: it starts in its sandbox, is ready, alerts, reloads and ends well."""

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest

from forensics.generate.settings import NAME
from forensics.generate.systemd import unit_text
from tests.lab.program import PYTHON, VARIABLES, shared
from tests.lab.systemd import NEEDED, booted

pytest.importorskip("systemd.journal")
pytestmark = NEEDED
PACKAGES = Path(sysconfig.get_path("purelib"))
FAILS = "[Service]\nExecStart=/bin/sh -c 'echo unknown trouble 17 >&2; exit 1'\n"
SINK = '[[sink]]\ntype = "stdout"\njson_lines = true\n'


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """What the service printed, and its state at the end."""
    unit = unit_text(f"{PYTHON} -m forensics", "127.0.0.1:9847") + f"\n[Service]\nEnvironment={VARIABLES}\n"
    folder = tmp_path_factory.mktemp("lab")
    with booted({f"{NAME}.service": unit, "fails.service": FAILS}, folder, shared=shared(folder)) as lab:

        def printed() -> str:
            return lab.run(["journalctl", "-o", "cat", f"_SYSTEMD_UNIT={NAME}.service"])

        def shell(script: str) -> str:
            return lab.run(["sh", "-c", script])

        shell(f"mkdir -p /etc/{NAME}; cat > /etc/{NAME}/watch.toml <<'EOF'\n{SINK}EOF")
        lab.run(["systemctl", "start", f"{NAME}.service"], check=False)  # returns when it is ready
        assert lab.states([f"{NAME}.service"]) == {f"{NAME}.service": "active"}, printed()
        pages = shell(
            f"{VARIABLES} {PYTHON} -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:9847/metrics\").read().decode())'"
        )
        lab.run(["systemctl", "start", "fails.service"])
        lab.wait_until(lambda: "NewFailureSignature" in printed())
        lab.run(["systemctl", "reload", f"{NAME}.service"])
        lab.wait_until(lambda: "reloaded" in printed())
        properties = ("ActiveState", "NRestarts", "User", "MainPID")
        state = {name: lab.run(["systemctl", "show", "-P", name, f"{NAME}.service"]).strip() for name in properties}
        lab.run(["systemctl", "stop", f"{NAME}.service"])
        state["Result"] = lab.run(["systemctl", "show", "-P", "Result", f"{NAME}.service"]).strip()
        return printed(), state, pages


def test_it_runs_in_its_sandbox_until_it_is_stopped(lived):
    printed, state, _ = lived
    assert (state["ActiveState"], state["NRestarts"], state["Result"]) == ("active", "0", "success"), printed


def test_it_alerts(lived):
    alerts = [json.loads(line) for line in lived[0].splitlines() if line.startswith("{")]
    raised = [(alert["labels"]["alertname"], alert["labels"]["unit"]) for alert in alerts]
    assert raised[0] == ("NewFailureSignature", "fails.service")
    assert set(raised[1:]) <= {("UnitDown", "fails.service")}  # after a minute, which a slow machine may need
    assert alerts[0]["annotations"]["evidence"] == "unknown trouble 17"


def test_its_exporter_answers(lived):
    assert "tabby_forensics_build_info" in lived[2]


def test_systemd_calls_it_little_exposed(tmp_path):
    (tmp_path / f"{NAME}.service").write_text(unit_text("/usr/bin/true", None))
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(tmp_path / f"{NAME}.service")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]
