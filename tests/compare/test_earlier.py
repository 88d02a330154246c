"""An earlier JSON report is read as it was written; anything else is refused in one sentence."""

import json
from datetime import UTC, datetime

import pytest

from forensics.compare import facts_of, read_earlier
from forensics.compare.fields import READS
from forensics.errors import JournalPermissionError, UsageError
from forensics.report import REPORTERS, RenderOptions
from forensics.report.json_report import SCHEMA_VERSION
from tests.report import kinds, sample

WHOLE = REPORTERS["json"](kinds.all_kinds(), RenderOptions())


@pytest.fixture
def read(tmp_path):
    def read_text(text):
        file = tmp_path / "earlier.json"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_earlier(file)

    return read_text


def changed(**values):
    return json.dumps({**json.loads(WHOLE), **values})


@pytest.mark.parametrize("make", [kinds.all_kinds, sample.seed, sample.several])
def test_a_report_read_again_is_what_was_written(make, read):
    report = make()
    assert read(REPORTERS["json"](report, RenderOptions())) == facts_of(report)


def test_it_reads_the_version_that_is_written():
    assert READS == SCHEMA_VERSION


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        (WHOLE[:5000], "is cut off, or not JSON"),
        (b"\xff\xfe\x00{}", "is not JSON"),
        ("MESSAGE=not json\n", "is not JSON"),
        ("[" * 200_000, "nested too deeply"),
        ('{"schema_version": 1, "window": {"since": NaN}}', "is cut off, or not JSON"),
        ('{"n": ' + "9" * 5000 + "}", "is cut off, or not JSON"),
        ("[1, 2]", "is not a report of this program"),
        ('{"signature": "torch.abi-mismatch"}', "is not a report of this program"),
        (changed(schema_version=2), "was written by a newer version: this one reads schema_version 1"),
        (changed(schema_version="1"), "has an unknown schema_version"),
        (changed(window={"since": None, "until": None}), "has no window"),
        (changed(window={"since": "2026-03-02T00:00:00Z", "until": "2026-03-01T00:00:00Z"}), "has an empty window"),
        (changed(window={"since": "yesterday", "until": "2026-03-01T00:00:00Z"}), "'since' is not a time"),
        (changed(window={"since": "2026-03-01", "until": "2026-03-02T00:00:00Z"}), "'since' is a time without a zone"),
        (changed(window={"since": "0001-01-01T00:00:00+14:00", "until": "2026-03-02T00:00:00Z"}), "'since' is not a time"),
        (changed(failures={"total": -1}), "'total' is not a count"),
        (changed(failures={"total": True}), "'total' is not a count"),
        (changed(failures={"total": 10**30}), "'total' is not a count"),
        (changed(incidents={"a": 1}), "'incidents' is not a list"),
        (changed(incidents=[None]), "'incidents' has something else than objects"),
        (changed(classes=[{"signature": 7, "failures": 1, "restarts": 1}]), "'signature' is not a text"),
        (changed(classes=[{"signature": "x" * 100_000, "failures": 1, "restarts": 1}]), "'signature' is not a text"),
    ],
)
def test_what_is_no_report_is_refused_in_one_sentence(read, text, words):
    with pytest.raises(UsageError, match="--compare") as refused:
        read(text)
    sentence = str(refused.value)
    assert words in sentence
    assert "\n" not in sentence
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="--compare"):
        read_earlier(tmp_path / name)


def test_a_file_of_somebody_else_is_no_mistake_of_the_user(read, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(JournalPermissionError, match="may not be read") as refused:
        read(WHOLE)
    assert refused.value.exit_code == 5


def test_gaps_shorten_what_is_recorded(read):
    found = read(REPORTERS["json"](sample.several(), RenderOptions()))
    assert found.length_s - found.recorded_s == 3600
    assert found.since == datetime(2025, 11, 18, tzinfo=UTC)
