"""The Debian package, as `make check-deb` builds it: what it depends on, what it brings, and that it runs where it will lie."""

import gzip
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEB = os.environ.get("TABBY_TEST_DEB", "")

pytestmark = pytest.mark.skipif(not DEB, reason="builds a Debian package: make check-deb")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deb")
    subprocess.run(["dpkg-deb", "--raw-extract", str(ROOT / DEB), str(folder)], check=True)
    return folder


def test_it_depends_on_the_python_that_it_was_built_for(unpacked):
    control = (unpacked / "DEBIAN/control").read_text()
    (libraries,) = (unpacked / "usr/lib/tabby-forensics/lib").glob("python3.*")
    major, minor = libraries.name.removeprefix("python").split(".")
    assert f"python3 (>= {major}.{minor}), python3 (<< {major}.{int(minor) + 1})" in control
    assert "python3-systemd" in control


def test_it_brings_the_program_its_unit_and_its_papers(unpacked):
    assert str((unpacked / "usr/bin/tabby-forensics").readlink()) == "../lib/tabby-forensics/bin/tabby-forensics"
    assert (unpacked / "usr/lib/tabby-forensics/bin/tabby-forensics").read_text().startswith("#!/usr/lib/tabby-forensics/bin/python3\n")
    assert "ExecStart=/usr/bin/tabby-forensics watch" in (unpacked / "usr/lib/systemd/system/tabby-forensics.service").read_text()
    assert "License: Expat" in (unpacked / "usr/share/doc/tabby-forensics/copyright").read_text()
    manual = unpacked / "usr/share/man/man1/tabby-forensics.1.gz"
    assert gzip.decompress(manual.read_bytes()).lstrip(b"'\\\" t\n").startswith(b".")


def test_nothing_in_it_knows_where_it_was_built(unpacked):
    for name in ("bin/tabby-forensics", "pyvenv.cfg"):
        assert str(ROOT) not in (unpacked / "usr/lib/tabby-forensics" / name).read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts the package over /usr as root: make check-deb")
def test_it_reports_from_where_it_will_lie(unpacked, seed):
    mounted = 'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr && shift && exec "$@"'
    words = ["report", "--store", str(unpacked.parent / "store"), "--since", "2025-11-18", "--until", "2025-12-18", "--tz", "UTC"]
    command = ["/usr/bin/tabby-forensics", *words, "--file", str(seed / "seed.export")]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(unpacked.parent)}
    run = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", mounted, "sh", str(unpacked), *command],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    assert "13,936 restarts" in run.stdout
