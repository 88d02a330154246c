"""The JSON contract, restated here so that a change of the code cannot change it silently."""

import json
import re
from dataclasses import replace

import pytest

from forensics.report import REPORTERS, RenderOptions
from tests.report import comparisons, controls, kinds, sample

NUMBER, TEXT, TIME = (int, float), str, "time"
EVIDENCE = {"time": TIME, "message": TEXT, "file": TEXT, "offset": (int, None)}
CLASS = {
    "signature": TEXT, "title": TEXT, "restarts": int, "failures": int, "share": NUMBER, "first": (TIME, None), "last": (TIME, None),
    "restart_helps": (bool, None), "restart_helps_when": TEXT, "restart_helped": ({"of": int, "held": int}, None), "severity": TEXT,
    "sample": (EVIDENCE, None), "secondary": int,
}  # fmt: skip
CHANGE = {"time": TIME, "kind": TEXT, "summary": TEXT, "evidence": (EVIDENCE, None)}
REPLAYED = {
    "id": TEXT, "control": TEXT, "kind": TEXT, "source": TEXT, "status": TEXT, "fires_at": (TIME, None), "after_s": (float, int, None),
    "earliest_s": (float, int, None), "latest_s": (float, int, None), "never_share": (float, int, None),
    "delivered_after_s": (float, int, None), "restarts_avoided": (int, None), "restarts_after": (int, None),
    "firings_outside": (int, None), "hours_outside": (float, int, None), "before_operator_s": (float, int, None),
    "reason": TEXT, "assumptions": [TEXT],
}  # fmt: skip
INCIDENT = {
    "id": TEXT, "unit": TEXT, "kind": TEXT, "ongoing": bool, "start": TIME, "end": (TIME, None), "restarts": int,
    "failures": int, "caused_by": (TEXT, None), "exact": bool,
    "downtime_s": NUMBER, "downtime_method": TEXT, "availability": (float, int, None),
    "phases": [{"start": TIME, "end": TIME, "restarts": int, "cadence_s": (float, int, None), "primary": TEXT, "classes": dict}],
    "classes": [CLASS], "beside": [CLASS], "changes": [CHANGE], "trigger": (CHANGE, None),
    "fix_attempts": [{"time": TIME, "summary": TEXT, "outcome": TEXT, "evidence": (EVIDENCE, None)}],
    "detection": {"signal": (TIME, None), "alert": (TIME, None), "operator": (TIME, None), "declared": (TIME, None), "evidence": dict},
    "recovery": (TIME, None), "time_to_recover_s": (float, int, None),
    "cost": {"cpu_s": (float, int, None), "journal_bytes": int, "entries": int,
             "journal_share": (float, int, None), "displaced_s": (float, int, None)},
    "replay": [REPLAYED],
}  # fmt: skip
ISOLATED = {
    "unit": TEXT, "manager": TEXT, "signature": TEXT, "title": TEXT, "failures": int, "restarts": int, "first": TIME, "last": TIME,
}  # fmt: skip
CONTROL = {
    "layer": int, "id": TEXT, "control": TEXT, "status": TEXT, "links": [{"link": TEXT, "holds": (bool, None), "evidence": TEXT}],
    "remedy": TEXT, "evidence": TEXT,
}  # fmt: skip
COMPARED_WINDOW = {
    "window": {"since": TIME, "until": TIME}, "recorded_s": (float, int), "entries": int, "complete": bool, "failures": int,
    "restarts": int, "incidents": int, "ongoing": int, "downtime_s": (float, int),
}  # fmt: skip
CLASS_CHANGE = {
    "signature": TEXT, "title": TEXT, "status": TEXT, "before": int, "now": int, "before_per_day": (float, int),
    "now_per_day": (float, int), "factor": (float, int, None), "largest": int,
}  # fmt: skip
INCIDENT_CHANGE = {
    "status": TEXT, "id": TEXT, "unit": TEXT, "manager": TEXT, "host": TEXT, "kind": TEXT, "ongoing": bool, "start": TIME,
    "end": (TIME, None), "downtime_s": (float, int),
}  # fmt: skip
COMPARE = {
    "before": (COMPARED_WINDOW, None),
    "now": COMPARED_WINDOW,
    "classes": [CLASS_CHANGE],
    "incidents": [INCIDENT_CHANGE],
    "notes": [TEXT],
}
CONTRACT = {
    "schema_version": int, "host": TEXT, "window": {"since": (TIME, None), "until": (TIME, None)},
    "completeness": {
        "entries": int, "complete": bool, "dropped": int,
        "gaps": [{"start": TIME, "end": TIME, "reason": TEXT}], "damage": [{"file": TEXT, "offset": (int, None), "reason": TEXT}],
    },
    "restarts": {"total": int, "in_incidents": int, "background": int, "lost": int},
    "failures": {"total": int, "in_incidents": int, "isolated": int}, "isolated": [ISOLATED],
    "classes": [CLASS], "incidents": [INCIDENT], "controls": [CONTROL],
    "detection_summary": {"incidents": int, "mttd_s": (float, int, None), "median_ttd_s": (float, int, None), "mttr_s": (float, int, None)},
    "compare": (COMPARE, None),
}  # fmt: skip


def faults(value, wanted, where="report"):
    """Where the value is not as the contract wants it."""
    if isinstance(wanted, tuple):
        if value is None:
            return [] if None in wanted else [f"{where} is null"]
        return min((faults(value, each, where) for each in wanted if each is not None), key=len)
    if isinstance(wanted, dict):
        return _faults_of_object(value, wanted, where) if isinstance(value, dict) else [f"{where} is no object"]
    if isinstance(wanted, list):
        return [fault for k, each in enumerate(value) for fault in faults(each, wanted[0], f"{where}[{k}]")]
    if wanted == TIME:
        fits = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", value)
    else:
        fits = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
    return [] if fits else [f"{where} is {value!r}"]


def _faults_of_object(value, wanted, where):
    missing = [f"{where}.{key} is missing" for key in wanted if key not in value]
    return missing + [fault for key in wanted if key in value for fault in faults(value[key], wanted[key], f"{where}.{key}")]


def rendered(report):
    return json.loads(REPORTERS["json"](report, RenderOptions()))


@pytest.mark.parametrize("make", [sample.seed, sample.quiet, sample.empty, sample.several, sample.hostile, *kinds.KINDS.values()])
def test_every_report_keeps_the_contract(make):
    found = rendered(make())
    assert faults(found, CONTRACT) == []
    assert found["schema_version"] == 1


def test_the_schema_test_sees_a_missing_key_and_a_wrong_type():
    found = rendered(sample.seed())
    del found["incidents"][0]["phases"][0]["cadence_s"]
    found["restarts"]["total"] = "13979"
    found["window"]["since"] = "2025-11-18 00:00"
    assert len(faults(found, CONTRACT)) == 3


def test_the_counts_add_up():
    found = rendered(sample.seed())
    incident = found["incidents"][0]
    assert found["restarts"] | {"refused": 0} == {"total": 13_979, "in_incidents": 13_936, "background": 43, "lost": 0, "refused": 0}
    assert sum(row["restarts"] for row in found["classes"]) == 13_979
    assert sum(row["restarts"] for row in incident["classes"]) == 13_936
    assert [phase["restarts"] for phase in incident["phases"]] == [700, 7_413, 4_082, 1_741]
    assert all(sum(phase["classes"].values()) == phase["restarts"] for phase in incident["phases"])


def test_every_replayed_control_of_an_incident_is_there_in_its_order():
    (incident,) = rendered(controls.seed())["incidents"]
    assert [row["id"] for row in incident["replay"]] == [row.id for row in controls.replay()]
    first = incident["replay"][2]
    assert (first["control"], first["after_s"], first["earliest_s"], first["latest_s"]) == (
        "NodeSystemdServiceRestarted (any restart in 5 min)", 30, 15, 38,
    )  # fmt: skip
    assert (first["fires_at"], first["restarts_avoided"], first["firings_outside"]) == ("2025-12-07T21:30:30Z", None, 43)
    assert rendered(sample.seed())["incidents"][0]["replay"] == []


def test_without_an_audit_there_are_no_controls():
    assert rendered(sample.seed())["controls"] == []


def test_every_control_of_an_audit_has_its_links():
    found = rendered(controls.audited())
    assert faults(found, CONTRACT) == []
    assert [control["id"] for control in found["controls"]] == [control.id for control in controls.audit()]
    assert found["controls"][3]["links"][1] == {
        "link": "metric known",
        "holds": False,
        "evidence": "/etc/prometheus/rules/tabby.yml:4: `systemd_unit_start_total` exists in no exporter",
    }
    assert {control["status"] for control in found["controls"]} == {"effective", "unwired", "unreachable", "missing", "unknown"}


def test_absent_is_null_and_never_zero():
    found = rendered(sample.several())["incidents"][1]
    assert found["end"] is found["recovery"] is found["time_to_recover_s"] is found["detection"]["alert"] is found["trigger"] is None


def test_times_are_utc_whatever_the_zone_of_the_report():
    found = rendered(replace(sample.seed(), timezone="Europe/Berlin"))
    assert found["incidents"][0]["start"] == "2025-12-07T21:30:00Z"


def test_a_number_that_is_none_is_null():
    incident = replace(sample.seed().incidents[0], availability=float("nan"))
    assert rendered(replace(sample.seed(), incidents=(incident,)))["incidents"][0]["availability"] is None


def test_every_failure_is_in_one_incident_or_isolated():
    found = rendered(kinds.all_kinds())
    assert found["failures"] == {"total": 1_473, "in_incidents": 1_469, "isolated": 4}
    assert [incident["failures"] for incident in found["incidents"]] == [6, 1, 14, 7, 1_441]
    assert [(row["unit"], row["manager"], row["failures"], row["restarts"]) for row in found["isolated"]] == [
        ("vllm.service", "system", 3, 3),
        ("podman.service", "user:1000", 1, 0),
    ]


def test_an_incident_has_its_kind_and_its_cause():
    incidents = rendered(kinds.all_kinds())["incidents"]
    assert [incident["kind"] for incident in incidents] == ["outage", "outage", "failing-job", "recurring", "restart-loop"]
    assert [incident["caused_by"] for incident in incidents] == [None, "postgresql.service", None, None, None]


def test_what_a_restart_did_is_a_count_beside_the_opinion_of_the_catalogue():
    vllm = rendered(kinds.all_kinds())["incidents"][4]["classes"][0]
    assert (vllm["restart_helps"], vllm["restart_helped"]) == (True, {"of": 1_440, "held": 0})
    assert rendered(kinds.report(kinds.outage()))["incidents"][0]["classes"][0]["restart_helped"] is None


def test_a_comparison_is_in_the_report_when_asked_for():
    found = rendered(comparisons.compared())["compare"]
    assert faults(found, COMPARE) == []
    assert {row["status"] for row in found["classes"]} >= {"new", "gone"}
    assert [row["status"] for row in found["incidents"]].count("continued") == 1
    assert rendered(sample.seed())["compare"] is None
