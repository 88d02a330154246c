# ruff: noqa: E501  an expression is read better in one line
"""How a value is written after its name: bare, in quotes of any language and depth of escaping, in a wrapper such as Some(…)."""

from __future__ import annotations

import re

from forensics.sanitize.lazy_pattern import LazyPattern

Span = tuple[int, int]

# A bare value ends at white space, a quote or a bracket; at , ; & ) ] } > | only if a space, the end or the next name follows.
_ENDS = r"""[,;&)\]}>|](?![\s"'`,;&)\]}>|]|$|[\w.-]{1,40}\s?[=:])"""
BARE = rf"""(?P<s>(?:[^\s"'`,;&)\]}}>|<]|{_ENDS}){{1,4096}})"""
# A quote in HTML, in a URL, in JSON in JSON
_CODED = r"(?:&quot;|&#3[49];|&apos;|%2[27]|\\{1,4}u002[27])"
CLOSE = rf"""(?:\\{{0,7}}["'\])`]|{_CODED}){{0,3}}"""
_CALLS = (
    r"(?:Some|Ok|Optional|Secret(?:Str|String|Box|Value)?|Sensitive|Redacted|Masked|Password|Token|Credential|Zeroizing|String(?:::from|Value)?|string"
    r"|Value|Text|str|bytes|unicode|new\s(?:String|Secret|SecureString)|NewSecret|Buffer\.from|toCharArray|maybe|option|secrecy::Secret|wrap)\(\s?"
)
WRAP = (
    rf"""(?:string\([0-9]{{1,4}}\)\s|{_CALLS}|Just\s|![Bb]inary\s|!!(?:binary|str)\s|[nNbBrRuUfL]{{1,2}}(?=["'])"""
    r"|\{\s?\\{0,7}[\"']?(?:value|plaintext|secret|data|string|val)\\{0,7}[\"']?\s?(?:[:=]|=>)\s?|[\[({&*@](?=\s?\\{0,7}[\"'&])\s?|<<(?=\")|\[\[|\((?:string|str|bytes|text|char\s?\*?|sensitive)\)\s?){0,3}"
)
QUOTED = (
    rf"""(?:\\{{1,7}}["'](?P<e>[^"'\\\n]{{1,4096}})|{_CODED}(?P<h>(?:[^&%\\\s"']|%(?!2[27])|&(?!quot;|apos;|#3[49];)){{1,4096}})"""
    r"""|"(?:"")?(?P<q>(?:[^"\\\n]|\\.){1,4096})|'(?:'')?(?P<a>(?:[^'\\\n]|\\.){1,4096})|`(?P<t>[^`\n]{1,4096})"""
    r"""|\{(?P<c>[^{}\n"']{1,256})\}(?=\s{0,3}(?:;|$)))"""
)
VALUE = rf"{WRAP}(?:{QUOTED}|{BARE})"
# What follows a name and introduces its value, on the same line
_TYPE = r"(?:\s\((?:string|str|bytes|text|sensitive|secret|hidden|optional|required|hex|base64)\)|:\s?(?:str|[Ss]tring|SecretStr|Optional\[str\]|&str|&'static str|char\s?\*)\s?(?==))?"
SEPARATOR = rf"(?P<sep>{CLOSE}{_TYPE}[ \xa0]{{0,16}}(?:::?=?|={{1,2}}>?|->|<-|%3[DdAa]|\|\|=|[|│→⇒](?!\|)|\?=|\.{{3,40}})(?:[ \xa0]{{1,20}}(?=\S)|(?=\S))|>[ \xa0]{{0,3}})"
GROUPS = ("s", "q", "a", "e", "h", "t", "c")
_NEXT_ITEM = LazyPattern(rf"""(?:\\{{0,7}}["'`]|{_CODED})[ \n]{{0,9}}(?:,|=>|->|→|!=)[ \n]{{0,9}}{WRAP}{QUOTED}""")
_CHANGES = LazyPattern(r"\\{0,7}[\"']\s?(?:=>|->|→|!=)\s")  # from the old value to the new one
_MOST_ITEMS = 64


def value_span(match: re.Match[str]) -> Span:
    """Where the value of VALUE is; the full stop after it is none of it."""
    group = next(group for group in GROUPS if group in match.re.groupindex and match[group] is not None)
    start, end = match.span(group)
    if group == "s":
        end = start + len(match[group].rstrip(".:"))
    return start, end


def further_items(text: str, match: re.Match[str]) -> list[Span]:
    """List the values that follow the one of `match` in the same list: `['a', 'b']`."""
    start, at = value_span(match)
    if "[" not in text[max(0, start - 6) : start] and not _CHANGES.match(text, at):
        return []
    spans: list[Span] = []
    while len(spans) < _MOST_ITEMS and (item := _NEXT_ITEM.match(text, at)) is not None:
        spans.append(value_span(item))
        at = spans[-1][1]
    return spans
