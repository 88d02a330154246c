"""What a reader learns of replayed controls: which rows come first, and each value in words."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.model.controls import CANNOT_JUDGE, DEAD, FIRES, NEVER, Replayed
from forensics.report import replayed
from tests.report import controls, sample

ROWS = replayed.rows(controls.incident())
STATUSES = [FIRES, NEVER, DEAD, CANNOT_JUDGE]


def shaped(**more):
    return replayed.rows(controls.incident(Replayed("rule:x", "X", "rule", "shipped: y", **({"status": FIRES, "after_s": 30.0} | more))))[0]


@pytest.mark.parametrize(
    ("fields", "first", "timing", "reason"),
    [
        ({}, "T+30 s", "", "a control without a range"),
        ({"earliest_s": 15.0, "latest_s": 37.5}, "T+30 s", "15–38 s", "the unit is written once"),
        ({"earliest_s": 30.0, "latest_s": 30.2}, "T+30 s", "30 s", "a range of less than a second"),
        ({"after_s": 458.0, "earliest_s": 145.0, "latest_s": 1160.0}, "T+7 min 38 s", "2 min 25 s – 19 min 20 s", "minutes"),
        ({"earliest_s": 60.0, "latest_s": 145.0}, "T+30 s", "60 s – 2 min 25 s", "seconds to minutes"),
        ({"after_s": 2.7}, "T+2.7 s", "", "a tenth of a second counts at the start"),
        ({"never_share": 0.75}, "T+30 s", "in 25.0 % of the timings, else never", "it does not always fire"),
        ({"status": NEVER, "after_s": None}, "never", "", "never"),
        ({"status": DEAD, "after_s": None}, "can never fire", "", "dead"),
        ({"status": CANNOT_JUDGE, "after_s": None}, "cannot judge", "", "the journal does not show it"),
        ({"status": "of a later version", "after_s": 30.0}, "cannot judge", "", "an unknown status claims nothing"),
    ],
)
def test_when_a_control_fires_is_written_in_few_words(fields, first, timing, reason):
    row = shaped(**fields)
    assert (row.first, row.timing) == (first, timing), reason


@pytest.mark.parametrize(
    ("fields", "noise"),
    [
        ({}, "–"),
        ({"firings_outside": 0, "hours_outside": 0.0}, "none"),
        ({"firings_outside": 43, "hours_outside": 3.4}, "43 times, 3 h 24 min"),
        ({"firings_outside": 1, "hours_outside": None}, "1 time"),
        ({"refusals_outside": 0}, "none"),
        ({"refusals_outside": 43}, "43 starts refused"),
    ],
)
def test_noise_counts_what_happens_outside_of_incidents(fields, noise):
    assert shaped(**fields).noise == noise


def test_the_seeds_table_comes_out_in_the_order_of_time():
    firing = [row for row in ROWS if row.fires]
    assert [row.of.after_s for row in firing] == sorted(row.of.after_s for row in firing)
    by_name = {row.name: (row.first, row.timing, row.avoided, row.noise) for row in ROWS}
    assert by_name["NodeSystemdServiceRestarted (any restart in 5 min)"] == ("T+30 s", "15–38 s", "–", "43 times, 3 h 24 min")
    assert by_name["StartLimit 5 in 300 s"] == ("T+65 s", "", "13,920", "none")
    assert by_name["NodeSystemdServiceCrashlooping"] == ("T+15 min 45 s", "15 min 30 s – 15 min 52 s", "–", "none")
    assert by_name["TabbyAPIRestartLoop"] == ("can never fire", "", "–", "–")


def test_the_summary_names_the_first_without_a_false_alarm_and_counts_yours():
    assert replayed.summary(ROWS) == (
        "Of 24 controls replayed on this incident, 19 would have fired. The first without a false alarm in this window "
        "(Gate: three failures in a row that no restart cures) would have acted 26 s after the start, 2 h 16 min before the first "
        "operator action. 2 would never have fired, 2 can fire nowhere, 1 cannot be judged from the journal. "
        "None of your 2 would have fired."
    )
    assert replayed.title(ROWS) == "These controls would have fired here; yours never"


def test_a_range_depends_on_the_timing_of_scrapes():
    noisy = [row for row in ROWS if row.name.startswith("NodeSystemdServiceRestarted")]
    assert "would have fired 30 s after the start (15–38 s, depending on scrape timing), 2 h 16 min before" in replayed.summary(noisy)
    poll = [row for row in ROWS if row.name == "poll: systemctl is-active every 60 s"]
    assert "40 s after the start (5–100 s, depending on poll timing)" in replayed.summary(poll)


@pytest.mark.parametrize(
    ("sources", "fires", "sentence"),
    [
        (["shipped: a"], [True], ""),
        (["mine.yml:3"], [True], ""),
        (["shipped: a", "mine.yml:3"], [True, False], "Yours would not have fired."),
        (["shipped: a", "mine.yml:3", "mine.yml:9"], [True, False, True], "Of your 2, 1 would have fired, the first 30 s after the start."),
    ],
)
def test_yours_are_counted_unless_all_are(sources, fires, sentence):
    made = [
        Replayed(f"rule:{k}", f"r{k}", "rule", source, FIRES if is_firing else NEVER, after_s=30.0 if is_firing else None)
        for k, (source, is_firing) in enumerate(zip(sources, fires, strict=True))
    ]
    text = replayed.summary(replayed.rows(controls.incident(*made)))
    assert text.endswith(sentence) if sentence else "our" not in text


def test_without_a_replay_nothing_is_written():
    assert replayed.rows(sample.seed().incidents[0]) == []
    assert replayed.summary([]) == ""
    assert replayed.title([row for row in ROWS if not row.fires]) == "None of these controls would have fired here"


def test_what_is_shown_first_fires_first_without_false_alarms_or_does_not_fire_although_somebody_relies_on_it():
    assert [row.name for row in replayed.chosen(ROWS, 8)] == [
        "Gate: three failures in a row that no restart cures",
        "StartLimit 3 in 3600 s",
        "NodeSystemdServiceCrashlooping without `for`",
        "StartLimit 5 in 300 s",
        "SLO 99.9 %: slow burn 6",
        "StartLimit 5 in 10 s (systemd's default)",
        "TabbyAPIRestartLoop",
        "TabbyAPIDown",
    ]


def test_your_own_controls_come_before_shipped_ones_also_where_they_are_noisy():
    own = controls.fires("mine", "rule", "mine.yml:3", 9_000.0, firings_outside=43)
    assert "mine" in {row.name for row in replayed.chosen(replayed.rows(controls.incident(*controls.replay(), own)), 8)}


def test_one_kind_does_not_fill_the_figure():
    many = [controls.fires(f"Restart={k}", "policy", "shipped", float(k), refusals_outside=0) for k in range(12)]
    names = [row.name for row in replayed.chosen(replayed.rows(controls.incident(*many, *controls.replay())), 8)]
    assert [name for name in names if name.startswith("Restart=")] == ["Restart=0"]


CONTROLS = st.builds(
    Replayed,
    id=st.just("id"), control=st.just("control"), kind=st.sampled_from(["rule", "limit", "of tomorrow"]),
    source=st.sampled_from(["shipped: a", "mine.yml:3"]), status=st.sampled_from(STATUSES),
    after_s=st.none() | st.floats(0, 1e6), restarts_avoided=st.none() | st.integers(0, 99_999),
)  # fmt: skip


@settings(max_examples=50)
@given(st.lists(CONTROLS, max_size=16), st.integers(3, 12))
def test_rows_are_shown_once_in_their_order_and_never_too_many(made, most):
    rows = replayed.rows(controls.incident(*made)) if made else []
    shown = replayed.chosen(rows, most)
    assert len(shown) == min(most, len(rows))
    assert sorted(map(id, [*shown, *replayed.remaining(rows, shown)])) == sorted(map(id, rows))
    assert [id(row) for row in rows if any(row is each for each in shown)] == [id(row) for row in shown]


def test_long_names_are_cut():
    row = replayed.rows(controls.incident(replace(ROWS[0].of, control="x" * 300, source="/y" * 300, reason="z " * 900)))[0]
    assert (len(row.name), len(row.source)) == (90, 120)
    assert len(row.why) < 450
