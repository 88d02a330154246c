"""What bad input gets: one sentence on stderr, the right exit code, nothing on stdout and no traceback."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forensics.errors import JournalPermissionError


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "forensics", *arguments], capture_output=True, text=True, timeout=120, check=False, **options
    )


def assert_one_sentence(result, exit_code, *words):
    assert result.returncode == exit_code, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("tabby-forensics: ")
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--since", "soon"], ["'soon'", "Examples"]),
        (["--tz", "Mars/Olympus"], ["Mars/Olympus"]),
        (["--format", "pdf"], ["'pdf'", "html"]),
        (["--file", "/nowhere.journal"], ["/nowhere.journal"]),
        (["--journal-dir", "/etc/hostname"], ["not a directory", "--file"]),
        (["--patterns", "/nowhere"], ["/nowhere"]),
        (["--output", "report.xyz"], ["report.xyz", "--format"]),
        (["--declared", "boot"], ["boot"]),
    ],
)
def test_a_wrong_option_is_named(arguments, words, tmp_path):
    assert_one_sentence(run("report", "--store", str(tmp_path), *arguments), 2, *words)


def test_an_unknown_option_is_a_usage_error():
    result = run("report", "--no-such-option")
    assert result.returncode == 2
    assert "--no-such-option" in result.stderr


def test_an_empty_directory_has_nothing_recorded(tmp_path):
    (tmp_path / "journal").mkdir()
    result = run("report", "--journal-dir", str(tmp_path / "journal"), "--store", str(tmp_path / "store"))
    assert_one_sentence(result, 6, "journal")


def test_the_version_is_the_packages(tmp_path):
    from forensics import __version__

    assert run("--version").stdout == f"tabby-forensics {__version__}\n"


def test_help_imports_none_of_the_heavy_packages():
    code = "import sys, forensics.cli; print(*sorted({'polars', 'numpy', 'pyarrow', 'plotly', 'jinja2', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "{folder}", "--format", "html"], ["is a folder"]),
        (["--output", "{folder}/no/such.html"], ["there is no folder", "{folder}/no"]),
        (["--file", "{folder}"], ["--journal-dir"]),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(arguments, words, tmp_path):
    arguments = [each.format(folder=tmp_path) for each in arguments]
    result = run("report", "--store", str(tmp_path / "store"), *arguments)
    assert_one_sentence(result, 2, *[word.format(folder=tmp_path) for word in words])
    assert not (tmp_path / "store").exists()


ENTRY = "__REALTIME_TIMESTAMP=1765143000000000\n__MONOTONIC_TIMESTAMP=1000\n_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE=hello\n\n"


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    result = run("report", "--file", "-", "--store", str(tmp_path / "store"), "--output", "/dev/stdout", "--format", "md", input=ENTRY)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("# No incident")
    assert Path("/dev/stdout").is_symlink()


def test_of_a_symbolic_link_the_target_is_written(tmp_path):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    result = run("report", "--file", "-", "--store", str(tmp_path / "store"), "--output", str(tmp_path / "link.json"), input=ENTRY)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["completeness"]["entries"] == 1


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs /dev/full")
@pytest.mark.parametrize("output", [[], ["--output", "/dev/full", "--format", "html"]])
def test_a_full_disk_is_told(output, tmp_path):
    command = [sys.executable, "-m", "forensics", "report", "--file", "-", "--store", str(tmp_path / "store"), *output]
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(command, input=ENTRY, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert_one_sentence(result, 1, "disk is full")
    assert Path("/dev/full").is_char_device()


def test_an_output_that_is_no_longer_read_ends_quietly(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "forensics", "patterns", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert process.returncode == 1
    assert b"Error" not in errors
    assert b"tabby-forensics" not in errors


def test_an_interrupted_run_says_so_and_the_next_one_goes_on(tmp_path):
    command = [sys.executable, "-m", "forensics", "report", "--file", "-", "--format", "json", "--store", str(tmp_path / "store")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdin.write(ENTRY)
        process.stdin.flush()
        time.sleep(2)  # it waits for more
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors.count("\n")) == (130, 1)
    assert "interrupted" in errors
    result = run(*command[3:], input=ENTRY)
    assert json.loads(result.stdout)["completeness"]["entries"] == 1


def test_every_word_arrives_at_a_terminal_that_is_not_utf_8(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    result = run("report", "--file", "-", "--store", str(tmp_path / "store"), input=ENTRY, env=environment, encoding="latin-1")
    assert result.returncode == 0, result.stderr
    assert "\\u2192" in result.stdout


def test_garbage_on_standard_input_is_told(tmp_path):
    result = run("report", "--file", "-", "--store", str(tmp_path / "store"), input="\x89PNG\r\n\x1a\nnothing of a journal")
    assert_one_sentence(result, 1, "stdin", "no entry")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_this_user_may_not_read_is_a_matter_of_permission(tmp_path):
    from forensics.cli.parse import sources_named
    from forensics.ingest.sources import ingest_sources

    for folder in [tmp_path, *tmp_path.parents]:
        if folder.name.startswith(("pytest", "popen", "test")):
            folder.chmod(0o755)
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "closed" / "a.journal").touch()
    for name in ("private.journal", "private.export"):
        (tmp_path / name).write_bytes(b"__REALTIME_TIMESTAMP=1\n\n")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "store").mkdir(mode=0o777)
    (tmp_path / "store").chmod(0o777)
    os.seteuid(65534)
    try:
        with pytest.raises(JournalPermissionError):
            sources_named(None, [tmp_path / "closed" / "a.journal"])
        for name in ("private.journal", "private.export"):
            with pytest.raises(JournalPermissionError):
                ingest_sources(sources_named(None, [tmp_path / name]), tmp_path / "store")
    finally:
        os.seteuid(0)


OF_A_UNIT = ENTRY.replace("MESSAGE=hello", "_SYSTEMD_UNIT=llama-server.service\nMESSAGE=hello")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["--since", "2025-12-08", "--until", "2025-12-07"], 2, ["window is empty"]),
        (["--since", "2020-01-01", "--until", "2020-02-01"], 6, ["this window", "2025-12-07"]),
        (["--unit", "lama-server"], 2, ["lama-server", "Did you mean llama-server.service?"]),
        (["--unit", "vllm*"], 2, ["vllm*"]),
        (["--since", "boot-7"], 2, ["boot-7", "1 boot"]),
    ],
)
def test_a_question_that_has_no_answer_is_told(arguments, exit_code, words, tmp_path):
    result = run("report", "--file", "-", "--store", str(tmp_path), *arguments, input=OF_A_UNIT)
    assert_one_sentence(result, exit_code, *words)
    assert result.stdout == ""


@pytest.mark.parametrize("unit", ["llama-server", "llama-server.service", "llama-*", "*"])
def test_a_unit_is_named_as_for_systemctl(unit, tmp_path):
    assert run("report", "--file", "-", "--store", str(tmp_path), "--unit", unit, input=OF_A_UNIT).returncode == 0


def test_a_narrow_terminal_gets_narrow_lines(tmp_path):
    result = run("report", "--file", "-", "--store", str(tmp_path), input=OF_A_UNIT, env={**os.environ, "COLUMNS": "44"})
    assert max(map(len, result.stdout.splitlines())) <= 44


@pytest.mark.parametrize(
    ("variable", "coloured"), [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)]
)
def test_colours_are_for_terminals_and_for_who_asks(variable, coloured, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")} | variable
    result = run("report", "--file", "-", "--store", str(tmp_path), input=OF_A_UNIT, env=environment)
    assert ("\x1b[" in result.stdout) == coloured
