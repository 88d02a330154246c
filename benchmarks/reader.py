"""A number of entries in, a table out: CPU seconds of reading their journal files here, with journalctl and with systemd-python.

    python benchmarks/reader.py [--entries 1000000] [--rounds 3] [--folder /tmp/tabby-bench] [--regular] [--peer-python PYTHON]

Every run is a whole process, start-up included; the readers take turns, so that a busy machine is busy for all of them. Ours goes from
the journal files to one zstd Parquet file with all columns of `model.ENTRIES`; the others print to /dev/null or count.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEMD_PYTHON = """
import sys
from systemd import journal
reader = journal.Reader(files=sys.argv[1:])
print(sum(1 for _ in reader))
"""
OURS = "--read"


@dataclass(frozen=True, slots=True)
class Run:
    cpu_s: float
    wall_s: float
    peak_mib: float


def to_parquet(target: str, paths: Sequence[str]) -> None:
    """What is measured of ours; nothing but numpy and pyarrow is imported."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    sys.path.insert(0, str(Path(__file__).parents[1]))
    from forensics.journal.columns import SCHEMA  # noqa: PLC0415
    from forensics.journal.reader import load  # noqa: PLC0415

    plain = ["time", "monotonic", "seqnum", "offset", "bytes"]  # rising or nearly so: differences are small
    options = {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [name for name in SCHEMA.names if name not in plain],
        "column_encoding": dict.fromkeys(plain, "DELTA_BINARY_PACKED"),
        "dictionary_pagesize_limit": 1 << 30,
        "data_page_size": 1 << 22,
        "write_batch_size": 1 << 16,
        "write_statistics": ["time", "seqnum", "unit"],
        "store_schema": False,
    }
    rows = 0
    with pq.ParquetWriter(target, SCHEMA, **options) as writer:
        for path in paths:
            table = load(Path(path)).table
            writer.write_table(table, row_group_size=1 << 20)
            rows += table.num_rows
    print(rows)


def run(command: Sequence[str]) -> Run:
    """One whole process, its output thrown away."""
    start = os.times().elapsed
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} failed with status {process.returncode}")
    return Run(used.ru_utime + used.ru_stime, os.times().elapsed - start, used.ru_maxrss / 1024)


def has_systemd(python: str) -> bool:
    return subprocess.run([python, "-c", "import systemd.journal"], capture_output=True, check=False).returncode == 0


def commands(paths: Sequence[str], target: str, peer_python: str) -> dict[str, list[str]]:
    files = [part for path in paths for part in ("--file", path)]
    peers = {f"journalctl -o {form}": ["journalctl", "--no-pager", "-q", "-o", form, *files] for form in ("json", "export", "cat")}
    if has_systemd(peer_python):
        peers["systemd-python Reader"] = [peer_python, "-c", SYSTEMD_PYTHON, *paths]
    return {"tabby-forensics, to Parquet": [sys.executable, __file__, OURS, target, *paths], **peers}


def systemd_version() -> str:
    return subprocess.run(["journalctl", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/tabby-bench"), help="where the journal files are kept")  # noqa: S108
    parser.add_argument("--regular", action="store_true", help="files that are not compact")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has systemd-python")
    options = parser.parse_args()
    from journal_maker import make  # noqa: PLC0415

    paths = [str(path) for path in make(options.entries, options.folder, compact=not options.regular)]
    target = str(options.folder / "reader.parquet")
    todo = commands(paths, target, options.peer_python)
    runs: dict[str, list[Run]] = {name: [] for name in todo}
    for _ in range(options.rounds):
        for name, command in todo.items():
            runs[name].append(run(command))
    size = sum(Path(path).stat().st_size for path in paths)
    parquet = Path(target).stat().st_size
    print(f"{options.entries} entries, {len(paths)} files, {size / 1e6:.0f} MB; Parquet {parquet / 1e6:.1f} MB; {systemd_version()}")
    ours = runs["tabby-forensics, to Parquet"]
    print(f"{'':28} {'CPU s':>8} {'wall s':>8} {'peak MiB':>9} {'CPU ratio':>10}")
    for name, found in runs.items():
        cpu, wall = (statistics.median(getattr(one, key) for one in found) for key in ("cpu_s", "wall_s"))
        ratio = statistics.median(theirs.cpu_s / mine.cpu_s for theirs, mine in zip(found, ours, strict=True))
        print(f"{name:28} {cpu:8.2f} {wall:8.2f} {max(one.peak_mib for one in found):9.0f} {ratio:9.1f}×")


if __name__ == "__main__":
    if sys.argv[1:2] == [OURS]:
        to_parquet(sys.argv[2], sys.argv[3:])
    else:
        main()
