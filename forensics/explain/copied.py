"""Undo what copying does to the lines of a log: colours, quote marks, list and line numbers, fences, prompts, invisible characters.

Text → (1-based number, line) of the lines that are a log's; what a line belongs to is decided later.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from forensics.model.text_length import LONGEST
from forensics.sanitize.lazy_pattern import LazyPattern

Line = tuple[int, str]

MOST_SHARE = 0.8  # of the lines must have a mark for it to be the copy's: a log may have lines that begin so
NEAR = 2  # lines between two that are quoted
SAMPLE = 400  # lines in which marks are looked for

_ANSI = LazyPattern(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|\x1b[()][0-9A-B]"
    r"|\x1b[=>78cDEHM]"
    # colours whose escape character was lost
    r"|(?:\^\[)?\[(?:\d{1,2};\d{1,2}(?:;\d{1,3}){0,3}|[01]|3[0-9]|9[0-7])m(?![\]:,)])"
)
_ESCAPES = LazyPattern(r"\x1b|\[[0-9;]{1,16}m")  # whether there may be any
_SPACES = {ord(space): " " for space in "\u00a0\u2007\u202f\u2002\u2003\u2009\u3000"}
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\x00"))
_TRANSLATED = str.maketrans({**_SPACES, **_INVISIBLE, ord("\r"): None})
_RARE = LazyPattern("[" + "".join(map(chr, {**_SPACES, **_INVISIBLE, ord("\r"): 0})) + "]")

# each way begins with a letter of its own, by which `re` skips what has none
_FENCES = LazyPattern(r"```|~~~|\[/?(?:code|quote|spoiler)|</?(?:pre|code|details|summary)")  # whether there may be any
_FENCE = LazyPattern(
    r"[ \t>]{0,40}(?:(?:`{3,12}|~{3,12})[\w.+-]{0,30}[ \t]{0,40}\Z|\[/?(?:code|quote|spoiler)[^\]\n]{0,80}\]\Z"
    r"|</?(?:pre|code|details|summary)[^>\n]{0,80}>\Z)"
)
_QUOTES = LazyPattern(r"`|</?(?:pre|code|br)|\[/?(?:code|quote)")
_OPENING = LazyPattern(r"[ \t]{0,40}(?:`{1,12}(?!`)|<(?:pre|code)>|\[(?:code|quote)\])")
_CLOSING = LazyPattern(r"(?:(?<!`)`{1,12}|</(?:pre|code)>|<br ?/?>|\[/(?:code|quote)\])[ \t]{0,40}\Z")
# journalctl's, the pager's and a terminal multiplexer's own lines, and what a person typed
_NOT_OF_LOGS = (
    r"-- (?:Boot |Reboot|Journal begins|Logs begin|No entries|No data)|-- .{0,200}--\Z"
    r"|\. --\Z|░░|lines \d{1,9}-\d{1,9}|\(END\)\Z|~\Z|--More--"
    r"|Hint: (?:You are currently not seeing|Some lines were ellipsized)|Redirecting to /bin/systemctl"
    r"|Warning: (?:Journal has been rotated|The unit file, source)|See ['\"]?(?:systemctl|journalctl) "
    r"|(?![\w.\-@]{1,140}\.service)\[?[\w.\-]{1,64}@[\w.\-]{1,64}[ :][^\n$#]{0,200}[$#] "
    r"|(?:[$❯➜] |[$#] ?(?=sudo |systemctl|journalctl|docker|kubectl|podman|cat |tail ))"
    r"|(?:UNIT {1,200}LOAD|NAME(?:SPACE)? {1,200}(?:NAME|READY)|CONTAINER ID {1,20}IMAGE|LAST SEEN) |\d{1,4} (?:loaded )?units listed"
    r"|(?:LOAD {3}|ACTIVE|SUB {4}) = |PS [A-Z]:\\[^>\n]{0,200}> "
)
_NOT_OF_LOG = LazyPattern(_NOT_OF_LOGS)
_MAY_HAVE_OTHERS = LazyPattern(rf"^[ \t]{{0,80}}(?:{_NOT_OF_LOGS})".replace(r"\Z", "$"), re.MULTILINE)  # in a whole text

# What stands before each line of a copy. The counted ones must count up.
_QUOTE = LazyPattern(r" {0,3}(?:> ?){1,8}")
_MARKS: tuple[LazyPattern, ...] = tuple(
    LazyPattern(pattern) for pattern in (r" {0,8}[-*•+] {1,3}(?=\S)", r"\|(?= )|│ ?", r" {0,3}#(?: |\Z)")
)
_COUNTED: tuple[LazyPattern, ...] = tuple(
    LazyPattern(pattern)
    for pattern in (r"[ \t]{0,8}(\d{1,7})[.)] {1,3}", r"[ \t]{0,8}(\d{1,7})[:-][ \t]?", r"[ \t]{0,8}(\d{1,7})(?:[ \t]{1,4}[|│]? ?|\t|\Z)")
)


def log_lines(text: str) -> list[Line]:
    """Split a text into the lines of the log in it."""
    has_escapes, has_rare = _ESCAPES.search(text) is not None, _RARE.search(text) is not None
    rows = ((number, row[:LONGEST]) for number, row in enumerate(text.split("\n"), 1))
    if has_rare:
        rows = ((number, row.translate(_TRANSLATED) if _RARE.search(row) else row) for number, row in rows)
    if has_escapes:
        rows = ((number, _ANSI.sub("", row) if _ESCAPES.search(row) else row) for number, row in rows)
    lines = [(number, row) for number, row in rows if row.strip()]
    lines = found = _within_fences(lines) if _FENCES.search(text) else lines
    lines = _without_quote_marks(lines) if ">" in text else lines
    for mark in _MARKS:
        lines = _without(lines, mark, lambda _: True)
    for mark in _COUNTED:
        lines = _without(lines, mark, _counts_up)
    lines = [(number, _unquoted(line)) for number, line in lines] if _QUOTES.search(text) else lines
    if has_escapes or has_rare or lines is not found or _MAY_HAVE_OTHERS.search(text):
        lines = [(number, line) for number, line in lines if line.strip() and not _NOT_OF_LOG.match(line.lstrip())]
    return _unindented(lines)


def _within_fences(lines: list[Line]) -> list[Line]:
    """Leave out fences, and what people wrote around fenced logs."""
    inner: list[Line] = []
    outer: list[Line] = []
    is_inside = False
    fences = 0
    for line in lines:
        if _FENCE.match(line[1]):
            is_inside, fences = not is_inside, fences + 1
        else:
            (inner if is_inside else outer).append(line)
    return inner if fences and not is_inside and len(inner) >= len(outer) else sorted(inner + outer)


def _unquoted(line: str) -> str:
    """Remove quotes that open or close a log in the line itself."""
    if not _QUOTES.search(line):
        return line
    opening = _OPENING.match(line)
    rest = line[opening.end() :] if opening else line
    closing = _CLOSING.search(rest, max(0, len(rest) - 60))
    return rest[: closing.start()] if closing and (rest[closing.start()] != "`" or rest.count("`") % 2) else rest


def _without_quote_marks(lines: list[Line]) -> list[Line]:
    """Remove the marks of quoted lines, of which there are at least two; a mail's quoted lines may be wrapped after they were quoted."""
    quoted = [_QUOTE.match(line) for _, line in lines]
    if not any(quoted):
        return lines
    beside = [
        match is not None and any(quoted[other] for other in range(max(0, at - NEAR), min(len(quoted), at + NEAR + 1)) if other != at)
        for at, match in enumerate(quoted)
    ]
    return [
        (number, line[match.end() :] if match and is_beside else line)
        for (number, line), match, is_beside in zip(lines, quoted, beside, strict=True)
    ]


def _without(lines: list[Line], mark: LazyPattern, fits: Callable[[list[re.Match[str]]], bool]) -> list[Line]:
    """Remove a mark that nearly all lines begin with."""
    step = max(1, len(lines) // SAMPLE)
    sample = lines[:SAMPLE] if step == 1 else lines[::step][:SAMPLE]
    found = [match for _, line in sample if (match := mark.match(line))]
    if len(sample) < 2 or len(found) < MOST_SHARE * len(sample) or not fits(found):
        return lines
    return [(number, line[match.end() :] if (match := mark.match(line)) else line) for number, line in lines]


def _counts_up(found: list[re.Match[str]]) -> bool:
    """Whether numbers are those of lines: each is more than the one before, by nearly the same."""
    numbers = [int(match[1]) for match in found]
    steps = [after - before for before, after in pairwise(numbers)]
    return bool(steps) and min(steps) > 0 and max(steps) <= 3 * min(steps) + 3


def _unindented(lines: list[Line]) -> list[Line]:
    """Remove the indentation that all lines have."""
    width = min((len(line) - len(line.lstrip()) for _, line in lines), default=0)
    return [(number, line[width:]) for number, line in lines] if width else lines
