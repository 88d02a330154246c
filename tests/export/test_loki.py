"""`export loki`: nothing lost, nothing twice, every refusal reported; also with the real Loki at TABBY_TEST_LOKI_URL."""

import json
import os
import time
import urllib.parse
import uuid
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from forensics.errors import ForensicsError
from forensics.export import loki_streams
from forensics.export.loki_streams import LONGEST_LINE, MOST_BYTES, batches, streams
from forensics.watch.metrics import MOST_UNITS
from tests.cli.running import assert_one_sentence, run
from tests.export.failing_unit import investigate_journal, write_journal
from tests.export.pushing import made, push
from tests.export.strict_loki import WEEK, StrictLoki
from tests.servers import http_get

REAL = os.environ.get("TABBY_TEST_LOKI_URL", "")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return investigate_journal(tmp_path_factory.mktemp("found"))


def test_attempts_failures_and_incidents_are_there_with_bounded_labels(found):
    with StrictLoki() as server:
        pushed = push(server, streams(found, entries=False, redact=True))
    assert (pushed.accepted, pushed.refused) == (len(server.stored), 0)
    sources = [json.loads(key)["source"] for key, _, _ in server.stored]
    assert {source: sources.count(source) for source in sources} == {"attempt": 4, "failure": 4, "incident": 1}
    assert {tuple(sorted(json.loads(key))) for key, _, _ in server.stored} == {("host", "service_name", "source", "unit")}
    failures = [metadata for (key, _, _), metadata in server.stored.items() if '"failure"' in key]
    assert all(metadata["signature"].startswith("mined:") and metadata["invocation"] for metadata in failures)
    assert "hunter2" not in str(server.stored)


def test_entries_are_the_lines_about_units(found):
    with StrictLoki() as server:
        push(server, streams(found, entries=True, redact=True))
    lines = [line for _, _, line in server.stored]
    assert lines.count("Scheduled restart job") == 3
    assert len(lines) == 4 * 4 + 3


def test_equal_lines_of_one_moment_are_all_kept(tmp_path):
    found = investigate_journal(tmp_path)
    twice = pl.concat([found.history.entries, found.history.entries])
    doubled = type(found)(type(found.history)(twice, found.history.assembly, found.history.labelled), found.restarts, found.report)
    with StrictLoki() as server:
        pushed = push(server, streams(doubled, entries=True, redact=True))
    assert pushed.accepted == len(server.stored) == 2 * (4 * 4 + 3)


def test_a_request_is_bounded_and_so_is_a_line():
    source = made(["x" * 200_000 + str(n) for n in range(40)])
    with StrictLoki() as server:
        assert push(server, [source]).accepted == 40
    assert max(server.sizes) <= MOST_BYTES
    assert len(server.sizes) == 40


def test_a_line_that_is_too_long_is_cut(tmp_path):
    found = investigate_journal(tmp_path, line="é" * 500_000)
    longest = max(len(line.encode()) for part in streams(found, entries=True, redact=False) for line in part.lines["line"])
    assert longest <= LONGEST_LINE


def test_units_beyond_the_bound_share_a_stream(found):
    many = found.history.entries.head(1).drop("unit").join(
        pl.DataFrame({"unit": [f"u{n}.service" for n in range(MOST_UNITS + 20)]}, {"unit": pl.Categorical}), how="cross"
    )  # fmt: skip
    history = type(found.history)(many.select(found.history.entries.columns), found.history.assembly, found.history.labelled)
    assert len(streams(type(found)(history, found.restarts, found.report), entries=True, redact=True)) == MOST_UNITS + 1


def test_old_lines_are_refused_and_counted_and_the_rest_is_in():
    start = datetime.now(UTC) - timedelta(days=14)
    with StrictLoki(oldest=WEEK) as server:
        pushed = push(server, [made([f"l {n}" for n in range(140)], start=start, step=timedelta(hours=2.4))])
    assert pushed.accepted == len(server.stored) == pytest.approx(70, abs=1)
    assert pushed.accepted + pushed.refused == 140
    assert "too old" in next(iter(pushed.reasons))


def test_without_a_count_the_oldest_acceptable_time_is_enough(monkeypatch):
    cut = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)

    class Terse(StrictLoki):
        def answer(self, body, headers):
            old = any(int(value[0]) < cut.timestamp() * 1e9 for value in json.loads(body)["streams"][0]["values"])
            status, reason = super().answer(body, headers)
            text = f"entry has timestamp too old, oldest acceptable timestamp is: {cut:%Y-%m-%dT%H:%M:%SZ}"
            return (400, text.encode()) if old else (status, reason)

    with Terse() as server:
        pushed = push(server, [made([f"l {n}" for n in range(100)], start=cut - timedelta(seconds=40))])
    assert (pushed.accepted, pushed.refused) == (60, 40)


def test_a_bad_line_is_found_when_loki_does_not_name_it(monkeypatch):
    class Silent(StrictLoki):
        def answer(self, body, headers):
            return (400, b"no") if b"poison" in body else super().answer(body, headers)

    lines = ["poison" if n == 37 else f"l {n}" for n in range(100)]
    with Silent() as server:
        pushed = push(server, [made(lines)])
    assert (pushed.accepted, pushed.refused, len(server.stored)) == (99, 1, 99)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_temporary_refusal_is_retried(status):
    with StrictLoki([status, status]) as server:
        assert push(server, [made(["a", "b"])]).accepted == 2
    assert len(server.stored) == 2


class RealLoki:
    url = REAL

    def lines(self, unit):
        query = urllib.parse.urlencode({"query": f'{{unit="{unit}"}}', "limit": 5000, "start": int((time.time() - 7200) * 1e9)})
        result = json.loads(http_get(f"{REAL}/loki/api/v1/query_range?{query}"))["data"]["result"]
        return sorted(line for stream in result for _, line, *_ in stream["values"])


@pytest.fixture(params=["a stand-in", "a real one"])
def server(request):
    if request.param == "a stand-in":
        with StrictLoki() as strict:
            yield strict
        return
    if not REAL:
        pytest.skip("TABBY_TEST_LOKI_URL is not set")
    yield RealLoki()


@pytest.fixture
def names():
    return [f"t{uuid.uuid4().hex}.service" for _ in range(2)]


def test_an_interrupted_push_resumes_where_it_was(monkeypatch, server, names, tmp_path):
    monkeypatch.setattr(loki_streams, "MOST_BYTES", 8192)
    sources = sorted((made([f"{n} " + "x" * 500 for n in range(30)], name=name) for name in names), key=lambda stream: stream.name)
    sent = []

    def stop(lines):
        sent.append(len(lines))
        if len(sent) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(server, sources, tmp_path, act=stop)
    assert sum(len(server.lines(name)) for name in names) == sum(sent[:4])
    rest = push(server, sources, tmp_path, resume=True)
    assert (rest.accepted, rest.present, rest.refused) == (60 - sum(sent[:4]), sum(sent[:4]), 0)
    assert [len(server.lines(name)) for name in names] == [30, 30]


def test_every_line_is_there_once_however_hostile_and_however_often_it_is_pushed(server, names):
    lines = [f'line {n} \u202e \x1b[31m {{}} "quoted" \\ é \U0001f600' for n in range(500)]
    for _ in range(2):
        pushed = push(server, [made(lines, name=names[0], start=NOW - timedelta(hours=1))])
        assert (pushed.accepted, pushed.refused) == (500, 0)
    assert server.lines(names[0]) == sorted(lines)


def test_a_line_too_far_behind_is_refused_and_counted_and_the_rest_is_in(server, names):
    assert push(server, [made(["newest"], name=names[0], start=NOW)]).accepted == 1
    pushed = push(server, [made(["behind", "near"], name=names[0], start=NOW - timedelta(minutes=90), step=timedelta(minutes=80))])
    assert (pushed.accepted, pushed.refused) == (1, 1)
    assert server.lines(names[0]) == ["near", "newest"]


def test_a_loki_that_never_answers_is_reported_in_one_sentence():
    with StrictLoki([503] * 50) as server, pytest.raises(ForensicsError, match="503"):
        push(server, [made(["a"])])


def test_batches_cover_a_stream_in_order():
    source = made([f"{n} " + "x" * 3000 for n in range(1000)])
    parts = list(batches(source.lines))
    assert len(parts) > 1
    assert [line for part in parts for line in part] == list(source.lines.iter_rows())


def test_the_command_reports_accepted_and_refused_lines(tmp_path):
    source = ["--file", str(write_journal(tmp_path)), "--store", str(tmp_path / "store")]
    with StrictLoki() as server:
        done = run("export", "loki", "--url", server.url, *source)
        assert (done.returncode, done.stdout) == (0, "Loki accepted 9 lines and refused 0\n")
    with StrictLoki(oldest=WEEK) as server:
        done = run("export", "loki", "--url", server.url, *source)
        assert done.stdout == "Loki accepted 0 lines and refused 9\n"
        assert_one_sentence(done, 1, "refused 9 lines", "too old")
    assert_one_sentence(run("export", "loki", "--url", "http://u:secret@h/", *source), 2, "--token-file")
    assert_one_sentence(run("export", "loki", "--url", "file:///etc", *source), 2, "http")
