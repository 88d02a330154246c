"""Read the plain arguments of `explain` without typer, which takes as much CPU time to load as a short log to explain."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.paths import config_files

FLAGS = {
    "--exit-code": ("exit_code", True),
    "--verbose": ("verbose", True),
    "--redact": ("redact", True),
    "--no-redact": ("redact", False),
}


def explain_arguments(words: Sequence[str]) -> dict[str, Any] | None:
    """Return the arguments of `explaining.explain_log` where each word is a whole option or the log; null for all else."""
    if words[:1] != ["explain"] or any(map(os.path.lexists, config_files())):  # of which typer gets the defaults
        return None
    logs: list[Path] = []
    patterns: list[Path] = []
    options: dict[str, Any] = {}
    rest = iter(words[1:])
    for word in rest:
        if word in FLAGS:
            name, options[name] = FLAGS[word]
        elif word in {"--format", "--patterns"}:
            value = next(rest, "-")
            if value.startswith("-"):
                return None
            if word == "--format":
                options["format_"] = value
            else:
                patterns.append(Path(value))
        elif word == "-" or not word.startswith("-"):
            logs.append(Path(word))
        else:
            return None
    return {"log": logs[0], "patterns": patterns, **options} if len(logs) == 1 else None
