"""Floods of failures and errors: few alerts, nothing uncounted, other units' alerts at once, and a state that is written as it changes."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from forensics.alerting import queue
from forensics.alerting.alert import Alert
from forensics.model.values import Signature, UnitKey
from forensics.policy.class_state import ClassState
from forensics.signatures.variants import VARIANTS
from forensics.watch import families, floods, open_alerts, tracker, wordings
from forensics.watch.batch import BatchFacts, Boot
from forensics.watch.floods import MOST_CLASSES_OF_HOST, MOST_OF_HOST, MOST_OF_UNIT, WINDOW_S
from forensics.watch.metrics import Metrics
from forensics.watch.state import Position, State
from forensics.watch.stream import NonfatalError
from forensics.watch.tracker import Tracker
from forensics.watch.tracker_rows import restored_tracker, rows_of
from tests.hostile.storms import WORDS, fails, logs, mined, passes
from tests.watch.stories import STEADY, T0, Life, moment, names

NAMED = [
    ("ValueError: model {} was not found", "a bare word"),
    ("ValueError: model '{}' was not found", "single quotes"),
    ('RuntimeError: no adapter named "{} {}" is loaded', "two words in quotes"),
    ("LookupError: `{}` is no voice of ours; `{}` was asked for", "twice, in backticks"),
    ("KeyError: '{}'", "nothing else in the message"),
    ("ValueError: unsupported language: {}", "at the end"),
    ("HTTPException: {} does not exist", "at the start"),
    ("ValueError: template “{}” has no slot", "typographic quotes"),
    ("ValueError: ({}): unknown route", "with punctuation"),
]


@pytest.mark.parametrize(("text", "why"), NAMED)
def test_words_of_a_request_make_one_alert(text, why):
    watched = Tracker()
    alerts = logs(watched, [text.format(word, word) for word in WORDS[:300]], frame=lambda _: "handle")
    assert names(alerts) == ["NewFailureSignature"], why
    assert watched.alerts.grouped == {"a.service": 299}
    again = restored_tracker(rows_of(watched))
    assert logs(again, [text.format("entirely-else", "entirely-else")], frame=lambda _: "handle") == []


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (("ValueError: model a was not found", "load"), ("ValueError: model b was not found", "save"), "raised elsewhere"),
        (("ValueError: model a was not found", "load"), ("TypeError: model a was not found", "load"), "another exception"),
        (("ValueError: model a was not found", "load"), ("ValueError: disk b is too full", "load"), "more than a word differs"),
    ],
)
def test_other_problems_are_alerted_by_themselves(first, second, why):
    watched = Tracker()
    frames = dict((first, second))
    assert len(logs(watched, list(frames), frame=lambda text: frames[text])) == len(frames), why


def test_failed_attempts_are_one_class_from_the_fourth_word_on():
    watched = Tracker()
    classes = [Signature(f"mined:{word}", f"ValueError: model {word} was not found", "high") for word in WORDS[:50]]
    assert len(fails(watched, classes)) == VARIANTS - 1
    first = watched.classes[UnitKey("m1", "system", "a.service"), classes[0].id]
    assert (len(watched.classes), first.count) == (VARIANTS - 1, 50 - (VARIANTS - 2))
    assert watched.open[f"NewFailureSignature/m1/a.service/{classes[0].id}"].count == first.count


# attack, what it does to a tracker, how many alerts, how many of them are floods, what is counted in the last flood
STORMS = [
    ("20 classes of one unit", lambda t: fails(t, mined(MOST_OF_UNIT)), MOST_OF_UNIT, 0, 0),
    ("21 classes of one unit", lambda t: fails(t, mined(MOST_OF_UNIT + 1)), MOST_OF_UNIT + 1, 1, MOST_OF_UNIT + 1),
    ("3,000 classes of one unit", lambda t: fails(t, mined(3000)), MOST_OF_UNIT + 1, 1, 3000),
    ("21 classes, one an hour", lambda t: fails(t, mined(MOST_OF_UNIT + 1), every=3600.0), MOST_OF_UNIT + 1, 0, 0),
    ("400 problems of a healthy service", lambda t: logs(t, [f"{w}Error: {w}" for w in WORDS[:400]], every=0.01), MOST_OF_UNIT + 1, 1, 400),
    ("3 units with 200 classes each", lambda t: [a for n in range(3) for a in fails(t, mined(200, 300 * n), f"u{n}.service")], 63, 3, 200),
    ("200 units with a class each", lambda t: [a for n in range(200) for a in fails(t, mined(1, n), f"u{n}.service")],
     MOST_CLASSES_OF_HOST + 1, 1, 200 - MOST_CLASSES_OF_HOST),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "storm", "alerted", "grouped", "counted"), STORMS, ids=[storm[0] for storm in STORMS])
def test_a_storm_is_a_few_alerts_that_count_on(attack, storm, alerted, grouped, counted):
    watched = Tracker()
    alerts = storm(watched)
    assert (len(alerts), sum(alert.state == "flood" for alert in alerts)) == (alerted, grouped), attack
    assert max([alert.count for alert in watched.open.values() if alert.state == "flood"], default=0) == counted
    metrics = Metrics()
    held = sum(watched.alerts.grouped.values())
    metrics.units(watched, STEADY)
    unsent = [sample.value for metric in metrics.registry.collect() for sample in metric.samples if "grouped_alerts_total" in sample.name]
    assert sum(unsent) == held
    assert held + sum(alert.state != "flood" for alert in alerts) >= counted  # each is sent or counted


def test_a_flood_names_the_first_the_commonest_and_how_many():
    watched = Tracker()
    texts = [f"{word}Error: {word} {n}" for n, word in enumerate(WORDS[:30])] + ["OSError: the cat sat"] * 2
    logs(watched, texts, frame=lambda text: text)
    places = iter("abcde")
    logs(watched, ["OSError: the cat sat"] * 5, frame=lambda _: next(places))
    (flood,) = (alert for alert in watched.open.values() if alert.state == "flood")
    assert flood.count == 36
    assert "36 new classes" in flood.summary
    assert f"the first: {WORDS[0]}Error" in flood.summary
    assert "6 times: OSError: the cat sat" in flood.summary


def late():
    return mined(1)[0], "exception"


def test_a_flood_is_resolved_once_with_its_last_count_and_a_second_one_is_another_alert():
    watched = Tracker()
    logs(watched, [f"{word}Error: {word}" for word in WORDS[:50]])
    passes(watched, 50)
    watched.survived(NonfatalError("hydra", KEYS[0]._replace(unit="a.service"), datetime.fromtimestamp(T0, UTC), *late(), "line", "site"))
    assert passes(watched, 50 + WINDOW_S - 1) == []
    (resolved,) = passes(watched, 50 + WINDOW_S)
    assert (resolved.state, resolved.count, resolved.ended_at is not None) == ("flood", 51, True)
    assert watched.open == {}
    again = logs(watched, [f"{word}Error: {word}" for word in WORDS[100:150]])
    assert [alert.state for alert in again].count("flood") == 1


def test_a_flood_of_a_unit_that_fails_is_resolved_with_its_incident():
    watched = Tracker()
    life = Life(watched)
    fails(watched, mined(40))
    assert passes(watched, WINDOW_S + 60) != []  # it is down
    assert "flood" in {alert.state for alert in watched.open.values()}
    life.start(WINDOW_S + 100)
    resolved = [alert for alert in passes(watched, 2 * WINDOW_S + 200) if alert.ended_at]
    assert len(resolved) == MOST_OF_UNIT + 2  # with UnitDown; what was not sent is not resolved
    assert watched.open == {}


FLOODS = [
    ("of classes of one unit", lambda t: fails(t, mined(300), "noisy.service")),
    ("of errors of a healthy service", lambda t: logs(t, [f"{w}Error: {w}" for w in WORDS[:300]], "noisy.service", 0.01)),
    ("of errors of 200 units", lambda t: [logs(t, [f"{WORDS[n]}Error: x"], f"u{n}.service") for n in range(200)]),
]
OTHERS = [
    ("RestartLoop", lambda life: life.loop(3)),
    ("UnitDown", lambda life: life.start(0) + life.end(1) + life.tick(90)),
    ("ServiceRecovered", lambda life: life.start(0) + life.end(0) + life.start(1) + life.tick(WINDOW_S - 1) + life.tick(WINDOW_S + 2)),
    ("JournalLoss", lambda life: life.tracker.lost(3, "lines", T0)),
]


@pytest.mark.parametrize(("flood", "storm"), FLOODS, ids=[flood for flood, _ in FLOODS])
@pytest.mark.parametrize(("name", "story"), OTHERS, ids=[name for name, _ in OTHERS])
def test_beside_a_flood_what_happens_to_another_unit_is_alerted_at_once(flood, storm, name, story):
    watched = Tracker()
    storm(watched)
    assert name in names(story(Life(watched, unit="real.service"))), flood


def test_what_the_bound_of_the_host_holds_back_is_alerted_when_there_is_room():
    watched = Tracker()
    lives = [Life(watched, unit=f"u{n}.service") for n in range(150)]
    for n, life in enumerate(lives):
        life.start(0)
        life.end(1, mined(1, n)[0])
    at_once = [alert for alert in passes(watched, 90) if alert.name == "UnitDown"]
    assert len(at_once) == MOST_OF_HOST - MOST_CLASSES_OF_HOST
    (host,) = (alert for alert in watched.open.values() if alert.unit == "")
    assert host.count == 150 - MOST_CLASSES_OF_HOST + 150 - len(at_once)
    for _ in range(5):
        assert passes(watched, 91) == []  # counted once
    later = [alert for alert in passes(watched, 91 + WINDOW_S) if alert.name == "UnitDown"]
    assert len(later) == MOST_OF_HOST
    assert {alert.unit for alert in later}.isdisjoint({alert.unit for alert in at_once})


KEYS = [UnitKey("m1", "system", f"unit-{number}.service") for number in range(60)]
TEMPLATES = [UnitKey("m1", "system", f"t{number}@1.service") for number in range(60)]


def each_fails(watched):
    for key in KEYS:
        fails(watched, mined(1), key.unit)
    passes(watched, 1)


def reads(watched, facts):
    watched.read(facts, STEADY)


# container, its bound, how to fill it, how many are in it
CONTAINERS = [
    ("classes", tracker, "MOST_CLASSES", lambda t: fails(t, mined(60)), lambda t: t.classes),
    ("classes of history", tracker, "MOST_CLASSES", lambda t: [t.learn(k, "x", ClassState(1, 1)) for k in KEYS], lambda t: t.classes),
    ("units", tracker, "MOST_UNITS", each_fails, lambda t: t.units),
    ("running units", tracker, "MOST_UNITS", lambda t: [Life(t, unit=k.unit).start(0) for k in KEYS] and passes(t, 1), lambda t: t.units),
    ("latest", tracker, "MOST_UNITS", each_fails, lambda t: t.latest),
    ("jobs", tracker, "MOST_JOBS", lambda t: reads(t, BatchFacts(jobs=frozenset(KEYS))), lambda t: t.jobs),
    ("machines", tracker, "MOST_MACHINES",
     lambda t: reads(t, BatchFacts(boots=tuple(Boot(f"m{n}", "h", moment(0)) for n in range(60)))), lambda t: t.machines),
    ("nonfatal", tracker, "MOST_NONFATAL", lambda t: logs(t, [f"{w}Error: {w}" for w in WORDS[:60]]), lambda t: t.nonfatal),
    ("wordings", wordings, "MOST_WORDINGS", lambda t: logs(t, [f"{w}Error: {w} x" for w in WORDS[:60]]), lambda t: t.wordings.known),
    ("open", open_alerts, "MOST_OPEN", each_fails, lambda t: t.open),
    ("floods", floods, "MOST_GROUPS", each_fails, lambda t: t.alerts.floods.of_units),
    ("families", families, "MOST_TEMPLATES", lambda t: [t.families.ran(k) for k in TEMPLATES], lambda t: t.families.once),
    ("repeated", families, "MOST_TEMPLATES", lambda t: [t.families.repeats(k) for k in TEMPLATES], lambda t: t.families.repeated),
]  # fmt: skip


@pytest.mark.parametrize(("name", "module", "bound", "fill", "filled"), CONTAINERS, ids=[one[0] for one in CONTAINERS])
def test_every_set_is_bounded(monkeypatch, name, module, bound, fill, filled):
    monkeypatch.setattr(module, bound, 25)
    watched = Tracker()
    fill(watched)
    assert len(filled(watched)) == 25, name
    assert restored_tracker(rows_of(watched)) is not None


def test_what_a_flood_remembers_is_bounded():
    watched = Tracker()
    fails(watched, mined(2000))
    for n in range(3 * floods.MOST_UNITS):
        fails(watched, mined(1, n), f"u{n}.service")
    known = watched.alerts.floods.of_units["NewFailureSignature/m1/a.service/"]
    assert len(known.recent) <= MOST_OF_UNIT
    assert len(known.flood.texts) <= floods.MOST_TEXTS + 20
    assert len(watched.alerts.floods.of_host.units) <= floods.MOST_UNITS + 1
    (unit,) = (unit for key, unit in watched.units.items() if key.unit == "a.service")
    assert sum(unit.state.span.failures.values()) == 2000
    assert len(unit.state.span.failures) <= 201


def test_the_queue_of_a_sink_is_bounded_and_each_alert_that_is_left_out_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(queue, "MOST_QUEUED", 5)
    with closing(State.open(tmp_path)) as state:
        left_out = state.commit(Position(), Tracker(), [alert(n) for n in range(12)], ["hook"], {}, 0)
        assert (left_out, state.queue.size("hook")) == (["hook"] * 7, 5)


def alert(number):
    return Alert("RestartLoop", f"u{number}.service", "h", "critical", "s", T0)


def rows_written(state, watched):
    """How many rows of the tracker a commit writes."""
    written = []
    write = state.queue.database.__class__.write

    def counted(database, *changes):
        written.extend(row for statement, rows in changes for row in rows if "tracked" in statement)
        write(database, *changes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state.queue.database.__class__, "write", counted)
        state.commit(Position("p", "r"), watched, [], (), {}, 0)
    return len(written)


def test_after_a_storm_only_what_changes_is_written(tmp_path):
    watched = Tracker()
    fails(watched, mined(3000))
    with closing(State.open(tmp_path)) as state:
        assert rows_written(state, watched) > tracker.MOST_CLASSES
        assert rows_written(state, watched) == 0
        reads(watched, BatchFacts(boots=(Boot("m1", "hydra", moment(400)),)))
        assert rows_written(state, watched) <= 2  # the machine's newest entry, the host
        fails(watched, mined(1), "other.service", begin=500.0)
        assert rows_written(state, watched) <= 8
        assert state.tracker() == restored_tracker(rows_of(watched))
    with closing(State.open(tmp_path)) as state:
        assert state.tracker() == restored_tracker(rows_of(watched))
        assert set(state.tracker().classes) == set(watched.classes)


def broken_by(statement, *values):
    def breaks(file):
        with closing(sqlite3.connect(file)) as disk, disk:
            disk.execute(statement, values)

    return breaks


DEEP = "[" * 100_000
WRONG = [
    ("no database", lambda file: file.write_bytes(b"this is no database" * 1000)),
    ("half of it", lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])),
    ("zeros in the middle", lambda file: file.write_bytes(file.read_bytes()[:4096] + bytes(file.stat().st_size - 4096))),
    *((f"position {text[:20]}", broken_by("update state set value = ? where name = 'position'", text)) for text in
      ("", "[]", "null", "{}}", '{"done": 7}', '"x"', DEEP)),
    *((f"class {text[:20]}", broken_by("update tracked set value = ? where kind = 'class'", text)) for text in
      ("", "[]", "null", "7", '{"first": "x", "last": 1}', '{"first": 1}', '{"first": 1, "last": 1, "recent": [null]}',
       '{"first": 1e999, "last": 1}', DEEP)),
    *((f"unit {text[:20]}", broken_by("update tracked set value = ? where kind = 'unit'", text)) for text in
      ("null", "{}", '{"unit": {"state": {"span": 7}}, "last_is_in_span": true}')),
    ("key", broken_by("update tracked set key = '[1, 2]' where kind = 'unit'")),
    ("blob", broken_by("update tracked set value = x'ff00' where kind = 'host'")),
    ("open", broken_by("update tracked set value = '{\"name\": null}' where kind = 'open'")),
    ("no table", broken_by("drop table tracked")),
    ("other columns", broken_by("alter table queue rename column alert to body")),
    ("another version", broken_by("pragma user_version = 77")),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "breaks"), WRONG, ids=[damage for damage, _ in WRONG])
def test_a_broken_state_is_set_aside_with_one_sentence_and_watch_starts_fresh(tmp_path, damage, breaks):
    watched = Tracker()
    fails(watched, mined(30))
    with closing(State.open(tmp_path)) as state:
        state.commit(Position("a", "b"), watched, [alert(1)], ["hook"], {}, 0)
    breaks(tmp_path / "watch.sqlite")
    before = (tmp_path / "watch.sqlite").read_bytes()
    messages = []
    for _ in range(2):
        with closing(State.open(tmp_path, messages.append)) as state:
            state.commit(Position("c", "d"), state.tracker() or Tracker(), [], (), {}, 0)
    assert len(messages) == 1, damage
    assert "starting fresh" in messages[0]
    assert "watch.sqlite.broken-1" in messages[0]
    aside = tmp_path / "watch.sqlite.broken-1"
    assert aside.read_bytes()[100:1000] == before[100:1000]  # SQLite counts in the header how often it was opened
    assert oct(aside.stat().st_mode & 0o077) == "0o0"


@pytest.mark.parametrize("broken", ["null", "{}", "{", '{"name": 7}', DEEP])
def test_of_a_queue_with_alerts_that_cannot_be_read_the_others_are_kept(tmp_path, broken):
    with closing(State.open(tmp_path)) as state:
        state.commit(Position("a", "b"), Tracker(), [alert(1), alert(2)], ["hook"], {}, 0)
    broken_by("update queue set alert = ? where number = 1", broken)(tmp_path / "watch.sqlite")
    messages = []
    with closing(State.open(tmp_path, messages.append)) as state:
        assert state.queue.oldest("hook")[1] == alert(2)
    assert "1 queued alert kept" in messages[0]


def test_a_state_of_version_2_is_read(tmp_path):
    unit = ["m1", "system", "a.service"]
    running = {"invocation": "i", "started": [1, 2, "b"], "announced": False, "ready": None, "held": True}
    span = {"start": None, "end": None, "recovery": None, "down_since": None, "is_long": False, "of_job": False, "failures": {},
            "restarts": 0, "lives": [], "series": None}  # fmt: skip
    state = {"span": span, "running": running, "last": None, "stop": None, "is_job": False, "series": {"recent": [], "is_recurring": False},
             "last_is_in_span": False}  # fmt: skip
    old = {
        "classes": [[*unit, "x.y", {"first": 1.0, "last": 2.0, "count": 3, "state": "new", "over": False, "recent": [1.0]}]],
        "units": [[*unit, {"state": state, "counter": 4, "may_be_reset": False, "waiting": []}]],
        "machines": [["m1", {"host": "hydra", "last": [1, 2, "b"], "offset": 1.5}]],
        "open": [["k", alert(1).stored()]],
        "jobs": [["m1", "system", "job.service"]],
        "families": {"once": [["m1", "system", "j@.service", "j@1.service"]], "repeated": []},
        "nonfatal": [[*unit, "mined:1"]],
        "host": "hydra",
        "lost_at": 7.0,
        "clock": "another",
    }
    with closing(sqlite3.connect(tmp_path / "watch.sqlite")) as disk, disk:
        disk.execute("create table state (name text primary key, value text not null)")
        disk.execute("create table reported (invocation text primary key, at real not null)")
        disk.execute("create table queue (number integer primary key, sink text not null, alert text not null)")
        disk.execute("insert into state values ('tracker', ?), ('position', ?)", (json.dumps(old), '{"done": "d", "replay": "r"}'))
        disk.execute("insert into queue (sink, alert) values ('hook', ?)", (alert(2).stored(),))
        disk.execute("pragma user_version = 2")
    messages = []
    with closing(State.open(tmp_path, messages.append)) as opened:
        read = opened.tracker()
        assert (messages, opened.position(), opened.queue.size("hook")) == ([], Position("d", "r"), 1)
    key = UnitKey(*unit)
    assert (read.classes[key, "x.y"].count, read.units[key].counter, read.units[key].state.running.held) == (3, 4, True)
    assert (list(read.jobs), list(read.nonfatal), read.open["k"]) == ([key._replace(unit="job.service")], [(key, "mined:1")], alert(1))
    assert (read.host, read.lost_at, read.families.first_of(key._replace(unit="j@.service")).unit) == ("hydra", 7.0, "j@1.service")
