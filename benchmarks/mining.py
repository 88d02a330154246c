"""Journal-like lines in, a table out: CPU seconds of giving every line its key and family, here and with drain3.

    python -m venv /tmp/drain && /tmp/drain/bin/pip install drain3
    python benchmarks/mining.py --drain /tmp/drain/bin/python [--lines 1000000] [--distinct 0.63 0.04] [--rounds 3]

Each program reads the same file and runs in a process of its own; rounds alternate, and each number is the median of its rounds. What is
measured is the CPU time of all threads from lines to a cluster for each line, without start-up and reading. drain3 has seven masks like
those of its example (ids, addresses, hexadecimal sequences, numbers, a command). Live is the wall time of keys for one line and 1,000.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from forensics.signatures import mask
from forensics.signatures.clustering import families

KINDS = (
    "Receiving block blk_{d} src: /10.{b}.{b}.{b}:{p} dest: /10.{b}.{b}.{b}:50010",
    "PacketResponder {b} for block blk_{d} terminating",
    "Failed password for {u} from 10.{b}.{b}.{b} port {p} ssh2",
    "session opened for user {u} by (uid={b})",
    "worker {p} took {b}.{b} GiB of memory for model /srv/models/{u}/weights-{b}.bin",
    'request {h} "GET /v1/models/{u}/{p} HTTP/1.1" status: 200 len: {p} time: 0.{d}',
    "connection to backend {u}-{b}.example.internal:{p} refused after {b} ms",
    "task attempt_{d}_{p}_m_{p}_{b} is done and is in the process of committing",
    "job {h} finished in {b}.{b} s with {p} rows, queue length {b}",
    "usb {b}-{b}: new high-speed device number {p} using xhci_hcd, address 0x{h}",
    "cache miss for key '{u}:{d}', fetching from shard {b}",
    "heartbeat from node-{p} lost, last seen {b} s ago, epoch {d}",
    "Scheduled restart job, restart counter is at {d}.",
    "TCP: request_sock_TCP: possible SYN flooding on port {p}, dropped {d} packets, sending cookies",
    "oom candidate process {p} ({u}) score {b} adj {b} rss {d} kB",
    "CUDA out of memory. Tried to allocate {b}.{b} MiB. GPU {b} has a total capacity of {b}.{b} GiB of which {d} bytes are free",
)
USERS = ("root", "alice", "bob", "carol", "mallory", "backup", "postgres", "www-data", "deploy", "admin")

DRAIN = r"""
import logging, sys, time
from drain3 import TemplateMiner
from drain3.masking import RegexMaskingInstruction, LogMasker
from drain3.template_miner_config import TemplateMinerConfig
edge, end = r"((?<=[^A-Za-z0-9])|^)", r"((?=[^A-Za-z0-9])|$)"
masks = [(edge + core + end, name) for core, name in (
    (r"(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))", "ID"), (r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})", "IP"),
    (r"([0-9a-f]{6,} ?){3,}", "SEQ"), (r"([0-9A-F]{4} ?){4,}", "SEQ"), (r"(0x[a-f0-9A-F]+)", "HEX"), (r"([\-\+]?\d+)", "NUM"))]
masks.append((r"(?<=executed cmd )(\".+?\")", "CMD"))
config = TemplateMinerConfig()
try:
    config.masking_instructions = [RegexMaskingInstruction(pattern, name) for pattern, name in masks]
except TypeError:
    from drain3.masking import MaskingInstruction
    config.masking_instructions = [MaskingInstruction(pattern, name) for pattern, name in masks]
miner = TemplateMiner(config=config)
logging.disable(logging.CRITICAL)
lines = open(sys.argv[1], encoding="utf-8").read().split("\n")
start = time.process_time()
found = [miner.add_log_message(line)["cluster_id"] for line in lines]
print(time.process_time() - start, len(set(found)))
"""


def lines_of(count: int, share: float, seed: int = 7) -> list[str]:
    """`count` lines of which about `share` are distinct, in random order."""
    chance = random.Random(seed)  # noqa: S311  # repeatable lines, no secret
    wanted = int(count * share)
    distinct: dict[str, None] = {}
    while len(distinct) < wanted:
        kind = KINDS[chance.randrange(len(KINDS))]
        distinct[
            kind.format(
                b=chance.randrange(256),
                d=chance.getrandbits(40),
                h=f"{chance.getrandbits(64):016x}",
                p=chance.randrange(65536),
                u=chance.choice(USERS),
            )
        ] = None
    pool = list(distinct)
    lines = pool + chance.choices(pool, k=count - len(pool))
    chance.shuffle(lines)
    return lines


def mine(lines: list[str]) -> pl.Series:
    """The cluster of each line."""
    frame = pl.DataFrame({"line": lines})
    distinct = frame.select(pl.col("line").unique(maintain_order=True))
    keyed = distinct.with_columns(key=mask.keys(distinct["line"]))
    keys = keyed["key"].unique().sort()
    named = pl.DataFrame({"key": keys, "family": families.families(keys)})
    clusters = keyed.join(named, on="key", how="left", maintain_order="left").select("line", "family")
    return frame.join(clusters, on="line", how="left", maintain_order="left")["family"]


def ours(path: str) -> None:
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    start = time.process_time()
    found = mine(lines)
    print(time.process_time() - start, found.n_unique())


def run(command: list[str]) -> tuple[float, int]:
    seconds, clusters = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), int(clusters)


def live(count: int) -> float:
    """Median milliseconds for the keys of one batch of `count` new lines."""
    times = []
    for batch in range(40):
        lines = pl.Series(lines_of(count, 1.0, seed=batch))
        start = time.perf_counter()
        mask.keys(lines)
        times.append(time.perf_counter() - start)
    return statistics.median(times[5:]) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drain", help="a python that has drain3")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--distinct", type=float, nargs="+", default=[0.63, 0.04])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        ours(options.one)
        return
    print(f"live: one line {live(1):.2f} ms, 1,000 lines {live(1000):.2f} ms")
    for share in options.distinct:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "lines")
            path.write_text("\n".join(lines_of(options.lines, share)), encoding="utf-8")
            results: dict[str, list[tuple[float, int]]] = {"ours": [], "drain3": []}
            for _ in range(options.rounds):
                results["ours"].append(run([sys.executable, __file__, "--one", str(path)]))
                if options.drain:
                    results["drain3"].append(run([options.drain, "-c", DRAIN, str(path)]))
        own, peer = (statistics.median([seconds for seconds, _ in results[name]] or [0.0]) for name in ("ours", "drain3"))
        clusters = ", ".join(f"{name} {found[0][1]}" for name, found in results.items() if found)
        ratio = f"{peer / own:.1f}×" if peer else "not measured"
        print(f"{options.lines:,} lines, {share:.0%} distinct: ours {own:.2f} s, drain3 {peer:.2f} s CPU: {ratio}; clusters {clusters}")


if __name__ == "__main__":
    main()
