"""Lines of words in, those that are one kind of event joined out: every slot in which words vary is judged by what stands in it.

A slot is a place in a line whose other words are equal. Its words are values where they look like names, where the word before says
that a name follows, or where there are many of them; words that say a state or the opposite of another word never are until there
are so many that no program can have so many states.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from forensics.signatures.clustering.key_words import VALUE
from forensics.signatures.clustering.vocabulary import INTRODUCES, SAYS_WHAT, STATES

Words = tuple[str, ...]
Joiner = Callable[[list[Words]], dict[Words, Words]]

MANY = (30, 30, 8, 5)  # free words that make a slot a variable, by the number of words of the sentence around it: 0, 1, 2, 3 or more
TOO_MANY = 30  # as many states or codes no program has
NAMED = 3  # variants, where the word before says that a name follows
ASSIGNED = 5  # and after an equals sign, where states stand too
SEVERAL = 8  # and in several slots at once

_MARKS = frozenset('=:,;()[]{}"|')
_SENTENCE = re.compile(r"[A-Za-z]{2,}")
_ODD = re.compile(r"[\d_./@$\\#~-]|<\*>|[a-z][A-Z]")  # written as no word of a sentence is
_NAME = re.compile(r"<\*>|^[\"']?[\w$-]+(?:\.[\w$-]+){2,}|/|@|\\|\d")
_CAPITALS = re.compile(r"^[A-Z][A-Z_]+$")
_LAST_PART = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+)[\"']?$")  # STOP of onSTOP, Stop of onStop, OFF of SCREEN_OFF


def one_slot(lines: list[Words]) -> dict[Words, Words]:
    """Joins lines that differ in one word."""
    return _joined(lines, [_values(lines, members, place) for place, members in _differing_in_one(lines)])


def several_slots(lines: list[Words]) -> dict[Words, Words]:
    """Joins lines that differ in several words, each of which can be a value."""
    groups = defaultdict(list)
    for i, line in enumerate(lines):  # about 20 µs a line of 20 words; lines are what is left of distinct keys
        sentence = _sentence_words(line)
        kept = tuple(VALUE if _can_be_value(line, place, sentence) else word for place, word in enumerate(line))
        if _sentence_words(kept) >= 3:
            groups[kept].append(i)
    return _joined(lines, [members for kept, members in groups.items() if len(members) >= _enough([lines[m] for m in members], kept)])


def _differing_in_one(lines: list[Words]) -> Iterator[tuple[int, list[int]]]:
    """(place, indices of the lines) of each set of lines that are equal but for the word at that place.

    A line's hash is the sum over its words of word hash × weight of the place, so the hash without one word is one subtraction: the cost
    is that of the words, not of their square.
    """
    if not lines:
        return
    lengths = np.fromiter((len(line) for line in lines), dtype=np.int64, count=len(lines))
    vocabulary = {word: _hash(word) for word in {word for line in lines for word in line}}
    hashes = np.fromiter((vocabulary[word] for line in lines for word in line), dtype=np.uint64, count=int(lengths.sum()))
    line_of = np.repeat(np.arange(len(lines)), lengths)
    place = np.arange(len(hashes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    weights = np.fromiter((_hash(str(p)) | 1 for p in range(int(lengths.max(initial=0)))), dtype=np.uint64)
    terms = hashes * weights[place]
    sums = np.zeros(len(lines), dtype=np.uint64)
    np.add.at(sums, line_of, terms)
    rest = (sums[line_of] - terms) ^ (weights[place] * (lengths[line_of].astype(np.uint64) * np.uint64(2) + np.uint64(1)))
    order = np.argsort(rest, kind="stable")
    for run in _runs(order, np.flatnonzero(np.diff(rest[order])) + 1):
        yield int(place[run[0]]), line_of[run].tolist()


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _runs(order: npt.NDArray[np.int64], cuts: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """The pieces of `order` between the cuts that hold more than one."""
    begins, ends = np.concatenate(([0], cuts)), np.concatenate((cuts, [len(order)]))
    several = ends - begins > 1
    for begin, end in zip(begins[several], ends[several], strict=True):
        yield order[begin:end]


def _values(lines: list[Words], members: list[int], place: int) -> list[int]:
    """Those of the lines of one slot whose words there are values of one variable; none when the slot is no variable."""
    line = lines[members[0]]
    words = {m: lines[m][place] for m in members}
    if line[place + 1 : place + 2] == ("=",) or not _MARKS.isdisjoint(words.values()):
        return []
    if len(members) >= TOO_MANY and _sentence_words(line, but=place) >= 1:
        return members
    free = [m for m, word in words.items() if "‹" not in word and not _is_state(word)]
    return free if len(free) > 1 and _is_variable(line, place, [words[m] for m in free]) else []


def _is_variable(line: Words, place: int, words: list[str]) -> bool:
    n, around = len(words), _sentence_words(line, but=place)
    assigned, named = place > 0 and line[place - 1] == "=", _is_introduced(line, place)
    if around < 1 or (assigned and not named):
        return False
    if n >= MANY[min(around, 3)]:
        return True
    return around >= 2 and ((named and n >= (ASSIGNED if assigned else NAMED)) or _look_like_values(line, place, words, around))


def _look_like_values(line: Words, place: int, words: list[str], around: int) -> bool:
    n = len(words)
    odd = sum(1 for word in words if _ODD.search(word))
    if any(VALUE in word for word in words) and all(word[0] in "'\"" for word in words):
        return True
    if all(_NAME.search(word) for word in words) or (around >= 3 and odd == n >= 3):
        return True
    after_name = _is_introduced(line, place) or (place > 0 and line[place - 1] in "([=")
    return VALUE in words and (n >= 3 or odd >= 2 or after_name)


def _can_be_value(line: Words, place: int, sentence: int) -> bool:
    word = line[place]
    if word in _MARKS or "‹" in word or line[place + 1 : place + 2] == ("=",):
        return False
    if _CAPITALS.match(word):  # LOOKING, FOLLOWING: states of a long line that says much else
        return sentence >= 8
    if _is_state(word):
        return False
    return word[0] == '"' or _NAME.search(word) is not None or (place > 0 and line[place - 1] == "=" and _is_introduced(line, place))


def _enough(members: list[Words], kept: Words) -> int:
    """How many lines it takes to believe in several variables at once: fewer where all are quoted, assigned or in capitals."""
    free = [place for place, word in enumerate(kept) if word == VALUE and len({line[place] for line in members}) > 1]
    plain = all(
        line[place][0] == '"' or (place > 0 and line[place - 1] == "=") or _CAPITALS.match(line[place])
        for place in free
        for line in members
    )
    return ASSIGNED if plain else SEVERAL


def _sentence_words(line: Words, but: int = -1) -> int:
    return sum(1 for place, word in enumerate(line) if place != but and VALUE not in word and _SENTENCE.search(word))


def _is_state(word: str) -> bool:
    part = _LAST_PART.search(word)
    return part is not None and part[0].strip("\"'").lower() in STATES


def _is_introduced(line: Words, place: int) -> bool:
    """Whether the word before a slot says that a name follows."""
    if place == 0:
        return False
    before = line[place - 1]
    if before in {"=", ":"} and place > 1:
        label = line[place - 2].lower().strip("-_\"'")
        return label not in SAYS_WHAT and (before == "=" or label in INTRODUCES)
    return before.lower().strip("\"'") in INTRODUCES


def _joined(lines: list[Words], groups: list[list[int]]) -> dict[Words, Words]:
    """Lines with a line in common belong together, whichever slot joined them: the new words of each line that is joined."""
    parent = list(range(len(lines)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    # About 1 µs a line that is joined; joined lines are keys, of which a journal has thousands, not lines, of which it has millions.
    for members in groups:
        for other in members[1:]:
            parent[root(other)] = root(members[0])
    together = defaultdict(list)
    for i in {member for members in groups for member in members}:
        together[root(i)].append(lines[i])
    return {line: words for members in together.values() for words in [_common(members)] for line in members}


def _common(members: list[Words]) -> Words:
    return tuple(words[0] if len(set(words)) == 1 else VALUE for words in zip(*members, strict=True))
