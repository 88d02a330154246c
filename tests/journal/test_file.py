"""What happens to a file between two looks at it, and files that are something else."""

import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.journal import file as journal_file
from forensics.journal.reader import NotAJournal, header, load
from forensics.model.values import Damage
from tests.journal.edge import edge_text
from tests.journal.objects import ENTRY, ENTRY_ARRAY, archive, layout
from tests.journal.oracle import make_journal, needs_systemd

N_ENTRIES, ARENA_SIZE, STATE = 152, 96, 16


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return archive(make_journal(edge_text(60), tmp_path / "a.journal"))


def change(path: Path, at: int, form: str, value: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(at)
        stream.write(struct.pack(form, value))


def between_header_and_content(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """What a writer does after the header was read and before the content is."""
    read = journal_file._content

    def content(*arguments: object) -> object:
        act()
        return read(*arguments)

    monkeypatch.setattr(journal_file, "_content", content)


@pytest.mark.real
@needs_systemd
def test_a_file_that_journald_goes_on_with_while_it_is_read_is_not_damaged(path: Path, monkeypatch: pytest.MonkeyPatch):
    """Five minutes after the last entry journald sets a file offline; the next entry sets it online again."""
    change(path, N_ENTRIES, "<Q", 50)
    change(path, STATE, "<B", 0)

    def goes_on() -> None:
        change(path, STATE, "<B", 1)
        change(path, N_ENTRIES, "<Q", 60)

    between_header_and_content(monkeypatch, goes_on)
    batch = load(path)
    assert (batch.table.num_rows, batch.damage) == (50, ())


@pytest.mark.real
@needs_systemd
def test_a_file_that_shrinks_because_it_is_archived_is_not_cut_off(path: Path, monkeypatch: pytest.MonkeyPatch):
    size, arena = path.stat().st_size, layout(path).end - layout(path).header_size
    os.truncate(path, size + (1 << 20))  # allocated ahead
    change(path, ARENA_SIZE, "<Q", arena + (1 << 20))
    change(path, STATE, "<B", 1)

    def archives() -> None:
        os.truncate(path, size)
        change(path, ARENA_SIZE, "<Q", arena)
        change(path, STATE, "<B", 2)

    between_header_and_content(monkeypatch, archives)
    batch = load(path)
    assert (batch.table.num_rows, batch.damage) == (60, ())


@pytest.mark.real
@needs_systemd
def test_a_file_that_is_cut_off_while_it_is_read_is_damaged(path: Path, monkeypatch: pytest.MonkeyPatch):
    entry = layout(path).of(ENTRY)[40]
    between_header_and_content(monkeypatch, lambda: os.truncate(path, entry))
    batch = load(path)
    assert batch.table.num_rows == 40
    assert batch.damage


@pytest.mark.real
@needs_systemd
def test_a_bad_block_costs_what_is_after_it(path: Path, monkeypatch: pytest.MonkeyPatch):
    bad = layout(path).of(ENTRY)[40]
    read = os.preadv

    def preadv(descriptor: int, buffers: list[memoryview], at: int) -> int:
        if at >= bad:
            raise OSError(5, "Input/output error")
        return read(descriptor, [buffers[0][: bad - at]], at)

    monkeypatch.setattr(os, "preadv", preadv)
    batch = load(path)
    assert batch.table.num_rows == 40
    assert Damage(str(path), bad, "the rest of the file cannot be read") in batch.damage


@pytest.mark.real
@needs_systemd
def test_a_damaged_size_of_the_header_costs_nothing(path: Path):
    for size in (0, 7, 212, 4096, 1 << 20, 2**64 - 1):
        change(path, 88, "<Q", size)
        batch = load(path)
        assert batch.table.num_rows == 60
        assert [record.offset for record in batch.damage] == [88]


def with_growth(work):
    """What `work` gives, and how many MiB the process grew at the most meanwhile."""

    def mib(name):
        return next(int(line.split()[1]) >> 10 for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))

    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = mib("VmRSS")
    return work(), mib("VmHWM") - before


@pytest.mark.real
@needs_systemd
def test_a_sparse_file_of_gigabytes_costs_no_gigabytes(path: Path):
    os.truncate(path, 6 << 30)
    batch, grown = with_growth(lambda: load(path))
    assert batch.table.num_rows == 60
    assert grown < 300


@pytest.mark.real
@needs_systemd
def test_entry_arrays_inside_of_each_other_are_not_followed(path: Path):
    """Each of a thousand would hold all that follow: they grow with the square of the file."""
    content = bytearray(path.read_bytes())
    first = len(content)
    count = 100_000
    for number in range(count):
        at = first + 24 * number
        content += struct.pack("<QQQ", ENTRY_ARRAY, 24 * (count - number), at + 24 if number + 1 < count else 0)
    struct.pack_into("<Q", content, 176, first)
    struct.pack_into("<Q", content, ARENA_SIZE, len(content) - layout(path).header_size)
    path.write_bytes(content)
    batch = load(path)
    assert batch.table.num_rows == 60
    assert batch.damage


@pytest.mark.real
@needs_systemd
def test_a_file_that_is_mostly_zeros_is_read_without_much_memory(path: Path):
    """What a crash leaves of a file on some file systems."""
    content = path.read_bytes()
    path.write_bytes(content[: layout(path).of(ENTRY)[30]] + bytes(100 << 20))
    load(path)  # the buffer is there
    batch, grown = with_growth(lambda: load(path))
    assert batch.table.num_rows == 30
    assert batch.damage
    assert grown < 300


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path):
    os.mkfifo(tmp_path / "a.journal")
    found: list[BaseException] = []

    def read() -> None:
        try:
            header(tmp_path / "a.journal")
        except NotAJournal as error:
            found.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(5)
    assert [str(error) for error in found] == [f"{tmp_path / 'a.journal'} is not a journal file: not a regular file."]


def test_the_error_of_a_missing_file_is_a_file_not_found_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="cannot be opened: No such file") as raised:
        header(tmp_path / "a.journal")
    assert isinstance(raised.value, NotAJournal)
