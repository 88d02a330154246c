"""History as files: every table, in every format, with what was recorded and without what must not leave."""

import csv
import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest

from forensics.cli.export import FORMATS, TABLES
from forensics.export import files, tables
from forensics.pipeline import investigate
from forensics.query import Query, Sources
from tests.cli.test_usage import assert_one_sentence, run

BOOT, INVOCATION = "b" * 32, "1" * 31
MACHINE = "c" * 32
HOSTILE = '=cmd|" /C calc"!A0 \u001b[31m token=hunter2hunter2'


def stream(folder, restarts=3, line=HOSTILE, host="hydra"):
    """A unit that prints one line, fails and is restarted; `journalctl -o json`."""
    rows, at = [], [1_765_000_000_000_000]

    def say(seconds=0.5, **fields):
        at[0] += int(seconds * 1e6)
        common = {"__REALTIME_TIMESTAMP": str(at[0]), "__MONOTONIC_TIMESTAMP": str(at[0] - 1_764_999_000_000_000), "_BOOT_ID": BOOT,
                  "_MACHINE_ID": MACHINE, "_HOSTNAME": host, "__CURSOR": f"s={MACHINE};i={len(rows) + 1:x}"}  # fmt: skip
        rows.append(common | fields)

    def manager(id_, message, run, **fields):
        say(_PID="1", _COMM="systemd", _UID="0", SYSLOG_IDENTIFIER="systemd", PRIORITY="6", UNIT="a.service", INVOCATION_ID=run,
            _TRANSPORT="journal", MESSAGE_ID=id_, MESSAGE=message, _SYSTEMD_CGROUP="/init.scope", **fields)  # fmt: skip

    for number in range(restarts + 1):
        run = INVOCATION + str(number)
        manager("39f53479d3a045ac8e11786248231fbf", "Started A.", run, JOB_TYPE="start", JOB_RESULT="done")
        say(_PID="77", _UID="33", _COMM="a", SYSLOG_IDENTIFIER="a", PRIORITY="3", _TRANSPORT="stdout", MESSAGE=line,
            _SYSTEMD_UNIT="a.service", _SYSTEMD_INVOCATION_ID=run)  # fmt: skip
        manager("98e322203f7a4ed290d09fe03c09fe15", "Main process exited", run, EXIT_CODE="exited", EXIT_STATUS="1", COMMAND="ExecStart")
        manager("d9b373ed55a64feb8242e02dbe79a49c", "Failed with result 'exit-code'.", run, UNIT_RESULT="exit-code")
        if number < restarts:
            manager("5eb03494b6584870a536b337290809b3", "Scheduled restart job", run, N_RESTARTS=str(number + 1))
    file = folder / "journal.json"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def found_in(folder, **options):
    settings = Query(Sources((), (stream(folder, **options),)), folder / "store", datetime.now(UTC))
    return investigate(settings)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return found_in(tmp_path_factory.mktemp("found"))


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
    frame = tables.table(found_in(tmp_path, restarts=0), "incidents", redact=True)
    assert (len(frame), frame.columns) == (0, list(tables.INCIDENTS))
    assert files.csv(frame).decode().startswith("incident,host,unit")


def test_the_command_writes_what_it_says(tmp_path):
    source = ["--file", str(stream(tmp_path)), "--store", str(tmp_path / "store")]
    assert run("export", "csv", "--table", "restarts", *source).stdout.count("a.service") == 3
    result = run("export", "parquet", "-o", str(tmp_path / "x.parquet"), *source)
    assert (result.returncode, result.stderr) == (0, f"tabby-forensics: wrote {tmp_path / 'x.parquet'}\n")
    assert len(pl.read_parquet(tmp_path / "x.parquet")) == 4
    assert_one_sentence(run("export", "csv", "--table", "pigeons", *source), 2, "'pigeons'", "attempts")
    assert_one_sentence(run("export", "textfile", "-o", str(tmp_path / "x.txt"), *source), 2, ".prom")
    assert_one_sentence(run("export", "openmetrics", "--step", "soon", *source), 2, "--step soon")
