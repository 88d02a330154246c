# ruff: noqa: E501  an expression is read better in one line
"""Find secrets whose name and value are two fields, elements, columns or arguments: {"name": "DB_PASSWORD", "value": "…"}, define('KEY', '…')."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from forensics.sanitize.hints import by_hint, hinted
from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.names import can_be, kind_of
from forensics.sanitize.place import mixed
from forensics.sanitize.value_forms import CLOSE, GROUPS, VALUE, value_span


class Pair(NamedTuple):
    """The name is the group n of `pattern`. certain: the form leaves no doubt that the second is the value of the first."""

    hints: tuple[str, ...]
    pattern: LazyPattern
    certain: bool = True


def _pair(hints: str, pattern: str, *, certain: bool = True) -> Pair:
    return Pair(tuple(hint.replace("·", " ") for hint in hints.split()), LazyPattern(pattern, re.IGNORECASE | re.MULTILINE), certain)


_IS = rf"{CLOSE}\s{{0,3}}(?:[:=]|=>)\s{{0,3}}"
_OPEN = r"(?:\\{0,7}[\"'`]|&quot;|&#3[49];|%22|\[\")?"
_QUOTE = r"(?:\\{0,7}[\"'`]|&quot;|&#3[49];|%22)"
_NAME = r"(?P<n>[a-z_$:][\w.:/-]{1,80})"
_NAME_FIELD = rf"(?<![a-z])(?:name|key|k|var|variable|env|field|param(?:eter)?(?:_?(?:name|key))?|property|header|option|setting|attribute|label)(?:_?name)?{_IS}{_OPEN}{_NAME}"
_VALUE_FIELD = rf"(?<![a-z])(?:value|val|v|content|default|data|text|(?:string|parameter|secret)_?value|setting){_IS}{VALUE}"
_CALL = r"(?:define|put|set|add|append|insert|export|register|header|option|config|environment|property|field|entry|param|arg|secret|value|env)\w{0,20}"

PAIRS: tuple[Pair, ...] = (
    _pair("name key var env field param property header option setting attribute label", rf"{_NAME_FIELD}{CLOSE}(?=[\s,;}}])[^{{}}<>]{{0,80}}?{_VALUE_FIELD}"),
    _pair("value val content default data", rf"{_VALUE_FIELD}\\{{0,7}}[\"'`]?[\s,;][^{{}}<>=:]{{0,40}}?{_NAME_FIELD}(?={CLOSE}\s{{0,3}}(?:[,;}}/>\s]|$))"),
    # XML: <Password Type="x">…</…>, <entry key="password">…</entry>, <key>password</key><string>…</string>
    _pair("</ &lt;/", r"(?:<|&lt;)(?:[\w.-]{1,40}:)?(?P<n>[\w.-]{2,60})(?:\s[^<>\n]{0,200})?(?:>|&gt;)\s{0,40}(?:<!\[CDATA\[)?(?P<s>[^<>\s\]&][^<>\n\]]{0,1024}?)(?:\]\]>)?\s{0,40}(?:</|&lt;/)"),
    _pair("</", rf"\b(?:key|name|id)={_QUOTE}{_NAME}{_QUOTE}[^<>\n]{{0,80}}>\s{{0,40}}(?:<value>\s{{0,40}})?(?P<s>[^<>\s][^<>\n]{{0,1024}})<"),
    _pair("</", r">\s{0,9}(?P<n>[\w.:/ -]{2,60})</[\w:]{1,40}>\s{0,40}(?:<[\w:]{1,40}>\s{0,9}){1,3}(?P<s>[^<>\s][^<>\n]{0,1024})<"),
    _pair("=", rf"<\w[\w:-]{{0,40}}\s[^<>\n]{{0,120}}?\b(?:value|val)={_QUOTE}(?P<s>[^\"'<>\n]{{3,512}}){_QUOTE}\s{{1,9}}(?:key|name)={_QUOTE}{_NAME}{_QUOTE}"),
    # Arguments of a call that stores something, and the elements of a list, a tuple or a command of Redis
    _pair("(", rf"\b{_CALL}\(\s{{0,3}}[brufN]?{_QUOTE}{_NAME}{_QUOTE}\s{{0,3}},\s{{0,3}}{VALUE}"),
    _pair("', \", `, quot;,", rf"{_QUOTE}{_NAME}{_QUOTE}\s{{0,3}},\s{{0,3}}[brufN]?{_QUOTE}(?P<s>[^\"'`\\\n&]{{3,1024}}){_QUOTE}", certain=False),
    _pair('"·"', r'\\{0,3}"(?P<n>[a-z_][\w.:-]{1,60})\\{0,3}"\s\\{0,3}"(?P<s>[^"\\\n]{3,1024})\\{0,3}"', certain=False),
    _pair("{", r"\{(?:<<)?[\"']?(?P<n>[a-z_]\w{1,60})[\"']?(?:>>)?,\s{0,3}(?:<<)?\"(?P<s>[^\"\n]{3,1024})\""),
    _pair(":", r"(?<![\w:])(?P<n>:[a-z][\w-]{1,60})\s\"(?P<s>[^\"\n]{3,1024})\""),
    _pair(". (", r"\(\"?(?P<n>[a-z][\w-]{1,60})\"?\s\.\s\"(?P<s>[^\"\n]{3,1024})\"\)"),
    _pair("name=", r"\bname=\\?\"(?P<n>[\w.-]{2,60})\\?\"(?:\\r|\\n){2,4}(?P<s>[^\\\"\s]{3,512})"),
    # What a validator repeats: failed to set property [name] to [value], data['name']. Got value; an environment in quotes
    _pair("]·to·[", r"\[(?P<n>[\w.-]{2,80})\]\sto\s\[(?P<s>[^\n]{3,256}?)\](?=\s|$|[.,;)])"),
    _pair("got", rf"\[[\"'](?P<n>[\w.-]{{2,60}})[\"']\][.,:]?\sgot:?\s{VALUE}"),
    _pair("'", r"(?:^|[\s\[,({=:])'(?-i:(?P<n>[A-Z][A-Z0-9_]{1,60}))=(?P<a>[^'\s]{3,512})'(?=[\s,\]);}]|$)"),
    _pair('"', r"(?:^|[\s\[,({=:])\"(?-i:(?P<n>[A-Z][A-Z0-9_]{1,60}))=(?P<q>[^\"\s]{3,512})\"(?=[\s,\]);}]|$)"),
    # Columns of a table: of psql, of `vault kv get`, of Markdown
    _pair("pass secret token key cred", r"(?:^|[|│┃║]\s{0,40})(?P<n>[a-z][\w.-]{1,60})\s{0,60}[|│┃║]\s{0,40}(?P<s>[^\s|│┃║]{4,1024})\s{0,200}(?:[|│┃║]|$)", certain=False),
    _pair("pass secret token key cred", r"^\s{0,8}(?P<n>[a-z][\w.-]{1,60})\s{2,60}(?P<s>\S{4,1024})\s{0,9}$", certain=False),
    _pair("pass secret token key cred pwd", r"\b(?:config|configure|conf|set|setx|export|store|save|put|create|add|update|update-secret|setenv|secret|param|env)\s(?:(?:set|add|put|get|--?[a-z-]{1,30})\s){0,3}(?P<n>[a-z][\w./:-]{1,80})(?:[ =]{1,3})(?:--value[ =]|-v )?" + VALUE),
)  # fmt: skip
_OF_HINT = by_hint(pair.hints for pair in PAIRS)


def in_pairs(text: str, lower: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of the values of pairs whose name is that of a secret. lower: the text in lower case."""
    for number in hinted(_OF_HINT, lower):
        _, pattern, certain = PAIRS[number]
        at = 0
        while (match := pattern.search(text, at)) is not None:
            start, end = _value(match)
            kind = kind_of(match["n"])
            if kind and end > start and can_be(kind, text[start:end], certain=certain) and (certain or mixed(text[start:end])):
                yield "password" if kind == "password" else "token", start, end
                at = end
            else:
                at = max(match.start() + 1, match.end("n") if match.start("n") < start else match.start("n"))


def _value(match: re.Match[str]) -> tuple[int, int]:
    if any(group in match.re.groupindex for group in GROUPS[1:]):
        return value_span(match)
    start = match.start("s")
    return start, start + len(match["s"].rstrip())
