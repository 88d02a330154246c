"""`generate` writes its files from a journal, the same bytes from the same input, and refuses what it cannot do in one sentence."""

import json
import os
import re
import stat
import tomllib

import pytest

from tests.attempts.building import Journal
from tests.cli.running import assert_one_sentence, run
from tests.generate.history import SECRET, UNIT, day, stream

KINDS = {
    "rules": ["rules", "--exporter", "node", "--exporter", "watch"],
    "tests": ["tests"],
    "alertmanager": ["alertmanager", "--receiver", "email:ops@example.org"],
    "blackbox": ["blackbox"],
    "limits": ["limits"],
    "nix": ["nix", "--limits"],
    "runbook": ["runbook"],
    "actions": ["actions"],
}
FIXED = {"SOURCE_DATE_EPOCH": "1765300000"}


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """Options that choose the day's journal and a store of its own."""
    folder = tmp_path_factory.mktemp("command")
    (folder / "day.json").write_text(stream(day()))
    return ["--file", str(folder / "day.json"), "--store", str(folder / "store"), "--tz", "UTC"]


def generate(*arguments):
    return run("generate", *arguments, env={**os.environ, **FIXED})


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_journal_gives_the_same_bytes_with_a_head_that_says_from_what(journal, kind):
    first, second = generate(*KINDS[kind], *journal), generate(*KINDS[kind], *journal)
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    head = " ".join(re.sub(r"^[#>]", "", first.stdout.replace("\\", ""), flags=re.MULTILINE).split())
    for words in ("Made by tabby-forensics", "2025-12-09 17:06 UTC", "From the journal of alpha", "Nothing was installed or changed", UNIT):
        assert words in head
    assert SECRET not in first.stdout


@pytest.mark.parametrize("kind", ["rules", "limits", "runbook"])
def test_a_journal_without_an_incident_is_one_sentence(tmp_path, kind):
    (tmp_path / "quiet.json").write_text(stream(day(loop=0, isolated=1)))
    done = generate(*KINDS[kind], "--file", str(tmp_path / "quiet.json"), "--store", str(tmp_path / "store"))
    assert_one_sentence(done, 6, "There is no incident between", "nothing can be generated")
    assert done.stdout == ""


def test_an_unknown_unit_is_named(journal):
    assert_one_sentence(generate("rules", *journal, "--unit", "tabbi"), 2, "'tabbi'", f"Did you mean {UNIT}?")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words", "why"),
    [
        (["rules", "--within", "soon"], 2, "--within soon", "no time"),
        (["rules", "--within", "2h"], 2, "from 1 s to 1 h", "too long"),
        (["rules", "--exporter", "cadvisor"], 2, "There is no exporter 'cadvisor'", "an unknown exporter"),
        (["rules", "--runbook-url", "https://ada:T0PS3CR3T@wiki.example/"], 2, "no user and no password", "a password in the URL"),
        (["rules", "--within", "2s"], 3, "No rule could be proven", "not provable"),
        (["alertmanager", "--receiver", "pager"], 2, "webhook:URL", "an unknown receiver"),
        (["blackbox", "--port", "0"], 2, "", "no port"),
        (["blackbox", "--path", "health"], 2, "--path must start with /", "no path"),
        (["rules", "-o", "/nonexistent/rules.yml"], 2, "there is no directory", "no directory"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(journal, arguments, exit_code, words, why):
    done = generate(*arguments, *journal)
    assert done.returncode == exit_code, why
    assert words in done.stderr
    assert "T0PS3CR3T" not in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_nothing_is_written_where_nothing_is_proven_unless_asked_for(journal, tmp_path):
    target = tmp_path / "rules.yml"
    assert generate("rules", "--within", "2s", "-o", str(target), *journal).returncode == 3
    assert not target.exists()
    done = generate("rules", "--within", "2s", "--unproven", "-o", str(target), *journal)
    assert done.returncode == 0
    assert "NOT PROVEN: no rule on node_systemd_service_restart_total" in " ".join(target.read_text().replace("#", "").split())
    assert "no rule on node_systemd_service_restart_total" in done.stderr


def test_several_files_go_into_a_directory_or_one_after_the_other(journal, tmp_path):
    done = generate("blackbox", *journal)
    assert re.findall(r"^# file: (\S+)$", done.stdout, re.MULTILINE) == ["blackbox-tabby.yml", "scrape-tabby.yml"]
    generate("blackbox", "-o", str(tmp_path), *journal)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blackbox-tabby.yml", "scrape-tabby.yml"]
    assert_one_sentence(generate("blackbox", "-o", str(tmp_path / "one.yml"), *journal), 2, "name a directory")


def test_a_file_with_a_url_is_its_users_own(journal, tmp_path):
    target = tmp_path / "alertmanager.yml"
    generate("alertmanager", "--receiver", "webhook:https://hooks.example/T0PS3CR3T", "-o", str(target), *journal)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_the_module_of_watch_reads_no_journal(tmp_path):
    done = generate("nix", "--store", str(tmp_path / "none"))
    assert "services.tabby-forensics" in done.stdout
    assert not (tmp_path / "none").exists()


def test_action_items_that_a_file_has_stay_as_they_are(journal, tmp_path):
    target = tmp_path / "actions.toml"
    generate("actions", "-o", str(target), *journal)
    edited = target.read_text().replace('owner = ""', 'owner = "Ada"', 1).replace('status = "open"', 'status = "done"', 1) + "# mine\n"
    target.write_text(edited)
    generate("actions", "-o", str(target), *journal)
    assert target.read_text() == edited
    items = tomllib.loads(edited)["action"]
    assert {item["priority"] for item in items} <= {"P1", "P2", "P3"}
    assert [item["id"] for item in items][:2] == [f"alert-rules:{UNIT}", f"restart-limits:{UNIT}"]


def test_an_audit_closes_and_reopens_the_items_of_its_file(journal, tmp_path):
    target, inventory = tmp_path / "actions.toml", tmp_path / "inventory.json"
    generate("actions", "-o", str(target), *journal)
    before = target.read_text()
    asked = ["audit", *journal, "--unit", UNIT, "--units", str(tmp_path), "--dump", str(inventory), "--actions", str(target)]
    first = run(*asked, env={**os.environ, **FIXED})
    assert first.returncode == 0, first.stderr
    assert "no status changed" in first.stderr
    assert target.read_text() == before
    closed = before.replace('status = "open"', 'status = "done"', 1)
    target.write_text(closed)
    again = run("audit", "--inventory", str(inventory), "--actions", str(target), "--format", "json", env={**os.environ, **FIXED})
    assert again.returncode == 0, again.stderr
    statuses = {control["id"]: control["status"] for control in json.loads(again.stdout)["controls"]}
    assert statuses["alert-rules"] in {"missing", "unknown"}
    expected = closed.replace('"done"', '"reopened"') if statuses["alert-rules"] == "missing" else closed
    assert target.read_text() == expected


def test_a_file_of_actions_with_mistakes_is_refused_before_anything_is_read(tmp_path):
    (tmp_path / "actions.toml").write_text('[[action]]\nid = "a"\nstatus = "later"\n')
    done = run("audit", "--file", "-", "--store", str(tmp_path / "store"), "--actions", str(tmp_path / "actions.toml"))
    assert done.returncode == 2
    assert "must be one of open, done, reopened" in done.stderr
    assert_one_sentence(run("audit", "--store", str(tmp_path), "--actions", str(tmp_path / "none.toml")), 2, "none.toml")


def test_a_hostile_name_of_a_unit_gets_into_no_file(tmp_path):
    hostile = Journal('x";}{{ .Evil }}.service', "alpha", boot="a" * 32)
    for number in range(8):
        hostile.fails(f"{number:032x}", number + 1)
    (tmp_path / "hostile.json").write_text(stream(hostile))
    for kind in ("rules", "limits"):
        done = generate(*KINDS[kind], "--file", str(tmp_path / "hostile.json"), "--store", str(tmp_path / "store"))
        assert done.returncode == 6
        assert done.stdout == ""


def test_replay_confirms_the_files_from_the_first_failure_to_the_delivery(journal, tmp_path):
    files = {"rules": ["rules"], "alertmanager": ["alertmanager", "--receiver", "webhook:http://127.0.0.1:9/"]}
    for name, arguments in files.items():
        generate(*arguments, "-o", str(tmp_path / f"{name}.yml"), *journal)
    named = [word for name in files for word in (f"--{name}", str(tmp_path / f"{name}.yml"))]
    done = run("replay", *named, *journal, "--format", "json", env={**os.environ, **FIXED})
    assert done.returncode == 0, done.stderr
    (incident,) = json.loads(done.stdout)["incidents"]
    (rule,) = (row for row in incident["replay"] if row["id"].startswith("rule:UnitRestartLoop"))
    assert (rule["status"], rule["firings_outside"]) == ("fires", 0)
    assert rule["latest_s"] <= 60
    assert rule["delivered_after_s"] == rule["after_s"] + 5
