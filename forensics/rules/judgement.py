"""Judge rules as a whole: each selector, then what the rule can give, then the rules that use what it records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from forensics.promql import Expression, Selector
from forensics.promql.tree import Call, Instant, Node, Range, children
from forensics.rules.expressions import ExpressionError, parsed
from forensics.rules.outcome import result
from forensics.rules.rule import Rule
from forensics.rules.verdicts import DEAD, NO_TARGET, NOT_COVERED, HostFacts, SelectorVerdict, verdict_on

NEVER, ALWAYS, PARTLY, CAN_FIRE = "never fires", "always fires", "partly without effect", "can fire"
_OF_COUNTERS = {"rate", "irate", "increase", "resets"}


@dataclass(frozen=True, slots=True)
class JudgedRule:
    """A rule with the verdicts on its selectors, and what they make of it."""

    rule: Rule
    verdicts: tuple[SelectorVerdict, ...]
    outcome: str


def judge(rule: Rule, hosts: HostFacts | None = None) -> tuple[SelectorVerdict, ...]:
    """Judge each selector of a rule: can it ever match a series?"""
    return judge_rule(rule, hosts or HostFacts()).verdicts


def judge_rules(rules: Sequence[Rule], hosts: HostFacts | None = None) -> tuple[JudgedRule, ...]:
    """Judge the rules of one Prometheus together: what one records another may use, and what one never records is dead for all."""
    hosts = hosts or HostFacts()
    places = {rule.record: f"{rule.file}:{rule.line}" for rule in reversed(rules) if rule.record}
    hosts = replace(hosts, recorded={**hosts.recorded, **places})
    while True:
        judged = tuple(judge_rule(rule, hosts) for rule in rules)
        giving = {each.rule.record for each in judged if each.outcome != NEVER}
        never = {
            each.rule.record: f"it is recorded by {places[each.rule.record]} only, which never gives a result"
            for each in judged
            if each.rule.record and each.rule.record not in giving
        }
        if never.keys() <= hosts.never_recorded.keys():
            return judged
        hosts = replace(hosts, never_recorded={**hosts.never_recorded, **never})


def judge_rule(rule: Rule, hosts: HostFacts) -> JudgedRule:
    """Judge one rule, with what others record in `hosts`."""
    try:
        expression = parsed(rule.expr)
    except ExpressionError as error:
        return JudgedRule(rule, (SelectorVerdict(NOT_COVERED, "", str(error)),), CAN_FIRE)
    if expression is None:
        return JudgedRule(rule, (SelectorVerdict(NOT_COVERED, "", "the expression uses what is not evaluated here"),), CAN_FIRE)
    verdicts = {selector: verdict_on(selector, hosts, counter=counter) for selector, counter in _selectors(expression)}
    dead = {selector: _is_dead(verdict, hosts) for selector, verdict in verdicts.items()}
    return JudgedRule(rule, tuple(verdicts.values()), _outcome(expression, dead))


def _is_dead(verdict: SelectorVerdict, hosts: HostFacts) -> bool:
    """Whether nothing can ever match: a missing target is certain only where the jobs are known."""
    return verdict.verdict == DEAD or (verdict.verdict == NO_TARGET and hosts.jobs is not None)


def _outcome(expression: Expression, dead: dict[Selector, bool]) -> str:
    if not any(dead.values()):
        return CAN_FIRE
    whole = result(expression.tree, dead)
    if whole.is_empty:
        return NEVER
    return ALWAYS if whole.is_certain and whole.by_absence else PARTLY


def _selectors(expression: Expression) -> Iterator[tuple[Selector, bool]]:
    """Yield each selector of an expression, and whether it is used as a counter."""

    def below(node: Node, *, counter: bool) -> Iterator[tuple[Selector, bool]]:
        if isinstance(node, Instant):
            yield node.selector, counter
        within = isinstance(node, Call) and node.function in _OF_COUNTERS
        for child in children(node):
            yield from below(child, counter=within or (counter and isinstance(node, Range)))

    yield from below(expression.tree, counter=False)
