"""Batches of reports give the same summary however they are cut, ordered and repeated."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.fleet.contract import to_json
from forensics.fleet.facts import EMPTY, Summary
from forensics.fleet.keys import joined
from forensics.fleet.merge import merge, merge_all
from forensics.fleet.summarise import summarise
from tests.fleet.making import failed, machine_id, well

DAY = timedelta(days=1)
# two hosts, one of them twice, once with the same time and other content; one that names no machine; one that is no report
REPORTS = [
    ("a/0.json", failed(0)),
    ("a/1.json", failed(1, DAY)),
    ("b/1.json", failed(1)),
    ("c/1.json", {**failed(1, DAY), "notes": ["another"]}),
    ("d/2.json", well(2)),
    ("d/1.json", well(1, generated="2025-12-20T00:00:00Z")),
    ("e/none.json", {"schema_version": 99, "window": {}}),
]
WHOLE = summarise(REPORTS)
PARTS = [summarise([report]) for report in REPORTS]
some_parts = st.lists(st.sampled_from(PARTS), max_size=4).map(merge_all)


@settings(max_examples=40)
@given(st.permutations(range(len(REPORTS))), st.lists(st.integers(0, len(REPORTS)), max_size=3))
def test_any_partition_in_any_order_gives_the_same_bytes(order, cuts):
    edges = [0, *sorted(cuts), len(order)]
    batches = [[REPORTS[k] for k in order[a:b]] for a, b in pairwise(edges)]
    merged = EMPTY
    for batch in batches:
        merged = merge(summarise(batch), merged)
    assert to_json(merged) == to_json(WHOLE)
    assert merged == merge_all(map(summarise, batches)) == WHOLE


@settings(max_examples=40)
@given(some_parts, some_parts, some_parts)
def test_merging_is_associative_commutative_and_idempotent(a, b, c):
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, b) == merge(b, a)
    assert merge(a, a) == merge(a, EMPTY) == a


def test_the_newest_report_of_a_host_counts_and_the_others_are_named():
    assert [host.file for host in WHOLE.hosts if host.machine == machine_id(1)] == ["c/1.json"]
    assert [copy.file for copy in WHOLE.copies if copy.key == machine_id(1)] == ["b/1.json", "a/1.json", "c/1.json"]
    assert [each.file for each in WHOLE.unread] == ["e/none.json"]


def test_a_report_without_a_machine_id_is_of_the_one_machine_with_its_name():
    hosts = {host.host: host for host in joined(WHOLE).hosts}
    assert (hosts["gpu0001"].machine, hosts["gpu0001"].failures, hosts["gpu0001"].file) == (machine_id(1), 0, "d/1.json")
    assert hosts["gpu0002"].key == "host:gpu0002"
    assert joined(joined(WHOLE)) == joined(WHOLE)


def test_a_name_that_two_machines_have_joins_nothing():
    (first,) = summarise([REPORTS[0]]).hosts
    two = Summary(hosts=(first, replace(first, machine=machine_id(7)), replace(first, machine="")))
    assert len(joined(two).hosts) == 3
