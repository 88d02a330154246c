"""Single [[tables]] of a TOML text are changed; every other character stays."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.classes import toml_edit

QUOTED = '"""a ""quoted"" end"""""'
TEXT = f"""\
# of the file
[[rename]] # first
id = "a.b"
title = "x"   # keep
# about the wheel
[[merge]]
into = 'mined:a'
ids = [ # two of them
  "mined:b", # the old one
  "mined:c",
] # end of ids

[[pin]]
id = "p"
name = "n"
kind = "line"
text = '''
[[pin]]
id = "not a table"
# not a comment
'''
root = {QUOTED}
[[rename]]
title = "second"
id = "c"
# end"""


def tables(text=TEXT):
    found = toml_edit.table_texts(text)
    assert found is not None
    return found


def comments(text):
    return [line.partition("# ")[2] for line in text.splitlines() if "# " in line and line != "# not a comment"]


def test_the_tables_are_found_in_their_order_with_their_keys():
    assert [(table.name, list(table.keys)) for table in tables()] == [
        ("rename", ["id", "title"]), ("merge", ["into", "ids"]), ("pin", ["id", "name", "kind", "text", "root"]),
        ("rename", ["title", "id"]),
    ]  # fmt: skip
    assert tomllib.loads(TEXT)["pin"][0]["root"] == 'a ""quoted"" end""'


@pytest.mark.parametrize("number", range(4))
def test_a_removed_table_leaves_its_comments_and_all_others(number):
    table = tables()[number]
    text = toml_edit.removed(TEXT, table)
    assert comments(text) == comments(TEXT)
    assert [other.name for other in tables(text)] == [other.name for at, other in enumerate(tables()) if at != number]
    kept = {name: rows for name, rows in tomllib.loads(TEXT).items() if name != table.name}
    assert {name: rows for name, rows in tomllib.loads(text).items() if name in kept} == kept


def test_a_changed_value_stays_where_it_is_with_the_comment_behind_it():
    assert toml_edit.changed(TEXT, tables()[0], {"title": "y"}) == TEXT.replace('title = "x"   # keep', 'title = "y"   # keep')


def test_a_key_is_added_or_removed_within_its_table():
    text = toml_edit.changed(TEXT, tables()[2], {"text": "new", "root": None, "last": "z"})
    assert tomllib.loads(text)["pin"] == [{"id": "p", "name": "n", "kind": "line", "text": "new", "last": "z"}]
    assert comments(text) == comments(TEXT)
    assert text.startswith(TEXT[: TEXT.index("[[pin]]")])
    assert text.endswith(TEXT[TEXT.rindex("[[rename]]") :])


def test_a_file_with_other_line_ends_keeps_them():
    text = toml_edit.appended(TEXT.replace("\n", "\r\n"), "rename", {"id": "d", "title": "t"})
    assert text.count("\n") == text.count("\r\n")
    assert tomllib.loads(text)["rename"][-1] == {"id": "d", "title": "t"}
    text = toml_edit.removed(text, tables(text)[1])
    assert text.count("\n") == text.count("\r\n")
    assert "merge" not in tomllib.loads(text)


@pytest.mark.parametrize("text", ["a = 1", "[merge]\ninto = 'x'", "merge = [{into = 'x', ids = ['y']}]", "[[merge]]\nat = 1979-05-27"])
def test_other_toml_is_not_taken_for_tables(text):
    tomllib.loads(text)
    assert toml_edit.table_texts(text) is None


values = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(st.sampled_from(["merge", "pin", "rename"]), values, values), max_size=6), st.integers(0, 5), values)
def test_whatever_the_values_are_only_the_meant_table_changes(rows, number, value):
    text = "# top"
    for name, first, second in rows:
        text = toml_edit.appended(text, name, {"id": first, "ids": [second, first]}) + f"# {name}\n"
    found = tables(text)
    assert [(table.name, text[table.keys["id"].value : table.keys["id"].end]) for table in found] == [
        (name, toml_edit.toml_value(first)) for name, first, _ in rows
    ]
    if number < len(rows):
        name, _, second = rows[number]
        after = [*rows[:number], (name, value, second), *rows[number + 1 :]]
        changed = toml_edit.changed(text, found[number], {"id": value})
        assert [table["id"] for name in ("merge", "pin", "rename") for table in tomllib.loads(changed).get(name, [])] == [
            first for name in ("merge", "pin", "rename") for kind, first, _ in after if kind == name
        ]
        assert toml_edit.removed(text, found[number]).count("# ") >= text.count("# top") + len(rows)
