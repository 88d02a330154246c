"""Find the real metrics that a name was probably meant to be, by its words rather than its characters."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from forensics.rules.catalogue import catalogue

MOST = 3
LONGEST = 200  # characters of a name that is looked for
_LEAST = 0.4
_SYNONYMS = (
    {"unit", "service"},
    {"failure", "failures", "failed", "error", "errors", "errs"},
    {"count", "number", "num", "total"},
    {"receive", "received", "rx", "in"},
    {"transmit", "transmitted", "sent", "tx", "out"},
    {"success", "successful", "up"},
    {"status", "state", "health"},
)
_SYNONYM, _PART, _TYPO = 0.7, 0.8, 0.8  # how alike a synonym is, `start` in `restart`; at least how alike a word and its misspelling are
_KIND, _SPELLING = 0.15, 0.25  # how much the kind of metric and the whole spelling count beside the words


@dataclass(frozen=True, slots=True)
class _Index:
    """The words of the catalogue: of each name, and how much each says, as it is rare."""

    names: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, float]


@lru_cache(maxsize=1)
def _index() -> _Index:
    names = {name: _words(name) for name in catalogue().rows}
    counts = Counter(word for words in names.values() for word in set(words))
    return _Index(names, {word: math.log(len(names) / count) for word, count in counts.items()})


@lru_cache(maxsize=1024)
def nearest(name: str, *, counter: bool = False) -> tuple[str, ...]:
    """Return the three metrics that a name resembles most, best first. counter: it is used in rate() or increase()."""
    index, words = _index(), _words(name[:LONGEST])
    like = {word: _alike(word) for word in words}
    wants_counter = counter or name.endswith("_total")
    rough = {other: _by_words(words, theirs, like, index.weights) for other, theirs in index.names.items()}
    candidates = sorted(rough, key=lambda other: (-rough[other], other))[:40]
    scores = {other: rough[other] + _by_kind(other, wants_counter=wants_counter) + _by_spelling(name, other) for other in candidates}
    best = sorted((other for other in candidates if scores[other] >= _LEAST), key=lambda other: (-scores[other], other))
    return tuple(best[:MOST])


def is_typo(name: str, other: str) -> bool:
    """Whether two names of nine characters and more differ in one or two of them."""
    longer = max(len(name), len(other))
    if longer < 9 or abs(len(name) - len(other)) > 2:
        return False
    blocks = SequenceMatcher(None, name, other, autojunk=False).get_matching_blocks()
    return longer - sum(block.size for block in blocks) <= 2


def _by_words(
    words: tuple[str, ...], theirs: tuple[str, ...], like: Mapping[str, Mapping[str, float]], weights: Mapping[str, float]
) -> float:
    """Compare the words of two names, 0…1; a rare word counts for more."""
    matched = total = 0.0
    for word in words:
        weight = weights.get(word, 5.0)
        total += weight
        matched += weight * max((like[word].get(other, 0.0) for other in theirs), default=0.0)
    if not matched:
        return 0.0
    for other in theirs:
        weight = weights[other]
        total += weight
        matched += weight * max((like[word].get(other, 0.0) for word in words), default=0.0)
    return matched / total


@lru_cache(maxsize=1024)
def _alike(word: str) -> Mapping[str, float]:
    """Return the words of the catalogue that are like a word, and how much."""
    found = {other: _likeness(word, other) for other in _index().weights}
    return {other: likeness for other, likeness in found.items() if likeness}


def _likeness(word: str, other: str) -> float:
    if word == other:
        return 1.0
    if any(word in synonyms and other in synonyms for synonyms in _SYNONYMS):
        return _SYNONYM
    if abs(len(word) - len(other)) > 3 or min(len(word), len(other)) < 4:
        return 0.0
    if word in other or other in word:
        return _PART
    if len(set(word) & set(other)) < 0.6 * max(len(set(word)), len(set(other))):
        return 0.0
    ratio = SequenceMatcher(None, word, other, autojunk=False).ratio()
    return ratio if ratio >= _TYPO else 0.0


def _by_kind(other: str, *, wants_counter: bool) -> float:
    is_counter = catalogue().rows[other].get("type") == "counter" or other.endswith(("_total", "_count", "_sum", "_bucket"))
    return _KIND if is_counter == wants_counter else -_KIND


def _by_spelling(name: str, other: str) -> float:
    return _SPELLING * SequenceMatcher(None, name, other, autojunk=False).ratio()


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in re.split(r"[_:.]+|(?<=[a-z])(?=[A-Z])", name) if word)
