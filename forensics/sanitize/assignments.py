# ruff: noqa: E501  an expression is read better in one line
"""Find secrets by the name they are assigned to: in shell, JSON, YAML, TOML, XML, Python, headers, options of commands and sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from forensics.sanitize.values import is_random, may_be_secret

# A value ends at white space, a quote or a bracket; at , ; & ) ] } > | only if a space, the end or the next name follows.
_ENDS = r"""[,;&)\]}>|](?![\s"'`,;&)\]}>|]|$|[\w.-]{1,40}\s?[=:])"""
VALUE = (
    r"""(?:b?\\"(?P<e>[^"\\\n]{1,4096})|b?"(?P<q>(?:[^"\\\n]|\\.){1,4096})|b?'(?P<a>(?:[^'\\\n]|\\.){1,4096})|`(?P<t>[^`\n]{1,4096})"""
    rf"""|(?P<s>(?:[^\s"'`,;&)\]}}>|<]|{_ENDS}){{1,4096}}))"""
)
GROUPS = ("s", "q", "a", "e", "t")
_SEPARATOR = r"""(?P<sep>\\?["'\]]{0,2}\s{0,3}(?:::?=?|={1,2}>?|->)\s{0,3}(?:SecretStr\()?|>\s{0,3}|%3[Dd])"""
_MORE = r"(?:[_-]?(?:hash|value|text|base64|b64|base|string|data|plain|new|old|confirm|[0-9]{1,2}))?"

# A password may be any word; a key is a word only where it is configured; a token is never a word.
_PASSWORDS = r"pass[-_ ]?(?:word|wd|phrase|code)|pwd|psk|wpa_passphrase|requirepass|masterauth|rootpw|bindpw|sshpass"
_KEYS = (
    r"(?:api|app|admin|access|secret|private|master|account|signing|encryption|auth|shared[-_ ]?access|license|licence|storage|deploy|service"
    r"|hmac|jwt|cookie|consumer|client|routing|integration|unseal|recovery|ssh|webhook|fernet|session|subscription|preshared|pre-shared|join"
    r"|activation|primary[-_ ]?access|secondary[-_ ]?access|secret[-_ ]?access|root|cluster|write|ingest|hash|connection|crypt|backup|node|project"
    r"|anthropic|openai|huggingface|groq|mistral|gemini|cohere|stripe|sendgrid|datadog|wandb|tmdb)[-_ ]?key(?:[-_ ]?(?:data|base))?"
)
_TOKENS = (
    r"secret|token|credentials?|authorization|authkey|auth|cookie|signature|sig|otp|totp|mfa[-_ ]?code|passcode|apikey|jwt|sas|dsn|webhook"
)
_SESSIONS = r"phpsessid|jsessionid|sessionid|session|csrftoken|connect\.sid|asp\.net_sessionid|sid"
_NAMED = re.compile(
    rf"(?P<name>(?P<password>{_PASSWORDS})|(?P<key>{_KEYS})|(?P<token>{_TOKENS})|(?P<session>{_SESSIONS})|(?P<pass>pass)|(?P<any_key>key)|(?P<community>community))"
    rf"{_MORE}{_SEPARATOR}{VALUE}",
    re.IGNORECASE,
)
HINTS = (
    *("pass", "pwd", "psk", "key", "secret", "token", "credential", "auth", "cookie", "sig", "otp", "mfa", "jwt", "sas", "dsn", "webhook"),
    *("session", "sid", "rootpw", "bindpw", "community", "code"),
)
# In lower case, a tenth of the cost of the others: a name with something behind it that can introduce a value.
_NAME_AND_MORE = re.compile(
    rf"(?:{'|'.join(HINTS)})[\w-]{{0,24}}(?:\s[0-9]{{1,2}})?[\"'\]\\)]{{0,3}}\s{{0,3}}(?:[:=>\"'`]|%3d|->|is\b|was\b|now\b|to\b)"
)
_DASH_AND_NAME = re.compile(r"(?<![\w-])-[\w-]{0,80}(?:pass|pwd|psk|key|token|secret|credential|otp|cookie|pat)")
_OPTION = re.compile(
    rf"(?<![\w-])--?(?:[a-z0-9]{{1,20}}[-_]){{0,4}}(?:(?P<password>pass(?:word|wd|phrase|code)?|pwd|psk)|(?P<token>(?:api|access|secret|auth|private|account|admin|master)[-_]?key|authkey|token|secret|credentials?|otp|cookie|pat))(?:=|\s{{1,3}}){VALUE}",
    re.IGNORECASE,
)
# "Your API key is: …" (TabbyAPI, common/auth.py); "password is hunter2"; a quoted one after its name
_SENTENCE = re.compile(
    rf"\b(?P<name>(?P<password>pass(?:word|wd|phrase|code)|pwd)|(?P<key>{_KEYS}|recovery code|unseal key [0-9]|(?:root|join|worker) token)|(?P<token>token|secret|otp|one[- ]time (?:password|code)|verification code))"
    rf"(?P<sep>\s(?:is|was|now|=>|to)?:?\s{{1,3}}|\s?(?:is|was):\s{{0,3}}|:\s{{0,3}}){VALUE}",
    re.IGNORECASE,
)
_TEXT_OF_A_MODEL = re.compile(
    r"(?:[eb]os|eot|eom|pad|unk|sep|cls|mask|stop|special|image|video|audio|vision|max|min|num|n|total|per|prompt|completion|input|output|context|added|first"
    r"|last|next|prev|previous|current|extra|end|begin|begin_of_text|think|tool|text|system|user|assistant|cached|reasoning|time_per_output|time_to_first"
    r"|decode|prefill|generated|draft|fim|boi|eoi|suffix|prefix|middle|space|by|forced|decoder_start|bad|each|every)[-_ ]?$",
    re.IGNORECASE,
)
_OF_A_PARSER = re.compile(
    r"(?:unexpected|invalid|unknown|illegal|unrecognized|missing|near|duplicate|no|foreign|lexer|parser|this|found)[-_ ]$", re.IGNORECASE
)
_HARMLESS_KEY = re.compile(
    r"(?:public|primary|foreign|sort|group|partition|hot|cache|hash|index|unique|dict|map|json|yaml|missing|unknown|invalid|the|shard|routing|row|column|registry"
    r"|host|ssh|fingerprint|idempotency|dedup|object|duplicate|config|pub|lookup|for|no|bad|gpg|pgp|by|this|with|message|s3|metric|translation|license)[-_ ]?$",
    re.IGNORECASE,
)
_NEXT_WORD = re.compile(r"\s[A-Za-z]{1,40}(?![A-Za-z]|\s?[=:])")
_WORD = re.compile(r"\A[A-Za-z]+[.!?,]?$")
_LONGEST_NAMES = 100  # characters of a value in which a further name is looked for
_BEFORE = 24  # characters before a name that qualify it

Span = tuple[int, int]


def by_name(text: str, lower: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of all secrets that a name gives away. lower: the text in lower case."""
    if _DASH_AND_NAME.search(lower):
        yield from (("token", *span) for span in options(text))
    if _NAME_AND_MORE.search(lower):
        yield from (("token", *span) for span in assigned(text))
        yield from in_sentences(text)


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


def value_span(match: re.Match[str]) -> Span:
    """Where the value of VALUE is; the full stop after it is none of it."""
    group = next(group for group in GROUPS if match[group] is not None)
    start, end = match.span(group)
    if group == "s":
        end = start + len(match[group].rstrip(".:"))
    return start, end


def assigned(text: str) -> Iterator[Span]:
    """Yield the values of names that hold secrets."""
    at = 0
    while (match := _NAMED.search(text, at)) is not None:
        start, end = value_span(match)
        if end > start and _is_assigned(text, match, text[start:end]):
            yield start, end
            at = end
        else:
            # The value may be a name itself: `error: password: …`
            at = end if end - start > _LONGEST_NAMES else match.end("sep")


def options(text: str) -> Iterator[Span]:
    """Yield the values of options such as --token."""
    for match in _OPTION.finditer(text):
        start, end = value_span(match)
        value = text[start:end]
        if may_be_secret(value) and (match["password"] or any(c.isdigit() for c in value) or len(value) >= 16):
            yield start, end


def in_sentences(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of values that a sentence gives: `Your API key is: …`, `token 'f3a1…'`."""
    for match in _SENTENCE.finditer(text):
        start, end = value_span(match)
        value = text[start:end]
        if "is" not in match["sep"].lower() and "was" not in match["sep"].lower() and ":" not in match["sep"] and match["s"] is not None:
            continue  # `token bucket`
        if match["token"] and _TEXT_OF_A_MODEL.search(text, max(0, match.start() - _BEFORE), match.start()):
            continue
        if may_be_secret(value, 6) and is_random(value, 6 if match["password"] else 8):
            yield "password" if match["password"] else "api-key" if match["key"] else "token", start, end


def _is_assigned(text: str, match: re.Match[str], value: str) -> bool:
    """Judge a value by what its name calls it."""
    name, sep = match["name"].lower(), match["sep"]
    if value.lower() in {name, "".join(c for c in name if c.isalnum())} or not may_be_secret(value):
        return False
    is_sentence = match["s"] is not None and sep.endswith(" ") and ":" in sep and not sep.startswith(('"', "'", "\\"))
    before = text[max(0, match.start() - _BEFORE) : match.start()]
    kind = next(kind for kind in _JUDGES if match[kind] is not None)
    return _JUDGES[kind](Assigned(text, match, value, before, is_sentence))


def _is_password(it: Assigned) -> bool:
    """A password may be any word, but not one of a sentence: `password: wrong for simon`."""
    return not (it.is_sentence and _WORD.match(it.value) and _NEXT_WORD.match(it.text, it.match.end()))


def _is_key(it: Assigned) -> bool:
    return is_random(it.value, 6) or len(it.value) >= (20 if it.is_sentence else 6)


def _is_pass(it: Assigned) -> bool:
    return it.begins_a_word and (not it.is_sentence or is_random(it.value, 6))


def _is_session(it: Assigned) -> bool:
    return "=" in it.match["sep"] and is_random(it.value, 12)


def _is_community(it: Assigned) -> bool:
    return "snmp" in it.text.lower()


def _is_token(it: Assigned) -> bool:
    name, value = it.match["token"].lower(), it.value
    if len(name) <= 4 and not it.begins_a_word:  # `unauth: …`, `design: …`
        return False
    if name in _CODES:
        return len(value) >= 6 and (value.isdigit() or is_random(value))
    if name in _OFTEN_WORDS or _OF_A_PARSER.search(it.before):
        return is_random(value, 12 if name in _OFTEN_WORDS else 16)
    if _TEXT_OF_A_MODEL.search(it.before) and len(value) < 24:
        return False
    is_code = not it.is_sentence and len(value) >= 8 and value.isalnum() and not value.isalpha() and not value.isdigit()
    return is_code or (is_random(value) and not (it.is_sentence and "/" in value and len(value) < 32))


def _is_any_key(it: Assigned) -> bool:
    """Whether this is MY_KEY=…, myKey: … or ?key=… with a value that is no name."""
    qualified = it.before[-1:] in {"_", "-", "?", "&"} or (it.match["any_key"] == "Key" and it.before[-1:].isalnum())
    return bool(it.before) and qualified and not _HARMLESS_KEY.search(it.before) and is_random(it.value, 16) and _is_base64_or_hex(it.value)


_CODES = frozenset({"otp", "totp", "mfa code", "mfa-code", "mfa_code", "passcode"})
_OFTEN_WORDS = frozenset({"cookie", "dsn", "webhook", "signature", "sig", "auth", "authorization"})
_JUDGES: Mapping[str, Callable[[Assigned], bool]] = {
    "password": _is_password,
    "key": _is_key,
    "pass": _is_pass,
    "any_key": _is_any_key,
    "session": _is_session,
    "community": _is_community,
    "token": _is_token,
}


def _is_base64_or_hex(value: str) -> bool:
    return all(c.isalnum() or c in "+/=_-" for c in value) and "-" not in value.strip("-")[1:4]
