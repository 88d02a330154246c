"""Find the extension modules of a Python environment without starting it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from forensics.files import NotReadableError, read_bounded
from forensics.guard.preflight.elf import read_elf
from forensics.guard.preflight.unit import Unit

MOST_FILES = 600  # extensions looked into: a large environment has 400 within two folders of its root
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_ABI = re.compile(r"\.cpython-(\d)(\d+)-")
_RELEASE = re.compile(r"/python(\d)\.(\d+)(?:/|$)")


def site_packages(unit: Unit, interpreter: str) -> tuple[Path, ...]:
    """Return the folders that an interpreter imports packages from, those of PYTHONPATH first."""
    listed = [Path(part) for part in unit.environment.get("PYTHONPATH", "").split(":") if part.startswith("/")]
    prefix = Path(interpreter).parent.parent
    prefixes = [prefix]
    settings = _settings(prefix / "pyvenv.cfg")
    if settings is None:
        prefixes.append(Path(interpreter).resolve().parent.parent)
    elif settings.get("include-system-site-packages") == "true" and "home" in settings:
        prefixes.append(Path(settings["home"]).parent)
    patterns = (
        "lib/python3*/site-packages",
        "lib64/python3*/site-packages",
        "local/lib/python3*/dist-packages",
        "lib/python3/dist-packages",
    )
    found = [folder for each in prefixes for pattern in patterns for folder in sorted(each.glob(pattern))]
    return tuple({folder.resolve(): folder for folder in [*found[::-1], *listed[::-1]]}.values())[::-1]  # lib64 is a link to lib


def module_file(module: str, folders: tuple[Path, ...]) -> Path | None:
    """Find the file of a compiled module; None where there is none."""
    if not _MODULE.fullmatch(module):
        return None
    *packages, name = module.split(".")
    for folder in folders:
        place = folder.joinpath(*packages)
        for file in [place / f"{name}.so", *sorted(place.glob(f"{name}.*.so"))]:
            if file.is_file() and _fits(file):
                return file
    return None


def extensions(folders: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the compiled files at most two folders below these, and those of bundled libraries."""
    patterns = ("*.so", "*/*.so", "*/lib/*.so*", "*/*/*.so")
    return islice((file for folder in folders for pattern in patterns for file in sorted(folder.glob(pattern))), MOST_FILES)


def needing(library: str, folders: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the compiled files that need a library."""
    for file in extensions(folders):
        elf = read_elf(file)
        if elf is not None and library in elf.needed:
            yield file


def bundled(library: str, folders: tuple[Path, ...]) -> Path | None:
    """Find a library that a package brings along: something may load it before the extension that needs it."""
    patterns = (f"*.libs/{library}", f"*/lib/{library}", f"*/*/lib/{library}", f"*/{library}", f"*/*/{library}")
    return next((file for folder in folders for pattern in patterns for file in folder.glob(pattern)), None)


def torch_library(folders: tuple[Path, ...]) -> Path | None:
    """Return the library that brings all of PyTorch's others along."""
    files = (folder / "torch/lib/libtorch_python.so" for folder in folders)
    return next((file for file in files if file.is_file()), None)


def _fits(file: Path) -> bool:
    """Whether a module is built for the Python release of the folder it is in."""
    built, folder = _ABI.search(file.name), _RELEASE.search(str(file))
    return built is None or folder is None or built.groups() == folder.groups()


def _settings(file: Path) -> dict[str, str] | None:
    with suppress(NotReadableError):
        lines = read_bounded(file, 65_536).decode("utf-8", "replace").splitlines()
        return {name.strip().lower(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    return None
