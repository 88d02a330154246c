"""`patterns new` and `patterns check --against` on a small store."""

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
