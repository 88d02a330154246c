"""Random fields, lines and configuration: `report`, `watch` and the readers of TOML take them, or refuse them in one sentence."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.classes.overrides import read_overrides
from forensics.errors import ForensicsError
from forensics.journal.json_lines import table_of
from forensics.pipeline import investigate
from forensics.query import Query, Sources
from forensics.report import REPORTERS
from forensics.resources import folder
from forensics.sanitize import sanitized
from forensics.signatures import catalogue
from forensics.watch.config import read_config
from tests.export.failing_unit import INVOCATION
from tests.watch.live import watching
from tests.watch.streams import rows_of

PORTION = 3  # entries that come at once: an attempt is in several portions, and a portion in several attempts
SOME = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
FRAGMENTS = st.sampled_from(
    [
        "Traceback (most recent call last):\n",
        '  File "x", line 1, in f\n',
        "ValueError: ",
        "password=",
        "\x1b[31m",
        "\x9d",
        "\u202e",
        "\n",
        "\0",
        "restart counter is at ",
        "[ALPM] upgraded ",
        "COMMAND=",
        "=1+1",
        "<script>",
        "{",
        "%s",
        "error",
        " ",
        "\ud800",
    ]
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(st.one_of(FRAGMENTS, st.text(max_size=9)), max_size=12).map("".join))
NAMES = st.one_of(
    st.sampled_from(
        [
            "MESSAGE",
            "MESSAGE_ID",
            "PRIORITY",
            "UNIT",
            "_PID",
            "N_RESTARTS",
            "EXIT_STATUS",
            "EXIT_CODE",
            "UNIT_RESULT",
            "SYSLOG_IDENTIFIER",
            "_TRANSPORT",
            "_COMM",
            "_UID",
            "_SYSTEMD_UNIT",
            "INVOCATION_ID",
            "__REALTIME_TIMESTAMP",
            "N_DROPPED",
            "ERRNO",
            "COREDUMP_PID",
        ]
    ),
    st.from_regex(r"[A-Z_][A-Z0-9_]{0,20}", fullmatch=True),
)
FIELDS = st.dictionaries(NAMES, TEXTS, max_size=4)
TOML_WORDS = st.sampled_from(
    [
        "[match]\n",
        "[[example]]\n",
        'message = "a"\n',
        "units = [",
        "]\n",
        "[sinks.x]\n",
        'type = "webhook"\n',
        'url = "http://x"\n',
        "id = ",
        '"""',
        "'''",
        "=",
        "\n",
        "{",
        "}",
        "1",
        "nan",
        "true",
        "1979-05-27",
        "[[class]]\n",
        'listen = "x:1"\n',
        "severity = 5\n",
        '"\\u0000"',
        "#",
        "[" * 200,
    ]
)
TOML = st.lists(st.one_of(TOML_WORDS, st.text(max_size=9)), max_size=15).map("".join)


@pytest.fixture(scope="module")
def known():
    return catalogue.load((folder("patterns"),))


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return rows_of(tmp_path_factory.mktemp("rows"), restarts=1)


def _with(rows, changes):
    """Replace fields of some entries by random ones; lone surrogates are what bytes that are not UTF-8 become."""
    changed = [row | changes[number % len(changes)] if number % 2 else row for number, row in enumerate(rows)]
    return [
        row | {"MESSAGE": changes[-1].get("MESSAGE", "")} if row.get("INVOCATION_ID", "").startswith(INVOCATION) else row for row in changed
    ]


@SOME
@given(changes=st.lists(FIELDS, min_size=1, max_size=6))
def test_report_takes_any_fields(tmp_path_factory, rows, changes):
    directory = tmp_path_factory.mktemp("fuzz")
    (directory / "journal.json").write_text("".join(json.dumps(row) + "\n" for row in _with(rows, changes)))
    query = Query(Sources((), (directory / "journal.json",)), directory / "store", datetime.now(UTC))
    with suppress(ForensicsError):
        report = sanitized(investigate(query), redact=True)
        assert REPORTERS["json"] is not None
        json.dumps(str(report))


class _State:
    """A state that keeps nothing."""

    queue = None

    def commit(self, *_):
        return ()

    def reported_invocations(self):
        return []


@SOME
@given(changes=st.lists(FIELDS, min_size=1, max_size=6))
def test_watch_takes_any_fields(rows, changes, known):
    sentences = []
    watch = watching(_State(), None, known, say=sentences.append)
    now = 1000.0
    fuzzed = [row | {"__CURSOR": f"c{number}"} for number, row in enumerate(_with(rows, changes))]
    for number in range(0, len(fuzzed), PORTION):
        portion = fuzzed[number : number + PORTION]
        watch.stream.feed(table_of(portion, [1] * len(portion), "live", number), now)
        now += 1.0
    watch.stream.settle(now + 10)
    assert sentences == []


@SOME
@given(text=TOML)
@pytest.mark.parametrize("read", [read_config, read_overrides])
def test_configuration_is_read_or_refused(tmp_path_factory, read, text):
    file = tmp_path_factory.mktemp("toml") / "file.toml"
    file.write_bytes(text.encode(errors="surrogatepass"))
    with suppress(ForensicsError):
        read(file)


@SOME
@given(text=TOML)
def test_patterns_are_read_or_refused(tmp_path_factory, text):
    directory = tmp_path_factory.mktemp("patterns")
    (directory / "a").mkdir()
    (directory / "a" / "b.toml").write_bytes(text.encode(errors="surrogatepass"))
    with suppress(ForensicsError):
        catalogue.load((folder("patterns"), directory))
