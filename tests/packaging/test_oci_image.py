"""The container image: a tar file that says what it holds; `make check-oci` builds the real one, and runs it without rights."""

import gzip
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGE = os.environ.get("TABBY_TEST_OCI", "")
GROUP = 4711  # stands for the group systemd-journal of the host


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write an image of a tiny root directory."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    spec = importlib.util.spec_from_file_location("oci_image", ROOT / "packaging/oci_image.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path / "root"
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/program").write_text("#!/bin/sh\n")
    (root / "usr/bin/program").chmod(0o755)
    (root / "bin").symlink_to("usr/bin")

    def write(name):
        module.write_image(root, tmp_path / name, user="65532", version="1.0", architecture="amd64")
        return tmp_path / name

    return write


def parts(image):
    """Follow the index to the manifest, the configuration and the layer, each by its digest."""
    with tarfile.open(image) as archive:

        def blob(descriptor):
            content = archive.extractfile("blobs/" + descriptor["digest"].replace(":", "/")).read()
            assert len(content) == descriptor["size"]
            assert "sha256:" + hashlib.sha256(content).hexdigest() == descriptor["digest"]
            return content

        assert json.load(archive.extractfile("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
        (described,) = json.load(archive.extractfile("index.json"))["manifests"]
        manifest = json.loads(blob(described))
        (layer,) = manifest["layers"]
        (for_docker,) = json.load(archive.extractfile("manifest.json"))
        assert for_docker["Layers"] == ["blobs/" + layer["digest"].replace(":", "/")]
        assert for_docker["Config"] == "blobs/" + manifest["config"]["digest"].replace(":", "/")
        return json.loads(blob(manifest["config"])), gzip.decompress(blob(layer))


def check_configuration(configuration, layer):
    assert configuration["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    assert configuration["config"]["User"] == "65532:65532"
    assert configuration["config"]["Entrypoint"] == ["tabby-forensics"]
    assert list(configuration["config"]["Volumes"]) == ["/var/lib/tabby-forensics"]


def test_an_image_names_what_it_holds_by_digest(written, tmp_path):
    configuration, layer = parts(written("image.tar"))
    check_configuration(configuration, layer)
    (tmp_path / "layer.tar").write_bytes(layer)
    with tarfile.open(tmp_path / "layer.tar") as archive:
        assert archive.getnames() == ["bin", "usr", "usr/bin", "usr/bin/program"]
        assert archive.getmember("bin").linkname == "usr/bin"
        assert archive.getmember("usr/bin/program").mode == 0o755
    assert not list(tmp_path.glob("*.layer"))


def test_the_same_files_become_the_same_image(written):
    assert written("one.tar").read_bytes() == written("two.tar").read_bytes()


@pytest.mark.skipif(not IMAGE, reason="builds a container image as root: make check-oci")
def test_the_real_image_reports_on_a_mounted_journal_as_a_user_without_rights(seed, tmp_path):
    configuration, layer = parts(ROOT / IMAGE)
    check_configuration(configuration, layer)
    image = tmp_path / "image"
    image.mkdir()
    subprocess.run(["tar", "--extract", "--numeric-owner", "--same-owner", f"--directory={image}"], input=layer, check=True)
    del layer
    for path in (seed / "journal").rglob("*"):
        inside = image / "var/log/journal" / path.relative_to(seed / "journal")
        if path.is_dir():
            inside.mkdir(parents=True)
            inside.chmod(0o750)
        else:
            shutil.copyfile(path, inside)
            inside.chmod(0o640)
        os.chown(inside, 0, GROUP)
    settings = configuration["config"]
    started = ["chroot", "--userspec=65532:65532", f"--groups={GROUP}", str(image), "/usr/bin/env", "-i", *settings["Env"]]
    words = ["report", "--since", "2025-11-18", "--until", "2025-12-18", "--tz", "UTC"]
    run = subprocess.run(
        ["unshare", "--net", "--mount", *started, *settings["Entrypoint"], *words], capture_output=True, text=True, check=False, timeout=600
    )
    assert run.returncode == 0, run.stderr
    assert "13,936 restarts" in run.stdout
    assert (image / "var/lib/tabby-forensics").stat().st_uid == 65532
