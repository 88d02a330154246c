# ruff: noqa: E501  an expression is read better in one line
"""Find secrets that a sentence gives: `Your API key is: …`, `password was …`, `API key ci has been created: …`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forensics.sanitize.assignments import BEFORE, is_of_a_model
from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.names import is_qualified
from forensics.sanitize.place import mixed
from forensics.sanitize.value_forms import BARE, QUOTED, VALUE, value_span
from forensics.sanitize.values import is_made_up, is_random, may_be_secret

Found = tuple[str, int, int]
_NOUN = LazyPattern(
    r"(?:(?:api|pre-?auth|auth|access|secret)[-_]?key|pass(?![a-z])|pass(?:word|wd|phrase|code|key|wort)|pwd|psk|kennwort|secret|credential|token|key|otp|one[- ]time|verification code|recovery code)"
)
_NAME = (
    r"(?P<name>(?P<password>(?:pass(?:word|wd|phrase|code|key|wort)|pwd|psk|kennwort|secret|credential)s?)|(?P<pass>pass)(?![a-z])|(?P<key>(?:(?:api|pre-?auth|auth|access|secret)[-_]?)?keys?(?:\s[0-9]{1,2})?|recovery codes?)"
    r"|(?P<token>tokens?|otp|one[- ]time (?:password|code)|verification code))(?:[-_ ](?:hash|value|text))?\b"
)
# "Your API key is: …" (TabbyAPI, common/auth.py); "password is hunter2"; a quoted one after its name
_DIRECT = LazyPattern(
    rf"{_NAME}[\"'`]?(?P<sep>\s[\[(<](?=\w)|\s(?:is|was|are|now|as|=>|to|set\sto|reset\sto|changed\sto)(?:\snow|\sset\sto)?:?\s{{1,3}}|\s?(?:is|was):\s{{0,3}}|:\s{{0,3}}|\s){VALUE}",
    re.IGNORECASE,
)
# Words between the name and the value
_DISTANT = LazyPattern(
    rf"(?!pass\b){_NAME}(?P<gap>[^\n=<>{{}}]{{1,120}}?)(?P<sep>[:=]\s{{1,3}}|\s(?:is|was|as|to|→|->)\s(?=[^\s]{{0,64}}[0-9#$%^&!]))(?:{QUOTED}|{BARE})(?=[\s\"'`.,;)]|$)",
    re.IGNORECASE,
)
_NO_SECRET_FOLLOWS = LazyPattern(
    r"fail|invalid|denied|reject|incorrect|wrong|missing|expire|accepted|not |n't|error|unknown|mismatch|unable|cannot|policy|fingerprint|length|public|sha256|md5|count|limit|used|per |\brate|hash|usage|digest|checksum|request|trace|session|model|version|took|\bname|in [0-9]|id\b",
    re.IGNORECASE,
)
_IS = LazyPattern(r"\b(?:is|was|are|now|to)\b|:|=>", re.IGNORECASE)
_HARMLESS_BEFORE = LazyPattern(
    r"(?:public|host|primary|foreign|unknown|invalid|missing|bad|no|ssh|duplicate|unexpected|cache|sort|partition|rsa|dsa|ecdsa|eddsa|ed25519|gpg|pgp|kernel)\s?$",
    re.IGNORECASE,
)
_ASSIGNS = LazyPattern(r"\A[a-z_]+=|=[^=]")
_BEHIND = LazyPattern(r"[\"']?(?:[,;)\n]|\s*\Z)")
_OF_A_TOKEN = LazyPattern(
    r"(?:root|join|worker|access|admin|setup|claim|refresh|bot|registration|enrol?lment|bearer|auth|api)\s\Z", re.IGNORECASE
)


def in_sentences(text: str, lower: str) -> Iterator[Found]:
    """Yield (kind, start, end) of values that a sentence gives. lower: the text in lower case."""
    for noun in _NOUN.finditer(lower):
        before = text[max(0, noun.start() - BEFORE) : noun.start()]
        if before[-1:].isalpha() and not text[noun.start()].isupper():  # monkey, but not storePassword
            continue
        for pattern, judge in ((_DIRECT, _is_given), (_DISTANT, _is_far_given)):
            if (match := pattern.match(text, noun.start())) is not None:
                start, end = value_span(match)
                if judge(match, text[start:end], before):
                    yield _kind(match, before), start, end
                    break


def _kind(match: re.Match[str], before: str) -> str:
    if match["password"] or match["pass"]:
        return "password"
    return "api-key" if match["key"] and _is_key_name(match, before) else "token"


def _is_key_name(match: re.Match[str], before: str) -> bool:
    return not match["name"].lower().startswith("key") or is_qualified("key", before)


def _is_given(match: re.Match[str], value: str, before: str) -> bool:
    """Judge a value that stands beside its name."""
    is_harmless = _HARMLESS_BEFORE.search(before) is not None and (match["key"] or match["token"]) and match["name"][:3].lower() != "api"
    if not may_be_secret(value, 6) or is_harmless or (match["token"] and is_of_a_model(before)):
        return False
    has_verb = _IS.search(match["sep"]) is not None
    if match["pass"]:  # ssid x, pass y; but not PASS test_1
        is_last = _BEHIND.match(match.string, match.end()) is not None
        return is_last and not match["pass"].isupper() and match["sep"] == " " and is_made_up(value, 8)
    if match["password"]:
        return _is_password(match, value, has_verb=has_verb)
    if match["key"] and not _is_key_name(match, before):
        is_chosen = mixed(value) and not value[-1:].isalnum()  # mesh key Xyz12#
        return is_chosen or (is_random(value, 24) and has_verb and "/" not in value)
    if has_verb or match["s"] is None:
        return is_random(value, 8)
    is_named = match["key"] or _OF_A_TOKEN.search(before) is not None
    return is_random(value, 16 if is_named else 24)  # `token bucket`


def _is_password(match: re.Match[str], value: str, *, has_verb: bool) -> bool:
    name = match["name"].lower()
    if match["q"] or match["a"]:  # the password 'swordfish'
        return is_made_up(value) or (name.startswith("pass") and value.isalpha())
    is_version = name == "passwd" and ":" in value and not has_verb  # of the package
    return (
        is_made_up(value)
        and not is_version
        and (has_verb or match["s"] is None or (value[:1] not in "/@#(" and _ASSIGNS.search(value) is None))
    )


def _is_far_given(match: re.Match[str], value: str, before: str) -> bool:
    """Judge a value with words between it and its name."""
    if _NO_SECRET_FOLLOWS.search(match["gap"]) or _HARMLESS_BEFORE.search(before) or not may_be_secret(value, 8) or "://" in value:
        return False
    if match["password"]:
        return is_made_up(value, 8) and ("/" not in value or is_random(value, 16))
    return is_random(value, 16 if match["key"] and not _is_key_name(match, before) else 12) and not is_of_a_model(before)
