"""Loki has each line once: however often and in whatever pieces it is pushed, killed, limited and split."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from forensics.export import loki, loki_streams
from tests.cli.running import assert_one_sentence, run
from tests.export.failing_unit import write_journal
from tests.export.pushing import made, push
from tests.export.strict_loki import DESIRED_RATE, SHARD, WEEK, StrictLoki

DAYS = datetime.now(UTC) - timedelta(days=5)
LINES = [f"{n} " + "x" * 500 for n in range(240)]  # half an hour apart: five days
FAST = [f"{n} " + "x" * 4000 for n in range(1000)]  # 4 MB


def slow():
    return made(LINES, start=DAYS, step=timedelta(minutes=30))


@pytest.fixture
def small_requests(monkeypatch):
    monkeypatch.setattr(loki_streams, "MOST_BYTES", 20_000)


def times_stored(server):
    """Lines that are stored more than once, whatever shard they are in."""
    lines = [(ns, line) for _, ns, line in server.stored]
    return sorted({line for line in lines if lines.count(line) > 1}) if len(set(lines)) < len(lines) else []


def test_the_stand_in_splits_a_fast_stream_and_then_has_lines_twice(monkeypatch):
    monkeypatch.setattr(loki_streams, "MOST_BYTES", 1 << 20)
    monkeypatch.setattr(loki, "PAUSE_S", 0)
    with StrictLoki() as server:
        for _ in range(2):
            push(server, [made(FAST, start=DAYS)])
    assert any(SHARD in key for key, _, _ in server.stored)
    assert len(times_stored(server)) > 100


def test_requests_are_so_slow_that_no_stream_is_split():
    with StrictLoki() as server:
        for _ in range(3):
            assert push(server, [made(FAST, start=DAYS)]).refused == 0
    assert len(server.stored) == 1000
    assert {SHARD in key for key, _, _ in server.stored} == {False}
    assert 4_000_000 / sum(server.slept) * 3 < DESIRED_RATE / 2


def test_a_second_push_is_no_refusal_for_lines_that_loki_has(tmp_path):
    with StrictLoki() as server:
        first = push(server, [slow()], tmp_path)
        second = push(server, [slow()], tmp_path)
    assert (first.accepted, first.present, first.refused) == (240, 0, 0)
    assert (second.accepted + second.present, second.refused) == (240, 0)
    assert second.present > 200
    assert len(server.stored) == 240


def test_without_a_record_of_the_first_push_loki_is_asked():
    with StrictLoki() as server:
        push(server, [slow()])
        second = push(server, [slow()])
    assert (second.accepted + second.present, second.refused) == (240, 0)


def test_a_line_that_loki_does_not_have_is_refused_if_it_has_newer_ones(tmp_path):
    with StrictLoki() as server:
        push(server, [made(LINES[-40:], start=DAYS + timedelta(hours=100), step=timedelta(minutes=30))], tmp_path)
        wider = push(server, [slow()], tmp_path, selection=("wider",))
    assert (wider.refused, wider.accepted + wider.present) == (200, 40)
    assert len(server.stored) == 40
    assert "chunk_idle_period" in next(iter(wider.reasons))


def test_of_old_and_new_lines_in_one_request_each_is_accounted_for(tmp_path):
    lines = made([f"l {n}" for n in range(140)], start=datetime.now(UTC) - timedelta(days=14), step=timedelta(hours=2.4))
    with StrictLoki(oldest=WEEK) as server:
        first = push(server, [lines], tmp_path)
        second = push(server, [lines], tmp_path)
    assert first.accepted == len(server.stored)
    assert (second.accepted + second.present, second.refused) == (len(server.stored), 140 - len(server.stored))


@pytest.mark.parametrize("request_number", [1, 3, 6])
@pytest.mark.parametrize("arrives", [False, True])
def test_a_push_that_is_interrupted_before_or_after_loki_stored_a_request(small_requests, tmp_path, request_number, arrives):
    class Dying(StrictLoki):
        is_dying = True

        def answer(self, body, headers):
            if self.is_dying and len(self.sizes) == request_number - 1 and (not arrives or super().answer(body, headers)):
                raise ConnectionAbortedError
            return super().answer(body, headers)

    with Dying() as server:
        with pytest.raises(KeyboardInterrupt):
            push(server, [slow()], tmp_path, act=interrupting(request_number + 1))
        server.is_dying = False
        rest = push(server, [slow()], tmp_path, resume=True)
    assert len(server.stored) == 240
    assert (rest.accepted + rest.present, rest.refused) == (240, 0)


def interrupting(number):
    """Interrupt the push at its request of this number."""
    sent = []

    def act(_):
        sent.append(1)
        if len(sent) == number:
            raise KeyboardInterrupt

    return act


def test_lines_of_one_nanosecond_are_all_there_when_a_request_ends_between_them(small_requests, tmp_path):
    lines = made(LINES, start=DAYS, step=timedelta(0))
    for number in range(2, 8):
        with StrictLoki() as server:
            with pytest.raises(KeyboardInterrupt):
                push(server, [lines], tmp_path, act=interrupting(number))
            rest = push(server, [lines], tmp_path, resume=True)
        assert len(server.stored) == 240
        assert (rest.accepted + rest.present, rest.refused) == (240, 0)


def test_another_selection_does_not_continue_where_this_one_was(small_requests, tmp_path):
    mine, other = slow(), made(LINES, start=DAYS, step=timedelta(minutes=30), name="b.service")
    with StrictLoki() as server:
        with pytest.raises(KeyboardInterrupt):
            push(server, [other], tmp_path, selection=("b",), act=interrupting(4))
        assert push(server, [mine], tmp_path, selection=("a",), resume=True).accepted == 240
        rest = push(server, [other], tmp_path, selection=("b",), resume=True)
    assert rest.present > 0
    assert rest.accepted + rest.present == 240
    assert len(server.stored) == 480


def test_a_push_that_is_not_continued_begins_anew(small_requests, tmp_path):
    with StrictLoki() as server, pytest.raises(KeyboardInterrupt):
        push(server, [slow()], tmp_path, act=interrupting(4))
    with StrictLoki() as empty:
        assert push(empty, [slow()], tmp_path).accepted == len(empty.stored) == 240


@pytest.mark.parametrize("limit", [(20_000, 15_000), (3_000, 4_000)], ids=["burst below a request", "slow"])
@pytest.mark.parametrize("retry_after", [None, 3])
def test_a_request_that_a_rate_limit_cuts_is_delivered_in_full(small_requests, limit, retry_after):
    with StrictLoki(limit=limit, retry_after=retry_after) as server:
        pushed = push(server, [made(LINES, start=DAYS, step=timedelta(minutes=30))])
    assert (pushed.accepted, pushed.refused, len(server.stored)) == (240, 0, 240)
    assert retry_after is None or retry_after in server.slept


def test_a_line_that_a_rate_limit_cut_out_for_good_is_refused_not_lost(small_requests):
    """A long line does not pass, a short one hours later does, and then Loki takes the long one no more."""
    with StrictLoki(limit=(500, 3000), shows=False) as server:
        pushed = push(server, [made(["x" * 2900, "y" * 2900, "short"], start=DAYS, step=timedelta(hours=2))])
    assert (pushed.accepted, pushed.refused) == (2, 1)
    assert len(server.stored) == 2


def test_retry_after_is_kept():
    class Asking(StrictLoki):
        def answer(self, body, headers):
            return (429, b"slow down", {"Retry-After": "17"}) if not self.slept else super().answer(body, headers)

    with Asking() as server:
        assert push(server, [made(["a", "b"])]).accepted == 2
    assert server.slept[0] == 17


class Killing(StrictLoki):
    """Kills the program at its second request, when it is stored or before."""

    victim, is_stored = None, False

    def answer(self, body, headers):
        if self.victim is None or len(self.sizes) != 1:
            return super().answer(body, headers)
        answer = super().answer(body, headers) if self.is_stored else (503, b"")
        self.victim.send_signal(signal.SIGKILL)
        self.victim.wait()
        return answer


@pytest.mark.parametrize("is_stored", [False, True])
def test_the_program_is_killed_and_continued(tmp_path, is_stored):
    source = write_journal(tmp_path, restarts=200, line="x" * 2500, step=30)
    arguments = ["export", "loki", "--entries", "--file", str(source), "--store", str(tmp_path / "store")]
    with Killing() as server:
        server.is_stored = is_stored
        arguments += ["--url", server.url]
        server.victim = subprocess.Popen([sys.executable, "-m", "forensics", *arguments], stdout=subprocess.DEVNULL)
        assert server.victim.wait(timeout=120) == -signal.SIGKILL
        server.victim = None
        stored = len(server.stored)
        done = run(*arguments, "--resume")
        again = run(*arguments)
    assert 0 < stored < 1004
    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr
    assert done.stdout.endswith("and refused 0\n")
    assert again.stdout.endswith("and refused 0\n")
    assert len(server.stored) == 1004
    assert times_stored(server) == []


def test_the_line_of_an_incident_is_the_same_in_every_window(tmp_path):
    source = ["--file", str(write_journal(tmp_path, restarts=40, step=60)), "--store", str(tmp_path / "store")]
    with StrictLoki() as server:
        for window in ([], ["--since", "@1765000000"], ["--since", "@1765005000"], ["--until", "@1765006000"], ["--since", "boot"]):
            done = run("export", "loki", "--url", server.url, *source, *window)
            assert done.returncode == 0, done.stderr
        kinds = [json.loads(key)["source"] for key, _, _ in server.stored]
        assert_one_sentence(run("export", "loki", "--url", server.url, *source, "--since", "@1775000000"), 6, "Nothing is recorded")
    assert kinds.count("incident") == 1
    assert kinds.count("attempt") == kinds.count("failure") == 41


def test_a_window_has_its_own_lines_only(tmp_path):
    source = ["--file", str(write_journal(tmp_path, restarts=40, step=60)), "--store", str(tmp_path / "store")]
    with StrictLoki() as server:
        assert run("export", "loki", "--url", server.url, *source, "--since", "@1765009000").returncode == 0
    times = [ns for _, ns, _ in server.stored]
    assert min(times) >= 1_765_009_000 * 10**9
    assert 0 < len(times) < 41


def test_entries_of_one_unit_are_not_those_of_another(tmp_path):
    a = write_journal(tmp_path).read_text()
    source = tmp_path / "two.json"
    other = a.replace("a.service", "b.service").replace("i=", "i=1").replace("1" * 31, "2" * 31)
    source.write_text(a + other)
    with StrictLoki() as server:
        done = run("export", "loki", "--entries", "--unit", "b", "--url", server.url, "--file", str(source), "--store", str(tmp_path / "s"))
    assert done.returncode == 0, done.stderr
    assert {json.loads(key)["unit"] for key, _, _ in server.stored} == {"b.service"}
