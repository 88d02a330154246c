"""Choose the series that an expression is evaluated on, or say why the journal cannot show what it selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forensics.promql import Expression, Selector, StepSeries, parse
from forensics.promql.labels import Labels, get, labels_of
from forensics.promql.selectors import SPECIAL, Matcher
from forensics.replay.history import UnitHistory
from forensics.replay.recorded import with_recorded
from forensics.replay.series import BLACKBOX, METRICS, NODE, PORTS, SYSTEMD, WATCH, Model, up_series
from forensics.replay.states import assumed_of_answering
from forensics.replay.template import Template, is_beyond_one, template_of

GUESSED = "type"  # of node_systemd_unit_state: the journal does not name Type=
Targets = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # exporter → the labels of its target
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
    """The series of an expression. unjudged: why there is no verdict; selects_none: why it can select nothing here, though it is known.

    template, of_histories: where it looks at one unit only; what each of its selectors selects of each history.
    """

    series: tuple[StepSeries, ...] = ()
    unjudged: str = ""
    selects_none: str = ""
    assumptions: tuple[str, ...] = ()
    template: Template | None = None
    of_histories: tuple[tuple[tuple[StepSeries, ...], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """An expression, and what of it is the same in each incident. targets: what it calls the exporters' targets."""

    expression: Expression
    template: Template | None
    selectors: tuple[Selector, ...]
    unjudged: str
    targets: Targets
    is_beyond_one: bool


class Cache:
    """Series that were rebuilt, by metric, unit and model; what selectors select of them; expressions that were parsed."""

    def __init__(self, records: Mapping[str, str] | None = None) -> None:
        self._records = records or {}  # what recording rules record, by name
        self._made: dict[tuple[str, str | int, Model], list[StepSeries]] = {}
        self._selected: dict[tuple[Selector, int, Model], tuple[StepSeries, ...]] = {}
        self._kept: list[UnitHistory] = []  # so that no id is used again
        self._parsed: dict[str, Parsed] = {}

    def parsed(self, text: str) -> Parsed:
        """Parse an expression. Raises SyntaxMistakeError and UnsupportedError."""
        if text not in self._parsed:
            self._parsed[text] = _parsed(text, self._records)
        return self._parsed[text]

    def series(self, metric: str, history: UnitHistory, model: Model) -> list[StepSeries]:
        """Return the series of a metric for a unit."""
        key = (metric, history.host if metric == "up" else id(history), model)
        if key not in self._made:
            self._made[key] = up_series(model, history.host) if metric == "up" else METRICS[metric].rebuild(history, model)
            self._kept.append(history)
        return self._made[key]

    def selected(self, selector: Selector, history: UnitHistory, model: Model) -> tuple[StepSeries, ...]:
        """Return what a selector selects of a unit."""
        key = (selector, id(history), model)
        if key not in self._selected:
            series = self.series(selector.metric or "", history, model)
            self._selected[key] = tuple(each for each in series if selector.accepts(labels_of(each.name, each.labels)))
        return self._selected[key]


def select(
    expression: Expression, histories: Sequence[UnitHistory], others: Sequence[UnitHistory], model: Model, cache: Cache
) -> Selection:
    """Rebuild the series of the incident's unit, and of other units where the expression looks beyond one."""
    return select_for(cache.parsed(expression.text), histories, others, model, cache)


def select_for(parsed: Parsed, histories: Sequence[UnitHistory], others: Sequence[UnitHistory], model: Model, cache: Cache) -> Selection:
    """Select for an expression that the cache has parsed."""
    if parsed.unjudged:
        return Selection(unjudged=parsed.unjudged)
    exporters = {METRICS[selector.metric].exporter for selector in parsed.selectors if selector.metric in METRICS}
    if BLACKBOX in exporters and all(history.is_oneshot for history in histories):
        return Selection(unjudged="the unit is a job: it answers no probe")
    if exporters & {NODE, SYSTEMD} and all(history.unit.manager != "system" for history in histories):
        return Selection(selects_none="exporters show units of the system's manager, not of a user's")
    model = Model(model.ready_s, model.since, parsed.targets)
    cast = [*histories, *others] if parsed.is_beyond_one else list(histories)
    for selector in parsed.selectors:
        if not any(cache.selected(selector, history, model) for history in cast):
            known = {id(series): series for history in cast for series in cache.series(selector.metric or "", history, model)}
            return _refusal(selector, list(known.values()))
    of_histories = tuple(tuple(cache.selected(selector, history, model) for selector in parsed.selectors) for history in histories)
    of_all: dict[tuple[str, Labels], StepSeries] = {}  # of two units with one label set, as of two probes, the incident's counts
    for each in (each for history in cast for selector in parsed.selectors for each in cache.selected(selector, history, model)):
        of_all.setdefault((each.name, labels_of(each.name, each.labels)), each)
    return Selection(
        tuple(of_all.values()),
        assumptions=_assumed(parsed.selectors, parsed.targets, model),
        template=parsed.template,
        of_histories=of_histories if parsed.template is not None else (),
    )


def _parsed(text: str, records: Mapping[str, str]) -> Parsed:
    expression = with_recorded(parse(text), records)
    unjudged = _unknown(expression)
    selectors = tuple(dict.fromkeys(expression.selectors))
    is_of_units = any(selector.metric != "up" for selector in selectors)
    return Parsed(
        expression, template_of(expression), selectors, unjudged, () if unjudged else _targets(selectors),
        is_beyond_one=is_of_units and is_beyond_one(expression),
    )  # fmt: skip


def _unknown(expression: Expression) -> str:
    """Say which part of an expression the journal cannot show; "" where it shows all."""
    metrics = [selector.metric for selector in expression.selectors]
    unknown = [metric for metric in metrics if metric is not None and metric != "up" and metric not in METRICS]
    if None in metrics:
        return "it selects series by something else than one metric name"
    if unknown:
        return f"the journal does not show {unknown[0]}"
    return "" if metrics else "it selects no series"


def _targets(selectors: Sequence[Selector]) -> Targets:
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


def _refusal(selector: Selector, series: Sequence[StepSeries]) -> Selection:
    """Explain why a selector selects nothing of these series."""
    if not series:
        return Selection(unjudged=f"the journal does not show {selector.metric}: this systemd has no such property")
    labels = [labels_of(each.name, each.labels) for each in series]
    refusing = [matcher for matcher in selector.matchers if not any(matcher.accepts(get(each, matcher.label)) for each in labels)]
    label = refusing[0].label if refusing else ""
    written = f'{label}{refusing[0].operator}"{refusing[0].value}"' if refusing else f"{selector.metric} with all these labels"
    if selector.absent and label != "job":
        return Selection(unjudged=f"whether {written} is absent cannot be known from the journal")
    if label in OF_UNIT:
        return Selection(selects_none=f"it selects other units: {written}")
    if label in {"", *CLOSED}:
        return Selection(selects_none=f"no series has {written}")
    jobs = f"the job of {written} is not among those that can be derived from the journal ({', '.join(PORTS)})"
    return Selection(unjudged=jobs if label == "job" else f"the journal does not show the label of {written}")


def _assumed(selectors: Sequence[Selector], targets: Targets, model: Model) -> tuple[str, ...]:
    """List what is assumed about the targets."""
    exporters = dict.fromkeys(METRICS[selector.metric or ""].exporter for selector in selectors if selector.metric in METRICS)
    assumed = [f"{label}={value} is a target of {exporter}" for exporter, labels in targets for label, value in labels if value != exporter]
    if BLACKBOX in exporters:
        assumed += ["the probe asks this service", *assumed_of_answering(model.ready_s)]
    if any(matcher.label == GUESSED for selector in selectors for matcher in selector.matchers):
        assumed.append("Type= of the unit is guessed from what the manager logs")
    return tuple(assumed)
