"""A file of profiles is read with every mistake at its line, and written variables are read by systemd as they are."""

import pytest

from forensics.errors import UsageError
from forensics.guard.ladder.profiles import GIB, read_ladder
from forensics.guard.ladder.record import quoted, read_memory

GOOD = """gpus = [0, 1]
held = "5min"
[[profile]]
name = "70b"
gib = [20, 20.5]
environment = { NAME = "70b", CONTEXT = "8192" }
[[profile]]
name = "14b"
gib = 10
environment = { NAME = "14b", CONTEXT = "32768" }
"""


def test_a_file_of_profiles(tmp_path):
    (tmp_path / "l.toml").write_text(GOOD)
    ladder = read_ladder(tmp_path / "l.toml")
    assert [profile.needs for profile in ladder.profiles] == [(20 * GIB, 20 * GIB + GIB // 2), (10 * GIB,)]
    assert (ladder.gpus, ladder.held_s, ladder.wait_s) == ((0, 1), 300.0, 20.0)
    assert ladder.profiles[1].environment == {"NAME": "14b", "CONTEXT": "32768"}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("gpus = [0, 1]", "gpus = [0, 0]", "l.toml:1: gpus: must be a list of the numbers of GPUs"),
        ("gpus = [0, 1]", "gpus = [0]", "l.toml:5: profile[0].gib: must have a number for each of the 1 GPUs"),
        ("[20, 20.5]", '"much"', "l.toml:5: profile[0].gib: must be the GiB"),
        ("[20, 20.5]", "[4, 4]", "l.toml:9: profile[1].gib: needs more than the profile before it"),
        ("[20, 20.5]", "inf", "profile[0].gib: must be the GiB"),
        ("gib = 10", "gib = true", "l.toml:9: profile[1].gib: must be the GiB"),
        ('name = "14b"', 'name = "70b"', "l.toml:8: profile[1].name: another profile has this name"),
        ('"14b", CONTEXT', '"14b", OTHER', "must set the same variables"),
        ('NAME = "14b"', 'NAME = "1\\n4b"', "NAME: must be a string of at most 4,096 visible characters"),
        ("held =", "helt =", "l.toml:2: helt: unknown key"),
        ('"5min"', '"5 parsecs"', "l.toml:2: held: must be a time"),
    ],
)
def test_each_mistake_is_named_with_its_line(tmp_path, before, after, words):
    text = GOOD.replace(before, after)
    assert text != GOOD
    (tmp_path / "l.toml").write_text(text)
    with pytest.raises(UsageError) as error:
        read_ladder(tmp_path / "l.toml")
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("value", "expected"), [("a b", '"a b"'), ('q"$HOME`x`\\', '"q\\"\\$HOME\\`x\\`\\\\"'), ("", '""'), ("#;'", '"#;\'"')]
)
def test_a_value_is_quoted_for_systemd(value, expected):
    assert quoted(value) == expected


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"profile": 1}', "\0", '{"failed_with": {}, "free": -1}', "[" * 100_000])
def test_a_damaged_record_counts_as_none(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    assert read_memory(tmp_path / "r.json").profile == ""
