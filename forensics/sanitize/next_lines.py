# ruff: noqa: E501  an expression is read better in one line
"""Find secrets that are on the lines after their names, in one text or in the next of several: YAML's blocks and lists, prompts, dialogues."""

from __future__ import annotations

import re

from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.names import can_be, kind_of
from forensics.sanitize.value_forms import CLOSE, Span, value_span
from forensics.sanitize.values import may_be_secret

_INDENT = r"(?:[ ]{0,40}|[<>|#*-]{1,3}\s|[CS]:\s)"
_QUOTE = r"[\"'`]?"
_VALUE = rf"{_QUOTE}(?P<s>[^\s\"'`<>]{{4,1024}}){_QUOTE}"
_NAME = r"(?P<n>[a-z_][\w.-]{1,80}+)"
_END = r"[^\S\n]{0,4}\n"  # of a line: without \n in it, so that many empty lines are read in one way only
_EMPTY = r"(?:[^\S\n]{0,80}\n){0,4}"
# A line and those after it. The forms of which the value is certain: password: >-, api_keys: with a list, - name: DB_PASSWORD, form-data
_CERTAIN = tuple(
    LazyPattern(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        rf"{_NAME}{CLOSE}\s{{0,3}}[:=]\s{{0,4}}(?:[|>][-+]?[0-9]?|\[|[A-Z]\w{{0,24}}\(){_END}{_EMPTY}{_INDENT}(?:-\s)?{_VALUE}",
        rf"{_NAME}{CLOSE}\s{{0,3}}[:=]\s{{0,4}}\n{_INDENT}-\s{_VALUE}\s{{0,4}}$",
        rf"\b(?:name|key|variable|param(?:eter)?){CLOSE}\s{{0,3}}[:=]\s{{0,3}}{_QUOTE}{_NAME}{_QUOTE},?\s{{0,4}}\n{_INDENT}{_QUOTE}value{_QUOTE}\s{{0,3}}[:=]\s{{0,3}}{_VALUE}",
        rf"\bname={_QUOTE}{_NAME}{_QUOTE}\s{{0,4}}\n(?:Content-[^\n]{{1,200}}\n){{0,3}}\s{{0,4}}\n?{_VALUE}",
    )
)
# A word that was made up, alone on the line after a label or a sentence that ends in a colon
_ALONE = LazyPattern(rf":{_END}{_EMPTY}{_INDENT}{_VALUE}\s{{0,4}}$", re.MULTILINE)
_SECRET_NOUN = LazyPattern(
    r"(?<![a-z])(?:pass(?:word|wd|phrase|code|key|wort)|pwd|psk|kennwort|secret|credential|token|signature|(?:key|code)s?(?![a-z]))",
    re.IGNORECASE,
)
# Whatever is before the value: the time and the name of a log, the sign of a dialogue
_PREFIX = r"[^\n]{0,200}(?<![\w+/=])"
_BASE64 = r"(?P<s>[A-Za-z0-9+/]{4,1024}={0,2})[\\rn]{0,4}[\"']?\s{0,4}$"
_USER = r"[\"']?[\w.@-]{1,64}:"
_TO_THE_END = r"(?P<s>[^\s\"']{3,256})[\"']?\s{0,4}$"
# What is asked for, and the answer: SMTP's 334 with the base64 of "Password:" or a challenge, FTP's 331; commands that read a password
_ASKED = tuple(
    LazyPattern(pattern, re.MULTILINE)
    for pattern in (
        rf"(?:^|[<>:\]\"'-] ?)334(?: (?!VXNlcm5hbWU|dXNlcm5hbWU)[A-Za-z0-9+/=]{{1,400}})?[\s\\rn\"']{{0,4}}\n{_PREFIX}{_BASE64}",
        rf"\b(?:(?i:auth|authenticate) (?:PLAIN|plain)|[A-Z]{{1,4}}: \+)\s{{0,4}}\n{_PREFIX}{_BASE64}",
        rf"(?:\b331[ -][^\n]{{0,160}}|\+OK[^\n]{{0,160}}|\bUSER \S{{1,128}})\n[^\n]{{0,200}}\bPASS {_TO_THE_END}",
        rf"\b(?:chpasswd|newusers)\b[^\n]{{0,80}}\n[^\n]{{0,200}}?\becho (?:-\w{{1,3}} )?{_USER}{_TO_THE_END}",
        rf"-stdin\b[^\n]{{0,80}}\n[^\n]{{0,200}}?\+ echo {_TO_THE_END}",
        rf"\b(?:chpasswd|newusers)\b[^\n]{{0,80}}<<[^\n]{{1,40}}\n(?:[^\n]{{0,200}}[\s>])?{_USER}{_TO_THE_END}",
        rf"\b(?:passwd|cryptsetup|login|smbpasswd|kinit|sudo|gpg|htpasswd)\b[^\n]{{0,120}}<<-?\s?[\"']?\w[^\n]{{0,40}}\n{_INDENT}{_TO_THE_END}",
    )
)
_ASKS = ("334", "AUTH", "auth", "331 ", "331-", "+OK", "USER ", ": +", "chpasswd", "newusers", "-stdin", "<<")
# A command that reads the password which the command before it wrote
_READS = ("chpasswd", "newusers", "-stdin", "sudo -S", "-fd 0", "-fd=0", "--key-file -", "--key-file=-", "smbpasswd")
_READ = LazyPattern(
    rf"\b(?:echo|printf) (?:-\w{{1,3}} |[\"']?%s(?:\\n)?[\"']? )?(?:{_USER})?{_TO_THE_END}\n[^\n]{{0,240}}(?:{'|'.join(map(re.escape, _READS))})",
    re.MULTILINE,
)
_ITEM = LazyPattern(rf"[,\s]{{0,9}}\n{_INDENT}(?:-\s)?{_VALUE}(?=\s{{0,4}},?\s{{0,4}}(?:\n|\Z|\]))")
_IS_ITEM = LazyPattern(r"\s{0,40}(?:-\s|[\"'])\S{1,1024}\s{0,4}\Z")
WORDS = ("pass", "pwd", "secret", "token", "key", "cred", "code", "kennwort", "psk", "signature", "334 ugfzc3")
_ENDS = (":", "=", "-", "|", ">", "+", "[", "(")
# A field, and what a validator says about its value; the words of a mnemonic, alone or behind what a logger puts before them
_REFUSED = LazyPattern(
    r"\s{0,8}[\w.]{2,80}\n[^\n]{1,240}?\binput_value=(?:'(?P<a>[^'\n]{3,512})'|\"(?P<q>[^\"\n]{3,512})\"|(?P<s>[0-9]{4,64}))"
)
_FIELD = LazyPattern(r"pas{1,2}w\w{0,4}\Z", re.IGNORECASE)
_MNEMONIC = LazyPattern(r"(?:^|[:|\]>]\s{1,4})\s{0,40}[\"'`]?(?P<s>[a-z]{3,8}(?:\s{1,3}[a-z]{3,8}){11,23})[\"'`]?\s{0,9}$")
_PHRASES = ("mnemonic", "seed phrase", "recovery phrase", "secret phrase", "backup phrase", "seed words")
_NUMBERS_OF_WORDS = frozenset({12, 15, 18, 21, 24})
_MOST_ITEMS, _MOST_BLANK, _MOST = 64, 3, 240
_MOST_LINES, _MOST_AFTER = 5, 2048  # that are searched behind a line


def in_text(text: str, lower: str) -> list[Span]:
    """List the spans of secrets that are on a line after the line that names them. lower: the text in lower case."""
    spans: list[Span] = []
    if "\n" not in text:
        return spans
    if reads(text):
        spans += read(text)
    if _speaks_of_phrases(lower):
        spans += _mnemonics(text, lower)
    if not any(word in lower for word in WORDS) and not any(sign in text for sign in _ASKS):
        return spans
    start = 0
    while (end := text.find("\n", start)) >= 0:
        begin = max(start, end - _MOST)
        if _opens(text[begin:end], lower[begin:end]) or _asks(text[begin:end]):
            spans += _after(text, begin, end)
        elif _is_field(text[begin:end], lower[begin:end]) and (match := _REFUSED.match(text, begin, end + _MOST_AFTER)) is not None:
            spans += [(start, stop) for start, stop in [value_span(match)] if may_be_secret(text[start:stop], 3)]
        start = end + 1
    return spans


def _opens(line: str, lower: str) -> bool:
    """Whether the value of a name in a line can be on the next."""
    line = line.rstrip()
    return (line.endswith(_ENDS) or "name" in lower or "334 " in lower or "key:" in lower) and any(word in lower for word in WORDS)


def _is_field(line: str, lower: str) -> bool:
    """Whether a line is nothing but the name of a secret, however it is spelled."""
    name = line.strip()
    return (
        " " not in name
        and any(word in lower for word in WORDS)
        and (kind_of(name) in {"password", "key", "token"} or _FIELD.search(name) is not None)
    )


def _speaks_of_phrases(lower: str) -> bool:
    return any(phrase in lower for phrase in _PHRASES)


def _mnemonics(text: str, lower: str) -> list[Span]:
    """List the words that are alone on one of the lines after one that speaks of them."""
    spans: list[Span] = []
    at = left = 0
    for line in text.split("\n"):
        if left > 0 and (match := _MNEMONIC.search(line)) is not None and len(match["s"].split()) in _NUMBERS_OF_WORDS:
            spans.append((at + match.start("s"), at + match.end("s")))
        left = _MOST_LINES if _speaks_of_phrases(lower[at : at + len(line)]) else left - 1
        at += len(line) + 1
    return spans


def _asks(line: str) -> bool:
    """Whether a line may ask for what the next one answers."""
    return any(sign in line for sign in _ASKS)


def reads(text: str) -> bool:
    """Whether a text may have a command that reads the password which the line before it wrote."""
    return any(sign in text for sign in _READS)


def read(text: str) -> list[Span]:
    """List the spans of what is written for a command on the next line that reads a password."""
    return [match.span("s") for match in _READ.finditer(text) if may_be_secret(match["s"], 3) and match["s"][0] not in "-/|"]


def _after(text: str, begin: int, end: int) -> list[Span]:
    """List the values behind the line from `begin` to `end`."""
    until = end
    for _ in range(_MOST_LINES):
        until = text.find("\n", until + 1, end + _MOST_AFTER)
        if until < 0:
            until = min(len(text), end + _MOST_AFTER)
            break
    for form in _CERTAIN:
        match = form.search(text, begin, until)
        if match is not None and match.start() < end and (kind := kind_of(match["n"])) and _is_value(kind, match["s"], certain=True):
            return [match.span("s"), *_items(text, match, kind)]
    for form in _ASKED if _asks(text[begin:end]) else ():
        if (match := form.search(text, begin, until)) is not None and match.start() < end and may_be_secret(match["s"], 3):
            return [match.span("s")]
    line = text[begin:end].rstrip()
    match = _ALONE.match(text, begin + len(line) - 1, until) if line.endswith(":") else None
    noun = _SECRET_NOUN.search(line)
    if match is not None and noun is not None:
        kind = kind_of(line.rstrip(": ").rpartition(" ")[2]) or kind_of(noun[0]) or "token"
        if _is_value("token" if kind == "other" else kind, match["s"], certain=False):
            return [match.span("s")]
    return []


def _items(text: str, first: re.Match[str], kind: str) -> list[Span]:
    """List the further values of a list whose first value was found."""
    spans: list[Span] = []
    line = text[text.rfind("\n", 0, first.start("s")) + 1 : first.start("s")]
    if line.lstrip()[:1] not in {"-", '"', "'"}:
        return spans
    at = first.end("s") + (text[first.end("s") : first.end("s") + 1] in {'"', "'", "`"})
    while len(spans) < _MOST_ITEMS and (item := _ITEM.match(text, at)) is not None and _is_value(kind, item["s"], certain=True):
        spans.append(item.span("s"))
        at = item.end()
    return spans


def _is_value(kind: str, value: str, *, certain: bool) -> bool:
    return not value.endswith(":") and can_be(kind, value.rstrip(","), certain=certain)


def left_open(text: str, before: str) -> str:
    """Return what must be put before the next text to find a value in it, of a text that was read after `before`; or nothing."""
    stripped = text.strip()
    if before and (not stripped or _IS_ITEM.match(text)) and before.count("\n") <= _MOST_BLANK + _MOST_ITEMS:
        return f"{before}\n{text}"[-_MOST * 4 :] if stripped else f"{before}\n"
    if before and before.count("\n") < _MOST_LINES and _speaks_of_phrases(before.lower()):
        return f"{before}\n{text}"[-_MOST * 4 :]
    last = text[-_MOST:].rstrip().rpartition("\n")[2]
    lower = last.lower()
    return last if last and (_opens(last, lower) or _asks(last) or _is_field(last, lower) or _speaks_of_phrases(lower)) else ""
