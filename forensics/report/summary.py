"""Write the parts that all readable formats share: scope, verdict, headline figures, limits, quoted evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from forensics import wording
from forensics.model.values import Evidence, Incident, Report, RestartTotals
from forensics.report.timeline import noticed_s
from forensics.sanitize import one_line

CO_OCCURRING = "Also seen (did not cause the exit):"


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure and the section with its evidence."""

    value: str
    label: str
    section: str


@dataclass(slots=True)
class Quotes:
    """Number evidence in the order it is referred to; the same entry keeps its number."""

    prefix: str
    kept: dict[Evidence, int] = field(default_factory=dict)

    def ref(self, evidence: Evidence | None) -> str:
        """Return E1, E2, …; "" without evidence."""
        if evidence is None:
            return ""
        return f"{self.prefix}{self.kept.setdefault(evidence, len(self.kept) + 1)}"

    def items(self) -> Iterator[tuple[str, Evidence]]:
        return ((f"{self.prefix}{number}", evidence) for evidence, number in self.kept.items())


def scope(report: Report) -> list[str]:
    """Describe what the report covers: units, hosts, window, time zone, completeness."""
    where = wording.zone(report.timezone)
    window = report.window
    length = f" ({wording.duration((window.until - window.since).total_seconds())})" if window.since and window.until else ""
    stamp = wording.precise_enough(window.since, window.until)
    since = stamp(window.since, where) if window.since else "the first entry"
    until = stamp(window.until, where) if window.until else "the last entry"
    hosts = report.hosts or ((report.host,) if report.host else ())
    return [
        _names(report.units, "unit") or "no unit failed",
        _names(hosts, "host") or "host unknown",
        f"{since} → {until}{length}",
        f"all times {report.timezone if where.utcoffset(None) is None or report.timezone else 'UTC'}",
        data_quality(report),
    ]


def _names(names: tuple[str, ...], word: str) -> str:
    if len(names) > 3:
        return f"{wording.count(len(names))} {word}s"
    return ", ".join(one_line(name, 120) for name in names)


def data_quality(report: Report) -> str:
    """Write how many entries were read and what is missing."""
    data = report.completeness
    entries = wording.plural(data.entries, "entry", "entries")
    if data.complete and not data.damage and not data.gaps:
        return f"{entries}, complete"
    missing = []
    if data.dropped:
        missing.append(wording.plural(data.dropped, "dropped message"))
    if data.gaps:
        missing.append(wording.plural(len(data.gaps), "gap"))
    if data.damage:
        missing.append(wording.plural(len(data.damage), "damaged location"))
    return f"{entries}, incomplete" + (f" ({', '.join(missing)})" if missing else "")


def limits(report: Report, most: int) -> list[str]:
    """List what the numbers rest on and what is missing, one fact per line; at most `most` gaps, damages and failed checks."""
    data = report.completeness
    failed = [check for check in report.ledger if not check.holds]
    lines = [*_restart_totals(report.restarts), f"Data: {data_quality(report)}.", _checks(len(report.ledger), len(failed))]
    lines += [f"{check.name}: {wording.count(check.expected)} expected, {wording.count(check.got)} found." for check in failed[:most]]
    lines += [f"Gap {wording.instant(gap.start)} → {wording.instant(gap.end)} UTC: {gap.reason}" for gap in data.gaps[:most]]
    lines += [f"Damage in {location(damage.file, damage.offset)}: {damage.reason}" for damage in data.damage[:most]]
    return lines + list(report.notes)


def _restart_totals(restarts: RestartTotals) -> list[str]:
    isolated = wording.plural(restarts.background, "isolated restart")
    lines = [f"{wording.plural(restarts.total, 'restart')} = {wording.count(restarts.in_incidents)} in incidents + {isolated}."]
    if restarts.lost:
        lines.append(f"{wording.count(restarts.lost)} of them known only from the restart counter: their log entries are lost.")
    if restarts.refused:
        lines.append(f"{wording.count(restarts.refused)} of them refused by the start limit.")
    return lines


def _checks(checks: int, failed: int) -> str:
    if not checks:
        return "No consistency checks were made."
    if failed:
        return f"{wording.count(failed)} of {wording.plural(checks, 'consistency check')} failed."
    return f"All {wording.plural(checks, 'consistency check')} passed." if checks > 1 else "The consistency check passed."


def location(file: str, offset: int | None) -> str:
    return file if offset is None else f"{file} at offset {offset}"


def verdict(report: Report) -> str:
    """Sum up the report in one sentence, or in a few for several incidents."""
    if len(report.incidents) == 1:
        return report.incidents[0].verdict
    if not report.incidents:
        return _calm(report)
    worst = max(report.incidents, key=lambda incident: incident.downtime_s)
    down = wording.duration(worst.downtime_s)
    restarts, longest = wording.plural(report.restarts.in_incidents, "restart"), one_line(worst.unit, 120)
    ongoing = sum(incident.ongoing for incident in report.incidents)
    unalerted = sum(incident.detection.alert is None for incident in report.incidents)
    of_them = "any" if unalerted == len(report.incidents) else wording.count(unalerted)
    sentences = [
        f"{wording.count(len(report.incidents))} incidents with {restarts}; the longest, {longest}, was down for {down}.",
        f"No alert is on record for {of_them} of them." if unalerted else "",
        f"{wording.count(ongoing)} {'is' if ongoing == 1 else 'are'} still ongoing." if ongoing else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _calm(report: Report) -> str:
    if report.restarts.total:
        restarts = wording.plural(report.restarts.total, "restart")
        return f"No incident: {restarts} in the window, none of them part of a restart loop or an outage."
    return "Nothing failed: the service manager restarted no service in this window."


def headline(report: Report, incident: Incident) -> list[Figure]:
    """Six figures, each with the section of its incident that has the evidence."""
    bound = "" if incident.exact else "≥ "
    of_all = (
        f"{wording.share(incident.restarts / report.restarts.total)} of all {wording.count(report.restarts.total)}"
        if report.restarts.total
        else ""
    )
    held = sum(fix.outcome == "held" for fix in incident.fix_attempts)
    tried = len(incident.fix_attempts)
    return [
        Figure(bound + wording.count(incident.restarts), f"restarts, {of_all}", "breakdown"),
        Figure(bound + wording.duration(incident.downtime_s), f"downtime ({wording.method(incident.downtime_method)})", "phases"),
        Figure(_detected(incident), f"until noticed; alert: {_alerted(incident)}", "detection"),
        _recovered(incident),
        Figure(wording.share(incident.availability), "availability over the window", "method"),
        Figure(f"{len(incident.classes)} / {tried}", f"failure classes / fix attempts, {held} of them held", "timeline"),
    ]


def _recovered(incident: Incident) -> Figure:
    seconds = incident.time_to_recover_s
    if seconds is None and not incident.ongoing:
        return Figure("stopped", "before it recovered", "timeline")
    return Figure(
        "not yet" if seconds is None else wording.duration(seconds), "to recover: first failure to first stable start", "timeline"
    )


def over_the_window(report: Report, incident: Incident) -> dict[str, int]:
    """Restarts by class in the whole window; empty if the incident has all of them."""
    whole = {row.signature: row.restarts for row in report.classes}
    return whole if any(whole.get(row.signature, row.restarts) != row.restarts for row in incident.classes) else {}


def trigger(incident: Incident) -> str:
    """Name the change shortly before the first failure, worded as a correlation."""
    name = "Likely trigger (correlation in time only)" if incident.trigger else "Before the first failure"
    return f"{name}: {incident.trigger_text}"


def co_occurring(incident: Incident) -> list[str]:
    """List the known problems that were logged but caused no exit."""
    return [f"{row.title} ({row.signature}), in {wording.plural(row.secondary, 'failed start')}" for row in incident.beside]


def _alerted(incident: Incident) -> str:
    alert = incident.detection.alert
    return "never" if alert is None else wording.since_start(alert, incident.start)


def _detected(incident: Incident) -> str:
    """Time until somebody noticed; a range from the first evidence to the declared time, unless an alert settles it."""
    first = noticed_s(incident)
    if first is None:
        return "never"
    declared = incident.detection.declared
    latest = first if declared is None else (declared - incident.start).total_seconds()
    if incident.detection.alert is not None or latest <= first:
        return wording.duration(first)
    return f"{wording.about(first)} … {wording.about(latest)}"


def phase_matrix(incident: Incident) -> tuple[list[str], list[list[int]]]:
    """Return the signatures of the classes, largest first, and for each its restarts per phase."""
    named = [row.signature for row in incident.classes]
    named += sorted({name for phase in incident.phases for name in phase.classes} - set(named))
    return named, [[phase.classes.get(name, 0) for phase in incident.phases] for name in named]
