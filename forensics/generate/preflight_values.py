"""Take from the text of a failure what a check before the next start can look at: modules, libraries, ports, paths, memory.

Log text is hostile: a value is taken only in a strict form, so that it needs no quoting anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

PATH = re.compile(r"/(?:[A-Za-z0-9_.+@,=:-]+/)*[A-Za-z0-9_.+@,=:-]+")
_LIBRARY = re.compile(r"(?<![\w.+\-/])((?!lib\.)[A-Za-z0-9_+-][A-Za-z0-9_.+-]*\.so(?:\.\d+)*): cannot open shared object file")
_IN_FILE = re.compile(
    r"(/\S{1,300}\.so[\w.]{0,40}): (?:undefined symbol|file too short|invalid ELF header|wrong ELF class|symbol lookup error)"
)
_REQUIRED_BY = re.compile(r"not found \(required by (/\S+\.so[\w.]*)\)")
_FRAME = re.compile(r'^[ \t]*File "([^"\n]+)", line \d+, in [^\n]*\n[ \t]+([^\n]+)', re.MULTILINE)
_IMPORT = re.compile(r"\s*(?:from\s+(?P<of>\.*[A-Za-z_][\w.]*|\.+)\s+)?import\s+(?:\(\s*)?(?P<name>[A-Za-z_][\w.]*|\*)")
_SITE = re.compile(r"/(?:site|dist)-packages/(.{1,300})$")
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_PORTS = (
    re.compile(r"address \('(?P<address>[^']+)', (?P<port>\d+)\)|\('(?P<address2>[^']+)', (?P<port2>\d+)\)"),
    re.compile(r"(?<![\d.])(?P<address>\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|localhost):(?P<port>\d{2,5})\b"),
    re.compile(r"hostname: (?P<address>[0-9.]+), port: (?P<port>\d+)"),
    re.compile(r"(?i)\bports?:? (?P<port>\d{2,5})\b|in use :::(?P<port2>\d+)|empty port in range: (?P<port3>\d+)-"),
)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]{2,39}")
_QUOTED_PATH = r"['\"]?(/[^'\"\n\s]+)['\"]?"
_PATHS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "model.path-missing": ("exists", (rf"Model path does not exist: {_QUOTED_PATH}", rf"No such file or directory: {_QUOTED_PATH}")),
        "llama-cpp.model-missing": ("read", (rf"failed to open (?:GGUF file )?{_QUOTED_PATH}",)),
        "config.file-missing": ("read", (rf"(?i)config(?:uration)? file (?:not found: )?{_QUOTED_PATH}",)),
        "python.script-missing": ("read", (rf"can't open file {_QUOTED_PATH}: \[Errno 2\]",)),
        "file.permission-denied": ("read", (rf"Permission denied: {_QUOTED_PATH}", rf"failed to open [\w ]*file {_QUOTED_PATH} \(Perm")),
    }
)  # class → how the service uses the path, and where the text names it
_CONFIGURATIONS = (
    rf"(?:in|from|config(?:uration)? file) {_QUOTED_PATH}(?:, line|[:,]| couldn't|$)",
    rf"The YAML config from {_QUOTED_PATH} couldn't",
)
_ON_DISK = (rf"No space left on device: {_QUOTED_PATH}", rf"\b(?:write|open|mkdir) {_QUOTED_PATH}: No space left")
_READ_ONLY = (rf"Read-only file system: {_QUOTED_PATH}",)
_OWN_MEMORY = re.compile(r"Tried to allocate ([\d.]+ [KMGT]iB)\b.*?this process has ([\d.]+ [KMGT]iB) memory in use", re.DOTALL)
_WANTED_MEMORY = re.compile(r"less than desired GPU memory utilization \([\d.]+, ([\d.]+) GiB\)")
_POWERS = {"K": 10, "M": 20, "G": 30, "T": 40}


@dataclass(frozen=True, slots=True)
class Value:
    """An entry of the checks file: the name of its table, and its settings as TOML writes them."""

    kind: str
    settings: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str:
        return dict(self.settings).get(name, "")


def values_of(signature: str, text: str) -> tuple[tuple[Value, ...], int]:
    """Return the values of a failure, and how many were left out because of their form."""
    find = FINDERS.get(signature)
    if find is None:
        return (), 0
    found = tuple(find(signature, text))
    plain = tuple(value for value in found if value is not None)
    return plain, len(found) - len(plain)


def file_module(file: str) -> str:
    """Name the module that a compiled file below site-packages is; "" for other files."""
    inside = _SITE.search(file)
    if inside is None:
        return ""
    name = re.sub(r"(?:\.cpython-[\w-]+|\.abi3)?\.so$", "", inside[1]).replace("/", ".")
    return name if _MODULE.fullmatch(name) and not name.rpartition(".")[2].startswith("lib") else ""


def imported(text: str) -> str:
    """Name the module that the last frame of a traceback imported; "" where it is not an import."""
    frames = _FRAME.findall(text)
    if not frames:
        return ""
    file, code = frames[-1]
    found = _IMPORT.match(code)
    if found is None:
        return ""
    of, name = found["of"], found["name"]
    if of is None:
        return name
    if not of.startswith("."):
        return of
    module = _relative(file, of)
    return module if of.strip(".") or not module else f"{module}.{name}"


def _libraries(_: str, text: str) -> Iterator[Value | None]:
    """Take the module that could not be loaded; where it is not named, the library that it needed."""
    for file in dict.fromkeys([*_IN_FILE.findall(text), *_REQUIRED_BY.findall(text)]):
        yield _module(file_module(file)) or _table("library", file=file)
        return
    missing = _LIBRARY.findall(text)
    if not missing or "error while loading shared libraries" in text:
        return  # of the program itself: checked without an entry
    yield _module(imported(text)) or Value("library", (("name", _quoted(missing[-1])),))


def _ports(_: str, text: str) -> Iterator[Value | None]:
    for pattern in _PORTS:
        for match in pattern.finditer(text):
            named = {name.rstrip("23"): value for name, value in match.groupdict().items() if value}
            port = int(named["port"])
            address = {"localhost": "127.0.0.1"}.get(named.get("address", ""), named.get("address", "").strip("[]"))
            if 1 <= port <= 65_535:
                shown = (("address", _quoted(address)),) if _ADDRESS.fullmatch(address) else ()
                yield Value("port", (("port", str(port)), *shown))
                return


def _paths(signature: str, text: str) -> Iterator[Value | None]:
    access, patterns = _PATHS[signature]
    for path in _named(patterns, text):
        yield _table("path", path=path, access=access)


def _configurations(_: str, text: str) -> Iterator[Value | None]:
    for path in _named(_CONFIGURATIONS, text):
        if path.endswith((".toml", ".json", ".yaml", ".yml", ".ini", ".cfg")):
            yield _table("config", path=path)


def _disks(_: str, text: str) -> Iterator[Value | None]:
    for path in _named(_ON_DISK, text):
        yield _table("disk", path=path.rpartition("/")[0] or "/")


def _read_only(_: str, text: str) -> Iterator[Value | None]:
    for path in _named(_READ_ONLY, text):
        yield _table("path", path=path.rpartition("/")[0] or "/", access="write")


def _memory(_: str, text: str) -> Iterator[Value | None]:
    """Take what the process held and wanted: less than that was free before it started."""
    if wanted := _WANTED_MEMORY.search(text):
        yield Value("vram", (("free", _quoted(f"{float(wanted[1]):.2f} GiB")),))
    elif own := _OWN_MEMORY.search(text):
        total = sum(float(each.split()[0]) * 2 ** (_POWERS[each.split()[1][0]] - 30) for each in own.groups())
        yield Value("vram", (("free", _quoted(f"{total:.2f} GiB")),))


def _named(patterns: tuple[str, ...], text: str) -> Iterator[str]:
    found = (path.rstrip(".,:;)") for pattern in patterns for path in re.findall(pattern, text, re.MULTILINE))
    yield from dict.fromkeys(found)


def _module(name: str) -> Value | None:
    return Value("library", (("module", _quoted(name)),)) if _MODULE.fullmatch(name) and len(name) <= 200 else None


def _table(kind: str, **settings: str) -> Value | None:
    """Make an entry with a path; None where the path has a form that is not plain."""
    path = settings.get("path", settings.get("file", ""))
    if path != "/" and (not PATH.fullmatch(path) or len(path) > 500 or "/../" in f"{path}/"):
        return None
    return Value(kind, tuple((name, _quoted(value)) for name, value in settings.items()))


def _relative(file: str, of: str) -> str:
    """Resolve a relative import in a file below site-packages."""
    inside = _SITE.search(file)
    if inside is None:
        return ""
    packages = inside[1].split("/")[: -(len(of) - len(of.lstrip(".")))]
    return ".".join([*packages, *filter(None, [of.strip(".")])])


def _quoted(text: str) -> str:
    return f'"{text}"'


FINDERS: Mapping[str, Callable[[str, str], Iterator[Value | None]]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "loader.libstdcxx-missing", "loader.library-missing", "loader.cuda-library-missing", "loader.libstdcxx-too-old",
                "loader.library-damaged", "torch.abi-mismatch",
            ),
            _libraries,
        ),
        "port.conflict": _ports,
        **dict.fromkeys(_PATHS, _paths),
        **dict.fromkeys(("config.file-invalid", "tabby.config-ignored"), _configurations),
        "disk.full": _disks,
        "disk.read-only": _read_only,
        "gpu.vram-exhausted": _memory,
    }
)  # fmt: skip
