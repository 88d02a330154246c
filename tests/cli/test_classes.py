"""`classes` and its overrides, on a small journal."""

import csv
import json
import os

import pytest

from forensics.cli import completion
from tests.attempts.building import Journal
from tests.cli.journals import export_format
from tests.cli.running import assert_one_sentence, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    journal = Journal()
    lines = [f"ERROR: the CUDA allocator is out of memory: tried to allocate 3 GiB for worker {name}" for name in ("alpha", "beta")]
    for number, line in enumerate([lines[0], lines[0], lines[1], "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB"]):
        journal.manager("started", f"run{number}", after=30)
        journal.writes(f"run{number}", line, pid=100 + number)
        journal.dies(f"run{number}")
        journal.manager("restart", f"run{number}", N_RESTARTS=str(number + 1))
    (folder / "log.export").write_text(export_format(journal))
    result = run("ingest", "--file", str(folder / "log.export"), "--store", str(folder / "store"))
    assert result.returncode == 0, result.stderr
    return folder


def run_with_config(tmp_path, *arguments):
    return run(*arguments, env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "TZ": "UTC"})


def listed(folder, tmp_path):
    result = run_with_config(tmp_path, "classes", "--store", str(folder / "store"), "--format", "json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["classes"]


def test_classes_are_listed_with_counts_times_and_likeness(folder, tmp_path):
    rows = listed(folder, tmp_path)
    assert [row["failures"] for row in rows] == [2, 1, 1]
    assert sorted(sum(row["sparkline"]) for row in rows) == [1, 1, 2]
    unknown = [row for row in rows if row["signature"].startswith("mined:")]
    assert len(unknown) == 2
    older, newer = sorted(unknown, key=lambda row: row["first"])
    known = older["like"][0]["signature"]
    assert known in {"gpu.vram-exhausted", "memory.allocation-failed"}
    assert [like["signature"] for like in newer["like"]][:2] == [older["signature"], known]
    assert all(row["first"] <= row["last"] and row["units"] == ["app.service"] for row in rows)


def test_classes_and_report_count_the_same(tmp_path):
    journal = Journal()
    for number, counter in enumerate([1, 4, None]):  # two restarts are lost; the last failure is not restarted
        journal.manager("started", f"run{number}", after=30)
        journal.writes(f"run{number}", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", pid=100 + number)
        journal.dies(f"run{number}")
        if counter:
            journal.manager("restart", f"run{number}", N_RESTARTS=str(counter))
    (tmp_path / "log.export").write_text(export_format(journal))
    source = ["--file", str(tmp_path / "log.export"), "--store", str(tmp_path / "store")]
    rows = json.loads(run_with_config(tmp_path, "classes", *source, "--format", "json").stdout)["classes"]
    assert [(row["signature"], row["failures"], row["restarts"]) for row in rows] == [("gpu.vram-exhausted", 3, 2), ("journal.lost", 0, 2)]
    report = json.loads(run_with_config(tmp_path, "report", *source, "--format", "json").stdout)
    assert {row["signature"]: row["restarts"] for row in report["classes"]} == {row["signature"]: row["restarts"] for row in rows}
    text = run_with_config(tmp_path, "classes", *source).stdout
    assert text.splitlines()[0].split()[:2] == ["failures", "restarts"]
    assert "3 failed attempts, 4 automatic restarts in the store." in text


def test_the_table_has_a_row_for_each_class(folder, tmp_path):
    result = run_with_config(tmp_path, "classes", "--store", str(folder / "store"), "--format", "csv")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    names = ("signature", "failures", "restarts", "units")
    expected = [[row["signature"], str(row["failures"]), str(row["restarts"]), " ".join(row["units"])] for row in listed(folder, tmp_path)]
    assert [[row[name] for name in names] for row in rows] == expected
    assert all(row["first"].endswith("Z") for row in rows)


def test_listed_classes_complete_in_a_shell(folder, tmp_path):
    ids = [row["signature"] for row in listed(folder, tmp_path)]
    assert completion._listed_classes(folder / "store") == ids


def test_the_terminal_lists_the_same(folder, tmp_path):
    result = run_with_config(tmp_path, "classes", "--store", str(folder / "store"))
    assert all(row["signature"] in result.stdout for row in listed(folder, tmp_path))
    assert any(f"most like {row['like'][0]['signature']}" in result.stdout for row in listed(folder, tmp_path) if row["like"])


def test_overrides_apply_to_classes_report_and_explain_alike(folder, tmp_path):
    first, second = (row["signature"] for row in listed(folder, tmp_path) if row["signature"].startswith("mined:"))
    store = ["--store", str(folder / "store")]
    assert run_with_config(tmp_path, "classes", "merge", first, second, *store).returncode == 0
    assert run_with_config(tmp_path, "classes", *store, "rename", first, "The allocator").returncode == 0
    merged = next(row for row in listed(folder, tmp_path) if row["signature"] == first)
    assert (merged["failures"], merged["title"]) == (3, "The allocator")
    made = run_with_config(tmp_path, "report", "--file", str(folder / "log.export"), "--store", str(folder / "store"), "--format", "json")
    assert [(row["restarts"], row["title"]) for row in json.loads(made.stdout)["classes"] if row["signature"] == first] == [
        (3, "The allocator")
    ]
    log = folder / "pasted.log"
    log.write_text("ERROR: the CUDA allocator is out of memory: tried to allocate 3 GiB for worker beta\n")
    assert json.loads(run_with_config(tmp_path, "explain", str(log), "--format", "json").stdout)["signature"] == first
    assert run_with_config(tmp_path, "classes", "split", first, *store).returncode == 0
    assert len(listed(folder, tmp_path)) == 3


def test_a_class_is_pinned_with_one_of_its_lines(folder, tmp_path):
    name = next(row["signature"] for row in listed(folder, tmp_path) if row["signature"].startswith("mined:"))
    result = run_with_config(tmp_path, "classes", "pin", name, "Known since May", "--store", str(folder / "store"))
    assert result.returncode == 0, result.stderr
    pinned = next(row for row in listed(folder, tmp_path) if row["signature"] == name)
    assert (pinned["pinned"], pinned["title"]) == (True, "Known since May")
    assert "allocator" in (tmp_path / "tabby-forensics" / "classes.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["classes", "split", "mined:nobody"], ["mined:nobody"]),
        (["classes", "pin", "mined:nobody", "x", "--store", "{store}"], ["mined:nobody", "no class"]),
        (["classes", "rename", "gpu.vram-exausted", "x", "--store", "{store}"], ["{store}", "Did you mean gpu.vram-exhausted?"]),
        (["classes", "merge", "gpu.vram-exhausted", "nobody", "--store", "{store}"], ["'nobody'", "`classes` lists them"]),
        (["classes", "merge", "nobody", "gpu.vram-exhausted", "--store", "{store}"], ["'nobody'"]),
        (["classes", "pin", "gpu.vram-exhausted", "x", "--store", "{store}"], ["rename"]),
        (["classes", "--store", "{store}", "--format", "html"], ["'html'"]),
    ],
)
def test_an_impossible_override_is_refused(folder, tmp_path, arguments, words):
    result = run_with_config(tmp_path, *[argument.format(store=folder / "store") for argument in arguments])
    assert_one_sentence(result, 2, *[word.format(store=folder / "store") for word in words])
    assert not (tmp_path / "tabby-forensics" / "classes.toml").exists()
