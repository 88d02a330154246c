"""A shell completes units, formats, classes and patterns, and nothing that it would evaluate."""

import os
import subprocess
import sys
from unittest.mock import patch

import pytest

from forensics.cli import completion
from forensics.signatures import catalogue
from forensics.store.units import recorded_services
from tests.attempts.building import Journal
from tests.cli.journals import export_format
from tests.cli.running import run

HOSTILE = 'x";touch${IFS}owned;".service'
CLASS = "mined:e529b11a1237606f"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with three units, of which one is an attack, and the id of a class in the cache beside it."""
    folder = tmp_path_factory.mktemp("completion")
    journal = Journal()
    for unit in ("app.service", "backup@1.service", HOSTILE):
        journal.unit = unit
        journal.manager("started", unit)
    (folder / "log.export").write_text(export_format(journal))
    made = run("ingest", "--file", str(folder / "log.export"), "--store", str(folder / "store"))
    assert made.returncode == 0, made.stderr
    assert HOSTILE in recorded_services(folder / "store")
    with patch.dict(os.environ, environment(folder)):
        completion.keep_classes(folder / "store", [CLASS])
    return folder / "store"


def environment(folder):
    return {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder)}


def completed(store, *words, shell="bash"):
    """Complete the last word, as the script of the shell asks."""
    line = " ".join(["tabby-forensics", *words])
    asked = {"_TABBY_FORENSICS_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    asked |= {"COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    result = run(env={**environment(store.parent), **asked})
    assert result.returncode == 0
    assert result.stderr == ""
    return result.stdout.split()


def test_units_come_from_the_store_without_what_a_shell_evaluates(store):
    assert completed(store, "report", "--store", str(store), "--unit", "") == ["app.service", "backup@1.service"]
    assert completed(store, "report", "--store", str(store), "--unit", "ba") == ["backup@1.service"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_the_same(store, shell):
    shown = " ".join(completed(store, "report", "--store", str(store), "--unit", "a", shell=shell))
    assert "app.service" in shown
    assert "touch" not in " ".join(completed(store, "report", "--store", str(store), "--unit", "x", shell=shell))


def test_completing_creates_no_store(tmp_path):
    assert completed(tmp_path / "none", "verify", "") == []
    assert list(tmp_path.iterdir()) == []


def test_formats_are_completed(store):
    assert completed(store, "report", "--format", "") == ["term", "html", "md", "json"]
    assert completed(store, "explain", "--format", "j") == ["json"]
    assert "attempts" in completed(store, "export", "csv", "--table", "")
    assert completed(store, "report", "--tz", "Europe/Berl") == ["Europe/Berlin"]


def test_classes_are_those_that_were_listed(store):
    assert completed(store, "classes", "--store", str(store), "rename", "mi") == [CLASS]


@pytest.mark.parametrize("words", [["mined", ":"], ["mined", ":", "e52"]])
def test_bash_splits_an_id_at_its_colon_and_gets_the_rest(store, words):
    assert completed(store, "classes", "--store", str(store), "rename", *words) == [CLASS.removeprefix("mined:")]


def test_bash_splits_an_option_at_its_sign(store):
    assert completed(store, "report", "--store", str(store), "--unit", "=", "app") == ["app.service"]


def test_the_ids_of_patterns_are_those_of_the_catalogue(store):
    ids = completion.patterns("")
    assert ids == [pattern.id for pattern in catalogue.load([catalogue.folder("patterns")]).patterns]
    assert completion.patterns("torch.abi") == ["torch.abi-mismatch"]
    assert {"torch", "gpu"} <= set(completion.areas(""))


def test_units_are_completed_without_the_libraries_of_an_analysis(store):
    code = (
        "import sys; from pathlib import Path; from forensics.store.units import recorded_services; "
        f"print(recorded_services(Path({str(store)!r}))[0], sorted({{'polars', 'sklearn', 'regex'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["app.service", "[]"]


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o default"), ("zsh", "#compdef tabby-forensics"), ("fish", "complete --command")]
)
def test_the_script_of_each_shell_can_be_put_into_a_package(shell, word):
    result = run(env={**os.environ, "_TABBY_FORENSICS_COMPLETE": f"source_{shell}"})
    assert (result.returncode, result.stderr) == (0, "")
    assert word in result.stdout
