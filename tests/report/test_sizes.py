"""The page at every size and on paper, found by geometry; and what its own script adds: sorting, copying."""

import re
import zlib
from pathlib import Path

import pytest

from forensics.report import REPORTERS, RenderOptions
from tests.report import controls, many
from tests.report.chromium import CHROMIUM, Chromium

ROOT = Path(__file__).resolve().parents[2]
FAULTS = Path(__file__).with_name("geometry.js").read_text(encoding="utf-8")
WIDTHS = (390, 820, 1400)
MOST_PAGES = 5
LEAST_ON_THE_LAST_PAGE = 400  # pieces of text; a line of the footer has about 100, a full page 3,000 or more
pytestmark = [pytest.mark.real, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("pages")
    for name, report in (("one", controls.audited()), ("many", many.report())):
        (where / f"{name}.html").write_text(REPORTERS["html"](report, RenderOptions(figures=False)), encoding="utf-8")
    return where


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["one", "many"])
def test_no_text_overlaps_another_is_cut_or_off_the_screen(browser, folder, name, width):
    browser.open(folder / f"{name}.html", width=width)
    assert browser.run(FAULTS) == []


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("document.querySelector('.verdict').style.marginBottom = '-40px'", "overlap"),
        ("document.querySelector('.lead').style.marginLeft = '3000px'", "off the screen"),
        ("Object.assign(document.querySelector('.scope').style, {overflow: 'hidden', whiteSpace: 'nowrap', width: '90px'})", "cut"),
        ("document.querySelector('figure svg text').setAttribute('x', 5000)", "off the screen"),
    ],
)
def test_the_faults_are_found(browser, folder, fault, found):
    browser.open(folder / "one.html")
    browser.run(fault)
    assert any(line.startswith(found) for line in browser.run(FAULTS))


def test_on_a_telephone_each_row_is_a_card_with_the_names_of_its_columns(browser, folder):
    browser.open(folder / "one.html", width=390)
    cards = "[...document.querySelectorAll('table.cards')].filter(table => table.checkVisibility())"
    assert browser.run(f"{cards}.length") > 4
    assert browser.run(f"{cards}.every(table => table.scrollWidth <= table.parentElement.clientWidth)")
    label = "getComputedStyle(document.querySelector('#i1-breakdown td[data-name=\"Share\"]'), '::before').content"
    assert browser.run(label) == '"Share"'


def test_at_the_width_of_a_tablet_no_column_of_a_card_table_is_out_of_reach(browser, folder):
    for name in ("one", "many"):
        browser.open(folder / f"{name}.html", width=820)
        assert browser.run("[...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth + 1).length") == 0


def test_the_contents_stay_beside_the_text_and_are_folded_where_there_is_no_room(browser, folder):
    browser.open(folder / "one.html")
    browser.run("window.scrollTo(0, 3000)")
    box = browser.run("(box => [box.top, box.right, box.height])(document.querySelector('.contents ol').getBoundingClientRect())")
    assert 0 <= box[0] < 60
    assert box[1] <= browser.run("document.querySelector('main').getBoundingClientRect().left")
    assert box[2] > 200
    browser.open(folder / "one.html", width=390)
    assert browser.run("document.querySelector('.contents ol').checkVisibility()") is False
    browser.run("document.querySelector('.contents summary').click()")
    assert browser.run("document.querySelector('.contents ol').checkVisibility()") is True


def test_a_permalink_shows_when_it_has_the_focus(browser, folder):
    browser.open(folder / "one.html")
    opacity = "getComputedStyle(document.querySelector('#i1-breakdown .permalink')).opacity"
    assert browser.run(opacity) == "0"
    browser.run("document.querySelector('#i1-breakdown .permalink').focus()")
    assert browser.run(opacity) == "1"


COLUMN = "[...document.querySelectorAll('{table} tbody tr')].map(row => row.cells[{column}]?.textContent)"
HEAD = "[...document.querySelectorAll('{table} thead button')].find(button => button.textContent === '{name}')"


def test_a_table_is_sorted_by_numbers_durations_and_texts(browser, folder):
    browser.open(folder / "one.html")
    table = "#i1-breakdown"
    as_made = browser.run(COLUMN.format(table=table, column=1))
    click = lambda name: browser.run(f"{HEAD.format(table=table, name=name)}.click()")  # noqa: E731
    click("Restarts")
    click("Restarts")
    assert browser.run(COLUMN.format(table=table, column=1)) == ["4", "700", "979", "1,757", "3,496", "7,000"]
    assert browser.run("document.querySelector('#i1-breakdown th[aria-sort]').ariaSort") == "ascending"
    click("Restarts")
    assert browser.run(COLUMN.format(table=table, column=1)) == as_made
    click("Share")
    assert browser.run(COLUMN.format(table=table, column=2))[-1] == "< 0.1 %"
    table = "#i1-timeline"
    click("Since first failure")
    after = browser.run(COLUMN.format(table=table, column=2))
    assert (after[0], after[-1]) == ("T+98 h 22 min", "T−40 s")


def test_what_is_unknown_comes_last_and_a_group_keeps_its_incidents(browser, folder):
    browser.open(folder / "many.html")
    names = "[...document.querySelectorAll('#incidents tbody')].map(body => [...body.rows].map(row => row.cells[1]?.textContent ?? ''))"
    before = browser.run(names)
    browser.run(f"{HEAD.format(table='#incidents', name='First alert')}.click()")
    after = browser.run(names)
    assert after != before
    assert [sorted(body) for body in after] == [sorted(body) for body in before]
    alerts = browser.run(
        "[...document.querySelectorAll('#incidents tbody')].map(body => [...body.rows].slice(1).map(row => row.cells[6].textContent))"
    )
    assert all("never" not in body[: len(body) - body.count("never")] for body in alerts)


def test_a_head_is_a_button_for_the_keyboard_and_phases_have_none(browser, folder):
    browser.open(folder / "one.html")
    browser.run(f"{HEAD.format(table='#i1-breakdown', name='Restarts')}.focus()")
    assert browser.run("document.activeElement.tagName") == "BUTTON"
    assert browser.run("document.querySelectorAll('#i1-phases thead button').length") == 0


def test_commands_and_quotes_can_be_copied(browser, folder):
    browser.open(folder / "one.html")
    browser.run("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    browser.run("document.querySelector('.commands .copy').click()")
    assert browser.run("window.copied") == browser.run("document.querySelector('.commands code').textContent")
    browser.run("document.querySelector('.quotes dt .copy').click()")
    assert browser.run("window.copied") == browser.run("document.querySelector('.quotes pre').textContent")
    browser.wait_for("document.querySelector('.quotes dt .copy').textContent === 'Copied'")
    assert browser.console == []


def test_without_scripts_there_is_no_button(browser, folder):
    browser.open(folder / "one.html", scripts=False)
    assert browser.run("document.querySelectorAll('button').length") == 0


def test_on_paper_the_numbers_of_the_figures_and_the_buttons_are_left_out(browser, folder):
    browser.open(folder / "one.html", media="print")
    hidden = "[...document.querySelectorAll('{}')].filter(each => each.checkVisibility()).length"
    assert browser.run(hidden.format("details.screen, .copy, .contents, .permalink")) == 0


def test_the_seed_fits_on_five_pages_and_the_last_one_is_worth_its_paper(browser, folder):
    browser.open(ROOT / "fixtures" / "golden" / "seed.html")
    browser.pdf(folder / "seed.pdf")
    texts = pages(folder / "seed.pdf")
    assert len(texts) <= MOST_PAGES
    assert texts[-1] >= LEAST_ON_THE_LAST_PAGE


def pages(pdf):
    """How many pieces of text each page has, in order."""
    data = pdf.read_bytes()
    objects = {int(number): body for number, body in re.findall(rb"(?s)\b(\d+) 0 obj\s(.*?)\bendobj", data)}
    tree = next(body for body in objects.values() if b"/Type /Pages" in body and b"/Parent" not in body)
    return [_texts(objects[int(re.search(rb"/Contents (\d+) 0 R", objects[number])[1])]) for number in _leaves(objects, tree)]


def _leaves(objects, node):
    for number in map(int, re.findall(rb"(\d+) 0 R", re.search(rb"/Kids \[(.*?)\]", node)[1])):
        if b"/Type /Pages" in objects[number]:
            yield from _leaves(objects, objects[number])
        else:
            yield number


def _texts(stream):
    return len(re.findall(rb"T[jJ]\b", zlib.decompress(stream.split(b"stream", 1)[1].lstrip(b"\r\n"))))
