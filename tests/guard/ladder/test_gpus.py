"""Free memory by nvidia-smi or by nvidia-ml-py, of the GPUs that the service sees."""

import sys
from types import SimpleNamespace

import pytest

from forensics.guard.ladder import gpus
from forensics.guard.ladder.gpus import free_memory

TWO = "0, GPU-aaaa-1, 20000\n1, GPU-bbbb-2, 8000\n"
MIB = 1 << 20


def installed(folder, script):
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.parametrize(
    ("wanted", "devices", "expected", "reason"),
    [
        ((), "", (20000, 8000), "all"),
        ((1,), "", (8000,), "the one that is named"),
        ((1, 0), "", (8000, 20000), "in the order in which they are named"),
        ((), "1", (8000,), "the service sees only this one"),
        ((), "GPU-bbbb-2,0", (8000, 20000), "by id"),
        ((), "GPU-b", (8000,), "by the start of an id"),
        ((), "0,7,1", (20000,), "CUDA sees nothing behind a GPU that does not exist"),
        ((), "7", None, "there is none"),
        ((), "MIG-123", None, "a part of a GPU: not known"),
        ((0, 7), "", None, "one of these does not exist"),
    ],
)
def test_the_gpus_that_count(tmp_path, wanted, devices, expected, reason):
    environment = installed(tmp_path, f"printf '{TWO}'") | {"CUDA_VISIBLE_DEVICES": devices}
    assert free_memory(wanted, environment) == (expected and tuple(free * MIB for free in expected)), reason


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'No devices were found'", "there is no GPU"),
        ("echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'; exit 9", "no driver"),
        ("echo '0, GPU-a, [N/A]'", "memory that is shared with the host"),
        ("exec sleep 60", "a driver that hangs"),
    ],
)
def test_it_is_not_known(tmp_path, monkeypatch, script, reason):
    monkeypatch.setattr(gpus, "WITHIN_S", 0.3)
    assert free_memory((), installed(tmp_path, script)) is None, reason
    assert free_memory((), {"PATH": "/nowhere"}) is None


def test_the_library_is_asked_first(tmp_path, monkeypatch):
    library = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUUID=lambda index: f"GPU-{index}".encode(),
        nvmlDeviceGetMemoryInfo=lambda index: SimpleNamespace(free=(index + 1) * 7, total=99, used=1),
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    environment = installed(tmp_path, f"printf '{TWO}'")
    assert free_memory((), environment) == (7, 14)
    monkeypatch.setattr(library, "nvmlInit", lambda: 1 / 0)
    assert free_memory((), environment) == (20000 * MIB, 8000 * MIB)
