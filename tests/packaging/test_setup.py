"""What `make report` prints while it sets up: each step before it is done, and one sentence where an optional part is missing."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALL = ROOT / ".ci/install"
TRACEBACK = """
echo 'Traceback (most recent call last):' >&2
echo "fatal error: systemd/sd-journal.h: No such file or directory" >&2
exit 1
"""


def program(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + lines)
    path.chmod(0o755)
    return path


def shown(command, folder, **environment):
    """Run a script of the set-up and return what it printed."""
    path = f"{folder}:{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_each_step_is_named_before_it_is_done(tmp_path):
    program(tmp_path / "pip", 'echo "pip $*"\n')
    python = program(tmp_path / "python", '[ "$1" = -V ] && echo Python 3.11 || { echo "$*"; mkdir -p .venv/bin; cp pip .venv/bin; }\n')
    lines = shown([INSTALL, "program"], tmp_path, PYTHON=str(python))
    assert lines[:3] == [
        "setup: 1/2 making a virtual environment in .venv with Python 3.11",
        "-m venv --clear .venv",
        "setup: 2/2 downloading and installing Python packages, 140 MB in all",
    ]
    assert [line.split()[0] for line in lines[3:]] == ["setup:", "pip"] * 3
    assert lines[-1].endswith("--editable .")


def test_what_is_installed_group_by_group_is_what_the_program_depends_on():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.match(r"[\w-]+", each)[0] for each in project["dependencies"]}
    groups = re.findall(r"^\w+='([\w -]+)'$", INSTALL.read_text(), re.MULTILINE)
    assert len(groups) == 2
    assert {name for group in groups for name in group.split()} < needed


@pytest.mark.parametrize("built", [True, False])
def test_systemd_python_is_built_quietly_or_not_with_one_sentence(tmp_path, built):
    program(tmp_path / "pkg-config", "exit 0\n")
    program(tmp_path / "cc", "exit 0\n")
    (tmp_path / "Python.h").touch()
    python = program(tmp_path / "python", f'case "$2" in *Python.h*) echo {tmp_path}/Python.h ;; *) echo cc ;; esac\n')
    pip = program(tmp_path / "pip", "exit 0\n" if built else TRACEBACK)
    lines = shown([ROOT / ".ci/systemd-python", pip], tmp_path, PYTHON=str(python))
    assert lines[0] == "setup: building systemd-python, which only `watch` needs"
    assert len(lines) == (1 if built else 2)
    if not built:
        assert "gcc libc6-dev libsystemd-dev pkg-config python3-dev" in lines[1]
        assert "fatal error" in (tmp_path / "build/systemd-python.log").read_text()


def test_packages_that_a_build_would_need_are_named_and_nothing_is_tried(tmp_path):
    program(tmp_path / "pkg-config", "exit 1\n")
    python = program(tmp_path / "python", 'case "$2" in *Python.h*) echo /nowhere/Python.h ;; *) echo no-such-compiler ;; esac\n')
    (line,) = shown([ROOT / ".ci/systemd-python", program(tmp_path / "pip", TRACEBACK)], tmp_path, PYTHON=str(python))
    assert line.endswith("install as root pkg-config libsystemd-dev python3-dev gcc libc6-dev, then run make setup")
