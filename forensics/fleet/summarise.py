"""Parsed reports → Summary: the same function for report.json files and for reports that were just computed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from sys import intern
from typing import Any

from forensics.compare.fields import (
    MistakeError,
    count_in,
    list_in,
    number_in,
    object_in,
    objects_in,
    report_keys,
    text,
    time_in,
    window_of,
)
from forensics.fleet.facts import ChangeFacts, ClassFacts, Copy, HostFacts, IncidentFacts, Summary, Unread
from forensics.fleet.keys import change_key
from forensics.fleet.merge import summary_of
from forensics.wording import plural

PROGRAM = "tabby-forensics"
MOST = 10_000  # incidents, classes or changes of a host


def summarise(reports: Iterable[tuple[str, Any]]) -> Summary:
    """Summarise a batch of (file, parsed report); one that is no report is named and the rest goes on."""
    return summary_of_found(found_in(file, report) for file, report in reports)


def summary_of_found(found: Iterable[HostFacts | Unread]) -> Summary:
    """Put together what was found in each file."""
    hosts: list[HostFacts] = []
    unread: list[Unread] = []
    for each in found:
        if isinstance(each, HostFacts):
            hosts.append(each)
        else:
            unread.append(each)
    copies = (Copy(host.key, host.generated, host.host, host.file) for host in hosts)
    return summary_of(hosts, copies, unread)


def found_in(file: str, report: Any) -> HostFacts | Unread:
    """Take the facts out of a parsed report."""
    try:
        return _facts(file, report_keys(report))
    except MistakeError as error:
        return Unread(file, str(error))


def _facts(file: str, report: dict[str, Any]) -> HostFacts:
    since, until = window_of(report)
    host, machine = _whose(report)
    program, completeness = object_in(report, "program"), object_in(report, "completeness")
    if program.get("name") != PROGRAM:
        raise MistakeError("is not a report of this program; write one with `report --format json`")
    rows = _bounded(report, "incidents")
    isolated = _bounded(report, "isolated")
    incidents = tuple(sorted((_incident(row, host) for row in rows), key=lambda each: (each.start, each.unit, each.id)))
    return HostFacts(
        machine=machine,
        host=host,
        file=file,
        generated=time_in(report, "generated"),
        since=since,
        until=until,
        entries=count_in(completeness, "entries"),
        complete=completeness.get("complete") is True,
        version=_words(program.get("version"), "version"),
        schema_version=report["schema_version"],
        failures=count_in(object_in(report, "failures"), "total"),
        restarts=count_in(object_in(report, "restarts"), "total"),
        downtime_s=sum(number_in(row, "downtime_s") for row in rows if row.get("caused_by") is None),
        incidents=incidents,
        classes=_classes(report, incidents, isolated),
        changes=_changes(report, rows, host),
        problems=_problems(completeness),
    )


def _whose(report: dict[str, Any]) -> tuple[str, str]:
    """Return the host's name and its machine id, "" where none is named. Raises MistakeError for a report of several or of none."""
    names = {_words(name, "hosts") for name in list_in(report, "hosts")}
    rows = [*_bounded(report, "incidents"), *_bounded(report, "isolated")]
    machines = {_words(row.get("machine"), "machine") for row in rows}
    if "machines" in report:  # the reports of earlier versions name none where nothing failed
        machines |= {_words(machine, "machines") for machine in list_in(report, "machines")}
    machines -= {*names, ""}
    if (several := max(len(names), len(machines))) > 1:
        raise MistakeError(f"is a report of {plural(several, 'host')}; write one for each host")
    host, machine = next(iter(names), ""), next(iter(machines), "")
    if not host and not machine:
        raise MistakeError("names no host")
    return host, machine


def _bounded(of: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = objects_in(of, name)
    if len(rows) > MOST:
        raise MistakeError(f"has more than {MOST:,} {name}")
    return rows


def _words(value: Any, name: str) -> str:
    """Return a text without halves of surrogate pairs, which no output could hold; the same text of many hosts is kept once."""
    return intern(text(value, name).encode(errors="replace").decode())


def _incident(row: dict[str, Any], host: str) -> IncidentFacts:
    unit = _words(row.get("unit"), "unit")
    trigger = row.get("trigger")
    classes = [_class(each, (unit,)) for each in _bounded(row, "classes")]
    return IncidentFacts(
        id=_words(row.get("id"), "id"),
        unit=unit,
        manager=_words(row.get("manager"), "manager"),
        kind=_words(row.get("kind"), "kind"),
        ongoing=row.get("ongoing") is True,
        start=time_in(row, "start"),
        end=None if row.get("end") is None else time_in(row, "end"),
        failures=count_in(row, "failures"),
        restarts=count_in(row, "restarts"),
        downtime_s=number_in(row, "downtime_s"),
        verdict=_words(row.get("verdict"), "verdict"),
        trigger=None if trigger is None else _change(object_in(row, "trigger"), host),
        classes=tuple(sorted(classes, key=_most_failures_first)),
    )


def _most_failures_first(row: ClassFacts) -> tuple[int, int, str]:
    return -row.failures, -row.restarts, row.signature


def _class(row: dict[str, Any], units: tuple[str, ...]) -> ClassFacts:
    return ClassFacts(
        signature=_words(row.get("signature"), "signature"),
        title=_words(row.get("title"), "title"),
        severity=_words(row.get("severity", ""), "severity"),
        units=units,
        failures=count_in(row, "failures"),
        restarts=count_in(row, "restarts"),
        first=time_in(row, "first"),
        last=time_in(row, "last"),
    )


def _classes(report: dict[str, Any], incidents: tuple[IncidentFacts, ...], isolated: list[dict[str, Any]]) -> tuple[ClassFacts, ...]:
    units: dict[str, set[str]] = {}
    for incident in incidents:
        for each in incident.classes:
            units.setdefault(each.signature, set()).add(incident.unit)
    for row in isolated:
        units.setdefault(_words(row.get("signature"), "signature"), set()).add(_words(row.get("unit"), "unit"))
    rows = (_class(row, ()) for row in _bounded(report, "classes"))
    named = [replace(row, units=tuple(sorted(units.get(row.signature, ())))) for row in rows]
    return tuple(sorted(named, key=_most_failures_first))


def _change(row: dict[str, Any], host: str) -> ChangeFacts:
    kind, summary = _words(row.get("kind"), "kind"), _words(row.get("summary"), "summary")
    return ChangeFacts(intern(change_key(kind, summary, host)), kind, summary, time_in(row, "time"))


def _changes(report: dict[str, Any], incidents: list[dict[str, Any]], host: str) -> tuple[ChangeFacts, ...]:
    """Gather the changes to the host: those that the report lists, and those of its incidents, each once."""
    lists = [report, *incidents] if "changes" in report else incidents
    found = {_change(row, host) for each in lists for row in _bounded(each, "changes")}
    found |= {_change(object_in(row, "trigger"), host) for row in incidents if row.get("trigger") is not None}
    return tuple(sorted(found, key=lambda change: (change.time, change.key, change.summary)))[-MOST:]


def _problems(completeness: dict[str, Any]) -> tuple[str, ...]:
    gaps = sum(gap.get("kind") == "missing" for gap in objects_in(completeness, "gaps"))
    damage = len(objects_in(completeness, "damage"))
    dropped = count_in(completeness, "dropped")
    said = (
        (gaps, f"{plural(gaps, 'gap')} in the journal"),
        (damage, f"{plural(damage, 'damaged place')} in the journal"),
        (dropped, f"{plural(dropped, 'entry', 'entries')} dropped"),
    )
    return tuple(words for count, words in said if count)
