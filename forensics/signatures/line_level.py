"""Give log lines the level that their logger or their form claims: fatal, error, warning, ordinary output or none.

The marks of loggers are looked for where formatters put them, in the first HEAD characters; a `level` key counts wherever it stands.
A line without a mark has the level of its form: what runtimes and programs print without any logger.
"""

from __future__ import annotations

import polars as pl

from forensics.signatures.line_wording import (
    complains,
    is_farewell,
    is_hint,
    is_rollback,
    is_wrapper,
    recovers,
    retries,
)
from forensics.signatures.prefix import ascii_classes

__all__ = [
    "ERROR",
    "FATAL",
    "NONE",
    "ORDINARY",
    "WARNING",
    "comes_from_stopping",
    "complains",
    "is_farewell",
    "is_hint",
    "is_ordinary",
    "is_rollback",
    "is_wrapper",
    "level",
    "recovers",
    "reports_error",
    "retries",
    "warns",
]

# In the order of suspicion: a line that claims no level is more suspicious than one that claims to be information.
ORDINARY, NONE, WARNING, ERROR, FATAL = range(5)
HEAD = 100  # characters of a text in which a formatter puts the level: after times, hosts, processes and logger names

_WORDS = {
    FATAL: "fatal fata ftl critical crit panic pani pnc dpanic emergency emerg alert f c a",
    ERROR: "error err erro eror severe failure fail e ee exception",
    WARNING: "warning warn wrn w ww userwarning runtimewarning deprecationwarning pendingdeprecationwarning futurewarning resourcewarning"
    " syntaxwarning importwarning byteswarning unicodewarning",
    ORDINARY: "notice noti information info inf ii i debug debu dbug dbg d trace trce trc t verbose vrb config fine finer finest success"
    " note n",
}
# syslog's severities (RFC 5424) and the levels of pino and bunyan
_NUMBERS = {FATAL: "0 1 2 60", ERROR: "3 50", WARNING: "4 40", ORDINARY: "5 6 7 10 20 30"}
_LEVEL_OF = {word: level for table in (_WORDS, _NUMBERS) for level, words in table.items() for word in words.split()}

_UPPER = (
    "TRACE|TRCE|TRC|DEBUG|DEBU|DBUG|DBG|VERBOSE|INFO|INFORMATION|INF|NOTICE|SUCCESS|WARN|WARNING|WRN|ERROR|ERRO|EROR|ERR|SEVERE"
    "|CRITICAL|CRIT|FATAL|FATA|FTL|PANIC|PANI|PNC|EMERG|ALERT"
)
_ANY_CASE = (
    "trace|debu|debug|verbose|info|information|noti|notice|note|warn|warning|erro?|error|severe|crit|critical|fatal|d?panic"
    "|emerg|emergency|alert"
)
_PYTHON_WARNING = "(?:User|Runtime|Deprecation|PendingDeprecation|Future|Resource|Syntax|Import|Bytes|Unicode)Warning"
_COLOUR = r"(?:\x1b\[[0-9;]{0,12}m)"
_MARK = ascii_classes(
    # ERROR · [ERROR] · ERROR: · ERROR[0003] · <ERROR> · ERROR/MainProcess · -ERROR- · *ERROR* · ERR!, also coloured
    rf"(?:^|[\s\[(<|:*=\-]|{_COLOUR})(?:{_UPPER})(?:$|[\s:\])>|\[/!*,\x1b\-])"
    # [error] · [core:error] · [Warning] · <Error> · \terror\t
    rf"|\[(?:\w{{1,30}}:)?(?i:{_ANY_CASE}) {{0,6}}\]|<(?i:{_ANY_CASE})>|\t(?i:{_ANY_CASE})\t"
    # error: · nginx: warning: · 2026-11-23T09:00:00Z info: · unbound[1:0] fatal error: · fail: Microsoft.Hosting[0] (.NET)
    rf"|(?:^(?:PHP )?|[:\])|>│!] {{1,4}}|[0-9Z] ){_COLOUR}?(?i:{_ANY_CASE})(?i: error)?(?:\[\w{{1,20}}\])?{_COLOUR}? ?: "
    r"|^(?:fail|crit|warn|info|dbug|trce): "
    rf"|(?:^|\d: ){_PYTHON_WARNING}: "
    r"|^[EFWI](?:\d{4})?\d{4} \d\d:\d\d:"  # glog, klog, abseil
    r"|^\[[CEWID] (?:\d{4}-\d\d-\d\d |\d{6} )?\d\d:\d\d:\d\d"  # Jupyter, Tornado
    r"|(?:^|[\s)])\[[FEWIDTN]\](?: |$)"  # Gitea, Home Assistant's helpers
    r"|^[EWN]: |\((?:EE|WW|II)\) | [EWID]! |^<[0-7]>"  # apt · Xorg · Telegraf · sd-daemon
)
_BEFORE_WORD = ascii_classes(r"^\[\w{1,30}:|^\x1b\[[0-9;]{0,12}m|^[Z0-9] |^PHP (?:Notice|Deprecated)?|^\d: ")

# After `log level=` stands a setting, not the line's level.
_KEY = ascii_classes(
    r"(?i)(?:^|[{,(\[;\t]\s{0,4}|(?:[^\sg]|[^o\s]g|[^l\s]og) )\"?(?:@l|level|lvl|severity|severity_?text|levelname|log[._]?level)\"?"
    r"[ \t]{0,3}[=:][ \t]{0,3}\"?"
)
_KEYED = (
    rf"{_KEY}((?i:{_ANY_CASE}|eror|dbug|crit|ftl|inf|wrn|err|trce))(?-u:\b)"
    r"|\"level\"[ \t]{0,3}:[ \t]{0,3}\"?([0-9]{1,2})(?-u:\b)"
    r"|\"s\"[ \t]{0,3}:[ \t]{0,3}\"([FEWIDfewid])"  # MongoDB
)

_EXCEPTION = r"(?:[A-Za-z_]\w*(?:\.|::|\\))*[A-Z]\w*(?:Error|Exception|Exit|Failure)"
_FATAL_FORM = ascii_classes(
    r"(?m)^thread '[^'\n]*' (?:\(\d+\) )?panicked at|^(?i:panic|fatal error)(?:: | :)|^(?:PHP )?Fatal error: "
    r"|^goroutine \d+ \[|^terminate called|^Fatal Python error|^[=*!]{2,3} ?(?i:fatal|panic)|^Unhandled [Ee]xception\b"
    r"|^=(?:ERROR|CRASH) REPORT=|^Kernel panic|(?:^|: )(?i:fatal server error|caught signal \d+.*(?:SEGV|segmentation))"
    r"|(?i:\bsegmentation fault\b|\bsegmentation violation\b|\bcore dumped\b|\bGGML_ASSERT\b|\bassertion\b[^\n]*\bfailed\b)"
)
_ERROR_FORM = ascii_classes(
    r"(?m)^(?:[\w./\-\[\]]+(?::\d+){0,2}: ){1,3}(?i:error|fatal|cannot|can't|can not|could not|couldn't|failed|failure|unable|unrecognized"
    r"|invalid|bad"
    r"|unknown|undefined|no such)\b"
    rf"|^(?:[\w./\-]+: )?(?i:uncaught |unhandled )?{_EXCEPTION}(?:: |$| \[)"
    r"|^(?i:error|failed|failure|unable|cannot|could not|couldn't|can't|can not)(?: to)? \w|^(?i:error)[: ]|^ERR! |^npm (?:ERR!|error) "
    r"|(?:^|: )(?i:error) (?i:loading|while loading|opening|reading|parsing|creating|initializing|in|at|binding|on line|while)\b"
    r"|^\[!\] |^Traceback \(most recent call last\)|^!!! |^[^\n:]{0,40}\b(?i:error)(?: \([^)\n]*\))? ?: "
    r"|^[\w./\-]+:\d+(?::\d+)?: (?i:fatal )?error|^(?i:error)!+ |^\*\* (?:\{|Reason )|^\*\*\* (?i:error|fatal)|^make(?:\[\d+\])?: \*\*\* "
    # Redis marks all that matters with #, Samba with level 0 · stunnel
    r"|^(?:\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]{8,15} # |\[[\d/]{10} [\d:.]{8,15}, +0(?:, [^\]\n]*)?\] \S+\(\w+\) )(?:(?:[^W\n]"
    r"|W[^A\n])[^\n]*)?(?i:fail|error|can't|cannot|could not|unable|fatal|abort|denied)"
)
# An access log: it counts where no level is written, as nginx's error log quotes the request, too.
_ACCESS_FORM = ascii_classes(r"\"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|CONNECT) [^\"\n]*HTTP/\d")
# The loader logs ERROR and continues (ld.so, LD_PRELOAD) · Redis's other marks · what supervisord marks as critical
_ORDINARY_FORM = ascii_classes(
    r"\bld\.so: object [^\n]* cannot be preloaded [^\n]*: ignored"
    r"|^\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]{8,15} [*.\-] "
    r"|^\[[ .]\] |\bCRIT (?:Supervisor (?:is )?running as root|Server '[^'\n]*' running without any)"
)
# What a supervisor reports of its services counts, whatever level it has there (supervisord, s6, Home Assistant).
_ENDED_FORM = ascii_classes(
    r"\bexited: \S+ \((?:exit status \d+; not expected|terminated by )|\bexited with code \d+ \(by signal"
    r"|\bgave up: \S+ entered FATAL|\bspawnerr: "
)
# What is left aside stops nobody.
_ASIDE_FORM = ascii_classes(
    r"[,;.(-] ?(?i:ignoring|ignored|skipping|skipped|skip|continuing)(?:\b[^\n:]*$|[:,] )"
    r"|[,;.] (?i:(?:now |so |will (?:be )?)?(?:using|us(?:e|ing) (?:the )?default|creat(?:e|ing)|generat(?:e|ing)|falling back|defaulting"
    r"|assuming|starting with an? (?:new|empty)))\b[^\n:]*$"
)
# Exceptions that a request to stop raises.
_STOPPING = ascii_classes(r"^(?:[\w.]+\.)?(?:KeyboardInterrupt|CancelledError|SystemExit|GeneratorExit)\b")


def level(text: pl.Expr) -> pl.Expr:
    """The level of each line: ORDINARY, NONE, WARNING, ERROR or FATAL. Compute it once: each search is made on all texts."""
    return pl.coalesce(
        pl.when(text.str.contains(_ORDINARY_FORM)).then(pl.lit(ORDINARY, pl.Int8)),
        pl.when(text.str.contains(_ENDED_FORM)).then(pl.lit(ERROR, pl.Int8)),
        _of_word(_keyed(text)),
        _of_word(_marked(text)),
        pl.when(text.str.contains(_ACCESS_FORM)).then(pl.lit(ORDINARY, pl.Int8)),
        pl.when(text.str.contains(_ASIDE_FORM)).then(pl.lit(WARNING, pl.Int8)),
        pl.when(text.str.contains(_FATAL_FORM)).then(pl.lit(FATAL, pl.Int8)),
        pl.when(text.str.contains(_ERROR_FORM)).then(pl.lit(ERROR, pl.Int8)),
        pl.lit(NONE, pl.Int8),
    )


def reports_error(text: pl.Expr) -> pl.Expr:
    """Whether a line reports a failure, by its level or its form; one marked as information or warning does not."""
    return level(text) >= ERROR


def is_ordinary(text: pl.Expr) -> pl.Expr:
    """Whether a line is everyday output: information, debugging, an access log. A warning is not: it may explain an end."""
    return level(text) == ORDINARY


def warns(text: pl.Expr) -> pl.Expr:
    """Whether a text has the level of a warning."""
    return level(text) == WARNING


def has_level(text: pl.Expr) -> pl.Expr:
    """Whether a logger wrote the level into a line, so that it need not be guessed from the line's form."""
    return pl.coalesce(_of_word(_keyed(text)), _of_word(_marked(text))).is_not_null()


def comes_from_stopping(exception: pl.Expr) -> pl.Expr:
    """Whether an exception is one that a request to stop raises."""
    return exception.str.contains(_STOPPING)


def _of_word(word: pl.Expr) -> pl.Expr:
    return word.str.to_lowercase().replace_strict(_LEVEL_OF, default=None, return_dtype=pl.Int8)


def _keyed(text: pl.Expr) -> pl.Expr:
    return text.str.extract(_KEYED, 0).str.extract(r"([A-Za-z0-9]+)$", 1)


def _marked(text: pl.Expr) -> pl.Expr:
    mark = text.str.slice(0, HEAD).str.extract(_MARK, 0)
    return mark.str.replace(_BEFORE_WORD, "").str.extract(r"([A-Za-z]+|[0-7])", 1)
