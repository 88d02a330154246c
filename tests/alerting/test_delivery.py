"""The queue on disk and the sinks it is delivered to."""

import json
import sqlite3
import time
from contextlib import closing

import pytest

from forensics.alerting import queue as queue_module
from forensics.alerting.alert import Alert
from forensics.alerting.database import MirroredDatabase
from forensics.alerting.delivery import Delivery
from forensics.alerting.sinks import KINDS
from forensics.alerting.sinks.sink import RefusedError, UnreachableError
from forensics.errors import ForensicsError
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker
from tests.export.strict_loki import StrictLoki
from tests.http_recorder import Recorder


def alert(number=0, **values):
    return Alert(
        **{
            "name": "NewFailureSignature",
            "unit": "a.service",
            "host": "h",
            "severity": "critical",
            "summary": f"s {number}",
            "starts_at": 1.0 + number,
            **values,
        }
    )


def wait_for(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["alertmanager", "webhook", "discord", "slack", "ntfy", "loki"])
def test_what_a_service_gets_is_json_with_the_alert_in_it(kind):
    with Recorder() as server:
        assert KINDS[kind][0](server.url + "/topic").send(alert(summary="``` <b> fails")) == "HTTP 200"
    ((_, body),) = server.bodies
    assert "fails" in json.dumps(body)
    assert server.headers[0]["Content-Type"] == "application/json"


def test_alertmanager_always_gets_a_start_an_end_and_the_annotations():
    with Recorder() as server:
        sink = KINDS["alertmanager"][0](server.url)
        sink.send(alert())
        sink.send(alert(ended_at=60.0))
    firing, resolved = (body[0] for _, body in server.bodies)
    assert server.paths == ["/api/v2/alerts"] * 2
    assert firing["labels"] == resolved["labels"]
    assert firing["annotations"] == resolved["annotations"] != {}
    assert (resolved["startsAt"], resolved["endsAt"]) == ("1970-01-01T00:00:01.000Z", "1970-01-01T00:01:00.000Z")
    assert firing["endsAt"] > "2025"


def test_the_phone_shows_what_it_is_about_first():
    with Recorder() as server:
        KINDS["ntfy"][0](server.url + "/topic", "token").send(alert(summary="a.service fails", signature="a.b", count=2, evidence="line"))
    ((_, body),) = server.bodies
    assert (body["topic"], body["title"], body["priority"]) == ("topic", "a.service fails", 5)
    assert body["message"].splitlines() == [
        "NewFailureSignature",
        "  class a.b, host h, count 2",
        "  evidence: line",
        "  more: tabby-forensics report --since 1d --unit a.service",
    ]
    assert server.headers[0]["Authorization"] == "Bearer token"


def test_loki_gets_tenant_and_token():
    with StrictLoki() as server:
        KINDS["loki"][0](server.url, "team", "token").send(alert())
    headers = {name.lower(): value for name, value in server.headers[0].items()}
    assert (headers["x-scope-orgid"], headers["authorization"]) == ("team", "Bearer token")


def test_loki_gets_an_alert_that_is_sent_again_with_the_same_time_so_that_it_keeps_one():
    with StrictLoki() as server:
        for _ in range(2):
            KINDS["loki"][0](server.url).send(alert(raised_at=time.time() - 60))
            time.sleep(0.01)
        assert len(server.stored) == 2
        same = alert(raised_at=time.time() - 30)
        for _ in range(2):
            KINDS["loki"][0](server.url).send(same)
    assert len(server.stored) == 3


@pytest.mark.parametrize(
    ("status", "error"), [(503, UnreachableError), (429, UnreachableError), (400, RefusedError), (302, UnreachableError)]
)
def test_an_answer_says_whether_trying_again_helps(status, error):
    with Recorder([status]) as server, pytest.raises(error) as raised:
        KINDS["webhook"][0](server.url + "/secret").send(alert())
    assert "secret" not in str(raised.value)
    assert len(server.bodies) == 1


def test_a_command_gets_the_alert_on_its_input_and_nothing_in_its_arguments(tmp_path):
    out = tmp_path / "out"
    sink = KINDS["command"][0](("/bin/sh", "-c", f"cat > {out}; echo $# >> {out}"))
    sink.send(alert(unit="$(touch /tmp/x)"))
    text = out.read_text()
    assert json.loads(text[: text.rindex("}") + 1])["labels"]["unit"] == "$(touch /tmp/x)"
    assert text.endswith("0\n")
    with pytest.raises(UnreachableError, match="exit status 3"):
        KINDS["command"][0](("/bin/sh", "-c", "exit 3")).send(alert())
    with pytest.raises(RefusedError):
        KINDS["command"][0](("/not/there",)).send(alert())


def test_alerts_wait_on_disk_for_a_sink_that_is_down_and_none_is_lost_or_twice(tmp_path, monkeypatch):
    monkeypatch.setattr("forensics.alerting.delivery.FIRST_WAIT_S", 0.05)
    before = State.open(tmp_path)
    before.commit(Position(), Tracker(), [alert(number) for number in range(5)], ["hook"], {}, 0)
    before.close()
    state = State.open(tmp_path)
    with Recorder([503, 200, 503, 503]) as server:
        delivery = Delivery(state.queue, {"hook": KINDS["webhook"][0](server.url)}, lambda _: None)
        delivery.start()
        wait_for(lambda: state.queue.size("hook") == 0)
        delivery.stop(5)
    accepted = [body["annotations"]["summary"] for status, body in server.bodies if status == 200]
    assert accepted == [f"s {number}" for number in range(5)]


def test_a_refused_alert_does_not_hold_up_the_next(tmp_path):
    state = State.open(tmp_path)
    state.commit(Position(), Tracker(), [alert(0), alert(1)], ["hook"], {}, 0)
    messages, refused = [], []
    with Recorder([400]) as server:
        delivery = Delivery(state.queue, {"hook": KINDS["webhook"][0](server.url)}, messages.append, refused=refused.append)
        delivery.start()
        wait_for(lambda: state.queue.size("hook") == 0)
        delivery.stop(5)
    assert [status for status, _ in server.bodies] == [400, 200]
    assert refused == ["hook"]
    assert messages == ["sink hook refused NewFailureSignature for a.service: HTTP 400."]


class Broken:
    def __init__(self, error):
        self.error, self.got = error, []

    def send(self, alert):
        if alert.summary == "s 0":
            raise self.error
        self.got.append(alert.summary)


def test_a_sink_that_breaks_on_an_alert_goes_on_with_the_next(tmp_path):
    state, messages, sink = State.open(tmp_path), [], Broken(KeyError("nobody expected this"))
    state.commit(Position(), Tracker(), [alert(0), alert(1)], ["broken"], {}, 0)
    delivery = Delivery(state.queue, {"broken": sink}, messages.append)
    delivery.start()
    wait_for(lambda: state.queue.size("broken") == 0)
    delivery.stop(5)
    assert sink.got == ["s 1"]
    assert "KeyError" in messages[0]


def test_one_open_alert_that_is_refused_does_not_keep_the_others_from_being_posted_again(tmp_path, monkeypatch):
    monkeypatch.setattr("forensics.alerting.delivery.REPOST_S", 0.1)
    state = State.open(tmp_path)
    with Recorder([400]) as server:
        delivery = Delivery(state.queue, {"am": KINDS["alertmanager"][0](server.url)}, lambda _: None, open_alerts=(alert(0), alert(1)))
        delivery.start()
        wait_for(lambda: len(server.bodies) >= 4)
        delivery.stop(5)
    assert [body[0]["annotations"]["summary"] for _, body in server.bodies[:4]] == ["s 0", "s 1", "s 0", "s 1"]


def test_standard_output_that_nobody_reads_is_unreachable(monkeypatch):
    class Gone:
        def write(self, _):
            raise BrokenPipeError(32, "Broken pipe")

        flush = write

    monkeypatch.setattr("sys.stdout", Gone())
    with pytest.raises(UnreachableError, match="Broken pipe"):
        KINDS["stdout"][0]().send(alert())


def test_a_full_queue_keeps_the_oldest(tmp_path, monkeypatch):
    monkeypatch.setattr(queue_module, "MOST_QUEUED", 3)
    state = State.open(tmp_path)
    assert state.commit(Position(), Tracker(), [alert(number) for number in range(5)], ["hook"], {}, 0) == ["hook", "hook"]
    assert state.queue.oldest("hook")[1].summary == "s 0"
    assert state.queue.size("hook") == 3


def test_what_is_committed_is_there_again(tmp_path):
    position = Position("done", "replay")
    for reported, keep_from in (({"a": 1.0}, 0), ({"b": 2.0, "c": 3.0}, 2.0)):
        with closing(State.open(tmp_path)) as state:
            state.commit(position, Tracker(), [], [], reported, keep_from)
    with closing(State.open(tmp_path)) as state:
        assert state.position() == position
        assert state.reported_invocations() == ["b", "c"]


def version_of(directory, number, *statements):
    with closing(sqlite3.connect(directory / "watch.sqlite")) as disk, disk:
        disk.execute(f"pragma user_version = {number}")
        for statement in statements:
            disk.execute(statement)


def test_of_a_state_of_another_version_only_the_queued_alerts_are_kept(tmp_path):
    messages = []
    with closing(State.open(tmp_path)) as state:
        state.commit(Position("done", "replay"), Tracker(), [alert(0), alert(1)], ["hook"], {"a": 1.0}, 0)
    newer = """insert into queue (sink, alert) select sink, json_set(alert, '$.added', 1, '$.summary', 'newer') from queue limit 1"""
    version_of(tmp_path, 99, newer, "insert into queue (sink, alert) values ('hook', 'null'), ('hook', '{}'), ('hook', '{')")
    for _ in range(2):
        with closing(State.open(tmp_path, messages.append)) as state:
            assert (state.tracker(), state.position(), state.reported_invocations()) == (None, Position(), [])
            assert state.queue.size("hook") == 3
    assert len(messages) == 1
    assert "has an incompatible version; starting fresh, 3 queued alerts kept." in messages[0]
    with closing(State.open(tmp_path)) as state:
        assert state.queue.oldest("hook") == (1, alert(0))
        state.queue.remove(1)
        state.queue.remove(2)
        assert state.queue.oldest("hook")[1] == alert(0, summary="newer")


def test_a_state_whose_queue_cannot_be_read_starts_fresh(tmp_path):
    messages = []
    with closing(State.open(tmp_path)) as state:
        state.commit(Position("done", "replay"), Tracker(), [alert()], ["hook"], {"a": 1.0}, 0)
    version_of(tmp_path, 99, "alter table queue rename column alert to body")
    for _ in range(2):
        with closing(State.open(tmp_path, messages.append)) as state:
            assert (state.tracker(), state.position(), state.queue.size("hook")) == (None, Position(), 0)
    assert len(messages) == 1
    assert "0 queued alerts kept" in messages[0]


def test_a_state_serves_one_watch(tmp_path):
    with closing(State.open(tmp_path)), pytest.raises(ForensicsError, match="Another `watch`"):
        State.open(tmp_path)


def test_a_full_disk_delays_no_alert_and_gets_everything_later(tmp_path, monkeypatch):
    said = []
    with closing(State.open(tmp_path, said.append)) as state:
        state.commit(Position("1"), Tracker(), [alert(0)], ["hook"], {}, 0)
        full = MirroredDatabase._connect

        def small(self):
            connection = full(self)
            connection.execute("pragma max_page_count = 1")  # SQLite takes it for a full disk
            return connection

        monkeypatch.setattr(MirroredDatabase, "_connect", small)
        large = Tracker(host="x" * 100_000)
        state.commit(Position("2"), large, [alert(1)], ["hook"], {"a": 1.0}, 0)
        state.queue.remove(state.queue.oldest("hook")[0])
        assert state.queue.oldest("hook")[1].summary == "s 1"
        assert len(said) == 1
        assert "full" in said[0]
        monkeypatch.setattr(MirroredDatabase, "_connect", full)
        state.commit(Position("3"), Tracker(), [alert(2)], ["hook"], {}, 0)
        assert "nothing is lost" in said[1]
    with closing(State.open(tmp_path)) as state:
        assert state.position().done == "3"
        assert state.reported_invocations() == ["a"]
        assert state.queue.size("hook") == 2
        assert state.queue.oldest("hook")[1].summary == "s 1"


def unclaimed_report(state, sinks, now=1_000_000.0, unclaimed=()):
    messages, refused = [], []
    delivery = Delivery(state.queue, sinks, messages.append, refused=refused.append, unclaimed=set(unclaimed))
    return delivery, delivery.report_unclaimed(now), messages, refused


def test_alerts_of_a_sink_that_is_gone_are_reported_and_counted_once_and_stay(tmp_path):
    state = State.open(tmp_path)
    state.commit(Position(), Tracker(), [alert(number, raised_at=999_000.0) for number in range(3)], ["old", "new"], {}, 0)
    sinks = {"new": KINDS["stdout"][0]()}
    first, gone, messages, refused = unclaimed_report(state, sinks)
    assert (gone, refused) == (["old"], ["old"] * 3)
    (message,) = messages
    assert message.startswith("3 alerts queued for the sink old, which is no longer configured")
    _, gone, messages, refused = unclaimed_report(state, sinks, unclaimed=first.unclaimed)  # a reload
    assert (gone, messages, refused) == (["old"], [], [])
    assert state.queue.size("old") == state.queue.size("new") == 3


def test_alerts_are_delivered_when_a_sink_of_their_name_is_back(tmp_path):
    state = State.open(tmp_path)
    state.commit(Position(), Tracker(), [alert(number) for number in range(2)], ["old"], {}, 0)
    with Recorder() as server:
        delivery = Delivery(state.queue, {"old": KINDS["webhook"][0](server.url)}, lambda _: None)
        assert delivery.report_unclaimed(time.time()) == []
        delivery.start()
        wait_for(lambda: state.queue.size("old") == 0)
        delivery.stop(5)
    assert [body["annotations"]["summary"] for _, body in server.bodies] == ["s 0", "s 1"]


def test_alerts_of_a_sink_that_is_gone_are_discarded_after_a_week_with_a_notice(tmp_path):
    state = State.open(tmp_path)
    state.commit(Position(), Tracker(), [alert(0, raised_at=0.0), alert(1, raised_at=999_000.0)], ["old"], {}, 0)
    _, gone, messages, refused = unclaimed_report(state, {})
    assert state.queue.size("old") == 1
    assert (gone, refused) == (["old"], ["old", "old"])
    assert messages[0] == "1 alert for the sink old, which is no longer configured, discarded after 7 days."
    assert messages[1].startswith("1 alert queued for the sink old, which is no longer configured: kept for 7 days")
