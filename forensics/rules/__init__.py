"""Read Prometheus rule files and judge whether their selectors can ever match."""

from forensics.rules.finding import read_rules
from forensics.rules.rule import Rule, RuleFiles

__all__ = ["Rule", "RuleFiles", "read_rules"]
