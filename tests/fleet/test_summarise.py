"""The facts of a host are the sums of its report; what is no report of one host is said in one sentence."""

from datetime import UTC, datetime

import pytest

from forensics.fleet.contract import to_json
from forensics.fleet.facts import Unread
from forensics.fleet.keys import change_key
from forensics.fleet.summarise import found_in, summarise
from tests.fleet.making import MACHINE, NAME, failed, machine_id, well

SWITCH = "system switch to nixos-system-{}-25.05.20251206.{} ({})"


def test_the_facts_are_the_sums_of_the_report():
    report = failed(3)
    host = found_in("3.json", report)
    assert (host.machine, host.host, host.version, host.entries, host.complete) == (machine_id(3), "gpu0003", "0.1.0", 495_556, True)
    assert (host.failures, host.restarts, host.downtime_s) == (13_982, 13_979, 354_120)
    assert sum(row.failures for row in host.classes) == host.failures
    assert {unit for row in host.classes for unit in row.units} == {"tabbyapi.service"}
    (incident,) = host.incidents
    assert incident.trigger in host.changes
    assert (incident.trigger.key, incident.ongoing) == ("system-switch: system switch to nixos-system-HOST-25.05.20251206", False)
    assert incident.classes[0].signature == "torch.abi-mismatch"


def test_a_dependent_incident_is_not_counted_as_downtime_again():
    report = failed(3)
    (incident,) = report["incidents"]
    report["incidents"].append({**incident, "id": "2", "unit": "proxy.service", "caused_by": incident["id"]})
    assert found_in("3.json", report).downtime_s == 354_120


def test_a_host_that_is_well_has_its_changes_and_the_machine_that_the_report_names():
    change = {"time": "2025-12-07T21:30:00Z", "kind": "driver", "summary": "kernel driver: NVIDIA 570.1", "evidence": None}
    host = found_in("x.json", well(1, changes=[change], machines=[machine_id(1)]))
    assert [(each.kind, each.time) for each in host.changes] == [("driver", datetime(2025, 12, 7, 21, 30, tzinfo=UTC))]
    assert (host.key, host.incidents, host.failures) == (machine_id(1), (), 0)


def test_what_a_report_lacks_is_a_problem_of_its_numbers():
    gap = {"start": "2025-12-01T00:00:00Z", "end": "2025-12-02T00:00:00Z", "kind": "missing", "reason": "rotated away"}
    completeness = {"entries": 5, "complete": False, "dropped": 1, "gaps": [gap, {**gap, "kind": "off"}], "damage": [{}, {}]}
    assert found_in("x", well(1, completeness=completeness)).problems == (
        "1 gap in the journal",
        "2 damaged places in the journal",
        "1 entry dropped",
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"schema_version": 2}, "was written by a newer version: this one reads schema_version 1"),
        ({"hosts": ["a", "b"]}, "is a report of 2 hosts; write one for each host"),
        ({"hosts": []}, "names no host"),
        ({"program": {"name": "other", "version": "1"}}, "is not a report of this program"),
        ({"incidents": [{}] * 10_001}, "has more than 10,000 incidents"),
        ({"incidents": 7}, "'incidents' is not a list"),
        ({"classes": [{"signature": "x" * 9000}]}, "'signature' is not a text"),
        ({"failures": {"total": -1}}, "'total' is not a count"),
        ({"generated": "soon"}, "'generated' is not a time"),
        ({"window": {"since": None, "until": None}}, "has no window"),
        ({"changes": [{"kind": 1}]}, "'kind' is not a text"),
    ],
)
def test_what_is_no_report_of_one_host_is_said(changed, words):
    found = found_in("x.json", well(1, **changed))
    assert isinstance(found, Unread)
    assert words in found.why


def test_a_report_of_two_machines_with_one_name_is_of_two_hosts():
    report = failed(1)
    report["isolated"][0]["machine"] = machine_id(2)
    assert found_in("x.json", report).why == "is a report of 2 hosts; write one for each host"


def test_half_of_a_surrogate_pair_can_be_written():
    host = found_in("x.json", well(1, hosts=["a\ud800b"]))
    assert host.host.encode() == b"a?b"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("system-switch", SWITCH.format("a1", "a3c1b7e", "k2s0h3n7"), "a1"),
            ("system-switch", SWITCH.format("b2", "b4d2c8f", "w8yq4f1x"), "b2"),
        ),
        (("operator", "root ran kill 4711", "a1"), ("operator", "root ran kill 12345", "b2")),
        (("login", "root logged in by ssh from 10.0.0.1", "a1"), ("login", "root logged in by ssh from 10.0.0.22", "b2")),
        (("operator", "root ran ssh A1.example.org", "a1.example.org"), ("operator", "root ran ssh b2", "b2")),
        (("operator", "root ran touch /srv/2025-12-07T21:30:00Z", "a1"), ("operator", "root ran touch /srv/2026-01-01", "b2")),
    ],
)
def test_the_same_change_on_two_hosts_has_one_key(one, other):
    assert change_key(*one) == change_key(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("apt: install libcuda1 570.1", "apt: install libcuda1 575.2"),
        ("system switch to nixos-system-x-25.05.20251206.a3c1b7e", "system switch to nixos-system-x-25.05.20251213.a3c1b7e"),
    ],
)
def test_other_versions_are_other_changes(one, other):
    assert change_key("package", one, "x") != change_key("package", other, "x")


def test_equal_summaries_are_equal_bytes_and_name_nothing_of_the_seed():
    text = to_json(summarise([("x.json", failed(5))]))
    assert NAME not in text
    assert MACHINE not in text


@pytest.mark.parametrize(
    ("summary", "key"),
    [
        ("root ran ssh GPU1 and gpu1.example.org", "root ran ssh HOST and HOST"),
        ("root ran touch gpu12 agpu1 gpu1", "root ran touch gpu12 agpu1 HOST"),
        ("gpu1gpu1", "gpu1gpu1"),
        ("nothing of it", "nothing of it"),
        ("gpu1", "HOST"),
    ],
)
def test_a_hosts_name_is_replaced_where_it_is_a_word(summary, key):
    assert change_key("operator", summary, "gpu1.example.org") == f"operator: {key}"
