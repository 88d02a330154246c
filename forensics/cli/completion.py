"""Complete units, formats, classes, patterns and time zones in a shell: from what the store and the catalogue have, without an analysis."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, MutableMapping
from pathlib import Path

import typer

# Unit names are log text, and shells evaluate what completes a word: zsh ends its quotes at \" and bash expands *.
HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@+-]*")
LONGEST = 256  # characters of a word
MOST_CLASSES = 1000
ASKED = "_TABBY_FORENSICS_COMPLETE"  # the variable by which a shell asks
BEFORE = "_TABBY_FORENSICS_BEFORE"
BREAKS = (":", "@")  # bash takes these for words of their own, and `=` too


def rejoin_words(environment: MutableMapping[str, str]) -> None:
    """Undo how bash splits the word to complete: of `rename mined : e5` the words are `rename e5`, and BEFORE is `mined:`."""
    number = environment.get("COMP_CWORD", "")
    if environment.get(ASKED) != "complete_bash" or not number.isdecimal():
        return
    words = environment.get("COMP_WORDS", "").split()
    last = words[int(number)] if int(number) < len(words) else ""
    words, before = words[: int(number)], ""
    if last in {*BREAKS, "="}:
        words, last = [*words, last], ""
    while len(words) > 2 and words[-1] in BREAKS:
        before = "".join(words[-2:]) + before
        del words[-2:]
    words = [word for word in words if word != "="]
    environment.update({"COMP_WORDS": " ".join([*words, last]).rstrip(), "COMP_CWORD": str(len(words)), BEFORE: before})


def choices(*names: str) -> Callable[[str], list[str]]:
    """Complete one of a few words."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete


def units(context: typer.Context, incomplete: str) -> list[str]:
    """Complete a service that the store has entries of."""
    from forensics.store.units import recorded_services

    return _completed(recorded_services(_store(context)), incomplete)


def classes(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the id of a failure class that `classes` listed; of a pattern, where it never did."""
    return _completed(_listed_classes(_store(context)) or _pattern_ids(), incomplete)


def unknown_classes(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the id of an unknown class that was listed before."""
    return _completed([id_ for id_ in _listed_classes(_store(context)) if id_.startswith("mined:")], incomplete)


def patterns(incomplete: str) -> list[str]:
    """Complete the id of a pattern."""
    return _completed(_pattern_ids(), incomplete)


def zones(incomplete: str) -> list[str]:
    """Complete the name of a time zone."""
    from zoneinfo import available_timezones

    return sorted(name for name in available_timezones() if name.startswith(incomplete))


def areas(incomplete: str) -> list[str]:
    """Complete an area of the catalogue: the first part of the ids of its patterns."""
    return _completed(dict.fromkeys(id_.partition(".")[0] for id_ in _pattern_ids()), incomplete)


def keep_classes(store: Path, ids: Iterable[str]) -> None:
    """Keep the ids that a command has listed, so that they complete later; a cache that cannot be written is none."""
    from forensics.files import PRIVATE_FILE, make_private_directory, write_atomically

    target = _kept(store)
    text = "".join(f"{id_}\n" for id_ in list(ids)[:MOST_CLASSES] if HARMLESS.fullmatch(id_))
    try:
        make_private_directory(target.parent)
        write_atomically(target, text, mode=PRIVATE_FILE)
    except OSError:
        return


def _listed_classes(store: Path) -> list[str]:
    from forensics.files import NotReadableError, read_bounded

    try:
        return read_bounded(_kept(store), MOST_CLASSES * LONGEST).decode("ascii", "ignore").split()
    except NotReadableError:
        return []


def _kept(store: Path) -> Path:
    from forensics.paths import cache_folder

    name = hashlib.sha256(os.fsencode(store.absolute())).hexdigest()[:16]
    return cache_folder() / "completion" / f"classes-{name}"


def _pattern_ids() -> list[str]:
    """List the ids of the shipped and the user's patterns, from the paths of their files alone."""
    from forensics.paths import users_patterns
    from forensics.resources import folder

    directories = (folder("patterns"), users_patterns())
    return sorted({_id_of(path.relative_to(directory)) for directory in directories for path in directory.rglob("*.toml")})


def _id_of(path: Path) -> str:
    """torch/abi-mismatch.toml → torch.abi-mismatch, as `signatures.pattern_file` has it, whose libraries take 0.2 s to load."""
    return ".".join(path.with_suffix("").parts)


def _store(context: typer.Context) -> Path:
    """The store that the command line names so far, or its group's, or the user's own."""
    from forensics.paths import store_folder

    at: typer.Context | None = context
    while at is not None:
        if at.params.get("store"):
            return Path(at.params["store"])
        at = at.parent  # type: ignore[assignment]
    return store_folder()


def _completed(names: Iterable[str], incomplete: str) -> list[str]:
    """Return the names that begin with what is typed; in bash without the words that it has taken for whole."""
    before = os.environ.get(BEFORE, "")
    found = (name for name in names if name.startswith(before + incomplete) and len(name) <= LONGEST and HARMLESS.fullmatch(name))
    return [name.removeprefix(before) for name in found]
