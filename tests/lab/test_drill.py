"""Drills on a real systemd with `watch`, a webhook and Alertmanager: the class is right, each link is timed, a silent one is named."""

import json

import pytest

from forensics.generate.drill import Monthly, drill_files
from forensics.generate.settings import NAME
from forensics.generate.systemd import unit_text
from tests.cli.running import run
from tests.lab.program import PYTHON, VARIABLES, shared
from tests.lab.systemd import NEEDED, SYSTEM, booted

pytest.importorskip("systemd.journal")
HAS_ALERTMANAGER = (SYSTEM / "usr/bin/prometheus-alertmanager").exists()
pytestmark = NEEDED
RECEIVER = """\
import http.server, sys
got = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(b"")
    def do_GET(self):
        self.answer(b"\\n".join(got))
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
HOOK, PHONE, MANAGER, EXPORTER = 8000, 8001, 9093, 9847  # ports of the lab's own network
ALERTMANAGER = f"""\
route: {{receiver: phone, group_wait: 0s, group_by: [unit]}}
receivers: [{{name: phone, webhook_configs: [{{url: "http://127.0.0.1:{PHONE}/"}}]}}]
"""
WATCH = f"""\
units = ["fails.service"]
listen = "127.0.0.1:{EXPORTER}"
[[sink]]
type = "webhook"
name = "hook"
url_env = "HOOK_URL"
""" + (f'[[sink]]\ntype = "alertmanager"\nname = "pager"\nurl = "http://127.0.0.1:{MANAGER}"\n' if HAS_ALERTMANAGER else "")  # fmt: skip
SERVED = f"--config.file=/lab/alertmanager.yml --storage.path=/tmp/am --cluster.listen-address= --web.listen-address=127.0.0.1:{MANAGER}"
UNITS = {
    f"{NAME}.service": unit_text(f"{PYTHON} -m forensics", None)
    + f"\n[Service]\nEnvironment={VARIABLES} HOOK_URL=http://127.0.0.1:{HOOK}/\n",
    "receiver@.service": f"[Service]\nEnvironment={VARIABLES}\nExecStart={PYTHON} /lab/receiver.py %i\n",
    "alertmanager.service": f"[Service]\nExecStart=/usr/bin/prometheus-alertmanager {SERVED}\n",
    "fails.service": "[Service]\nExecStart=/bin/sh -c 'echo unknown trouble 17 >&2; exit 1'\n",
}
MONTHLY = drill_files(f"{PYTHON} -m forensics", Monthly(("port.conflict",), within="20s"))
UNITS |= {name: text.replace("[Service]\n", f"[Service]\nEnvironment={VARIABLES}\n", 1) for name, text in MONTHLY.items()}
PROGRAMS = {"receiver.py": RECEIVER, "alertmanager.yml": ALERTMANAGER, "watch.toml": WATCH}
PAGE = f"http://127.0.0.1:{PHONE if HAS_ALERTMANAGER else HOOK}/"


@pytest.fixture(scope="module")
def drilled(tmp_path_factory):
    """What each command printed, with its exit code, in one boot."""
    folder = tmp_path_factory.mktemp("lab")
    with booted(UNITS, folder, shared=shared(folder), programs=PROGRAMS) as lab:

        def shell(script):
            return lab.run(["sh", "-c", script], check=False)

        def forensics(*arguments):
            """Run a command of the program; return what it printed and its exit code."""
            printed = shell(f"{VARIABLES} HOME=/root {PYTHON} -m forensics {' '.join(arguments)} 2>&1; code=$?; echo; echo $code")
            text, _, code = printed.rstrip("\n").rpartition("\n")
            return text, int(code)

        shell(f"mkdir -p /etc/{NAME} && cp /lab/watch.toml /etc/{NAME}")
        servers = [f"receiver@{HOOK}", f"receiver@{PHONE}", *(["alertmanager"] if HAS_ALERTMANAGER else [])]
        lab.run(["systemctl", "start", "fails.service", *servers, NAME])
        found = {"doctor": forensics("doctor", "--format", "json")}
        forensics("ingest")
        found["all"] = forensics("drill", "--all", "--within", "20s", "--format", "json")
        found["named"] = forensics(
            "drill", "loader.libstdcxx-missing", "exit:signal/11", "--within", "20s", "--page", PAGE, "--format", "json"
        )
        lab.run(["systemctl", "start", "tabby-drill.service"], check=False)
        found["monthly"] = lab.run(["systemctl", "show", "-P", "Result", "tabby-drill.service"]).strip()
        found["left"] = shell("systemctl list-units --all --plain --no-legend 'tabby-drill-*'")
        lab.run(["systemctl", "stop", f"receiver@{HOOK}"])
        found["dead"] = forensics("drill", "torch.abi-mismatch", "--within", "5s", "--format", "json")
        lab.run(["systemctl", "stop", NAME])
        found["nobody"] = forensics("drill", "torch.abi-mismatch")
        found["log"] = lab.run(["journalctl", "-o", "cat", "_SYSTEMD_UNIT=tabby-drill.service"])
    found["journal"] = lab.journal
    return found


def only(printed):
    """Return the drills of a command that measured every link."""
    text, code = printed
    assert code == 0, text
    return json.loads(text[text.index("{") :])["drills"]


def links(drill):
    return {link["name"]: (link["status"], link["after_s"]) for link in drill["links"]}


SINKS = ["sink hook", *(["sink pager", "pager, read back", "pager, notification"] if HAS_ALERTMANAGER else [])]


def test_a_class_that_only_this_host_has_shown_is_alerted_by_its_name_within_seconds(drilled):
    (drill,) = only(drilled["all"])
    assert drill["class"].startswith("mined:")
    assert list(links(drill)) == ["journal", "watch", *SINKS]
    assert all(status == "there" and 0 <= after_s < 10 for status, after_s in links(drill).values()), drill


def test_a_traceback_and_a_bare_signal_reach_the_page(drilled):
    drills = only(drilled["named"])
    assert [drill["class"] for drill in drills] == ["loader.libstdcxx-missing", "exit:signal/11"]
    for drill in drills:
        assert list(links(drill)) == ["journal", "watch", *SINKS, f"page 1, {PAGE}".rstrip("/")]
        assert all(status == "there" for status, _ in links(drill).values()), drill


@pytest.mark.skipif(not HAS_ALERTMANAGER, reason="prometheus-alertmanager is not installed")
def test_alertmanager_has_the_label_and_names_the_receiver(drilled):
    drill = only(drilled["named"])[0]
    (found,) = [link["text"] for link in drill["links"] if link["name"] == "pager, read back"]
    assert found == "for the receiver phone"  # a missing label drill="true" would be named


def test_the_generated_service_succeeds_and_names_the_links(drilled):
    assert drilled["monthly"] == "success", drilled["log"]
    assert "verdict: every link answered" in drilled["log"]


def test_no_unit_of_a_drill_is_left(drilled):
    assert drilled["left"] == ""


def test_a_sink_whose_server_is_gone_is_named_and_the_others_answer(drilled):
    text, code = drilled["dead"]
    assert code == 3, text
    (drill,) = json.loads(text)["drills"]
    assert {name for name, (status, _) in links(drill).items() if status != "there"} == {"sink hook"}
    assert drill["verdict"].startswith("broken at sink hook: silent for 5 s: the alert is still queued: its server refuses connections")


def test_without_a_watch_nothing_is_started_and_nothing_can_be_told(drilled):
    text, code = drilled["nobody"]
    assert code == 4
    assert "No `watch` is running here" in text


def test_doctor_sees_the_chain(drilled):
    text, code = drilled["doctor"]
    found = {check["check"]: check for check in json.loads(text)["checks"]}
    not_ok = {name: check["found"] for name, check in found.items() if check["status"] != "ok"}
    # the lab's kernel has no time server, its journal is seconds old, its unit is not enabled, and it has no Prometheus
    assert not_ok.keys() <= {"clock", "retention", "watch-unit", "prometheus"}, not_ok
    assert (found["watch-unit"]["status"], code) == ("problem", 3)
    assert "is disabled" in found["watch-unit"]["found"]


def test_drills_are_in_no_report(drilled, tmp_path):
    options = ["--journal-dir", str(drilled["journal"]), "--store", str(tmp_path), "--format", "json"]
    report = run("report", *options).stdout
    assert "fails.service" in report
    assert "tabby-drill-" not in report
