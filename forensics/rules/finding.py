"""Find the rule files that paths and patterns name, and read them within bounds."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from forensics.errors import UsageError
from forensics.files import NotReadableError, read_bounded
from forensics.rules.rule import Rule, RuleFiles
from forensics.rules.rule_file import FileRules, rules_of
from forensics.toml_file import Mistake

LONGEST_FILE = 8 << 20  # bytes
MOST_FILES = 20_000
SUFFIXES = (".yml", ".yaml", ".rules")
STREAM = Path("-")


def read_rules(paths: Sequence[Path]) -> RuleFiles:
    """Read the rules of files, of all YAML files below directories, and of files that match a pattern; `-` is standard input.

    A mistake takes away its own rule only. Raises UsageError for a path that does not exist and a pattern that matches nothing.
    """
    rules: list[Rule] = []
    mistakes: list[Mistake] = []
    files: dict[str, None] = {}
    for file, is_named in _found(paths):
        if str(file) in files:
            continue
        read = _read(file)
        if not read.is_rule_file and not read.mistakes and is_named:
            read.mistakes.append(Mistake(file, None, "", "has no rules: neither 'groups:' nor a PrometheusRule"))
        if is_named or read.is_rule_file or read.mistakes:
            files[str(file)] = None
        rules += read.rules
        mistakes += read.mistakes
    if not files:
        raise UsageError(f"There is no rule file in {', '.join(str(path) for path in paths)}: no YAML file with 'groups:'.")
    return RuleFiles(tuple(rules), tuple(mistakes), tuple(files))


def _read(file: Path) -> FileRules:
    try:
        return rules_of(file, _content(file).decode("utf-8-sig"))
    except NotReadableError as error:
        return FileRules(mistakes=[Mistake(file, None, "", str(error))])
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return FileRules(mistakes=[Mistake(file, line, "", f"is not UTF-8 at byte {error.start}")])


def _content(file: Path) -> bytes:
    if file != STREAM:
        return read_bounded(file, LONGEST_FILE)
    content = sys.stdin.buffer.read(LONGEST_FILE + 1)
    if len(content) > LONGEST_FILE:
        raise NotReadableError(f"is longer than {LONGEST_FILE:,} bytes; is it the right file?")
    return content


def _found(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield each file, and whether it is named itself rather than found in a directory."""
    count = 0
    for path in paths:
        for file, is_named in _below(path):
            count += 1
            if count > MOST_FILES:
                raise UsageError(f"'{path}' has more than {MOST_FILES:,} YAML files; is it the right directory?")
            yield file, is_named


def _below(path: Path) -> Iterator[tuple[Path, bool]]:
    if path == STREAM:
        yield path, True
    elif path.is_dir():
        for folder, names, files in os.walk(path):
            names[:] = sorted(name for name in names if not name.startswith("."))  # .git; ..data of a mounted ConfigMap
            yield from ((Path(folder, name), False) for name in sorted(files) if name.endswith(SUFFIXES))
    elif path.exists() or path.is_symlink():
        yield path, True
    else:
        matched = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - a pattern may be absolute
        if not matched:
            is_pattern = glob.has_magic(str(path))
            raise UsageError(f"'{path}' matches no file." if is_pattern else f"'{path}' does not exist.")
        for name in matched:
            yield from _below(Path(name))
