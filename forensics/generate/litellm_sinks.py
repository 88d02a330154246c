"""Find the sinks of the breaker's alerts: given as KIND:URL, or those of a watch.toml that it can send to."""

from __future__ import annotations

from pathlib import Path

from forensics.errors import UsageError
from forensics.generate.litellm_alerts import SINKS
from forensics.watch.config import read_config, url_problem


def parse_sink(text: str) -> dict[str, str]:
    """Read KIND:URL. Raises UsageError, which quotes no URL."""
    kind, _, url = text.partition(":")
    if kind not in SINKS or not url:
        raise UsageError(f"--sink: write {', '.join(f'{name}:URL' for name in SINKS)}.")
    problem = url_problem(url)
    if problem:
        raise UsageError(f"--sink {kind}: the URL {problem}.")
    return {"kind": kind, "url": url}


def sinks_of(file: Path) -> tuple[list[dict[str, str]], list[str]]:
    """Read watch.toml: the sinks that the breaker can use, and the names of the others. Raises UsageError."""
    usable, others = [], []
    for name, sink in read_config(file).sinks.items():
        kind, url = type(sink).__name__.lower(), getattr(sink, "url", "")
        if kind in SINKS:
            token = getattr(sink, "token", "")
            usable.append({"kind": kind, "url": url, **({"token": token} if token else {})})
        else:
            others.append(name)
    return usable, others
