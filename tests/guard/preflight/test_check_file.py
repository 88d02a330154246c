"""Files of checks: every mistake is named with its line."""

import pytest

from forensics.errors import UsageError
from forensics.guard.preflight.check_file import bytes_of, default_file, read_checks
from forensics.guard.preflight.checks import About, Access, Configuration, Disk, Library, Port, Vram

WHOLE = """\
unit = "x.service"
program = "/srv/venv/bin/python"
[[library]]
module = "torch._C"
class = "loader.libstdcxx-missing"
[[library]]
name = "libstdc++.so.6"
[[port]]
port = 5000
address = "127.0.0.1"
[[path]]
path = "/srv/models"
access = "read"
optional = true
[[config]]
path = "/srv/config.yml"
[[disk]]
path = "/srv"
free = "500M"
inodes = 1000
[[vram]]
free = "21.28 GiB"
gpu = 0
"""


def test_every_kind_is_read(tmp_path):
    (tmp_path / "x.toml").write_text(WHOLE)
    program = "/srv/venv/bin/python"
    assert read_checks(tmp_path / "x.toml") == (
        Library(About("loader.libstdcxx-missing"), module="torch._C", program=program),
        Library(About(), name="libstdc++.so.6", program=program),
        Port(About(), 5000, "127.0.0.1"),
        Access(About(optional=True), "/srv/models", "read"),
        Configuration(About(), "/srv/config.yml", "yaml"),
        Disk(About(), "/srv", 500 << 20, 1000),
        Vram(About(), int(21.28 * 2**30), 0),
    )


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("unit = 7\n[[pot]]\nport = 1\n", ["1: unit: must be", "2: pot: unknown key"]),
        ('[[port]]\nport = "5000"\n[[port]]\nport = 70000\n', ["2: port[0].port: must be", "4: port[1].port: must be from 1 to"]),
        ('[[port]]\nport = true\naddress = "a; rm"\n', ["2: port[0].port: must be", "3: port[0].address: must be an IP address"]),
        ("[[library]]\n", ["1: library[0].name: is missing"]),
        ('[[library]]\nmodule = "a/b"\nfile = "x.so"\n', ["name a module or", "2: library[0].module: must", "3: library[0].file: must"]),
        ('[[library]]\nname = "../x.so"\n', ["2: library[0].name: must be the name of a library"]),
        ('[[path]]\npath = "srv"\naccess = "own"\n', ["2: path[0].path: must be an absolute", "3: path[0].access: must be one of"]),
        ('[[config]]\npath = "/srv/settings"\n', ["1: config[0].format: is missing"]),
        ('[[disk]]\nfree = "much"\n', ["path: is missing", "2: disk[0].free: must be a size"]),
        ("[[vram]]\ngpu = -1\n[[vram]]\nfree = 1e9\n", ["free: is missing", "2: vram[0].gpu: must be", "4: vram[1].free: must be a size"]),
        ("[[path]]\npath = '/x'\noptional = 'yes'\n", ["3: path[0].optional: must be true or false"]),
        ("port = 5\n", ["1: port: must be written as [[port]]"]),
        ("[[port]\n", ["1: is not TOML"]),
        ("a = 1\x00", ["is not TOML"]),
    ],
)  # fmt: skip
def test_every_mistake_has_its_line(tmp_path, text, mistakes):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(UsageError) as error:
        read_checks(tmp_path / "x.toml")
    for mistake in mistakes:
        assert mistake in str(error.value)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        *(("0", 0), ("1000", 1000), ("2 GiB", 2 << 30), ("500M", 500 << 20), ("1.5KB", 1536)),
        *((text, None) for text in ("x", "-1", "1e9", "9" * 99)),
    ],
)  # fmt: skip
def test_sizes(text, size):
    assert bytes_of(text) == size


def test_a_users_unit_has_its_file_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert str(default_file("x.service")) == "/etc/tabby-forensics/preflight/x.service.toml"
    assert str(default_file("x.service", is_users=True)) == "/home/ada/.config/tabby-forensics/preflight/x.service.toml"
