"""Build small shared libraries and a virtual environment around them, as an extension with PyTorch has them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEEDS_GCC = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
RELEASE = f"python{sys.version_info.major}.{sys.version_info.minor}"
TAG = f"cpython-{sys.version_info.major}{sys.version_info.minor}-x86_64-linux-gnu"
MODULE = """
static struct {{ long count; void *type, *init; long index; void *copy; const char *name, *doc; long size; void *rest[8]; }} definition =
  {{ 1, 0, 0, 0, 0, "{name}", 0, -1 }};  // PyModuleDef, so that no headers are needed
extern void *PyModule_Create2(void *, int);
void *PyInit_{name}(void) {{ return PyModule_Create2(&definition, 1013); }}
"""
TORCH_FUNCTION = "_ZN3c106detail4failEv"


def compile_library(file: Path, source: str = "", *, needs: tuple[Path, ...] = (), soname: str = "", rpath: str = "") -> Path:
    """Compile a shared library that may have undefined symbols. needs: libraries that it is linked to, by their sonames."""
    file.parent.mkdir(parents=True, exist_ok=True)
    options = [f"-Wl,-soname,{soname or file.name}", "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined"]
    options += [f"-Wl,-rpath,{rpath}"] if rpath else []
    command = ["gcc", "-shared", "-fPIC", "-nostartfiles", *options, "-x", "c", "-", "-x", "none", *map(str, needs), "-o", str(file)]
    subprocess.run(command, input=source, text=True, check=True, capture_output=True)
    return file


def compile_module(site: Path, name: str, source: str = "", **options) -> Path:
    """Compile an extension module `name` (its last part; packages are folders)."""
    *packages, last = name.split(".")
    return compile_library(site.joinpath(*packages, f"{last}.{TAG}.so"), MODULE.format(name=last) + source, **options)


def make_venv(folder: Path, base: str = f"{sys.base_prefix}/bin", program: str = str(Path(sys.executable).resolve())) -> Path:
    """Make a virtual environment without pip; return its site-packages."""
    site = folder / "lib" / RELEASE / "site-packages"
    site.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin/python").symlink_to(program)
    (folder / "pyvenv.cfg").write_text(f"home = {base}\ninclude-system-site-packages = false\n")
    return site
