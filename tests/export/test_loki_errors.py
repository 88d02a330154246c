"""`export loki` stops at once where every line would be refused, and says why lines are refused in whole sentences."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from forensics.errors import ForensicsError
from tests.cli.running import assert_one_sentence, run
from tests.export.failing_unit import write_journal
from tests.export.pushing import made, push
from tests.export.strict_loki import WEEK, StrictLoki

LINES = [f"line {n}" for n in range(50)]


class Always(StrictLoki):
    """Gives one answer to everything."""

    def __init__(self, *answer):
        self.always, self.asked = answer, 0
        super().__init__()

    def answer(self, body, headers):
        self.asked += 1
        return self.always


@pytest.mark.parametrize(
    ("status", "text", "advice"),
    [
        (401, b"no org id", "--tenant"),
        (401, b"invalid token", "--token-file"),
        (403, b"", "--token-file"),
        (400, b"tenant ID contains unsupported character '/'", "--tenant"),
        (404, b"404 page not found", "--url"),
        (302, b"", "--url"),
        (405, b"", "--url"),
        (501, b"", "--url"),
        (413, b"Request Entity Too Large", "client_max_body_size"),
    ],
)
def test_an_error_about_everything_stops_at_once(status, text, advice):
    with Always(status, text) as server, pytest.raises(ForensicsError, match=advice) as raised:
        push(server, [made(LINES), made(LINES, name="b.service")])
    assert server.asked == 1
    assert f"HTTP {status}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_error_that_is_the_same_for_each_line_stops_after_three_requests():
    with Always(400, b"I do not like it") as server, pytest.raises(ForensicsError, match=r"refuses every line.*I do not like it"):
        push(server, [made(LINES)])
    assert server.asked == 3


def test_an_unknown_error_that_begins_in_the_middle_stops_soon():
    class Turning(StrictLoki):
        asked = 0

        def answer(self, body, headers):
            self.asked += 1
            return (400, b"I do not like it any more") if self.asked > 1 else super().answer(body, headers)

    with Turning() as server, pytest.raises(ForensicsError, match="one line after another"):
        push(server, [made(["a"]), made([f"line {n}" for n in range(1000)], name="b.service")])
    assert server.asked < 200


def test_a_unit_whose_name_has_tenant_id_in_it_is_no_wrong_tenant():
    class Named(StrictLoki):
        def answer(self, body, headers):
            status, text, *more = super().answer(body, headers)
            return (400, b'no: {unit="tenant id"}') if b"bad" in body else (status, text, *more)

    with Named() as server:
        assert push(server, [made(["good", "bad", "good too"])]).refused == 1


def test_a_loki_that_is_not_there_is_reported_after_three_tries(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = run("export", "loki", "--url", url, "--file", str(write_journal(tmp_path)), "--store", str(tmp_path / "store"))
    assert_one_sentence(done, 1, "Loki does not answer", "refused", "trying again", "Nothing was pushed")
    assert len(done.stderr.splitlines()) == 2


def test_a_loki_that_goes_away_is_waited_for():
    class Leaving(StrictLoki):
        asked = 0

        def answer(self, body, headers):
            self.asked += 1
            if 2 <= self.asked <= 6:
                raise ConnectionAbortedError
            return super().answer(body, headers)

    with Leaving() as server:
        sources = [made(LINES), made(LINES, name="b.service")]
        assert push(server, sources).accepted == 100


def test_a_push_that_ends_early_names_what_is_in_and_how_to_continue(tmp_path):
    class Closing(StrictLoki):
        def answer(self, body, headers):
            return (401, b"token expired") if len(self.paths) == 1 else super().answer(body, headers)

    source = ["--file", str(write_journal(tmp_path)), "--store", str(tmp_path / "store")]
    with Closing() as server:
        done = run("export", "loki", "--url", server.url, *source)
        assert_one_sentence(done, 1, "token expired", "accepted 4 lines", "--resume")
        rest = run("export", "loki", "--url", server.url, *source, "--resume")
    assert rest.stdout == "Loki accepted 5 lines, had 4 already and refused 0\n"


def test_reasons_are_grouped_and_whole():
    class Refusing(StrictLoki):
        def answer(self, body, headers):
            bad = b"bad" in body
            text = f'line of {{unit="a"}} at 2026-01-01T00:00:{len(self.paths) % 60:02}Z is not to my taste {"because " * 60}of its form'
            return (400, text.encode()) if bad else super().answer(body, headers)

    lines = ["bad" if n % 10 == 0 else f"good {n}" for n in range(1, 50)]
    with Refusing() as server:
        pushed = push(server, [made(lines)])
    assert (pushed.accepted, pushed.refused) == (45, 4)
    assert list(pushed.reasons.values()) == [4]
    assert next(iter(pushed.reasons)).endswith("because of its form")


def test_lines_that_are_too_old_have_one_reason_and_what_helps():
    old = [made([f"l {n}" for n in range(100)], start=datetime.now(UTC) - timedelta(days=30), name=f"{n}.service") for n in range(3)]
    with StrictLoki(oldest=WEEK) as server:
        pushed = push(server, old)
    assert pushed.refused == 300
    ((reason, number),) = pushed.reasons.items()
    assert number == 300
    assert "reject_old_samples" in reason
    assert "--since 6d" in reason


@pytest.mark.parametrize("option", [("--tenant", "a\nb"), ("--tenant", "é"), ("--token-file", "token")])
def test_what_cannot_be_sent_in_a_header_is_refused(tmp_path, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("a\nb")
    source = ["--file", str(write_journal(tmp_path)), "--store", str(tmp_path / "store")]
    assert_one_sentence(run("export", "loki", "--url", "http://127.0.0.1:1", *source, *option), 2, "printable ASCII")


def test_an_interrupted_push_names_resume(tmp_path, monkeypatch):
    from forensics.export.loki_client import LokiClient

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(LokiClient, "send", interrupted)
    done = run("export", "loki", "--url", "http://127.0.0.1:1", "--file", str(write_journal(tmp_path)), "--store", str(tmp_path / "store"))
    assert_one_sentence(done, 130, "Interrupted", "Nothing was pushed")
    assert "Run the command again" not in done.stderr
