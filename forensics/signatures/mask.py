"""Texts in, keys out: what stays of a line when its formatter, its time and its values are taken away.

Equal keys mean the same kind of event. Numbers that name the problem (errno, exit status, signal, HTTP status, Xid, CUDA error) stay
in the key, because another number is another problem. Masking a key changes nothing.
"""

from __future__ import annotations

import hashlib

import polars as pl

LONGEST = 4000  # characters of a text that are looked at; a key need not tell more apart
TITLE_LENGTH = 120

_CONTROL = (
    (r"\x1b\[[0-?]*[ -/]*[@-~]", ""),  # ANSI colours and cursor movements (ECMA-48 control sequences)
    (r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)", ""),  # terminal titles and hyperlinks
    (r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", ""),
    (r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", ""),  # invisible and direction-changing characters
)

_DATE = r"(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d[-/]\d\d|\d\d?[/ -](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*[/ -]\d{4})"
_CLOCK = r"\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?"
_SYSLOG_DATE = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d\d?"
_TIME = rf"(?:(?:{_DATE}|{_SYSLOG_DATE})(?:[T _:]+{_CLOCK})?|{_CLOCK})(?: ?(?:Z|UTC|[+-]\d\d:?\d\d)\b)?(?: \d{{4}}\b)?"
LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|CRITICAL|CRIT|FATAL|PANIC|SEVERE|SUCCESS|EMERG|ALERT)"
_LOGGER = r"[A-Za-z_][\w.\-]*"
_SOURCE = r"[\w./\-]+\.(?:py|cc|cpp|cu|c|h|go|rs|js|ts):\d+"

# What loguru, logging, uvicorn, glog, zap, klog, tracing and rich put before a message. One round takes one piece off each line.
_PREFIX = (
    rf"(?m)^[ \t]*(?:"
    rf"[\[(]?{_TIME}[\])]?(?:[ \t]*[|,\-:]+(?:[ \t]|$)|[ \t]+|$)"  # 2026-11-23 08:41:39.123 · [08:41:39] · 12:01:02,345 -
    rf"|[\[(<]?{LEVEL}[\])>]?[ \t]*[:|](?:{_LOGGER}(?:\.{_LOGGER})*:)?(?:[ \t]|$)*"  # ERROR: · ERROR | · WARNING:urllib3.connectionpool:
    rf"|[\[(<]{LEVEL}[\])>](?:[ \t]+|$)"  # [ERROR]
    rf"|{LEVEL}[ \t]+(?:-+[ \t]+)?"  # ERROR - · ERROR (vLLM: INFO 11-23 09:15:00 …)
    rf"|(?:level|lvl|severity)=\"?[A-Za-z]+\"?[ \t]+|(?:ts|time)=\"?[0-9T:.,+\-Z]+\"?[ \t]+"  # logfmt
    rf"|[IWEF]\d{{4}}[ \t]+{_CLOCK}[ \t]+\d+[ \t]+"  # glog: E1123 09:15:00.123456 1234 file.cc:33]
    rf"|\[?{_SOURCE}\]:?(?:[ \t]+|$)"  # [core.py:123] · file.cc:33]
    rf"|{_LOGGER}:{_LOGGER}:\d+[ \t]+-(?:[ \t]+|$)"  # loguru: module:function:12 -
    rf"|{_LOGGER}[ \t]+-[ \t]+{LEVEL}[ \t]+-(?:[ \t]+|$)"  # logging: name - ERROR -
    rf"|\({_LOGGER}(?:[ \t]+\w+=\d+)+\)(?:[ \t]+|$)|\[?(?:pid|tid)[ :=]?\d+\]?:?(?:[ \t]+|$)"  # (EngineCore pid=12) · [pid 12]
    rf"|\[\d+\](?:[ \t]+|$)"  # [1234]
    rf")"
)

# Reason phrases of RFC 9110, as far as they tell one from an ordinary word.
_REASON = (
    "Bad Request|Unauthorized|Forbidden|Not Found|Method Not|Conflict|Gone|Too Many|Unprocessable"
    "|Internal Server|Not Implemented|Bad Gateway|Service Unavailable|Gateway Time"
)

# A number in ‹› is not masked: it says which problem it is.
_KEPT = (
    (
        r"(?i)\b(errno|os error|exit(?:ed)?(?: with)?(?: code| status)?|returncode|status|code|signal|sig)([ :=#(]{1,3})(-?\d+)\b",
        "${1}${2}‹${3}›",
    ),
    (
        r"(?i)\b(xid|cuda error|cuda failure|cudnn error|cublas error|nccl error|http(?:/\d(?:\.\d)?)?\"?)([ :=#(]{1,3})(\d+)\b",
        "${1}${2}‹${3}›",
    ),
    (r"(Xid \(PCI:[^)]*\): )(\d+)", "${1}‹${2}›"),
    (rf"\b([45]\d\d)( (?:{_REASON}))", "‹${1}›${2}"),
)

_MASKS = (
    (r"\b[a-zA-Z][a-zA-Z0-9+.\-]*://[^\s'\"<>)\]]+", "<url>"),
    (rf"\b(?:{_DATE}[T _]{_CLOCK}|{_SYSLOG_DATE} {_CLOCK})(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<uuid>"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}|/\d{1,2})?\b", "<ip>"),
    (r"\[?\b(?:[0-9a-fA-F]{1,4}:){3,7}(?::|[0-9a-fA-F]{1,4})\b(?:\](?::\d{1,5})?)?|\[::1?\](?::\d{1,5})?", "<ip>"),
    (r"\b(?:0x|0X)[0-9a-fA-F]+\b|\b[0-9a-f]{12,}\b|\b[0-9A-F]{12,}\b", "<hex>"),
    (r"(^|[\s'\"`(=:,\[{<>])(?:~|\.{1,2})?(?:/[\w.@%+~\-<>]+)+/?", "${1}<path>"),
    (r"\b[\w.@+\-]+(?:/[\w.@+\-]+){2,}\b", "<path>"),
    (r"(^|[^‹\d])\d[\d.,_]*\d ?(?:[KMGTP]i?B|bytes|kB)\b|(^|[^‹\d])\d ?(?:[KMGTP]i?B|bytes|kB)\b", "${1}${2}<size>"),
    (r"(^|[^‹\d])\d+(?:[.,_]\d+)*", "${1}<n>"),
    (r"(?:<n>[,;: ]+){2,}<n>", "<n>"),  # a list of numbers, however long
    (r"'[^'\s]*<(?:n|path|url|hex|uuid|ip|size|time)>[^'\s]*'", "'<s>'"),  # one quoted word with a value in it is a value
    (r"\"[^\"\s]*<(?:n|path|url|hex|uuid|ip|size|time)>[^\"\s]*\"", '"<s>"'),
    (r"`[^`\s]*<(?:n|path|url|hex|uuid|ip|size|time)>[^`\s]*`", "`<s>`"),
    (r"\s+", " "),
)

_ROUNDS = 8


def keys(texts: pl.Series) -> pl.Series:
    """The key of each text. Give distinct texts: the cost is per text."""
    current = texts.fill_null("").str.slice(0, LONGEST)
    # A mask can uncover what another one takes (a value inside a prefix); few keys are left after the first round, so repeating is cheap.
    for _ in range(_ROUNDS):
        distinct = current.unique(maintain_order=True)
        masked = _once(distinct)
        if masked.equals(distinct):
            break
        current = current.replace_strict(distinct, masked, return_dtype=pl.String)
    return current.rename("key")


def _once(texts: pl.Series) -> pl.Series:
    masked = without_prefix(texts)
    for pattern, replacement in (*_KEPT, *_MASKS):
        masked = masked.str.replace_all(pattern, replacement)
    return masked.str.strip_chars()


def without_prefix(texts: pl.Series) -> pl.Series:
    """Each text without control characters and without what a log formatter put before the message on each line."""
    bare = texts
    for pattern, replacement in _CONTROL:
        bare = bare.str.replace_all(pattern, replacement)
    for _ in range(6):  # time, level, process, logger, source: no formatter seen writes more pieces
        bare = bare.str.replace_all(_PREFIX, "")
    return bare.str.strip_chars()


def titles(masked: pl.Series) -> pl.Series:
    """Keys as a title: without the guards, cut to TITLE_LENGTH characters."""
    plain = masked.str.replace_all("[‹›]", "")
    cut = plain.str.slice(0, TITLE_LENGTH - 1) + "…"
    return pl.select(pl.when(plain.str.len_chars() > TITLE_LENGTH).then(cut).otherwise(plain)).to_series()


def mined_id(key: str) -> str:
    """The signature of an unknown kind of event: a hash of what is constant in it, the same in every run and on every host."""
    return f"mined:{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"
