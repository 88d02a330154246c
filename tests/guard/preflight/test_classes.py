"""What a failed check says is in the class that the service's own failure was in."""

from pathlib import Path

import pytest

from forensics.explain import explain
from forensics.guard.listeners import Holder
from forensics.guard.preflight import ports, vram
from forensics.guard.preflight.checks import About, Access, Configuration, Disk, Port, Vram
from forensics.guard.preflight.files import MISSING, check_access, check_configuration, check_disk
from forensics.guard.preflight.libraries import not_found
from forensics.guard.preflight.unit import Unit
from tests.shipped import shipped

CATALOGUE = shipped()
UNIT = Unit("x.service", inside=True, environment={}, directory=Path("/"), properties={"TriggeredBy": ""})
EXT = "/srv/venv/lib/python3.12/site-packages/ext.so"


def class_of(text):
    return explain(f"{text} (preflight)\n".encode(), CATALOGUE).signature.id


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        (not_found("libstdc++.so.6"), "loader.libstdcxx-missing"),
        (f"{not_found('libgomp.so.1')} (and 2 more)", "loader.library-missing"),
        (f"/srv/server: error while loading shared libraries: {not_found('libllama.so.0')}", "loader.library-missing"),
        (not_found("libcudart.so.12"), "loader.cuda-library-missing"),
        (f"{EXT}: undefined symbol: _ZN3c106detail4goneEv", "torch.abi-mismatch"),
        (f"/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by {EXT})", "loader.libstdcxx-too-old"),
        (f"{EXT}: file too short", "loader.library-damaged"),
        (f"{EXT}: invalid ELF header", "loader.library-damaged"),
    ],
)
def test_the_loaders_words(text, signature):
    assert class_of(text) == signature


def test_a_port_that_is_taken(monkeypatch):
    holder = Holder(812, "python", "/system.slice/old.service", "old.service", "127.0.0.1", 5000, 0)
    monkeypatch.setattr(ports, "GRACE_S", 0.0)
    monkeypatch.setattr(ports, "holders", lambda _: type("Found", (), {"found": [holder]}))
    monkeypatch.setattr(ports, "is_taken", lambda *_: True)
    assert class_of(ports.check_port(Port(About(), 5000), UNIT).text) == "port.conflict"


@pytest.mark.parametrize("signature", [*MISSING])
def test_a_missing_path(signature):
    assert class_of(check_access(Access(About(signature), "/nonexistent/m.gguf"), UNIT).text) == signature


def test_a_disk_that_is_full():
    assert class_of(check_disk(Disk(About(), "/", 1 << 60, 0), UNIT).text) == "disk.full"


@pytest.mark.parametrize(("name", "text", "signature"), [
    ("a.yml", "a: b: c\n", "config.file-invalid"),
    ("a.json", "{'a'", "config.file-invalid"),
    ("a.toml", "a = \n", "config.file-invalid"),
    ("a.ini", "b = 1\n", "config.file-invalid"),
    ("config.yml", "a: b: c\n", "tabby.config-ignored"),
])  # fmt: skip
def test_a_configuration_that_does_not_parse(tmp_path, name, text, signature):
    (tmp_path / name).write_text(text)
    format_ = name.rpartition(".")[2].replace("yml", "yaml")
    outcome = check_configuration(Configuration(About(signature), str(tmp_path / name), format_), UNIT)
    assert class_of(outcome.text) == signature


def test_video_memory(monkeypatch):
    monkeypatch.setattr(vram, "GRACE_S", 0.0)
    monkeypatch.setattr(vram, "free_memory", lambda *_: (1 << 30,))
    assert class_of(vram.check_vram(Vram(About(), 20 << 30), UNIT).text) == "gpu.vram-exhausted"
