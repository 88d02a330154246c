"""Libraries and extensions against a small environment, with the loader that this machine has."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from forensics.guard.preflight.checks import About, Library
from forensics.guard.preflight.libraries import check_library, check_program
from forensics.guard.preflight.unit import Unit
from tests.guard.preflight.building import NEEDS_GCC, TORCH_FUNCTION, compile_library, compile_module, make_venv

pytestmark = [NEEDS_GCC, pytest.mark.skipif(os.uname().machine != "x86_64", reason="the tags of the modules are x86_64's")]
MISSING = "libstdc++.so.7"
CALLS_TORCH = f"extern void {TORCH_FUNCTION}(void); void calls(void) {{ {TORCH_FUNCTION}(); }}\n"
CALLS_OTHERS = "extern void brought_by_another_module(void); void calls(void) { brought_by_another_module(); }\n"
CALLS_PYTHON = "extern void PyNothing_Of_This_Release(void); void calls(void) { PyNothing_Of_This_Release(); }\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A unit with an environment of modules that load, and of such that cannot."""
    folder = tmp_path_factory.mktemp("app")
    site = make_venv(folder)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    missing, by_path = compile_library(elsewhere / MISSING), compile_library(folder / "libs/libnamed.so.1")
    bundled = compile_library(site / "nvidia/runtime/lib/libcudart.so.12")
    torch = compile_library(site / "torch/lib/libc10.so", f"void {TORCH_FUNCTION}(void) {{}}\n")
    compile_library(site / "torch/lib/libtorch_python.so", needs=(torch,), rpath="$ORIGIN")
    compile_module(site, "healthy")
    compile_module(site, "pkg._C")
    compile_module(site, "incomplete", needs=(missing,))
    compile_module(site, "by_path", needs=(by_path,))
    compile_module(site, "by_bundled", needs=(bundled,))
    compile_module(site, "fits", CALLS_TORCH, needs=(torch,))
    compile_module(site, "forgot_to_link", CALLS_TORCH)
    compile_module(site, "built_for_another", CALLS_TORCH.replace("fail", "gone"), needs=(torch,))
    compile_module(site, "of_another_release", CALLS_PYTHON)
    compile_module(site, "needs_others", CALLS_OTHERS)
    compile_module(site, "foreign")
    tag = next(site.glob("foreign.*.so"))
    os.chown(tag, 12_345, 12_345) if os.geteuid() == 0 else None
    (site / "empty.so").write_bytes(b"")
    (site / "text.so").write_text("version https://git-lfs.github.com/spec/v1\n" * 4)
    (site / "cut.so").write_bytes(next(site.glob("healthy.*.so")).read_bytes()[:4096])
    environment = {"PATH": os.defpath, "LD_LIBRARY_PATH": str(folder / "libs")}
    return Unit("x.service", inside=True, environment=environment, directory=folder, program=str(folder / "bin/python"))


@pytest.mark.parametrize(
    ("module", "status", "words", "reason"),
    [
        ("healthy", "ok", "", "Py* symbols are in the interpreter"),
        ("pkg._C", "ok", "", "in a package"),
        ("incomplete", "failed", f"{MISSING}: cannot open shared object file: No such file or directory", "found nowhere"),
        ("by_path", "ok", "", "LD_LIBRARY_PATH of the unit"),
        ("by_bundled", "ok", "", "a package brings the library, and loads it before"),
        ("fits", "ok", "", "libc10 is loaded by `import torch`"),
        ("forgot_to_link", "ok", "", "torch's symbols without a needed library"),
        ("built_for_another", "failed", "undefined symbol: _ZN3c106detail4goneEv", "another PyTorch"),
        ("of_another_release", "failed", "undefined symbol: PyNothing_Of_This_Release", "another Python"),
        ("needs_others", "unknown", "which another module may bring", "RTLD_GLOBAL of another module"),
        ("empty", "failed", "empty.so: file too short", "a download that was cut"),
        ("text", "failed", "text.so: invalid ELF header", "a pointer of Git LFS"),
        ("cut", "failed", "cut.so: ", "cut in the middle"),
        ("absent", "unknown", "absent is not in this environment", "it may have been removed on purpose"),
        ("absent.deep", "unknown", "absent.deep is not in this environment", "no such package"),
    ],
)
def test_a_module_fails_only_where_its_import_would(place, module, status, words, reason):
    outcome = check_library(Library(About(), module=module), place)
    assert (outcome.status, words in outcome.text) == (status, True), (reason, outcome)


@pytest.mark.parametrize("module", ["healthy", "incomplete", "by_bundled", "fits", "built_for_another", "of_another_release", "cut"])
def test_the_verdict_is_that_of_the_import(place, module):
    """Against Python itself, in a process that has loaded what a package loads before."""
    site = next(place.directory.glob("lib/python3*/site-packages"))
    before = [site / "torch/lib/libtorch_python.so", site / "nvidia/runtime/lib/libcudart.so.12"]
    loaded = "; ".join(f"ctypes.CDLL({str(file)!r}, os.RTLD_GLOBAL)" for file in before)
    code = f"import ctypes, os; {loaded}; import {module}"
    done = subprocess.run([place.program, "-c", code], env=dict(place.environment), capture_output=True, text=True, check=False)
    outcome = check_library(Library(About(), module=module), place)
    assert (outcome.status == "ok") == (done.returncode == 0), (outcome, done.stderr)
    if done.stderr:  # a cut file is a bus error without a word
        assert outcome.text.partition(" (and")[0].rpartition("/")[2] in done.stderr


def test_a_library_is_missing_only_when_all_that_need_it_lack_it(place):
    assert check_library(Library(About(), name=MISSING), place).text.startswith(f"{MISSING}: cannot open shared object file")
    assert check_library(Library(About(), name="libnamed.so.1"), place).status == "ok"
    assert check_library(Library(About(), name="libcudart.so.12"), place).status == "ok"
    assert check_library(Library(About(), name="libnobody.so.1"), place).status == "unknown"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a file of another user")
def test_files_of_other_users_are_not_handed_to_the_loader(place):
    outcome = check_library(Library(About(), module="foreign"), place)
    assert outcome.status == "unknown"
    assert "belongs to another user, and is not handed to the loader" in outcome.text


@pytest.fixture
def program(tmp_path):
    """A program that needs a library, started over a link as virtual environments do: $ORIGIN is where the program is."""
    library = compile_library(tmp_path / "real/lib/libown.so.1")
    (tmp_path / "real/bin").mkdir()
    (tmp_path / "link").mkdir()
    source = "int main(void) { return 0; }\n"
    options = ["-Wl,-rpath,$ORIGIN/../lib", "-Wl,--no-as-needed", "-o", str(tmp_path / "real/bin/server")]
    subprocess.run(["gcc", *options, "-x", "c", "-", "-x", "none", str(library)], input=source, text=True, check=True)
    (tmp_path / "link/server").symlink_to(tmp_path / "real/bin/server")
    return Unit("x.service", inside=True, environment={"PATH": os.defpath}, directory=tmp_path, program=str(tmp_path / "link/server"))


def test_a_program_finds_its_libraries_where_its_file_is(program):
    assert subprocess.run([program.program], check=False).returncode == 0
    assert check_program(program).status == "ok"


def test_a_program_without_its_library_fails_in_the_loaders_words(program):
    (program.directory / "real/lib/libown.so.1").unlink()
    done = subprocess.run([program.program], capture_output=True, text=True, check=False)
    outcome = check_program(program)
    assert outcome.status == "failed"
    assert outcome.text == done.stderr.strip()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#!/bin/sh\nexport LD_LIBRARY_PATH=/x\nexec python\n", "a shell may set where libraries are"),
        ("#!/usr/bin/env bash\n", "a shell behind env"),
        ("#!/nowhere/python\n", "its interpreter is missing: systemd says so itself"),
        ("no program", "systemd says so itself"),
        ("", "empty"),
    ],
)
def test_what_is_started_by_a_shell_cannot_be_told(tmp_path, text, reason):
    script = tmp_path / "start.sh"
    script.write_text(text)
    unit = Unit("x.service", inside=True, environment={"PATH": os.defpath}, directory=tmp_path, program=str(script))
    assert check_program(unit).status == "unknown", reason
    assert check_library(Library(About(), module="torch._C"), unit).status == "unknown", reason


def wrapped(wrapper, target, *lines):
    """Make a program with the text that nixpkgs leaves in its wrappers."""
    shutil.copy("/bin/true", wrapper)
    command = " \\\n    ".join([f"makeCWrapper '{target}'", *lines])
    with wrapper.open("ab") as file:
        file.write(f"\n\n\n# generated using the following command:\n\n\n{command}\n\n\n# (Use `nix-shell`)\n\0".encode())
    return str(wrapper)


@pytest.mark.parametrize(
    ("lines", "status", "reason"),
    [
        (["--inherit-argv0", "--set 'NIX_PYTHONPREFIX' '/nix/store/x-env'", "--set 'PYTHONNOUSERSITE' 'true'"], "failed", "withPackages"),
        (["--prefix 'LD_LIBRARY_PATH' ':' '/nix/store/y-gcc-lib/lib'"], "unknown", "it sets libraries"),
        (["--set 'LD_PRELOAD' '/nix/store/y/lib/libtcmalloc.so'"], "unknown", "it sets libraries"),
    ],
)
def test_the_python_behind_a_wrapper_of_nix_is_traced(place, tmp_path, lines, status, reason):
    """The packages are in the wrapper's own tree: bin/python beside lib/python3.N/site-packages."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib").symlink_to(place.directory / "lib")
    wrapper = wrapped(tmp_path / "bin/python", Path(place.program).resolve(), *lines)
    outcome = check_library(Library(About(), module="incomplete", program=wrapper), place)
    assert (outcome.status, ("wrapper of Nix" in outcome.text) == (status == "unknown")) == (status, True), (reason, outcome)


def test_wrappers_around_each_other_end(place, tmp_path):
    wrapper = wrapped(tmp_path / "python", tmp_path / "python")
    assert check_library(Library(About(), module="incomplete", program=wrapper), place).status == "unknown"


def test_a_program_that_is_not_python_loads_no_modules(place):
    site = next(Path(place.directory).glob("lib/python3*/site-packages"))
    (module,) = site.glob("of_another_release.*.so")
    outcome = check_library(Library(About(), name="libnamed.so.1", program="/bin/true"), place)
    assert (outcome.status, "not Python itself" in outcome.text) == ("unknown", True)
    assert check_library(Library(About(), file=str(module)), place).status == "failed"
