"""Check the templates in labels and annotations as Prometheus does when it loads a rule: syntax, variables and functions, not values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches

from forensics.sanitize import brief

_BUILT_IN = {"and", "call", "html", "index", "slice", "js", "len", "not", "or", "print", "printf", "println", "urlquery"}
_COMPARISONS = {"eq", "ge", "gt", "le", "lt", "ne"}
_QUERIES = {"query", "first", "label", "value", "strvalue", "sortByLabel", "args", "tmpl"}  # Prometheus 2 and 3, template/template.go
_TEXTS = {"reReplaceAll", "safeHtml", "match", "title", "toUpper", "toLower", "stripPort", "stripDomain", "urlQueryEscape"}
_NUMBERS = {"humanize", "humanize1024", "humanizeDuration", "humanizePercentage", "humanizeTimestamp"}
_TIMES = {"toTime", "toDuration", "now", "parseDuration"}
_LINKS = {"graphLink", "tableLink", "pathPrefix", "externalURL"}
FUNCTIONS = _BUILT_IN | _COMPARISONS | _QUERIES | _TEXTS | _NUMBERS | _TIMES | _LINKS
VARIABLES = ("$", "$labels", "$externalLabels", "$externalURL", "$value")
DEEPEST = 100
_ACTION_START = re.compile(r"\{\{(?:-(?=[ \t\r\n]))?")
_COMMENT = re.compile(r"(?:[ \t\r\n]*)/\*.*?\*/(?:[ \t\r\n]+-)?\}\}", re.DOTALL)
_TOKEN_OF_ACTION = re.compile(
    r"""(?P<end>[ \t\r\n]+-\}\}|\}\})|(?P<space>[ \t\r\n]+)
    |(?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`)|(?P<number>'(?:\\.|[^'\\\n])+'|[+-]?(?:0[xXbBoO][\w.]+|\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?i?|\.\d+))
    |(?P<variable>\$\w*)|(?P<field>\.[^\W\d]\w*)|(?P<dot>\.)|(?P<word>[^\W\d]\w*)
    |(?P<declare>:=)|(?P<assign>=)|(?P<comma>,)|(?P<pipe>\|)|(?P<open>\()|(?P<close>\))""",
    re.VERBOSE,
)
_OPERANDS = {"string", "number", "variable", "field", "dot", "word", "open"}
_BLOCKS = {"if", "with", "range", "block", "define"}


class _MistakeError(Exception):
    """What is wrong with a template."""


@dataclass(slots=True)
class _Block:
    """An {{if}}, {{range}} … that waits for its {{end}}; known: how many variables there were before it."""

    keyword: str
    known: int
    has_else: bool = False


@dataclass(slots=True)
class _Checked:
    """How far a template is checked."""

    text: str
    at: int = 0
    tokens: list[tuple[str, str]] = field(default_factory=list)  # of the action, the next one last
    variables: list[str] = field(default_factory=lambda: list(VARIABLES))
    blocks: list[_Block] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.tokens[-1][0] if self.tokens else ""

    def take(self) -> str:
        return self.tokens.pop()[1]

    def skip_space(self) -> bool:
        return bool(self.kind == "space" and self.take())


def template_mistake(text: str) -> str | None:
    """Return what is wrong with the templates of a label's or annotation's value; None when Prometheus accepts them."""
    if "{{" not in text:
        return None
    try:
        _check(_Checked(text))
    except _MistakeError as mistake:
        return str(mistake)
    return None


def _check(checked: _Checked) -> None:
    while start := _ACTION_START.search(checked.text, checked.at):
        checked.at = start.end()
        if comment := _COMMENT.match(checked.text, checked.at):
            checked.at = comment.end()
        else:
            _read_tokens(checked)
            _check_action(checked)
    if checked.blocks:
        raise _MistakeError(f"{{{{{checked.blocks[-1].keyword}}}}} has no {{{{end}}}}")


def _read_tokens(checked: _Checked) -> None:
    tokens = []
    while True:
        token = _TOKEN_OF_ACTION.match(checked.text, checked.at)
        if token is None:
            rest = checked.text[checked.at :]
            raise _MistakeError(f"unexpected '{brief(rest, 20)}' in an action" if rest else "an action has no '}}'")
        checked.at = token.end()
        if token.lastgroup == "end":
            break
        tokens.append((str(token.lastgroup), token[0]))
    checked.tokens = tokens[::-1]


def _check_action(checked: _Checked) -> None:
    checked.skip_space()
    word = checked.tokens[-1][1] if checked.kind == "word" else ""
    if word in {"end", "else", "break", "continue"}:
        checked.take()
        _check_inner(checked, word)
    elif word in _BLOCKS | {"template"}:
        checked.take()
        _begin(checked, word)
    else:
        _pipeline(checked, "a command")
    if checked.skip_space() or checked.tokens:
        _refuse_rest(checked)


def _begin(checked: _Checked, keyword: str) -> None:
    known = len(checked.variables)
    if keyword in {"template", "define", "block"}:
        checked.skip_space()
        if checked.kind != "string":
            raise _MistakeError(f"{{{{{keyword}}}}} needs a name in quotes")
        checked.take()
        checked.skip_space()
        if checked.tokens and keyword != "define":
            _pipeline(checked, keyword)
    else:
        _pipeline(checked, keyword)
    if keyword != "template":
        checked.blocks.append(_Block(keyword, known))


def _check_inner(checked: _Checked, word: str) -> None:
    if word in {"break", "continue"}:
        if all(block.keyword != "range" for block in checked.blocks):
            raise _MistakeError(f"{{{{{word}}}}} outside a {{{{range}}}}")
        return
    if not checked.blocks:
        raise _MistakeError(f"unexpected {{{{{word}}}}}")
    block = checked.blocks[-1]
    if word == "end":
        checked.blocks.pop()
        del checked.variables[block.known :]
        return
    if block.has_else or block.keyword in {"block", "define"}:
        raise _MistakeError("unexpected {{else}}")
    checked.skip_space()
    if checked.kind == "word" and checked.tokens[-1][1] in {"if", "with"}:
        _pipeline(checked, checked.take())
    else:
        block.has_else = True


def _pipeline(checked: _Checked, what: str, depth: int = 0) -> None:
    """Check `[$x :=] command | command …`."""
    if depth > DEEPEST:
        raise _MistakeError("parentheses are nested too deeply")
    declared = _declared(checked, what)
    stage = 0
    while True:
        checked.skip_space()
        _command(checked, what, stage, depth)
        stage += 1
        if checked.kind != "pipe":
            break
        checked.take()
    checked.variables += declared


def _declared(checked: _Checked, what: str) -> list[str]:
    """Take `$x :=` or `$x =`, in a range also `$i, $x :=`; return the variables that are new."""
    checked.skip_space()
    ahead = [token for token in checked.tokens[::-1] if token[0] != "space"][:4]
    kinds = [kind for kind, _ in ahead]
    if kinds[:2] in (["variable", "declare"], ["variable", "assign"]):
        count = 2
    elif what == "range" and kinds == ["variable", "comma", "variable", "declare"]:
        count = 4
    else:
        return []
    names = []
    while count:
        kind, text = checked.tokens.pop()
        count -= kind != "space"
        names += [text] if kind == "variable" else []
    if kinds[1] == "assign" and names[0] not in checked.variables:
        raise _MistakeError(f"undefined variable '{names[0]}'")
    return [] if kinds[1] == "assign" else names


def _command(checked: _Checked, what: str, stage: int, depth: int) -> None:
    if checked.kind not in _OPERANDS:
        if checked.tokens:
            _refuse_rest(checked)
        raise _MistakeError(f"missing value for {what}")
    kind, text = checked.tokens[-1]
    if stage and (kind in {"string", "number", "dot"} or text in {"true", "false", "nil"}):
        raise _MistakeError(f"'{brief(text, 20)}' after '|' is not a function")
    while checked.kind in _OPERANDS:
        _operand(checked, depth)
        if not checked.skip_space():
            break


def _operand(checked: _Checked, depth: int) -> None:
    kind, text = checked.tokens.pop()
    if kind == "word" and text not in FUNCTIONS | {"true", "false", "nil"}:
        near = get_close_matches(text, FUNCTIONS, n=1, cutoff=0.8)
        hint = f"is '{near[0]}' meant?" if near else "if Helm or Jinja fills it in, render the file first"
        raise _MistakeError(f"function '{brief(text, 40)}' is not defined ({hint})")
    if kind == "variable" and text not in checked.variables:
        raise _MistakeError(f"undefined variable '{brief(text, 40)}'")
    if kind == "open":
        _pipeline(checked, "parentheses", depth + 1)
        checked.skip_space()
        if checked.kind != "close":
            raise _MistakeError("unclosed '('")
        checked.take()
    while checked.kind == "field":
        if kind in {"string", "number"} or text in {"true", "false", "nil"}:
            raise _MistakeError(f"unexpected '{checked.take()}' after '{brief(text, 20)}'")
        checked.take()


def _refuse_rest(checked: _Checked) -> None:
    rest = "".join(text for _, text in checked.tokens[::-1]).strip()
    if rest:
        raise _MistakeError(f"unexpected '{brief(rest, 20)}' in an action")
    checked.tokens.clear()
