"""Write a directory as a container image of one layer: an OCI image layout in a tar file, which `docker load` of any version reads too.

The format is that of the OCI image specification 1.1; manifest.json is what `docker load` before version 25 asks for.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

NAME = "tabby-forensics"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
PIECE = 1 << 20


class Hashed(io.RawIOBase):
    """A stream that is hashed on its way to another."""

    def __init__(self, target: io.BufferedIOBase) -> None:
        self.target = target
        self.hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:
        self.hash.update(piece)
        return self.target.write(piece)


def pack_layer(root: Path, target: Path, epoch: int) -> str:
    """Pack the files of a root directory; return the digest of the layer before it was compressed."""
    with target.open("wb") as file, gzip.GzipFile("", "wb", 4, file, mtime=0) as compressed:
        hashed = Hashed(compressed)
        with tarfile.open(fileobj=hashed, mode="w|", format=tarfile.PAX_FORMAT, bufsize=PIECE) as archive:
            for path in _paths(root):
                member = archive.gettarinfo(path, arcname=str(path.relative_to(root)))
                member.uname = member.gname = ""
                member.mtime = min(int(member.mtime), epoch)
                if member.isreg():
                    with path.open("rb") as content:
                        archive.addfile(member, content)
                else:
                    archive.addfile(member)
    return f"sha256:{hashed.hash.hexdigest()}"


def _paths(folder: Path) -> Iterator[Path]:
    """Go through everything below a directory in the order of its names, symbolic links not followed."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = folder / entry.name
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _paths(path)


def configuration(diff_id: str, user: str, version: str, architecture: str, epoch: int) -> dict[str, object]:
    """Describe how the image is started: as a user without rights, with its store in a volume."""
    created = datetime.fromtimestamp(epoch, UTC).isoformat().replace("+00:00", "Z")
    return {
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": f"{user}:{user}",
            "Env": [
                "PATH=/usr/bin:/bin",
                "HOME=/var/lib/tabby-forensics",
                "LANG=C.UTF-8",
                "XDG_STATE_HOME=/var/lib",
                "XDG_CONFIG_HOME=/etc",
            ],
            "Entrypoint": ["tabby-forensics"],
            "Cmd": ["--help"],
            "Volumes": {"/var/lib/tabby-forensics": {}},
            "WorkingDir": "/var/lib/tabby-forensics",
            "Labels": {"org.opencontainers.image.title": NAME, "org.opencontainers.image.version": version},
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": created, "created_by": "make oci"}],
    }


def write_image(root: Path, out: Path, *, user: str, version: str, architecture: str) -> None:
    """Write the image; with SOURCE_DATE_EPOCH the same files become the same image."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.now(UTC).timestamp())
    layer = out.with_suffix(".layer")
    try:
        diff_id = pack_layer(root, layer, epoch)
        with tarfile.open(out, "w") as archive:
            packed = _add_file(archive, layer, epoch)
            config = _add_blob(archive, configuration(diff_id, user, version, architecture, epoch), epoch)
            manifest = _add_blob(
                archive,
                {
                    "schemaVersion": 2,
                    "mediaType": MANIFEST,
                    "config": {"mediaType": CONFIG, **config},
                    "layers": [{"mediaType": LAYER, **packed}],
                },
                epoch,
            )
            named = {"org.opencontainers.image.ref.name": version, "io.containerd.image.name": f"localhost/{NAME}:{version}"}
            manifests = [{"mediaType": MANIFEST, **manifest, "annotations": named}]
            _add(archive, "index.json", _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}), epoch)
            _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}), epoch)
            tags = [f"localhost/{NAME}:{version}"]
            for_docker = [{"Config": _blob(config["digest"]), "RepoTags": tags, "Layers": [_blob(packed["digest"])]}]
            _add(archive, "manifest.json", _json(for_docker), epoch)
    finally:
        layer.unlink(missing_ok=True)


def _add_file(archive: tarfile.TarFile, path: Path, epoch: int) -> dict[str, object]:
    """Add a file under the name that its digest gives it."""
    with path.open("rb") as content:
        digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
        content.seek(0)
        member = _member(_blob(digest), path.stat().st_size, epoch)
        archive.addfile(member, content)
    return {"digest": digest, "size": member.size}


def _add_blob(archive: tarfile.TarFile, value: object, epoch: int) -> dict[str, object]:
    text = _json(value)
    digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
    _add(archive, _blob(digest), text, epoch)
    return {"digest": digest, "size": len(text)}


def _add(archive: tarfile.TarFile, name: str, text: bytes, epoch: int) -> None:
    archive.addfile(_member(name, len(text), epoch), io.BytesIO(text))


def _member(name: str, size: int, epoch: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = size, epoch
    return member


def _blob(digest: object) -> str:
    return "blobs/" + str(digest).replace(":", "/")


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("out", type=Path)
    for name in ("user", "version", "architecture"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    write_image(options.root, options.out, user=options.user, version=options.version, architecture=options.architecture)


if __name__ == "__main__":
    main()
