"""The commands that are recommended can be pasted into a shell, whatever the unit is called."""

import itertools
import shlex
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.model.values import GateStop
from forensics.report import recommended
from tests.cli_options import command_options
from tests.report import controls, kinds

INCIDENT = controls.incident()
ALERTED = replace(INCIDENT, detection=replace(INCIDENT.detection, alert=INCIDENT.start + timedelta(seconds=9)))

GATED = replace(INCIDENT, gate=GateStop(INCIDENT.start, 26.0, 3, "a", 0, None, None, None))


def kinds_of(incident):
    return [shlex.split(command)[2] for command, _ in recommended.commands(incident)]


@pytest.mark.parametrize(
    ("incident", "files"),
    [
        (INCIDENT, ["rules", "alertmanager", "gate", "limits", "runbook", "actions"]),
        (kinds.outage(), ["rules", "alertmanager", "runbook", "actions"]),
        (ALERTED, ["rules", "gate", "limits", "runbook", "actions"]),
        (GATED, ["rules", "alertmanager", "limits", "runbook", "actions"]),
    ],
    ids=["loop", "outage", "alerted", "gated"],
)  # fmt: skip
def test_what_is_recommended_fits_the_incident(incident, files):
    assert kinds_of(incident) == files


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Z")), min_size=1, max_size=40))
def test_a_unit_is_one_word_of_the_shell(unit):
    incident = replace(INCIDENT, unit=unit)
    for command, _ in recommended.commands(incident):
        assert shlex.split(command)[-2:] == ["--unit", unit]
    assert unit in shlex.split(recommended.audit_command(incident))


def test_every_recommended_command_and_option_exists():
    known = command_options()
    for command in (recommended.audit_command(INCIDENT), *(command for command, _ in recommended.commands(INCIDENT))):
        _, *words = shlex.split(command)
        name = " ".join(itertools.takewhile(lambda word: not word.startswith("--"), words))
        assert {word for word in words if word.startswith("--")} <= known[name]
