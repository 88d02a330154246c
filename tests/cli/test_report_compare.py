"""`report --compare` with and without a file, and the report in brief or in full, from the command line."""

import json

import pytest

from forensics.cli.comparing import PREVIOUS, with_value
from tests.attempts.building import Journal
from tests.cli.running import assert_one_sentence, run

WINDOW = ("--since", "2025-12-07 23:00", "--until", "2025-12-08 00:30", "--tz", "UTC")


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    """Return the arguments that read a journal: one failure at 21:31, five others in a row from 23:31 on."""
    folder = tmp_path_factory.mktemp("compared")
    journal = Journal("app.service", "alpha", boot="a" * 32)
    _fails(journal, 0, "OSError: no space left on device", after=60)
    for number in range(1, 6):
        _fails(journal, number, "ValueError: upside down", after=7200 if number == 1 else 2)
    journal.unit = "late.service"
    _fails(journal, 7, "late", after=2)
    journal.writes(f"{8:032}", "serving", after=3000)
    text = "".join(json.dumps(line | {"__CURSOR": f"s={'a' * 32};i={n:x}"}) + "\n" for n, line in enumerate(journal.lines, 1))
    (folder / "app.json").write_text(text)
    return ("report", "--file", str(folder / "app.json"), "--store", str(folder / "store"))


def _fails(journal, number, line, after):
    invocation = f"{number:032}"
    journal.manager("started", invocation, after=0.1, JOB_TYPE="start", JOB_RESULT="done")
    journal.writes(invocation, line, after=after)
    journal.dies(invocation)
    journal.manager("restart", invocation, after=1, N_RESTARTS=str(number + 1))


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["--compare"], ["--compare", PREVIOUS]),
        (["--compare", "--full"], ["--compare", PREVIOUS, "--full"]),
        (["--compare", "-o", "x.html"], ["--compare", PREVIOUS, "-o", "x.html"]),
        (["--compare", "old.json", "--full"], ["--compare", "old.json", "--full"]),
        (["--compare=old.json"], ["--compare=old.json"]),
        (["--since", "7d"], ["--since", "7d"]),
    ],
)
def test_the_value_of_compare_is_optional(words, given):
    assert with_value(words) == given


@pytest.fixture(scope="module")
def earlier(arguments, tmp_path_factory):
    file = tmp_path_factory.mktemp("earlier") / "earlier.json"
    done = run(*arguments, "--since", "2025-12-07 21:00", "--until", "2025-12-07 23:00", "--tz", "UTC", "-o", str(file))
    assert done.returncode == 0, done.stderr
    return file


def test_without_a_file_it_is_the_window_before(arguments):
    done = run(*arguments, *WINDOW, "--compare", "--exit-code", "--format", "json")
    assert done.returncode == 3, done.stderr
    compared = json.loads(done.stdout)["compare"]
    assert compared["before"]["window"] == {"since": "2025-12-07T21:30:00Z", "until": "2025-12-07T23:00:00Z"}
    assert [(row["status"], row["before"], row["now"]) for row in compared["classes"]] == [("new", 0, 5), ("new", 0, 1), ("gone", 1, 0)]
    assert [(row["status"], row["unit"]) for row in compared["incidents"]] == [("new", "app.service"), ("new", "late.service")]


def test_with_a_file_it_is_that_report(arguments, earlier):
    done = run(*arguments, *WINDOW, "--compare", str(earlier), env={"COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert "2 new classes, 1 class gone, 2 new incidents" in text
    assert "The windows are not equally long (2 h and 90 min)" in text.replace("1 h 30 min", "90 min")


def test_nothing_before_is_no_mistake(arguments):
    done = run(*arguments, "--since", "2025-12-07 21:00", "--until", "2025-12-08 00:30", "--tz", "UTC", "--compare")
    assert done.returncode == 0, done.stderr
    assert "There is no earlier data to compare with." in done.stdout


def test_a_unit_that_was_not_there_before_is_no_mistake(arguments):
    done = run(*arguments, *WINDOW, "--compare", "--unit", "late")
    assert done.returncode == 0, done.stderr
    assert "No entry of the window before is about late." in " ".join(done.stdout.split())
    assert "1 new class" in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--compare",), "--compare needs the start of a window"),
        (("--since", "7d", "--file", "-", "--compare"), "standard input can be read once"),
        (("--compare", "missing.json"), "--compare: 'missing.json' cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(arguments, words, sentence):
    assert_one_sentence(run(*arguments, *words), 2, sentence)


def test_a_report_is_brief_unless_all_is_asked_for(arguments):
    brief, full = (run(*arguments, *WINDOW, *more, env={"COLUMNS": "80"}).stdout for more in ((), ("--full",)))
    assert "Method and limits" in full
    assert "Method and limits" not in brief
    assert "--full" in brief
    assert len(brief.splitlines()) <= 60


def test_an_encoding_without_bars_is_no_error(arguments):
    done = run(*arguments, *WINDOW, encoding="ascii")
    assert done.returncode == 0, done.stderr
    assert "app" in done.stdout
