"""Every command ends with the exit code in README for what is wrong, before any work, and its sentence leads on."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from forensics.cli import output
from forensics.errors import ForensicsError, NotPermittedError
from forensics.ingest.leads import is_text
from tests.attempts.building import Journal
from tests.cli.journals import ENTRY_OF_A_UNIT, export_format
from tests.cli.running import assert_one_sentence, run
from tests.cli_options import command_options

# what a command cannot do without
NEEDED = {
    "generate alertmanager": ["--receiver", "webhook:http://127.0.0.1:9/"],
    "generate model-ladder": ["--unit", "a.service", "--profile", "a=b"],
    "generate nix": ["--limits"],
    "generate systemd": ["--program", "/opt/x"],
    "export csv": ["--table", "entries"],
    "export jsonl": ["--table", "entries"],
    "export parquet": ["--table", "entries"],
    "export loki": ["--url", "http://127.0.0.1:9"],
    "show": ["1"],
    "fleet": ["."],
}
NAMES = {"report": "x.html", "fleet": "x.html", "export textfile": "x.prom"}  # of an output, where its end counts
OTHERWISE = {"generate model-ladder", "generate post-deploy", "generate litellm"}  # refuse other things first
WRITE = [name for name, options in command_options().items() if "--output" in options and name not in OTHERWISE]
READ = [name for name, options in command_options().items() if {"--since", "--file", "--unit"} <= options]
SOME = ["report", "classes", "export csv"]
TEXT = "Nov 28 03:00:00 host app[1]: Error: it is broken\nTraceback (most recent call last):\n"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def arguments(command: str, *more: object) -> list[str]:
    return [*command.split(), *NEEDED.get(command, []), *map(str, more)]


@pytest.fixture
def files(tmp_path):
    """A directory that everybody may enter, with an exported journal and a text."""
    for directory in (tmp_path, *tmp_path.parents):
        if directory.name.startswith(("pytest", "popen", "test")):
            directory.chmod(0o755)
    (tmp_path / "a.export").write_text(ENTRY_OF_A_UNIT)
    (tmp_path / "x.log").write_text(TEXT)
    return tmp_path


@contextmanager
def as_nobody():
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def source(command: str, files: Path) -> list[str]:
    return ["--file", str(files / "a.export"), "--store", str(files / "store")] if "--file" in command_options()[command] else []


def test_no_command_is_left_out():
    assert len(WRITE) > 15
    assert len(READ) > 20


@pytest.mark.parametrize("command", WRITE)
def test_an_output_in_no_directory_is_found_before_the_work(command, files):
    result = run(*arguments(command, *source(command, files), "-o", files / "no" / NAMES.get(command, "x")), env=_apart(files))
    assert_one_sentence(result, 2, str(files / "no"))
    assert not (files / "store").exists()


@needs_root
@pytest.mark.parametrize("command", WRITE)
def test_an_output_that_is_not_permitted_is_found_before_the_work(command, files):
    (files / "closed").mkdir(mode=0o755)
    with as_nobody():
        result = run(*arguments(command, *source(command, files), "-o", files / "closed" / NAMES.get(command, "x")), env=_apart(files))
    assert_one_sentence(result, 5, str(files / "closed"), "may not be written by this user")
    assert not (files / "store").exists()


@pytest.mark.parametrize(("flags", "free", "words"), [(os.ST_RDONLY, 9, "read-only"), (0, 0, "the disk is full")])
def test_a_file_system_that_takes_nothing_is_found_before_the_work(flags, free, words, tmp_path, monkeypatch):
    status = os.statvfs_result((4096, 4096, 100, free, free, 9, 9, 9, flags, 255))
    monkeypatch.setattr(output.os, "statvfs", lambda _: status)
    with pytest.raises(ForensicsError, match=words) as error:
        output.refuse_bad_target(tmp_path / "x.html")
    assert error.value.exit_code == 1


EVERYWHERE = [  # arguments, exit code, words
    (["--since", "soon"], 2, ["'soon' is not a time", "Examples", "2025-12-07 21:30"]),
    (["--file", "{files}/x.log"], 2, ["is text, not a journal", "tabby-forensics explain '{files}/x.log'"]),
]
WRONG = [  # what the options of history refuse, the same for all that have them
    (["--file", "{files}/none"], 2, ["{files}/none", "does not exist"]),
    (["--file", "{files}/a.export", "--unit", "["], 2, ["the unit '['"]),
    (["--file", "{files}/a.export", "--patterns", "{files}/none"], 2, ["{files}/none"]),
    (["--journal-dir", "{files}"], 6, ["There is no journal in {files}"]),
]


CASES = [(command, *case) for command in READ for case in EVERYWHERE] + [(command, *case) for command in SOME for case in WRONG]


@pytest.mark.parametrize(("command", "wrong", "code", "words"), CASES, ids=[f"{command}: {words[-1]}" for command, *_, words in CASES])
def test_wrong_input_is_refused(command, wrong, code, words, files):
    store = ["--store", str(files / "store")]
    result = run(*arguments(command, *(word.format(files=files) for word in wrong), *store), env=_apart(files))
    assert_one_sentence(result, code, *(word.format(files=files) for word in words))
    assert result.stdout == ""


OF_TOML = ["watch --check-config --config", "ladder status a --config", "remedy check --config", "remedy list --config", "audit --actions"]


@pytest.mark.parametrize("command", OF_TOML)
def test_a_file_of_the_users_that_is_none_is_wrong_input(command, files):
    (files / "broken.toml").write_text("a = [")
    (files / "latin.toml").write_bytes(b"a = '\xff'")
    for name, words in (("none.toml", "No such file"), ("broken.toml", "is not TOML"), ("latin.toml", "is not UTF-8")):
        assert_one_sentence(run(*command.split(), str(files / name), env=_apart(files)), 2, name, words)


@needs_root
@pytest.mark.parametrize("command", [*SOME, "ingest"])
def test_what_may_not_be_read_is_a_permission_error(command, files):
    (files / "a.export").chmod(0o600)
    (files / "store").mkdir(mode=0o700)
    (files / "other.export").write_text(ENTRY_OF_A_UNIT)
    (files / "of-nobody").mkdir()
    os.chown(files / "of-nobody", 65534, 65534)
    with as_nobody():
        unread = run(*arguments(command, "--file", files / "a.export", "--store", files / "of-nobody"), env=_apart(files))
        closed = run(*arguments(command, "--file", files / "other.export", "--store", files / "store"), env=_apart(files))
    assert_one_sentence(unread, 5, "a.export")
    assert_one_sentence(closed, 5, str(files / "store"))


def test_an_option_that_no_command_has_is_a_mistake():
    codes = {command: run(*command.split(), "--no-such-option").returncode for command in command_options()}
    assert set(codes.values()) == {2}, codes


def _apart(files: Path) -> dict[str, str]:
    """The environment, with no configuration and store of the user's."""
    return {**os.environ, "XDG_CONFIG_HOME": str(files / "config"), "XDG_STATE_HOME": str(files / "state"), "TZ": "UTC"}


def test_a_text_on_standard_input_is_led_to_explain(tmp_path):
    assert_one_sentence(run("report", "--file", "-", "--store", str(tmp_path / "s"), input=TEXT), 2, "| tabby-forensics explain")


def test_a_text_that_is_named_like_a_journal_is_led_to_explain(tmp_path):
    (tmp_path / "x.journal").write_text(TEXT * 20)
    result = run("report", "--file", str(tmp_path / "x.journal"), "--store", str(tmp_path / "s"))
    assert_one_sentence(result, 2, f"tabby-forensics explain '{tmp_path}/x.journal'")


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (TEXT.encode(), True),
        ("Größe: 5 µm".encode()[:-1], True),  # cut in a character
        (b"\x1b[31mError\x1b[0m: red", True),
        (b"__CURSOR=s=1\nMESSAGE=x\n", False),
        (b'{"MESSAGE": "x"}', False),
        (b"MESSAGE\n\x05\0\0\0\0\0\0\0hello\n", False),
        (b"\x89PNG\r\n\x1a\n\0\0", False),
        (b"LPKSHHRH\0\0", False),
        (b"", False),
    ],
)
def test_what_is_text_for_people(head, answer):
    assert is_text(head) is answer


def test_a_unit_that_never_appears_leads_to_those_that_failed(tmp_path):
    journal = Journal("app.service", "alpha", boot="a" * 32)
    text = ""
    for number in range(10):
        journal = Journal(f"app{number}.service", "alpha", boot="a" * 32)
        for attempt in range(2 if number == 9 else 1):
            journal.fails(f"{number:031x}{attempt}", attempt + 1)
        text += export_format(journal)
    result = run("report", "--file", "-", "--unit", "ap9", "--store", str(tmp_path), input=text)
    assert_one_sentence(
        result, 2, "the unit 'ap9'", "Did you mean app9.service", "Failed in this window: app9.service, app0.service", "and 2 more"
    )


def test_a_directory_that_is_too_high_or_too_low_leads_to_the_right_one(tmp_path):
    machine = tmp_path / "log/journal" / ("b" * 32)
    (machine / "deeper").mkdir(parents=True)
    (machine / "system.journal").write_bytes(b"LPKSHHRH")
    for wrong, right in ((tmp_path, tmp_path / "log/journal"), (tmp_path / "log", tmp_path / "log/journal"), (machine / "deeper", machine)):
        result = run("report", "--journal-dir", str(wrong), "--store", str(tmp_path / "store"))
        assert_one_sentence(result, 6, f"There is no journal in {wrong}.", f"Did you mean {right}?")


def test_a_store_that_is_too_high_or_too_low_leads_to_the_right_one(tmp_path):
    store = tmp_path / "above/store"
    assert run("ingest", "--file", "-", "--store", str(store), input=ENTRY_OF_A_UNIT).returncode == 0
    for wrong in (tmp_path / "above", store / "v1", store / "v1/entries"):
        for command in ("report", "ingest", "classes"):
            assert_one_sentence(run(command, "--store", str(wrong)), 2, f"'{wrong}' is not a store. Did you mean {store}?")
    assert {path.name for path in (tmp_path / "above").iterdir()} == {"store"}  # none was made in the wrong place


def test_a_permission_that_nobody_asked_about_has_the_code_too(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "forensics.cli.parse.sources_named", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied", "x"))
    )
    assert_one_sentence(run("report", "--store", str(tmp_path)), NotPermittedError.exit_code, "'x': Permission denied")
