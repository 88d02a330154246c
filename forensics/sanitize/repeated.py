# ruff: noqa: E501  an expression is read better in one line
"""Where secrets are in messages that repeat or announce them: of validators, of first starts; and keys that are lists of bytes."""

from __future__ import annotations

from forensics.sanitize.place import Place, always, password, place


def _bytes(value: str) -> bool:
    """Whether the bytes of a key are different enough to be one."""
    return len(set(value.replace(" ", "").split(","))) > 8


_BYTE = r"(?:0x)?[0-9a-f]{1,3}"
_OF_KEYS = r"(?:network|nwk|link|tc|private|secret|api|encryption|master|aes|session|shared|root|app|s[0-2]|security|signing|device|group|pre-?shared|wep|hmac)"

REPEATED: tuple[Place, ...] = (
    place("token", "/bot", r"/(?:file/)?bot(?P<s>[0-9]{6,12}:[\w-]{30,64})"),  # Telegram, without the host
    place("password", "invalid·passphrase invalid·psk", r"\binvalid\s(?:passphrase|psk)\b(?:(?!\sfor\s)[^\n'\"`]){0,80}['\"`]{1,2}(?P<s>[^'\"`\n]{3,256})['\"`]", password),
    place("token", "key·is·not", r"\bkey\sis\snot\s(?:the\scorrect|a\svalid|of\sthe|in\sthe)[^\n`'\":]{0,60}:\s{1,3}[`'\"](?P<s>[^`'\"\n]{8,256})[`'\"]"),
    place("password", "requirepass masterauth", r">>>\s['\"](?:requirepass|masterauth|primaryauth|sentinel\sauth-pass\s\S{1,64})\s(?P<s>[^\n]{3,512}?)['\"]\s{0,4}$", always),
    place("password", "cmd·'", r"\bcmd\s'\w{0,12}(?:password|passwd|pwd)[0-9]?'[^\n']{0,120}\bdata\s'(?P<s>[^'\n]{1,256})'", password),  # Tasmota
    place("password", "password", r"\b(?:temporary|initial|generated|one-time|random)\s(?:[\w-]{1,20}\s){0,2}password\s(?:is|was|has\sbeen)\s(?:provided|generated|set|created|assigned)\b[^\n:]{0,60}:\s{1,3}(?P<s>\S{6,128})\s{0,3}$", password),
    place("password", "passphrase·( password·(", r"\bpass(?:phrase|word)\s\([^()\n]{1,60}\):\s{1,3}\"(?P<s>[^\n]{3,512}?)\"(?=\s{0,3}$)", password),
    place("otp", "pin: pin= pin·is pin·code", r"\bpin(?:\scode)?\s?(?:is|:|=)\s{0,3}(?P<s>[0-9]{2,4}(?:[- ][0-9]{2,4}){1,3})(?![\w-])"),
    place("token", "key", rf"\b{_OF_KEYS}[-_ ]?key(?:[-_ ]?(?:bytes|data|material|raw|value))?\\?[\"']?\s{{0,3}}[:=]>?\s{{0,3}}[\[{{(<]\s{{0,3}}(?P<s>{_BYTE}(?:\s{{0,3}},\s{{0,3}}{_BYTE}){{15,255}})", _bytes),
)  # fmt: skip
