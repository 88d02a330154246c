"""Reduce texts to keys: the line without its log prefix, times and values.

Equal keys mean the same kind of event. Numbers that name the problem (errno, exit status, signal, HTTP status, Xid, CUDA error) stay
in the key, because another number is another problem. Masking a key changes nothing. A key depends on its text alone, not on other
lines, so that history and `watch` agree to the byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import polars as pl

from forensics.model.text_memory import TextMemory
from forensics.signatures import prefix

LONGEST = 4000  # characters of a text that are read; a key need not distinguish more
TITLE_LENGTH = 120

# Reason phrases of RFC 9110 that are not ordinary words.
_REASON = (
    "Bad Request|Unauthorized|Forbidden|Not Found|Method Not|Conflict|Gone|Too Many|Unprocessable"
    "|Internal Server|Not Implemented|Bad Gateway|Service Unavailable|Gateway Time"
)
_NAMES_PROBLEM = (
    r"errno|os error|exit(?:ed)?(?: with)?(?: code| status)?|returncode|status|code|signal|sig"
    r"|xid|cuda error|cuda failure|cudnn error|cublas error|nccl error|http(?:/[0-9](?:\.[0-9])?)?\"?"
)

# A number in ‹› is not masked: it names the problem.
_KEPT = (
    # A protocol's version is part of its name.
    (rf"((?i-u:\b(?:{_NAMES_PROBLEM})[ :=#(]{{1,3}})|Xid \(PCI:[^)]*\): |\bIP[vV])(-?[0-9]+)\b", "${1}‹${2}›"),
    (rf"\b([45][0-9][0-9])( (?:{_REASON}))", "‹${1}›${2}"),
)
_HAS_KEPT = rf"(?i-u:\b(?:{_NAMES_PROBLEM})[ :=#(]{{1,3}}-?[0-9])|Xid \(PCI:|\bIP[vV][46]|\b[45][0-9][0-9] (?:{_REASON})|‹"

# Only the positions of digits matter to the masks, so all digits but those of 0x become 1: most lines are then equal to another one
# before the expensive part begins.
_DIGITS = {"0x": "0x", "0X": "0x"} | dict.fromkeys("023456789", "1")

_URL = r"\b[a-zA-Z][a-zA-Z0-9+.\-]*://(?:[^\s'\"<>)\]]*[^\s'\"<>)\],.;:])?|\b[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+\b"
_TIME = (
    rf"\b(?:{prefix.DATE}(?:[T _:-]{prefix.CLOCK})?|{prefix.SYSLOG_DATE} {prefix.CLOCK}|[0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}}(?:[.,:][0-9]+)?)"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?(?: [A-Z]{3,4}\b)?(?: [0-9]{4})?\b"
)
_IP = (
    r"/?\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:[:/][0-9]{1,5})?\b"
    r"|\[?\b(?:[0-9a-fA-F]{1,4}:){3,7}(?::|[0-9a-fA-F]{1,4})\b(?:\](?::[0-9]{1,5})?)?|\[::1?\](?::[0-9]{1,5})?"
    r"|\b[0-9a-fA-F]{1,4}::(?:[0-9a-fA-F]{1,4}:)*[0-9a-fA-F]{1,4}\b"
)
_D, _L, _H = "[0-9]", "[a-fA-F]", "[0-9a-fA-F]"
# A hexadecimal number may consist of decimal digits by chance, so both are <n>.
_HEX = (
    r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"
    r"|\b(?:[0-9a-fA-F]{1,2}[:-]){5,}[0-9a-fA-F]{1,2}\b"  # MAC and EUI addresses
    r"|\b0[xX][0-9a-fA-F]+\b"
    # Five digits or more, at least one of them decimal and at least one a letter.
    rf"|\b(?:(?:{_D}+{_L}|{_L}+{_D}){_H}{{3,}}|(?:{_D}{{2,}}{_L}|{_L}{{2,}}{_D}){_H}{{2}}|(?:{_D}{{3,}}{_L}|{_L}{{3,}}{_D}){_H}"
    rf"|{_D}{{4,}}{_L}|{_L}{{4,}}{_D})\b"
)
_PATH = (
    r"(^|[\s'\"`(=:,\[{<>])(?:(?:~|\.{1,2})?(?:/[\w.@%+~$\-<>]+)+/?|[A-Za-z]:\\[^\s'\"<>|,;]+)"
    r"|\b[\w.@+\-]+(?:/[\w.@+\-]+){2,}\b"
)
# Top-level names that end a host name often and a file or class name rarely (IANA root zone; RFC 6762, RFC 8375).
_TOP_LEVEL = (
    "com|net|org|edu|gov|mil|info|biz|dev|cloud|cn|de|uk|jp|kr|fr|nl|ru|br|tw|hk|ca|us|eu|pl|mx|au|se|ch|cz"
    "|local|internal|lan|localdomain|arpa"
)
_HOST = rf"\b[\w\-]+(?:\.[\w\-]+)*\.(?:{_TOP_LEVEL})\b(?::[0-9]+\b)?([^\w.\-]|\.?$|\.[^\w])"
_UNIT = (
    r"[KMGTP]i?B|kB|[Bb]ytes?|B|KB?ps|[mun]?s|msecs?|usecs?|secs?|seconds?|milliseconds?|microseconds?"
    r"|mins?|minutes?|hours?|days?|[MGk]?Hz|%"
)
_SIZE = rf"(^|[^‹0-9\w.])<?[+-]?[0-9]+(?:[.,_][0-9]+)* ?(?:{_UNIT})(?: ?\([0-9.,]+ ?[KMGT]i?B?\))?($|[^\w])"
_VALUE = "(?:n|path|url|ip|size|time|host)"

# A line that consists of assignments (an audit record, a packet filter's line, logfmt), or has a run of them, is of one kind whatever it
# assigns: its keys are the kind, and values that say how it went, or are states.
PAIRS = 4
_OUTCOME = (
    "level|lvl|severity|msg|message|error|err|reason|cause|event|action|type|apparmor|code|status|errno|signal|exit|result|res|rc|state"
    "|success"
)
_KEY = r"(^|[\s,;'\"({\[])([A-Za-z_][\w.\-]*)="
_ENCLOSED = r"\"(?:[^\"\\]|\\.)*\"|'[^'=]*'|\([^\s()=]*\)|\[[^\]\[=]*\]|\{[^}{=]*\}"
_PAIR = prefix.ascii_classes(rf"{_KEY}(?:{_ENCLOSED}|[^\s,;'\"}})\]]*)")
_RUN_OF_PAIRS = prefix.ascii_classes(rf"(?:{_KEY}(?:{_ENCLOSED}|[^\s,;'\"}})\]]*)[\s,;'\"}})\]]*){{{PAIRS}}}")
_PAIR_WITH_VALUE = prefix.ascii_classes(rf"{_KEY}(?:{_ENCLOSED}|[^\s,;'\"}})\]‹]+)")
_EMPTY_PAIR = prefix.ascii_classes(rf"{_KEY}(['\"\s,;]|$)")
_STAYS = prefix.ascii_classes(rf"(^|[\s,;'\"({{\[])({_OUTCOME})=|([\w.\-])=(true|false|True|False|yes|no|on|off)\b")
# What an empty value says: a packet came in or goes out, a login is local. What PAM's user= says: root is another matter than a guess.
_MEANINGFUL = prefix.ascii_classes(r"\b(?:(IN|OUT|rhost)=([\s,;'\"]|$)|(rhost=\S{0,200} {1,3}user)=)")
_ASIDE = "\ue000"  # marks an = whose value is kept
_OF_PAIRS_ONLY = tuple(
    (prefix.ascii_classes(pattern), replacement)
    for pattern, replacement in (
        (r"(=<s>)(?:,[^\s=,;'\"})\]]+)+([\s'\"]|$)", "${1}${2}"),  # a list
        (r" (?:SYN|ACK|FIN|RST|PSH|URG|ECE|CWR|DF|MF)\b", ""),  # flags of a packet
        (r"( TYPE=\S{1,20} CODE=)‹[0-9]+›", "${1}<s>"),  # ICMP
        (r"(\bsuccess=yes exit=)‹?[0-9]+›?", "${1}<s>"),  # audit: what the call returned, such as a descriptor
        (r"(\bavc: +(?:denied|granted) +\{)[^{}=]{0,400}\}", "${1} <s> }"),  # SELinux: permissions
        (r"(\bapparmor=[^=]{1,40}.{0,1000} signal=)[\w+]{1,20}", "${1}<s>"),
        (r"(\bsubj==?)\S{1,200}(?: \((?:enforce|complain)\))?", "${1}<s>"),
    )
)

# These masks need the number of digits, _UNCOUNTED only their positions.
_COUNTED = (
    (_URL, "<url>"),
    (_HEX, "<n>"),
    (_TIME, "<time>"),
    (_IP, "<ip>"),
)
_UNCOUNTED = (
    (_PATH, "${1}<path>"),
    (_HOST, "<host>${1}"),
    (_SIZE, "${1}<size>${2}"),
    (r"(^|[^‹\w])-?[0-9]+(?:[.,_][0-9]+)*|([A-Za-z_])[0-9]+(?:[.,_][0-9]+)*", "${1}${2}<n>"),
    (r"(?:<n>[,;: ]+){2,}<n>", "<n>"),  # a list of numbers of any length
    (rf"(['\"`])[^'\"`\s]*<{_VALUE}>[^'\"`\s]*['\"`]", "${1}<s>${1}"),  # one quoted word with a value in it is a value
)

_FIRST = tuple((prefix.ascii_classes(pattern), replacement) for pattern, replacement in (*_KEPT, *_COUNTED))
_THEN = tuple((prefix.ascii_classes(pattern), replacement) for pattern, replacement in (*_UNCOUNTED, (r"\s+", " ")))
_CHANGING = (
    "|".join(f"(?:{pattern})" for pattern, _ in (*_FIRST, *_THEN[:-1])) + "|" + prefix.ascii_classes(r"(?:\s\s|[\t\n\r\f\v]|^\s|\s$)")
)
_ROUNDS = 8


def keys(texts: pl.Series) -> pl.Series:
    """The key of each text. Pass distinct texts: the cost is per text."""
    return _KEYS(texts.cast(pl.String))["key"]


def _as_compared(texts: pl.Series) -> pl.Series:
    """Strip control characters and level digits; texts that are equal then have one key."""
    shown = prefix.without_control(pl.col("text").fill_null("").str.slice(0, LONGEST))
    frame = texts.to_frame("text").select(shown)  # a step of its own: polars computes an expression where it is used
    return frame.select(_digits_levelled(pl.col("text"))).to_series()


def _keys(compared: pl.Series) -> pl.DataFrame:
    current = compared
    # A mask can uncover a match of another one (a value inside a prefix); few keys are left after the first round, so repeating is cheap.
    for _ in range(_ROUNDS):
        current = _of_pairs(_per_distinct(current, _counted))
        current = _per_distinct(_per_distinct(current, _lengths_levelled), _uncounted)
        left = current.unique()
        if not left.to_frame("text").select((_changeable(pl.col("text"))).any()).item() and _of_pairs(left).equals(left):
            break
    return current.to_frame("key")


_KEYS = TextMemory(_keys, alike=_as_compared)


def _per_distinct(texts: pl.Series, change: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    distinct = texts.unique(maintain_order=True)
    changed = distinct.to_frame("text").select(change(pl.col("text"))).to_series()
    return changed if len(distinct) == len(texts) else texts.replace_strict(distinct, changed, return_dtype=pl.String)


def _of_pairs(texts: pl.Series) -> pl.Series:
    """Replace the values of lines that consist of pairs; few lines do."""
    several = texts.str.count_matches("=", literal=True) >= PAIRS
    if not several.any():
        return texts
    frame = texts.filter(several).unique(maintain_order=True).alias("text").to_frame()
    pairs = pl.col("text").str.count_matches(_PAIR)
    words = pl.col("text").str.replace_all(_PAIR, " ").str.count_matches(r"[^ ]+")
    consists = (pairs >= PAIRS) & (words <= pairs)
    lines = frame.filter(consists | pl.col("text").str.contains(_RUN_OF_PAIRS))["text"]
    return texts if lines.is_empty() else texts.replace(lines, lines.to_frame("text").select(_keys_only(pl.col("text"))).to_series())


def _keys_only(text: pl.Expr) -> pl.Expr:
    masked = text.str.replace_all(_STAYS, "${1}${2}${3}" + _ASIDE + "${4}").str.replace_all(_MEANINGFUL, "${1}${3}" + _ASIDE + "${2}")
    masked = masked.str.replace_all(_PAIR_WITH_VALUE, "${1}${2}=<s>")
    for _ in range(2):  # the end of one empty pair is the beginning of the next
        masked = masked.str.replace_all(_EMPTY_PAIR, "${1}${2}=<s>${3}")
    masked = masked.str.replace_all(_ASIDE, "=", literal=True)
    for pattern, replacement in _OF_PAIRS_ONLY:
        masked = masked.str.replace_all(pattern, replacement)
    return masked


def _changeable(key: pl.Expr) -> pl.Expr:
    return key.str.contains(prefix.PREFIX) | key.str.contains(_CHANGING)


def _digits_levelled(text: pl.Expr) -> pl.Expr:
    levelled = text.str.replace_many(list(_DIGITS), list(_DIGITS.values()), leftmost=True)
    return pl.when(text.str.contains(_HAS_KEPT)).then(text).otherwise(levelled)


def _counted(text: pl.Expr) -> pl.Expr:
    masked = prefix.without_prefix(text)
    for pattern, replacement in _FIRST:
        masked = masked.str.replace_all(pattern, replacement)
    return masked


def _lengths_levelled(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains("‹", literal=True)).then(text).otherwise(text.str.replace_all("11+", "1"))


def _uncounted(text: pl.Expr) -> pl.Expr:
    masked = text
    for pattern, replacement in _THEN:
        masked = masked.str.replace_all(pattern, replacement)
    return masked.str.strip_chars()


def titles(masked: pl.Series) -> pl.Series:
    """Make titles of keys: without the guards ‹›, cut to TITLE_LENGTH characters."""
    plain = masked.str.replace_all("[‹›]", "")
    cut = plain.str.slice(0, TITLE_LENGTH - 1) + "…"
    return pl.select(pl.when(plain.str.len_chars() > TITLE_LENGTH).then(cut).otherwise(plain)).to_series()


def mined_id(key: str) -> str:
    """The signature of an unknown kind of event: a hash of its key, the same on every host."""
    return f"mined:{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"
