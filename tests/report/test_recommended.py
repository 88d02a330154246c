"""The commands that are recommended can be pasted into a shell, whatever the unit is called."""

import shlex
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report import recommended
from tests.report import controls, kinds

INCIDENT = controls.incident()
ALERTED = replace(INCIDENT, detection=replace(INCIDENT.detection, alert=INCIDENT.start + timedelta(seconds=9)))


def kinds_of(incident):
    return [shlex.split(command)[2] for command, _ in recommended.commands(incident)]


@pytest.mark.parametrize(
    ("incident", "files"),
    [
        (INCIDENT, ["rules", "alertmanager", "limits", "runbook", "actions"]),
        (kinds.outage(), ["rules", "alertmanager", "runbook", "actions"]),
        (ALERTED, ["rules", "limits", "runbook", "actions"]),
    ],
    ids=["loop", "outage", "alerted"],
)  # fmt: skip
def test_what_is_recommended_fits_the_incident(incident, files):
    assert kinds_of(incident) == files


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Z")), min_size=1, max_size=40))
def test_a_unit_is_one_word_of_the_shell(unit):
    incident = replace(INCIDENT, unit=unit)
    for command, _ in recommended.commands(incident):
        assert shlex.split(command)[-2:] == ["--unit", unit]
    assert unit in shlex.split(recommended.audit_command(incident))
