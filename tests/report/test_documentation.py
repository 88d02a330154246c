"""docs/incidents.md explains every kind, each with a picture, and its numbers are those that the program decides by."""

import re
from pathlib import Path

import pytest

from forensics import wording
from forensics.policy import limits

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "incidents.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))
KINDS = {kind: f"{wording.kind(kind)} (`{kind}`)" for kind in ("restart-loop", "outage", "failing-job", "recurring")}
NUMBERS = {2: "twice", 3: "Three", 5: "Five"}


@pytest.mark.parametrize("name", ["Failure", "Restart", *KINDS.values(), "Isolated"])
def test_every_word_has_one_picture(name):
    assert SECTIONS[name].count("```text") == 1


@pytest.mark.parametrize(
    ("name", "threshold"),
    [
        (KINDS["restart-loop"], f"**{NUMBERS[limits.LOOP_RESTARTS]}** or more automatic restarts"),
        (KINDS["outage"], f"**{limits.OUTAGE_S / 60:.0f} minutes** or more"),
        (KINDS["failing-job"], f"failed **{NUMBERS[limits.JOB_FAILURES]}** or more in a row"),
        (KINDS["recurring"], f"**{NUMBERS[limits.RECURRING]}** or more failures within **{limits.RECURRING_WINDOW_S / 3600:.0f} hours**"),
        ("When an incident starts and ends", f"was up for **{limits.HELD_S / 60:.0f} minutes**"),
        ("When an incident starts and ends", f"not restarted within **{limits.UNRESTARTED_S / 60:.0f} minutes**"),
        ("When an incident starts and ends", f"stayed stopped for **{limits.STOP_GAP_S / 60:.0f} minutes**"),
    ],
)
def test_the_thresholds_are_those_of_the_program(name, threshold):
    assert threshold in re.sub(r"\s+", " ", SECTIONS[name])
