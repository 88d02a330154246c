"""Checks that are made of what a history shows: what is taken from hostile text, and what is written."""

import shlex
import subprocess
import tomllib
from datetime import UTC, datetime

import pytest

from forensics.errors import UsageError
from forensics.generate import preflight
from forensics.generate.basis import basis_of
from forensics.generate.preflight import Checks, Entry, check_files, command_line, drop_ins, find_checks, nix_file
from forensics.generate.preflight_values import FINDERS, Value, file_module, imported, values_of
from forensics.guard.preflight.check_file import read_checks
from forensics.guard.preflight.checks import Library, Port
from forensics.resources import folder
from forensics.signatures import catalogue
from tests.cli.running import assert_one_sentence, run
from tests.generate.history import LIBRARY, UNIT, day, investigated, stream

SITE = "/srv/venv/lib/python3.12/site-packages"
PROGRAM = "/usr/bin/python3"
BOUND = "ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', {}): address already in use"
TRACEBACK = """\
Traceback (most recent call last):
  File "/srv/app/main.py", line 8, in <module>
    import torch
  File "{file}", line 427, in <module>
    {code}
ImportError: {error}"""
GONE = "libstdc++.so.6: cannot open shared object file: No such file or directory"


def traceback(code, file=f"{SITE}/torch/__init__.py", error=GONE):
    return TRACEBACK.format(code=code, file=file, error=error)


@pytest.mark.parametrize(
    ("code", "file", "module"),
    [
        ("from torch._C import *  # noqa: F403", f"{SITE}/torch/__init__.py", "torch._C"),
        ("import exllamav2_ext", f"{SITE}/exllamav2/ext.py", "exllamav2_ext"),
        ("import flash_attn_2_cuda as flash_attn_cuda", f"{SITE}/flash_attn/flash_attn_interface.py", "flash_attn_2_cuda"),
        ("from . import _C", f"{SITE}/xformers/__init__.py", "xformers._C"),
        ("from .kernels import run", f"{SITE}/pkg/ops/x.py", "pkg.ops.kernels"),
        ("from .. import _C", f"{SITE}/pkg/ops/x.py", "pkg._C"),
        ("from . import _C", "/srv/app/main.py", ""),
        ("ctypes.CDLL(path)", f"{SITE}/torch/__init__.py", ""),
    ],
)
def test_the_last_frame_names_the_module(code, file, module):
    assert imported(traceback(code, file)) == module


@pytest.mark.parametrize(
    ("file", "module"),
    [
        (f"{SITE}/exllamav2_ext.cpython-312-x86_64-linux-gnu.so", "exllamav2_ext"),
        (f"{SITE}/vllm/_C.abi3.so", "vllm._C"),
        (f"{SITE}/tv/image.so", "tv.image"),
        (f"{SITE}/torch/lib/libtorch_cuda.so", ""),
        (f"{SITE}/a b/x.so", ""),
        ("/srv/app/x.so", ""),
    ],
)
def test_a_file_below_site_packages_is_a_module(file, module):
    assert file_module(file) == module


def value(kind, **settings):
    return Value(kind, tuple(settings.items()))


@pytest.mark.parametrize(
    ("signature", "text", "expected"),
    [
        ("loader.libstdcxx-missing", traceback("from torch._C import *"), value("library", module='"torch._C"')),
        ("loader.libstdcxx-missing", LIBRARY, value("library", name='"libstdc++.so.6"')),
        ("loader.library-missing", "/usr/bin/x: error while loading shared libraries: liba.so.0: cannot open shared object file", None),
        ("torch.abi-mismatch", f"ImportError: {SITE}/ex_ext.abi3.so: undefined symbol: _ZN3c10x", value("library", module='"ex_ext"')),
        ("torch.abi-mismatch", "OSError: /srv/app/x.so: undefined symbol: _ZN3c10x", value("library", file='"/srv/app/x.so"')),
        (
            "loader.libstdcxx-too-old",
            f"/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by {SITE}/a.so)",
            value("library", module='"a"'),
        ),
        ("loader.library-damaged", "OSError: /srv/app/x.so: file too short", value("library", file='"/srv/app/x.so"')),
        ("port.conflict", BOUND.format(8000), value("port", port="8000", address='"127.0.0.1"')),
        ("port.conflict", "[ERROR] Connection in use: ('0.0.0.0', 8000)", value("port", port="8000", address='"0.0.0.0"')),
        (
            "port.conflict",
            "Error: listen tcp 127.0.0.1:11434: bind: address already in use",
            value("port", port="11434", address='"127.0.0.1"'),
        ),
        ("port.conflict", "Error: listen EADDRINUSE: address already in use :::3000", value("port", port="3000")),
        ("port.conflict", "Ports 5000 and 5001 are in use by different services.", value("port", port="5000")),
        ("port.conflict", "OSError: [Errno 98] Address already in use", None),
        ("port.conflict", BOUND.format(99_999), None),
        ("model.path-missing", "Model path does not exist: /srv/m.gguf", value("path", path='"/srv/m.gguf"', access='"exists"')),
        (
            "file.permission-denied",
            "[Errno 13] Permission denied: '/root/.cache/x'",
            value("path", path='"/root/.cache/x"', access='"read"'),
        ),
        ("tabby.config-ignored", "The YAML config from '/srv/config.yml' couldn't load", value("config", path='"/srv/config.yml"')),
        ("disk.full", "OSError: [Errno 28] No space left on device: '/srv/cache/f49'", value("disk", path='"/srv/cache"')),
        ("disk.read-only", "[Errno 30] Read-only file system: '/srv/logs/a.log'", value("path", path='"/srv/logs"', access='"write"')),
        (
            "gpu.vram-exhausted",
            "Tried to allocate 512.00 MiB. GPU 0 has … Including non-PyTorch memory, this process has 27.50 GiB memory in use.",
            value("vram", free='"28.00 GiB"'),
        ),
        (
            "gpu.vram-exhausted",
            "Free memory on device cuda:0 (3.21/23.65 GiB) on startup is less than desired GPU memory utilization (0.9, 21.28 GiB).",
            value("vram", free='"21.28 GiB"'),
        ),
        ("gpu.vram-exhausted", "RuntimeError: CUDA error: out of memory", None),
        ("mined:0123", BOUND.format(8000), None),
    ],
)
def test_a_failure_names_what_can_be_checked(signature, text, expected):
    assert values_of(signature, text) == (() if expected is None else (expected,), 0)


@pytest.mark.parametrize(
    ("signature", "text", "left_out"),
    [
        ("model.path-missing", "Model path does not exist: /srv/a;$(reboot)", 1),
        ("model.path-missing", "Model path does not exist: /srv/../../etc/x", 1),
        ("model.path-missing", "Model path does not exist: /srv/\x1b[2J", 1),
        ("model.path-missing", "Model path does not exist: /srv/[redacted:token]/m", 1),
        ("model.path-missing", f"Model path does not exist: /{'a' * 600}", 1),
        ("model.path-missing", 'Model path does not exist: /srv/x"\n[[port]]\nport = 1', 0),
        ("torch.abi-mismatch", "/srv/a`b/x.so: undefined symbol: _ZN3c10x", 1),
        ("loader.libstdcxx-missing", traceback("import os;os.system('x')"), 0),
        ("port.conflict", BOUND.format("1); import os"), 0),
    ],
)
def test_what_is_not_plain_is_left_out(signature, text, left_out):
    values, dropped = values_of(signature, text)
    assert dropped == left_out
    for each in values:
        written = "".join(f"{name} = {setting}\n" for name, setting in each.settings)
        assert all(isinstance(setting, (str, int)) for setting in tomllib.loads(written).values())
        assert not set("\n$;`\x1b") & set(written.replace("\n", ""))


def test_every_class_that_is_looked_for_is_in_the_catalogue():
    assert {*FINDERS} <= {pattern.id for pattern in catalogue.load((folder("patterns"),)).patterns}


@pytest.fixture(scope="module")
def made(basis):
    """The checks of the day: 40 failures of a library, an isolated one of video memory, endpoint 5000."""
    found = find_checks(basis)
    return basis, found, check_files(basis, found)


def test_the_file_says_how_often_each_check_would_have_failed(made, tmp_path):
    _, _, files = made
    text = files[f"{UNIT}.toml"]
    assert "would have failed 40 of 43 starts" in " ".join(text.replace("\n#  ", "").split())
    assert "A failed check does not stop a restart loop" in text
    (tmp_path / "x.toml").write_text(text)
    (check,) = read_checks(tmp_path / "x.toml")
    assert (type(check), check.subject, check.about.signature) == (Library, "libstdc++.so.6", "loader.libstdcxx-missing")


@pytest.fixture(scope="module")
def of_text(tmp_path_factory):
    """A function that returns the entries for a unit that fails with a text."""

    def entries(text, **options):
        found = investigated(tmp_path_factory.mktemp("history"), day(loop=6, fails_with=text, **options), patterns=(folder("patterns"),))
        (checks,) = find_checks(basis_of(found))
        return checks

    return entries


def test_the_port_is_that_of_healthy_attempts(of_text):
    """The service moved to 5001 when 5000 was taken, and died of 5001 being taken too."""
    (entry,) = of_text(BOUND.format(5001)).entries
    assert dict(entry.value.settings) == {"port": "5000", "address": '"127.0.0.1"'}
    assert "Failures also name 5001" in entry.note
    assert (entry.failures, entry.optional) == (6, False)


def test_a_path_only_warns_where_the_unit_held_since(of_text):
    (entry,) = of_text("ValueError: Model path does not exist: /srv/models/m.gguf").entries
    assert entry.optional
    assert "remove `optional`" in entry.note


def test_the_largest_memory_stands_for_all(of_text):
    text = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 512.00 MiB. GPU 0 has a total capacity of 23.65 GiB of which "
    text += "1.06 GiB is free. Including non-PyTorch memory, this process has 20.00 GiB memory in use."
    (entry,) = of_text(text).entries
    assert (entry.value["free"], entry.failures) == ('"20.50 GiB"', 6)


def test_secrets_do_not_get_into_the_file(of_text, made):
    secret = f"ghp_{'a1B2' * 9}"
    checks = of_text(f"ValueError: Model path does not exist: /srv/{secret}/m.gguf")
    assert (checks.entries, checks.dropped) == ((), 1)
    assert secret not in check_files(made[0], [checks])[f"{UNIT}.toml"]


def test_what_no_check_sees_is_named(of_text):
    checks = of_text("unknown trouble 17")
    assert checks.entries == ()
    assert all(name.startswith("mined:") or name == "gpu.vram-exhausted" for name in checks.unchecked)


def entries_of(unit, is_users=False):
    port = Value("port", (("port", "5000"),))
    return Checks(unit, is_users, (Entry(port, "port.conflict", 7, 9, datetime(2026, 1, 2, tzinfo=UTC)),), 0, ())


@pytest.mark.parametrize("unit", ["a.service", r"a\x2db@c:d.service", "a.b-c_d.service"])
def test_files_are_named_by_the_unit(made, unit, tmp_path):
    ((name, text),) = check_files(made[0], [entries_of(unit)]).items()
    (tmp_path / "x.toml").write_text(text)
    assert (name, tomllib.loads(text)["unit"]) == (f"{unit}.toml", unit)
    assert [type(check) for check in read_checks(tmp_path / "x.toml")] == [Port]
    assert [*drop_ins(made[0], [entries_of(unit)], PROGRAM)] == [f"{unit.removesuffix('.service')}-preflight.conf"]


def test_a_users_unit_is_checked_as_one(made):
    (text,) = drop_ins(made[0], [entries_of("a.service", is_users=True)], PROGRAM).values()
    assert "-m forensics.guard.preflight --quiet --user " in text
    assert "~/.config/systemd/user/a.service.d/60-preflight.conf" in text


def shell(line, program):
    """Run a value of ExecStartPre= as systemd does: quotes away, $$ and %n replaced."""
    words = [word.replace("$$", "$").replace("%n", "x.service") for word in shlex.split(line)]
    return subprocess.run([program if word == "PROGRAM" else word for word in words], check=False, capture_output=True).returncode


@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [
        ("exit 0", 0, "passed"),
        ("exit 78", 78, "a check failed"),
        ("exit 4", 0, "could not tell"),
        ("exit 1", 0, "crashed"),
        ("exit 2", 0, "called wrongly"),
        ("kill -9 $$", 0, "killed"),
        ("kill -11 $$", 0, "a segmentation fault"),
        ("exec sleep 60", 0, "hangs"),
        ("trap '' TERM; while :; do sleep 0.2; done", 0, "hangs and ignores the signal"),
        (None, 0, "missing"),
    ],
)
def test_only_78_refuses(tmp_path, script, code, reason):
    if script is not None:
        (tmp_path / "program").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "program").chmod(0o755)
    assert shell(command_line(str(tmp_path / "program"), within_s=1), "") == code, reason


def test_a_python_is_called_isolated_and_another_program_as_the_command():
    assert '"$$0" -I -m forensics.guard.preflight --quiet "$$1"' in command_line("/srv/venv/bin/python3.12")
    assert '"$$0" preflight --quiet "$$1"' in command_line("/usr/bin/tabby-forensics")


@pytest.mark.parametrize(
    "program", ["python3", "/srv/my app/python", "/srv/%n/python", "/srv/'/python", '/srv/"/python', "/srv/$X/python", "/a\n"]
)
def test_a_program_that_would_need_quotes_is_refused(program):
    with pytest.raises(UsageError):
        command_line(program)


def test_the_nix_module_is_nix(made):
    tree_sitter = pytest.importorskip("tree_sitter")
    nix = pytest.importorskip("tree_sitter_nix")
    text = nix_file(made[0], [entries_of(r"a\x2db@c.service"), entries_of("u.service", is_users=True)], PROGRAM)
    tree = tree_sitter.Parser(tree_sitter.Language(nix.language())).parse(text.encode())
    assert not tree.root_node.has_error, text
    assert '${pkgs.coreutils}/bin/timeout -k 1 10 \\"$$0\\" -I -m forensics.guard.preflight' in text
    assert 'systemd.user.services."u".serviceConfig.ExecStartPre' in text
    assert 'environment.etc."tabby-forensics/preflight/a\\\\x2db@c.service.toml".source = ./. + "/a\\\\x2db@c.service.toml";' in text


def test_the_command_writes_checks_and_drop_in_into_a_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")  # the heads hold the minute
    (tmp_path / "journal.json").write_text(stream(day(loop=6)))
    (tmp_path / "made").mkdir()
    sources = ["--file", str(tmp_path / "journal.json"), "--store", str(tmp_path / "store"), "--tz", "UTC"]
    done = run("generate", "preflight", *sources, "-o", str(tmp_path / "made"), "--program", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "made").iterdir()} == {f"{UNIT}.toml", "tabby-preflight.conf"}
    shown = run("generate", "preflight", *sources)
    assert shown.stdout == (tmp_path / "made" / f"{UNIT}.toml").read_text()
    assert "ExecStartPre = [" in run("generate", "preflight", *sources, "--nix").stdout
    assert_one_sentence(run("generate", "preflight", *sources, "--program", "python"), 2, "full path of a program")
    assert preflight.WITHIN_S == 10
