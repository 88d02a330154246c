"""Write the findings of `audit rules` for a terminal or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from forensics.rules.findings import DEAD_RULE, KINDS, MISTAKE, NEEDS_FLAG, UNKNOWN_METRIC, Audit, Finding, Nearest, named
from forensics.rules.judgement import JudgedRule
from forensics.rules.verdicts import DEPENDS, KNOWN, NOT_COVERED, RECORDED
from forensics.sanitize import one_line, sanitizer
from forensics.wording import count, plural

SCHEMA_VERSION = 1
LONGEST = 400  # characters of a name or a sentence
MOST_MISTAKES = 10  # of one file, as text
NEVER_RECORDS = "can never give a result"  # of a recording rule
_REFUSED = "Prometheus loads no rule of a file with a mistake."
_SELECTORS = {
    KNOWN: ("known", "known"),
    RECORDED: ("recorded by these rules", "recorded by these rules"),
    DEPENDS: ("depends on the host", "depend on the host"),
    NOT_COVERED: ("not in the catalogue", "not in the catalogue"),
}


def as_text(audit: Audit, shown_kinds: Collection[str], *, redact: bool) -> str:
    """Write the findings as text; metrics that are unknown or need a flag are summed up unless their kind is among `shown_kinds`."""
    mistakes: Counter[str] = Counter()
    shown: list[Finding] = []
    for finding in audit.findings:
        mistakes[finding.file] += finding.kind == MISTAKE
        is_one_too_many = finding.kind == MISTAKE and mistakes[finding.file] > MOST_MISTAKES
        if not is_one_too_many and (finding.kind not in {UNKNOWN_METRIC, NEEDS_FLAG} or finding.kind in shown_kinds):
            shown.append(finding)
    safe = _safe(_texts(shown), redact=redact)
    lines = [line for finding in shown for line in (*_finding_lines(finding, safe), "")]
    lines += _more_mistakes(mistakes, safe)
    if NEEDS_FLAG not in shown_kinds:
        lines += _flag_lines(audit, safe)
    lines += _summary(audit)
    return "\n".join(lines) + "\n"


def as_json(audit: Audit, *, redact: bool) -> str:
    names = (text for judged in audit.judged for text in (judged.rule.name, judged.rule.group))
    safe = _safe([*_texts(audit.findings), *names], redact=redact)
    document = {
        "schema_version": SCHEMA_VERSION,
        "files": [safe(file) for file in audit.files],
        "rules_total": len(audit.judged),
        "counts": audit.counts,
        "selectors": audit.verdicts,
        "findings": [_finding_object(finding, safe) for finding in audit.findings],
        "rules": [_rule_object(judged, safe) for judged in audit.judged],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _texts(findings: Iterable[Finding]) -> list[str]:
    return [text for finding in findings for text in (finding.rule, finding.metric, finding.why)]


def _safe(texts: Iterable[str], *, redact: bool) -> Callable[[str], str]:
    """Make the texts of the files harmless, on one line, without secrets."""
    hide = sanitizer(dict.fromkeys(texts), redact=redact, longest=LONGEST)
    return lambda text: hide(one_line(text, LONGEST))


def _more_mistakes(mistakes: Counter[str], safe: Callable[[str], str]) -> list[str]:
    """Say in which files there are more mistakes than are shown."""
    more = {file: number - MOST_MISTAKES for file, number in mistakes.items() if number > MOST_MISTAKES}
    return [
        *(f"{safe(file)}: {plural(number, 'more mistake')} (--format json has all)" for file, number in more.items()),
        *[""][: len(more)],
    ]


def _finding_lines(finding: Finding, safe: Callable[[str], str]) -> Iterator[str]:
    place = safe(finding.file) if finding.line is None else f"{safe(finding.file)}:{finding.line}"
    rule = f" {safe(finding.rule)}" if finding.rule else ""
    if finding.kind == MISTAKE:
        yield f"{place}:{rule}{':' if rule else ''} {safe(finding.why)}"
        return
    yield f"{place}:{rule} {NEVER_RECORDS if finding.records and finding.kind == DEAD_RULE else KINDS[finding.kind]}"
    yield f"  {safe(finding.metric)}: {safe(finding.why)}"
    width = max((len(near.metric) for near in finding.nearest), default=0)
    for number, near in enumerate(finding.nearest):
        yield f"  {'nearest:' if number == 0 else '        '} {near.metric:<{width}}  {_origin(near)}"


def _origin(near: Nearest) -> str:
    return f"{near.by}, with {near.flag}" if near.flag else near.by


def _flag_lines(audit: Audit, safe: Callable[[str], str]) -> list[str]:
    """List each metric that is off by default once, with its first rule."""
    by_metric: dict[tuple[str, str], list[Finding]] = {}
    for finding in audit.findings:
        if finding.kind == NEEDS_FLAG:
            by_metric.setdefault((finding.metric, finding.flag), []).append(finding)
    if not by_metric:
        return []
    width = max(len(metric) for metric, _ in by_metric)
    lines = ["Off by default, so that these need a flag of their exporter:"]
    for (metric, flag), findings in by_metric.items():
        first = findings[0]
        more = f" and {plural(len(findings) - 1, 'more rule')}" if len(findings) > 1 else ""
        lines.append(f"  {metric:<{width}}  {flag}  ({safe(first.file)}:{first.line}{more})")
    return [*lines, ""]


def _summary(audit: Audit) -> list[str]:
    counts = audit.counts
    head = f"{plural(len(audit.judged), 'rule')} in {plural(len(audit.files), 'file')}: "
    found = [f"{count(counts[kind])} {words}" for kind, words in _wordings(counts) if counts[kind]]
    lines = [head + (", ".join(found) if found else "none is dead") + "."]
    selectors = [
        f"{count(number)} {words[number != 1]}" for verdict, words in _SELECTORS.items() if (number := audit.verdicts.get(verdict, 0))
    ]
    lines += [f"Selectors: {', '.join(selectors)}."] if selectors else []
    return lines + ([_REFUSED] if counts[MISTAKE] else [])


def _wordings(counts: dict[str, int]) -> Iterable[tuple[str, str]]:
    """Yield what the summary counts: rules by kind, and mistakes."""
    one_or_many = {
        "dead": ("can never fire", "can never fire"),
        "always-fires": ("always fires", "always fire"),
        "partly-dead": ("has a part that never matches", "have a part that never matches"),
        "no-target": ("asks for a target that there cannot be", "ask for a target that there cannot be"),
        "mistake": ("mistake", "mistakes"),
        "doubtful": ("doubtful metric", "doubtful metrics"),
    }
    return ((kind, words[counts[kind] != 1]) for kind, words in one_or_many.items())


def _finding_object(finding: Finding, safe: Callable[[str], str]) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "file": safe(finding.file),
        "line": finding.line,
        "rule": safe(finding.rule),
        "metric": safe(finding.metric) or None,
        "why": safe(finding.why),
        "nearest": _nearest_objects(finding.nearest),
        "flag": finding.flag or None,
    }


def _rule_object(judged: JudgedRule, safe: Callable[[str], str]) -> dict[str, Any]:
    rule = judged.rule
    return {
        "file": safe(rule.file),
        "line": rule.line,
        "group": safe(rule.group),
        "rule": safe(rule.name),
        "type": "alert" if rule.alert else "record",
        "outcome": judged.outcome,
        "selectors": [
            {
                "metric": safe(verdict.metric) or None,
                "verdict": verdict.verdict,
                "why": safe(verdict.why),
                "nearest": _nearest_objects(named(verdict.near)),
                "flag": verdict.flag or None,
            }
            for verdict in judged.verdicts
        ],
    }


def _nearest_objects(nearest: tuple[Nearest, ...]) -> list[dict[str, str | None]]:
    return [{"metric": near.metric, "exporter": near.by, "flag": near.flag or None} for near in nearest]
