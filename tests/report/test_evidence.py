"""Evidence has one name in every format, shows the whole event, leads to its journal and back to its claim."""

import json
import re
import shlex
from dataclasses import replace
from html import unescape

import pytest

from forensics.errors import UsageError
from forensics.model.values import Asked, Evidence
from forensics.report import REPORTERS, RenderOptions, commands, excerpts, incident_list
from forensics.report.room import MARKDOWN
from forensics.report.sections import quotes
from tests.report import kinds, sample

TRACEBACK = ("Traceback (most recent call last):", '  File "/srv/app.py", line 3, in <module>', "ImportError: libfoo.so", "a note below it")
HOSTILE = "\x1b[31m</pre><script>alert(1)</script>\u202e ```"


def with_context(report):
    """Give every piece of evidence of a report an event and lines around it."""

    def completed(value):
        if isinstance(value, Evidence):
            around = {
                "before": ("one", "two", "three", HOSTILE),
                "event": (*TRACEBACK[:2], value.message, TRACEBACK[3]),
                "after": ("four",),
            }
            return replace(value, **around, decides=2, unit="app.service", manager="system")
        return value

    return mapped(report, completed)


def mapped(value, change):
    changed = change(value)
    if changed is not value or isinstance(value, str):
        return changed
    if hasattr(value, "__dataclass_fields__"):
        fields = {name: mapped(getattr(value, name), change) for name in value.__dataclass_fields__}
        return replace(value, **fields)
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    return tuple(mapped(item, change) for item in value) if isinstance(value, tuple) else value


SEED = replace(with_context(sample.seed()), asked=Asked("--file 'a b.export' --since 2025-11-18T00:00:00Z", (), ("a b.export",)))
PAGES = {name: REPORTERS[name](SEED, RenderOptions(figures=False)) for name in ("md", "html", "json")}


def in_json(value):
    """Yield every piece of evidence of a JSON report."""
    if isinstance(value, dict):
        if "message" in value and "offset" in value:
            yield value
        for item in value.values():
            yield from in_json(item)
    elif isinstance(value, list):
        for item in value:
            yield from in_json(item)


def places(name, text):
    """Return the time and place of each name of evidence in a format."""
    if name == "json":
        whole = json.loads(text)
        found = [row for part in ("incidents", "isolated") for row in in_json(whole[part])]
        return {row["name"]: (row["time"].replace("T", " ").removesuffix("Z")[:19], row["offset"]) for row in found}
    pattern = (
        r"\*\*([\d.]*[EI]\d+)\*\* ([\d-]+ [\d:]+).*? at offset (\d+)"
        if name == "md"
        else r"<b>(.*?)</b> ([\d-]+ [\d:]+) · .*? at offset (\d+)"
    )
    return {evidence: (time, int(offset)) for evidence, time, offset in re.findall(pattern, text)}


@pytest.mark.parametrize("make", [sample.seed, sample.several, kinds.all_kinds, kinds.only_isolated])
def test_evidence_has_one_name_in_every_format(make):
    report = make()
    everything = places("json", REPORTERS["json"](report, RenderOptions()))
    assert None not in everything
    quoted = set()
    for name in ("md", "html"):
        found = places(name, REPORTERS[name](report, RenderOptions(figures=False)))
        assert found
        assert {evidence: everything[evidence] for evidence in found} == found
        quoted |= set(found)
    for name in quoted:
        shown = json.loads(excerpts.show(report, name, "json", RenderOptions()))
        assert (shown["name"], shown["offset"]) == (name, everything[name][1])


def test_a_quote_has_the_whole_event_and_three_lines_before_it():
    quote = re.search(r'<dt id="E1">.*?</dd>', PAGES["html"], re.DOTALL)[0]
    assert "Traceback (most recent call last):" in quote
    assert re.search(r"<b>.*undefined symbol", quote)
    assert '<span class="around">four</span>' in quote
    assert ">one<" not in quote
    assert "two" in quote


def test_text_marks_the_deciding_line():
    block = re.search(r"^\*\*E1\*\*.*?^(`+)text\n(.*?)^\1$", PAGES["md"], re.MULTILINE | re.DOTALL)[2]
    marked = [line for line in block.splitlines() if line.startswith("> ")]
    assert len(marked) == 1
    assert "undefined symbol" in marked[0]
    assert "| Traceback (most recent call last):" in block
    assert "  four" in block


def test_hostile_lines_around_a_quote_are_disarmed():
    assert "<script>alert" not in PAGES["html"]
    for page in PAGES.values():
        assert "\x1b" not in page
        assert "\u202e" not in page
    for block in re.findall(r"^(`{3,})text\n(.*?)^\1$", PAGES["md"], re.MULTILINE | re.DOTALL):
        assert block[0] not in block[1]


def test_each_quote_leads_back_to_its_first_claim():
    ids = set(re.findall(r'id="([^"]+)"', PAGES["html"]))
    heads = re.findall(r'<dt id="(.*?)">(.*?)</dt>', PAGES["html"])
    assert heads
    for name, head in heads:
        (anchor,) = re.findall(r'href="#([^"]+)">back to', head)
        assert anchor in ids
        section = PAGES["html"].split(f'<section id="{anchor}"')[1]
        assert f'href="#{name}"' in section[: section.index(f'<dt id="{name}"')]


def test_each_quote_has_the_command_that_shows_it():
    for name, rest in re.findall(r'<dt id="(.*?)">.*?</dt>(.*?)(?=<dt |</dl>)', PAGES["html"], re.DOTALL):
        command = unescape(re.search(r"<code>(tabby-forensics show .*?)</code>", rest)[1])
        assert shlex.split(command)[2:] == [name, "--file", "a b.export", "--since", "2025-11-18T00:00:00Z"]
        assert command in PAGES["md"]


UNIT = "a b;reboot.service"


@pytest.mark.parametrize(
    ("asked", "file", "manager", "expected"),
    [
        (Asked(), "/var/log/journal/4f2a/system.journal", "system", ["-u", UNIT]),
        (Asked(), "/var/log/journal/4f2a/user-1000.journal", "user:1000", ["--user-unit", UNIT]),
        (Asked("", ("/mnt/a b",)), "/mnt/a b/4f2a/system.journal", "system", ["--directory", "/mnt/a b", "-u", UNIT]),
        (Asked("", (), ("/mnt/x.journal",)), "/mnt/x.journal", "system", ["--file", "/mnt/x.journal", "-u", UNIT]),
        (Asked("", (), ("x.export",)), "x.export", "system", None),
    ],
)
def test_the_line_of_journalctl_is_about_the_unit_and_the_time_and_names_a_copied_journal(asked, file, manager, expected):
    report = replace(sample.seed(), asked=asked)
    evidence = Evidence(sample.START, "line", file, 7, unit=UNIT, manager=manager)
    window = ["--since", "2025-12-07 21:29:50 UTC", "--until", "2025-12-07 21:30:11 UTC", "-o", "short-precise"]
    assert shlex.split(commands.journalctl(report, evidence)) == ([] if expected is None else ["journalctl", *expected, *window])


def test_a_quote_stays_within_its_room_and_keeps_the_deciding_line():
    event = tuple(f"line {k} {'x' * 100}" for k in range(200))
    evidence = Evidence(sample.START, event[150], "f", 1, ("y" * 50_000,), event, ("z" * 50_000,), decides=150)
    quote = quotes.quote(SEED, "E1", evidence, MARKDOWN)
    assert sum(len(line.text.encode()) for line in quote.lines) <= 1.6 * MARKDOWN.quote_bytes
    assert [line.text for line in quote.lines if line.role == "decides"] == [event[150]]


def test_a_part_is_shown_by_number_id_and_unit():
    report = sample.several()
    incident = report.incidents[1]
    shown = {
        excerpts.show(report, wanted, "md", RenderOptions())
        for wanted in ("2", incident.id, incident.unit, incident.unit.removesuffix(".service"))
    }
    assert len(shown) == 1
    assert incident.verdict in shown.pop().replace("\\", "")


def test_an_unknown_name_is_answered_with_what_exists():
    with pytest.raises(UsageError, match=r"There is no 'E99'.*incident 1 \(.*1\.E1 to 1\.E\d+\), incident 2 .*I1"):
        excerpts.show(sample.several(), "E99", "term", RenderOptions())
    with pytest.raises(UsageError, match="no incident"):
        excerpts.show(sample.quiet(), "1", "term", RenderOptions())


def test_a_unit_with_several_incidents_is_asked_for_by_number():
    report = sample.several()
    twice = replace(
        report, incidents=(report.incidents[0], replace(report.incidents[1], unit=report.incidents[0].unit), *report.incidents[2:])
    )
    with pytest.raises(UsageError, match="has 2 incidents: 1, 2; choose one by its number"):
        excerpts.show(twice, report.incidents[0].unit, "term", RenderOptions())


@pytest.mark.parametrize("format_", ["term", "md", "json"])
def test_a_part_has_no_secret_and_no_control_character(format_):
    report = sample.hostile()
    for wanted in ("1", "1.E1"):
        text = excerpts.show(report, wanted, format_, RenderOptions())
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", incident_list.list_incidents(report, format_, RenderOptions()))


def test_the_list_has_what_is_ongoing_first_and_fits_80_columns():
    report = kinds.all_kinds()
    text = incident_list.list_incidents(report, "term", RenderOptions(width=80))
    assert max(map(len, text.splitlines())) <= 80
    ongoing = [str(k) for k, incident in enumerate(report.incidents, 1) if incident.ongoing]
    listed = re.findall(r"^ *(\d+)  \S+\.service", text, re.MULTILINE)
    assert ongoing
    assert listed[: len(ongoing)] == ongoing
    assert len(listed) == len(report.incidents)
    assert f"tabby-forensics show {listed[0]}" in text
    for incident in report.incidents:
        assert incident.classes[0].title[:20] in text or incident.caused_by


def test_the_list_of_nothing_says_so():
    assert "No incident" in incident_list.list_incidents(sample.quiet(), "term", RenderOptions())
    assert json.loads(incident_list.list_incidents(sample.quiet(), "json", RenderOptions()))["incidents"] == []
