"""docs/controls.md names every control, link, status and login of the audit, and its commands have options that exist."""

import re
from pathlib import Path

import pytest

from forensics.audit import audit
from forensics.audit.checks import CHECKS
from forensics.model.controls import EFFECTIVE, MISSING, UNKNOWN, UNREACHABLE, UNWIRED
from tests.audit import effective as e
from tests.cli_options import command_options

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "controls.md").read_text(encoding="utf-8")
AUDIT = TEXT.split("\n## Audit\n")[1].split("\n## ")[0]
RULE = next(control for control in audit(e.EFFECTIVE) if control.id == "alert-rules")


@pytest.mark.parametrize("name", CHECKS)
def test_every_control_has_its_row(name):
    assert re.search(rf"^\| .*\b{name}\b", AUDIT, re.MULTILINE)


def test_every_status_and_each_link_of_a_rule_has_its_row_in_order():
    rows = re.findall(r"^\| (.+?) \|", AUDIT, re.MULTILINE)
    assert [row for row in rows if row in {EFFECTIVE, UNWIRED, UNREACHABLE, MISSING, UNKNOWN}] == [
        EFFECTIVE,
        UNWIRED,
        UNREACHABLE,
        MISSING,
        UNKNOWN,
    ]
    links = [link.link for link in RULE.links]
    assert [row for row in rows if row in links] == links


def test_every_option_that_is_named_exists():
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", AUDIT))
    assert len(named) > 8
    assert {name for name in named if "collector" not in name} <= command_options()["audit"] | command_options()["report"]
