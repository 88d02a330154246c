"""`audit`: from a journal and what is there to fourteen controls, on the command line."""

import csv
import json

import pytest

from tests.attempts.building import Journal
from tests.cli.journals import export_format
from tests.cli.running import assert_one_sentence, run
from tests.servers import free_port

UNIT = "tabbyapi.service"
UNITS = {
    UNIT: "[Unit]\nOnFailure=page.service\n[Service]\nRestart=always\nRestartSec=10\nExecStart=/srv/app --port 5000\n",
    "page.service": "[Service]\nExecStart=/usr/bin/page\n",
}


def journal() -> Journal:
    """A boot, a system switch, a restart loop that the start limit ends, and what was triggered and sent then."""
    made = Journal(UNIT, "alpha", boot="a" * 32)
    made.manager("boot", text="systemd 252.39-1~deb12u2 running in system mode (+PAM)", unit="init.scope")
    switch = "switching to system configuration /nix/store/k2s0h3n7r5l6v1pz8x4qfbw9ydcajmgi-nixos-system-alpha-25.05"
    made.add(1, {"_PID": "7", "_UID": "0", "_COMM": "nixos", "_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": "nixos", "MESSAGE": switch})
    for number in range(8):
        invocation = f"{number:032x}"
        made.manager("started", invocation, after=0.1, JOB_TYPE="start", JOB_RESULT="done")
        made.writes(
            invocation,
            "INFO: Uvicorn running on http://0.0.0.0:5000",
            "ImportError: libstdc++.so.6: cannot open shared object file: No such file",
        )
        made.dies(invocation)
        made.manager("restart", invocation, after=10, N_RESTARTS=str(number + 1))
    made.manager("refused", "f" * 32, text=f"{UNIT}: Start request repeated too quickly.")
    made.manager("failed", "f" * 32, UNIT_RESULT="start-limit-hit")
    made.manager("other", "f" * 32, text=f"{UNIT}: Triggering OnFailure= dependencies.")
    return made


def write(folder):
    """Write the journal and the units as files."""
    (folder / "journal.export").write_text(export_format(journal()))
    (folder / "units").mkdir()
    for name, text in UNITS.items():
        (folder / "units" / name).write_text(text)
    return folder


@pytest.fixture
def written(tmp_path):
    return write(tmp_path)


@pytest.fixture(scope="module")
def dumped(tmp_path_factory):
    """An inventory that an audit has dumped."""
    folder = write(tmp_path_factory.mktemp("audit"))
    assert audited(folder, "--dump", str(folder / "dump.json")).returncode == 0
    return folder / "dump.json"


def audited(folder, *options):
    return run(
        "audit", "--file", str(folder / "journal.export"), "--store", str(folder / "store"), "--units", str(folder / "units"), *options
    )


def test_an_audit_names_each_broken_link_and_what_to_do(written):
    done = audited(written)
    assert done.returncode == 0, done.stderr
    assert f"Audit of {UNIT} on alpha: the unit that failed." in done.stdout
    assert [line for line in done.stdout.splitlines() if line[:1].isdigit() and ". " in line[:3]] == [
        "1. Prevent",
        "2. Detect",
        "3. Limit",
        "4. Recover",
    ]
    text = " ".join(done.stdout.split())
    assert "unreachable Restart limits" in text
    assert "so 5 starts take" in text
    assert "systemd 252: it is triggered only when restarts stop" in text
    assert "unknown Alert rules exists: no Prometheus was given → Give prometheus.yml or the running server: --prometheus FILE|URL." in text


def test_what_the_journal_shows_is_in_the_dump(dumped):
    journal = json.loads(dumped.read_text())["journal"]
    assert journal["systemd"] == 252
    assert journal["ports"] == [5000]
    assert journal["refused"]["count"] >= 1
    assert journal["on_failure"] == {**journal["on_failure"], "count": 1, "text": f"{UNIT}: Triggering OnFailure= dependencies."}
    assert [UNIT in switch["started"] for switch in journal["switches"]] == [True]
    assert {replayed["id"] for replayed in journal["replayed"]} >= {"limit:5/10", "watch:RestartLoop"}


def test_an_audit_of_a_dump_is_the_same_without_anything_else(written):
    first = audited(written, "--dump", str(written / "dump.json"), "--format", "json")
    again = run("audit", "--inventory", str(written / "dump.json"), "--format", "json")
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    assert len(json.loads(first.stdout)["controls"]) == 14


def test_a_report_takes_the_audit_from_a_dump(written, dumped):
    options = ("--file", str(written / "journal.export"), "--store", str(written / "store"), "--inventory", str(dumped))
    done = run("report", *options, "--format", "json")
    assert done.returncode == 0, done.stderr
    first = json.loads(run("audit", "--inventory", str(dumped), "--format", "json").stdout)
    assert json.loads(done.stdout)["controls"] == first["controls"]


@pytest.mark.parametrize(("statuses", "code"), [("unreachable", 3), ("missing,unwired", 3), ("unwired", 0), ("", 0)])
def test_fail_on_exits_with_3_when_a_control_has_one_of_the_statuses(dumped, statuses, code):
    assert run("audit", "--inventory", str(dumped), "--fail-on", statuses).returncode == code


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--fail-on", "effective"), ["no status 'effective'", "missing, unwired"]),
        (("--format", "html"), ["no format 'html'"]),
        (("--prometheus", "/nowhere.yml"), ["'/nowhere.yml' does not exist"]),
        (("--alertmanager", "http://"), ["must start with http"]),
        (("--inventory", "/nowhere.json"), ["give it alone"]),
        (("--units", "/nowhere"), ["--units: there is no directory '/nowhere'"]),
        (("--dump", "/nowhere/dump.json"), ["there is no directory '/nowhere'"]),
        (("--send-test-alert",), ["--send-test-alert needs the running Alertmanager"]),
        (("--unit", "other"), ["No entry in this window is about the unit 'other'"]),
    ],
)
def test_a_mistake_gets_one_sentence(written, options, words):
    assert_one_sentence(audited(written, *options), 2, *words)


def test_without_a_journal_a_named_unit_is_audited_all_the_same(written):
    (written / "empty.export").write_text("")
    options = ("--file", str(written / "empty.export"), "--store", str(written / "other"), "--units", str(written / "units"))
    assert run("audit", *options).returncode == 6
    done = run("audit", *options, "--unit", "tabbyapi")
    assert done.returncode == 0, done.stderr
    assert f"Audit of {UNIT}: named with --unit" in done.stdout


def test_a_server_that_is_down_is_named_and_the_rest_is_audited(written):
    url = f"http://127.0.0.1:{free_port()}"
    done = audited(written, "--prometheus", url, "--alertmanager", url, "--litellm", url, "--kuma", url)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert f"unknown Alert rules exists: {url} refuses connections: nothing listens there" in text
    assert "unreachable Restart limits" in text


def test_the_units_of_this_host_are_not_those_of_a_copied_journal(written):
    done = run("audit", "--file", str(written / "journal.export"), "--store", str(written / "store"))
    assert "no unit files were given" in done.stdout


def test_no_secret_of_a_configuration_is_shown_or_dumped(written):
    leaked = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"
    (written / "units" / UNIT).write_text(
        f"[Service]\nRestart=always\nExecStart=/srv/app --api-key {leaked}\nExecStartPre=/usr/bin/curl -H 'Authorization: Bearer {leaked}' http://127.0.0.1:5000/health\n"
        f"ExecStartPost=/usr/bin/curl http://admin:{leaked}@127.0.0.1:5000/health\nEnvironment=KEY={leaked}\n"
    )
    (written / "am.yml").write_text(
        f"route: {{receiver: a}}\nreceivers: [{{name: a, webhook_configs: [{{url: 'https://hooks.example/{leaked}'}}]}}]\n"
    )
    (written / "litellm.yaml").write_text(
        f"model_list: [{{model_name: tabby, litellm_params: {{model: m, api_key: {leaked}, api_base: 'http://u:{leaked}@127.0.0.1:5000'}}}}]\n"
    )
    options = ("--alertmanager", str(written / "am.yml"), "--litellm", str(written / "litellm.yaml"), "--dump", str(written / "dump.json"))
    for format_ in ("term", "json"):
        done = audited(written, *options, "--format", format_)
        assert done.returncode == 0, done.stderr
        assert leaked not in done.stdout + done.stderr
    assert leaked not in (written / "dump.json").read_text()


def test_the_table_has_a_row_for_each_control(dumped):
    result = run("audit", "--inventory", str(dumped), "--format", "csv")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    controls = json.loads(run("audit", "--inventory", str(dumped), "--format", "json").stdout)["controls"]
    assert [(row["id"], row["status"]) for row in rows] == [(control["id"], control["status"]) for control in controls]
    assert any(row["link"] for row in rows)
