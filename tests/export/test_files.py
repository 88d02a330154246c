"""History as files: every table, in every format, with what was recorded and without what must not leave."""

import csv
import io
import json
from datetime import datetime

import polars as pl
import pytest

from forensics.cli.export import FORMATS, TABLES
from forensics.export import files, tables
from tests.cli.running import assert_one_sentence, run
from tests.export.failing_unit import investigate_journal, write_journal


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return investigate_journal(tmp_path_factory.mktemp("found"))


def test_the_command_line_knows_all_tables_and_formats():
    assert set(TABLES) == set(tables.TABLES)
    assert set(FORMATS) == set(files.WRITERS)


def test_every_restart_is_a_row_with_its_class_and_incident(found):
    rows = tables.table(found, "restarts", redact=True)
    assert rows["count"].sum() == 3
    assert rows["signature"].unique().to_list() == tables.table(found, "attempts", redact=True)["signature"].unique().to_list()
    assert rows["incident"].unique().to_list() == [found.report.incidents[0].id]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_reads_the_same_from_every_format(found, name):
    frame = tables.table(found, name, redact=True)
    assert len(frame) > 0
    rows = list(csv.reader(io.StringIO(files.csv(frame).decode())))
    assert rows[0] == frame.columns
    assert {len(row) for row in rows} == {len(frame.columns)}
    assert len(rows) == len(frame) + 1
    lines = [json.loads(line) for line in files.jsonl(frame).decode().splitlines()]
    assert [list(line) for line in lines] == [frame.columns] * len(frame)
    assert pl.read_parquet(files.parquet(frame)).equals(frame)


@pytest.mark.parametrize("name", ["attempts", "events", "entries"])
def test_a_hostile_line_runs_nothing_and_a_secret_does_not_leave(found, name):
    text = files.csv(tables.table(found, name, redact=True)).decode()
    assert "\x1b" not in text
    assert "hunter2" not in text
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert any(cell.startswith("'=cmd") for cell in cells)
    assert not any(cell.startswith("=") for cell in cells)
    assert "hunter2" in files.csv(tables.table(found, name, redact=False)).decode()


def test_a_time_is_rfc_3339(found):
    first = next(csv.DictReader(io.StringIO(files.csv(tables.table(found, "attempts", redact=True)).decode())))
    assert datetime.fromisoformat(first["started"]).tzinfo is not None
    assert first["started"].endswith("Z")


def test_no_incident_is_an_empty_table_with_its_columns(tmp_path):
    frame = tables.table(investigate_journal(tmp_path, restarts=0), "incidents", redact=True)
    assert (len(frame), frame.columns) == (0, list(tables.INCIDENTS))
    assert files.csv(frame).decode().startswith("incident,host,unit")


def test_the_command_writes_what_it_says(tmp_path):
    source = ["--file", str(write_journal(tmp_path)), "--store", str(tmp_path / "store")]
    assert run("export", "csv", "--table", "restarts", *source).stdout.count("a.service") == 3
    result = run("export", "parquet", "-o", str(tmp_path / "x.parquet"), *source)
    assert (result.returncode, result.stderr) == (0, f"tabby-forensics: wrote {tmp_path / 'x.parquet'}\n")
    assert len(pl.read_parquet(tmp_path / "x.parquet")) == 4
    assert_one_sentence(run("export", "csv", "--table", "pigeons", *source), 2, "'pigeons'", "attempts")
    assert_one_sentence(run("export", "textfile", "-o", str(tmp_path / "x.txt"), *source), 2, ".prom")
    assert_one_sentence(run("export", "openmetrics", "--step", "soon", *source), 2, "--step soon")
