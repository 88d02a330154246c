"""Replace secrets by pseudonyms: one secret has one pseudonym, numbered by first appearance."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_SHORTEST = 6  # shorter values are words, not secrets, and would be replaced inside other words

# Each pattern marks the secret itself with the group "s". All are linear: no nested or adjacent repetitions of one character class.
_VALUE = r"""(?:"(?P<q>[^"\n]{1,512})"|'(?P<a>[^'\n]{1,512})'|(?P<s>[^\s"'`,;&)\]}>|]{1,512}))"""
_NAME = (
    r"(?:(?:api|admin|access|secret|private)[-_ ]?key|(?:auth|access|refresh|id|session)[-_ ]?token"
    r"|token|secret|password|passwd|passphrase|pwd|credentials?)"
)
_NAMES_HINT = ("key", "token", "secret", "pass", "pwd", "credential")
# (kind, hints, pattern). A pattern is tried only where the lower-case text has one of its hints: ordinary text is 30 times cheaper.
_PATTERNS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    ("private-key", ("private key",), re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?P<s>(?:[^-]|-(?!----)){1,16384})")),
    ("jwt", ("eyj",), re.compile(r"\b(?P<s>eyJ[\w-]{8,2048}\.[\w-]{4,4096}\.[\w-]{4,1024})")),
    ("password", ("://",), re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,128}:(?P<s>[^\s/@]{1,256})@", re.IGNORECASE)),
    ("token", ("bearer",), re.compile(r"\bbearer\s{1,4}(?P<s>[\w.~+/=-]{6,2048})", re.IGNORECASE)),
    ("password", ("basic",), re.compile(r"\bbasic\s{1,4}(?P<s>[A-Za-z0-9+/]{8,1024}={0,2})(?=[\s\"',]|$)", re.IGNORECASE)),
    ("api-key", ("sk-",), re.compile(r"\b(?P<s>sk-[A-Za-z0-9_-]{12,256})")),
    ("token", ("hf_", "gh", "glpat-", "npm_", "pypi-", "xox"),
     re.compile(r"\b(?P<s>(?:hf_|gh[opsur]_|github_pat_|glpat-|npm_|pypi-|xox[abeoprs]-)[A-Za-z0-9_-]{10,256})")),
    ("access-key", ("akia", "asia"), re.compile(r"\b(?P<s>(?:AKIA|ASIA)[A-Z0-9]{16})\b")),
    # TabbyAPI, common/auth.py: "Your API key is: …", "Your admin key is: …"
    ("api-key", ("key",), re.compile(r"\b(?:api|admin|access|secret) key(?: is)?\s{0,3}[:=]\s{0,3}" + _VALUE, re.IGNORECASE)),
    ("token", _NAMES_HINT, re.compile(r"(?<![\w-])--?(?:[\w]{1,20}-){0,3}" + _NAME + r"(?:=|\s{1,3})" + _VALUE, re.IGNORECASE)),
    ("token", _NAMES_HINT, re.compile(r"\b(?:\w{1,40}[_-])?" + _NAME + r"""["']?\s{0,3}[:=]\s{0,3}""" + _VALUE, re.IGNORECASE)),
)  # fmt: skip
_PLAIN_WORDS = frozenset(
    {"none", "null", "true", "false", "redacted", "hidden", "required", "missing", "invalid", "not set", "expired", "changed"}
)


def redactor(texts: Iterable[str]) -> Callable[[str], str]:
    """Return a function that hides every secret found in `texts`, also where nothing next to it gives it away."""
    pseudonyms: dict[str, str] = {}
    for text in dict.fromkeys(texts):  # distinct ones, in order
        for secret, kind in sorted(_secrets(text).items(), key=lambda item: text.index(item[0])):
            pseudonyms.setdefault(secret, f"⟨{kind}-{len(pseudonyms) + 1}⟩")
    if not pseudonyms:
        return str
    longest_first = sorted(pseudonyms, key=lambda secret: (-len(secret), secret))
    pattern = re.compile("|".join(re.escape(secret) for secret in longest_first))
    return lambda text: pattern.sub(lambda match: pseudonyms[match[0]], text)


def _secrets(text: str) -> dict[str, str]:
    """Find the secrets and the kind of each; the more specific patterns come first and decide the kind."""
    kinds: dict[str, str] = {}
    lower = text.lower()
    for kind, hints, pattern in _PATTERNS:
        for match in pattern.finditer(text) if any(hint in lower for hint in hints) else ():
            secret = next(value for name, value in match.groupdict().items() if name in {"s", "q", "a"} and value is not None)
            if _worth_hiding(secret):
                kinds.setdefault(secret, kind)
    return kinds


def _worth_hiding(value: str) -> bool:
    return (
        len(value) >= _SHORTEST
        and value.lower() not in _PLAIN_WORDS
        and not value.startswith(("/", "$", "⟨", "*", "%", "http://", "https://"))
    )
