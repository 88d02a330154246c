"""A unit behind a gate, and a drill beside it, in every format of `report`, in an audit, and in an export."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forensics.audit.inventory.history import choose_subject, read_signs
from forensics.cli.parse import pattern_folders
from forensics.pipeline import investigate
from forensics.query import Query, Sources
from tests.attempts.building import T0, Journal
from tests.cli.running import run
from tests.watch.both import Unit

DRILL = "tabby-drill-library.service"
KEYS = {"opened", "after_s", "failures", "signature", "probes", "closed", "restarts_avoided", "cadence_s", "evidence"}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gated")
    gated, drill = (Unit(Journal(unit, "alpha", boot="a" * 32)) for unit in ("app.service", DRILL))
    gated.gated(3, "library", 0.5, 5, "held")
    drill.journal.now = 20_000_000
    drill.step("fail", 5, "unknown", 12.0)
    lines = sorted((line for unit in (gated, drill) for line in unit.journal.lines), key=lambda line: int(line["__REALTIME_TIMESTAMP"]))
    file = folder / "journal.json"
    file.write_text("".join(json.dumps(line | {"__CURSOR": f"s={'a' * 32};i={n + 1:x}"}) + "\n" for n, line in enumerate(lines)))
    return ("--file", str(file), "--store", str(folder / "store"))


def report(sources, *options):
    done = run("report", "--full", *sources, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_contract_has_what_the_gate_did(sources):
    (incident,) = json.loads(report(sources, "--format", "json"))["incidents"]
    gate = incident["gate"]
    assert set(gate) == KEYS
    assert (gate["failures"], gate["probes"], gate["signature"]) == (3, 6, "loader.library-missing")
    assert gate["restarts_avoided"] == int((5 * 700 + 300) / 13.01)
    assert (incident["kind"], incident["fix_attempts"], incident["detection"]["operator"]) == ("outage", [], None)


@pytest.mark.parametrize("kind", ["term", "md", "html"])
def test_each_format_says_so_in_words(sources, kind, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")  # in a narrow terminal a cell of the list of changes has several lines
    text = " ".join(report(sources, "--format", kind).split())
    assert (
        "Restarts were stopped by the gate at T+28.5 s, after 3 failures: about 292 restarts avoided, at one every 13 s as before" in text
    )
    assert "The gate stopped the restarts" in text  # in the list of changes
    assert "had they gone on at one every 13 s" in text  # in the chain of causes, as inferred


HISTORY = [("report", "--format", "json"), ("export", "jsonl"), ("replay", "--format", "json"), ("classes", "--format", "json")]


@pytest.mark.parametrize("command", HISTORY)
def test_a_drill_is_in_no_history(sources, command):
    done = run(*command, *sources)
    assert done.returncode == 0, done.stderr
    assert "app.service" in done.stdout
    assert DRILL not in done.stdout


def test_a_drill_that_is_named_is_in_the_report(sources):
    shown = json.loads(report(sources, "--format", "json", "--unit", DRILL))
    assert [incident["unit"] for incident in shown["incidents"]] == [DRILL]


def test_an_audit_knows_the_gate_by_its_own_statements(sources):
    file, store = map(Path, sources[1::2])
    query = Query(Sources(files=(file,)), store, datetime.now(UTC), pattern_folders=pattern_folders(None))
    found = investigate(query)
    gate = read_signs(found.history, choose_subject(found.report, ())).gate
    assert (gate.count, gate.last.timestamp() > T0 / 1e6) == (13, True)  # six openings, six tries, one closing
