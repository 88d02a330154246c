# ruff: noqa: E501  an expression is read better in one line
"""Find secrets by the name they are assigned to: in shell, JSON, YAML, TOML, XML, Python, headers and the like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.names import MORE, SESSIONS, TOKENS, is_code, is_qualified
from forensics.sanitize.place import mixed
from forensics.sanitize.value_forms import SEPARATOR, VALUE, Span, further_items, value_span
from forensics.sanitize.values import is_made_up, is_random, may_be_secret

# The part of a name that says what it holds, where one of HINTS begins; is_qualified judges what is before it.
_NAMED = LazyPattern(
    rf"(?P<name>(?P<password>pass[-_ ]?(?:word|wd|phrase|code|key|wort)s?|passw|pwd|pswd|psk|kennwort|wachtwoord|senha|contrase[nñ]a|puk|masterauth|authtok)"
    rf"|(?P<pass>passe?|pw)|(?P<key>keys?(?:[-_ ]?(?:data|base|material|hex))?)|(?P<pin>pin(?:[-_ ]?code)?)|(?P<hash>hash)|(?P<pat>pat)|(?P<token>{TOKENS})|(?P<code>codes?)"
    rf"|(?P<session>{SESSIONS})|(?P<community>community))(?P<more>{MORE}){SEPARATOR}(?:(?:\"\"|''|null|nil|None|<nil>)\s(?:=>|->|→)\s)?{VALUE}",
    re.IGNORECASE,
)
HINTS = (
    *(
        "pass",
        "pwd",
        "pswd",
        "psk",
        "pw",
        "key",
        "secret",
        "token",
        "cred",
        "auth",
        "cookie",
        "sig",
        "otp",
        "mfa",
        "jwt",
        "sas",
        "dsn",
        "webhook",
    ),
    *(
        "session",
        "sess",
        "sid",
        "community",
        "code",
        "pin",
        "puk",
        "salt",
        "pepper",
        "ticket",
        "assertion",
        "bearer",
        "hmac",
        "csrf",
        "xsrf",
        "ha1",
    ),
    *("hash", "ntlm", "saml", "mnemonic", "claim", "pat", "kennwort", "wachtwoord", "senha", "contrase", "de passe"),
)
# In lower case, a tenth of the cost of the others: a name with something behind it that can introduce a value.
_NAME_AND_MORE = LazyPattern(
    rf"(?:phpsessid|jsessionid|connect\.sid|asp\.net_sessionid|{'|'.join(HINTS)})[\w-]{{0,24}}(?:\s(?:[0-9]{{1,2}}|id))?(?:\\{{1,4}}u002[27]|[\"'\]\\)`]|&quot;|&#3[49];|%2[27]){{0,4}}\s{{0,16}}(?:[:=>\"'`|│&,(<→⇒]|%3[ad]|->|\?=|\.\.\.|is\b|was\b|now\b|to\b)"
)
_TEXT_OF_A_MODEL = LazyPattern(
    r"(?<![a-z])(?:[eb]os|eot|eom|pad|unk|sep|cls|mask|stop|special|image|video|audio|vision|max|min|num|n|total|per|prompt|completion|input|output|context|added|first"
    r"|last|next|prev|previous|current|extra|end|begin|begin_of_text|think|tool|text|system|user|assistant|cached|reasoning|time_per_output|time_to_first"
    r"|decode|prefill|generated|draft|fim|boi|eoi|suffix|prefix|middle|space|by|forced|decoder_start|bad|each|every|new|out|in|accepted|rejected|left|remaining)[-_ ]?$",
    re.IGNORECASE,
)
_OF_A_PARSER = LazyPattern(
    r"(?:unexpected|invalid|unknown|illegal|unrecognized|missing|near|duplicate|no|foreign|lexer|parser|this|found)[-_ ]$", re.IGNORECASE
)
_HARMLESS_KEY = LazyPattern(
    r"(?:public|primary|foreign|sort|group|partition|hot|cache|hash|index|unique|dict|map|json|yaml|missing|unknown|invalid|the|shard|routing|row|column|registry"
    r"|host|ssh|fingerprint|idempotency|dedup|object|duplicate|config|pub|lookup|for|no|bad|gpg|pgp|by|this|with|message|s3|metric|translation|license|publishable|merge|join)[-_ ]?$",
    re.IGNORECASE,
)
_OTHER_PASS = LazyPattern(r"(?:com|by|sur|tres|encom|over|under|multi|im|low|high|band|all)\Z", re.IGNORECASE)
_NEXT_WORD = LazyPattern(r"\s[A-Za-z]{1,40}(?![A-Za-z]|\s?[=:])")
_WORD = LazyPattern(r"\A[A-Za-z]+[.!?,]?$")
_DESCRIBES = LazyPattern(r"(?:ed|ing|ble|ive|ory|ent|ant|ary|al|ic|ous|holder|none|key|here)\Z", re.IGNORECASE)
# jwt_secret: "words-and-a-number-66"; other secrets with such a value are names of secrets
_OWN_SECRET = LazyPattern(r"(?:jwt|client|shared|session|signing|webhook|cookie|auth|login)[-_ ]?secret\Z", re.IGNORECASE)
_WORDS_AND_NUMBER = LazyPattern(r"[A-Za-z]+(?:-[A-Za-z]+){1,8}-[0-9]{1,6}\Z")
_LONGEST_NAMES = 100  # characters of a value in which a further name is looked for
BEFORE = 24  # characters before a name that qualify it


def may_assign(lower: str) -> bool:
    """Whether a text in lower case has a name of a secret with something behind it."""
    return _NAME_AND_MORE.search(lower) is not None


def is_of_a_model(before: str) -> bool:
    """Whether what is before `token` makes it one of a text that a model reads: `eos_`, `max `."""
    return _TEXT_OF_A_MODEL.search(before) is not None


class Assigned(NamedTuple):
    """A value with what is before its name, and whether both are part of a sentence."""

    text: str
    match: re.Match[str]
    value: str
    before: str
    is_sentence: bool

    @property
    def begins_a_word(self) -> bool:
        """Whether the name begins a word: `DB_PASS`, `dbPass`, but not `compass`."""
        before = self.before[-1:]
        return not before.isalpha() or (before.islower() and self.match["name"][0].isupper())


def assigned(text: str, lower: str) -> Iterator[Span]:
    """Yield the values of names that hold secrets, of a list all of them. lower: the text in lower case."""
    at = 0
    while (name := _NAME_AND_MORE.search(lower, at)) is not None:
        at = name.start() + 1
        match = _NAMED.match(text, name.start())
        if match is None:
            continue
        spans = [value_span(match), *further_items(text, match)]
        found = [(start, end) for start, end in spans if end > start and _is_assigned(text, match, text[start:end])]
        yield from found
        start, end = spans[0]
        # The value may be a name itself: `error: password: …`
        at = found[-1][1] if found else end if end - start > _LONGEST_NAMES else match.end("sep")


def _is_assigned(text: str, match: re.Match[str], value: str) -> bool:
    """Judge a value by what its name calls it."""
    name, sep = match["name"].lower(), match["sep"]
    if value.lower() in {name, "".join(c for c in name if c.isalnum())} or not may_be_secret(value):
        return False
    is_sentence = match["s"] is not None and sep.endswith(" ") and ":" in sep and not sep.startswith(('"', "'", "\\"))
    before = text[max(0, match.start() - BEFORE) : match.start()]
    kind = next(kind for kind in _JUDGES if match[kind] is not None)
    it = Assigned(text, match, value, before, is_sentence)
    return not (_is_column(it) and not is_made_up(value)) and _JUDGES[kind](it)


def _is_column(it: Assigned) -> bool:
    """Whether `|` is between name and value: that of a table, or of a sentence."""
    return it.match["sep"].strip(" ")[-1:] in {"|", "│"}


def _is_password(it: Assigned) -> bool:
    """A password may be any word, but not one of a sentence: `password: wrong for simon`."""
    if it.match["name"].lower() in {"psk", "puk"} and not it.begins_a_word:
        return False
    return not (it.is_sentence and _WORD.match(it.value) and _NEXT_WORD.match(it.text, it.match.end()))


def _is_key(it: Assigned) -> bool:
    """Whether this is a secret key: api_key, accessKey; or MY_KEY=…, myKey: … or ?key=… with a value that is no name."""
    if not is_qualified("key", it.before):
        return _is_any_key(it)
    if _HARMLESS_KEY.search(it.before):
        return is_random(it.value, 16) and not it.is_sentence
    if is_random(it.value, 6) or is_made_up(it.value) or len(it.value) >= (20 if it.is_sentence else 6):
        return True
    is_setting = "_" in it.before[-1:] and it.match.end() == len(it.text) and len(it.value) >= 8  # api_key: swordfish
    return is_setting and _DESCRIBES.search(it.value) is None


def _is_pass(it: Assigned) -> bool:
    if is_qualified("pw" if it.match["pass"].lower() == "pw" else "pass", it.before):  # storepass, rootpw
        return _is_password(it)
    if it.match["pass"].isupper() and ":" in it.match["sep"] and it.before[-1:] not in {"_", "-"}:  # of a test
        return False
    if not it.begins_a_word:  # remotepass, but not compass
        return is_made_up(it.value) and _OTHER_PASS.search(it.before) is None
    return (not it.is_sentence and it.match["pass"].lower() == "pass") or is_made_up(it.value)


def _is_session(it: Assigned) -> bool:
    return "=" in it.match["sep"] and is_random(it.value, 12)


def _is_community(it: Assigned) -> bool:
    return "snmp" in it.text.lower() and not (it.is_sentence and _WORD.match(it.value) and _NEXT_WORD.match(it.text, it.match.end()))


def _is_token(it: Assigned) -> bool:
    name, value = it.match["token"].lower(), it.value
    if len(name) <= 4 and not it.begins_a_word:  # `unauth: …`, `design: …`
        return False
    if is_code(name, value):
        return True
    if name in _CODES:
        return len(value) >= 6 and is_made_up(value) and not it.value.isdigit()
    if name in _OFTEN_WORDS or _OF_A_PARSER.search(it.before):
        return is_random(value, 12 if name in _OFTEN_WORDS else 16) or (name == "auth" and len(value) >= 10 and mixed(value))
    return not (_TEXT_OF_A_MODEL.search(it.before) and len(value) < 24) and _is_value_of_a_token(it, value)


def _is_value_of_a_token(it: Assigned, value: str) -> bool:
    if it.match["s"] is None and _OWN_SECRET.search(f"{it.before}{it.match['token']}") and _WORDS_AND_NUMBER.match(value):
        return True
    is_code_like = not it.is_sentence and len(value) >= 8 and value.isalnum() and not value.isalpha() and not value.isdigit()
    if it.match["token"].isupper() and it.before[-1:] == "_":  # API_TOKEN: that of an environment
        return is_made_up(value) or (len(value) >= 8 and "=" in it.match["sep"])
    is_chosen = not it.is_sentence and is_made_up(value, 8)
    return is_code_like or is_chosen or (is_random(value) and not (it.is_sentence and "/" in value and len(value) < 32))


def _is_any_key(it: Assigned) -> bool:
    qualified = it.before[-1:] in {"_", "-", "?", "&"} or (it.match["key"][:1] == "K" and it.before[-1:].isalnum())
    return bool(it.before) and qualified and not _HARMLESS_KEY.search(it.before) and is_random(it.value, 16) and _is_base64_or_hex(it.value)


def _is_pin(it: Assigned) -> bool:
    return (is_qualified("pin", it.before) or "code" in it.match["pin"].lower()) and it.value.isdigit() and 4 <= len(it.value) <= 12


def _is_hash(it: Assigned) -> bool:
    return is_qualified("hash", it.before) and is_random(it.value, 32)


def _is_pat(it: Assigned) -> bool:
    return is_qualified("pat", it.before) and is_random(it.value, 16)


def _is_code(it: Assigned) -> bool:
    return is_qualified("code", it.before) and len(it.value) >= 6 and (it.value.isdigit() or is_made_up(it.value))


_CODES = frozenset({"otp", "totp", "mfa code", "mfa-code", "mfa_code"})
_OFTEN_WORDS = frozenset(
    {"cookie", "dsn", "webhook", "signature", "sig", "auth", "authorization", "claim", "ticket", "bearer", "salt", "pepper"}
)
_JUDGES: Mapping[str, Callable[[Assigned], bool]] = {
    "password": _is_password,
    "key": _is_key,
    "pass": _is_pass,
    "pin": _is_pin,
    "hash": _is_hash,
    "pat": _is_pat,
    "code": _is_code,
    "session": _is_session,
    "community": _is_community,
    "token": _is_token,
}


def _is_base64_or_hex(value: str) -> bool:
    return all(c.isalnum() or c in "+/=_-" for c in value) and "-" not in value.strip("-")[1:4]
