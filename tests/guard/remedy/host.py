"""A user's service manager that is a shell script: what it is asked, what it answers, and the journal entries that it gets."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

SYSTEMCTL = """#!/bin/sh
[ "$1" = --user ] && shift
for unit; do :; done
case "$1" in
    show) for name; do
            [ -z "$named" ] || { cat "$HOST/$name" 2>/dev/null || cat "$HOST/unknown"; }
            [ "$name" != -- ] || named=1
        done ;;
    start) echo "$unit" >> "$HOST/started"
        [ ! -e "$HOST/on-start" ] || . "$HOST/on-start" ;;
    *) echo "$*" >> "$HOST/asked" ;;
esac
"""
JOURNALCTL = '#!/bin/sh\ncat "$HOST/journal" 2>/dev/null || true\n'
ONESHOT = {
    "LoadState": "loaded",
    "Type": "oneshot",
    "RemainAfterExit": "no",
    "Restart": "no",
    "ActiveState": "inactive",
    "Result": "success",
}
SERVICE = {"LoadState": "loaded", "Type": "simple", "Restart": "always", "ActiveState": "failed", "Result": "exit-code"}
DECLARED = '[[remedy]]\nclass = "torch.abi-mismatch"\nunit = "app.service"\nstart = "rebuild.service"\n'


class Host:
    """Programs on PATH, and the directories of a user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in (("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL), ("systemd-run", '#!/bin/sh\necho "$*" >> "$HOST/run"\n')):
            (folder / "bin").mkdir(exist_ok=True)
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        self.unit("unknown", {"LoadState": "not-found"})
        self.unit("rebuild.service", ONESHOT)
        self.unit("app.service", SERVICE)
        self.declare(DECLARED)

    @property
    def environment(self) -> dict[str, str]:
        folders = {f"XDG_{name}": str(self.folder / name) for name in ("STATE_HOME", "CONFIG_HOME", "RUNTIME_DIR")}
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return {**folders, "PATH": path, "HOST": str(self.folder), "HOME": str(self.folder)}

    @property
    def records(self) -> Path:
        return self.folder / "STATE_HOME/tabby-forensics/remedies"

    def unit(self, name: str, properties: Mapping[str, str]) -> None:
        (self.folder / name).write_text("".join(f"{key}={value}\n" for key, value in properties.items()))

    def declare(self, text: str) -> Path:
        file = self.folder / "CONFIG_HOME/tabby-forensics/remedies.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    @property
    def started(self) -> list[str]:
        return self.lines("started")


class Journal:
    """The socket of a journal: `entries` are the fields of what was written to it."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    @property
    def entries(self) -> list[dict[str, str]]:
        found = []
        while True:
            try:
                text = self.socket.recv(65536).decode()
            except BlockingIOError:
                return found
            found.append(dict(line.split("=", 1) for line in text.splitlines() if "=" in line))
