"""A file that is written atomically is there whole, with the right permissions, or as it was before."""

import os
import stat
import threading
from pathlib import Path

import pytest

from forensics import files
from forensics.files import write_atomically


@pytest.mark.parametrize("content", ["zażółć\n", b"\x00\xff", ""])
def test_the_content_is_there_and_nothing_beside_it(content, tmp_path):
    write_atomically(tmp_path / "a", content)
    assert (tmp_path / "a").read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_leaves_the_old_content_and_no_temporary_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device", "/some/temporary")

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        write_atomically(tmp_path / "a", "new")
    assert raised.value.filename == str(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(("mode", "umask", "wanted"), [(0o666, 0o022, 0o644), (0o666, 0o077, 0o600), (0o600, 0o022, 0o600)])
def test_the_mode_is_subject_to_the_umask(mode, umask, wanted, tmp_path):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "a", "x", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == wanted


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "real").write_text("old")
    (tmp_path / "link").symlink_to("elsewhere/real")
    write_atomically(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "real").read_text() == "new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_atomically(pipe, "content")
    reader.join()
    assert read == ["content"]
    assert pipe.is_fifo()


def test_a_missing_directory_is_an_error_that_names_the_file(tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        write_atomically(tmp_path / "no" / "a", "x")
    assert raised.value.filename == str(tmp_path / "no" / "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_directory_that_may_be_written_but_not_listed_takes_a_file(tmp_path):
    drop = tmp_path / "drop"
    drop.mkdir()
    drop.chmod(0o733)
    for directory in tmp_path.parents[:3]:
        directory.chmod(directory.stat().st_mode | 0o055)
    tmp_path.chmod(0o755)
    os.seteuid(65534)
    try:
        write_atomically(drop / "a", "x")
    finally:
        os.seteuid(0)
    assert Path(drop / "a").read_text() == "x"
