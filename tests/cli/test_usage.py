"""Bad input gets one message on stderr, the right exit code, nothing on stdout and no traceback."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forensics.errors import JournalPermissionError
from forensics.journal import directory
from tests.cli.journals import ENTRY, ENTRY_OF_A_UNIT
from tests.cli.running import assert_one_sentence, run, run_in_own_process


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
    result = run("report", "--store", str(tmp_path), *arguments)
    assert_one_sentence(result, 2, *words)
    assert result.stdout == ""


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

    assert run_in_own_process("--version").stdout == f"tabby-forensics {__version__}\n"


def test_help_imports_none_of_the_heavy_packages():
    code = "import sys, forensics.cli; print(*sorted({'polars', 'numpy', 'pyarrow', 'plotly', 'jinja2', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


HISTORY_OPTIONS = ["--since", "--until", "--tz", "--unit", "--journal-dir", "--file", "--store", "--patterns"]


@pytest.mark.parametrize(
    "command",
    ["report", "classes", "export csv", "export jsonl", "export parquet", "export openmetrics", "export textfile", "export loki"],
)
def test_every_command_that_reads_history_has_the_same_options(command):
    text = run(*command.split(), "--help").stdout
    options = [line.split()[0] for line in text.splitlines() if line.startswith("  --")]
    assert [option for option in options if option in HISTORY_OPTIONS] == HISTORY_OPTIONS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "{folder}", "--format", "html"], ["is a directory"]),
        (["--output", "{folder}/no/such.html"], ["there is no directory", "{folder}/no"]),
        (["--file", "{folder}"], ["--journal-dir"]),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_work(arguments, words, tmp_path):
    arguments = [argument.format(folder=tmp_path) for argument in arguments]
    result = run("report", "--store", str(tmp_path / "store"), *arguments)
    assert_one_sentence(result, 2, *[word.format(folder=tmp_path) for word in words])
    assert not (tmp_path / "store").exists()


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    store = str(tmp_path / "store")
    result = run_in_own_process("report", "--file", "-", "--store", store, "--output", "/dev/stdout", "--format", "md", input=ENTRY)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("# No incident")
    assert Path("/dev/stdout").is_symlink()


def test_the_target_of_a_symbolic_link_is_written(tmp_path):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    result = run("report", "--file", "-", "--store", str(tmp_path / "store"), "--output", str(tmp_path / "link.json"), input=ENTRY)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["completeness"]["entries"] == 1


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs /dev/full")
@pytest.mark.parametrize("output", [[], ["--output", "/dev/full", "--format", "html"]])
def test_a_full_disk_is_reported(output, tmp_path):
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


def test_an_interrupted_command_says_so_and_the_next_one_continues(tmp_path):
    arguments = ["report", "--file", "-", "--format", "json", "--store", str(tmp_path / "store")]
    command = [sys.executable, "-m", "forensics", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdin.write(ENTRY)
        process.stdin.flush()
        time.sleep(2)  # it waits for more
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors.count("\n")) == (130, 1)
    assert "interrupted" in errors
    result = run(*arguments, input=ENTRY)
    assert json.loads(result.stdout)["completeness"]["entries"] == 1


def test_every_character_is_printed_where_the_terminal_is_not_utf_8(tmp_path):
    result = run("report", "--file", "-", "--store", str(tmp_path / "store"), input=ENTRY, encoding="latin-1")
    assert result.returncode == 0, result.stderr
    assert re.search(r"\d > \d", result.stdout)  # an arrow between two times
    assert "\\u" not in result.stdout


def test_garbage_on_standard_input_is_refused(tmp_path):
    result = run("report", "--file", "-", "--store", str(tmp_path / "store"), input="\x89PNG\r\n\x1a\nnothing of a journal")
    assert_one_sentence(result, 2, "stdin", "no entries")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_unreadable_source_is_a_permission_error(tmp_path):
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
def test_a_query_without_an_answer_is_refused(arguments, exit_code, words, tmp_path):
    result = run("report", "--file", "-", "--store", str(tmp_path), *arguments, input=ENTRY_OF_A_UNIT)
    assert_one_sentence(result, exit_code, *words)
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("now", "retention", "words"),
    [
        ("1765200000", "+2d", ["--retention +2d", "future", "180d"]),
        ("1765200000", "2025-12-09", ["future"]),
        ("1765200000", "tomorrow", ["future"]),
        ("1765000000", "@1765100000", ["future"]),  # past by the host's clock, but not by that of SOURCE_DATE_EPOCH
    ],
)
def test_a_retention_in_the_future_deletes_nothing(now, retention, words, tmp_path):
    (tmp_path / "log.export").write_text(ENTRY_OF_A_UNIT)
    options = ["--file", str(tmp_path / "log.export"), "--store", str(tmp_path / "store")]
    assert run("ingest", *options).returncode == 0
    env = {**os.environ, "SOURCE_DATE_EPOCH": now, "TZ": "UTC"}
    assert_one_sentence(run("ingest", *options, "--retention", retention, env=env), 2, *words)
    assert run("report", *options, "--format", "json").returncode == 0


def test_a_retention_is_counted_back_from_the_time_in_source_date_epoch(tmp_path):
    (tmp_path / "log.export").write_text(ENTRY_OF_A_UNIT)  # of 2025-12-07
    options = ["--file", str(tmp_path / "log.export"), "--store", str(tmp_path / "store")]
    env = {**os.environ, "SOURCE_DATE_EPOCH": "1765200000", "TZ": "UTC"}  # 2025-12-08
    assert run("ingest", *options, "--retention", "30d", env=env).returncode == 0
    assert run("report", *options, "--format", "json").returncode == 0


@pytest.mark.parametrize(
    "window", [["--since", "2020-01-01", "--until", "2020-02-01"], ["--since", "boot-7"], ["--since", "2020-01-01", "--until", "boot"]]
)
def test_what_the_parts_description_answers_reads_no_entries(window, tmp_path, monkeypatch):
    monkeypatch.setattr("forensics.store.query._scan", lambda *_, **__: pytest.fail("entries were read"))
    result = run("report", "--file", "-", "--store", str(tmp_path), *window, input=ENTRY_OF_A_UNIT)
    assert result.returncode in {2, 6}, result.stderr


@pytest.fixture
def without_journal(tmp_path, monkeypatch):
    """A store with an entry, on a host that has no journal."""
    monkeypatch.setattr(directory, "HOST_DIRECTORIES", (tmp_path / "nothing",))
    assert run("ingest", "--file", "-", "--store", str(tmp_path / "store"), input=ENTRY_OF_A_UNIT).returncode == 0
    return tmp_path / "store"


@pytest.mark.parametrize(
    "command", ["report", "export csv --table entries", "export jsonl --table entries", "export openmetrics", "export textfile", "classes"]
)
def test_a_store_is_enough_where_there_is_no_journal(command, without_journal):
    result = run(*command.split(), "--store", str(without_journal))
    assert result.returncode == 0, result.stderr
    if command != "classes":  # which never reads the journal
        assert result.stderr.count("\n") == 1
        assert f"Using what the store {without_journal} holds." in result.stderr
        assert result.stdout


@pytest.mark.parametrize("command", ["export csv --table entries", "classes", "report --format json"])
def test_a_damaged_part_of_the_store_is_named_by_every_command_that_goes_on_without_it(command, tmp_path):
    later = ENTRY_OF_A_UNIT.replace("=1765143", "=1765543").replace("TIMESTAMP=1000\n", "TIMESTAMP=400001000\n")
    (tmp_path / "log.export").write_text(ENTRY_OF_A_UNIT + later)
    source = ["--file", str(tmp_path / "log.export"), "--store", str(tmp_path / "store")]
    assert run("ingest", *source).returncode == 0
    part = max((tmp_path / "store").rglob("*.parquet"))
    part.write_bytes(b"PAR1")
    result = run(*command.split(), *source)
    assert result.returncode == 0, result.stderr
    assert "1 entry of" in (result.stdout if command.startswith("report") else result.stderr)
    assert "2025-12-12" in result.stdout + result.stderr
    if command.startswith("report"):
        assert run("report", *source, "--strict").returncode == 4


def test_without_journal_and_store_nothing_is_recorded(without_journal, tmp_path):
    assert_one_sentence(run("report", "--store", str(tmp_path / "empty")), 6, "There is no journal")
    assert_one_sentence(run("ingest", "--store", str(without_journal)), 6, "There is no journal")


@pytest.mark.parametrize("unit", ["llama-server", "llama-server.service", "llama-*", "*"])
def test_a_unit_is_named_as_for_systemctl(unit, tmp_path):
    assert run("report", "--file", "-", "--store", str(tmp_path), "--unit", unit, input=ENTRY_OF_A_UNIT).returncode == 0


def test_a_narrow_terminal_gets_narrow_lines(tmp_path):
    result = run("report", "--file", "-", "--store", str(tmp_path), input=ENTRY_OF_A_UNIT, env={**os.environ, "COLUMNS": "44"})
    assert max(map(len, result.stdout.splitlines())) <= 44


@pytest.mark.parametrize(
    ("variable", "colored"), [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)]
)
def test_colors_are_for_terminals_and_on_request(variable, colored, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")} | variable
    result = run("report", "--file", "-", "--store", str(tmp_path), input=ENTRY_OF_A_UNIT, env=environment)
    assert ("\x1b[" in result.stdout) == colored
