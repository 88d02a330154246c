"""`incidents` and `show` on a small history: the names of the report, and the command lines that are printed, work as they are."""

import csv
import io
import json
import shlex
import subprocess

import pytest

from tests.attempts.building import Journal
from tests.cli.journals import export_format
from tests.cli.running import assert_one_sentence, run
from tests.journal import oracle

FAILURE = ("Traceback (most recent call last):", '  File "/srv/app/main.py", line 3, in <module>', "ImportError: libfoo.so: cannot open")


def history():
    """Two units that fail in a loop, one after the other; the second goes on."""
    first, second = Journal("first.service", "alpha", "a" * 32), Journal("second.service", "alpha", "a" * 32)
    second.now = 7_200_000_000
    for journal, restarts in ((first, 8), (second, 8)):
        for number in range(1, restarts + 1):
            run_id = f"{number:032x}"
            journal.manager("started", run_id, JOB_TYPE="start", JOB_RESULT="done")
            journal.writes(run_id, "reading the configuration", *FAILURE)
            journal.dies(run_id)
            journal.manager("restart", run_id, after=10, N_RESTARTS=str(number))
    first.manager("started", "f" * 32, JOB_TYPE="start", JOB_RESULT="done")
    first.writes("f" * 32, "serving", after=3600)
    joined = Journal("first.service")
    joined.lines = [*first.lines, *second.lines]
    joined.lines.sort(key=lambda line: int(line["__REALTIME_TIMESTAMP"]))
    return joined


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two units")
    (folder / "alpha.export").write_text(export_format(history()))
    return ("--file", str(folder / "alpha.export"), "--store", str(folder / "store"))


def done(command, sources, *options):
    result = run(command, *options, *sources, env={"COLUMNS": "80", "PATH": "/usr/bin"})
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_list_leads_to_show_and_show_to_the_event(sources):
    listed = done("incidents", sources)
    table = listed[listed.index("#  Unit") :]
    assert table.index("second.service") < table.index("first.service")
    assert max(map(len, listed.splitlines())) <= 80
    command = shlex.split(listed.split("Next\n")[1].replace("\\\n", " "))
    assert command[:3] == ["tabby-forensics", "show", "2"]
    shown = run(*command[1:])
    assert shown.returncode == 0, shown.stderr
    assert "Restart loop of second.service" in shown.stdout
    assert "first.service" not in shown.stdout
    evidence = shlex.split(shown.stdout.split("Next\n")[1].replace("\\\n", " "))
    event = run(*evidence[1:])
    assert event.returncode == 0, event.stderr
    for line in (*FAILURE, "reading the configuration"):
        assert line in " ".join(event.stdout.split()) or line in event.stdout


def test_the_names_are_those_of_the_report_of_the_same_options(sources):
    whole = json.loads(done("report", sources, "--format", "json"))
    incident = whole["incidents"][1]
    alone = json.loads(done("show", sources, "--format", "json", incident["id"]))
    assert alone["number"] == 2
    assert {name: alone[name] for name in incident} == incident
    sample = incident["classes"][0]["sample"]
    quoted = json.loads(done("show", sources, "--format", "json", sample["name"]))
    assert {name: quoted[name] for name in sample} == sample
    assert quoted["incident"] == 2
    assert quoted["event"] == list(FAILURE)


def test_csv_and_json_have_the_same_incidents(sources):
    written = run("incidents", "--exit-code", "--format", "csv", *sources)
    assert written.returncode == 3
    rows = list(csv.DictReader(io.StringIO(written.stdout)))
    listed = json.loads(done("incidents", sources, "--format", "json"))["incidents"]
    assert [row["number"] for row in rows] == [str(row["number"]) for row in listed] == ["2", "1"]
    assert [row["ongoing"] for row in rows] == ["true", "false"]
    assert [row["unit"] for row in rows] == [row["unit"] for row in listed]


def test_a_wrong_name_is_one_sentence_with_the_names_that_exist(sources):
    assert_one_sentence(run("show", "E7", *sources), 2, "no 'E7'", "incident 1 (first.service, 1.E1", "incident 2 (second.service, 2.E1")
    assert_one_sentence(run("show", "1", "--format", "pdf", *sources), 2, "term, md, json")


@oracle.needs_systemd
@pytest.mark.real
def test_the_line_of_journalctl_shows_the_entry_in_a_copied_journal(tmp_path):
    (tmp_path / "a copy").mkdir()
    file = oracle.make_journal(export_format(history()).encode(), tmp_path / "a copy" / "alpha.journal")
    sources = ("--journal-dir", str(file.parent), "--store", str(tmp_path / "store"))
    (command,) = [
        line for line in json.loads(done("show", sources, "--format", "json", "1.E1"))["commands"] if line.startswith("journalctl ")
    ]
    lines = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
    assert FAILURE[-1] in lines
    assert "first.service: Failed with result" in lines
    assert "second.service" not in lines
