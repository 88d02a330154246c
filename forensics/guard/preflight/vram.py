"""Check how much video memory is free, as nvidia-smi or nvidia-ml-py says; where neither does nothing is known."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress

from forensics.guard.preflight.checks import OK, Outcome, Vram, failed, unknown
from forensics.guard.preflight.files import size
from forensics.guard.preflight.unit import Unit
from forensics.guard.systemctl import NoManagerError, called

WITHIN_S = 3.0
GRACE_S, STEP_S = 3.0, 1.0  # the driver frees what an ended process held a moment later
NIXOS = "/run/current-system/sw/bin"  # of the driver's programs, which units do not have in their PATH
_ROW = re.compile(r"^\s*(\d+),\s*(\d+)\s*$", re.MULTILINE)  # index, MiB


def check_vram(check: Vram, unit: Unit) -> Outcome:
    """Check the free memory of a GPU, or of the one with most of it."""
    until = time.monotonic() + GRACE_S
    while True:
        free = free_memory(unit)
        if isinstance(free, str):
            return unknown(free)
        outcome = _judged(check, free)
        if outcome.status != "failed" or time.monotonic() >= until:
            return outcome
        time.sleep(STEP_S)


def free_memory(unit: Unit) -> dict[int, int] | str:
    """Return GPU → free bytes; a sentence where that is not known."""
    program = shutil.which("nvidia-smi", path=f"{unit.environment.get('PATH', os.defpath)}:{NIXOS}")
    if program is None:
        return _by_library()
    try:
        done = called([program, "--query-gpu=index,memory.free", "--format=csv,noheader,nounits"], WITHIN_S)
    except (NoManagerError, OSError) as error:
        return f"free video memory is not known: {error}"
    found = {int(index): int(free) << 20 for index, free in _ROW.findall(done.stdout[:65_536])}
    return found or "free video memory is not known: nvidia-smi names no GPU"


def _by_library() -> dict[int, int] | str:
    try:
        import pynvml  # type: ignore[import-not-found]  # noqa: PLC0415 - optional
    except ImportError:
        return "free video memory is not known: neither nvidia-smi nor nvidia-ml-py is installed"
    try:
        pynvml.nvmlInit()
        handles = {index: pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())}
        return {index: int(pynvml.nvmlDeviceGetMemoryInfo(handle).free) for index, handle in handles.items()} or "there is no GPU"
    except pynvml.NVMLError as error:
        return f"free video memory is not known: {error}"
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _judged(check: Vram, free: dict[int, int]) -> Outcome:
    if check.gpu is not None and check.gpu not in free:
        return unknown(f"there is no GPU {check.gpu}")
    index = check.gpu if check.gpu is not None else max(free, key=lambda each: free[each])
    if free[index] >= check.free:
        return OK
    return failed(f"CUDA out of memory. Tried to allocate {size(check.free)}. GPU {index} has {size(free[index])} free before the start")
