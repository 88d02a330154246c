"""Ours accepts and refuses the same rule files as the real promtool."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from forensics.rules.rule_file import rules_of
from tests.rules.rule_files import ACCEPTED, OURS_ONLY, REFUSED


def is_accepted(text):
    return not rules_of(Path("rules.yml"), text).mistakes


@pytest.fixture(scope="module")
def promtool(tmp_path_factory):
    """Ask promtool about all files at once: a function from the name of a file to whether it is accepted."""
    if shutil.which("promtool") is None:
        pytest.skip("Prometheus is not installed")
    folder = tmp_path_factory.mktemp("rules")
    files = {}
    for number, (name, text) in enumerate({**ACCEPTED, **REFUSED, **{name: text for name, (text, _, _) in OURS_ONLY.items()}}.items()):
        files[name] = folder / f"{number}.yml"
        files[name].write_text(text)
    command = ["promtool", "check", "rules", "--lint=none", *map(str, files.values())]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    answers = dict(re.findall(r"Checking (\S+)\n\s*(SUCCESS|FAILED)", done.stdout))
    assert answers.keys() == set(map(str, files.values()))
    return lambda name: answers[str(files[name])] == "SUCCESS"


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_rule_file_is_accepted(name):
    assert is_accepted(ACCEPTED[name])


@pytest.mark.parametrize("name", REFUSED)
def test_a_rule_file_is_refused(name):
    assert not is_accepted(REFUSED[name])


@pytest.mark.parametrize("name", OURS_ONLY)
def test_a_file_that_promtool_judges_otherwise(name):
    text, accepted, _ = OURS_ONLY[name]
    assert is_accepted(text) == accepted


@pytest.mark.real
def test_promtool_agrees(promtool):
    assert [name for name in ACCEPTED if not promtool(name)] == []
    assert [name for name in REFUSED if promtool(name)] == []
    assert [name for name, (_, accepted, _) in OURS_ONLY.items() if promtool(name) == accepted] == []
