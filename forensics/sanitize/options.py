"""Find the values of options whose name gives a secret away: --token …, -storepass …, /p:…, also in lists of arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.names import is_qualified
from forensics.sanitize.value_forms import VALUE, Span, value_span
from forensics.sanitize.values import is_made_up, is_random, may_be_secret

_DASH = LazyPattern(r"(?<![\w-])-[\w.-]{0,80}(?:pass|pwd|psk|pw|key|token|secret|cred|otp|cookie|pat|pin|auth|psw)")
_SLASH = LazyPattern(r"\s/(?:p|pass|pwd|pw|password|rp|gp):")
_OPTION = LazyPattern(
    rf"(?<![\w-])--?(?:[a-z0-9]{{1,20}}[-_.]){{0,4}}(?:(?P<password>(?:[a-z]{{1,12}})?pass(?:word|wd|phrase|code)?|passwords?|pwd|psk|pw|psw|(?:user-?|so-)?pin)"
    rf"|(?P<key>(?:api|access|secret|auth|private|account|admin|master|license|encryption|signing|shared|deploy|preshared|service|app|user|join|setup)[-_]?keys?|authkey|key[-_]?pass|creds?)"
    rf"|(?P<token>(?:[a-z]{{1,12}})?tokens?|authtoken|secrets?|(?:client|app|consumer|shared)secret|credentials?|otp|cookie|pat|auth)|(?P<other>[a-z]{{1,20}}[-_]?key|key))[-_]?[0-9]?(?P<sep>=|\s{{1,12}}){VALUE}"
    rf"|(?<=\s)/(?P<slash>p|pass|pwd|pw|password|rp|gp):(?P<slashed>[^\s\"']{{3,256}}|\"[^\"\n]{{3,256}}\")",
    re.IGNORECASE,
)
_BETWEEN_ARGUMENTS = LazyPattern(r"[\"']\s{0,2},\s{0,2}[brfu]?[\"']|[\"']\s(?:a[0-9]{1,3}=)?[\"']")
_ARE_ARGUMENTS = LazyPattern(r"[\"'](?:,| a?[0-9]{0,3}=?[\"'])")
# What follows an option in a help text or a sentence
_WORDS = frozenset(
    """
    option options flag flags argument arguments parameter parameters value values setting switch switches instead may might must would
    also needs takes gives expects string text auto false true without when where which who how why whose while would you we they he she
    their its our there here both either neither one two first second next last previous same other another some none required optional
    deprecated supported unsupported requires require provided specified passed given omitted empty missing expected expecting but than
    then else only just always never command line env environment variable variables path name names file files set unset works
    """.split()  # noqa: SIM905  a list is three times as long
)
_PUBLIC = LazyPattern(r"pub|host|gpg|pgp|sort|partition|primary|cache|ssh|sign|foreign|group|hot|id[-_]?key", re.IGNORECASE)
_PLACEHOLDER = LazyPattern(r"\A(?:[A-Z][A-Z_-]*|[a-z_-]{1,20}=.*|[A-Z_]{1,20}=.*|[a-z]+/[a-z.-]+)\Z")


def may_have_option(lower: str) -> bool:
    """Whether a text in lower case has an option whose name gives its value away."""
    return ("-" in lower and _DASH.search(lower) is not None) or (" /" in lower and _SLASH.search(lower) is not None)


def of_options(text: str) -> Iterator[Span]:
    """Yield the values of options such as --token."""
    for match in _OPTION.finditer(spaced_arguments(text)):
        if match["slash"] is not None:
            yield match.span("slashed")
            continue
        start, end = value_span(match)
        if _is_value(match, text[start:end]):
            yield start, end


def spaced_arguments(text: str) -> str:
    """Put spaces between the arguments of a list, `['--token', 'x']`, without moving any."""
    return _BETWEEN_ARGUMENTS.sub(lambda match: " " * len(match[0]), text) if "-" in text and _ARE_ARGUMENTS.search(text) else text


def _is_value(match: re.Match[str], value: str) -> bool:
    if not may_be_secret(value) or (match["s"] is not None and _PLACEHOLDER.match(value)):
        return False
    if match["other"] and not is_qualified("key", match.string[match.start() : match.start("other") + len(match["other"]) - len("key")]):
        return is_random(value, 16) and _PUBLIC.search(match[0]) is None
    if match["token"]:
        is_word = match["token"].lower() in {"secret", "secrets", "auth", "cookie", "credential", "credentials"}  # of a name, as a rule
        return is_random(value, 8) or len(value) >= 16 or is_made_up(value) or (not is_word and _is_argument(match, value))
    return is_made_up(value) or len(value) >= 16 or _is_argument(match, value)


def _is_argument(match: re.Match[str], value: str) -> bool:
    """Whether a plain word is an argument, rather than a word of a sentence about the option."""
    if match["sep"] == "=" or match["s"] is None:
        return True
    after = match.string[match.end() : match.end() + 2]
    return (
        value.lower() not in _WORDS
        and (len(value) >= 5)
        and (not after.strip() or after.lstrip()[:1] in "-\"'|;&>])," or " -" in match.string[: match.start()])
    )
