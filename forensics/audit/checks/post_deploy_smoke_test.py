"""Smoke test after a deployment: does anything ask the service for real work after each system switch?"""

from __future__ import annotations

from forensics.audit.checks.chain import ACTED, EXISTS, WOULD_ACT, Chain, Identity, absent, judged
from forensics.audit.checks.commands import ASKS, COMPLETION, OWNS_PORT, about_unit
from forensics.audit.checks.unit_files import GIVE_UNITS, unseen_units
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.subject import AfterSwitch
from forensics.model.controls import Control, Link
from forensics.sanitize import brief
from forensics.wording import plural

OWN = ("ExecStartPost",)
REMEDIES = {
    EXISTS: "Ask the service for a completion after each deployment: ExecStartPost=, or a unit that the deployment starts.",
    WOULD_ACT: "Ask for a completion and check that the unit's MainPID owns the port: an orphan may answer a health check.",
    ACTED: "Let each deployment start it, and stop the deployment when it fails.",
}
WHEN_UNKNOWN = {EXISTS: GIVE_UNITS, ACTED: "Give a history with a deployment: --since, --journal-dir."}
IDENTITY = Identity("post-deploy-smoke-test", 1, "Smoke test after a deployment", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    missing = unseen_units(found)
    tests = [] if missing else list(about_unit(found, OWN, ASKS))
    if missing is not None or not tests:
        return judged(IDENTITY, [missing or absent(f"no unit asks {found.subject.unit} after a deployment")])
    return judged(IDENTITY, [_chain(found, unit, line) for unit, line in tests])


def _chain(found: Inventory, unit: str, line: str) -> Chain:
    return Chain((Link(EXISTS, True, f"{unit}: {brief(line, 120)}"), _would_act(line), _acted(found.journal.switches, unit)), unit)


def _would_act(line: str) -> Link:
    lacks = [
        what for what, wanted in (("ask for a completion", COMPLETION), ("check who owns the port", OWNS_PORT)) if not wanted.search(line)
    ]
    if lacks:
        return Link(WOULD_ACT, False, f"it does not {' and does not '.join(lacks)}")
    return Link(WOULD_ACT, True, "it asks for a completion and checks who owns the port")


def _acted(switches: tuple[AfterSwitch, ...], unit: str) -> Link:
    """Judge by the deployments in the journal: the test was started after each."""
    if not switches:
        return Link(ACTED, None, "the journal shows no deployment")
    without = [switch for switch in switches if unit not in switch.started]
    if without:
        missed = f"{unit} was not started after {len(without)} of {plural(len(switches), 'deployment')}"
        return Link(ACTED, False, f"{missed}, last: {without[-1].summary}, {without[-1].time:%F %T} UTC")
    return Link(ACTED, True, f"{unit} was started after each of {plural(len(switches), 'deployment')}")
