"""The command as a generated drop-in starts it: exit codes, what is shown, and what it must not load."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.guard.preflight import run
from forensics.guard.preflight.checks import Result, failed
from forensics.guard.preflight.unit import own_environment
from tests.cli.running import assert_one_sentence
from tests.cli.running import run as run_program

ROOT = Path(__file__).resolve().parents[3]
LOADED = (
    "LoadState=loaded\nActiveState=activating\nExecStart={ path=/bin/true ; argv[]=/bin/true -x ; ignore_errors=no ; start_time=[n/a] }\n"
)
LOADED += "WorkingDirectory=/\nUser=\nEnvironment=\nEnvironmentFiles=\nReadWritePaths=\nTriggeredBy=\n"
HEAVY = "numpy", "polars", "pyarrow", "typer", "yaml", "ssl", "asyncio"
CODE = "import sys; from forensics.guard.preflight.run import main; code = main(sys.argv[1:]); print(*sys.modules); sys.exit(code)"


@pytest.fixture
def host(tmp_path):
    """A function that starts the command on a machine whose systemctl answers with this text."""

    def start(answer=LOADED, *arguments, script="", checks=None, code=CODE):
        (tmp_path / "answer").write_text(answer)
        (tmp_path / "systemctl").write_text(f"#!/bin/sh\n{script or f'cat {tmp_path}/answer'}\n")
        (tmp_path / "systemctl").chmod(0o755)
        if checks is not None:
            (tmp_path / "checks.toml").write_text(checks)
            arguments = (*arguments, "--checks", str(tmp_path / "checks.toml"))
        command = [sys.executable, "-c", code, "x.service", *arguments]
        environment = {"PATH": f"{tmp_path}:{os.defpath}", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)

    return start


def test_it_loads_nothing_that_could_be_broken_itself(host):
    checks = (
        '[[path]]\npath = "/nonexistent"\n[[port]]\nport = 1\n[[disk]]\npath = "/"\n[[library]]\nmodule = "torch._C"\n[[vram]]\nfree = 1\n'
    )
    done = host(LOADED, "--quiet", checks=checks)
    assert done.returncode == 78
    assert not {*HEAVY} & {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("answer", "script", "checks", "code", "words", "reason"),
    [
        (LOADED, "", None, 0, "", "nothing is wrong"),
        (LOADED, "", '[[path]]\npath = "/nonexistent"\n', 78, "No such file or directory: '/nonexistent'", "a check fails"),
        (LOADED, "", '[[path]]\npath = "/nonexistent"\noptional = true\n', 0, "", "it only warns"),
        ("LoadState=not-found\n", "", None, 4, "There is no unit x.service", "no such unit"),
        ("LoadState=masked\n", "", None, 4, "x.service is masked", "masked"),
        ("", "exit 1", None, 4, "", "systemd does not answer"),
        ("", "exit 1", '[[path]]\npath = "/nonexistent"\n', 78, "'/nonexistent'", "the file is checked without systemd"),
        ("", "exec sleep 60", '[[path]]\npath = "/nonexistent"\n', 78, "'/nonexistent'", "systemd hangs"),
        (LOADED, "", "[[port]]\nport = 0\n[[pth]]\n", 4, "2 mistakes in checks.toml", "mistakes"),
        (LOADED, "", "not toml", 4, "checks.toml:1: is not TOML", "not TOML"),
        (LOADED, "", "# " + "x" * (1 << 20), 4, "is longer than", "huge"),
        ("LoadState=loaded\nExecStart=garbage\n", "", None, 4, "", "an answer of another form"),
    ],
)  # fmt: skip
def test_only_a_failed_check_exits_with_78(host, answer, script, checks, code, words, reason):
    done = host(answer, "--quiet", script=script, checks=checks)
    assert done.returncode == code, (reason, done.stderr)
    assert words in done.stderr, reason
    assert "Traceback" not in done.stderr
    assert (done.stderr == "") == (words == ""), done.stderr


def test_a_pipe_as_file_of_checks_is_refused_at_once(host, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    done = host(LOADED, "--quiet", "--checks", str(tmp_path / "pipe"))
    assert (done.returncode, "is a pipe" in done.stderr) == (4, True)


def test_a_file_that_is_named_must_be_there(host):
    done = host(LOADED, "--quiet", "--checks", "/nonexistent/x.toml")
    assert (done.returncode, "cannot be read: No such file or directory" in done.stderr) == (4, True)


def test_by_hand_every_check_is_shown(host):
    done = host(LOADED, checks='[[path]]\npath = "/etc"\n[[disk]]\npath = "/"\nfree = "900 TiB"\noptional = true\n')
    assert done.returncode == 0, done.stderr
    assert "ok      path /etc\n" in done.stdout
    assert "warning disk /: [Errno 28]" in done.stdout
    assert "x.service: 6 passed, 1 warned\n" in done.stdout


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"path=/bin/true": "path=/nonexistent/true"}, "Unable to locate executable '/nonexistent/true': No such file or directory"),
        ({"WorkingDirectory=/": "WorkingDirectory=/nonexistent"}, "Changing to the requested working directory failed"),
        ({"EnvironmentFiles=": "EnvironmentFiles=/nonexistent (ignore_errors=no)"}, "Failed to load environment files"),
        ({"ReadWritePaths=": "ReadWritePaths=/nonexistent -/may/be"}, "Failed to set up mount namespacing: /nonexistent"),
    ],
)
def test_by_hand_also_what_systemd_itself_would_refuse(host, changed, words):
    answer = LOADED
    for old, new in changed.items():
        answer = answer.replace(old, new)
    by_hand, before_a_start = host(answer), host(answer, "--quiet")
    assert (by_hand.returncode, words in by_hand.stdout) == (78, True), by_hand.stdout
    assert before_a_start.returncode in {0, 4}  # systemd says so at the same start, with a class of its own


def test_json(host):
    done = host(LOADED, "--format", "json", checks='[[path]]\npath = "/nonexistent"\nclass = "model.path-missing"\n')
    page = json.loads(done.stdout[: done.stdout.rindex("}") + 1])
    rows = [row for row in page["checks"] if row["subject"] == "/nonexistent"]
    text = "Model path does not exist: /nonexistent"
    assert (page["unit"], rows) == (
        "x.service",
        [{"kind": "path", "subject": "/nonexistent", "class": "model.path-missing", "status": "failed", "text": text}],
    )


def test_what_takes_too_long_passes_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(run, "WITHIN_S", 0.2)
    monkeypatch.setattr(run, "read_unit", lambda *_: __import__("time").sleep(30))
    assert run.main(["x.service", "--quiet"]) == 4
    assert "the checks did not end within 0 s" in capsys.readouterr().err


def test_an_error_of_ours_passes(monkeypatch, capsys):
    monkeypatch.setattr(run, "read_unit", lambda *_: 1 / 0)
    assert run.main(["x.service", "--quiet"]) == 4
    assert capsys.readouterr().err == "preflight: internal error: ZeroDivisionError: division by zero; nothing was checked.\n"


def test_hostile_text_is_made_harmless():
    text = run.harmless("a\x1b[31mb\x9b31mc\u202ed\n" + "x" * 10_000)
    assert (len(text) < 700, "\x1b" in text, "\x9b" in text, "\u202e" in text, "\n" in text) == (True, False, False, False, False)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["x/y"], 2, "'x/y' is not the name of a service"),
        (["x", "--format", "xml"], 2, "There is no format 'xml'"),
        (["a b"], 2, "is not the name of a service"),
    ],
)
def test_the_command_line_refuses(arguments, code, words):
    assert_one_sentence(run_program("preflight", *arguments), code, words)


def test_the_command_is_the_same_as_the_module(tmp_path):
    (tmp_path / "x.toml").write_text('[[path]]\npath = "/nonexistent"\n')
    done = run_program("preflight", "x", "--quiet", "--checks", str(tmp_path / "x.toml"))
    assert (done.returncode, done.stderr) == (78, "FileNotFoundError: [Errno 2] No such file or directory: '/nonexistent' (preflight)\n")


def test_by_hand_the_environment_of_the_unit_is_taken(host, tmp_path):
    (tmp_path / "variables").write_text("# a comment\nLD_LIBRARY_PATH='/from/file'\nbroken line\n")
    loader = "import forensics.guard.preflight.derived as d; d.check_program = lambda unit: d.failed(str(sorted(unit.environment.items())))"
    answer = LOADED.replace("Environment=\n", 'Environment=A=1 "B=2 3"\n', 1)
    answer = answer.replace("EnvironmentFiles=", f"EnvironmentFiles={tmp_path}/variables (ignore_errors=no)")
    done = host(answer, code=f"{loader}; {CODE}")
    for pair in ("('A', '1')", "('B', '2 3')", "('LD_LIBRARY_PATH', '/from/file')"):
        assert pair in done.stdout
    assert "not run by systemd: with the unit's Environment=" in done.stdout


def test_a_unit_with_a_root_of_its_own_is_not_judged_from_outside(host):
    done = host(LOADED.replace("/bin/true", "/nonexistent/true") + "RootDirectory=/srv/root\n")
    assert (done.returncode, "RootDirectory= or RootImage=" in done.stdout) == (4, True), done.stdout


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LD_LIBRARY_PATH": "/ours", "TABBY_LD_LIBRARY_PATH": "/units"}, {"LD_LIBRARY_PATH": "/units"}),
        ({"LD_LIBRARY_PATH": "/ours", "TABBY_LD_LIBRARY_PATH": ""}, {"LD_LIBRARY_PATH": ""}),
        ({"LD_LIBRARY_PATH": "/units"}, {"LD_LIBRARY_PATH": "/units"}),
        ({"TABBY_PYTHONPATH": "/app", "TABBY_LD_PRELOAD": "/x.so"}, {"PYTHONPATH": "/app", "LD_PRELOAD": "/x.so"}),
    ],
)
def test_the_environment_is_as_the_drop_in_found_it(monkeypatch, variables, expected):
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    assert own_environment() == expected


def test_a_failure_is_one_line(monkeypatch, capsys):
    """Its text may be of a server, a file or a process that forges a second one."""
    results = [Result("port", "5000", "", failed("[Errno 98]\nlibstdc++.so.6: cannot open shared object file\x1b[2J"))]
    monkeypatch.setattr(run, "read_unit", lambda *_: None)
    monkeypatch.setattr(run, "_results", lambda *_: iter(results))
    assert run.main(["x.service", "--quiet"]) == 78
    assert capsys.readouterr().err == "[Errno 98] libstdc++.so.6: cannot open shared object file (preflight)\n"
