"""The chain of causes is drawn from the facts of an incident, each link marked as measured or inferred."""

from dataclasses import replace
from datetime import timedelta

import pytest

from forensics.model.values import RestartHelped
from forensics.report import chain
from forensics.sanitize import sanitized
from tests.report import controls, kinds, sample

REPORT = controls.seed()
INCIDENT = REPORT.incidents[0]
NO_LIMIT = (
    "systemd refused none of 13,936 restarts; StartLimit 5 in 10 s (systemd's default) was not reached: "
    "five starts take 58 s at the fastest, the interval is 10 s"
)


def links(report, incident):
    return [(link.role, link.text, link.basis) for link in chain.chain(report, incident)]


def test_the_seeds_chain_leads_from_the_switch_to_the_fix_that_held():
    assert links(REPORT, INCIDENT) == [
        ("Likely trigger", "NixOS switched to configuration 25.11.20251206 (system-412), 40 s before the first failure", "inferred"),
        ("Failure", "Shared library missing: 700 restarts, none of which helped", "measured"),
        (
            "Then",
            "Extension built against another PyTorch: 7,000 restarts, none of which helped; from T+2 h 30 min on, after fix attempt 1",
            "measured",
        ),
        ("Then", "GPU memory exhausted: 3,496 restarts, none of which helped; from T+26 h 30 min on, after fix attempt 2", "measured"),
        (
            "One cause",
            (
                "Process 1239235 is named in 3,158 failures of phases 3–4 and seems to have held port 5000; "
                "it was killed 38 s before recovery"
            ),
            "inferred",
        ),
        (
            "Start limit",
            NO_LIMIT,
            "measured",
        ),
        ("Alert", "None is on record; of your rules, TabbyAPIRestartLoop, TabbyAPIDown could not fire", "measured"),
        ("Operator", "First action after 2 h 24 min", "measured"),
        ("End", "First stable start at T+98 h 22 min, after fix attempt 4: max_seq_len lowered, systemctl restart tabbyapi", "measured"),
    ]


def test_what_made_it_longer_is_listed_apart_from_the_chain():
    assert [(link.role, link.text, link.basis) for link in chain.factors(INCIDENT)] == [
        ("Restarts", "None of 13,936 was followed by a start that held", "measured"),
        ("Restarts", "9,457 came after a failure that no restart can cure", "inferred"),
        ("Fix attempts", "3 of 4 did not hold: 2 changed the class, 1 had no effect", "measured"),
        ("Also seen", "The port was changed in silence, in 4,919 failed starts", "measured"),
    ]


def test_links_lead_to_their_evidence():
    quoted = {link.role: link.evidence for link in chain.chain(REPORT, INCIDENT)}
    assert quoted["Likely trigger"] == INCIDENT.trigger.evidence
    assert quoted["Operator"] == INCIDENT.detection.evidence["operator"]
    assert quoted["Start limit"] is None


@pytest.mark.parametrize(
    ("change", "role", "text", "reason"),
    [
        ({"trigger": None, "trigger_text": "no change found"}, "Trigger", "No change found shortly before the first failure", "no trigger"),
        ({"recovery": None, "ongoing": True}, "End", "Still going on at the end of the data", "ongoing"),
        ({"recovery": None}, "End", "Stopped before it recovered", "stopped"),
        ({"fix_attempts": ()}, "End", "First stable start at T+98 h 22 min; what fixed it is not on record", "nobody fixed it"),
    ],
)
def test_what_is_not_on_record_is_written_as_such(change, role, text, reason):
    incident = replace(INCIDENT, **change)
    assert {link.role: link.text for link in chain.chain(REPORT, incident)}[role] == text, reason


def test_an_alert_that_was_delivered_replaces_the_one_that_is_missing():
    alerted = replace(INCIDENT, detection=replace(INCIDENT.detection, alert=INCIDENT.start + timedelta(seconds=75), operator=None))
    texts = {link.role: link.text for link in chain.chain(REPORT, alerted)}
    assert texts["Alert"] == "The first was delivered at T+1 min 15 s"
    assert texts["Operator"] == "No action is on record"


def test_the_chain_of_a_consequence_begins_with_its_cause():
    report = kinds.all_kinds()
    found = [(link.role, link.text) for link in chain.chain(report, kinds.consequence())]
    assert found[0] == ("Cause", "shop-api.service was down because postgresql.service failed")


@pytest.mark.parametrize("incident", [kinds.outage(), kinds.failing_job(), kinds.recurring()], ids=lambda incident: incident.kind)
def test_only_a_restart_loop_lacks_a_start_limit(incident):
    assert "Start limit" not in [link.role for link in chain.chain(kinds.report(incident), incident)]


def test_a_limit_that_did_refuse_restarts_is_not_denied():
    refused = replace(REPORT, restarts=replace(REPORT.restarts, refused=3))
    texts = [link.text for link in chain.chain(refused, replace(INCIDENT, replay=()))]
    assert not [text for text in texts if "refused" in text]


def test_many_changes_of_the_class_are_cut():
    phases = INCIDENT.phases * 3
    found = [link.text for link in chain.chain(REPORT, replace(INCIDENT, phases=phases)) if link.role in {"Failure", "Then"}]
    assert len(found) == 6
    assert found[-1] == "4 more changes of the main class: see the phases"


def test_a_restart_that_helped_is_not_called_useless():
    rows = tuple(replace(row, restart_helped=RestartHelped(10, 4)) for row in INCIDENT.classes)
    found = [*chain.chain(REPORT, replace(INCIDENT, classes=rows)), *chain.factors(replace(INCIDENT, classes=rows))]
    assert not [link.text for link in found if "none of which helped" in link.text or "None of" in link.text]


@pytest.mark.parametrize("make", [sample.several, sample.hostile, *kinds.KINDS.values()])
def test_every_incident_has_a_chain_that_ends(make):
    report = sanitized(make(), redact=True)
    for incident in report.incidents:
        roles = [link.role for link in chain.chain(report, incident)]
        assert roles[-1] == "End"
        assert {link.basis for link in chain.chain(report, incident)} <= {"measured", "inferred"}
