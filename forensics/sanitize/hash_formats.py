# ruff: noqa: E501  an expression is read better in one line
"""The hashes of passwords that are recognised by their own form: whoever has one can try passwords against it."""

from __future__ import annotations

from typing import NamedTuple

from forensics.sanitize.lazy_pattern import LazyPattern


class TokenFormat(NamedTuple):
    """hints: lower-case literals, one of which is in each such token. pattern: the whole token, without what is around it."""

    kind: str
    hints: tuple[str, ...]
    pattern: LazyPattern


def token_format(kind: str, hints: str, *patterns: str) -> TokenFormat:
    """Bound the patterns, so that no part of a longer word is taken for a token."""
    alternatives = "|".join(patterns)
    return TokenFormat(kind, tuple(hints.split()), LazyPattern(rf"(?<![A-Za-z0-9])(?:{alternatives})"))


def _hash(hints: str, *patterns: str) -> TokenFormat:
    return token_format("password-hash", hints, *patterns)


HASHES: tuple[TokenFormat, ...] = (
    _hash("$", r"\$(?:2[abxy]?|argon2(?:id|i|d)|[1-9y]|gy|7|8|9|14|sha1|md5|bsdicrypt|ml|scrypt|yescrypt|apr1|P|H|S|Q|pbkdf2(?:-sha[0-9]{1,3}|-digest)?|sm3|DCC2|krb5\w{2,8}|mysql|sspr|episerver|rar5|7z|office|bitlocker|ansible|keepass|zip2|pdf|nt|NT|MYHASH)\$[A-Za-z0-9./$,=+*@:#_-]{12,4096}"),
    _hash("$p$ $h$ $s$", r"\$[PHS]\$[A-Za-z0-9./]{28,60}"),
    _hash("{", r"\{(?:S?SHA(?:-?[0-9]{3})?|S?MD5|CRYPT|BLF-CRYPT|SHA(?:256|512)-CRYPT|PBKDF2(?:[-_]SHA[-_]?[0-9]{1,3})?|ARGON2I?D?|SMD5|x-\w{2,20}|bcrypt|NT|LANMAN|CLEAR|PLAIN(?:TEXT)?|CRAM-MD5|SCRAM-SHA-[0-9]{1,3}|noop)\}[A-Za-z0-9+/$.,=:-]{6,512}"),
    _hash("scram-sha-", r"SCRAM-SHA-[0-9]{1,3}\$[0-9]{1,8}:[A-Za-z0-9+/=]{8,128}\$[A-Za-z0-9+/=]{20,128}:[A-Za-z0-9+/=]{20,128}"),
    _hash("md5", r"md5[0-9a-f]{32}(?![A-Za-z0-9])(?=['\" ,;)]|$)"),  # PostgreSQL
    _hash("*", r"\*[0-9A-F]{40}(?![A-Za-z0-9])"),  # MySQL
    _hash("pbkdf2 bcrypt scrypt argon2 sha1$ sha256$ md5$", r"(?:pbkdf2(?:_sha[0-9]{1,3})?|bcrypt(?:_sha256)?|scrypt|argon2|sha1|sha256|sha512|md5)\$[A-Za-z0-9./$,=+-]{20,512}"),  # Django
    _hash("pbkdf2: scrypt: sha1: sha256:", r"(?:pbkdf2:sha[0-9]{1,3}(?::[0-9]{1,8})?|scrypt:[0-9]{1,8}:[0-9]{1,3}:[0-9]{1,3}|sha(?:1|256):[0-9]{1,8}(?::[0-9]{1,3})?)[$:][A-Za-z0-9./+=]{6,128}[$:][A-Za-z0-9./+=]{20,256}"),  # Werkzeug
    _hash("0x0100 0x0200", r"0x0[12]00[0-9A-Fa-f]{40,140}(?![A-Za-z0-9])"),  # SQL Server
    _hash(":", r"[0-9a-fA-F]{32}:[0-9a-fA-F]{32}(?=:::)"),  # pwdump
    _hash("::", r"::[\w.-]{0,64}:[0-9a-fA-F]{16,48}:[0-9a-fA-F]{32,48}:[0-9a-fA-F]{16,2048}"),  # NetNTLM
    _hash("s:", r"S:[0-9A-F]{60}(?:;[HT]:[0-9A-F]{32,160}){0,2}"),  # Oracle
    _hash("grub.pbkdf2", r"grub\.pbkdf2\.sha512\.[0-9]{1,8}\.[0-9A-F]{64,512}\.[0-9A-F]{64,512}"),
)  # fmt: skip
