"""The timer of a monthly drill: systemd accepts it, and nothing of an option becomes another word of the command."""

import os
import shlex
import shutil
import subprocess

import pytest

from forensics.generate.drill import Monthly, arguments
from forensics.unit_file import parse_units
from tests.cli.running import assert_one_sentence, run

PROGRAM = ["--program", "/usr/bin/true"]


def written(folder, *options):
    done = run("generate", "drill", *PROGRAM, *options, "-o", str(folder))
    assert done.returncode == 0, done.stderr
    return {file.name: file.read_text() for file in sorted(folder.iterdir())}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--class", "mined:0123", "--class", "exit:signal/11", "--within", "30s"),
        ("--page", "https://x.example/a%20b?c=$d;e", "--on-failure", "page@%N.service"),
        ("--calendar", "Mon *-*-01 09:00:00 Europe/Berlin"),
    ],
)
def test_systemd_accepts_both_units(tmp_path, options):
    files = written(tmp_path, *options)
    assert list(files) == ["tabby-drill.service", "tabby-drill.timer"]
    (tmp_path / "page@.service").write_text("[Service]\nType=oneshot\nExecStart=/usr/bin/true\n")
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
    about = [line for line in done.stderr.splitlines() if "tabby-drill" in line]
    assert about == []


@pytest.mark.parametrize(
    ("wanted", "words", "reason"),
    [
        (Monthly(), ["drill", "--all", "--within", "5min"], "the classes that the host has shown"),
        (Monthly(("a.b", "mined:1")), ["drill", "a.b", "mined:1", "--within", "5min"], "only these"),
        (Monthly(pages=('http://x/"a b"',)), ["drill", "--all", "--within", "5min", "--page", 'http://x/"a b"'], "quotes and blanks"),
    ],
)
def test_the_command_is_the_one_that_was_meant(wanted, words, reason):
    assert shlex.split(arguments(wanted)) == words, reason


def test_what_systemd_would_expand_is_escaped():
    assert arguments(Monthly(pages=("http://x/%h$HOME",))).endswith('"http://x/%%h$$HOME"')


@pytest.mark.parametrize(
    ("classes", "ingests"),
    [((), True), (("mined:0123",), True), (("port.conflict", "exit:signal/11"), False)],
    ids=["all", "recorded words", "known words"],
)
def test_history_is_recorded_first_where_its_words_are_played(tmp_path, classes, ingests):
    files = written(tmp_path, *(part for name in classes for part in ("--class", name)))
    service = parse_units("tabby-drill.service", [("", files["tabby-drill.service"])])
    assert service.every("ExecStartPre") == (("-/usr/bin/true ingest",) if ingests else ())


def test_it_comes_once_a_month_also_after_a_month_in_which_the_host_was_off(tmp_path):
    timer = parse_units("tabby-drill.timer", [("", written(tmp_path)["tabby-drill.timer"])])
    found = {name: timer.last(name) for name in ("OnCalendar", "Persistent", "RandomizedDelaySec", "WantedBy")}
    assert found == {"OnCalendar": "monthly", "Persistent": "true", "RandomizedDelaySec": "6h", "WantedBy": "timers.target"}


def test_the_nixos_module_has_the_same_command_and_escapes_what_nix_would_expand():
    text = run("generate", "drill", "--nix", "--page", "http://x/${y}", "--on-failure", "page.service").stdout
    assert r'"drill --all --within 5min --page \"http://x/$\${y}\""' in text
    assert 'onFailure = [ "page.service" ];' in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--class", "a b"], "is not the name of a class"),
        (["--class", "--all"], "is not the name of a class"),
        (["--calendar", "monthly\nOnBootSec=1"], "is not a time"),
        (["--within", "2h"], "must be from 1 s to 1 h"),
        (["--on-failure", "x y.service"], "is not the name of a unit"),
        (["--page", "phone"], "must start with http:// or https://"),
        (["--program", "tabby-forensics"], "needs the full path"),
    ],
)
def test_a_mistake_gets_one_sentence(options, words):
    assert_one_sentence(run("generate", "drill", *PROGRAM, *options), 2, words)
