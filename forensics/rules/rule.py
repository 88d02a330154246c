"""Define a Prometheus rule as its file has it, and what was wrong with the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forensics.toml_file import Mistake


@dataclass(frozen=True, slots=True)
class Rule:
    """An alerting or recording rule. file, line: where it starts; expr_line: where its expression starts. source: who wrote it."""

    expr: str
    alert: str = ""  # empty for a recording rule
    record: str = ""  # empty for an alerting rule
    hold_s: float = 0.0  # `for`
    keep_firing_s: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)  # with those of its group
    annotations: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    interval_s: float | None = None  # of its group; None where the group has none
    file: str = ""
    line: int = 0
    expr_line: int = 0
    source: str = ""

    @property
    def name(self) -> str:
        return self.alert or self.record


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """What the files hold: rules that can be judged, and each mistake with its file and line."""

    rules: tuple[Rule, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    files: tuple[str, ...] = ()  # those that hold rules, or should
