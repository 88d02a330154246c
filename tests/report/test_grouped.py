"""The index of several incidents: what is ongoing first, units that one cause hit together, one timeline."""

from dataclasses import replace
from datetime import timedelta

from forensics.report import grouped, incident_lanes
from forensics.report.blocks import Section, Table
from forensics.report.document import compose
from forensics.report.room import MARKDOWN, PAGES, TERMINAL
from tests.report import many, sample


def headings(report):
    return [(group.heading, [k + 1 for k in group.members]) for group in grouped.groups(report)]


def test_ongoing_comes_first_then_the_groups_then_the_rest():
    assert headings(many.report()) == [
        ("Ongoing", [11, 12]),
        ("4 units after one change: NixOS switched to configuration 25.11.20251206 (system-412)", [1, 2, 3, 4]),
        ("3 units within a minute of each other: GPU memory exhausted", [8, 9, 10]),
        ("Other incidents", [5, 6, 7]),
    ]


def test_without_a_group_there_is_no_heading():
    report = many.report()
    some = tuple(report.incidents[k] for k in (4, 5, 10))
    assert headings(replace(report, incidents=some)) == [("", [3, 1, 2])]


def test_one_unit_twice_and_units_that_start_later_are_no_group():
    report = many.report()
    same = replace(report.incidents[7], unit=report.incidents[8].unit)
    late = replace(report.incidents[9], start=report.incidents[8].start + timedelta(seconds=61))
    assert [heading for heading, _ in headings(replace(report, incidents=(same, report.incidents[8], late)))] == [""]


def test_the_change_of_another_host_is_another_change():
    report = many.report()
    there = replace(report.incidents[1], host="elsewhere", machine="other")
    assert headings(replace(report, incidents=(report.incidents[0], there))) == [("", [1, 2])]


def section(report, room, anchor):
    found = next(block for block in compose(report, room, redacted=True).blocks if isinstance(block, Section) and block.anchor == anchor)
    return found, next((block for block in found.blocks if isinstance(block, Table)), None)


def test_the_index_has_the_cause_and_the_trigger_once_for_a_group():
    _, table = section(many.report(), PAGES[0], "incidents")
    rows = {row[0].text: row for row in table.rows}
    assert [row[0].text for row in table.rows[:3]] == ["11", "12", "1"]
    assert rows["2"][2].text == "Shared library missing"
    assert rows["2"][2].below == ("40 s before the first failure",)
    assert rows["11"][2].below == ()


def test_a_trigger_of_one_incident_is_written_out():
    _, table = section(sample.several(2), MARKDOWN, "incidents")
    assert any("NixOS switched" in line for row in table.rows for line in row[2].below)


def test_an_incident_of_one_phase_has_no_table_of_phases():
    report = many.report()
    for room in (PAGES[0], MARKDOWN):
        incident, _ = section(report, room, "i2")
        phases = next(block for block in incident.blocks if isinstance(block, Section) and block.anchor == "i2-phases")
        assert phases.title == "Downtime"
        assert not [block for block in phases.blocks if isinstance(block, Table)]
        _, table = section(replace(report, incidents=report.incidents[:1]), room, "i1-phases")
        assert table is not None


def test_the_timeline_has_a_lane_for_each_unit_or_group():
    report = many.report()
    lanes = incident_lanes.lanes(report, grouped.groups(report), 500)
    assert [(lane.label.split(":")[0], len(lane.stretches), lane.text) for lane in lanes.lanes] == [
        ("11. postgres-exporter.service", 1, "ongoing"),
        ("12. grafana-agent.service", 1, "ongoing"),
        ("4 units", 4, "4 incidents"),
        ("3 units", 3, "3 incidents"),
        ("5, 6, 7. backup.service", 3, "3 incidents"),
    ]
    assert (lanes.start, lanes.end) == (report.window.since, report.window.until)


def test_a_terminal_lists_the_cause_below_the_unit():
    _, table = section(many.report(), TERMINAL, "incidents")
    assert table.columns[2].beneath
