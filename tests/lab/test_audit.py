"""An audit asks a real systemd: what it has loaded, what its start limit refused, and what OnFailure= started."""

import json

import pytest

from tests.lab.program import PYTHON, VARIABLES, shared
from tests.lab.systemd import NEEDED, booted

pytestmark = NEEDED
LOOPS = """\
[Unit]
OnFailure=page@%N.service
StartLimitIntervalSec=1min
[Service]
Restart=always
RestartSec=200ms
ExecStart=/bin/sh -c 'echo unknown trouble 17 >&2; exit 1'
"""
PAGE = "[Service]\nType=oneshot\nExecStart=/bin/true\n"


@pytest.fixture(scope="module")
def audits(tmp_path_factory):
    """The controls of a unit that a drop-in's start limit stopped, and those after the drop-in has changed on disk."""
    folder = tmp_path_factory.mktemp("lab")
    with booted({"loops.service": LOOPS, "page@.service": PAGE}, folder, shared=shared(folder)) as lab:

        def limit(burst):
            folder = "/etc/systemd/system/loops.service.d"
            lab.run(["sh", "-c", f"mkdir -p {folder}; printf '[Unit]\\nStartLimitBurst={burst}\\n' > {folder}/limit.conf"])

        def audited():
            command = f"{VARIABLES} {PYTHON} -m forensics audit --store /tmp/store --format json"
            return {each["id"]: each for each in json.loads(lab.run(["sh", "-c", command]))["controls"]}

        limit(4)
        lab.run(["systemctl", "daemon-reload"])
        lab.run(["systemctl", "start", "loops.service"], check=False)
        lab.wait_until(lambda: lab.states(["loops.service"]) == {"loops.service": "failed"})
        lab.run(["journalctl", "--sync"])
        before = audited()
        limit(40)
        return before, audited()


def links(control):
    return [(link["link"], link["holds"]) for link in control["links"]]


def test_a_limit_that_has_acted_is_effective(audits):
    control = audits[0]["restart-limits"]
    assert control["status"] == "effective", control
    assert control["links"][0]["evidence"] == "StartLimitBurst=4 in StartLimitIntervalSec=1min (set for the unit)"
    assert "Start request repeated too quickly" in control["links"][-1]["evidence"]


def test_what_onfailure_started_is_effective(audits):
    control = audits[0]["auto-remediation"]
    assert control["status"] == "effective", control
    assert control["links"][1]["evidence"] == "page@loops.service"


def test_a_drop_in_that_is_not_loaded_is_named(audits):
    control = audits[1]["restart-limits"]
    assert ("loaded", False) in links(control)
    assert "changed on disk" in control["evidence"]


def test_what_is_not_there_is_missing(audits):
    assert {name for name, control in audits[0].items() if control["status"] == "missing"} >= {"circuit-breaker", "config-validation"}
