"""`verify` on a real systemd: five ways to be well or not, what a user may not see, and the generated units that call it."""

import json
import re
from datetime import UTC, datetime

import pytest

from forensics.generate.post_deploy import Plan, Verified
from forensics.generate.post_deploy_units import unit_files
from tests.lab.program import WRAPPER, shared
from tests.lab.systemd import NEEDED, booted

pytestmark = NEEDED
UNIT = "tabbyapi.service"
# TabbyAPI in small: 5000 busy → 5001, /health answers 200 also without a model
SERVER = """\
import http.server, json, os, socket, sys
port = int(os.environ.get("PORT", "5000"))
try:
    socket.create_connection(("127.0.0.1", port), 1).close()
    port += 1
except OSError:
    pass
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if os.path.exists("/run/no-model"):
            return self.answer(503, {"detail": "No models are currently loaded."})
        self.answer(200, {"choices": [{"text": "2"}]})
        open("/run/asked", "w").close()
    def do_GET(self):
        if self.path == "/v1/models":
            return self.answer(200, {"object": "list", "data": [{"id": "llama"}]})
        self.answer(200 if self.path == "/health" else 404, {"status": "healthy", "issues": []})
    def answer(self, status, body):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
# the first start leaves a server behind that KillMode=process does not kill, in the control group of the next start
STAYS = "#!/bin/sh\n[ -e /run/first ] || { touch /run/first; setsid /usr/bin/python3 /lab/server.py & }\nexec sleep 1000\n"
GENERATED = unit_files(Plan("/lab/tabby", (Verified(UNIT, 5000),), datetime(2026, 1, 1, tzinfo=UTC), settle_s=1, timeout_s=5))
AFTER_PACKAGES, AT_BOOT = "tabby-verify@tabbyapi.service", "tabby-verify-boot@tabbyapi.service"
UNITS = {
    UNIT: "[Service]\nExecStart=/usr/bin/python3 /lab/server.py\nRestart=on-failure\nRestartSec=1min\n",
    "stays.service": "[Service]\nKillMode=process\nEnvironment=PORT=7000\nExecStart=/lab/stays.sh\n",
    "fails.service": "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=50ms\n[Unit]\nStartLimitIntervalSec=0\n",
    "waked.socket": "[Socket]\nListenStream=127.0.0.1:6000\n",
    "waked.service": "[Service]\nExecStart=/usr/lib/systemd/systemd-socket-proxyd 127.0.0.1:5000\n",
}


def changes_packages(lab):
    """Replace dpkg's status as dpkg does, with a time that is no longer new."""
    lab.run(["sh", "-c", "cd /var/lib/dpkg && echo changed >> status-new && touch -d '5 minutes ago' status-new && mv status-new status"])


def verified_by_units(lab):
    """What the generated units do: after packages change while the unit is well, and at a boot while it is not."""
    options = GENERATED["tabbyapi.env"]
    lab.run(
        [
            "sh",
            "-c",
            f"mkdir -p /etc/tabby-forensics/verify /var/lib/dpkg; cat > /etc/tabby-forensics/verify/tabbyapi.env <<'E'\n{options}E",
        ]
    )
    lab.run(["systemctl", "start", "tabby-verify@tabbyapi.path"])
    lab.run(["systemctl", "enable", AT_BOOT], check=False)
    changes_packages(lab)

    def shown(unit, name):
        return lab.run(["systemctl", "show", "-P", name, unit]).strip()

    lab.wait_until(lambda: shown(AFTER_PACKAGES, "ExecMainExitTimestampMonotonic") not in {"", "0"}, 30)
    well = shown(AFTER_PACKAGES, "Result"), shown(AFTER_PACKAGES, "ExecMainStatus")
    lab.run(["touch", "/run/no-model"])
    lab.run(["systemctl", "start", "boot-complete.target"], check=False)
    lab.run(["rm", "/run/no-model"])
    return {"after packages": well, "at boot": (shown(AT_BOOT, "ExecMainStatus"), shown("boot-complete.target", "ActiveState"))}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Case → the exit code and the JSON of `verify`, or what the units did."""
    folder = tmp_path_factory.mktemp("lab")
    found = {}
    programs = {"server.py": SERVER, "tabby": WRAPPER, "stays.sh": STAYS}
    with booted({**UNITS, **GENERATED}, folder, programs=programs, shared=shared(folder)) as lab:

        def verify(case, *options, unit=UNIT, before="", prefix=""):
            script = f"{before}\n{prefix} /lab/tabby verify {unit} --format json --timeout 5 {' '.join(options)} 2>&1; echo $?"
            printed, _, code = lab.run(["sh", "-c", script]).strip().rpartition("\n")
            found[case] = int(code), json.loads(printed) if printed.startswith("{") else printed

        def listens(port):
            lab.wait_until(lambda: f":{port:04X} 00000000:0000 0A" in lab.run(["cat", "/proc/net/tcp"]), 20)

        lab.run(["systemctl", "start", UNIT, "waked.socket"])
        listens(5000)
        verify("healthy", "--port 5000 --settle 1")
        verify("no port named", "--settle 0")
        verify("an ordinary user", "--port 5000 --settle 0", prefix="setpriv --reuid=65534 --clear-groups")
        verify("woken by its socket", "--port 6000 --settle 0 --path /health", unit="waked.service")
        found |= verified_by_units(lab)
        verify("no model", "--port 5000 --settle 0", before="touch /run/no-model")
        lab.run(["rm", "/run/no-model"])
        crash = f"rm -f /run/asked; (until [ -e /run/asked ]; do sleep 0.1; done; kill -KILL $(systemctl show -P MainPID {UNIT})) &"
        verify("crashes while settling", "--port 5000 --settle 20", before=crash)
        lab.run(["systemctl", "stop", UNIT])
        verify("dead", "--port 5000 --settle 0")
        lab.run(["sh", "-c", "systemd-run -q --scope --unit=leftover /usr/bin/python3 /lab/server.py >/dev/null 2>&1 &"])
        listens(5000)
        lab.run(["systemctl", "start", UNIT])
        listens(5001)
        verify("a leftover", "--port 5000 --settle 0")
        verify("the fallback port", "--port 5002 --settle 0 --timeout 1")
        lab.run(["systemctl", "start", "stays.service"])
        listens(7000)
        lab.run(["systemctl", "restart", "stays.service"])
        verify("left over in its own group", "--port 7000 --settle 0", unit="stays.service")
        verify("no such unit", unit="absent.service")
        lab.run(["systemctl", "mask", "--runtime", "masked.service"])
        verify("masked", unit="masked.service")
        lab.run(["systemctl", "start", "fails.service"], check=False)
        verify("loops", "--settle 30", unit="fails.service")
    return found


def outcomes(verdict):
    return {check["check"]: check["outcome"] for check in verdict["checks"]}


def evidence(verdict, name):
    (found,) = [check["evidence"] for check in verdict["checks"] if check["check"] == name]
    return found


def test_a_healthy_unit_is_verified(found):
    code, verdict = found["healthy"]
    assert (code, verdict["outcome"], verdict["port"]) == (0, "ok", 5000)
    assert list(outcomes(verdict)) == ["unit", "held", "port", "answer"]
    assert evidence(verdict, "held").endswith("for 1 s")
    assert "POST /v1/completions gave one token of llama" in evidence(verdict, "answer")


def test_the_only_port_need_not_be_named(found):
    code, verdict = found["no port named"]
    assert (code, verdict["port"]) == (0, 5000)


def test_a_leftover_on_the_port_fails_though_it_answers(found):
    code, verdict = found["a leftover"]
    assert (code, outcomes(verdict)["port"]) == (3, "failed")
    assert re.search(
        r"5000 is held by /usr/bin/python3 /lab/server\.py \(pid \d+, in leftover\.scope, on 127\.0\.0\.1\), not by tabbyapi\.service; "
        r"tabbyapi\.service listens on 5001 \(pid \d+\) instead",
        evidence(verdict, "port"),
    )
    assert evidence(verdict, "answer") == "not asked: another process may answer"


def test_a_leftover_of_an_earlier_start_fails_though_it_is_in_the_units_control_group(found):
    code, verdict = found["left over in its own group"]
    assert (code, outcomes(verdict)["port"]) == (3, "failed")
    assert "left over from an earlier start in stays.service" in evidence(verdict, "port")


def test_a_fallback_port_fails(found):
    code, verdict = found["the fallback port"]
    assert code == 3
    assert "nobody listens on 5002; tabbyapi.service listens on 5001" in evidence(verdict, "port")


def test_a_server_without_a_model_fails_though_its_health_is_200(found):
    code, verdict = found["no model"]
    assert (code, outcomes(verdict)["port"]) == (3, "ok")
    assert 'HTTP 503 {"detail": "No models are currently loaded."}' in evidence(verdict, "answer")


def test_a_dead_unit_fails(found):
    code, verdict = found["dead"]
    assert (code, outcomes(verdict)) == (3, {"unit": "failed"})


def test_a_crash_while_it_settles_fails_at_once(found):
    code, verdict = found["crashes while settling"]
    assert (code, outcomes(verdict)["held"]) == (3, "failed")
    assert "with the result signal" in evidence(verdict, "held")
    assert verdict["took_s"] < 10


def test_a_loop_fails_at_once(found):
    code, verdict = found["loops"]
    assert code == 3
    assert verdict["took_s"] < 10


def test_an_ordinary_user_cannot_tell_whose_the_port_is(found):
    code, verdict = found["an ordinary user"]
    assert (code, outcomes(verdict)["port"], outcomes(verdict)["answer"]) == (4, "unknown", "ok")
    assert "that this user may not see: run it as root" in evidence(verdict, "port")


def test_a_unit_that_its_socket_starts_is_woken(found):
    code, verdict = found["woken by its socket"]
    assert (code, outcomes(verdict)["port"]) == (0, "ok")


@pytest.mark.parametrize(
    ("case", "code", "words"), [("no such unit", 4, "there is no unit absent.service here"), ("masked", 3, "masked.service is masked")]
)
def test_what_is_no_unit(found, case, code, words):
    assert found[case][0] == code
    assert words in evidence(found[case][1], "unit")


def test_the_generated_path_unit_verifies_after_packages_changed(found):
    assert found["after packages"] == ("success", "0")


def test_a_boot_that_is_not_verified_is_not_complete(found):
    assert found["at boot"] == ("3", "inactive")
