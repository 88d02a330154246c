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
LEVEL = (
    "(?:TRACE|TRC|DEBUG|DEBU|DBG|VERBOSE|INFO|INF|NOTICE|WARN|WARNING|WRN|ERROR|ERRO|ERR|CRITICAL|CRIT|FATAL|FATA|FTL|PANIC|PANI|SEVERE"
    "|SUCCESS|EMERG|ALERT)"
)
# In brackets levels are written in any case, and cut to four letters.
_IN_BRACKETS = (
    "(?i-u:trace|debug?|verbose|info|information|noti|notice|note|warn|warning|erro?|error|severe|crit|critical|fatal|panic|emerg|alert"
    "|success)"
)
_LOGGER = r"[A-Za-z_][\w.\-]*"
_CLASS = r"[A-Za-z_][\w.$/\-]*"
_THREAD = r"\[[^\]\[\n]+\]"
_SOURCE = r"[\w./\-]+\.(?:py|cc|cpp|cu|c|h|go|rs|js|ts):[0-9]+"
_AFTER_LEVEL = (
    rf"(?:[0-9]+ --- )?(?:{_THREAD}[ \t]+(?:-+[ \t]+|{_CLASS}[ \t]*:[ \t]+)?)?(?:{_CLASS}[ \t]+-[ \t]+|-+[ \t]+)?"  # logback, log4j, Spring
)

# The prefixes of loguru, logging, uvicorn, glog, zap, klog, tracing, rich and of servers and databases, piece by piece. A search begins at
# each piece, so that what begins with a time is one piece.
PREFIX = ascii_classes(
    rf"(?m)^(?:[ \t]*(?:"
    rf"(?:[\[(]|\[[CEWID] (?:[0-9]{{6}} )?|[0-9]+:[A-Z] )?{_TIME}(?: ?[AP]M)?(?:"
    rf"\](?:\[[^\]\[\n]*\])+[ \t]+"  # [2026-11-23T08:41:39,123][ERROR][o.e.Node ] · [time][1][error][main]
    rf"|,[ \t]+[0-9]+(?:, [\w=, .()]+)?\][ \t]+\S+\.c:[0-9]+\(\w+\)(?:[ \t]+|$)"  # Samba
    rf"|:? {LEVEL}(?:/[\w\-]+| [\w:]+)?\][ \t]+"  # [08:41:39 ERR] · [time: ERROR/MainProcess] · [time ERROR crate::module]
    rf"| [\w.:\-]+(?:\][ \t]+| [\w./\-]+\[[0-9]+\]:[ \t]+)"  # [E 08:41:39.123 ServerApp] · Nov 23 08:41:39 host app[12]:
    # 0 [ERROR] · UTC [12] app@db FATAL: · [ 12 ] {{}} <Error> · [main] ERROR c.x.Y -
    rf"|[ \t]+(?:[A-Z]{{3,4}}[ \t]+)?(?:[0-9]+|\[ *[0-9]+ *\](?:[ \t]+\{{[^}}\n]*\}})?|{_THREAD})[ \t]+(?:[^\s@]+@[^\s@]+[ \t]+)?"
    rf"(?:[\[<][A-Za-z]{{3,9}}[\]>]:?(?:[ \t]+|$)|(?:{LEVEL}|LOG)(?::[ \t]*|[ \t]+{_AFTER_LEVEL}|$))"
    rf"|[\])]?(?:[ \t]*[|,\-:]+(?:[ \t]|$)|[ \t]+(?:[#*.] )?|$)"  # 2026-11-23 08:41:39.123 · [08:41:39] · 12:01:02,345 - · 12:M … #
    rf")"
    # ERROR: · ERROR | · WARNING:urllib3.connectionpool: · ERROR - · FATA[0003] · ERROR (vLLM: INFO 11-23 09:15:00 …)
    rf"|[\[(<]?{LEVEL}[\])>]?[ \t]*[:|](?:{_LOGGER}(?:\.{_LOGGER})*:)?[ \t]*|{LEVEL}(?:\[[0-9]+\]:?)?[ \t]+{_AFTER_LEVEL}"
    rf"|(?:[\w.\-]+: )?[\[<](?:\w+:)?{_IN_BRACKETS} *[\]>]:?(?:[ \t]+|$)"  # [ERROR] · nginx: [emerg] · [core:error] · <Error>
    rf"|(?:debug|info|warn|error|d?panic|fatal)\t[ \t]*"  # zap
    rf"|(?:level|lvl|severity)=\"?[A-Za-z]+\"?[ \t]+|(?:ts|time|t)=\"?[0-9T:.,+\-Z ]+\"?[ \t]+|caller=[\w./\-]+:[0-9]+[ \t]+"  # logfmt
    rf"|[IWEF](?:[0-9]{{4}})?[0-9]{{4}}[ \t]+{CLOCK}[ \t]+[0-9]+[ \t]+"  # glog: E1123 09:15:00.123456 1234 file.cc:33]
    rf"|\[?{_SOURCE}(?:\]:?(?:[ \t]+|$)|\t[ \t]*)"  # [core.py:123] · file.cc:33]
    rf"|{_LOGGER}:{_LOGGER}:[0-9]+[ \t]+-(?:[ \t]+|$)"  # loguru: module:function:12 -
    rf"|{_LOGGER}[ \t]+-[ \t]+{LEVEL}[ \t]+-(?:[ \t]+|$)"  # logging: name - ERROR -
    rf"|\({_LOGGER}(?:[ \t]+\w+=[0-9]+)+\)(?:[ \t]+|$)"  # (EngineCore pid=12)
    rf"|\[?(?:pid|tid)[ :=]?[0-9]+(?::tid [0-9]+)?\]?:?(?:[ \t]+|$)"  # [pid 12] · [pid 12:tid 34]
    rf"|\[ *[0-9]+(?:\.[0-9]+)?\](?:[ \t]+|$)|\([0-9]+\) : "  # [1234] · [   12.345678] of the kernel · (12) : of HAProxy
    rf"|[0-9]{{10}}(?:\.[0-9]+)?:[ \t]+"  # seconds since 1970, as Mosquitto writes them
    rf"|[0-9]+#[0-9]+:[ \t]+(?:\*[0-9]+[ \t]+)?|kid[0-9]+\|[ \t]+|<[0-9]+\.[0-9]+\.[0-9]+>[ \t]+"  # nginx · Squid · Erlang
    rf"|(?:\[System\][ \t]+)?\[MY-[0-9]+\][ \t]+(?:\[(?:Server|InnoDB|Repl)\][ \t]+)?|\[myid:[0-9]*\][ \t]+-[ \t]+"  # MySQL · ZooKeeper
    # unbound[12:0] error: · Xorg · Telegraf · sd-daemon
    rf"|[\w./\-]+\[[0-9]+(?::[0-9]+)?\]:?[ \t]+(?:{_IN_BRACKETS}: )?|\(EE\)[ \t]+|\[[ .!:]\][ \t]+|[EWID]![ \t]+|<[0-7]>"
    rf"))+"
)
# The message of a logfmt line is what its key msg has.
_QUOTED = ascii_classes(r"(?m)^(?:msg|message)=\"([^\"\\]*)\"")


def without_control(texts: pl.Expr) -> pl.Expr:
    """Strip the characters that a reader does not see."""
    return texts.str.replace_all(_CONTROL, "")


def without_prefix(texts: pl.Expr) -> pl.Expr:
    """Strip the formatter's prefix from each line of texts without control characters."""
    return texts.str.replace_all(PREFIX, "").str.replace(_QUOTED, "${1}").str.strip_chars()
