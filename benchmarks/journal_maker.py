"""A number of entries in, genuine journal files of a busy host out: four crash-looping Python services and ordinary daemons around them.

    python benchmarks/journal_maker.py 1000000 FOLDER

The files are written by systemd-journal-remote, which is journald's own code and rotates as journald does. The same number gives the
same entries. Files that are already there for that number are kept.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

JOURNAL_REMOTE = "/lib/systemd/systemd-journal-remote"
START = 1_763_400_000_000_000  # µs, 17 November 2025
MACHINE = "5f1c6e0d8a7b4c2e9d3f0a1b2c3d4e5f"
BOOT = "0b1d2c3e4f5061728394a5b6c7d8e9f0"
LOOPING = ("model-api.service", "embedder.service", "reranker.service", "whisper.service")
DAEMONS = (
    ("nginx.service", "nginx", '10.0.{a}.{b} - - "GET /v1/models?page={n} HTTP/1.1" 200 {n} "-" "curl/8.5.0"'),
    ("postgresql.service", "postgres", "LOG:  duration: {n}.{a} ms  statement: SELECT id, body FROM jobs WHERE state = {b} LIMIT 50"),
    ("ssh.service", "sshd", "Failed password for invalid user admin{b} from 203.0.113.{a} port {p} ssh2"),
    ("redis-server.service", "redis-server", "{n}:M Background saving terminated with success"),
    ("docker.service", "dockerd", 'time="2025-11-17T00:00:{a}Z" level=info msg="ignoring event" container={h} module=libcontainerd'),
)
TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/opt/{unit}/main.py", line 187, in <module>',
    "    entrypoint()",
    '  File "/opt/{unit}/main.py", line 159, in entrypoint',
    "    loop.run_until_complete(entrypoint_async())",
    '  File "/usr/lib/python3.11/asyncio/base_events.py", line 653, in run_until_complete',
    "    return future.result()",
    '  File "/opt/{unit}/backends/exl2/model.py", line {n}, in load',
    "    self.cache = create_cache(self.model, max_seq_len={p})",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {a}.{b} MiB. GPU 0 has a total capacity of 23.55 GiB",
)


def field(name: str, value: str) -> bytes:
    data = value.encode()
    if b"\n" in data:
        return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
    return b"%s=%s\n" % (name.encode(), data)


def hex_id(*parts: object) -> str:
    return hashlib.md5(repr(parts).encode(), usedforsecurity=False).hexdigest()


class Writer:
    """Entries as export text, with what journald adds to each line of a process."""

    def __init__(self) -> None:
        self.time = START
        self.count = 0
        self._constant: dict[tuple[object, ...], bytes] = {}

    def entry(self, step: int, constant: bytes, *changing: tuple[str, str]) -> bytes:
        self.time += step
        self.count += 1
        head = f"__REALTIME_TIMESTAMP={self.time}\n__MONOTONIC_TIMESTAMP={self.time - START + 9_000_000}\n_BOOT_ID={BOOT}\n".encode()
        source = field("_SOURCE_REALTIME_TIMESTAMP", str(self.time - 40)) if self.count % 3 == 0 else b""
        return head + constant + source + b"".join(field(*pair) for pair in changing) + b"\n"

    def process(self, unit: str, comm: str, pid: int, invocation: str, transport: str) -> bytes:
        """The fields that every line of one process shares."""
        key = (unit, comm, pid, invocation, transport)
        if key not in self._constant:
            executable = f"/usr/bin/{comm}"
            fields = {
                "_MACHINE_ID": MACHINE,
                "_HOSTNAME": "bench-host",
                "_RUNTIME_SCOPE": "system",
                "_TRANSPORT": transport,
                "SYSLOG_FACILITY": "3",
                "SYSLOG_IDENTIFIER": comm,
                "_PID": str(pid),
                "_UID": "0",
                "_GID": "0",
                "_COMM": comm,
                "_EXE": executable,
                "_CMDLINE": f"{executable} --unit {unit}",
                "_CAP_EFFECTIVE": "1ffffffffff",
                "_SELINUX_CONTEXT": "unconfined\n",
                "_SYSTEMD_CGROUP": f"/system.slice/{unit}",
                "_SYSTEMD_UNIT": unit,
                "_SYSTEMD_SLICE": "system.slice",
                "_SYSTEMD_INVOCATION_ID": invocation,
            }
            if transport == "stdout":
                fields["_STREAM_ID"] = hex_id("stream", pid, invocation)
            if len(self._constant) > 64:
                self._constant.clear()
            self._constant[key] = b"".join(field(*pair) for pair in fields.items())
        return self._constant[key]

    def manager(self, unit: str, invocation: str, message: str, message_id: str, **more: str) -> bytes:
        constant = self.process("init.scope", "systemd", 1, hex_id("pid 1"), "journal")
        named = {"PRIORITY": "6", "UNIT": unit, "INVOCATION_ID": invocation, "MESSAGE": message, "MESSAGE_ID": message_id}
        where = {"CODE_FILE": "src/core/unit.c", "CODE_LINE": "5849", "CODE_FUNC": "unit_log"}
        return self.entry(900, constant, *{**named, **where, **more}.items())


def restart(writer: Writer, rng: random.Random, unit: str, number: int) -> Iterator[bytes]:
    """One failing start of a looping service: about thirty lines."""
    invocation, pid = hex_id(unit, number), 1000 + (number * 37 + len(unit)) % 4_000_000
    yield writer.manager(unit, invocation, f"Started {unit}.", "39f53479d3a045ac8e11786248231fbf", JOB_TYPE="start", JOB_RESULT="done")
    process = writer.process(unit, "python3", pid, invocation, "stdout")
    for step in range(14):
        text = f"INFO:     loading shard {step + 1}/14 of model-{rng.randrange(40)} in {rng.random():.4f} s"
        yield writer.entry(rng.randrange(40_000), process, ("PRIORITY", "6"), ("MESSAGE", text))
    for line in TRACEBACK:
        a, b, n, p = rng.randrange(900), rng.randrange(99), rng.randrange(5), rng.choice((4096, 8192, 32768))
        text = line.format(unit=unit.removesuffix(".service"), a=a, b=b, n=n, p=p)
        yield writer.entry(rng.randrange(3), process, ("PRIORITY", "6"), ("MESSAGE", text))
    exited = f"{unit}: Main process exited, code=exited, status=1/FAILURE"
    ended = {"EXIT_CODE": "exited", "EXIT_STATUS": "1", "COMMAND": "ExecStart"}
    yield writer.manager(unit, invocation, exited, "98e322203f7a4ed290d09fe03c09fe15", **ended)
    failed = f"{unit}: Failed with result 'exit-code'."
    yield writer.manager(unit, invocation, failed, "d9b373ed55a64feb8242e02dbe79a49c", UNIT_RESULT="exit-code")
    again = f"{unit}: Scheduled restart job, restart counter is at {number}."
    yield writer.manager(unit, invocation, again, "5eb03494b6584870a536b337290809b3", N_RESTARTS=str(number))


def background(writer: Writer, rng: random.Random) -> Iterator[bytes]:
    """A burst of ordinary lines; now and then a long one, which journald compresses."""
    for _ in range(20):
        unit, comm, template = rng.choice(DAEMONS)
        process = writer.process(unit, comm, 700 + len(unit), hex_id(unit), "syslog" if comm == "sshd" else "stdout")
        n, a, b = rng.randrange(3000), rng.randrange(250), rng.randrange(250)
        text = template.format(a=a, b=b, n=n, p=1024 + n * 13, h=hex_id(n))
        if comm == "dockerd" and n % 5 == 0:
            text += "".join(f"\n  layer {hex_id(n, layer)} extracted, {layer * n} bytes" for layer in range(12))
        yield writer.entry(rng.randrange(30_000), process, ("PRIORITY", "6"), ("MESSAGE", text))


def export_text(entries: int) -> Iterator[bytes]:
    """At least `entries` entries in the journal export format."""
    writer, rng, number = Writer(), random.Random(entries), 0  # noqa: S311 — the same entries every time
    while writer.count < entries:
        number += 1
        for unit in LOOPING:
            yield from restart(writer, rng, unit, number)
            yield from background(writer, rng)


def make(entries: int, folder: Path, *, compact: bool = True) -> list[Path]:
    """The journal files of `entries` entries under `folder`, made when they are not there yet."""
    target = folder / f"{entries}-{'compact' if compact else 'regular'}"
    done = target / "complete"
    if not done.exists():
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("*.journal"):
            old.unlink()
        environment = {**os.environ, "SYSTEMD_JOURNAL_COMPACT": str(int(compact))}
        command = [JOURNAL_REMOTE, "-o", str(target / "bench.journal"), "-"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, stderr=subprocess.DEVNULL) as remote:
            assert remote.stdin is not None
            for text in export_text(entries):
                remote.stdin.write(text)
            remote.stdin.close()
            if remote.wait():
                sys.exit(f"{JOURNAL_REMOTE} failed with status {remote.returncode}")
        done.touch()
    return sorted(target.glob("*.journal"))


if __name__ == "__main__":
    for path in make(int(sys.argv[1]), Path(sys.argv[2])):
        print(path)
