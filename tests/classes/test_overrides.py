"""The user's overrides: written so that they can be read again, undone without touching anything else, and applied to labels."""

from __future__ import annotations

import os
import tomllib
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.classes import overrides
from forensics.errors import UsageError
from forensics.signatures import label, naming
from forensics.signatures.pattern import Catalogue
from tests.signatures.making import attempt, attempts_frame, event, events_frame


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tabby-forensics" / "classes.toml"


def labelled():
    attempts = attempts_frame(attempt(0), attempt(1))
    return label(events_frame(event("ERROR: wheel broken"), event("ERROR: axle bent", number=1)), attempts, Catalogue(()))


def test_without_a_file_nothing_is_decided(file):
    assert overrides.read_overrides(file) == overrides.Overrides()
    found = labelled()
    assert overrides.apply_overrides(found, overrides.read_overrides(file)) is found


def test_merged_classes_are_shown_as_one_and_split_undoes_it(file):
    first, second = labelled().labels["signature"].to_list()
    overrides.merge(file, first, (second,))
    shown = overrides.apply_overrides(labelled(), overrides.read_overrides(file))
    assert shown.labels["signature"].to_list() == [first, first]
    assert second not in shown.signatures
    assert shown.labels.schema == labelled().labels.schema
    assert overrides.split(file, second) == 1
    assert overrides.apply_overrides(labelled(), overrides.read_overrides(file)).labels.equals(labelled().labels)


def test_a_merge_of_merges_ends_at_the_last(file):
    overrides.merge(file, "mined:b", ("mined:a",))
    overrides.merge(file, "mined:c", ("mined:b",))
    assert overrides.read_overrides(file).shown_as("mined:a") == "mined:c"
    with pytest.raises(UsageError, match="split"):
        overrides.merge(file, "mined:a", ("mined:c",))


def test_a_new_title_is_shown_and_replaced_by_the_next(file):
    first = labelled().labels["signature"][0]
    overrides.rename(file, first, "The wheel")
    overrides.rename(file, first, "The front wheel")
    assert overrides.apply_overrides(labelled(), overrides.read_overrides(file)).signatures[first].title == "The front wheel"
    assert file.read_text().count("\n[[rename]]") == 1


def test_a_pinned_class_is_found_by_its_line_when_masks_change(file):
    now = naming.mined(pl.DataFrame({"event": [0], "kind": ["line"], "text": ["ERROR: wheel broken"], "root": [None], "last": [None]},
                                    schema_overrides={"root": pl.String, "last": pl.String}))["signature"].item()  # fmt: skip
    overrides.pin(file, "mined:of-an-older-version", "Our wheel", {"kind": "line", "text": "ERROR: wheel broken", "root": None})
    read = overrides.read_overrides(file)
    assert read.shown_as(now) == "mined:of-an-older-version"
    shown = overrides.apply_overrides(labelled(), read)
    assert shown.signatures["mined:of-an-older-version"].title == "Our wheel"
    assert read.pinned == {"mined:of-an-older-version"}


def test_comments_and_other_tables_survive_every_change(file):
    file.parent.mkdir(parents=True)
    file.write_text(
        '# mine\n[[rename]]\nid = "a.b"\ntitle = "x"\n# about the wheel\n[[merge]]\ninto = "mined:a"\nids = ["mined:b"]\n# end\n'
    )
    overrides.rename(file, "mined:z", "z")
    overrides.split(file, "mined:b")
    text = file.read_text()
    assert [line for line in text.splitlines() if line.startswith("#")] == ["# mine", "# about the wheel", "# end"]
    assert [row["id"] for row in tomllib.loads(text)["rename"]] == ["a.b", "mined:z"]
    assert "merge" not in tomllib.loads(text)


OF_THE_USER = """\
# mine
[[rename]] # the wheel
id = "a.b"
title = "x"  # short for wheel
[[pin]]
id = "mined:p"
name = "pinned"
kind = "line"
text = '''
[[pin]]
# not a comment
'''
[[merge]]
# why they are one
into = "mined:a"
ids = ["mined:b"]
[[rename]]
id = "c"
title = "y"
"""


@pytest.fixture
def users(file):
    file.parent.mkdir(parents=True)
    file.write_text(OF_THE_USER)
    return file


def test_a_title_changes_where_it_is(users):
    overrides.rename(users, "a.b", "The wheel")
    assert users.read_text() == OF_THE_USER.replace('title = "x"', 'title = "The wheel"')


def test_a_class_is_pinned_again_where_it_is(users):
    overrides.pin(users, "mined:p", "ours", {"kind": "traceback", "text": "a", "root": "b", "last": None})
    before, _, rest = OF_THE_USER.partition("[[pin]]")
    assert users.read_text().startswith(before)
    assert users.read_text().endswith(rest[rest.index("[[merge]]") :])
    assert tomllib.loads(users.read_text())["pin"] == [{"id": "mined:p", "name": "ours", "kind": "traceback", "text": "a", "root": "b"}]


def test_a_comment_in_a_table_that_is_split_stays(users):
    assert overrides.split(users, "mined:a") == 1
    assert users.read_text() == OF_THE_USER.replace("[[merge]]\n", "").replace('into = "mined:a"\nids = ["mined:b"]\n', "")


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o440])
def test_the_file_keeps_its_mode(users, mode):
    users.chmod(mode)
    overrides.rename(users, "mined:z", "z")
    assert users.stat().st_mode & 0o777 == mode


def test_a_new_file_is_the_users_own(file):
    overrides.rename(file, "mined:z", "z")
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_that_root_changes_stays_its_owners(users):
    os.chown(users, 65534, 65534)
    overrides.rename(users, "mined:z", "z")
    assert (users.stat().st_uid, users.stat().st_gid) == (65534, 65534)


def test_changes_at_once_are_all_kept(file):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: overrides.rename(file, f"mined:{number}", "z"), range(24)))
    assert len(overrides.read_overrides(file).titles) == 24


def test_tables_that_cannot_be_changed_in_place_are_refused_and_stay(file):
    file.parent.mkdir(parents=True)
    file.write_text(inline := 'merge = [{into = "mined:a", ids = ["mined:b"]}]\n')
    for change in (lambda: overrides.split(file, "mined:a"), lambda: overrides.merge(file, "mined:c", ("mined:d",))):
        with pytest.raises(UsageError, match=r"write its tables as \[\[merge\]\]"):
            change()
    assert file.read_text() == inline


def test_every_mistake_of_the_file_is_reported(file):
    file.parent.mkdir(parents=True)
    file.write_text('[[merge]]\ninto = 3\n[[pin]]\nid = "a"\nname = "b"\nkind = "line"\ntext = "x"\ncolour = "red"\n[[join]]\n')
    with pytest.raises(UsageError) as refusal:
        overrides.read_overrides(file)
    for words in (":2: merge[0].into", ":1: merge[0].ids", ":8: pin[0].colour", ":9: join", str(file)):
        assert words in str(refusal.value)


@given(st.text(min_size=1).filter(lambda text: text.isprintable() or True))
def test_any_text_is_kept_as_it_is(tmp_path_factory, text):
    text = text.encode("utf-8", "backslashreplace").decode()
    file = tmp_path_factory.mktemp("decided") / "classes.toml"
    overrides.rename(file, "mined:a", text)
    overrides.rename(file, "mined:b", "other")
    assert overrides.read_overrides(file).titles == {"mined:a": text, "mined:b": "other"}
