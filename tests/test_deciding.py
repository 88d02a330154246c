"""What benchmarks.deciding calls right, how it reads cases, and the journal that it makes of one."""

import json
from types import SimpleNamespace

import pytest

from benchmarks import deciding
from benchmarks.deciding import BadCaseError, Case, Tally, judge, read_cases
from benchmarks.deciding_journal import ATTEMPTS, journal_of
from forensics.explain.records import journal_records
from forensics.model import systemd
from forensics.resources import folder
from forensics.signatures.catalogue import load

PORT = Case("1", "text", ("port.conflict", "network.*"), ("bind: address already in use",))
BY_LINE = Case("2", "text", (), ("it broke",))
CALM = Case("3", "text", (), ())
IN_USE = "nginx[1]: bind:  address already in use"


@pytest.mark.parametrize(
    ("case", "class_", "is_known", "line", "verdict"),
    [
        (PORT, "port.conflict", True, "another line", deciding.RIGHT),
        (PORT, "network.timeout", True, "another line", deciding.RIGHT),
        (PORT, "disk.full", True, IN_USE, deciding.WRONG),
        (PORT, "mined:1", False, IN_USE, deciding.USEFUL),
        (PORT, "mined:1", False, "another line", deciding.MISSED),
        (PORT, "mined:1", False, "", deciding.MISSED),
        (PORT, None, False, "", deciding.SILENT),
        (BY_LINE, "mined:1", False, "app[1]: it broke", deciding.RIGHT),
        (BY_LINE, "mined:1", False, "all is well", deciding.MISSED),
        (BY_LINE, "disk.full", True, "it broke", deciding.RIGHT),
        (BY_LINE, "disk.full", True, "all is well", deciding.WRONG),
        (CALM, None, False, "", deciding.QUIET),
        (CALM, "mined:1", False, "it broke", deciding.NAMED),
    ],
)
def test_an_answer_is_judged_by_class_then_by_line(case, class_, is_known, line, verdict):
    assert judge(case, class_, is_known, line) == verdict


def test_shares_are_of_the_failures_and_quiet_ones_are_counted_beside_them():
    tally = Tally()
    answers = [
        (PORT, deciding.RIGHT, IN_USE),
        (PORT, deciding.USEFUL, IN_USE),
        (PORT, deciding.WRONG, IN_USE),
        (BY_LINE, deciding.SILENT, ""),
    ]
    for case, verdict, line in [*answers, (CALM, deciding.QUIET, ""), (CALM, deciding.NAMED, "it broke")]:
        tally.add(case, deciding.Answer(verdict, "", line))
    assert tally.columns() == ["4", "0.25", "0.50", "0.25", "0.25", "0.00", "0.75", "1 of 2"]


def written(folder, *rows):
    path = folder / "sub" / "cases.jsonl"
    path.parent.mkdir()
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return path


def test_a_case_needs_only_a_text_and_one_string_is_one_line(tmp_path):
    one_line = "it broke\u2028here"  # which str.splitlines would divide
    written(
        tmp_path, {"text": one_line, "line": "it broke", "accept": ["a.b"]}, "", {"id": "x", "text": "calm", "program": "p", "fault": "f"}
    )
    assert list(read_cases(tmp_path)) == [
        Case("sub/cases.jsonl:1", one_line, ("a.b",), ("it broke",)),
        Case("x", "calm", (), (), program="p", fault="f"),
    ]


@pytest.mark.parametrize(
    "row",
    ["{", "[]", {"text": ""}, {"line": "x"}, {"text": "a", "accept": 1}, {"text": "a", "line": ["b", ""]}, {"text": "a", "program": 1}],
)
def test_a_row_that_is_no_case_is_named_and_ends_with_2(tmp_path, capsys, row):
    path = written(tmp_path, {"text": "good"}, row)
    with pytest.raises(BadCaseError, match=r"cases\.jsonl:2: "):
        list(read_cases(tmp_path))
    assert deciding.main([str(tmp_path)]) == 2
    assert f"{path}:2: " in capsys.readouterr().err


def test_a_folder_without_a_case_ends_with_2(tmp_path):
    assert deciding.main([str(tmp_path)]) == 2


PASTED = """\
Nov 27 10:00:00 host systemd[1]: Started web.service - Web.
Nov 27 10:00:01 host web[7]: cannot go on
Nov 27 10:00:01 host systemd[1]: web.service: Main process exited, code=exited, status=1/FAILURE
Nov 27 10:00:01 host systemd[1]: web.service: Failed with result 'exit-code'.
"""


def test_the_journal_of_a_case_has_each_attempt_from_its_start_to_its_restart():
    records = [record.fields for record in journal_records(journal_of(PASTED))]
    kinds = [fields.get("MESSAGE_ID") for fields in records]
    assert [kinds.count(kind) for kind in (systemd.UNIT_STARTED, systemd.UNIT_FAILURE_RESULT, systemd.UNIT_RESTART_SCHEDULED)] == [
        ATTEMPTS
    ] * 3
    assert len({fields["INVOCATION_ID"] for fields in records if "INVOCATION_ID" in fields}) == ATTEMPTS
    assert [fields["MESSAGE"] for fields in records].count("cannot go on") == ATTEMPTS
    times = [int(fields["__REALTIME_TIMESTAMP"]) for fields in records]
    assert times == sorted(times)


LOOPING = """\
Nov 27 10:00:00 host systemd[1]: web.service: Failed with result 'exit-code'.
Nov 27 10:00:05 host systemd[1]: web.service: Scheduled restart job, restart counter is at 7.
Nov 27 10:00:05 host web[4711]: 10:00:05 [4711] listens on 4711
Nov 27 10:00:05 host systemd[1]: Started web.service - Web.
Nov 27 10:00:06 host web[4711]: cannot go on
Nov 27 10:00:06 host systemd[1]: web.service: Main process exited, code=exited, status=1/FAILURE
Nov 27 10:00:06 host systemd[1]: web.service: Failed with result 'exit-code'.
"""


def test_a_text_cut_from_a_loop_becomes_one_loop_of_whole_attempts():
    records = [record.fields for record in journal_records(journal_of(LOOPING))]
    kinds = [fields.get("MESSAGE_ID") for fields in records]
    assert [kinds.count(kind) for kind in (systemd.UNIT_STARTED, systemd.UNIT_FAILURE_RESULT)] == [ATTEMPTS] * 2
    restarts = [fields for fields in records if fields.get("MESSAGE_ID") == systemd.UNIT_RESTART_SCHEDULED]
    assert [fields["N_RESTARTS"] for fields in restarts] == ["1", "2", "3", "4"]
    assert restarts[1]["MESSAGE"].endswith("restart counter is at 2.")


def test_process_ids_and_times_differ_from_attempt_to_attempt_and_the_last_one_is_as_in_the_text():
    lines = [fields for fields in (record.fields for record in journal_records(journal_of(LOOPING))) if "listens" in fields["MESSAGE"]]
    assert [line["MESSAGE"] for line in lines[-2:]] == ["10:00:04 [4704] listens on 4704", "10:00:05 [4711] listens on 4711"]
    assert [line["_PID"] for line in lines[-2:]] == ["4704", "4711"]


def test_the_journal_of_a_quiet_case_has_no_end_that_the_text_does_not_show():
    without_end = "\n".join(PASTED.splitlines()[:2])
    ends = [b"UNIT_RESULT=exit-code" in journal_of(without_end, fails=fails) for fails in (True, False)]
    assert ends == [True, False]


def test_a_report_of_that_journal_gives_the_class_of_the_catalogue_and_the_line():
    text = PASTED.replace("cannot go on", "OSError: [Errno 28] No space left on device: '/var/lib/web/data'")
    case = Case("4", text, ("disk.full",), ("No space left on device",))
    answer = deciding.by_report(case, load([folder("patterns")]))
    assert (answer.verdict, answer.signature) == (deciding.RIGHT, "disk.full")
    assert deciding.is_wanted(case.lines, answer.line)


def test_without_an_incident_the_main_isolated_failure_of_each_unit_is_judged():
    failures = [
        SimpleNamespace(unit=unit, signature=class_) for unit, class_ in (("a", "port.conflict"), ("a", "disk.full"), ("b", "mined:1"))
    ]
    loop = SimpleNamespace(classes=[SimpleNamespace(signature="process.killed"), SimpleNamespace(signature="mined:2")])
    assert deciding.main_classes(SimpleNamespace(incidents=[], isolated=failures)) == ["port.conflict", "mined:1"]
    assert deciding.main_classes(SimpleNamespace(incidents=[loop], isolated=failures)) == ["process.killed"]


def test_an_end_without_a_line_counts_as_the_class_whose_words_it_has():
    killed = Case("6", "text", ("process.killed",), ())
    patterns = load([folder("patterns")])
    shown = [deciding.class_shown(killed, id_, patterns) for id_ in ("exit:signal/9", "exit:exit-code/137", "exit:signal/11", "mined:1")]
    assert shown == ["process.killed", "process.killed", "exit:signal/11", "mined:1"]


def test_a_text_without_a_service_has_no_report():
    assert deciding.by_report(Case("5", "Nov 27 10:00:00 host kernel: NVRM: a line of the kernel", (), ("NVRM",)), load([])) is None
