"""`gate note` starts with the standard library alone, understands what its drop-in says, and never says a word."""

import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from forensics.guard.gate import early
from forensics.guard.gate.state import parse_state
from tests.cli.running import run

HEAVY = ("polars", "typer", "click", "pyarrow", "numpy", "regex", "jinja2", "yaml")
SYSTEMCTL = """#!/bin/sh
case "$*" in
  *show*) printf 'Result=%s\\nInvocationID=%s\\nJob=%s\\nActiveEnterTimestampMonotonic=0\\nTimeoutStopUSec=1min 30s\\nRestart=%s\\n' \\
          "${RESULT:-exit-code}" "$INVOCATION" "${JOB:-0}" "${RESTART:-on-failure}";;
  *list-jobs*) echo "7 loops.service ${JOB_TYPE:-start} running";;
esac
"""


@pytest.mark.parametrize(
    ("words", "verb", "is_users", "limits"),
    [
        (["note", "a.service"], "note", False, {}),
        (["note", "--user", "a.service"], "note", True, {}),
        (["note", "--futile", "2", "--any=4", "--cooldown", "10min", "--most", "7200", "--held=1h", "a.service"], "note", False,
         {"futile": 2, "any_class": 4, "cooldown_s": 600.0, "longest_s": 7200.0, "held_s": 3600.0}),
        (["probe", "a.service", "3"], "probe", False, {}),
        (["settle", "a.service", "3"], "settle", False, {}),
    ],
)  # fmt: skip
def test_it_understands(words, verb, is_users, limits):
    call = early.parsed(words)
    assert (call.verb, call.manager.is_users) == (verb, is_users)
    assert asdict(call.limits) == {"futile": 3, "any_class": 5, "cooldown_s": 600.0, "longest_s": 3600.0, "held_s": 600.0, **limits}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "nothing: the usual command line shows its help"),
        (["status", "a.service"], "a person reads it"),
        (["note"], "no unit"),
        (["note", "a.service", "b.service"], "two units"),
        (["note", "--help"], "help"),
        (["note", "--futile", "0", "a.service"], "0 failures"),
        (["note", "--cooldown", "soon", "a.service"], "no time"),
        (["note", "--cooldown", "infinity", "a.service"], "no end"),
        (["note", "a.service", "--held"], "an option without its value"),
    ],
)
def test_the_rest_is_for_the_usual_command_line(words, reason):
    assert early.parsed(words) is None, reason


def test_only_the_standard_library_is_imported():
    script = f"import forensics.guard.gate.early, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def noted(tmp_path, **environment):
    """Run the real command with a systemctl that answers as told, and return its state and its CPU seconds."""
    (tmp_path / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "systemctl").chmod(0o755)
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), **environment}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "forensics", "gate", "note", "--user", "loops.service"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    file = tmp_path / "tabby-forensics/gate/loops.service.json"
    state = parse_state(file.read_bytes()) if file.is_file() else None
    return state, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_counting_a_failure_costs_a_tenth_of_a_second(tmp_path):
    costs = []
    for number in (1, 2):
        state, cpu_s = noted(tmp_path, INVOCATION=str(number))
        costs.append(cpu_s)
        assert state.failures == number
    assert min(costs) < 0.2  # 0.07 measured, with a shell as systemctl


@pytest.mark.parametrize(
    ("environment", "failures", "reason"),
    [
        ({}, 1, "a failure"),
        ({"RESULT": "success"}, 0, "a good end"),
        ({"RESULT": "success", "RESTART": "always"}, 0, "a good end that is restarted"),
        ({"RESTART": "on-abort"}, 0, "a failure that systemd does not restart is no loop"),
        ({"RESULT": "exec-condition"}, 0, "a start that was skipped"),
        ({"JOB": "7", "JOB_TYPE": "start"}, 1, "a start that waits for what just failed"),
        ({"JOB": "7", "JOB_TYPE": "stop"}, 0, "a stop by a client"),
        ({"JOB": "7", "JOB_TYPE": "restart"}, 0, "a restart by a client"),
    ],
)
def test_it_counts(tmp_path, environment, failures, reason):
    state, _ = noted(tmp_path, INVOCATION="1", **environment)
    assert state.failures == failures, reason


def test_an_end_counts_once_however_often_it_is_noted(tmp_path):
    for _ in range(2):
        state, _ = noted(tmp_path, INVOCATION="1")
    assert state.failures == 1


def test_without_systemctl_nothing_counts_and_the_state_says_so(tmp_path):
    state, _ = noted(tmp_path, PATH="/nowhere")
    assert (state.failures, state.trouble) == (0, "the last end was not counted (NoManagerError: systemctl is not installed here.)")


def test_without_a_directory_nothing_happens(tmp_path):
    assert noted(tmp_path, XDG_RUNTIME_DIR="/dev/null", INVOCATION="1")[0] is None


def test_mistakes_on_its_command_line_are_named():
    done = run("gate", "note", "--cooldown", "soon", "a.service")
    assert done.returncode == 2
    assert "600 or 10min" in done.stderr


def test_a_unit_without_a_right_name_is_refused_in_a_sentence():
    for command in ("status", "reset", "hold"):
        done = run("gate", command, "a b;reboot")
        assert done.returncode == 2
        assert done.stderr == "tabby-forensics: 'a b;reboot' is not the name of a service.\n"


def test_without_a_manager_the_status_is_unknown():
    if Path("/run/systemd/system").is_dir():
        pytest.skip("systemd runs here")
    done = run("gate", "status", "a.service")
    assert done.returncode == 4
    assert "systemd" in done.stderr
