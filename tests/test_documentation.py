"""README.md describes the program as it is."""

import re
from pathlib import Path

import pytest

from forensics import errors
from tests.cli_options import command_options
from tests.events.stacks_of_runtimes import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_terminal_output_is_what_the_seed_incident_prints():
    (shown,) = re.findall(r"^```text\n(.*?)^…\n```$", README, re.MULTILINE | re.DOTALL)
    printed = (ROOT / "fixtures/golden/seed.txt").read_text(encoding="utf-8")
    assert printed.startswith(shown)
    assert "13,936" in shown


def test_every_command_is_in_the_table_and_no_other():
    assert set(re.findall(r"^\| `([a-z ]+)` \|", README, re.MULTILINE)) == set(command_options())


def test_every_option_that_is_named_exists():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert len(named) > 10
    assert named <= set().union(*command_options().values())


def test_the_exit_codes_are_those_of_the_errors():
    (line,) = re.findall(r"\*\*Exit codes\.\*\* (.+?)\.\n\n", README, re.DOTALL)
    documented = {int(code) for code in re.findall(r"(?:^|· |·\n)(\d+) ", line)}
    raised = {each.exit_code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "exit_code")}
    assert raised <= documented
    assert documented == {0, 1, 2, 3, 4, 5, 6, 130}


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_package_has_its_line_in_the_architecture():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = [path.parent.name for path in (ROOT / "forensics").glob("*/__init__.py")]
    assert len(packages) > 5
    assert [name for name in packages if name not in text] == []


def test_the_architecture_fits_one_page():
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 100


def test_the_changelog_counts_the_catalogue_and_the_families_of_stacks():
    (problems, areas, families) = re.findall(r"(\d+) problems in (\d+) areas.*?Stacks of (\d+) families", CHANGELOG, re.DOTALL)[0]
    files = sorted((ROOT / "patterns").rglob("*.toml"))
    assert (int(problems), int(areas)) == (len(files), len({file.parent for file in files}))
    assert int(families) == len(FAMILIES)
