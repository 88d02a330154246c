"""`verify`: what it refuses, its exit codes and formats, on a host without systemd; tests/lab/test_verify.py has the real one."""

import json
import os
import stat
import subprocess
import sys

import pytest

from tests.cli.running import assert_one_sentence, run
from tests.servers import free_port

ACTIVE = """\
LoadState=loaded
ActiveState=active
SubState=running
Result=success
MainPID=0
NRestarts=0
InvocationID=0123456789abcdef0123456789abcdef
ControlGroup=/system.slice/a.service
Type=simple
"""


@pytest.fixture
def systemctl(tmp_path):
    """Return the environment in which systemctl prints a text, or fails."""

    def put(text, exit_code=0):
        program = tmp_path / "systemctl"
        program.write_text(f"#!/bin/sh\ncat <<'EOF'\n{text}EOF\nexit {exit_code}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    return put


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["../etc"], ["'../etc' is not the name of a service"]),
        (["a", "--settle", "soon"], ["--settle soon: must be from 0 s to 24 h"]),
        (["a", "--settle", "2d"], ["--settle 2d"]),
        (["a", "--timeout", "0"], ["--timeout 0: must be from 1 s"]),
        (["a", "--format", "html"], ["There is no format 'html'"]),
        (["a", "--url", "localhost:5000"], ["must start with http://"]),
        (["a", "--url", "http://user:secret@"], ["must start with http://"]),
        (["a", "--path", "health"], ["--path must start with /"]),
        (["a", "--path", "/a b"], ["--path must start with /"]),
        (["a", "--key-file", "/nonexistent"], ["'/nonexistent' cannot be read"]),
        (["a", "--key-file", "/dev/zero"], ["'/dev/zero' is a device"]),
        (["a", "--key-file", "/dev/null"], ["is a device"]),
    ],
    ids=" ".join,
)
def test_a_mistake_gets_one_sentence(options, words):
    result = run("verify", *options)
    assert_one_sentence(result, 2, *words)
    assert "secret" not in result.stderr


@pytest.mark.parametrize("key", ["", " \n", "two\nlines", "caf\u00e9"])
def test_a_key_file_without_a_key_is_refused(tmp_path, key):
    (tmp_path / "key").write_text(key)
    assert_one_sentence(run("verify", "a", "--key-file", str(tmp_path / "key")), 2, "must hold a key")


def test_a_host_without_systemd_cannot_be_told():
    result = run("verify", "a", env={"PATH": "/nonexistent"})
    assert (result.returncode, result.stdout.splitlines()[-1]) == (4, "a.service: could not tell (unit), after 0 s.")
    assert "systemctl is not installed here" in result.stdout


def test_a_systemd_that_is_not_running_cannot_be_told(systemctl):
    result = run("verify", "a", "--format", "json", env=systemctl("", 1))
    assert result.returncode == 4
    assert json.loads(result.stdout)["checks"][0]["outcome"] == "unknown"


def test_a_unit_of_ones_own_manager_is_asked_of_that(systemctl, tmp_path):
    environment = systemctl("")
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\n[ "$1" = --user ] && cat <<E\n{ACTIVE}E\n')
    result = run("verify", "a", "--user", "--settle", "0", "--no-ask", "--format", "json", env=environment)
    assert (result.returncode, json.loads(result.stdout)["manager"]) == (0, f"user:{os.getuid()}")


def test_the_lines_of_a_verdict(systemctl):
    result = run("verify", "a", "--port", str(free_port()), "--settle", "0", "--timeout", "1", env=systemctl(ACTIVE))
    assert result.returncode == 3
    marks = [line.split()[:2] for line in result.stdout.splitlines()[:-1]]
    assert marks == [["OK", "unit"], ["FAIL", "port"], ["?", "answer"]]
    assert result.stdout.splitlines()[-1].startswith("a.service: failed (port), after 1")


def test_history_that_is_not_there_cannot_be_told(systemctl, tmp_path):
    empty = tmp_path / "journal"
    empty.mkdir()
    options = ["--settle", "0", "--since-change", "--journal-dir", str(empty), "--store", str(tmp_path / "store")]
    result = run("verify", "a", *options, env=systemctl(ACTIVE))
    assert result.returncode == 4
    assert "classes" in result.stdout
    assert "history cannot be read" in result.stdout


def test_it_starts_without_polars(systemctl):
    code = "import sys; from forensics.cli import main; sys.argv = ['x', 'verify', 'a', '--settle', '0', '--port', '1', '--timeout', '1']\n"
    code += "try: main()\nexcept SystemExit: pass\nassert not {'polars', 'pyarrow', 'numpy'} & set(sys.modules), sys.modules\nprint('lean')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | systemctl(ACTIVE))
    assert result.stdout.endswith("lean\n"), result.stderr
