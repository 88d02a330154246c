"""A user's TOML file: every mistake at once, with its line and without the value, which may be a secret."""

from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.toml_file import Table, UnreadableError, format_mistakes, parse_toml, read_toml, refuse_mistakes

FILE = Path("x.toml")
TEXT = """\
name = "secret-value"   # [not.a.heading]
story = '''
flag = "a line of a string"
'''
more = "it's # no comment"
flag = "secret-value"
"quoted" = 1
[one]
kind = "secret-value"
[[row]]
text = "a"
[[row]]
text = 3
[row.inner]
deep = 1
"""


def mistakes(table: Table) -> list[str]:
    return [str(mistake) for mistake in table.mistakes]


def test_each_mistake_has_its_line_and_no_value():
    table = parse_toml(FILE, TEXT)
    table.boolean("flag")
    table.boolean("quoted")
    table.strings("name")
    table.table("one").choice("kind", ("a", "b"))
    for row in table.tables("row"):
        row.string("text")
        row.refuse_unknown_keys(["text"])
    assert mistakes(table) == [
        "x.toml:6: flag: must be true or false",
        "x.toml:7: quoted: must be true or false",
        "x.toml:1: name: must be a list of strings, none of them empty",
        "x.toml:9: one.kind: must be one of a, b",
        "x.toml:13: row[1].text: must be a non-empty string",
        "x.toml:14: row[1].inner: unknown key; expected text",
    ]
    assert "secret" not in str(mistakes(table))


def test_what_is_missing_is_reported_at_the_table_around_it():
    table = parse_toml(FILE, TEXT)
    table.string("other")
    table.tables("row")[1].table("inner").string("other")
    table.table("nowhere").string("other")
    inline = parse_toml(FILE, "\nrow = [{}, {}]")
    inline.tables("row")[1].string("other")
    assert mistakes(inline) == ["x.toml:2: row[1].other: is missing"]
    assert mistakes(table) == [
        "x.toml: other: is missing",
        "x.toml:14: row[1].inner.other: is missing",
        "x.toml: nowhere.other: is missing",
    ]


def test_a_default_is_not_a_mistake():
    table = parse_toml(FILE, "")
    assert (table.string("a", ""), table.strings("b", ("x",)), table.boolean("c", default=False), table.choice("d", ("y",), "y")) == (
        "", ("x",), False, "y",
    )  # fmt: skip
    assert (table.table("e").values, table.tables("f"), table.mistakes) == ({}, (), [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('a = "x"', "a list of tables is expected"),
        ("a = [1]", "a list of other things"),
        ("[a]", "one table instead of several"),
    ],
)
def test_tables_are_written_with_two_brackets(text, reason):
    table = parse_toml(FILE, text)
    assert table.tables("a") == (), reason
    assert mistakes(table) == ["x.toml:1: a: must be written as [[a]]"]


def test_a_table_is_not_a_value():
    table = parse_toml(FILE, "a = 3\n")
    assert table.table("a").values == {}
    assert mistakes(table) == ["x.toml:1: a: must be a table: [a]"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = 1\nb = \n", "x.toml:2: is not TOML: "),
        (b"a = 1\nb = '\xff'\n", "x.toml:2: is not UTF-8 at byte 11"),
        (b"a = '", "x.toml: is not TOML: "),
        (b"a = " + b"9" * 5000, "x.toml: is not TOML: "),
        (b"a = " + b"[" * 5000, "x.toml: is not TOML: "),
        (None, "x.toml: cannot be read: No such file or directory."),
    ],
)
def test_what_is_not_toml_is_refused_with_its_line(tmp_path, content, words):
    if content is not None:
        (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(UnreadableError) as refusal:
        read_toml(tmp_path / "x.toml")
    assert str(refusal.value).startswith(f"{tmp_path}/{words}")


def test_all_mistakes_are_one_message():
    table = parse_toml(FILE, "a = 1\n")
    refuse_mistakes(table)
    table.refuse("a", "is wrong")
    assert format_mistakes(table.mistakes, "x") == "1 mistake in x:\n  x.toml:1: a: is wrong"
    table.refuse("", "is wrong as a whole")
    with pytest.raises(UsageError, match=r"^2 mistakes in x\.toml:\n  x\.toml:1: a: is wrong\n  x\.toml: is wrong as a whole$"):
        refuse_mistakes(table)


def test_a_key_cannot_write_to_the_terminal():
    table = parse_toml(FILE, '"\\u001b[31m" = 1\n')
    table.refuse_unknown_keys([])
    assert mistakes(table) == ["x.toml: \\x1b[31m: unknown key; expected "]


@pytest.mark.parametrize("text", ['"""x"""""', "'''x'''''", '""', '""""""', "'''\nflag = 1\n'''", '"""\\"""\nflag = 1"""'])
def test_a_key_after_a_string_that_ends_in_quotes_has_its_line(text):
    table = parse_toml(FILE, f"a = {text}\nflag = 3  # '\n")
    table.boolean("flag")
    assert mistakes(table) == [f"x.toml:{text.count(chr(10)) + 2}: flag: must be true or false"]
