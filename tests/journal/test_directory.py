"""Which files of a directory are read, and the error when they cannot be."""

import os
from contextlib import contextmanager

import pytest

from forensics.errors import JournalPermissionError, NothingRecordedError
from forensics.journal import directory
from forensics.journal.directory import host_directories, journal_files

MACHINE, OTHER = "0" * 31 + "a", "0" * 31 + "b"
READ = [
    "loose.journal",
    f"{MACHINE}/system.journal",
    f"{MACHINE}/system@{'1' * 32}-0000000000000001-0005.journal",
    f"{MACHINE}/system@0005-0006.journal~",
    f"{MACHINE}/user-1000.journal",
    f"{MACHINE}/remote-host.journal",
    f"{MACHINE}.space/system.journal",
    f"{OTHER}/system.journal",
    "12345678-1234-1234-1234-123456789abc/system.journal",
]
NOT_READ = [f"{MACHINE}/system.journal.bak", f"{MACHINE}/fss", "lost+found/system.journal", f"{MACHINE}/deeper/system.journal", "x.txt"]


@contextmanager
def as_nobody():
    """Root may read everything: the test becomes somebody who may not."""
    if os.geteuid() == 0:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield


@pytest.fixture
def root(tmp_path):
    for name in [*READ, *NOT_READ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.getuid() and folder.name.startswith(("pytest", "popen", "test")):
            folder.chmod(0o755)
    return tmp_path


def test_a_root_is_read_as_journalctl_reads_it(root):
    assert journal_files(root) == sorted(root / name for name in READ)


def test_a_machines_directory_can_be_read_alone(root):
    assert journal_files(root / MACHINE) == sorted(root / name for name in READ if name.startswith(f"{MACHINE}/"))


def test_symbolic_links_to_directories_and_files_are_followed(root, tmp_path_factory):
    links = tmp_path_factory.mktemp("links")
    (links / OTHER).symlink_to(root / MACHINE)
    (links / "one.journal").symlink_to(root / "loose.journal")
    (links / "round").symlink_to(links)
    assert [path.name for path in journal_files(links)][-1] == "one.journal"
    assert len(journal_files(links)) == 6


def test_only_regular_files_are_read_and_a_broken_link_is_listed(root):
    os.mkfifo(root / MACHINE / "pipe.journal")
    (root / MACHINE / "folder.journal").mkdir()
    (root / MACHINE / "null.journal").symlink_to("/dev/null")
    (root / MACHINE / "lost.journal").symlink_to(root / "nowhere")
    assert journal_files(root) == sorted([*(root / name for name in READ), root / MACHINE / "lost.journal"])


@pytest.mark.parametrize("make", [True, False])
def test_a_directory_without_a_journal_is_an_error(tmp_path, make):
    folder = tmp_path / "empty"
    if make:
        (folder / MACHINE).mkdir(parents=True)
    with pytest.raises(NothingRecordedError, match=r"no journal in .*empty"):
        journal_files(folder)


@pytest.mark.parametrize("what", ["files", "machine", "root"])
def test_the_error_of_an_unreadable_journal_names_the_remedy(root, what):
    for path in journal_files(root):
        path.chmod(0 if what == "files" else 0o644)
        path.parent.chmod(0o755)
    if what == "root":
        root.chmod(0)
    if what == "machine":
        for machine in {path.parent for path in journal_files(root)} - {root}:
            machine.chmod(0)
        (root / "loose.journal").unlink()
    try:
        with as_nobody(), pytest.raises(JournalPermissionError, match="systemd-journal"):
            journal_files(root)
    finally:
        root.chmod(0o755)
        for machine in root.iterdir():
            if machine.is_dir():
                machine.chmod(0o755)


def test_a_single_unreadable_file_stays_in_the_list(root):
    (root / MACHINE).chmod(0)
    (root / OTHER / "system.journal").chmod(0)
    try:
        with as_nobody():
            found = journal_files(root)
    finally:
        (root / MACHINE).chmod(0o755)
    assert root / MACHINE in found
    assert root / OTHER / "system.journal" in found
    assert root / "loose.journal" in found


def test_the_hosts_own_directories_are_those_that_hold_something(root, monkeypatch):
    monkeypatch.setattr(directory, "HOST_DIRECTORIES", (root, root / "nothing"))
    assert host_directories() == [root]
    monkeypatch.setattr(directory, "HOST_DIRECTORIES", (root / "nothing",))
    with pytest.raises(NothingRecordedError):
        host_directories()
