"""Check how much video memory is free before a start; where that is not known nothing fails."""

from __future__ import annotations

import os
import time

from forensics.guard.ladder.gpus import free_memory
from forensics.guard.preflight.checks import OK, Outcome, Vram, failed, unknown
from forensics.guard.preflight.files import size
from forensics.guard.preflight.unit import Unit

GRACE_S, STEP_S = 2.0, 0.5  # the driver frees what an ended process held a moment later
NIXOS = "/run/current-system/sw/bin"  # of the driver's programs, which units do not have in their PATH


def check_vram(check: Vram, unit: Unit) -> Outcome:
    """Check the free memory of a GPU, or of the one with most of it among those that the unit sees."""
    environment = {**unit.environment, "PATH": f"{unit.environment.get('PATH', os.defpath)}:{NIXOS}"}
    until = time.monotonic() + GRACE_S
    while True:
        free = free_memory(() if check.gpu is None else (check.gpu,), environment)
        if free is None:
            return unknown("how much video memory is free is not known: nvidia-ml-py and nvidia-smi do not say")
        if max(free) >= check.free:
            return OK
        if time.monotonic() >= until:
            return failed(
                f"CUDA out of memory. Tried to allocate {size(check.free)}. Before the start {check.subject} had {size(max(free))} free"
            )
        time.sleep(STEP_S)
