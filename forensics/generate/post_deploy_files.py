"""Gather all files by which changes are verified."""

from __future__ import annotations

from forensics.generate.post_deploy import APT, NIXOS, RUNBOOK, Plan
from forensics.generate.post_deploy_apt import apt_script
from forensics.generate.post_deploy_nixos import nixos_script
from forensics.generate.post_deploy_runbook import runbook_text
from forensics.generate.post_deploy_units import unit_files


def post_deploy_files(plan: Plan) -> dict[str, str]:
    """Write all files: file name → text."""
    return {NIXOS: nixos_script(plan), APT: apt_script(plan), **unit_files(plan), RUNBOOK: runbook_text(plan)}
