"""Join lines of words that are one kind of event, by judging every slot in which their words vary.

A slot is a position in a line whose other words are equal. Its words are values where they look like names, where the word before
introduces a name, or where there are many of them; words that name a state or the opposite of another word are not, until there are so
many that no program can have so many states.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from forensics.signatures.clustering.key_words import VALUE
from forensics.signatures.clustering.vocabulary import INTRODUCES, STATES, STATES_WHAT

Words = tuple[str, ...]
Joiner = Callable[[list[Words]], dict[Words, Words]]

MANY = (30, 30, 8, 5)  # free words that make a slot a variable, by the number of words of the sentence around it: 0, 1, 2, 3 or more
TOO_MANY = 30  # no program has as many states or codes
NAMED = 3  # variants, where the word before introduces a name
ASSIGNED = 5  # and after an equals sign, where states occur too
SEVERAL = 8  # and in several slots at once

_MARKS = frozenset('=:,;()[]{}"|')
_SENTENCE = re.compile(r"[A-Za-z]{2,}")
_ODD = re.compile(r"[\d_./@$\\#~-]|<\*>|[a-z][A-Z]")  # written like no word of a sentence
_NAME = re.compile(r"<\*>|^[\"']?[\w$-]+(?:\.[\w$-]+){2,}|/|@|\\|\d")
_CAPITALS = re.compile(r"^[A-Z][A-Z_]+$")
_LAST_PART = re.compile(r"(?:[A-Z]?[a-z]{1,64}|[A-Z]{1,64})[\"']?$")  # STOP of onSTOP, Stop of onStop, OFF of SCREEN_OFF


def one_slot(lines: list[Words]) -> dict[Words, Words]:
    """Join lines that differ in one word."""
    return _joined(lines, [_values(lines, members, at) for at, members in _differing_in_one(lines)])


def several_slots(lines: list[Words]) -> dict[Words, Words]:
    """Join lines that differ in several words, each of which can be a value."""
    groups = defaultdict(list)
    for i, line in enumerate(lines):  # about 20 µs per line of 20 words; lines are what is left of distinct keys
        sentence = _sentence_words(line)
        kept = tuple(VALUE if _can_be_value(line, at, sentence) else word for at, word in enumerate(line))
        if _sentence_words(kept) >= 3:
            groups[kept].append(i)
    return _joined(lines, [members for kept, members in groups.items() if len(members) >= _enough([lines[m] for m in members], kept)])


def _differing_in_one(lines: list[Words]) -> Iterator[tuple[int, list[int]]]:
    """(position, indices of the lines) of each set of lines that are equal but for the word at that position.

    A line's hash is the sum over its words of word hash × weight of the position, so the hash without one word is one subtraction: the
    cost is linear in the words, not quadratic.
    """
    if not lines:
        return
    lengths = np.fromiter((len(line) for line in lines), dtype=np.int64, count=len(lines))
    vocabulary = {word: _hash(word) for word in {word for line in lines for word in line}}
    hashes = np.fromiter((vocabulary[word] for line in lines for word in line), dtype=np.uint64, count=int(lengths.sum()))
    line_of = np.repeat(np.arange(len(lines)), lengths)
    position = np.arange(len(hashes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    weights = np.fromiter((_hash(str(p)) | 1 for p in range(int(lengths.max(initial=0)))), dtype=np.uint64)
    terms = hashes * weights[position]
    sums = np.zeros(len(lines), dtype=np.uint64)
    np.add.at(sums, line_of, terms)
    rest = (sums[line_of] - terms) ^ (weights[position] * (lengths[line_of].astype(np.uint64) * np.uint64(2) + np.uint64(1)))
    order = np.argsort(rest, kind="stable")
    for group in _groups(order, np.flatnonzero(np.diff(rest[order])) + 1):
        yield int(position[group[0]]), line_of[group].tolist()


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _groups(order: npt.NDArray[np.int64], cuts: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """The pieces of `order` between the cuts, of those with more than one element."""
    begins, ends = np.concatenate(([0], cuts)), np.concatenate((cuts, [len(order)]))
    several = ends - begins > 1
    for begin, end in zip(begins[several], ends[several], strict=True):
        yield order[begin:end]


def _values(lines: list[Words], members: list[int], at: int) -> list[int]:
    """Those lines of one slot whose words are values of one variable; none when the slot is not a variable."""
    line = lines[members[0]]
    words = {m: lines[m][at] for m in members}
    if line[at + 1 : at + 2] == ("=",) or not _MARKS.isdisjoint(words.values()):
        return []
    if len(members) >= TOO_MANY and _sentence_words(line, but=at) >= 1:
        return members
    free = [m for m, word in words.items() if "‹" not in word and not _is_state(word)]
    return free if len(free) > 1 and _is_variable(line, at, [words[m] for m in free]) else []


def _is_variable(line: Words, at: int, words: list[str]) -> bool:
    n, around = len(words), _sentence_words(line, but=at)
    assigned, named = at > 0 and line[at - 1] == "=", _is_introduced(line, at)
    if around < 1 or (assigned and not named):
        return False
    if n >= MANY[min(around, 3)]:
        return True
    return around >= 2 and ((named and n >= (ASSIGNED if assigned else NAMED)) or _look_like_values(line, at, words, around))


def _look_like_values(line: Words, at: int, words: list[str], around: int) -> bool:
    n = len(words)
    odd = sum(1 for word in words if _ODD.search(word))
    if any(VALUE in word for word in words) and all(word[0] in "'\"" for word in words):
        return True
    if all(_NAME.search(word) for word in words) or (around >= 3 and odd == n >= 3):
        return True
    after_name = _is_introduced(line, at) or (at > 0 and line[at - 1] in "([=")
    return VALUE in words and (n >= 3 or odd >= 2 or after_name)


def _can_be_value(line: Words, at: int, sentence: int) -> bool:
    word = line[at]
    if word in _MARKS or "‹" in word or line[at + 1 : at + 2] == ("=",):
        return False
    if _CAPITALS.match(word):  # LOOKING, FOLLOWING: states in a long line of many other words
        return sentence >= 8
    if _is_state(word):
        return False
    return word[0] == '"' or _NAME.search(word) is not None or (at > 0 and line[at - 1] == "=" and _is_introduced(line, at))


def _enough(members: list[Words], kept: Words) -> int:
    """How many lines make several slots variables at once: fewer where all are quoted, assigned or in capitals."""
    free = [at for at, word in enumerate(kept) if word == VALUE and len({line[at] for line in members}) > 1]
    plain = all(line[at][0] == '"' or (at > 0 and line[at - 1] == "=") or _CAPITALS.match(line[at]) for at in free for line in members)
    return ASSIGNED if plain else SEVERAL


def _sentence_words(line: Words, but: int = -1) -> int:
    return sum(1 for at, word in enumerate(line) if at != but and VALUE not in word and _SENTENCE.search(word))


def _is_state(word: str) -> bool:
    part = _LAST_PART.search(word)
    return part is not None and part[0].strip("\"'").lower() in STATES


def _is_introduced(line: Words, at: int) -> bool:
    """Whether the word before a slot introduces a name."""
    if at == 0:
        return False
    before = line[at - 1]
    if before in {"=", ":"} and at > 1:
        label = line[at - 2].lower().strip("-_\"'")
        return label not in STATES_WHAT and (before == "=" or label in INTRODUCES)
    return before.lower().strip("\"'") in INTRODUCES


def _joined(lines: list[Words], groups: list[list[int]]) -> dict[Words, Words]:
    """Merge groups with a line in common, and map each joined line to the words that its group shares."""
    parent = list(range(len(lines)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    # About 1 µs per joined line; lines are distinct keys, of which a journal has thousands, not entries, of which it has millions.
    for members in groups:
        for other in members[1:]:
            parent[root(other)] = root(members[0])
    together = defaultdict(list)
    for i in {member for members in groups for member in members}:
        together[root(i)].append(lines[i])
    return {line: words for members in together.values() for words in [_common(members)] for line in members}


def _common(members: list[Words]) -> Words:
    return tuple(words[0] if len(set(words)) == 1 else VALUE for words in zip(*members, strict=True))
