"""The page as text: what it allows itself, what it escapes, how large it gets, what it says without scripts."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest

from forensics.report import REPORTERS, RenderOptions, csp
from forensics.report.html import code_spans
from forensics.resources import folder
from tests.report import controls, kinds, many, sample
from tests.report.page import Page

FULL = RenderOptions()
STILL = RenderOptions(figures=False)


@pytest.fixture(scope="module")
def pages():
    made = {
        "seed": sample.seed(),
        "quiet": sample.quiet(),
        "empty": sample.empty(),
        "several": sample.several(),
        "hostile": sample.hostile(),
        "hostile-kinds": kinds.hostile(),
        "controls": controls.audited(),
        "several-controls": controls.with_replay(sample.several()),
        "hostile-controls": sample.poisoned(controls.audited()),
        **{name: make() for name, make in kinds.KINDS.items()},
    }
    return {name: REPORTERS["html"](report, FULL) for name, report in made.items()}


CONTROLS = ["controls", "several-controls", "hostile-controls"]
NAMES = ["seed", "quiet", "empty", "several", "hostile", "hostile-kinds", *CONTROLS, *kinds.KINDS]


@pytest.mark.parametrize("name", NAMES)
def test_elements_are_nested_well(pages, name):
    assert Page(pages[name]).faults == []


@pytest.mark.parametrize("name", NAMES)
def test_no_attribute_runs_or_styles(pages, name):
    attributes = {key for _, attrs in Page(pages[name]).elements for key in attrs}
    assert not [key for key in attributes if key.startswith("on") or key in {"style", "srcdoc", "formaction", "action"}]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded_and_links_stay_on_the_page(pages, name):
    page = Page(pages[name])
    assert not {tag for tag, _ in page.elements} & {
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "audio",
        "video",
        "image",
        "use",
        "foreignobject",
    }
    assert all(attrs["href"].startswith("#") for _, attrs in page.elements if "href" in attrs)
    assert not [attrs for _, attrs in page.elements if "src" in attrs]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere_and_ids_are_unique(pages, name):
    elements = Page(pages[name]).elements
    ids = [attrs["id"] for _, attrs in elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for _, attrs in elements if "href" in attrs} <= set(ids)


@pytest.mark.parametrize("name", NAMES)
def test_the_policy_allows_exactly_the_scripts_and_styles_of_the_program(pages, name):
    page = Page(pages[name])
    policy = next(
        attrs["content"] for tag, attrs in page.elements if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    styles = [text for tag, _, text in page.inline if tag == "style"]
    programs = [text for tag, attrs, text in page.inline if tag == "script" and attrs.get("type") != "application/json"]
    assert rules["style-src"].split() == [source(text) for text in styles]
    assert sorted(rules["script-src"].split()) == sorted(source(text) for text in programs) or (
        not programs and rules["script-src"] == "'none'"
    )


def source(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_hostile_text_adds_no_element(pages):
    """The same report without attacks has the same kinds of elements."""
    for hostile, harmless in (("hostile", "several"), ("hostile-controls", "controls")):
        kinds = {tag for tag, _ in Page(pages[hostile]).elements}
        assert kinds <= {tag for tag, _ in Page(pages[harmless]).elements}
    assert "&lt;img src=x onerror=alert(1)&gt;" in pages["hostile"]


def test_templates_in_a_log_line_are_not_run(pages):
    assert "{{ 7*7 }}" in pages["hostile"]


def test_data_of_the_figures_cannot_end_its_element(pages):
    data = next(text for tag, attrs, text in Page(pages["hostile"]).inline if attrs.get("id") == "figures-data")
    assert "<" not in data
    assert json.loads(data)


@pytest.mark.skipif(not (folder("build") / csp._BUNDLE).is_file(), reason="without npm the whole library stands in for the small one")
def test_a_page_with_figures_is_small_enough(pages):
    assert max(len(page.encode()) for page in pages.values()) <= 1_600_000


@pytest.mark.parametrize("number", [1, 40, 400])
def test_a_page_without_figures_is_small_however_many_incidents_there_are(number):
    page = REPORTERS["html"](sample.several(number) if number > 1 else sample.seed(), STILL)
    assert len(page.encode()) <= 300_000
    assert page.count("<script") == 1  # that of the page itself
    if number == 400:
        assert "Shortened:" in page


def test_each_of_twelve_incidents_has_a_section():
    page = REPORTERS["html"](many.report(), STILL)
    assert page.count('class="incident"') == 12
    assert len(page.encode()) <= 300_000


def test_a_page_full_of_long_lines_is_small_and_says_so():
    long = sample.evidence(sample.START, "&<'\"" * 5000)
    base = sample.several(8)
    incidents = tuple(
        replace(
            incident,
            classes=tuple(replace(row, sample=replace(long, offset=k * 1000 + n)) for n, row in enumerate(incident.classes)),
            changes=tuple(
                replace(incident.changes[0], summary=f"change {n} " + "&" * 4000, evidence=replace(long, offset=-n)) for n in range(300)
            ),
        )
        for k, incident in enumerate(base.incidents)
    )
    page = REPORTERS["html"](replace(base, incidents=incidents), STILL)
    assert len(page.encode()) <= 300_000
    assert "Shortened:" in page


def test_the_first_screen_comes_first(pages):
    page = pages["seed"].partition("<main")[2]
    places = [
        page.index(words) for words in ('class="verdict"', 'class="figures"', "Restarts per hour by class", "Detection gap", "What failed")
    ]
    assert places == sorted(places)
    assert page.count("<li><a href=") == 6


def test_sections_below_stand_in_order(pages):
    names = ["breakdown", "phases", "cumulative-title", "timeline", "who", "chain", "controls", "remedy", "cost", "evidence"]
    places = [pages["controls"].index(f'id="i1-{name}"') for name in names]
    assert places == sorted(places)


def test_several_incidents_have_an_overview_first(pages):
    page = pages["several"]
    assert page.index('id="incidents"') < page.index('id="i1"') < page.index('id="i2"') < page.index('id="i3"')
    assert "All incidents over the window, by main class" in page


def test_each_of_several_incidents_leads_back_to_the_index_and_to_its_sections(pages):
    inner = re.findall(r'<p class="inner">(.*?)</p>', pages["several"])
    assert len(inner) == 3
    assert all(line.startswith('<a href="#incidents">Back to the incidents</a>') for line in inner)
    assert '<a href="#i2-timeline">Changes and fixes</a>' in inner[1]
    assert 'class="inner"' not in pages["seed"]


def test_the_contents_list_every_section_and_a_short_page_has_none(pages):
    listed = pages["seed"].partition('<nav class="contents"')[2].partition("</nav>")[0]
    anchors = re.findall(r'href="#([^"]+)"', listed)
    assert anchors == [anchor for anchor in re.findall(r'<section id="([^"]+)" aria-labelledby', pages["seed"]) if anchor in anchors]
    assert {"i1-breakdown", "i1-remedy", "method"} <= set(anchors)
    assert len(set(re.findall(r">([^<]+)</a>", listed))) == len(anchors)
    assert '<nav class="contents"' not in pages["quiet"]


def test_each_heading_of_a_section_has_a_link_to_itself(pages):
    sections = re.findall(r'<section id="([^"]+)"', pages["several"])
    assert re.findall(r'class="permalink" href="#([^"]+)"', pages["several"]) == sections


def test_durations_and_shares_are_sorted_by_their_numbers(pages):
    assert '<td class="n" data-sort="0.000287" data-name="Share">&lt; 0.1 %</td>' in pages["seed"]
    assert re.search(r'<td class="n" data-sort="-40.0" data-name="Since first failure">T−40 s</td>', pages["seed"])


def test_every_claim_with_evidence_leads_to_its_quote(pages):
    quoted = re.findall(r'<dt id="(E\d+)">', pages["seed"])
    assert quoted == [f"E{k}" for k in range(1, len(quoted) + 1)]
    assert len(quoted) >= 14
    assert "/var/log/journal/4f2a/system@0006.journal at offset 57000" in pages["seed"]


def test_a_failed_consistency_check_is_shown(pages):
    row = r'phases = incident</th><td class="n"[^>]*>13,936</td><td class="n"[^>]*>13,935</td><td class="badly"[^>]*>no'
    assert re.search(row, pages["several"])


def test_times_are_shown_in_the_zone_of_the_report():
    page = REPORTERS["html"](replace(sample.seed(), timezone="Asia/Kolkata"), STILL)
    assert "2025-12-08 03:00" in page
    assert "all times Asia/Kolkata" in page


def test_commands_between_backticks_are_found():
    assert code_spans("run `ls -l` now") == [(False, "run "), (True, "ls -l"), (False, " now")]


def test_the_replay_is_a_small_part_of_the_page(pages):
    with_replay, without = (REPORTERS["html"](make(), STILL) for make in (controls.seed, sample.seed))
    assert len(with_replay.encode()) - len(without.encode()) <= 40_000
    assert 'id="i1-controls"' not in without


def test_a_rule_directory_of_a_thousand_rules_fits_on_a_small_page():
    many = tuple(replace(controls.replay()[k % 20], id=f"rule:{k}", control=f"Rule{k}") for k in range(1_000))
    page = REPORTERS["html"](controls.with_replay(sample.several(3), many), STILL)
    assert len(page.encode()) <= 300_000
    assert "more controls omitted to keep this page small" in page


def test_the_figure_of_controls_has_a_table_twin(pages):
    page = pages["controls"]
    figure = page[page.index('id="i1-lanes-title"') :]
    drawn = re.findall(r'<text class="strong halo" x="332"[^>]*>([^<]+)</text>', figure)
    listed = [re.sub(r"<[^>]+>", "", row) for row in re.findall(r'<tr><th scope="row">(.+?)<span class="measured">', figure)]
    assert len(drawn) == 10
    assert all(any(row.startswith(name.removesuffix("…")) for row in listed) for name in drawn)


def test_an_audit_is_shown_by_words_and_shapes_and_its_command_is_gone(pages):
    page = pages["controls"]
    assert "1 of 14 controls is effective" in page
    assert re.search(r'aria-hidden="true">◐</span>unwired</td><td class="w"[^>]*>metric known: /etc/prometheus', page)
    assert "tabby-forensics audit" not in page
    assert "tabby-forensics audit --unit tabbyapi.service" in pages["several-controls"]


def test_a_name_of_a_rule_is_escaped_and_cut(pages):
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in pages["hostile-controls"]
    long = replace(controls.replay()[0], control="<b>" + "n" * 300, source="mine.yml:3")
    page = REPORTERS["html"](controls.with_replay(sample.seed(), (long,)), STILL)
    assert "&lt;b&gt;nnn" in page
    assert "n" * 91 not in page
