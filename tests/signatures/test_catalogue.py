"""The loader names every mistake of a pattern file; `check` finds examples that do not match as they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.signatures import catalogue

GOOD = """
id            = "area.good"
title         = "Something known"
severity      = "high"
restart_helps = false
cause         = "because"
remedy        = "do this"
references    = ["a manual"]
[match]
message = '''broken (?P<part>\\w+)'''
[[example]]
message  = "broken wheel"
captures = { part = "wheel" }
[[counterexample]]
message = "unbroken"
why     = "nothing is broken"
"""


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        file = tmp_path / "patterns" / "area" / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "patterns"


def variant(name: str, *replacements: tuple[str, str]) -> str:
    text = GOOD.replace("area.good", f"area.{name}")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_pattern_file_becomes_a_pattern(tmp_path: Path) -> None:
    (pattern,) = catalogue.load([folder(tmp_path, good=GOOD)]).patterns
    assert (pattern.id, pattern.title, pattern.severity, pattern.restart_helps) == ("area.good", "Something known", "high", False)
    assert pattern.messages == ("broken (?P<part>\\w+)",)
    assert pattern.signature.references == ("a manual",)
    assert pattern.file.name == "good.toml"


def test_a_good_catalogue_passes_its_checks(tmp_path: Path) -> None:
    assert catalogue.check(catalogue.load([folder(tmp_path, good=GOOD)])) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"area.good"', '"area.other"', "id: is 'area.other', but the file's path gives 'area.good'"),
        ('"high"', '"dire"', "severity: must be one of critical, high, medium, low, info"),
        ("= false", '= "no"', "restart_helps: must be true or false"),
        ('cause         = "because"', "", "cause: is missing"),
        ('"do this"', '"  "', "remedy: must be a non-empty string"),
        ("references    =", "refs =", "refs: unknown key; expected id, title"),
        ('references    = ["a manual"]', "references = [3]", "references: must be a string or a list of strings"),
        ("broken (?P", "broken ((?P", "match.message: 'broken ((?P<part>\\\\w+)' does not compile: unclosed group"),
        ("broken (?P", "(?=x)broken (?P", "look-around, including look-ahead and look-behind, is not supported"),
        ("[match]", '[match]\nexit_status = "3"', "match.exit_status: must be a number"),
        ("[match]", '[match]\nkind = "verse"', "match.kind: must be one of line, traceback, manager, kernel, coredump"),
        ("[match]", "[match]\nunit = 'x'", "match.unit: unknown key"),
        ('captures = { part = "wheel" }', "captures = 3", "example[0].captures: must be a table"),
        ('why     = "nothing is broken"', "", "counterexample[0].why: is missing"),
        ('message  = "broken wheel"', "", "example[0].message: is missing"),
        ("[[counterexample]]", "[[counterexamples]]", "counterexample: at least one [[counterexample]] is needed"),
        ('why     = "nothing is broken"', "[counterexample.deeper]\nx = 1", "good.toml:16: counterexample[0].deeper: unknown key"),
        ("captures = {", "unknown = 1\ncaptures = {", "good.toml:13: example[0].unknown: unknown key"),
        ("[match]", "explains = ['no.such']\n[match]", "explains: there is no pattern 'no.such'"),
    ],
)
def test_a_mistake_is_reported_with_file_and_key(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    with pytest.raises(UsageError) as refusal:
        catalogue.load([folder(tmp_path, good=GOOD.replace(old, new, 1))])
    assert words in str(refusal.value)
    assert "good.toml" in str(refusal.value)


def test_all_mistakes_of_all_files_are_reported_at_once_with_their_lines(tmp_path: Path) -> None:
    one = variant("one", ('"high"', '"dire"'), ('"because"', '""'))
    two = "id = \n"
    with pytest.raises(UsageError) as refusal:
        catalogue.load([folder(tmp_path, one=one, two=two, three=variant("three"))])
    text = str(refusal.value)
    assert text.startswith("3 mistakes")
    assert "one.toml:4: severity" in text
    assert "one.toml:6: cause" in text
    assert "two.toml:1: is not TOML" in text
    assert "three.toml" not in text


def test_a_pattern_that_a_restart_helps_says_when_or_fails_the_check(tmp_path: Path) -> None:
    when = 'restart_helps = true\nrestart_helps_when = "once the wheel is round"'
    said = variant("said", ("restart_helps = false", when), ("broken (?P", "said broken (?P"), ('"broken', '"said broken'))
    unsaid = variant(
        "unsaid", ("restart_helps = false", "restart_helps = true"), ("broken (?P", "un broken (?P"), ('"broken', '"un broken')
    )
    root = folder(tmp_path, said=said, unsaid=unsaid)
    assert [pattern.signature.restart_helps_when for pattern in catalogue.load([root]).patterns] == ["once the wheel is round", ""]
    (mistake,) = failed_checks(root)
    assert mistake.startswith("unsaid.toml restart_helps_when: is missing")


def test_a_pattern_that_no_restart_helps_says_no_when(tmp_path: Path) -> None:
    wrong = GOOD.replace("restart_helps = false", 'restart_helps = false\nrestart_helps_when = "once the moon is full"')
    with pytest.raises(UsageError, match="restart_helps_when: needs restart_helps = true"):
        catalogue.load([folder(tmp_path, good=wrong)])


def test_a_remedy_that_shows_what_no_message_captures_fails_the_check(tmp_path: Path) -> None:
    good = GOOD.replace('"do this"', '"mend the {part|PART}"')
    bad = variant("bad", ('"do this"', '"mend the {wheel|WHEEL}"'), ("broken (?P", "bad broken (?P"), ('"broken', '"bad broken'))
    root = folder(tmp_path, good=good.replace("broken (?P", "^broken (?P"), bad=bad)
    assert failed_checks(root) == ["bad.toml remedy: shows {wheel|…}, but no message has a group 'wheel'"]


def test_a_file_that_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    root = folder(tmp_path, good=GOOD)
    (root / "area" / "bad.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(UsageError, match=r"bad\.toml:1: is not UTF-8 at byte 9"):
        catalogue.load([root])


def test_a_missing_directory_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a directory"):
        catalogue.load([tmp_path / "none"])


def test_a_later_folder_replaces_a_pattern_of_the_same_id(tmp_path: Path) -> None:
    ours = folder(tmp_path / "ours", good=GOOD)
    theirs = folder(tmp_path / "theirs", good=GOOD.replace("Something known", "Better known"))
    assert [p.title for p in catalogue.load([ours, theirs]).patterns] == ["Better known"]


def failed_checks(root: Path) -> list[str]:
    return [f"{m.file.name} {m.key}: {m.text}" for m in catalogue.check(catalogue.load([root]))]


def test_an_example_that_another_pattern_matches_is_reported(tmp_path: Path) -> None:
    other = variant("other", ("broken (?P<part>\\w+)", "(?P<part>wheel)"), ("unbroken", "none"))
    assert failed_checks(folder(tmp_path, good=GOOD, other=other)) == [
        "good.toml example[0]: also matches area.other",
        "other.toml example[0]: also matches area.good",
    ]


def test_an_example_that_does_not_match_is_reported(tmp_path: Path) -> None:
    assert failed_checks(folder(tmp_path, good=GOOD.replace('"broken wheel"', '"whole wheel"'))) == [
        "good.toml example[0]: does not match its own pattern"
    ]


def test_a_counterexample_that_matches_is_reported_with_its_reason(tmp_path: Path) -> None:
    assert failed_checks(folder(tmp_path, good=GOOD.replace('"unbroken"', '"broken glass"'))) == [
        "good.toml counterexample[0]: matches, but must not: nothing is broken"
    ]


def test_a_capture_that_is_not_as_stated_is_reported(tmp_path: Path) -> None:
    assert failed_checks(folder(tmp_path, good=GOOD.replace('part = "wheel"', 'part = "door"'))) == [
        "good.toml example[0]: captures part = 'wheel', not 'door'"
    ]


def test_an_example_is_an_event_with_the_columns_it_states(tmp_path: Path) -> None:
    by_column = GOOD.replace("[match]", '[match]\nkind = ["manager", "kernel"]\nexit_status = 3')
    assert failed_checks(folder(tmp_path, good=by_column)) == ["good.toml example[0]: does not match its own pattern"]
    stated = by_column.replace("[[example]]", '[[example]]\nkind = "manager"\nexit_status = 3')
    assert failed_checks(folder(tmp_path, good=stated)) == []


def test_a_bad_user_pattern_is_refused_with_all_its_mistakes_and_the_others_load(tmp_path: Path) -> None:
    shipped = folder(tmp_path / "shipped", good=GOOD)
    own = folder(
        tmp_path / "own",
        good=variant("good", ('severity      = "high"', 'severity = "bad"'), ("restart_helps = false", 'restart_helps = "no"')),
        lonely=variant("lonely", ("broken", "lonely"), ('"area.lonely"', '"area.lonely"\nexplains = ["area.nobody"]')),
        fine=variant("fine", ("broken", "fine")),
    )
    loaded = catalogue.load([shipped, own])
    assert [(pattern.id, pattern.severity) for pattern in loaded.patterns] == [("area.fine", "high"), ("area.good", "high")]
    assert loaded.patterns[1].file.is_relative_to(shipped)
    assert sorted((mistake.file.name, mistake.key) for mistake in loaded.refused) == [
        ("good.toml", "restart_helps"), ("good.toml", "severity"), ("lonely.toml", "explains"),
    ]  # fmt: skip


def test_a_shipped_pattern_that_is_bad_stops_the_program(tmp_path: Path) -> None:
    shipped = folder(tmp_path / "shipped", good=variant("good", ('"high"', '"bad"')))
    with pytest.raises(UsageError, match="severity"):
        catalogue.load([shipped, folder(tmp_path / "own", fine=variant("fine", ("broken", "fine")))])


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(("broken (?P", "broken ((?P"), id="an expression that does not compile"),
        pytest.param(("[match]", 'explains = ["area.nobody"]\n[match]'), id="an id that only the whole catalogue shows to be wrong"),
    ],
)
def test_a_user_pattern_with_a_mistake_does_not_take_the_shipped_one_away(tmp_path: Path, mistake: tuple[str, str]) -> None:
    shipped = folder(tmp_path / "shipped", good=GOOD)
    own = folder(tmp_path / "own", good=variant("good", mistake))
    loaded = catalogue.load([shipped, own])
    assert [(pattern.id, pattern.file) for pattern in loaded.patterns] == [("area.good", shipped / "area" / "good.toml")]
    assert [mistake.file for mistake in loaded.refused] == [own / "area" / "good.toml"]
