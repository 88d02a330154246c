"""Paths, configuration files and disks."""

import os
from pathlib import Path

import pytest

from forensics.guard.preflight.checks import About, Access, Configuration, Disk
from forensics.guard.preflight.files import check_access, check_configuration, check_disk, size
from forensics.guard.preflight.unit import Unit


@pytest.fixture
def unit(tmp_path):
    return Unit("x.service", inside=True, environment={}, directory=tmp_path)


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("model.path-missing", "Model path does not exist: /nonexistent/m"),
        ("config.file-missing", "Error: config file /nonexistent/m not found"),
        ("python.script-missing", "can't open file '/nonexistent/m': [Errno 2] No such file or directory"),
        ("", "FileNotFoundError: [Errno 2] No such file or directory: '/nonexistent/m'"),
    ],
)
def test_a_missing_path_is_named_in_the_words_of_its_class(unit, signature, words):
    outcome = check_access(Access(About(signature), "/nonexistent/m"), unit)
    assert (outcome.status, outcome.text) == ("failed", words)


@pytest.mark.parametrize(
    ("path", "access", "status", "reason"),
    [
        ("/etc/passwd", "read", "ok", ""),
        ("/etc", "exists", "ok", "a folder"),
        ("/bin/true", "execute", "ok", ""),
        ("/etc/passwd", "execute", "failed", "not executable, also for root"),
        ("/proc/version/x", "exists", "unknown", "ENOTDIR"),
        ("/" + "a" * 300, "exists", "unknown", "ENAMETOOLONG"),
    ],
)
def test_access(unit, path, access, status, reason):
    assert check_access(Access(About(), path, access), unit).status == status, reason


@pytest.mark.parametrize(
    ("name", "text", "status", "words"),
    [
        ("a.toml", "a = 1\n", "ok", ""),
        ("a.toml", "a = \n", "failed", "tomllib.TOMLDecodeError: Invalid value (at line 1, column 5)"),
        ("a.json", "{}", "ok", ""),
        ("a.json", "{'a': 1}", "failed", "json.decoder.JSONDecodeError: Expecting property name"),
        ("a.json", "[" * 100_000, "unknown", "nested too deeply"),
        ("a.ini", "[a]\nb = %(x\nc\n", "ok", ""),
        ("a.ini", "b = 1\n", "failed", "configparser.MissingSectionHeaderError"),
        ("a.yml", "a: !include x.yml\nb: !vault |\n  x\n", "ok", ""),
        ("a.yml", "a: 1\n---\nb: 2\n", "ok", ""),
        ("a.yml", "a: b: c\n", "failed", "yaml.scanner.ScannerError: mapping values are not allowed here"),
        ("a.yml", "a: *nowhere\n", "failed", "yaml.composer.ComposerError"),
        ("a.yml", "", "ok", ""),
        ("a.toml", "a = 1\n" + "#" * (1 << 20), "unknown", "is longer than"),
        ("a.toml", None, "unknown", "does not exist"),
    ],
)
def test_a_configuration_parses_or_not(unit, name, text, status, words):
    if text is not None:
        (unit.directory / name).write_text(text)
    format_ = {"toml": "toml", "json": "json", "ini": "ini", "yml": "yaml"}[name.partition(".")[2]]
    outcome = check_configuration(Configuration(About(), str(unit.directory / name), format_), unit)
    assert (outcome.status, words in outcome.text) == (status, True), outcome


def test_tabbys_configuration_fails_in_tabbys_words(unit):
    (unit.directory / "config.yml").write_text("a: b: c\n")
    check = Configuration(About("tabby.config-ignored"), str(unit.directory / "config.yml"), "yaml")
    assert "config.yml' couldn't load because of the following error: mapping values" in check_configuration(check, unit).text


def test_a_pipe_is_not_waited_for(unit):
    os.mkfifo(unit.directory / "a.toml")
    outcome = check_configuration(Configuration(About(), str(unit.directory / "a.toml"), "toml"), unit)
    assert (outcome.status, "is a pipe" in outcome.text) == ("unknown", True)


@pytest.mark.parametrize(
    ("path", "free", "inodes", "status"),
    [
        ("", 1, 1, "ok"),
        ("later/and/deeper", 1, 1, "ok"),
        ("", 1 << 60, 1, "failed"),
        ("", 1, 1 << 60, "failed"),
    ],
)
def test_room_on_a_disk(unit, path, free, inodes, status):
    if status == "failed" and inodes > 1 and not os.statvfs(unit.directory).f_files:
        pytest.skip("this file system has no limit of files")
    outcome = check_disk(Disk(About(), str(unit.directory / path), free, inodes), unit)
    assert outcome.status == status
    assert outcome.text.startswith("[Errno 28] No space left on device: ") == (status == "failed")


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (2.5 * 2**30, "2.50 GiB"), (2**50, "1024.00 TiB")]
)
def test_sizes_are_written(amount, text):
    assert size(amount) == text


def test_paths_are_of_the_unit(unit):
    (unit.directory / "here").touch()
    assert check_access(Access(About(), "here"), unit).status == "ok"
    assert Path.cwd() != unit.directory
