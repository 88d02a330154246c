"""Histories of units are gathered with what the other frames hold about each start."""

from datetime import timedelta

import numpy as np

from forensics.model.values import LOST, UnitKey
from forensics.replay.history import Frames, histories
from forensics.replay.machine import machines
from tests.incidents.making import BEGIN, Tale, inputs_of
from tests.replay.histories import replay_inputs, scene_of


def test_starts_are_in_the_journals_order_with_their_restarts():
    (unit,) = scene_of(Tale().hold(20).fail(3, every=12, lives=2).hold(20)).histories
    assert unit.automatic.tolist() == [False, False, True, True, True]
    assert np.diff(unit.began)[1:].tolist() == [12, 12, 12]
    assert unit.restart_counts.sum() == 3
    assert unit.pause_s == 10
    assert unit.held.tolist() == [True, False, False, False, True]


def test_restarts_whose_lines_are_lost_are_starts_too():
    (unit,) = scene_of(Tale().fail(3, every=12).lose(7, every=12).fail(2, every=12)).histories
    lost = unit.signature == LOST.id
    assert lost.sum() == 7
    assert (np.diff(unit.began) > 0).all()
    assert unit.restarts_within(unit.began[0], unit.began[-1] + 100) == 13


def test_very_many_lost_restarts_are_rows_with_weights():
    (unit,) = scene_of(Tale().fail(3, every=12).lose(100_000, every=0.01).fail(2, every=12)).histories
    assert len(unit.began) < 10_000
    assert unit.weight.sum() == 100_006


def test_instances_that_run_once_each_are_runs_of_their_template():
    tales = [Tale(f"job@{number}.service", now=BEGIN + timedelta(hours=number)).fall() for number in range(4)]
    inputs = replay_inputs(*tales)
    (incident,) = inputs.incidents
    assert incident.unit == "job@.service"
    of_machines = machines(inputs.entries)
    frames = Frames(inputs.attempts, inputs.restarts, inputs.lifecycle, inputs.labels, inputs.entries["monotonic"])
    (found,) = histories([UnitKey(incident.machine, incident.manager, incident.unit)], frames, of_machines).values()
    assert [unit.unit.unit for unit in found] == [f"job@{number}.service" for number in range(4)]


def test_boots_and_the_time_between_them_are_known():
    made = inputs_of(Tale().hold(20).reboot(300).fail(3))
    (machine,) = machines(made.entries).values()
    assert len(machine.boots) == 2
    ((start, end),) = machine.off
    assert end - start == 300


def test_the_version_is_that_which_the_manager_names():
    tale = Tale()
    tale.manager_says("systemd 252.39-1~deb12u2 running in system mode (+PAM +AUDIT)", unit=None, manager=None)
    made = inputs_of(tale.fail(3))
    (machine,) = machines(made.entries).values()
    assert machine.version == 252


def test_two_hosts_are_two_machines():
    made = inputs_of(Tale(host="alpha").fail(3), Tale(host="beta").fail(3))
    assert set(machines(made.entries)) == {"alpha", "beta"}
