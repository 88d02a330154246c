"""Write the parts that all readable formats share: scope, verdict, headline figures, limits."""

from __future__ import annotations

from forensics import wording
from forensics.model.values import Cost, FailureTotals, GateStop, Incident, Report, RestartTotals
from forensics.report.headline import has_downtime
from forensics.sanitize import one_line

_ASLEEP_S = 60.0  # less is not worth a sentence
CO_OCCURRING = "Also seen (did not cause the exit):"


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
        _names(report.units, "unit") or ("no unit failed" if nothing_failed(report) else "unit unknown"),
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
    if data.complete:
        return f"{entries}, complete"
    missing = []
    if data.dropped:
        missing.append(wording.plural(data.dropped, "dropped message"))
    if gaps := [gap for gap in data.gaps if gap.kind == "missing"]:
        missing.append(wording.plural(len(gaps), "gap"))
    if data.damage:
        missing.append(wording.plural(len(data.damage), "damaged location"))
    return f"{entries}, incomplete" + (f" ({', '.join(missing)})" if missing else "")


def limits(report: Report, most: int) -> list[str]:
    """List what the numbers rest on and what is missing, one fact per line; at most `most` gaps, damages and failed checks."""
    data = report.completeness
    failed = [check for check in report.ledger if not check.holds]
    lines = [*totals(report), f"Data: {data_quality(report)}.", _checks(len(report.ledger), len(failed))]
    lines += [f"{check.name}: {wording.count(check.expected)} expected, {wording.count(check.got)} found." for check in failed[:most]]
    lines += [
        f"{'Gap' if gap.kind == 'missing' else 'Clock'} {wording.instant(gap.start)} → {wording.instant(gap.end)} UTC: {gap.reason}"
        for gap in data.gaps[:most]
    ]
    lines += [f"Damage in {location(damage.file, damage.offset)}: {damage.reason}" for damage in data.damage[:most]]
    return lines + list(report.notes)


def totals(report: Report) -> list[str]:
    """Write the sums of failures and restarts, in incidents and outside."""
    return [*_failure_totals(report.failures), *_restart_totals(report.restarts)]


def _failure_totals(failures: FailureTotals) -> list[str]:
    isolated = wording.plural(failures.isolated, "isolated failure")
    sum_ = f"{wording.plural(failures.total, 'failure')} = {wording.count(failures.in_incidents)} in incidents + {isolated}."
    return [sum_] if failures.total else []


def _restart_totals(restarts: RestartTotals) -> list[str]:
    if not restarts.total:
        return ["No restarts."]
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


def nothing_failed(report: Report) -> bool:
    return not (report.failures.total or report.restarts.total or report.incidents)


def title(report: Report) -> str:
    if len(report.incidents) == 1:
        return incident_title(report.incidents[0])
    return f"{wording.count(len(report.incidents))} incidents" if report.incidents else "No incident"


def incident_title(incident: Incident) -> str:
    link = ": " if incident.kind == "failing-job" else " of "
    return one_line(f"{wording.kind(incident.kind)}{link}{unit_name(incident.unit, incident.manager)}", 200)


def unit_name(unit: str, manager: str) -> str:
    """Add the user to the name of a unit of a user's manager."""
    return unit if manager in {"system", ""} else f"{unit} ({manager.replace(':', ' ')})"


def verdict(report: Report) -> str:
    """Sum up the report in one sentence, or in a few for several incidents."""
    if len(report.incidents) == 1:
        return report.incidents[0].verdict
    if not report.incidents:
        return _no_incident(report)
    ongoing = sum(incident.ongoing for incident in report.incidents)
    unalerted = sum(incident.detection.alert is None for incident in report.incidents)
    of_them = "any" if unalerted == len(report.incidents) else wording.count(unalerted)
    besides = f"Besides, {_isolated_failures(report)[0]}." if report.failures.isolated else ""
    sentences = [
        f"{wording.count(len(report.incidents))} incidents with {_in_incidents(report)}{_longest(report)}.",
        f"No alert is on record for {of_them} of them." if unalerted else "",
        _still_ongoing(ongoing, len(report.incidents)),
        besides,
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _still_ongoing(ongoing: int, incidents: int) -> str:
    if not ongoing:
        return ""
    of_them = "All" if ongoing == incidents else wording.count(ongoing)
    return f"{of_them} {'is' if ongoing == 1 else 'are'} still ongoing."


def _in_incidents(report: Report) -> str:
    """Count what the incidents consist of; failures only where restarts do not say it all."""
    restarts, failures = report.restarts.in_incidents, report.failures.in_incidents
    parts = [wording.plural(failures, "failure")] if failures not in {0, restarts} else []
    return " and ".join([*parts, *([wording.plural(restarts, "restart")] if restarts or not parts else [])])


def _longest(report: Report) -> str:
    worst = max((incident for incident in report.incidents if has_downtime(incident)), key=lambda i: i.downtime_s, default=None)
    return f"; the longest, {one_line(worst.unit, 120)}, was down for {wording.duration(worst.downtime_s)}" if worst else ""


def _no_incident(report: Report) -> str:
    if report.failures.isolated:
        return f"No incident: {', '.join(part for part in _isolated_failures(report) if part)}."
    if report.restarts.total:
        restarts = wording.plural(report.restarts.total, "restart")
        return f"No incident: {restarts} in the window, none of them part of an incident."
    return "Nothing failed: no unit failed or was restarted in this window."


def _isolated_failures(report: Report) -> tuple[str, str]:
    """Count the failures outside of incidents and the units that had them; then describe the last."""
    count = wording.plural(report.failures.isolated, "isolated failure")
    units = {(row.machine, row.host, row.manager, row.unit) for row in report.isolated}
    if not units:
        return count, ""
    last = max(report.isolated, key=lambda row: (row.last, row.unit))
    of_units = one_line(last.unit, 120) if len(units) == 1 else wording.plural(len(units), "unit")
    at = wording.minute(last.last, wording.zone(report.timezone))
    return f"{count} of {of_units}", f"the last at {at}: {one_line(last.title, 200)}"


def isolated(report: Report) -> str:
    """Introduce the table of isolated failures; "" if there are none."""
    if not report.isolated:
        return ""
    return f"{wording.plural(report.failures.isolated, 'failure is', 'failures are')} not part of an incident."


def caused_by(report: Report, incident: Incident) -> str:
    """Write what an incident was a consequence of; "" if of nothing known."""
    if not incident.caused_by:
        return ""
    where = " (see the isolated failures)" if caused_by_isolated(report, incident) else ""
    return f"{one_line(incident.unit, 120)} was down because {one_line(incident.caused_by, 120)} failed{where}."


def gate(incident: Incident) -> str:
    """Write what a gate did in an incident; "" without one."""
    stop = incident.gate
    if stop is None:
        return ""
    parts = []
    if stop.restarts_avoided is not None:
        every = f", at one every {wording.duration(stop.cadence_s)} as before"
        parts.append(f"about {wording.plural(stop.restarts_avoided, 'restart')} avoided{every}")
    if stop.probes:
        parts.append(f"{wording.plural(stop.probes, 'start was', 'starts were')} tried since")
    if stop.closed is not None:
        parts.append(f"it let go at {wording.since_start(stop.closed, incident.start)}")
    elif incident.ongoing:
        parts.append("the data ends before it let go")
    return ": ".join(filter(None, [gate_opened(stop, incident), "; ".join(parts)])) + "."


def gate_opened(stop: GateStop, incident: Incident) -> str:
    """Write when a gate stopped the restarts, after how many failures."""
    failures = wording.plural(stop.failures, "failure")
    return f"Restarts were stopped by the gate at {wording.since_start(stop.opened, incident.start)}, after {failures}"


def caused_by_isolated(report: Report, incident: Incident) -> bool:
    """Check whether the failure that caused an incident is listed as isolated."""
    cause = incident.machine, incident.host, incident.caused_by
    return any((row.machine, row.host, row.unit) == cause for row in report.isolated)


def downtime(incident: Incident) -> str:
    """Write the downtime and how it was measured; "" for an incident without one."""
    method = wording.method(incident.downtime_method, ongoing=incident.ongoing)
    return f"Downtime: {wording.duration(incident.downtime_s)} ({method})." if has_downtime(incident) else ""


def caveats(incident: Incident) -> str:
    """Write what makes the numbers lower bounds, and what no length includes."""
    sentences = []
    if not incident.exact:
        sentences.append("Log entries are missing, so counts and times are lower bounds.")
    if incident.slept_s >= _ASLEEP_S:
        slept = wording.duration(incident.slept_s)
        sentences.append(f"The host slept for {slept} of this time: durations leave that out, times since the first failure do not.")
    return " ".join(sentences)


def trigger(incident: Incident) -> str:
    """Name the change shortly before the first failure, worded as a correlation."""
    name = "Likely trigger (correlation in time only)" if incident.trigger else "Before the first failure"
    return f"{name}: {incident.trigger_text}"


def cost(incident: Incident) -> str:
    """Write what the incident cost: CPU time, journal, and how much older history that displaced."""
    spent = incident.cost
    cpu = f"{wording.duration(spent.cpu_s)} of CPU time, " if spent.cpu_s is not None else ""
    journal = f"{wording.size(spent.journal_bytes)} of journal in {wording.plural(spent.entries, 'entry', 'entries')}"
    return f"{cpu}{journal}{_displaced(spent)}"


def _displaced(spent: Cost) -> str:
    """Write the share of the journal that the incident filled, and the ordinary time that would have fitted there."""
    if spent.journal_share is None:
        return ""
    room = f": room for {_roughly(spent.displaced_s)} of ordinary history" if spent.displaced_s is not None else ""
    return f"; {wording.share(spent.journal_share)} of what this host logged in the window{room}"


def _roughly(seconds: float) -> str:
    return f"{round(seconds / 86400)} d" if seconds >= 10 * 86400 else wording.about(seconds)


def co_occurring(incident: Incident) -> list[str]:
    """List the known problems that were logged but caused no exit."""
    return [f"{row.title} ({row.signature}), in {wording.plural(row.secondary, 'failed start')}" for row in incident.beside]


def has_phases(incident: Incident) -> bool:
    """Phases divide restarts; without any there is nothing to show."""
    return any(phase.restarts for phase in incident.phases)


def phase_matrix(incident: Incident) -> tuple[list[str], list[list[int]]]:
    """Return the signatures of the classes, largest first, and for each its restarts per phase."""
    named = [row.signature for row in incident.classes]
    named += sorted({name for phase in incident.phases for name in phase.classes} - set(named))
    return named, [[phase.classes.get(name, 0) for phase in incident.phases] for name in named]
