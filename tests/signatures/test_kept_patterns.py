"""What is kept of the pattern files is what they hold, and counts only while they are the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from forensics import resources
from forensics.errors import UsageError
from forensics.signatures import catalogue, kept_patterns, pattern_file


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ship some of the patterns, to a user with a cache directory of their own."""
    for area in ("process", "systemd", "python"):
        shutil.copytree(resources.folder("patterns") / area, tmp_path / "shipped" / area)
    monkeypatch.setattr(catalogue, "folder", lambda _: tmp_path / "shipped")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "shipped"


def kept_file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "tabby-forensics" / "patterns.json"


def never(*_arguments: object, **_options: object) -> None:
    pytest.fail("a pattern file was read")


def load(shipped: Path) -> catalogue.Catalogue:
    return catalogue.load([shipped])


def test_the_second_start_reads_no_pattern_file_and_has_the_same_patterns(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(shipped)
    assert kept_file(tmp_path).stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(pattern_file, "read_pattern", never)
    assert load(shipped) == first
    assert any(pattern.columns and pattern.signature.references for pattern in first.patterns), "each kind of field is compared"


def test_a_file_that_was_edited_counts_at_once_though_its_size_and_time_are_the_same(shipped: Path) -> None:
    load(shipped)
    file = next(shipped.rglob("*.toml"))
    status = file.stat()
    file.write_text(file.read_text().replace("title", "tit1e", 1))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(UsageError, match="tit1e"):
        load(shipped)


def test_a_new_and_a_removed_file_count(shipped: Path) -> None:
    count = len(load(shipped).patterns)
    file = shipped / "process" / "segmentation-fault.toml"
    (shipped / "process" / "other.toml").write_text(file.read_text().replace("process.segmentation-fault", "process.other"))
    assert len(load(shipped).patterns) == count + 1
    (shipped / "process" / "other.toml").unlink()
    assert len(load(shipped).patterns) == count


@pytest.mark.parametrize("damage", ["cut", "empty", "other fields", "a directory", "writable by others"])
def test_a_damaged_file_is_as_none(shipped: Path, tmp_path: Path, damage: str) -> None:
    first, file = load(shipped), kept_file(tmp_path)
    stamp, _, content = file.read_text().partition("\n")
    match damage:
        case "cut":
            file.write_text(f"{stamp}\n{content[:-9]}")
        case "empty":
            file.write_text("")
        case "other fields":
            file.write_text(f'{stamp}\n[{{"id": 3}}]')
        case "a directory":
            file.unlink()
            file.mkdir()
        case _:
            file.write_text(content.replace("python", "pyth0n"))
            file.chmod(0o666)
    assert load(shipped) == first


def test_where_nothing_can_be_kept_the_files_are_read(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no directory")
    assert load(shipped) == load(shipped)


def test_nothing_is_kept_in_the_home_of_another_user(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_patterns.os, "geteuid", lambda: 4711)
    load(shipped)
    assert not kept_file(tmp_path).exists()
