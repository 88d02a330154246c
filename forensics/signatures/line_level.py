"""Lines in, how they sound out: does a line report an error, is it ordinary, is it only a farewell."""

from __future__ import annotations

import polars as pl

_AT_PREFIX = r"(?m)^[^\n]{0,60}?"  # a level stands before the message: after a time, a process, a logger

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
    r"\bld\.so: object .* cannot be preloaded .*: ignored",  # the loader says ERROR and goes on (ld.so, LD_PRELOAD)
)
_WARNING = _AT_PREFIX + r"(?:^|[\s\[(<|])(?:WARN|WARNING)(?:$|[\s:\])>|])"

# Errors that only say that it ends: the error before them says why.
_FAREWELL = (
    r"(?i)^(?:\w+ )?(?:exiting|quitting|aborting|aborted|shutting down|terminating|giving up|stopping|goodbye)\b",
    r"(?i)^application (?:startup|shutdown) failed|^traceback \(most recent call last\)",
    r"(?i)^please |^see (?:above|the|root cause)|^for more information",
)
# Words of somebody whom something went wrong for, without the form of an error line.
_COMPLAINT = (
    r"(?i)\b(?:fail(?:s|ed|ing|ure)?|errors?|gave up|giving up|cannot|can't|could(?: not|n't)|unable|denied|refused|invalid|missing"
    r"|not found|no such|abort(?:ed|ing)?|timed out|time-?out|exceeded|unsupported|bad|wrong|lost|crash(?:ed|ing)?"
    r"|exhausted|unreachable|corrupt(?:ed)?)\b"
)
# Exceptions that a request to stop raises.
_STOPPING = r"^(?:[\w.]+\.)?(?:KeyboardInterrupt|CancelledError|SystemExit|GeneratorExit)\b"


def reports_error(text: pl.Expr) -> pl.Expr:
    """Whether a line says of itself that something failed; a line that calls itself information or warning does not."""
    return _any(text, _ERROR) & ~_any(text, _ORDINARY)


def is_ordinary(text: pl.Expr) -> pl.Expr:
    """Whether a line is everyday output: information, debugging, an access log. Warnings are not: they may be the last word."""
    return _any(text, _ORDINARY) & ~warns(text)


def warns(text: pl.Expr) -> pl.Expr:
    """Whether a text calls itself a warning."""
    return text.str.contains(_WARNING)


def complains(text: pl.Expr) -> pl.Expr:
    """Whether a line speaks of something that went wrong, in whatever form."""
    return text.str.contains(_COMPLAINT)


def is_farewell(message: pl.Expr) -> pl.Expr:
    """Whether an error line, without its prefix, only announces the end."""
    return _any(message, _FAREWELL) | (message == "")


def comes_from_stopping(exception: pl.Expr) -> pl.Expr:
    """Whether an exception line is what a stop request raises."""
    return exception.str.contains(_STOPPING)


def _any(text: pl.Expr, patterns: tuple[str, ...]) -> pl.Expr:
    return pl.any_horizontal([text.str.contains(pattern) for pattern in patterns])
