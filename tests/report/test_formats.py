"""What holds for every format: the same bytes each time, no control characters, no secrets, the figures of the seed incident."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from forensics.model.values import FailureTotals
from forensics.report import REPORTERS, RenderOptions
from tests.report import sample

FORMATS = sorted(REPORTERS)
KEY = "f3a1c09d5b7e4a2f8c6d1e0b9a7f5c3d"


@pytest.fixture(scope="module")
def hostile():
    report = sample.hostile()
    return {name: render(report, RenderOptions(figures=False)) for name, render in REPORTERS.items()}


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_bytes(name):
    assert REPORTERS[name](sample.several(), RenderOptions()) == REPORTERS[name](sample.several(), RenderOptions())


@pytest.mark.parametrize("name", FORMATS)
def test_no_control_or_hidden_character_gets_through(name, hostile):
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ud800-\udfff]", hostile[name])


@pytest.mark.parametrize("name", FORMATS)
def test_a_hidden_character_is_shown(name, hostile):
    assert "⟨U+202E⟩" in hostile[name].replace("\\", "")


@pytest.mark.parametrize("name", FORMATS)
def test_an_endless_line_is_cut(name, hostile):
    assert "x" * 4097 not in hostile[name]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("make", [sample.quiet, sample.empty])
def test_a_report_without_incidents_renders(name, make):
    assert REPORTERS[name](make(), RenderOptions())


@pytest.mark.parametrize("name", ["term", "md", "html"])
def test_a_quiet_host_has_nothing_failed(name):
    assert "Nothing failed" in REPORTERS[name](sample.quiet(), RenderOptions())


@pytest.mark.parametrize("name", ["term", "md", "html"])
def test_isolated_restarts_are_no_incident_but_are_listed(name):
    clean = replace(sample.seed(), incidents=(), isolated=(), failures=FailureTotals())
    text = REPORTERS[name](replace(clean, restarts=replace(clean.restarts, total=43, in_incidents=0)), RenderOptions())
    assert "No incident: 43 restarts in the window" in text
    assert "GPU memory exhausted" in text


@pytest.mark.parametrize("name", ["term", "md", "html"])
@pytest.mark.parametrize(
    "words",
    [
        "13,936",
        "13,979",
        "98 h 22 min",
        "86.3 %",
        "7,413",
        "4,082",
        "1,741",
        "never",
        "40 s before the first failure",
        "changed the class",
        "< 0.1 %",
    ],
)
def test_the_seed_incident_is_shown(name, words):
    text = REPORTERS[name](sample.seed(), RenderOptions(figures=False, width=200))
    assert words in re.sub(r"\s+", " ", unescape(text) if name != "term" else text)


def with_secrets():
    leak = sample.evidence(sample.START, f"INFO:     Your API key is: {KEY}")
    rows = tuple(replace(row, sample=leak, remedy="run `serve --token YOUR-TOKEN-HERE`") for row in sample.seed().incidents[0].classes)
    fixes = tuple(replace(fix, summary=f"curl -H 'Authorization: Bearer {KEY}'") for fix in sample.seed().incidents[0].fix_attempts)
    incident = replace(sample.seed().incidents[0], classes=rows, fix_attempts=fixes)
    return replace(sample.seed(), incidents=(incident,), notes=(f"seen: {KEY}",))


@pytest.mark.parametrize("name", FORMATS)
def test_secrets_are_hidden_by_one_pseudonym_everywhere(name):
    text = REPORTERS[name](with_secrets(), RenderOptions())
    assert KEY not in text
    assert "⟨api-key-" in text or "⟨token-" in text
    assert len(set(re.findall(r"⟨(?:api-key|token)[^⟩]*⟩", text))) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_the_words_of_the_catalogue_are_not_redacted(name):
    assert "YOUR-TOKEN-HERE" in REPORTERS[name](with_secrets(), RenderOptions()).replace("\\", "")


def test_secrets_stay_when_asked_for():
    assert KEY in REPORTERS["json"](with_secrets(), RenderOptions(redact=False))


READABLE = ["term", "md", "html"]


def words(name, report):
    text = REPORTERS[name](report, RenderOptions(figures=False, width=200))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", unescape(text)))


@pytest.mark.parametrize("name", READABLE)
def test_a_class_that_occurs_outside_of_the_incident_too_shows_both_counts(name):
    report = sample.seed()
    (incident,) = report.incidents
    (row,) = [row for row in incident.classes if row.signature == "cuda.out-of-memory"]
    assert f"{row.restarts + 43:,}" in words(name, report)
    inside = replace(report, classes=incident.classes)
    assert "n the window" not in words(name, inside)
    assert "In window" not in words(name, inside)


@pytest.mark.parametrize("name", READABLE)
def test_problems_that_caused_no_exit_are_listed(name):
    text = words(name, sample.seed())
    assert "Also seen (did not cause the exit):" in text
    assert re.search(r"The port was changed in silence.{0,30} in 4,919 failed starts", text)


@pytest.mark.parametrize("name", READABLE)
def test_a_phase_of_a_short_incident_is_shown_in_seconds(name):
    report = sample.seed()
    (incident,) = report.incidents
    end = incident.start + timedelta(seconds=17)
    brief = replace(incident, end=end, phases=(replace(incident.phases[0], end=end),))
    assert "2025-12-07 21:30:17" in words(name, replace(report, incidents=(brief,)))
    assert "2025-12-08 00:00:00" not in words(name, report)


@pytest.mark.parametrize("name", READABLE)
def test_an_incident_that_was_stopped_is_not_shown_as_ongoing(name):
    report = sample.seed()
    (incident,) = report.incidents
    stopped = replace(report, incidents=(replace(incident, recovery=None, time_to_recover_s=None),))
    assert re.search(r"stopped\W+before it recovered", words(name, stopped))
    assert not re.search(r"not yet\W+to recover", words(name, stopped))
    ongoing = replace(report, incidents=(replace(incident, recovery=None, time_to_recover_s=None, ongoing=True),))
    assert re.search(r"not yet\W+to recover", words(name, ongoing))
