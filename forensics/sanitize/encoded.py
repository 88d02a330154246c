# ruff: noqa: E501  an expression is read better in one line
r"""Find secrets in what is written in another way: proctitle=HEX of the audit log, commands in base64, \x00 and #012 between words."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator

from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.value_forms import Span

Finds = Callable[[str], bool]
# Fields of the audit log that are hexadecimal where they have spaces in them (audit_log_untrustedstring of the kernel); cmd of sudo
_HEX = LazyPattern(
    r"\b(?:proctitle|cmd|data|a[0-9]{1,3}|comm|exe|name|acct|argv|cmdline)=\"?(?P<s>(?:[0-9A-Fa-f]{2}){6,4096})(?![0-9A-Za-z])"
)
_MAY_BE_HEX = LazyPattern(r"=\"?[0-9A-Fa-f]{12}")
_OF_COMMANDS = (" -e", "echo", "<<<", "base64", "b64decode", "atob(")
_COMMAND = LazyPattern(
    r"(?:\s-e(?:nc?(?:odedcommand)?|c)?|\becho(?: -n)?|<<<|frombase64string\(|b64decode\(|atob\()\s?[\"']?(?P<s>[A-Za-z0-9+/]{24,8192}={0,2})(?![\w+/=])",
    re.IGNORECASE,
)
_CONTROL = LazyPattern(r"\\x0[0ad]|\\0(?:00|1[0-5])?(?![0-9])|\\u000[0ad]|#0(?:00|1[0-5])|\^@|\0")
_LINE_ENDS = ("a", "d", "12", "15")
_MOST = 64  # of one text


def hidden(text: str, lower: str, finds: Finds) -> Iterator[Span]:
    """Yield the encoded words that hold a secret. lower: it in lower case; finds: whether there is one in a text."""
    if _MAY_BE_HEX.search(text):
        for match, _ in zip(_HEX.finditer(text), range(_MOST), strict=False):
            decoded = bytes.fromhex(match["s"]).replace(b"\0", b" ").decode(errors="replace")
            if finds(decoded):
                yield match.span("s")
    for match, _ in zip(_COMMAND.finditer(text), range(_MOST), strict=False) if any(hint in lower for hint in _OF_COMMANDS) else ():
        if finds(_decoded(match["s"])):
            yield match.span("s")


def spelled_out(text: str) -> str:
    """Return the text with line ends and spaces where it has their escapes, every other character where it was."""
    if "\\" in text or "#0" in text or "^@" in text:
        return _CONTROL.sub(lambda match: ("\n" if match[0].endswith(_LINE_ENDS) else " ").ljust(len(match[0])), text)
    return text


def _decoded(value: str) -> str:
    try:
        raw = b64decode(value + "=" * (-len(value) % 4), validate=True)
    except NotBase64:
        return ""
    return raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-8", errors="replace").replace("\0", " ")
