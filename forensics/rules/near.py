"""Find the real metrics that a name was probably meant to be, by its words rather than its characters."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from forensics.rules.metric_names import catalogue

MOST = 3
_SHARING, _CONSIDERED = 150, 40  # names that are compared word by word, and character by character
_UNKNOWN_WORD = 5.0  # how much a word says that is in no name
LONGEST = 200  # characters of a name that is looked for
_LEAST, _ELSEWHERE = 0.4, 0.5  # how much alike a metric must be; in words alone, where it is of another namespace
_SYNONYMS = (
    {"unit", "service"},
    {"failure", "failures", "failed", "error", "errors", "errs"},
    {"count", "number", "num", "total"},
    {"receive", "received", "rx", "in"},
    {"transmit", "transmitted", "sent", "tx", "out"},
    {"success", "successful", "up"},
    {"status", "state", "health"},
)
_CHANGING = {"vllm", "litellm", "llamacpp"}  # programs that get new metrics with each version
_MEASURES = frozenset(
    {"failed", "failure", "failures", "error", "errors", "restart", "restarts", "start", "starts", "stop", "total", "count", "seconds"}
    | {"bytes", "status", "state", "up", "down", "active", "usage", "percent", "ratio", "rate"}
)
_SYNONYM, _PART, _TYPO = 0.7, 0.8, 0.8  # how alike a synonym is, `start` in `restart`; at least how alike a word and its misspelling are
_KIND, _SPELLING, _NAMESPACE, _OLD = (
    0.15,
    0.25,
    0.15,
    0.1,
)  # how much the kind of metric, the spelling and the first word count beside the words


@dataclass(frozen=True, slots=True)
class _Index:
    """The words of each name, the names with each word, and how much a word says, as it is rare."""

    words: Mapping[str, tuple[str, ...]]
    names: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, float]


@lru_cache(maxsize=1)
def _index() -> _Index:
    words = {name: _words(name) for name in catalogue().rows}
    names: dict[str, list[str]] = {}
    for name, parts in words.items():
        for part in dict.fromkeys(parts):
            names.setdefault(part, []).append(name)
    weights = {word: math.log(len(words) / len(having)) for word, having in names.items()}
    return _Index(words, {word: tuple(having) for word, having in names.items()}, weights)


@lru_cache(maxsize=4096)
def nearest(name: str, *, counter: bool = False) -> tuple[str, ...]:
    """Return the three metrics that a name resembles most, best first. counter: it is used in rate() or increase()."""
    if len(name) > LONGEST:
        return ()
    index, words = _index(), _words(name)
    wants_counter = counter or name.endswith("_total")
    rough = {other: _by_words(words, index.words[other]) for other in _sharing(words)}
    candidates = [other for other in rough if rough[other] >= _ELSEWHERE or index.words[other][0] == words[0]]
    candidates = sorted(candidates, key=lambda other: (-rough[other], other))[:_CONSIDERED]
    scores = {other: rough[other] + _besides(name, other, wants_counter=wants_counter) for other in candidates}
    best = sorted((other for other in candidates if scores[other] >= _LEAST), key=lambda other: (-scores[other], other))
    return tuple(best[:MOST])


def _sharing(words: tuple[str, ...]) -> list[str]:
    """Return the names that share most with these words, before their other words are compared."""
    index = _index()
    shared: dict[str, float] = {}
    for word in words:
        best: dict[str, float] = {}
        for other, likeness in _alike(word).items():
            for name in index.names[other]:
                best[name] = max(best.get(name, 0.0), likeness * index.weights[other])
        for name, points in best.items():
            shared[name] = shared.get(name, 0.0) + points
    return heapq.nlargest(_SHARING, sorted(shared), key=lambda name: shared[name])


def typo_of(name: str) -> str:
    """Return the metric that differs from a name of nine characters and more in one or two of them; "" where there is none."""
    if not 9 <= len(name) <= LONGEST:
        return ""
    letters = Counter(name)
    for other in catalogue().rows:
        if abs(len(name) - len(other)) <= 2 and name[0] == other[0] and (letters - Counter(other)).total() <= 2:
            blocks = SequenceMatcher(None, name, other, autojunk=False).get_matching_blocks()
            if max(len(name), len(other)) - sum(block.size for block in blocks) <= 2:
                return other
    return ""


def continued(name: str) -> tuple[str, ...]:
    """Return the metrics that a name is only the beginning of, or a misspelling: node_memory_MemFree without its _bytes."""
    longer = sorted(other for other in catalogue().rows if other.startswith(f"{name}_"))
    typo = typo_of(name)
    return tuple(longer[:MOST]) or ((typo,) if typo else ())


def is_combination(name: str) -> bool:
    """Whether all words of a name, or words like them, are in names of its namespace."""
    words = _words(name) if len(name) <= LONGEST else ()
    vocabulary = _vocabulary(words[0]) if words else frozenset()
    return bool(words) and all(not vocabulary.isdisjoint(_alike(word)) for word in words)


@lru_cache(maxsize=64)
def _vocabulary(namespace: str) -> frozenset[str]:
    """Return the words of a namespace, and those that say what is measured where its exporter hardly changes."""
    words = {word for words in _index().words.values() if words[0] == namespace for word in words}
    return frozenset(words if namespace in _CHANGING else words | _MEASURES)


def _by_words(words: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    """Compare the words of two names, 0…1; a rare word counts for more."""
    weights, like = _index().weights, [_alike(word) for word in words]
    matched = total = 0.0
    for word, alike in zip(words, like, strict=True):
        weight = weights.get(word, _UNKNOWN_WORD)
        total += weight
        matched += weight * max(alike.get(other, 0.0) for other in theirs)
    for other in theirs:
        total += weights[other]
        matched += weights[other] * max(alike.get(other, 0.0) for alike in like)
    return matched / total


@lru_cache(maxsize=8192)
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


def _besides(name: str, other: str, *, wants_counter: bool) -> float:
    """Compare what is not words: kind of metric, spelling, namespace."""
    is_counter = catalogue().rows[other].get("type") == "counter" or other.endswith(("_total", "_count", "_sum", "_bucket"))
    spelling = SequenceMatcher(None, name, other, autojunk=False).ratio()
    is_of_namespace = _words(name)[:1] == _words(other)[:1]
    is_old = bool(catalogue().rows[other].get("until"))
    return (_KIND if is_counter == wants_counter else -_KIND) + _SPELLING * spelling + _NAMESPACE * is_of_namespace - _OLD * is_old


def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in re.split(r"[_:.]+|(?<=[a-z])(?=[A-Z])", name) if word)
