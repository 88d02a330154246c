"""Entries come machine by machine and boot by boot, whatever the host's name and its wall clock are."""

import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.boots import boot_ends, host_names
from forensics.ingest.streams import ingest_stream
from forensics.store.boot_order import in_order
from tests.store.making import START, opened

SECOND = 1_000_000


def line(message, *, boot="b1", host="h", machine="m", wall=0, clock=0, number=None, number_id="a" * 32):
    sequence = {} if number is None else {"__SEQNUM": str(number), "__SEQNUM_ID": number_id}
    return sequence | {
        "__REALTIME_TIMESTAMP": str(START + wall * SECOND), "__MONOTONIC_TIMESTAMP": str(clock * SECOND), "_BOOT_ID": boot,
        "_HOSTNAME": host, "_MACHINE_ID": machine, "_TRANSPORT": "journal", "_PID": "7", "MESSAGE": message,
    }  # fmt: skip


def stored(tmp_path, lines) -> pl.DataFrame:
    store = opened(tmp_path)
    ingest_stream(store, io.BytesIO("\n".join(map(json.dumps, lines)).encode()), "x")
    return store.entries()


def test_boots_without_a_clock_that_runs_while_the_machine_is_off_come_in_the_order_of_their_numbers(tmp_path):
    """All begin at the same wrong time, and their ids are in no order."""
    boots = ["c", "a", "d", "b"]
    lines = [
        line(f"{boot}{i}", boot=boot, wall=i, clock=i, number=10 * nth + i) for nth, boot in enumerate(boots) for i in range(3)
    ]  # fmt: skip
    entries = stored(tmp_path, lines[::-1])
    assert entries["message"].to_list() == [f"{boot}{i}" for boot in boots for i in range(3)]
    ends = boot_ends(entries)
    assert ends.filter("last_boot")["boot"].to_list() == ["b"]
    assert ends["boot"].to_list() == boots


def test_boots_whose_files_have_ids_of_their_own_come_in_the_order_of_their_times(tmp_path):
    lines = [line(boot, boot=boot, wall=wall, number=1, number_id=boot * 32) for boot, wall in (("a", 30), ("b", 10), ("c", 20))]
    assert stored(tmp_path, lines)["message"].to_list() == ["b", "c", "a"]


def test_one_id_that_two_boots_share_orders_them_whatever_other_ids_they_have(tmp_path):
    """Up to systemd 253 the user's file goes on where the system's file had to be replaced."""
    lines = [
        line("1", boot="b", wall=50, clock=0, number=1, number_id="5" * 32),
        line("2", boot="b", wall=51, clock=1, number=2, number_id="e" * 32),
        line("3", boot="a", wall=0, clock=0, number=3, number_id="f" * 32),
        line("4", boot="a", wall=1, clock=1, number=4, number_id="e" * 32),
    ]
    assert stored(tmp_path, lines)["message"].to_list() == ["1", "2", "3", "4"]


def test_a_machine_that_changes_its_name_within_a_boot_is_one_machine(tmp_path):
    lines = [line(str(i), host="ubuntu" if i < 3 else "prod-7", wall=i, clock=i, number=i) for i in range(6)]
    entries = stored(tmp_path, lines)
    assert entries["message"].to_list() == list("012345")
    assert boot_ends(entries).height == 1
    assert host_names(entries) == ("prod-7",)


def test_two_machines_of_one_name_are_two(tmp_path):
    lines = [line(f"{machine}{i}", boot=f"b{machine}", machine=machine, wall=i, clock=i) for i in range(3) for machine in "mn"]
    entries = stored(tmp_path, lines)
    assert entries["message"].to_list() == ["m0", "m1", "m2", "n0", "n1", "n2"]
    assert boot_ends(entries)["last_boot"].to_list() == [True, True]
    assert host_names(entries) == ("h",)


def test_where_no_machine_id_is_recorded_the_name_decides(tmp_path):
    lines = [line(f"{host}{i}", boot="b1", host=host, wall=i, clock=i) for i in range(2) for host in "xy"]
    for fields in lines:
        del fields["_MACHINE_ID"]
    entries = stored(tmp_path, lines)
    assert entries["message"].to_list() == ["x0", "x1", "y0", "y1"]
    assert host_names(entries) == ("x", "y")


@pytest.mark.parametrize(
    ("numbers", "ordered", "reason"),
    [
        ([], [2, 1, 0], "no numbers: by time"),
        ([(0, 1, 0), (0, 5, 1), (0, 9, 2)], [0, 1, 2], "one counter"),
        ([(0, 1, 0), (0, 5, 2)], [1, 0, 2], "the rest by time"),
        ([(0, 1, 0), (0, 5, 1), (3, 1, 1), (3, 9, 0)], [2, 1, 0], "two counters disagree: by time"),
    ],
)
def test_numbers_outrank_times(numbers, ordered, reason):
    assert in_order({0: (30, "a"), 1: (20, "b"), 2: (10, "c")}, numbers) == ordered, reason


@given(st.permutations(range(8)), st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_boots_that_share_a_counter_come_in_its_order_and_none_is_lost(numbers, ids):
    boots = range(8)
    ordered = in_order({boot: (boot % 3, str(boot)) for boot in boots}, [(ids[boot], numbers[boot], boot) for boot in boots])
    assert sorted(ordered) == list(boots)
    for number_id in set(ids):
        counted = [numbers[boot] for boot in ordered if ids[boot] == number_id]
        assert counted == sorted(counted)


def test_the_numbers_of_the_entries_outside_of_a_window_are_those_that_a_report_of_it_does_not_see(tmp_path):
    lines = [line(str(n), wall=0 if n in (4, 5) else 100 * n, clock=n, number=n) for n in range(1, 9)]
    store = opened(tmp_path)
    ingest_stream(store, io.BytesIO("\n".join(map(json.dumps, lines)).encode()), "x")
    since = datetime.fromtimestamp(START / 1e6 + 150, UTC)
    assert store.numbers_outside(since=since)["seqnum"].sort().to_list() == [1, 4, 5]
    assert store.numbers_outside(until=since)["seqnum"].sort().to_list() == [2, 3, 6, 7, 8]
    assert store.entries(since=since)["seqnum"].to_list() == [2, 3, 6, 7, 8]
