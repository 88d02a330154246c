"""Choose the series that an expression is evaluated on, or say why the journal cannot show what it selects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forensics.promql import Expression, Selector, StepSeries
from forensics.promql.labels import get, labels_of
from forensics.promql.selectors import SPECIAL, Matcher
from forensics.promql.tree import Aggregation, Binary, Call, Instant, Node, Number, Range, Subquery, children, walk
from forensics.replay.history import UnitHistory
from forensics.replay.series import BLACKBOX, METRICS, NODE, PORTS, SYSTEMD, WATCH, Model, up_series

GUESSED = "type"  # of node_systemd_unit_state: the journal does not name Type=
OF_UNIT, CLOSED = ("name", "unit"), ("state", "signature")
OF_TARGET = ("job", "instance")  # labels that the user's scrape configuration chooses
JOBS = {
    **dict.fromkeys(("node", "node-exporter", "node_exporter", "nodeexporter"), NODE),
    **dict.fromkeys(("systemd", "systemd-exporter", "systemd_exporter"), SYSTEMD),
    **dict.fromkeys(("blackbox", "blackbox-exporter", "blackbox_exporter", "probe"), BLACKBOX),
    **dict.fromkeys(("tabby-forensics", "tabby_forensics"), WATCH),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """The series of an expression. unjudged: why there is no verdict; selects_none: why it can select nothing here, though it is known."""

    series: tuple[StepSeries, ...] = ()
    unjudged: str = ""
    selects_none: str = ""
    assumptions: tuple[str, ...] = ()


def select(
    expression: Expression, histories: Sequence[UnitHistory], others: Sequence[UnitHistory], model: Model, cache: Cache
) -> Selection:
    """Rebuild the series of the incident's unit, and of other units where the expression looks beyond one series."""
    named = [selector for selector in expression.selectors if selector.metric is not None]
    unknown = [selector.metric or "" for selector in named if selector.metric != "up" and selector.metric not in METRICS]
    if len(named) < len(expression.selectors):
        return Selection(unjudged="it selects series by something else than one metric name")
    if unknown:
        return Selection(unjudged=f"the journal does not show {unknown[0]}")
    if not named:
        return Selection(unjudged="it selects no series")
    targets = _targets(named)
    model = Model(model.ready_s, model.since, targets)
    cast = [*histories, *others] if _is_beyond_one(expression) else list(histories)
    found = {metric: cache.series(metric, cast, model) for metric in dict.fromkeys(selector.metric or "" for selector in named)}
    for selector in named:
        refusal = _refusal(selector, found[selector.metric or ""])
        if refusal is not None:
            return refusal
    return Selection(tuple(series for each in found.values() for series in each), assumptions=_assumed(named, targets, model))


class Cache:
    """Series that were rebuilt, by metric, unit and model."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, int, Model], list[StepSeries]] = {}
        self.kept: list[UnitHistory] = []  # so that no id is used again

    def series(self, metric: str, cast: Iterable[UnitHistory], model: Model) -> list[StepSeries]:
        """Return the series of a metric for these units."""
        if metric == "up":
            return [series for host in dict.fromkeys(history.host for history in cast) for series in up_series(model, host)]
        found: list[StepSeries] = []
        for history in cast:
            key = (metric, id(history), model)
            if key not in self.made:
                self.made[key] = METRICS[metric].rebuild(history, model)
                self.kept.append(history)
            found += self.made[key]
        return found


def reach_s(expression: Expression) -> float:
    """Return how far back an evaluation looks at most, beyond the last sample."""
    return _reach(expression.tree) / 1000


def _reach(node: Node) -> int:
    """Return it in ms."""
    below = max((_reach(child) for child in children(node)), default=0)
    match node:
        case Subquery():
            return below + node.length + max(node.offset, 0)
        case Range():
            return below + node.length
        case Instant():
            return max(node.offset, 0)
        case _:
            return below


def _is_beyond_one(expression: Expression) -> bool:
    """Whether series of other units can change what is found about one."""
    for node in walk(expression.tree):
        if isinstance(node, Aggregation) or (isinstance(node, Call) and node.function in {"absent", "absent_over_time", "scalar"}):
            return True
        if isinstance(node, Binary) and not isinstance(node.left, Number) and not isinstance(node.right, Number):
            return True
    return False


def _targets(selectors: Sequence[Selector]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Call each target what the rule calls it: job and instance are the user's to name."""
    chosen: dict[str, dict[str, str]] = {}
    for selector in selectors:
        metric = METRICS.get(selector.metric or "")
        for matcher in selector.matchers:
            value = _named_value(matcher)
            exporter = metric.exporter if metric is not None else JOBS.get(value or "") if matcher.label == "job" else None
            if exporter is not None and value and matcher.label in OF_TARGET:
                chosen.setdefault(exporter, {}).setdefault(matcher.label, value)
    return tuple((exporter, tuple(sorted(labels.items()))) for exporter, labels in sorted(chosen.items()))


def _named_value(matcher: Matcher) -> str | None:
    """Return a value that a positive matcher accepts, where it can be read off."""
    if matcher.operator == "=":
        return matcher.value
    first = matcher.value.strip("()").split("|")[0]
    return first if matcher.operator == "=~" and first and not SPECIAL.intersection(first) else None


def _refusal(selector: Selector, series: Sequence[StepSeries]) -> Selection | None:
    """Explain why a selector selects nothing; null where it selects something."""
    if not series:
        return Selection(unjudged=f"the journal does not show {selector.metric}: this systemd has no such property")
    labels = [labels_of(each.name, each.labels) for each in series]
    if any(selector.accepts(each) for each in labels):
        return None
    refusing = [matcher for matcher in selector.matchers if not any(matcher.accepts(get(each, matcher.label)) for each in labels)]
    label = refusing[0].label if refusing else ""
    written = f'{label}{refusing[0].operator}"{refusing[0].value}"' if refusing else f"{selector.metric} with all these labels"
    if selector.absent and label != "job":
        return Selection(unjudged=f"whether {written} is absent cannot be known from the journal")
    if label in OF_UNIT:
        return Selection(selects_none=f"it selects other units: {written}")
    if label in {"", *CLOSED}:
        return Selection(selects_none=f"no series has {written}")
    jobs = f"the job of {written} is not among those that the journal can stand for ({', '.join(PORTS)})"
    return Selection(unjudged=jobs if label == "job" else f"the journal does not show the label of {written}")


def _assumed(selectors: Sequence[Selector], targets: Sequence[tuple[str, tuple[tuple[str, str], ...]]], model: Model) -> tuple[str, ...]:
    """List what is assumed about the targets."""
    exporters = dict.fromkeys(METRICS[selector.metric or ""].exporter for selector in selectors if selector.metric in METRICS)
    assumed = [f"{label}={value} is a target of {exporter}" for exporter, labels in targets for label, value in labels if value != exporter]
    if BLACKBOX in exporters:
        assumed.append(
            f"the probe asks this service; it answers {model.ready_s:g} s after a start, or when it is ready where the manager logs that"
        )
    if any(matcher.label == GUESSED for selector in selectors for matcher in selector.matchers):
        assumed.append("Type= of the unit is guessed from what the manager logs")
    return tuple(assumed)
