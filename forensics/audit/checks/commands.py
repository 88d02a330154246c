"""Recognise what the commands of unit files are for: asking a service, checking before a start, rebuilding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from re import compile as pattern

from forensics.audit.checks.targets import names_unit, ports_of_unit
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.units import Unit, commands

ASKS = pattern(
    r"(?i)(?:^|[/\s;&|])(?:curl|wget|https?|xh|nc|ncat)\s.{0,500}(?:://|localhost|127\.0\.0\.1|:\d)|smoke|health-?check|\bverify\b"
)
COMPLETION = pattern(r"(?i)/(?:v1/)?(?:chat/)?completions?\b|/api/(?:chat|generate)\b|/generate\b|\bverify\b")
OWNS_PORT = pattern(r"(?i)\bMainPID\b|\b(?:ss|lsof|fuser|netstat)\b|\bverify\b")
CONFIGURATION = pattern(
    r"(?i)--?(?:check|validate|test|verify|lint)(?:-?config(?:uration)?)?\b|check-?config|config-?(?:check|test)|configtest|validate|\blint\b"
    r"|yamllint|safe_load|json\.tool|--dry-run|(?:nginx|sshd|apachectl) -t\b"
)
DEPENDENCIES = pattern(
    r"(?i)\bldd\b|ldconfig|\bpip3? check\b|-c ['\"]?\s*import |nvidia-smi|preflight|\b(?:test|\[) -[edfrsx] |\b(?:ss|lsof|fuser) |\bdf\b"
    r"|rocm-smi|pg_isready|(?:wait|check)[-_](?:for|deps|gpu|dependencies)"
)
REBUILDS = pattern(
    r"(?i)\brebuild\b|\bpip3? install\b|\buv (?:sync|pip install)\b|\bpoetry install\b|\bconda (?:env )?(?:update|create)\b|nixos-rebuild"
    r"|nix (?:build|develop)|\bvenv\b.*(?:--clear|--upgrade)|docker (?:pull|compose pull)|ansible-pull"
)
PREFLIGHT = pattern(r"(?i)\bpreflight\b")
# what a check can find, and the areas of the catalogue that it is about
COVERS = (
    (pattern(r"(?i)\bldd\b|ldconfig|-c ['\"]?\s*import |preflight"), frozenset({"loader", "torch", "python", "cuda"})),
    (pattern(r"(?i)\bpip3? check\b|-c ['\"]?\s*import |preflight"), frozenset({"python", "torch", "tabby", "vllm", "triton"})),
    (pattern(r"(?i)nvidia-smi|rocm-smi|(?:wait|check)[-_](?:for[-_])?gpu|preflight"), frozenset({"gpu", "cuda", "rocm", "nccl"})),
    (pattern(r"(?i)\b(?:ss|lsof|fuser) |preflight"), frozenset({"port"})),
    (pattern(r"(?i)\b(?:test|\[) -[edfrsx] |preflight"), frozenset({"file", "model", "config", "huggingface"})),
    (pattern(r"(?i)\bdf\b|preflight"), frozenset({"disk"})),
    (pattern(r"(?i)pg_isready|preflight"), frozenset({"database", "network"})),
)
OF_CONFIGURATION = frozenset({"config", "tabby", "uvicorn", "litellm", "systemd"})


def before_start(unit: Unit, wanted: re.Pattern[str]) -> list[tuple[str, str]]:
    """Return (setting, command) of what runs before each start and matches."""
    names = ("ExecCondition", "ExecStartPre")
    return [(name, line) for name in names for line in commands(unit, name) if wanted.search(line)]


def areas_covered(lines: Iterable[str]) -> frozenset[str]:
    """Return the areas of the catalogue whose failures these commands can find."""
    return frozenset().union(*(areas for line in lines for covering, areas in COVERS if covering.search(line)))


def about_unit(found: Inventory, own: Sequence[str], wanted: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield (unit, command) of commands that match: the unit's own of these settings, and those of oneshots that are about it."""
    if found.unit is not None:
        yield from ((found.subject.unit, line) for line in commands(found.unit, *own) if wanted.search(line))
    for unit in found.units.units.values() if found.units is not None else ():
        if unit.settings.unit != found.subject.unit and unit.settings.last("Type") == "oneshot":
            lines = commands(unit, "ExecStart", "ExecStartPre")
            yield from ((unit.settings.unit, line) for line in lines if wanted.search(line) and is_about(found, unit, line))


def is_about(found: Inventory, unit: Unit, line: str) -> bool:
    """Whether a command of another unit is about the audited one: it names it, or a port of it."""
    texts = (
        unit.settings.unit,
        line,
        *(value for name in ("After", "Requires", "BindsTo", "PartOf") for value in unit.settings.every(name)),
    )
    return any(names_unit(found, text) for text in texts) or any(re.search(rf":{port}\b", line) for port in ports_of_unit(found))
