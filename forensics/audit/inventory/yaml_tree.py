"""Read a configuration in YAML into plain dicts, lists and strings, within the limits of forensics.rules.yaml_nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forensics.files import NotReadableError, read_bounded
from forensics.rules.yaml_nodes import Mapping, Node, Scalar, Sequence, YamlError, documents

LONGEST = 8 << 20  # bytes of a file


class UnusableError(Exception):
    """Why a configuration cannot be used, as in "is not YAML: …"."""


def read_text(file: Path) -> str:
    """Read a file as text. Raises UnusableError."""
    try:
        return read_bounded(file, LONGEST).decode("utf-8-sig")
    except NotReadableError as error:
        raise UnusableError(str(error)) from None
    except UnicodeDecodeError:
        raise UnusableError("is not text in UTF-8") from None


def parse_tree(text: str) -> dict[str, Any]:
    """Parse the first document; every scalar stays a string, and null is None. Raises UnusableError where it is no mapping."""
    try:
        root = next(documents(text), None)
    except YamlError as error:
        raise UnusableError(f"line {error.line}: {error}" if error.line else str(error)) from None
    except ValueError as error:  # characters that YAML does not allow
        raise UnusableError(f"is not YAML: {error}") from None
    tree = None if root is None else plain(root)
    if not isinstance(tree, dict):
        raise UnusableError("has no settings")
    return tree


def plain(node: Node) -> Any:
    match node:
        case Scalar():
            return None if node.is_null else node.value
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {name.value: plain(value) for name, value in node.pairs if isinstance(name, Scalar)}


def mapping(value: Any) -> dict[str, Any]:
    """Return a mapping, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return a list, an empty one for anything else."""
    return value if isinstance(value, list) else []


def strings(value: Any) -> tuple[str, ...]:
    """Return the strings of a list; a single string is a list of one."""
    return tuple(item for item in ([value] if isinstance(value, str) else items(value)) if isinstance(item, str))


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """Return a number, also one written as a string; None for anything else."""
    try:
        return float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None
