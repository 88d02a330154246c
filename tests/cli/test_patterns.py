"""`patterns list` and `show`; `patterns new` and `patterns check --against` on a small store."""

import csv
import json
import os
import tomllib

import pytest

from forensics.classes import new_pattern
from tests.attempts.building import Journal
from tests.cli.journals import export_format
from tests.cli.running import assert_one_sentence, run

LINE = "ERROR: gizmo 17 of /srv/a.cfg gave up (code 5): token=hunter2hunter2"
ID = "app.gizmo"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authoring")
    journal = Journal()
    journal.manager("started", "run")
    journal.writes("run", LINE)
    journal.dies("run")
    (folder / "log.export").write_text(export_format(journal))
    result = run("classes", "--file", str(folder / "log.export"), "--store", str(folder / "store"))
    (name,) = [word for word in result.stdout.split() if word.startswith("mined:")]
    (folder / "name").write_text(name)
    made = run("patterns", "new", name, "--as", ID, "--store", str(folder / "store"), "--folder", str(folder / "own"), env=os.environ)
    assert made.returncode == 0, made.stderr
    return folder


def test_a_new_pattern_is_filled_and_refused_until_the_rest_is(folder):
    file = folder / "own" / "app" / "gizmo.toml"
    table = tomllib.loads(file.read_text())
    assert table["id"] == ID
    assert "hunter2" not in file.read_text()
    assert new_pattern.FILL in table["cause"]
    assert_one_sentence(run("patterns", "check", "--patterns", str(folder / "own")), 2, "gizmo.toml", "restart_helps")


def test_every_mark_has_to_be_filled(folder, tmp_path):
    text = (folder / "own" / "app" / "gizmo.toml").read_text().replace(f'"{new_pattern.FILL}: true or false"', "false")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "gizmo.toml").write_text(text)
    result = run("patterns", "check", "--patterns", str(tmp_path))
    assert_one_sentence(result, 2, "title", "cause", "remedy", "references", "counterexample", new_pattern.FILL)


def test_a_filled_pattern_moves_the_label_it_was_made_from(folder, tmp_path):
    text = (folder / "own" / "app" / "gizmo.toml").read_text()
    text = text.replace(f'"{new_pattern.FILL}: true or false"', "false").replace(new_pattern.FILL, "filled")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "gizmo.toml").write_text(text)
    result = run("patterns", "check", "--patterns", str(tmp_path), "--against", str(folder / "store"))
    assert result.returncode == 0, result.stderr
    assert f"1  {(folder / 'name').read_text()} → {ID}" in result.stdout


def test_a_catalogue_that_moves_nothing_says_so(folder):
    assert "No labels change." in run("patterns", "check", "--against", str(folder / "store")).stdout


@pytest.mark.parametrize(("name", "as_"), [("mined:nobody", "a.b"), ("mined:nobody", "Bad Name")])
def test_an_impossible_draft_is_refused(folder, tmp_path, name, as_):
    result = run("patterns", "new", name, "--as", as_, "--store", str(folder / "store"), "--folder", str(tmp_path))
    assert_one_sentence(result, 2, name if as_ == "a.b" else as_)


def test_a_pattern_is_shown_with_all_that_it_knows():
    shown = run("patterns", "show", "gpu.vram-exhausted", env={**os.environ, "COLUMNS": "100"})
    assert shown.returncode == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 100
    rows = [line.split("  ")[0] for line in shown.stdout.splitlines()]
    for name in ("Pattern", "Title", "Restart helps", "Cause", "Remedy", "Example", "But not", "File"):
        assert name in " ".join(rows)
    assert "Restart helps  yes, once the memory is free" in shown.stdout
    page = json.loads(run("patterns", "show", "gpu.vram-exhausted", "--format", "json").stdout)
    assert page["restart_helps_when"] == "once the memory is free"
    assert page["examples"][0]["message"]
    assert page["counterexamples"][0]["why"]


@pytest.mark.parametrize(
    ("id_", "hint"),
    [
        ("torch.abi-mismach", "Did you mean torch.abi-mismatch"),
        ("vram", "gpu.vram-exhausted"),
        ("mined:e529b11a1237606f", "An unknown class has no pattern"),
        ("zzz", "`patterns list`"),
    ],
)
def test_a_wrong_id_leads_to_the_nearest(id_, hint):
    assert_one_sentence(run("patterns", "show", id_), 2, id_, hint)


def test_patterns_are_listed_by_area_and_as_a_table():
    result = run("patterns", "list", "--area", "gpu", "--format", "csv")
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert {row["id"].partition(".")[0] for row in rows} == {"gpu"}
    assert {row["id"] for row in rows} == {
        row["id"] for row in json.loads(run("patterns", "list", "--area", "gpu", "--format", "json").stdout)
    }
    assert {row["severity"] for row in rows if row["id"] == "gpu.vram-exhausted"} == {"high"}
    assert_one_sentence(run("patterns", "list", "--area", "gpus"), 2, "'gpus'", "torch")
