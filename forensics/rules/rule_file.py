"""Read the rules of one file, a Prometheus rule file or Kubernetes resources of kind PrometheusRule, as Prometheus accepts them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from forensics.rules import template_marks
from forensics.rules.expressions import ExpressionError, parsed
from forensics.rules.go_template import template_mistake
from forensics.rules.rule import Rule
from forensics.rules.yaml_fields import Fields
from forensics.rules.yaml_nodes import Mapping, Node, Scalar, Sequence, YamlError, documents
from forensics.sanitize import brief
from forensics.toml_file import Mistake

_GROUP_KEYS = ("name", "interval", "query_offset", "limit", "labels", "rules")
_OPERATORS_GROUP_KEYS = (*_GROUP_KEYS, "partial_response_strategy")  # prometheus-operator's api.md, RuleGroup
_RULE_KEYS = ("alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations")
_ALERT_ONLY = ("for", "keep_firing_for", "annotations")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(slots=True)
class FileRules:
    """What one file holds. is_rule_file: it has rules, or says that it should."""

    rules: list[Rule] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    is_rule_file: bool = False


def rules_of(file: Path, text: str) -> FileRules:
    """Read the text of a file; each rule with a mistake is left out, and the mistake named with its line."""
    found = FileRules()
    try:
        roots, text = _roots(text, found, file)
        for number, root in enumerate(roots):
            _add_document(found, root, Fields(file, text, root.line, {}, found.mistakes), number)
    except YamlError as error:
        found.mistakes.append(Mistake(file, error.line, "", str(error)))
    return found


def _roots(text: str, found: FileRules, file: Path) -> tuple[Iterator[Node], str]:
    """Return the roots of the documents and the text that they are of: with words for templates where these break the YAML."""
    if template_marks.has_template(text):
        try:
            return iter(list(documents(text))), text
        except YamlError:
            if alone := template_marks.first_alone(text):
                found.mistakes.append(Mistake(file, alone[0], "", alone[1]))
            text, templates = template_marks.stand_ins(text)
            return (_filled(root, templates) for root in documents(text)), text
    return documents(text), text


def _filled(node: Node, templates: list[str]) -> Node:
    """Put the templates back into the values."""
    if isinstance(node, Scalar):
        node.value = template_marks.filled_again(node.value, templates)
    for part in node.items if isinstance(node, Sequence) else node.pairs if isinstance(node, Mapping) else ():
        for below in part if isinstance(part, tuple) else (part,):
            _filled(below, templates)
    return node


def _add_document(found: FileRules, root: Node, file: Fields, number: int) -> None:
    if not isinstance(root, Mapping):
        file.refuse("is not a rule file: 'groups:' is expected at its start")
        return
    document = file.below(root, "")
    if "kind" in document.values and "groups" not in document.values:
        _add_resource(found, document)
        return
    if "groups" not in document.values and not document.values.keys() & {"group", "rules"}:
        return
    found.is_rule_file = True
    if number:
        document.refuse("Prometheus reads only the first YAML document of a rule file; the rules below are never loaded")
    document.refuse_unknown_keys(("groups",))
    _add_groups(found, document, _GROUP_KEYS)


def _add_resource(found: FileRules, document: Fields) -> None:
    """Add the rules of a Kubernetes resource; one of another kind has none."""
    kind = document.string("kind")
    if kind == "PrometheusRule":
        found.is_rule_file = True
        _add_groups(found, document.mapping("spec"), _OPERATORS_GROUP_KEYS)
    elif kind.endswith("List"):
        for item in document.mappings("items", ""):
            _add_resource(found, item)


def _add_groups(found: FileRules, document: Fields, keys: tuple[str, ...]) -> None:
    names: set[str] = set()
    for group in document.mappings("groups", "a group"):
        group.refuse_unknown_keys(keys)
        name = group.string("name")
        if not name:
            group.refuse("the group has no name")
        elif name in names:
            group.refuse(f"the group name '{brief(name, 60)}' is used twice in this file")
        names.add(name)
        interval, labels = group.seconds("interval"), group.strings("labels")
        group.seconds("query_offset")
        group.number("limit")
        _check_names(group, "label", labels)
        for fields in group.mappings("rules", "a rule"):
            rule = _rule(fields, name, interval, labels)
            if rule is not None:
                found.rules.append(rule)


def _rule(given: Fields, group: str, interval: float | None, labels: dict[str, str]) -> Rule | None:
    """Make a rule of its fields; None with a mistake added when Prometheus would refuse it."""
    alert, record = given.string("alert"), given.string("record")
    fields = Fields(given.file, given.text, given.line, given.values, given.mistakes, alert or record or given.subject)
    before = len(fields.mistakes)
    fields.refuse_unknown_keys(_RULE_KEYS)
    own, annotations = _templated(fields, "labels", alert), _templated(fields, "annotations", alert)
    hold, keep = fields.seconds("for"), fields.seconds("keep_firing_for")
    expr = fields.string("expr")
    if bool(alert) == bool(record):
        fields.refuse("has both 'alert' and 'record'" if alert else "needs 'alert' or 'record'")
    if record:
        _check_recording(fields, record, annotations, hold, keep)
    _check_names(fields, "label", own)
    _check_names(fields, "annotation", annotations)
    if template := template_marks.template_in(alert):
        fields.refuse(template, fields.values["alert"].line)
    expr_line = _check_expression(fields, expr)
    if len(fields.mistakes) > before:
        return None
    return Rule(
        expr=expr,
        alert=alert,
        record=record,
        hold_s=hold or 0.0,
        keep_firing_s=keep or 0.0,
        labels=labels | own,
        annotations=annotations,
        group=group,
        interval_s=interval or None,
        file=str(fields.file),
        line=fields.line,
        expr_line=expr_line,
        source=f"{fields.file}:{fields.line}",
    )


def _check_recording(fields: Fields, record: str, annotations: dict[str, str], hold: float | None, keep: float | None) -> None:
    for key, value in zip(_ALERT_ONLY, (hold, keep, annotations), strict=True):
        if value:
            fields.refuse(f"a recording rule cannot have '{key}'", fields.values[key].line)
    if template := template_marks.template_in(record):
        fields.refuse(template, fields.values["record"].line)
    elif not _METRIC_NAME.fullmatch(record):
        fields.refuse(f"'{brief(record, 60)}' is not a metric name", fields.values["record"].line)


def _check_names(fields: Fields, what: str, pairs: dict[str, str]) -> None:
    for name in pairs:
        if not _LABEL_NAME.fullmatch(name) or (what == "label" and name == "__name__"):
            fields.refuse(template_marks.template_in(name) or f"'{brief(name, 60)}' is not a name for {what}s")


def _templated(fields: Fields, key: str, alert: str) -> dict[str, str]:
    """Return the labels or annotations of a rule; those of an alert are templates and checked as such."""
    below = fields.mapping(key)
    texts = {name: below.string(name) for name in below.values}
    for name, text in texts.items():
        if alert and (mistake := template_mistake(text)):
            fields.refuse(f"the template of '{brief(name, 60)}' is wrong: {mistake}", below.values[name].line)
    return texts


def _check_expression(fields: Fields, expr: str) -> int:
    """Check an expression, and return the line of the file in which it starts."""
    node = fields.values.get("expr")
    if not isinstance(node, Scalar) or not expr.strip():
        if node is None or isinstance(node, Scalar):
            fields.refuse("needs 'expr'")
        return fields.line
    try:
        if template := template_marks.template_in(expr):
            fields.refuse(template, _line_of(fields.text, node, template_marks.template_offset(expr)))
        else:
            parsed(expr)
    except ExpressionError as error:
        fields.refuse(str(error), _line_of(fields.text, node, error.offset or 0))
    return _line_of(fields.text, node, 0)


def _line_of(text: str, node: Scalar, offset: int) -> int:
    """Find the line of a character of a value. YAML may fold its spaces, so only other characters are counted."""
    is_block = node.style in {"|", ">"}
    start = text.find("\n", node.start) + 1 if is_block else node.start + bool(node.style)
    last = max(len(node.value.rstrip()) - 1, 0)  # for what ends too early
    left = sum(not character.isspace() for character in node.value[: min(offset, last)])
    line = node.line + is_block
    for character in text[start : start + 2 * len(node.value) + 10_000]:
        if not character.isspace():
            if not left:
                break
            left -= 1
        line += character == "\n"
    return line
