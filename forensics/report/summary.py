"""Report → the rows every readable format shows: scope, verdict, headline figures, limits, the evidence that is quoted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from forensics import wording
from forensics.model.values import Evidence, Incident, Report
from forensics.report.timeline import noticed_s
from forensics.sanitize.text import one_line


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the first screen and the section that proves it."""

    value: str
    label: str
    section: str


@dataclass(slots=True)
class Quotes:
    """Evidence in the order it is referred to; the same entry has one number."""

    prefix: str
    kept: dict[Evidence, int] = field(default_factory=dict)

    def ref(self, evidence: Evidence | None) -> str:
        """E1, E2, …; "" when there is nothing to quote."""
        if evidence is None:
            return ""
        return f"{self.prefix}{self.kept.setdefault(evidence, len(self.kept) + 1)}"

    def items(self) -> Iterator[tuple[str, Evidence]]:
        return ((f"{self.prefix}{number}", evidence) for evidence, number in self.kept.items())


def scope(report: Report) -> list[str]:
    """What the report is about: units, hosts, window, time zone, completeness."""
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
    known = report.completeness
    entries = wording.plural(known.entries, "entry", "entries")
    if known.complete and not known.damage and not known.gaps:
        return f"{entries}, complete"
    missing = []
    if known.dropped:
        missing.append(f"{wording.count(known.dropped)} lines dropped")
    if known.gaps:
        missing.append(wording.plural(len(known.gaps), "gap"))
    if known.damage:
        missing.append(f"{wording.plural(len(known.damage), 'place')} damaged")
    return f"{entries}, not complete" + (f" ({', '.join(missing)})" if missing else "")


def limits(report: Report, most: int) -> list[str]:
    """What the numbers rest on and what is missing, one fact a line; at most `most` gaps, damages and sums each."""
    restarts, known = report.restarts, report.completeness
    single = f"{wording.count(restarts.in_incidents)} in incidents + {wording.count(restarts.background)} single ones"
    lines = [f"{wording.count(restarts.total)} restarts = {single}."]
    if restarts.lost:
        lines.append(f"{wording.count(restarts.lost)} of them are known only from the restart counter: their lines are lost.")
    if restarts.refused:
        lines.append(f"{wording.count(restarts.refused)} of them were refused by the start limit.")
    lines.append(f"Data: {data_quality(report)}.")
    wrong = [check for check in report.ledger if not check.holds]
    lines.append(f"{wording.count(len(report.ledger) - len(wrong))} of {wording.count(len(report.ledger))} sums come out.")
    lines += [f"{check.name}: {wording.count(check.expected)} expected, {wording.count(check.got)} found." for check in wrong[:most]]
    lines += [f"Gap {wording.instant(gap.start)} → {wording.instant(gap.end)} UTC: {gap.reason}" for gap in known.gaps[:most]]
    lines += [f"Damage in {place(each.file, each.offset)}: {each.reason}" for each in known.damage[:most]]
    return lines + list(report.notes)


def place(file: str, offset: int | None) -> str:
    return file if offset is None else f"{file} at offset {offset}"


def verdict(report: Report) -> str:
    """What the first screen says in words: one sentence, or one a fact where there are several incidents."""
    if len(report.incidents) == 1:
        return report.incidents[0].verdict
    if not report.incidents:
        return _calm(report)
    worst = max(report.incidents, key=lambda incident: incident.downtime_s)
    down = wording.duration(worst.downtime_s)
    restarts, longest = wording.plural(report.restarts.in_incidents, "restart"), one_line(worst.unit, 120)
    ongoing = sum(incident.ongoing for incident in report.incidents)
    unseen = sum(incident.detection.alert is None for incident in report.incidents)
    sentences = [
        f"{wording.count(len(report.incidents))} incidents with {restarts}; the longest, {longest}, was down for {down}.",
        f"No alert is on record for {'any' if unseen == len(report.incidents) else wording.count(unseen)} of them." if unseen else "",
        f"{wording.count(ongoing)} still {'goes' if ongoing == 1 else 'go'} on." if ongoing else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _calm(report: Report) -> str:
    if report.restarts.total:
        return f"No incident: {wording.plural(report.restarts.total, 'restart')} in the window, none of them part of a loop or an outage."
    return "Nothing failed: no service was restarted by the service manager in this window."


def headline(report: Report, incident: Incident) -> list[Figure]:
    """Six figures; each names the section of its incident that proves it."""
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
        "not yet" if seconds is None else wording.duration(seconds), "to recover: first failure to first held success", "timeline"
    )


def over_the_window(report: Report, incident: Incident) -> dict[str, int]:
    """Restarts by class in the whole window, for a table of one incident; empty when the incident has them all."""
    whole = {row.signature: row.restarts for row in report.classes}
    return whole if any(whole.get(row.signature, row.restarts) != row.restarts for row in incident.classes) else {}


def beside(incident: Incident) -> list[str]:
    """The known problems that were only seen beside the causes, in words."""
    return [f"{row.title} ({row.signature}), seen in {wording.plural(row.secondary, 'failed start')}" for row in incident.beside]


def _alerted(incident: Incident) -> str:
    alert = incident.detection.alert
    return "never" if alert is None else wording.since_start(alert, incident.start)


def _detected(incident: Incident) -> str:
    """When somebody knew: an alert's time, else a bracket from the first to the last mark that shows it, "never" without any."""
    first = noticed_s(incident)
    if first is None:
        return "never"
    later = incident.detection.declared
    latest = first if later is None else (later - incident.start).total_seconds()
    if incident.detection.alert is not None or latest <= first:
        return wording.duration(first)
    return f"{wording.about(first)} … {wording.about(latest)}"


def phase_matrix(incident: Incident) -> tuple[list[str], list[list[int]]]:
    """Class × phase: the classes' signatures, largest first, and a row of counts for each."""
    named = [row.signature for row in incident.classes]
    named += sorted({name for phase in incident.phases for name in phase.classes} - set(named))
    return named, [[phase.classes.get(name, 0) for phase in incident.phases] for name in named]
