"""Find the sound entries of a journal file through the chain of entry arrays, or by walking all objects where it is broken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forensics.journal.file import JournalFile, Words
from forensics.journal.format import ARRAY_HEAD, DATA, DATA_HEAD, ENTRY, ENTRY_ARRAY, ENTRY_HEAD, ENTRY_LIMIT, PACKED, TAG

U64 = np.uint64
SMALLEST = np.array([0, DATA_HEAD, 40, ENTRY_HEAD, 16, 16, ARRAY_HEAD, 64], np.uint64)  # bytes per type of object; type 0 is unused
SEQNUM_LIMIT = 1 << 62
OUT_OF_ORDER = "an entry's sequence number is out of order"
SLOTS = 1 << 18  # processed together: arrays of this length stay in the cache
ROUNDS = 8  # of removing descents, each of which may uncover another; then everything below the highest so far is removed


@dataclass(frozen=True, slots=True)
class Entries:
    """Sound entries of one file, in the file's order; one array element per entry."""

    offset: Words
    head: Words  # (n, 7): the first 56 bytes of each object

    def __len__(self) -> int:
        return len(self.offset)

    def __getitem__(self, which: npt.NDArray[np.bool_]) -> Entries:
        return self if which.all() else Entries(self.offset[which], self.head[which])

    @property
    def size(self) -> Words:
        return self.head[:, 1]

    @property
    def seqnum(self) -> Words:
        return self.head[:, 2]

    @property
    def realtime(self) -> Words:
        """µs since 1970."""
        return self.head[:, 3]

    @property
    def monotonic(self) -> Words:
        """µs since boot."""
        return self.head[:, 4]

    @property
    def boot(self) -> Words:
        """(n, 2): the 16 bytes of the boot id."""
        return self.head[:, 5:7]


def sound_entries(file: JournalFile) -> Entries:
    """Find every entry whose own object is intact; the others go to `file.damage`.

    A file whose chain is intact is read through it alone. Otherwise the objects are walked too, and an entry that only the walk
    finds is added if its sequence number fits between its neighbours'.
    """
    declared = file.header.n_entries
    linked, unsound = _check(file, _linked_entries(file))
    if len(unsound):
        file.damage.add_all(unsound.tolist(), "an entry is damaged")
    if len(linked) >= declared:
        return _in_sequence(file, linked)
    linked = _in_sequence(file, linked)
    walked, _ = _check(file, np.union1d(linked.offset, _walked_entries(file)))
    fitting = _fits_in_sequence(walked, np.isin(walked.offset, linked.offset))
    file.damage.add_all(walked.offset[~fitting].tolist(), OUT_OF_ORDER)
    entries = _in_sequence(file, walked[fitting])
    if len(entries) < declared:
        file.damage.add(None, f"{declared - len(entries)} of {declared} entries cannot be found")
    return entries


def growth(file: JournalFile, entries: Entries) -> npt.NDArray[np.int64]:
    """Bytes that the file grew by per entry: the entry itself and the values that came with it."""
    start = min(file.header.entries_start, file.end)
    ends = np.concatenate((np.array([start], U64), entries.offset + entries.size)).astype(np.int64)
    return np.maximum(np.diff(ends), 0)


def _linked_entries(file: JournalFile) -> Words:
    """Ascending offsets of the entries in the chain of entry arrays, up to its first broken link."""
    dtype = np.dtype("<u4" if file.header.compact else "<u8")
    parts: list[Words] = []
    used, free = 0, False  # slots before the first free one
    at, minimum, last = file.header.entry_array, file.first_object, 0
    while at:  # arrays double in size: some twenty per file
        # each lies after the one before it, which ends every loop and bounds what all of them hold
        is_array = at % 8 == 0 and minimum <= at <= file.end - ARRAY_HEAD and file.bytes[at] == ENTRY_ARRAY
        size = int(file.words[at // 8 + 1]) if is_array else 0
        if not ARRAY_HEAD < size <= file.end - at:
            file.damage.add(last or None, "the chain of entry arrays is broken")
            break
        stop = ARRAY_HEAD + (size - ARRAY_HEAD) // dtype.itemsize * dtype.itemsize
        taken, before_free, has_free = _taken_slots(file.bytes[at + ARRAY_HEAD : at + stop].view(dtype))
        parts.append(taken)
        used, free = used + (0 if free else before_free), free or has_free
        last, minimum, at = at, at + size, int(file.words[at // 8 + 2])
    return _used_slots(file, np.concatenate(parts) if parts else np.empty(0, U64), used)


def _taken_slots(slots: npt.NDArray[np.unsignedinteger]) -> tuple[Words, int, bool]:
    """Return the slots that are not 0, their number before the first 0, and whether there is one."""
    taken, before_free, has_free = [np.empty(0, U64)], len(slots), False
    for start in range(0, len(slots), SLOTS):  # an array may claim to fill a file that is nothing but zeros
        part = slots[start : start + SLOTS]
        free = part == 0
        if free.any():
            if not has_free:
                before_free, has_free = start + int(free.argmax()), True
            part = part[~free]
        taken.append(part.astype(U64))
    return np.concatenate(taken), before_free, has_free


def _used_slots(file: JournalFile, offsets: Words, used: int) -> Words:
    """Cut off the unused slots: arrays end at the first 0, or in a growing file at the header's count of entries."""
    declared = file.header.n_entries
    # zeros before the end are a hole: then the slots after it count too
    if used >= declared and file.growing and used <= file.entries_after + 1:  # a killed writer may have linked one more than it counted
        offsets = offsets[:declared]
    elif used >= declared:
        offsets = offsets[:used]
        if used > declared:
            file.damage.add(152, f"the header counts {declared} entries, the file holds {used}")
    if (offsets[1:] <= offsets[:-1]).any():
        file.damage.add(None, "the chain of entry arrays is out of order")
        offsets = np.unique(offsets)
    return offsets


def _check(file: JournalFile, offsets: Words) -> tuple[Entries, Words]:
    """Return the sound entries among ascending `offsets`, and the offsets of the others.

    The checks are those of journal_file_check_object in journal-file.c; that entries do not overlap bounds the memory that hostile
    sizes can claim.
    """
    inside = (offsets % U64(8) == 0) & (offsets >= U64(file.first_object)) & (offsets <= U64(max(0, file.end - ENTRY_HEAD)))
    at = offsets[inside] if file.end >= ENTRY_HEAD else offsets[:0]
    # 56 bytes of every entry in one gather
    window = np.ndarray((max(0, file.end // 8 - 6),), "V56", file.bytes, strides=(8,))
    words = window[(at >> U64(3)).astype(np.intp)].view(U64).reshape(-1, 7)
    size, seqnum, realtime, monotonic = words[:, 1], words[:, 2], words[:, 3], words[:, 4]
    sound = (words[:, 0] & U64(255) == ENTRY) & (size >= U64(ENTRY_HEAD)) & (size % U64(file.item_size) == 0) & (size <= U64(file.end) - at)
    sound &= (seqnum - U64(1) < U64(SEQNUM_LIMIT)) & (realtime - U64(1) < U64(ENTRY_LIMIT)) & (monotonic < U64(ENTRY_LIMIT))
    kept = np.flatnonzero(sound)
    overlaps = at[kept[:-1]] + size[kept[:-1]] > at[kept[1:]]
    sound[kept[:-1][overlaps]] = False
    sound[sound] = ~_more_items_follow(file, (at + size)[sound])
    return Entries(at, words)[sound], np.concatenate((offsets[~inside], at[~sound]))


def _more_items_follow(file: JournalFile, end: Words) -> npt.NDArray[np.bool_]:
    """Whether the bytes after an entry look like another of its items, so that its size is too small; an object's head does not."""
    at = ((end + U64(7)) >> U64(3)).astype(np.intp)
    word = np.where(at < len(file.words), file.words[np.minimum(at, len(file.words) - 1)], U64(0))
    first, second = (word & U64(0xFFFFFFFF), word >> U64(32)) if file.header.compact else (word, np.zeros_like(word))
    # values lie after the hash tables, and the word of an object's type and flags is always a smaller number
    could_be = [(part % U64(8) == 0) & (part >= U64(file.header.entries_start)) & (part < U64(file.end)) for part in (first, second)]
    follow: npt.NDArray[np.bool_] = could_be[0] & (could_be[1] | (second == 0))
    return follow


def _walked_entries(file: JournalFile) -> Words:
    """Find the offsets of all ENTRY objects by stepping from each object to the next, over damaged stretches."""
    start, kind, end = _candidates(file)
    if not len(start):
        return np.empty(0, U64)
    following = np.searchsorted(start, end)
    exact = (following < len(start)) & (start[np.minimum(following, len(start) - 1)] == end)
    # one that ends where another starts, or nothing, is certain; any other may be text that looks like an object, and counts only
    # when an object that counts ends where it starts
    certain = np.flatnonzero(exact | (end >= len(file.words)) | (file.words[np.minimum(end, len(file.words) - 1)] == 0))
    certain = np.append(certain, len(start))
    here = np.arange(len(start))
    resume = np.where(np.isin(here, certain, assume_unique=True), following, here + 1)
    # the only loop over objects, and only in damaged files: 50 ns per step, and a step is 16 bytes at least
    steps = np.where(exact, following, certain[np.searchsorted(certain, resume)]).tolist()
    visited = np.zeros(len(start), np.bool_)
    at = int(certain[0])
    while at < len(steps):
        visited[at] = True
        at = steps[at]
    entries: Words = (start[visited & (kind == ENTRY)] << 3).astype(U64)
    return entries


def _candidates(file: JournalFile) -> tuple[npt.NDArray[np.int64], Words, npt.NDArray[np.int64]]:
    """Find what could be the head of an object; return the start, type and end of each, in words."""
    words, last = file.words, len(file.words) - 1
    blocks = ((at, words[at : min(at + SLOTS, last)]) for at in range(file.first_object // 8, last, SLOTS))
    # the word 0 is not an object, but may be most of a file; minus 1 wraps it around
    start = np.concatenate([np.empty(0, np.int64), *(np.flatnonzero(block - U64(1) < U64(PACKED << 8 | TAG)) + at for at, block in blocks)])
    kind, packed = words[start] & U64(255), words[start] >> U64(8)
    size = words[start + 1]
    could_be = (kind > 0) & (kind <= TAG) & ((packed == 0) | ((packed & (packed - U64(1)) == 0) & (kind == DATA)))
    could_be &= (size >= SMALLEST[np.minimum(kind, U64(TAG)).astype(np.intp)]) & (size <= U64(file.end) - (start << 3).astype(U64))
    start, kind, size = start[could_be], kind[could_be], size[could_be].astype(np.int64)
    return start, kind, start + ((size + 7) >> 3)


def _fits_in_sequence(entries: Entries, linked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which entries are `linked`, or have a sequence number between those of their linked neighbours."""
    seqnum = entries.seqnum
    before = np.maximum.accumulate(np.where(linked, seqnum, U64(0)))
    after = np.minimum.accumulate(np.where(linked, seqnum, U64(2**64 - 1))[::-1])[::-1]
    return linked | ((before < seqnum) & (seqnum < after))


def _in_sequence(file: JournalFile, entries: Entries) -> Entries:
    """Drop the entries whose sequence number is damaged: it breaks the file's strictly ascending order."""
    for rounds_left in range(ROUNDS, -1, -1):
        seqnum = entries.seqnum
        descents = np.flatnonzero(seqnum[1:] <= seqnum[:-1])
        if not len(descents):
            break
        doubted = _doubted(seqnum, descents) if rounds_left else _below_the_highest(seqnum)
        file.damage.add_all(entries.offset[doubted].tolist(), OUT_OF_ORDER)
        entries = entries[~doubted]
    # nothing after the last entry shows that its number is too high, but the header does
    if not file.growing and len(entries) > 1 and int(entries.seqnum[-2]) <= file.header.tail_seqnum < int(entries.seqnum[-1]):
        file.damage.add(int(entries.offset[-1]), OUT_OF_ORDER)
        entries = Entries(entries.offset[:-1], entries.head[:-1])
    return entries


def _below_the_highest(seqnum: Words) -> npt.NDArray[np.bool_]:
    highest = np.maximum.accumulate(seqnum)
    return np.concatenate((np.zeros(1, np.bool_), seqnum[1:] <= highest[:-1]))


def _doubted(seqnum: Words, descents: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """At each descent, doubt the entry that is too high or the one after it that is too low.

    It is the one without which the sequence ascends; both when that is undecidable.
    """
    padded = np.concatenate((np.zeros(1, U64), seqnum, np.full(1, 2**64 - 1, U64)))
    fits_without_first = padded[descents] + U64(1) < padded[descents + 2]
    fits_without_second = padded[descents + 1] + U64(1) < padded[descents + 3]
    doubted = np.zeros(len(seqnum), np.bool_)
    doubted[descents[fits_without_first | ~fits_without_second]] = True
    doubted[descents[fits_without_second | ~fits_without_first] + 1] = True
    return doubted
