"""Load what several commands need: the pattern catalogue, and all history in a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forensics.pipeline import History
    from forensics.signatures.catalogue import Catalogue


def load_catalogue(directories: Sequence[Path]) -> Catalogue:
    """Load the patterns; name on stderr the user's files that are skipped because of mistakes."""
    from forensics.cli import output
    from forensics.signatures import catalogue

    loaded = catalogue.load(directories)
    if loaded.refused:
        output.notice(f"skipped patterns: {catalogue.format_mistakes(loaded.refused)}")
    return loaded


def read_whole_store(store: Path | None) -> tuple[History, Catalogue]:
    """Label everything in the store with the shipped catalogue and the user's own, without overrides."""
    from forensics.classes.overrides import Overrides
    from forensics.cli import parse
    from forensics.pipeline import read_history
    from forensics.query import Query, Sources
    from forensics.signatures import catalogue

    query = Query(Sources(), parse.store_named(store), parse.clock(), pattern_folders=parse.pattern_folders(None))
    patterns = catalogue.load(query.pattern_folders)
    history = read_history(query, patterns, Overrides())
    notice_damage(history)
    return history, patterns


def notice_damage(history: History) -> None:
    """Name on stderr the parts of the store that could not be read."""
    from forensics.cli import output

    for damage in history.damage:
        output.notice(f"{damage.file}: {damage.reason}.")
