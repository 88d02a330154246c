"""Ask how much memory of the GPUs is free: nvidia-ml-py where it is installed, else nvidia-smi, within seconds."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from forensics.guard.systemctl import NoManagerError, called

WITHIN_S = 5.0
_ROW = re.compile(r"^[ \t]*(\d+)[ \t]*,[ \t]*([\w-]+)[ \t]*,[ \t]*(\d+)(?: MiB)?[ \t]*$", re.MULTILINE)
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as the driver numbers it, by its place on the bus; free: bytes."""

    index: int
    uuid: str
    free: int


def free_memory(wanted: Sequence[int], environment: Mapping[str, str] = os.environ) -> tuple[int, ...] | None:
    """Return the free bytes of the wanted GPUs, or of all that CUDA_VISIBLE_DEVICES shows; None where that is not known."""
    found = _by_library() or _by_program(environment)
    if not found:
        return None
    chosen = [_numbered(found, str(index)) for index in wanted] if wanted else _visible(found, environment.get("CUDA_VISIBLE_DEVICES", ""))
    free = tuple(gpu.free for gpu in chosen if gpu is not None)
    return free if free and len(free) == len(chosen) else None


def _visible(found: Sequence[Gpu], devices: str) -> list[Gpu | None]:
    """Choose as CUDA does: by number or by the start of the id; what follows a GPU that does not exist is invisible."""
    if not devices.strip():
        return list(found)
    chosen: list[Gpu | None] = []
    for device in devices.split(","):
        gpu = _numbered(found, device.strip())
        if gpu is None:
            return chosen or [None]
        chosen.append(gpu)
    return chosen


def _numbered(found: Sequence[Gpu], device: str) -> Gpu | None:
    if device.isdigit():
        return next((gpu for gpu in found if gpu.index == int(device)), None)
    return next((gpu for gpu in found if device and gpu.uuid.startswith(device)), None)


def _by_library() -> list[Gpu]:
    try:
        import pynvml  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return [
            Gpu(index, _text(pynvml.nvmlDeviceGetUUID(one)), int(pynvml.nvmlDeviceGetMemoryInfo(one).free))
            for index, one in enumerate(handles)
        ]
    except Exception:  # noqa: BLE001 - whatever a driver does: nvidia-smi may still know
        return []
    finally:
        with suppress(Exception):
            pynvml.nvmlShutdown()


def _by_program(environment: Mapping[str, str]) -> list[Gpu]:
    program = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if program is None:
        return []
    try:
        done = called([program, "--query-gpu=index,uuid,memory.free", "--format=csv,noheader,nounits"], WITHIN_S)
    except (NoManagerError, OSError):
        return []
    return [Gpu(int(index), uuid, int(free) * _MIB) for index, uuid, free in _ROW.findall(done.stdout[:65_536])]


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
