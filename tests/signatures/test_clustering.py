"""Families: keys that differ in names are one family, keys that differ in statements are not; only the set of keys counts."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.signatures import mask
from forensics.signatures.clustering import families, key_words, slots

USERS = ("root", "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")


def family_of(texts: list[str]) -> dict[str, str]:
    found = families.families(mask.keys(pl.Series(texts, dtype=pl.String)))
    return dict(zip(texts, found, strict=True))


def count(texts: list[str]) -> int:
    return len(set(family_of(texts).values()))


LINES = st.sampled_from(
    [
        *(f"session opened for user {user} by (uid=0)" for user in USERS),
        *(f"Failed password for {user} from 10.0.0.{i} port 22" for i, user in enumerate(USERS)),
        *(f"worker cannot open file {name} of the model" for name in ("a.bin", "b.bin", "config.json", "vocab.txt")),
        *(f"VM {state} (lifecycle event)" for state in ("started", "paused", "resumed", "stopped")),
        *(f'lock tag="{tag}", name={name}, held' for tag in ("View", "Audio") for name in ("com.a.b", "com.c.d", "system")),
        *(f"write failed: [Errno {number}] on disk" for number in (5, 28, 122)),
        "state is 'started'",
        "",
        "<*>",
        "a = b = c",
        "((((",
    ]
)


@settings(max_examples=150)
@given(st.lists(LINES, max_size=40), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_a_family(lines: list[str], chance: random.Random) -> None:
    shuffled = [*lines, *lines[: len(lines) // 2]]
    chance.shuffle(shuffled)
    assert family_of(shuffled) == family_of(lines)


@settings(max_examples=100)
@given(st.lists(LINES, max_size=40), st.integers(min_value=0, max_value=40))
def test_keys_made_in_batches_give_the_families_of_all_at_once(lines: list[str], cut: int) -> None:
    batches = [mask.keys(pl.Series(part, dtype=pl.String)) for part in (lines[:cut], lines[cut:])]
    together = families.families(pl.concat(batches))
    assert together.to_list() == families.families(mask.keys(pl.Series(lines, dtype=pl.String))).to_list()


@settings(max_examples=100)
@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_text_has_a_family(texts: list[str]) -> None:
    assert families.families(mask.keys(pl.Series(texts, dtype=pl.String))).null_count() == 0


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([f"session opened for user {user} by login" for user in USERS[:3]], "the word before introduces a name"),
        ([f"reverse lookup of {user} gave no answer at all" for user in USERS], "many free words"),
        (["copied from com.a.b.C to disk", "copied from org.d.e.F to disk"], "names with dots"),
        (["mail queue synchronized to LOCAL(0), stratum 10", "mail queue synchronized to 10.0.0.1, stratum 3"], "a name with a number"),
        (["could not set code to 'US'", "could not set code to 'a7'"], "quoted values"),
        ([f'lock tag="{tag}", name={name}, held' for tag in ("View", "Audio", "Ack") for name in ("com.a.b", "system")], "two at once"),
        (['1.2.3.4 "GET /a/b HTTP/1.1" status: 200 len: 5', '1.2.3.4 "GET / HTTP/1.0" status: 404 len: 17'], "answers to a request"),
        ([f"child of the pool gave back code {n} at last" for n in range(40)], "no program has forty codes"),
        (["fan speeds ( 3552 3534 3375 )", "fan speeds ( 3552 **** 3375 )"], "a missing value"),
    ],
)
def test_names_make_one_family(texts: list[str], why: str) -> None:
    assert count(texts) == 1, why


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["[instance: 1] VM Started (Lifecycle Event)", "[instance: 1] VM Paused (Lifecycle Event)"], "opposites"),
        ([f"the link of the client is {state} now" for state in ("up", "down")], "opposites"),
        ([f"user {state} the session of the host" for state in ("connected", "disconnected")], "opposites"),
        ([f"backup of the volume to the server {state}" for state in ("failed", "succeeded")], "opposites"),
        ([f"feature for the user is {state}" for state in ("enabled", "disabled")], "opposites"),
        (["got action: android.intent.action.SCREEN_ON", "got action: android.intent.action.SCREEN_OFF"], "opposites that end a name"),
        (["write failed: [Errno 5] on the disk", "write failed: [Errno 28] on the disk"], "errno"),
        (["worker process exited with code 1", "worker process exited with code 2"], "exit code"),
        (["the worker process got signal 9", "the worker process got signal 11"], "signal"),
        (["upstream server said 503 Service Unavailable", "upstream server said 404 Not Found"], "HTTP status"),
        (["NVRM: Xid (PCI:0000:38:00): 79, gone", "NVRM: Xid (PCI:0000:38:00): 13, gone"], "Xid"),
        ([f"environment: {name}=/usr/x" for name in ("java.home.dir", "user.home.dir", "os.tmp.dir")], "names of values"),
        (["cannot open file", "cannot close file", "cannot stat file"], "words of a short sentence"),
        (["A: Got 4 for IPv4 lookup of it", "A: Got 4 for IPv6 lookup of it"], "a protocol's version"),
    ],
)
def test_statements_make_families_of_their_own(texts: list[str], why: str) -> None:
    assert count(texts) == len(texts), why


def test_states_stay_separate_among_the_names_of_a_slot() -> None:
    found = family_of([f"link for the user {name} is there" for name in (*USERS, "up", "down")])
    assert len(set(found.values())) == 3


def test_more_variants_of_the_same_lines_change_no_number_of_families() -> None:
    few = [f"Failed password for {user} from 10.0.0.1 port 22" for user in USERS]
    many = few + [f"Failed password for {user}{i} from 10.0.{i % 7}.1 port {i}" for user in USERS for i in range(300)]
    assert count(few) == count(many) == 1


def test_a_line_of_many_words_is_cut_into_a_bounded_number() -> None:
    cut = key_words.words(pl.Series(["word " * 5000]))
    assert cut.list.len().to_list() == [key_words.MOST_WORDS + 1]


def test_lines_that_differ_in_two_words_are_not_one_slot() -> None:
    assert slots.one_slot([("a", "user", "x", "b", "y"), ("a", "user", "z", "b", "w")]) == {}
