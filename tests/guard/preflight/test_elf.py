"""ELF files, whole and damaged."""

import random
from pathlib import Path

import pytest

from forensics.guard.preflight.elf import Elf, excerpt, read_elf
from tests.guard.preflight.building import NEEDS_GCC, compile_library


def test_a_program_names_its_loader_and_libraries():
    elf = read_elf(Path("/bin/ls"))
    assert elf is not None
    assert elf.interpreter.startswith("/lib")
    assert "libc.so.6" in elf.needed


@NEEDS_GCC
def test_every_damage_ends_in_an_answer(tmp_path):
    """No length and no flipped byte of the headers raises, hangs or takes memory."""
    library = compile_library(tmp_path / "libx.so.1", needs=(compile_library(tmp_path / "liby.so.1"),))
    whole, damaged = library.read_bytes(), tmp_path / "damaged.so"
    assert read_elf(library) == Elf("", ("liby.so.1", "libc.so.6"))
    chance, seen = random.Random(7), set()  # noqa: S311
    for at in [*range(700), *chance.sample(range(700, len(whole)), 200)]:
        flipped = bytearray(whole)
        flipped[at] ^= chance.randrange(1, 256)
        damaged.write_bytes(flipped)
        seen.add(read_elf(damaged))
        damaged.write_bytes(whole[:at])
        seen.add(read_elf(damaged))
    assert None in seen
    assert len(seen) > 2


@pytest.mark.parametrize("path", ["/dev/null", "/proc/self/mem", "/nonexistent", "/", "/etc/passwd", "a\0b"])
def test_what_is_no_elf_file_is_none(path):
    assert read_elf(Path(path)) is None


def test_a_pipe_is_not_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    assert read_elf(tmp_path / "pipe") is None


@pytest.mark.parametrize(("path", "answer"), [("/bin/ls", True), ("/dev/null", False), ("/nonexistent", False)])
def test_bytes_are_found_in_files_only(path, answer):
    assert (excerpt(Path(path), b"\x7fELF") is not None) is answer
