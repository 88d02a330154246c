"""The page in a real Chromium: its console is clean under its own policy, it is accessible, and readable without scripts."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from forensics.report import REPORTERS, RenderOptions, csp
from tests.report import controls, kinds, many, sample
from tests.report.chromium import CHROMIUM, Chromium

ROOT = Path(__file__).resolve().parents[2]
AXE = "axe-core@4.14.1"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]


def hostile_controls():
    return sample.poisoned(controls.audited())


PAGES = {
    "seed": sample.seed,
    "several": sample.several,
    "quiet": sample.quiet,
    "hostile": sample.hostile,
    "controls": controls.audited,
    "hostile-controls": hostile_controls,
    "many": many.report,
    **kinds.KINDS,
}
OVERLAPS = """(() => {
  const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 4 || b.bottom <= a.top + 4;
  const leaves = (box, outer) =>
    box.left < outer.left - 1 || box.right > outer.right + 1 || box.top < outer.top - 3 || box.bottom > outer.bottom + 3;
  const faults = (shown) => {
    const outer = shown.getBoundingClientRect();
    const texts = [...shown.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
    const found = texts.filter(([, box]) => leaves(box, outer)).map(([text]) => `outside: ${text}`);
    texts.forEach(([name, box], k) => texts.slice(k + 1).forEach(([other, its]) => apart(box, its) || found.push(`${name} | ${other}`)));
    return outer.right > innerWidth ? [...found, 'wider than the window'] : found;
  };
  const charts = [...document.querySelectorAll('.chart')].filter(chart => chart.checkVisibility({ contentVisibilityAuto: true }));
  return charts.flatMap(chart => {
    const shown = [...chart.querySelectorAll(':scope > svg')].filter(svg => svg.getBoundingClientRect().height);
    return shown.length === 1 ? faults(shown[0]) : [`${shown.length} drawings are shown`];
  });
})()"""
NEAR = "document.querySelector('.chart[data-figure]').scrollIntoView()"
DRAWN = "[...document.querySelectorAll('.chart')].some(box => box.classList.contains('live') && box.querySelector('.drawn .main-svg'))"


def wait_until_drawn(browser):
    """Show the first figure, wait until it is drawn, and go back to the top."""
    browser.run("document.querySelector('.chart[data-figure]').scrollIntoView({block: 'center'})")
    browser.wait_for(DRAWN)
    browser.run("window.scrollTo(0, 0)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every page as a file, with figures and (…-still) without."""
    where = tmp_path_factory.mktemp("pages")
    for name, make in PAGES.items():
        report = make()
        (where / f"{name}.html").write_text(REPORTERS["html"](report, RenderOptions()), encoding="utf-8")
        (where / f"{name}-still.html").write_text(REPORTERS["html"](report, RenderOptions(figures=False)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csp, "_BUNDLE", "none/such.js")
        (where / "whole-library.html").write_text(REPORTERS["html"](sample.seed(), RenderOptions()), encoding="utf-8")
    return where


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """axe-core's program, packed once by npm into build/."""
    kept = ROOT / "build" / "axe" / f"{AXE}.js"
    if not kept.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("needs npm for axe-core")
        folder = tmp_path_factory.mktemp("axe")
        packed = subprocess.run([npm, "pack", AXE, "--silent"], cwd=folder, capture_output=True, check=False)
        if packed.returncode:
            pytest.skip("npm cannot fetch axe-core")
        with tarfile.open(next(folder.glob("*.tgz"))) as files:
            (folder / "axe.js").write_bytes(files.extractfile("package/axe.min.js").read())
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "axe.js", kept)
    return kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["seed", "several", "hostile", "whole-library"])
def test_figures_are_drawn_and_the_console_stays_clean(browser, folder, name, dark):
    browser.open(folder / f"{name}.html", dark=dark)
    browser.run(NEAR)
    wait_until_drawn(browser)
    browser.run("window.scrollTo(0, document.body.scrollHeight / 2)")
    browser.run("new Promise(done => setTimeout(done, 600))")
    assert browser.console == []
    assert browser.requests == [(folder / f"{name}.html").as_uri()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["seed", "several", "quiet", "hostile", "all", "isolated", "controls", "hostile-controls"])
def test_axe_finds_nothing(browser, folder, axe, name, dark):
    browser.open(folder / f"{name}-still.html", dark=dark)
    browser.run(axe)
    assert violations(browser) == []


def test_axe_finds_nothing_with_figures_drawn(browser, folder, axe):
    browser.open(folder / "seed.html")
    wait_until_drawn(browser)
    browser.run(axe)
    assert violations(browser) == []


def violations(browser):
    found = json.loads(browser.run("axe.run(document).then(r => JSON.stringify(r.violations))"))
    return [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]


def test_axe_would_find_something(browser, tmp_path, axe):
    (tmp_path / "bad.html").write_text("<html><title>x</title><body><img src='data:,'><p style='color:#eee;background:#fff'>pale</p>")
    browser.open(tmp_path / "bad.html")
    browser.run(axe)
    assert {"image-alt", "color-contrast", "html-has-lang"} <= {name for name, _ in violations(browser)}


def test_nothing_of_a_hostile_log_runs(browser, folder):
    browser.open(folder / "hostile.html")
    browser.run(NEAR)
    wait_until_drawn(browser)
    assert browser.run("document.querySelectorAll('main img, main script, main iframe, [onmouseover], [onerror], [onfocus]').length") == 0
    assert browser.run("[...document.querySelectorAll('a')].every(a => a.getAttribute('href').startsWith('#'))")


def test_the_policy_stops_what_does_not_belong_to_the_page(browser, folder):
    browser.open(folder / "seed.html")
    browser.run("(() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.head.append(s); })()")
    assert browser.run("typeof window.ran") == "undefined"
    assert any("Content Security Policy" in line for line in browser.console)


def test_figures_are_drawn_after_the_first_paint(browser, folder):
    browser.open(folder / "seed.html")
    wait_until_drawn(browser)
    painted = browser.run("performance.getEntriesByType('paint')[0].startTime")
    assert painted <= browser.run("performance.getEntriesByName('figures-start')[0].startTime")


@pytest.mark.parametrize("name", ["seed", "controls"])
def test_the_first_screen_needs_no_scrolling(browser, folder, name):
    browser.open(folder / f"{name}.html", width=1400, height=900)
    wait_until_drawn(browser)
    assert browser.run("document.querySelector('.chart').getBoundingClientRect().bottom") <= 900


@pytest.mark.parametrize("name", ["hostile", "all", "controls", "hostile-controls"])
@pytest.mark.parametrize("width", [360, 390, 768, 1400])
def test_the_page_is_never_wider_than_the_window(browser, folder, width, name):
    browser.open(folder / f"{name}-still.html", width=width)
    assert browser.run("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "shown"), [(1400, "wide"), (820, "middle"), (390, "narrow")])
def test_a_figure_is_drawn_for_the_width_of_the_window(browser, folder, width, shown):
    browser.open(folder / "controls-still.html", width=width)
    heights = "[...document.querySelector('.chart').querySelectorAll(':scope > svg')].map(svg => [svg.classList[0], svg.clientHeight])"
    assert [name for name, height in browser.run(heights) if height > 100] == [shown]


@pytest.mark.parametrize("name", ["several", "controls", "hostile-controls", "many"])
@pytest.mark.parametrize("width", [390, 820, 1400])
def test_no_labels_of_a_figure_overlap_or_leave_it(browser, folder, name, width):
    browser.open(folder / f"{name}-still.html", width=width)
    assert browser.run(OVERLAPS) == []


def test_no_labels_overlap_on_paper(browser, folder):
    browser.open(folder / "controls.html", width=703, media="print")
    assert browser.run(OVERLAPS) == []


def test_a_telephone_keeps_the_static_figures_and_does_not_run_the_library(browser, folder):
    browser.open(folder / "controls.html", width=390)
    browser.wait_for("performance.getEntriesByName('figures-start').length")
    browser.run("window.scrollTo(0, document.body.scrollHeight)")
    browser.run("new Promise(done => setTimeout(done, 300))")
    assert browser.run("document.querySelectorAll('.chart.live').length") == 0
    assert browser.run("typeof window.Plotly") == "undefined"


def test_an_interactive_figure_gives_way_when_the_window_becomes_narrow(browser, folder):
    browser.open(folder / "controls.html")
    wait_until_drawn(browser)
    browser.resize(390)
    assert browser.run(OVERLAPS) == []


@pytest.mark.parametrize(("x", "y", "shown"), [(0.2, 0.5, "292  Extension built"), (0.062, 0.15, "operator: ")])
def test_pointing_at_a_bar_or_a_mark_shows_what_it_is(browser, folder, x, y, shown):
    browser.open(folder / "controls.html")
    browser.run(NEAR)
    browser.wait_for(DRAWN)
    browser.point(".chart.live .drawn", x, y)
    browser.wait_for(f"[...document.querySelectorAll('.hoverlayer text')].some(text => text.textContent.includes({shown!r}))")


def test_drawn_and_static_figures_have_the_same_height(browser, folder):
    browser.open(folder / "seed-still.html")
    before = browser.run("document.querySelector('#i1-breakdown').getBoundingClientRect().top")
    browser.open(folder / "seed.html")
    wait_until_drawn(browser)
    assert abs(browser.run("document.querySelector('#i1-breakdown').getBoundingClientRect().top") - before) <= 2


def test_everything_is_readable_without_scripts(browser, folder):
    browser.open(folder / "seed.html", scripts=False)
    shown = browser.run("document.body.innerText")
    assert all(words in shown for words in ("13,936", "never", "98 h 22 min", "libstdc++.so.6"))
    assert browser.run("document.querySelector('.chart svg').getBoundingClientRect().height") > 200


def test_print_shows_the_static_figures_on_white(browser, folder):
    browser.open(folder / "seed.html", dark=True)
    wait_until_drawn(browser)
    browser.scheme(dark=True, media="print")
    display = "getComputedStyle(document.querySelector({!r})).display"
    assert browser.run(display.format(".chart.live > svg")) == "block"
    assert browser.run(display.format(".chart.live .drawn")) == "none"
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_figures_change_with_the_colour_scheme(browser, folder):
    browser.open(folder / "seed.html")
    wait_until_drawn(browser)
    ink = "document.querySelector('.drawn .annotation-text, .drawn .annotation text').style.fill"
    light = browser.run(ink)
    browser.scheme(dark=True)
    browser.wait_for(f"{ink} !== {light!r}")
