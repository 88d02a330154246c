"""Strip control characters and the log formatter's prefix from lines."""

from __future__ import annotations

import polars as pl

_IN_CLASS = {r"\w": "0-9A-Za-z_", r"\d": "0-9", r"\s": r" \t\n\r\f\v"}
_ALONE = {r"\w": "[0-9A-Za-z_]", r"\d": "[0-9]", r"\s": r"[ \t\n\r\f\v]", r"\S": r"[^ \t\n\r\f\v]", r"\b": r"(?-u:\b)"}


def ascii_classes(pattern: str) -> str:
    r"""Restrict \w, \d, \s and \b of a pattern to ASCII.

    The classes of Unicode have thousands of ranges, and polars builds its automata anew in each call: most of the time of a small batch.
    """
    out, in_class, at = [], False, 0
    while at < len(pattern):
        piece = pattern[at : at + 2] if pattern[at] == "\\" else pattern[at]
        in_class = piece != "]" if in_class else piece == "["
        out.append((_IN_CLASS if in_class else _ALONE).get(piece, piece))
        at += len(piece)
    return "".join(out)


_CONTROL = (
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # ANSI colours and cursor movements (ECMA-48 control sequences)
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # terminal titles and hyperlinks
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"  # invisible and direction-changing characters
)

MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
DATE = rf"(?:[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}|[0-9]{{2}}[-/][0-9]{{2}}|[0-9]{{1,2}}[/ -]{MONTH}[a-z]*[/ -][0-9]{{4}})"
CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,:][0-9]+)?)?"
SYSLOG_DATE = rf"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?{MONTH} +[0-9]{{1,2}}"
_TIME = rf"(?:(?:{DATE}|{SYSLOG_DATE})(?:[T _:]+{CLOCK})?|{CLOCK})(?: ?(?:Z|UTC|[+-][0-9]{{2}}:?[0-9]{{2}})\b)?(?: [0-9]{{4}}\b)?"
LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|CRITICAL|CRIT|FATAL|PANIC|SEVERE|SUCCESS|EMERG|ALERT)"
_LOGGER = r"[A-Za-z_][\w.\-]*"
_SOURCE = r"[\w./\-]+\.(?:py|cc|cpp|cu|c|h|go|rs|js|ts):[0-9]+"

# The prefixes of loguru, logging, uvicorn, glog, zap, klog, tracing and rich, piece by piece.
PREFIX = ascii_classes(
    rf"(?m)^(?:[ \t]*(?:"
    rf"[\[(]?{_TIME}[\])]?(?:[ \t]*[|,\-:]+(?:[ \t]|$)|[ \t]+|$)"  # 2026-11-23 08:41:39.123 · [08:41:39] · 12:01:02,345 -
    rf"|[\[(<]?{LEVEL}[\])>]?[ \t]*[:|](?:{_LOGGER}(?:\.{_LOGGER})*:)?[ \t]*"  # ERROR: · ERROR | · WARNING:urllib3.connectionpool:
    rf"|[\[(<]{LEVEL}[\])>](?:[ \t]+|$)"  # [ERROR]
    rf"|{LEVEL}[ \t]+(?:-+[ \t]+)?"  # ERROR - · ERROR (vLLM: INFO 11-23 09:15:00 …)
    rf"|(?:level|lvl|severity)=\"?[A-Za-z]+\"?[ \t]+|(?:ts|time)=\"?[0-9T:.,+\-Z]+\"?[ \t]+"  # logfmt
    rf"|[IWEF][0-9]{{4}}[ \t]+{CLOCK}[ \t]+[0-9]+[ \t]+"  # glog: E1123 09:15:00.123456 1234 file.cc:33]
    rf"|\[?{_SOURCE}\]:?(?:[ \t]+|$)"  # [core.py:123] · file.cc:33]
    rf"|{_LOGGER}:{_LOGGER}:[0-9]+[ \t]+-(?:[ \t]+|$)"  # loguru: module:function:12 -
    rf"|{_LOGGER}[ \t]+-[ \t]+{LEVEL}[ \t]+-(?:[ \t]+|$)"  # logging: name - ERROR -
    rf"|\({_LOGGER}(?:[ \t]+\w+=[0-9]+)+\)(?:[ \t]+|$)"  # (EngineCore pid=12)
    rf"|\[?(?:pid|tid)[ :=]?[0-9]+\]?:?(?:[ \t]+|$)"  # [pid 12]
    rf"|\[[0-9]+\](?:[ \t]+|$)"  # [1234]
    rf"))+"
)


def without_control(texts: pl.Expr) -> pl.Expr:
    """Strip the characters that a reader does not see."""
    return texts.str.replace_all(_CONTROL, "")


def without_prefix(texts: pl.Expr) -> pl.Expr:
    """Strip the formatter's prefix from each line of texts without control characters."""
    return texts.str.replace_all(PREFIX, "").str.strip_chars()
