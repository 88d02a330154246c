"""Free video memory as a program called nvidia-smi says."""

from pathlib import Path

import pytest

from forensics.guard.ladder import gpus
from forensics.guard.preflight import vram
from forensics.guard.preflight.checks import NOTHING, Vram
from forensics.guard.preflight.unit import Unit

GIB = 1 << 30


def unit_with(folder: Path, script: str | None) -> Unit:
    if script is not None:
        (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "nvidia-smi").chmod(0o755)
    return Unit("x.service", inside=True, environment={"PATH": str(folder)}, directory=folder)


@pytest.mark.parametrize(
    ("script", "gpu", "status", "words", "reason"),
    [
        ("echo '0, GPU-1, 24000'", None, "ok", "", ""),
        ("echo '0, GPU-1, 1000'", None, "failed", "CUDA out of memory. Tried to allocate 20.00 GiB. Before the start", "too little"),
        ("echo '0, GPU-1, 1000'; echo '1, GPU-2, 24000'", None, "ok", "", "any GPU will do"),
        ("echo '0, GPU-1, 1000'; echo '1, GPU-2, 24000'", 0, "failed", "GPU 0 had 1000.00 MiB free", "this one will not"),
        ("echo '0, GPU-1, 1000'", 3, "unknown", "is not known", "there is no such GPU"),
        ("echo 'NVIDIA-SMI has failed'; exit 9", None, "unknown", "is not known", "no driver"),
        ("echo '0, GPU-1, [N/A]'", None, "unknown", "is not known", "a GPU without the number"),
        ("exec sleep 60", None, "unknown", "is not known", "it hangs"),
        (None, None, "unknown", "is not known", "no such program"),
    ],
)
def test_only_too_little_memory_fails(tmp_path, monkeypatch, script, gpu, status, words, reason):
    monkeypatch.setattr(vram, "GRACE_S", 0.0)
    monkeypatch.setattr(gpus, "WITHIN_S", 0.3)
    monkeypatch.setattr(vram, "NIXOS", "/nonexistent")
    outcome = vram.check_vram(Vram(NOTHING, 20 * GIB, gpu), unit_with(tmp_path, script))
    assert (outcome.status, words in outcome.text) == (status, True), (reason, outcome)


def test_memory_that_is_freed_in_a_moment_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(vram, "STEP_S", 0.01)
    again = tmp_path / "again"
    unit = unit_with(tmp_path, f"if [ -e {again} ]; then echo '0, GPU-1, 24000'; else echo '0, GPU-1, 9'; : > {again}; fi")
    assert vram.check_vram(Vram(NOTHING, 20 * GIB), unit).status == "ok"


def test_only_the_gpus_that_the_unit_sees_count(tmp_path, monkeypatch):
    monkeypatch.setattr(vram, "GRACE_S", 0.0)
    unit = unit_with(tmp_path, "echo '0, GPU-1, 24000'; echo '1, GPU-2, 1000'")
    hidden = Unit("x.service", inside=True, environment={**unit.environment, "CUDA_VISIBLE_DEVICES": "1"}, directory=tmp_path)
    assert vram.check_vram(Vram(NOTHING, 20 * GIB), unit).status == "ok"
    assert vram.check_vram(Vram(NOTHING, 20 * GIB), hidden).status == "failed"
