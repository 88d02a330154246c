"""The words of the dynamic loader, of several glibc releases."""

import os

import pytest

from forensics.guard.preflight.loader import Trace, belongs_to, parse, trace

EXT = "/srv/venv/lib/python3.12/site-packages/ext.so"


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("\tlibstdc++.so.6 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x1)\n", Trace(("libstdc++.so.6",), (), (), ()), "missing"),
        ("\tlibx.so.1 => not found\n\tlibx.so.1 => not found\n", Trace(("libx.so.1",), (), (), ()), "asked for twice"),
        ("\tvisibility=hidden => not found\n", Trace((), (), (), ()), "libnvtx3interop.so.1 of CUDA 13 has it as DT_AUXILIARY"),
        ("\t/srv/lib/liby.so => not found\n", Trace(("/srv/lib/liby.so",), (), (), ()), "needed by its path"),
        (f"undefined symbol: _ZN3c105ErrorE\t({EXT})\n", Trace((), (("_ZN3c105ErrorE", EXT),), (), ()), "ldd -r"),
        (
            f"/srv/python: undefined symbol: _ZN3c105ErrorE, version LIBTORCH\t({EXT})\n",
            Trace((), (("_ZN3c105ErrorE", EXT),), (), ()),
            "with a version, and the program's name before it",
        ),
        (
            f"/srv/python: /lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by {EXT})\n",
            Trace((), (), ((f"/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by {EXT})", EXT),), ()),
            "too old",
        ),
        (
            f"ERROR: ld.so: object '{EXT}' from LD_PRELOAD cannot be preloaded (file too short): ignored.\n",
            Trace((), (), (), (f"{EXT}: file too short",)),
            "the extension itself",
        ),
        (
            "ERROR: ld.so: object '/lib/libtcmalloc.so.4' from LD_PRELOAD cannot be preloaded (cannot open shared object file): ignored.\n",
            Trace((), (), (), ()),
            "the unit's own LD_PRELOAD, which the loader does without",
        ),
        (
            "/srv/python: error while loading shared libraries: /srv/lib/libtorch.so: invalid ELF header\n",
            Trace((), (), (), ("/srv/lib/libtorch.so: invalid ELF header",)),
            "a library behind it",
        ),
        ("", Trace((), (), (), ()), "nothing"),
    ],
)
def test_what_the_loader_says_is_read(text, expected, reason):
    assert parse(text, [EXT]) == expected, reason


@pytest.mark.parametrize(
    ("program", "preloaded", "words", "reason"),
    [
        ("/nonexistent", [], "is not a program that glibc's loader starts", "no such file"),
        ("/proc/self/status", [], "is not a program that glibc's loader starts", "not an ELF file"),
        ("/bin/true", ["/srv/my app/ext.so"], "a path with a space, a colon or a $ cannot be traced", "LD_PRELOAD separates by these"),
        ("/bin/true", ["/srv/a:b/ext.so"], "a path with a space, a colon or a $ cannot be traced", "LD_PRELOAD separates by these"),
        ("/bin/true", ["/srv/$LIB/ext.so"], "a path with a space, a colon or a $ cannot be traced", "the loader would replace it"),
    ],
)
def test_what_cannot_be_traced_is_a_sentence(program, preloaded, words, reason):
    found = trace(program, preloaded, {})
    assert isinstance(found, str), reason
    assert words in found, reason


def test_the_program_is_not_run(tmp_path):
    """`touch` would make the file."""
    assert isinstance(trace("/usr/bin/touch", [], {"LD_PRELOAD": ""}), Trace)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a file of another user")
def test_a_loader_of_another_user_is_not_run(tmp_path, monkeypatch):
    loader = tmp_path / "ld-linux-x86-64.so.2"
    loader.write_text("#!/bin/sh\ntouch /tmp/w/owned\n")
    os.chown(loader, 12_345, 12_345)
    monkeypatch.setattr("forensics.guard.preflight.loader.read_elf", lambda _: type("Elf", (), {"interpreter": str(loader)}))
    assert "belongs to another user" in trace("/bin/true", [], {})
    assert not belongs_to(str(loader), {0})
