"""Each kind of incident reads right in every readable format, and every failure outside of incidents is listed."""

import re
from dataclasses import replace
from html import unescape

import pytest

from forensics.model.values import FailureTotals, RestartHelped, RestartTotals
from forensics.report import REPORTERS, RenderOptions, breakdown, causes, charts, headline
from forensics.report.figures import lanes
from forensics.report.figures.description import LAYOUTS
from tests.report import kinds, sample

READABLE = ["term", "md", "html"]
LOOP, OUTAGE, JOB, RECURRING = kinds.slow_loop(), kinds.outage(), kinds.failing_job(), kinds.recurring()


def text(name, report, **options):
    page = REPORTERS[name](report, RenderOptions(figures=False, width=220, **options))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", unescape(page)) if name != "term" else page)


def values(incident):
    return [(figure.value, figure.label) for figure in headline.figures(kinds.report(incident), incident)]


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_kind_renders_with_its_verdict(name, kind):
    report = kinds.KINDS[kind]()
    page = text(name, report)
    assert all(incident.verdict in page.replace("\\", "") for incident in report.incidents)


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize(
    ("incident", "title"),
    [
        (LOOP, "Restart loop of vllm.service"),
        (OUTAGE, "Outage of postgresql.service"),
        (JOB, "Failing job: nightly-backup.service"),
        (RECURRING, "Recurring failures of thumbnailer.service"),
    ],
)
def test_the_title_names_the_kind(name, incident, title):
    assert title in text(name, kinds.report(incident))


def test_an_outage_counts_failures_and_measures_downtime():
    assert values(OUTAGE)[:2] == [("6", "failures"), ("40 min", "downtime (envelope: first failed start to first stable start)")]


def test_a_failing_job_has_no_downtime_and_no_availability():
    found = values(JOB)
    assert found[0] == ("14", "failures in a row")
    assert found[1] == ("24 h", "between two runs that failed")
    assert ("not yet", "to recover: first failure to first good run") in found
    assert not [label for _, label in found if "downtime" in label or "availability" in label]


@pytest.mark.parametrize("name", READABLE)
def test_the_page_of_a_failing_job_mentions_no_downtime_and_no_restart_columns(name):
    page = text(name, kinds.report(JOB))
    assert "owntime" not in page
    assert "Phases" not in page
    assert not re.search(r"Class\W+Restarts|Failures\W+Restarts", page)


def test_recurring_failures_sum_the_gaps():
    assert values(RECURRING)[:2] == [
        ("7", "failures, 7 restarts"),
        ("3 min 2 s", "downtime (sum of the gaps: each failure to the next start)"),
    ]


def test_a_loop_names_its_failures_where_they_are_not_its_restarts():
    assert values(LOOP)[0] == ("1,440", "restarts, after 1,441 failures")
    assert values(replace(LOOP, failures=1_440))[0] == ("1,440", "restarts")


def test_a_lower_bound_is_marked_in_every_count():
    bound = replace(OUTAGE, exact=False)
    assert [headline.failures(bound), headline.restarts(bound), headline.downtime(bound)] == ["≥ 6", "≥ 0", "≥ 40 min"]


def test_an_availability_that_is_not_known_is_no_figure():
    assert len(values(replace(OUTAGE, availability=None))) == 5


@pytest.mark.parametrize(
    ("incident", "counted"),
    [(LOOP, ("failures", "restarts")), (OUTAGE, ("failures",)), (RECURRING, ("restarts",)), (sample.seed().incidents[0], ("restarts",))],
)
def test_failures_have_a_column_only_where_they_differ_from_restarts(incident, counted):
    assert breakdown.counted(incident.classes) == counted


def test_a_share_is_of_restarts_and_the_heading_names_them_where_failures_are_counted_too():
    assert [breakdown.share_heading(incident.classes) for incident in (LOOP, OUTAGE, RECURRING)] == ["Share of restarts", "Share", "Share"]


def test_recurring_failures_were_recovered_each_time():
    assert ("each time", "held again after a failure") in values(RECURRING)
    assert not [label for _, label in values(RECURRING) if "before it recovered" in label]


def test_an_ongoing_outage_is_measured_to_the_end_of_the_data():
    ongoing = replace(OUTAGE, ongoing=True, end=None, recovery=None, time_to_recover_s=None)
    assert values(ongoing)[1] == ("40 min", "downtime (first failure to the end of the data)")


@pytest.mark.parametrize("name", READABLE)
def test_a_host_that_slept_is_mentioned_and_its_sleep_is_in_no_length(name):
    slept = kinds.report(replace(OUTAGE, slept_s=28_800.0))
    assert "The host slept for 8 h of this time: durations leave that out" in text(name, slept)
    assert "slept" not in text(name, kinds.report(OUTAGE))


@pytest.mark.parametrize("incident", [OUTAGE, JOB])
def test_a_figure_of_nothing_is_not_drawn(incident):
    page = REPORTERS["html"](kinds.report(incident), RenderOptions(figures=False))
    assert charts.histogram(incident, 240) is None
    assert "Restarts per" not in page
    assert "Cumulative" not in page
    empty = replace(RECURRING, bins=tuple(replace(bin_, restarts=0) for bin_ in RECURRING.bins))
    assert charts.histogram(empty, 240) is None


@pytest.mark.parametrize("incident", [LOOP, OUTAGE, JOB, RECURRING])
def test_the_detection_gap_of_every_kind_is_drawn(incident):
    rows = charts.detection_rows(incident)
    for layout in LAYOUTS:
        drawn = lanes.milestones(rows, layout)
        assert len(drawn.marks) == sum(len(row.points) for row in rows)
        assert sum(label.style == "bad" for label in drawn.labels) == sum(not row.points for row in rows)
    if histogram := charts.histogram(incident, 240):
        assert sum(histogram.totals) == incident.restarts


@pytest.mark.parametrize("name", READABLE)
def test_nothing_failed_is_claimed_only_when_nothing_did(name):
    assert "no unit failed" in text(name, sample.quiet())
    for failures, restarts in ((1, 0), (0, 1)):
        report = replace(sample.quiet(), failures=FailureTotals(failures, 0, failures), restarts=RestartTotals(restarts, 0, restarts, 0))
        page = text(name, replace(report, units=("a.service",)))
        assert "Nothing failed" not in page
        assert "no unit failed" not in page


@pytest.mark.parametrize("name", READABLE)
def test_without_incidents_isolated_failures_are_the_verdict_and_a_table(name):
    page = text(name, kinds.only_isolated()).replace("\\", "")
    assert "No incident: 4 isolated failures of 2 units, the last at 2026-03-10 00:00: Exited with status 125" in page
    assert re.search(r"vllm.service\W+Not enough GPU memory\W.{0,60}\b3\W+3\W.{0,40}2026-03-05 00:00", page)
    assert "podman.service (user 1000)" in page


def test_a_page_with_failures_is_not_marked_as_calm():
    assert 'class="verdict calm"' in REPORTERS["html"](sample.quiet(), RenderOptions())
    assert 'class="verdict calm"' not in REPORTERS["html"](kinds.only_isolated(), RenderOptions())


@pytest.mark.parametrize("name", READABLE)
def test_isolated_failures_have_a_section_of_their_own_beside_incidents(name):
    page = text(name, kinds.KINDS["slow-loop"]())
    assert page.index("Evidence" if name != "term" else "Cost") < page.index("Isolated failures") < page.index("Method and limits")
    assert "4 failures are not part of an incident." in page
    assert "Isolated failures" not in text(name, kinds.report(LOOP))


def test_the_verdict_of_several_incidents_counts_failures_and_what_is_isolated():
    page = text("term", kinds.all_kinds())
    assert "5 incidents with 1,469 failures and 1,447 restarts; the longest, vllm.service, was down for 100 h." in page
    assert "Besides, 4 isolated failures of 2 units." in page
    jobs = text("term", kinds.report(JOB, replace(JOB, id="two", unit="two.service")))
    assert "2 incidents with 28 failures. No alert" in jobs


@pytest.mark.parametrize("name", READABLE)
def test_the_sums_of_failures_are_shown(name):
    assert "1,473 failures = 1,469 in incidents + 4 isolated failures." in text(name, kinds.all_kinds()).replace("\\", "")


def test_a_restart_that_helped_is_counted_here_elsewhere_and_in_isolation():
    report = kinds.KINDS["slow-loop"]()
    other = replace(LOOP, id="other", classes=(replace(LOOP.classes[0], restart_helped=RestartHelped(10, 1)),))
    window = tuple(replace(row, restart_helped=RestartHelped(1_453, 4)) if row.restart_helped else row for row in report.classes)
    helped = breakdown.restart_helped(replace(report, incidents=(LOOP, other), classes=window))
    (row,) = LOOP.classes
    assert helped(row, LOOP) == ["3 of 3 isolated", "0 of 1,440 in this incident", "1 of 10 in other incidents"]
    assert helped(row, None) == ["3 of 3 isolated", "1 of 1,450 in incidents"]
    assert helped(OUTAGE.classes[0], OUTAGE) == []


@pytest.mark.parametrize("name", READABLE)
def test_what_a_restart_did_is_beside_the_opinion_of_the_catalogue(name):
    assert "A restart helped: 3 of 3 isolated, 0 of 1,440 in this incident." in text(name, kinds.KINDS["slow-loop"]())


def test_a_consequence_leads_to_the_incident_of_its_cause():
    report = kinds.all_kinds()
    assert causes.causes(report) == {1: 0}
    page = REPORTERS["html"](report, RenderOptions())
    assert 'shop-api.service was down because <a href="#i1">postgresql.service</a> failed.' in page
    assert 'Also down because of this: <a href="#i2">shop-api.service</a>.' in page


def test_a_cause_on_another_machine_or_at_another_time_is_no_link():
    for cause in (replace(OUTAGE, machine="another"), replace(OUTAGE, end=OUTAGE.start)):
        assert causes.causes(kinds.report(cause, kinds.consequence())) == {}


@pytest.mark.parametrize("name", READABLE)
def test_a_cause_without_an_incident_is_named(name):
    page = text(name, kinds.report(kinds.consequence()))
    assert re.sub(r"\s+([.)])", r"\1", page).count("shop-api.service was down because postgresql.service failed.") == 1
    cause = replace(kinds.ISOLATED[0], unit="postgresql.service")
    assert "failed (see the isolated failures)" in text(name, kinds.report(kinds.consequence(), isolated=(cause,)))


@pytest.mark.parametrize("name", ["term", "md", "html"])
def test_the_overview_shows_kinds_and_causes(name):
    page = text(name, kinds.all_kinds()).lower()
    assert re.search(r"outage\W+because of 1", page)
    assert all(kind in page for kind in ("failing job", "recurring failures", "restart loop"))


def test_many_isolated_failures_are_cut_and_counted():
    rows = tuple(replace(kinds.ISOLATED[0], unit=f"u{k}.service") for k in range(2_000))
    report = kinds.report(LOOP, isolated=rows)
    page = REPORTERS["html"](report, RenderOptions(figures=False))
    assert len(page.encode()) <= 300_000
    assert "more rows omitted" in page
    assert "more rows" in text("term", report)
