"""Read Prometheus rule files and judge whether their selectors can ever match."""

from forensics.rules.finding import read_rules
from forensics.rules.judgement import ALWAYS, CAN_FIRE, NEVER, PARTLY, JudgedRule, judge, judge_rules
from forensics.rules.metric_names import catalogue
from forensics.rules.rule import Rule, RuleFiles
from forensics.rules.shipped import shipped_rules
from forensics.rules.verdicts import DEAD, DEPENDS, KNOWN, NO_TARGET, NOT_COVERED, RECORDED, HostFacts, SelectorVerdict

__all__ = [
    "ALWAYS",
    "CAN_FIRE",
    "DEAD",
    "DEPENDS",
    "KNOWN",
    "NEVER",
    "NOT_COVERED",
    "NO_TARGET",
    "PARTLY",
    "RECORDED",
    "HostFacts",
    "JudgedRule",
    "Rule",
    "RuleFiles",
    "SelectorVerdict",
    "catalogue",
    "judge",
    "judge_rules",
    "read_rules",
    "shipped_rules",
]
