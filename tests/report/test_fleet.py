"""The page over many hosts: its words, its size, its links, and that hostile names stay text."""

import re
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from forensics.fleet import view
from forensics.fleet.facts import Unread
from forensics.report import RenderOptions
from forensics.report.figures import heat
from forensics.report.figures.description import LAYOUTS
from forensics.report.fleet import LARGEST, RENDERERS
from forensics.report.sections.fleet_hosts import beside_the_page
from forensics.report.sections.fleet_words import hours
from tests.fleet import fleets
from tests.fleet.fleets import NOW
from tests.report.figures.geometry import faults
from tests.report.page import Page

FORMATS = ["term", "md", "html"]
FLEETS = {
    "switched": fleets.switched(1000),
    "various": fleets.various(1000),
    "hostile": fleets.hostile(),
    "none": fleets.summary([], [Unread("a.json", "is not JSON")]),
}


def shown(made, format_="term", **options):
    return RENDERERS[format_](view.of(made, NOW), RenderOptions(width=80, **options))


def joined(text):
    return " ".join(text.split())


@pytest.mark.parametrize("format_", FORMATS)
def test_the_headline_is_what_cost_most(format_):
    text = joined(shown(fleets.switched(200), format_))
    assert "torch.abi-mismatch on 150 of 200 hosts after the same NixOS switch; 375 host-hours; 150 still down" in text


@pytest.mark.parametrize("format_", FORMATS)
def test_a_class_is_described_with_its_spread_and_the_hosts_that_are_well(format_):
    text = joined(shown(fleets.switched(200), format_))
    assert "150 of 200 hosts; first gpu0000 at 2026-03-01 20:30; half within 4 h 55 min, all within 9 h 54 min; 375 host-hours" in text
    assert "50 hosts have this change without this failure: gpu0150, gpu0151" in text


@pytest.mark.parametrize("name", FLEETS)
def test_a_terminal_has_room_for_a_thousand_hosts(name):
    lines = shown(FLEETS[name]).splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", FLEETS)
def test_a_page_is_small_well_formed_and_its_links_are_harmless(name):
    text = shown(FLEETS[name], "html")
    page = Page(text)
    assert len(text.encode()) <= LARGEST
    assert page.faults == []
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    links = [attrs["href"] for _, attrs in page.elements if "href" in attrs]
    assert len(ids) == len(set(ids))
    assert all(link[1:] in ids if link.startswith("#") else beside_the_page(link) for link in links)
    assert not {key for _, attrs in page.elements for key in attrs} & {"style", "onload", "src"}
    assert {tag for tag, _ in page.elements if tag == "script"} == {"script"}
    assert sum(tag == "script" for tag, _ in page.elements) == 1


def test_every_host_of_a_thousand_is_found_by_its_name():
    text = shown(FLEETS["switched"], "html")
    assert [name for name in (f"gpu{k:04}" for k in range(1000)) if name not in text] == []
    assert 'href="gpu0000.json"' in text


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("reports/gpu1.json", True),
        ("gpu1.html", True),
        ("/etc/passwd.json", False),
        ("../up.json", False),
        ("a/../b.json", False),
        ("javascript:alert(1).json", False),
        ("//example.org/a.json", False),
        ("http://example.org/a.json", False),
        ("a b.json", False),
        ("a.json\n", False),
        (".hidden/a.json", False),
        ("a.exe", False),
    ],
)
def test_only_a_plain_path_below_the_page_is_a_link(path, link):
    assert bool(beside_the_page(path)) == link


def test_missing_reports_make_a_warning_that_says_how_many():
    hosts = [fleets.host(1, after_s=60, generated=NOW - timedelta(hours=49)), fleets.host(2, complete=False)]
    made = view.of(fleets.summary(hosts, [Unread("x.json", "is cut off")]), NOW, expected=["gpu0009"])
    text = joined(RENDERERS["md"](made, RenderOptions()))
    warning = "1 host sent no report (gpu0009), 1 report could not be read (x.json), 1 report is older than 48 h (gpu0001)"
    assert warning in text.replace("\\", "")
    assert re.search(r"x\.json.* is cut off", text)


def test_nothing_failed_is_calm():
    text = shown(fleets.summary([fleets.host(1)]), "html")
    assert "Nothing failed on 1 host." in text
    assert 'class="verdict calm"' in text


def test_a_name_without_redaction_is_marked_as_such():
    assert "NOT hidden" in shown(FLEETS["switched"], redact=False)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("name", ["switched", "various", "hostile"])
def test_the_heat_map_has_room_for_its_texts(name, layout):
    drawn = heat.draw(view.of(FLEETS[name], NOW).heat, UTC, layout)
    assert faults(drawn) == []
    assert drawn.strokes


@pytest.mark.parametrize(
    ("seconds", "text"), [(3600, "1 host-hour"), (0, "0 host-hours"), (90 * 60, "1.5 host-hours"), (375 * 3600, "375 host-hours")]
)
def test_host_hours_are_written_in_words(seconds, text):
    assert hours(seconds) == text


def test_a_restless_fleet_is_drawn_with_few_lines():
    made = view.of(FLEETS["switched"], NOW).heat
    restless = replace(made, rows=tuple(replace(row, counts=tuple(k % 2 for k in range(96))) for row in made.rows))
    assert len(heat.draw(restless, UTC, LAYOUTS[0]).strokes) <= 700
