"""What is counted over many hosts: classes, the change they share, who is well, and what makes numbers uncertain."""

from dataclasses import replace
from datetime import timedelta

import pytest

from forensics.fleet import view
from forensics.fleet.heat import MOST_ROWS, STEPS
from forensics.model.fleet import OTHERS
from tests.fleet import fleets
from tests.fleet.fleets import NOW, START, SWITCH, host, summary


def seen_by(*hosts, **more):
    return view.of(summary(hosts), NOW, **more)


def test_a_class_is_counted_over_all_hosts():
    shown = view.of(fleets.switched(200), NOW)
    row = shown.classes[0]
    assert (shown.known, shown.failed, shown.still_down) == (200, 150, 150)
    assert (row.affected, row.host, row.still_down, row.restarts) == (150, "gpu0000", 150, 1650)
    assert row.first == SWITCH.time + timedelta(minutes=30)
    assert row.downtime_s == 375 * 3600
    assert row.half_s == pytest.approx(row.all_s / 2, rel=0.01)
    assert row.all_s == pytest.approx(9.9 * 3600)
    assert not shown.doubts.are_lower_bounds


def test_the_shared_change_is_named_with_the_hosts_that_have_it_and_are_well():
    change = view.of(fleets.switched(8), NOW).classes[0].change
    assert (change.kind, change.sharing, change.hosts_well) == ("system-switch", 6, ("gpu0006", "gpu0007"))


@pytest.mark.parametrize(
    ("hosts", "reason"),
    [
        ([host(1, after_s=60), host(2, change=False, after_s=60), host(3, change=False, after_s=60)], "of a third of the hosts"),
        ([host(1, after_s=60)], "of one host"),
        ([host(k, change=False, after_s=60, changes=(replace(SWITCH, time=NOW),)) for k in range(3)], "after the failure"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_that_few_share_is_not_named(hosts, reason):
    assert seen_by(*hosts).classes[0].change is None, reason


def test_of_two_changes_the_one_that_fewer_healthy_hosts_have_is_named():
    everywhere = replace(SWITCH, key="a", summary="everywhere")
    broken = [host(k, change=False, after_s=60, changes=(everywhere, SWITCH)) for k in range(3)]
    fine = [host(k, changes=(everywhere,)) for k in range(3, 6)]
    assert seen_by(*broken, *fine).classes[0].change.summary == SWITCH.summary


def test_a_login_is_no_shared_change_and_reports_without_changes_are_counted():
    login = replace(SWITCH, key="login", kind="login")
    broken = [host(k, change=False, after_s=60, changes=(login, SWITCH)) for k in range(3)]
    change = seen_by(*broken, host(4, change=False)).classes[0].change
    assert (change.kind, change.hosts_well, change.unlisted) == ("system-switch", (), 1)


def test_hosts_are_grouped_by_what_cost_most_the_healthy_last():
    groups = view.of(fleets.switched(8), NOW).groups
    assert [(group.signature, group.still_down, len(group.hosts)) for group in groups] == [(fleets.TORCH, True, 6), ("", False, 2)]


def test_many_rare_classes_are_one_group():
    groups = view.of(fleets.various(100), NOW).groups
    assert groups[-1].signature == OTHERS
    assert sum(len(group.hosts) for group in groups) == 100


@pytest.mark.parametrize("made", [fleets.switched(1000), fleets.various(300), fleets.switched(4)], ids=["one class", "each its own", "few"])
def test_every_failed_host_is_in_the_heat_map_and_its_rows_are_few(made):
    shown = view.of(made, NOW)
    assert len(shown.heat.rows) <= MOST_ROWS
    assert sum(row.size for row in shown.heat.rows) == shown.failed
    assert all(0 <= count <= row.size and len(row.counts) == STEPS for row in shown.heat.rows for count in row.counts)
    assert all(any(row.counts) for row in shown.heat.rows)


def test_missing_old_incomplete_and_unread_reports_make_lower_bounds():
    old, partial = host(1, generated=NOW - timedelta(hours=49)), host(2, complete=False)
    doubts = seen_by(old, partial, host(3), expected=("gpu0003", "gpu0004")).doubts
    assert (doubts.hosts_missing, doubts.hosts_old, doubts.hosts_incomplete) == (("gpu0004",), ("gpu0001",), ("gpu0002",))
    assert doubts.are_lower_bounds


def test_two_hosts_with_one_name_stay_two():
    shown = seen_by(host(1, "gpu"), host(2, "gpu"))
    assert shown.doubts.hosts_one_name == ("gpu",)
    assert [one.name for group in shown.groups for one in group.hosts] == ["gpu (00000001)", "gpu (00000002)"]


def test_a_machine_id_with_two_names_and_a_host_with_two_reports_are_listed():
    made = summary([host(1)])
    other = replace(made.copies[0], host="clone", file="clone.json")
    doubts = view.of(replace(made, copies=(*made.copies, other)), NOW).doubts
    assert doubts.hosts_one_machine == ("clone, gpu0001",)
    assert doubts.hosts_twice == ("gpu0001",)


def test_a_wrong_clock_is_listed_and_does_not_stretch_the_window():
    ahead = host(1, after_s=60, generated=NOW + timedelta(days=900), until=NOW + timedelta(days=900))
    shown = seen_by(ahead, host(2, after_s=60), host(3, generated=START - timedelta(days=1)))
    assert shown.doubts.hosts_wrong_clock == ("gpu0001", "gpu0003")
    assert shown.until == NOW - timedelta(hours=1)


def test_no_host_is_a_view_too():
    shown = seen_by()
    assert (shown.known, shown.classes, shown.heat, shown.since) == (0, (), None, None)
