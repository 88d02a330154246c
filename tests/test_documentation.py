"""README.md, ARCHITECTURE.md, CHANGELOG.md and docs describe the program as it is."""

import importlib
import re
import tomllib
from functools import reduce
from pathlib import Path

import pytest

from forensics import errors
from tests.cli_options import command_options
from tests.events.stacks_of_runtimes import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
FIND_OUT_WHY = (ROOT / "docs/find-out-why.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_terminal_output_is_what_the_seed_incident_prints():
    (shown,) = re.findall(r"^```text\n(.*?)^…\n```$", FIND_OUT_WHY, re.MULTILINE | re.DOTALL)
    printed = (ROOT / "fixtures/golden/seed.txt").read_text(encoding="utf-8")
    assert printed.startswith(shown)
    assert "13,936" in shown


def test_every_command_is_in_the_table_and_no_other():
    assert set(re.findall(r"^\| `([a-z -]+)` \|", COMMANDS, re.MULTILINE)) == set(command_options())


def test_the_readme_is_one_screen_and_leads_to_every_document():
    assert len(README.splitlines()) <= 60
    assert README.count("](docs/") >= 12
    assert {file.name for file in (ROOT / "docs").glob("*.md")} <= set(re.findall(r"docs/([\w-]+\.md)", README + COMMANDS + FIND_OUT_WHY))


def test_every_option_that_is_named_exists():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README + COMMANDS))
    assert len(named) > 10
    assert named <= set().union(*command_options().values())


def test_the_exit_codes_are_those_of_the_errors():
    (line,) = re.findall(r"\*\*Exit codes\.\*\* (.+?)\.\n", COMMANDS, re.DOTALL)
    documented = {int(code) for code in re.findall(r"(?:^|· |·\n)(\d+) ", line)}
    raised = {each.exit_code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "exit_code")}
    assert raised <= documented
    assert documented == {0, 1, 2, 3, 4, 5, 6, 130}


@pytest.mark.parametrize("file", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "fixtures/README.md"], ids=lambda file: file.name)
def test_links_lead_somewhere(file):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if not (file.parent / link).exists()] == []


def test_every_package_has_its_line_in_the_order_of_the_layers():
    (contract,) = (each for each in _import_linter()["contracts"] if each["type"] == "layers")
    drawn: list[set[str]] = []
    for mark, name in re.findall(r"^([ ┌│└]) (\w+)(?:\.py)? +\S", ARCHITECTURE.split("```")[1], re.MULTILINE):
        if mark in " ┌":
            drawn.append(set())
        drawn[-1].add(name)
    assert drawn == [set(layer.split(" | ")) for layer in contract["layers"]]


@pytest.mark.parametrize("way", ["entry", "restart", "label", "alert"])
def test_a_way_through_the_program_has_at_most_eight_stops_that_exist(way):
    (drawn,) = re.findall(rf"^An? {way}: .+\n((?:  \d  .+\n)+)", ARCHITECTURE, re.MULTILINE)
    stops = re.findall(r"^  (\d)  ([a-z_.]+):([A-Za-z_.]+) ", drawn, re.MULTILINE)
    assert [int(number) for number, _, _ in stops] == list(range(1, len(drawn.splitlines()) + 1))
    assert 4 <= len(stops) <= 8
    named = re.findall(r"\b([a-z_]+(?:\.[a-z_]+)*):([A-Za-z_]+(?:\.[A-Za-z_]+)*)", drawn)
    assert len(named) >= len(stops)
    for module, name in named:
        reduce(getattr, name.split("."), importlib.import_module(f"forensics.{module}"))


def test_every_file_that_the_architecture_names_exists():
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", ARCHITECTURE))
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / "forensics" / name).exists() and not (ROOT / name).exists()) == []


def test_the_architecture_fits_two_pages():
    assert len(ARCHITECTURE.splitlines()) <= 150


def test_the_changelog_counts_the_catalogue_and_the_families_of_stacks():
    (problems, areas, families) = re.findall(r"(\d+) problems in (\d+) areas.*?Stacks of (\d+) families", CHANGELOG, re.DOTALL)[0]
    files = sorted((ROOT / "patterns").rglob("*.toml"))
    assert (int(problems), int(areas)) == (len(files), len({file.parent for file in files}))
    assert int(families) == len(FAMILIES)


def _import_linter():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
