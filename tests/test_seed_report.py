"""The report on the seed incident: exactly as it was made, from real journal files and from an export stream."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.golden import make

ROOT = Path(__file__).resolve().parent.parent
CLASSES = {1757, 7000, 700, 4, 979, 3539}
PHASES = [700, 7413, 4082, 1741]
MIX = [[700], [7000, 413], [1896, 1657, 525, 4], [1600, 100, 41]]

pytestmark = pytest.mark.slow


def report(*arguments, cwd):
    environment = {**os.environ, **make.ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "forensics", "report", "--format", "json", *make.WINDOW, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, cwd=cwd, env=environment).stdout)


@pytest.fixture(scope="module")
def seed_report(seed):
    if not (seed / "journal").is_dir():
        pytest.skip("systemd-journal-remote is not installed: there are no real journal files of the seed incident")
    return report("--journal-dir", "journal", "--store", "store", cwd=seed)


def test_every_restart_is_counted_and_placed(seed_report):
    assert seed_report["restarts"] == {"total": 13979, "in_incidents": 13936, "background": 43, "lost": 0, "refused": 0}


def test_the_class_table_is_the_seeds_to_the_unit(seed_report):
    assert {row["restarts"] for row in seed_report["classes"]} == CLASSES
    assert sum(row["restarts"] for row in seed_report["classes"]) == 13979


def test_there_is_one_incident_of_four_phases(seed_report):
    (incident,) = seed_report["incidents"]
    assert (incident["unit"], incident["restarts"]) == ("tabbyapi.service", 13936)
    assert (incident["start"], incident["recovery"]) == ("2025-12-07T21:30:00Z", "2025-12-11T23:52:00Z")
    assert [phase["restarts"] for phase in incident["phases"]] == PHASES
    assert [sorted(phase["classes"].values(), reverse=True) for phase in incident["phases"]] == [sorted(mix, reverse=True) for mix in MIX]


def test_the_cadence_of_each_phase_is_the_seeds(seed_report):
    cadences = [phase["cadence_s"] for phase in seed_report["incidents"][0]["phases"]]
    assert cadences == pytest.approx([12.9, 11.7, 42.3, 49.4], abs=0.5)


def test_the_trigger_is_the_system_switch(seed_report):
    trigger = seed_report["incidents"][0]["trigger"]
    assert trigger["kind"] == "system-switch"
    assert seed_report["incidents"][0]["detection"]["alert"] is None


def test_the_left_over_process_is_the_link_and_the_headline_has_its_end(seed_report):
    (incident,) = seed_report["incidents"]
    process, port = incident["links"]
    assert set(process) == {"what", "value", "classes", "failures", "ended", "evidence"}
    assert (process["what"], process["value"], process["classes"]) == ("process", "1239235", ["gpu.vram-exhausted"])
    assert process["ended"]["summary"] == "operator ran kill 1239235"
    assert "Process 1239235 has" in process["evidence"]["message"]
    assert (port["what"], port["value"], port["ended"]) == ("port", "5000", None)
    assert port["classes"] == ["cuda.illegal-access", "gpu.vram-exhausted", "port.conflict"]
    assert process["failures"] < port["failures"] < incident["failures"]
    assert incident["verdict"] == (
        "tabbyapi was down 4 d 2 h (13,936 restarts) after a NixOS switch at 21:29; nobody was alerted; "
        "it ended when a left-over process was killed and the environment replaced."
    )


def test_every_claim_leads_to_an_entry_of_a_file(seed_report, seed):
    samples = [row["sample"] for row in seed_report["classes"]] + [change["evidence"] for change in seed_report["incidents"][0]["changes"]]
    assert samples
    assert all((seed / sample["file"]).exists() and sample["offset"] > 0 for sample in samples)


def test_a_second_report_reads_no_entry_again_and_is_the_same(seed_report, seed):
    ingest = subprocess.run(
        [sys.executable, "-m", "forensics", "ingest", "--journal-dir", "journal", "--store", "store"],
        capture_output=True, text=True, check=True, cwd=seed, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert ingest.stdout.startswith("0 new entries from 0 files")
    assert report("--journal-dir", "journal", "--store", "store", cwd=seed) == seed_report


def test_the_store_is_a_fifteenth_of_the_journal_at_most(seed_report, seed):
    def size(directory):
        return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())

    assert size(seed / "store") * 15 <= size(seed / "journal")


def test_the_export_stream_gives_the_golden_reports(seed, tmp_path):
    os.link(seed / "seed.export", tmp_path / "seed.export")  # that it is the same in every process is tested with the seed
    make.make_golden(tmp_path, tmp_path)
    for name in make.FILES:
        assert (tmp_path / name).read_text() == (make.GOLDEN / name).read_text(), f"{name} differs; see `make golden`"
