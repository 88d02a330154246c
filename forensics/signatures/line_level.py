"""Classify log lines by what their wording claims: error, ordinary output, warning, complaint or farewell."""

from __future__ import annotations

import polars as pl

_AT_PREFIX = r"(?m)^[^\n]{0,60}?"  # the level comes before the message: after a time, a process, a logger

# Error levels of logging, loguru, uvicorn, glog, klog, logfmt and JSON loggers, and what runtimes print without any logger.
_ERROR = (
    _AT_PREFIX + r"(?:^|[\s\[(<|])(?:ERROR|CRITICAL|FATAL|PANIC|SEVERE|EMERG|ALERT)(?:$|[\s:\])>|])",
    r"^[EF]\d{4} \d\d:\d\d:",
    r"(?i)\b(?:level|lvl|severity)\"?\s*[=:]\s*\"?(?:error|err|fatal|crit|critical|panic|emerg|alert)\b",
    r"(?m)^(?:[\w./\-]+: )?(?i:error|fatal|fatal error|panic)(?:\[\w+\])?: ",
    r"(?m)^[\w./\-]+: (?:error|fatal|cannot|can't|could not|failed)\b",
    r"(?m)^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Failure)(?:: |$)",
    r"(?m)(?:^|: )error (?:loading|while loading|opening|reading|parsing|creating|initializing)\b",
    r"(?i)^(?:failed|unable|cannot|could not|can't) (?:to )?\w",
    r"(?m)^thread '[^']*' (?:\(\d+\) )?panicked at",
    r"(?m)^goroutine \d+ \[|^terminate called|^Fatal Python error|^Traceback \(most recent call last\)",
    r"(?i)\bsegmentation fault\b|\bcore dumped\b|\bassertion\b.{0,300}\bfailed\b|\bGGML_ASSERT\b",
)
_ORDINARY = (
    _AT_PREFIX + r"(?:^|[\s\[(<|])(?:TRACE|DEBUG|INFO|NOTICE|SUCCESS|WARN|WARNING)(?:$|[\s:\])>|])",
    r"^[IW]\d{4} \d\d:\d\d:",
    r"(?i)\b(?:level|lvl|severity)\"?\s*[=:]\s*\"?(?:trace|debug|info|notice|warn|warning)\b",
    r"\"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|CONNECT) [^\"\n]*HTTP/\d",
    r"\bld\.so: object .* cannot be preloaded .*: ignored",  # the loader logs ERROR and continues (ld.so, LD_PRELOAD)
)
_WARNING = _AT_PREFIX + r"(?:^|[\s\[(<|])(?:WARN|WARNING)(?:$|[\s:\])>|])"

# Errors that only announce the end: the error before them explains it.
_FAREWELL = (
    r"(?i)^(?:\w+ )?(?:exiting|quitting|aborting|aborted|shutting down|terminating|giving up|stopping|goodbye)\b",
    r"(?i)^application (?:startup|shutdown) failed|^traceback \(most recent call last\)",
    r"(?i)^please |^see (?:above|the|root cause)|^for more information",
)
# Complaint words in lines that carry no error level.
_COMPLAINT = (
    r"(?i)\b(?:fail(?:s|ed|ing|ure)?|errors?|gave up|giving up|cannot|can't|could(?: not|n't)|unable|denied|refused|invalid|missing"
    r"|not found|no such|abort(?:ed|ing)?|timed out|time-?out|exceeded|unsupported|bad|wrong|lost|crash(?:ed|ing)?"
    r"|exhausted|unreachable|corrupt(?:ed)?)\b"
)
# Exceptions that a request to stop raises.
_STOPPING = r"^(?:[\w.]+\.)?(?:KeyboardInterrupt|CancelledError|SystemExit|GeneratorExit)\b"


def reports_error(text: pl.Expr) -> pl.Expr:
    """Whether a line reports a failure, by its level or its form; one marked as information or warning does not."""
    return _any(text, _ERROR) & ~_any(text, _ORDINARY)


def is_ordinary(text: pl.Expr) -> pl.Expr:
    """Whether a line is everyday output: information, debugging, an access log. A warning is not: it may explain an end."""
    return _any(text, _ORDINARY) & ~warns(text)


def warns(text: pl.Expr) -> pl.Expr:
    """Whether a text has the level of a warning."""
    return text.str.contains(_WARNING)


def complains(text: pl.Expr) -> pl.Expr:
    """Whether a line mentions that something went wrong, in whatever form."""
    return text.str.contains(_COMPLAINT)


def is_farewell(message: pl.Expr) -> pl.Expr:
    """Whether an error line, without its prefix, only announces the end."""
    return _any(message, _FAREWELL) | (message == "")


def comes_from_stopping(exception: pl.Expr) -> pl.Expr:
    """Whether an exception is one that a request to stop raises."""
    return exception.str.contains(_STOPPING)


def _any(text: pl.Expr, patterns: tuple[str, ...]) -> pl.Expr:
    return pl.any_horizontal([text.str.contains(pattern) for pattern in patterns])
