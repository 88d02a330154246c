"""`watch` on a real systemd: how soon an alert comes, what a fast restart loop costs, what an idle journal costs. Needs root.

    python -m benchmarks.watch latency --runs 200
    python -m benchmarks.watch replay --restarts 13979 --minutes 10
    python -m benchmarks.watch idle --seconds 120

latency: from the moment at which a unit that nobody has seen writes its error line to the moment at which a webhook has the alert.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.http_recorder import Recorder
from tests.lab.systemd import MACHINE_ID, Lab, booted

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
TROUBLE = """#!/bin/sh
echo "Error: unexpected $1 in the $1 reader at $(date +%s.%N)" >&2
exit 1
"""
PHASES = """#!/bin/sh
sleep "$1"
case "$(cat /run/phase)" in
1) echo 'Traceback (most recent call last):
  File "/srv/app/main.py", line 7, in <module>
    import torch
ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory' >&2 ;;
2) echo 'Traceback (most recent call last):
  File "/srv/app/backends/exllamav2/model.py", line 12, in <module>
    import exllamav2_ext
ImportError: /srv/app/exllamav2_ext.so: undefined symbol: _ZN3c104cuda9SetDeviceEi' >&2 ;;
3) echo 'Traceback (most recent call last):
  File "/srv/app/main.py", line 90, in load
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 256.00 MiB. GPU 0 has a total capacity of 23.69 GiB' >&2 ;;
4) echo "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 5000): address already in use" >&2 ;;
5) exec sleep 1000 ;;
esac
exit 1
"""


@contextmanager
def watching(journal: Path, folder: Path, hook: Recorder) -> Iterator[subprocess.Popen[str]]:
    """A running `watch` that posts to `hook`, learning nothing."""
    (folder / "watch.toml").write_text(f'[[sink]]\ntype = "webhook"\nurl = "{hook.url}"\n')
    command = [sys.executable, "-m", "forensics", "watch", "--config", str(folder / "watch.toml"), "--journal-dir", str(journal)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert "watching" in process.stderr.readline()
        yield process
        process.terminate()


def cpu_s(process: subprocess.Popen[str]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(process: subprocess.Popen[str], what: str = "VmRSS") -> float:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


@contextmanager
def measured(process: subprocess.Popen[str]) -> Iterator[None]:
    cpu, start = cpu_s(process), time.monotonic()
    yield
    seconds = time.monotonic() - start
    cost = (cpu_s(process) - cpu) / seconds
    print(f"{seconds:.0f} s: {cost:.1%} of a core, {memory_mb(process):.0f} MB, most {memory_mb(process, 'VmHWM'):.0f} MB")


def latency(lab: Lab, hook: Recorder, runs: int) -> None:
    rng = random.Random(1)  # noqa: S311
    took = []
    for number in range(runs):
        word = "".join(rng.choices("bcdfgklmnprst", k=7))
        lab.run(["systemctl", "start", "--no-block", f"trouble@{word}.service"])
        lab.wait_until(lambda seen=number: len(hook.got) > seen)
        time.sleep(rng.uniform(0, 0.6))
    for body, at in zip(hook.got, hook.times, strict=True):
        assert body["labels"]["alertname"] == "NewFailureSignature", body
        took.append(at - float(body["annotations"]["evidence"].rpartition(" ")[2]))
    took.sort()
    assert len({body["labels"]["unit"] for body in hook.got}) == len(hook.got) == runs
    print(f"{runs} runs: median {statistics.median(took):.2f} s, 95 % {took[int(0.95 * runs)]:.2f} s, worst {took[-1]:.2f} s")


def replay(lab: Lab, process: subprocess.Popen[str], hook: Recorder, restarts: int) -> None:
    def counted() -> int:
        return int(lab.run(["systemctl", "show", "-P", "NRestarts", "tabbyapi.service"]))

    def phase(name: int) -> None:
        lab.run(["sh", "-c", f"echo {name} > /run/next; mv /run/next /run/phase"])

    phase(1)
    lab.run(["systemctl", "start", "--no-block", "tabbyapi.service"])
    with measured(process):
        for name, share in ((1, 0.05), (2, 0.55), (3, 0.7), (4, 0.8), (3, 0.9), (4, 1.0)):
            phase(name)
            while counted() < restarts * share:
                time.sleep(0.2)
        phase(5)
        time.sleep(3)
    print(f"{counted()} restarts")
    lab.run(["systemctl", "stop", "tabbyapi.service"])
    lab.wait_until(lambda: any(body["status"] == "resolved" for body in hook.got))
    time.sleep(2)
    told = Counter((body["status"], body["labels"]["alertname"], body["labels"].get("signature", "")) for body in hook.got)
    print("\n".join(f"  {count} x {' '.join(key)}" for key, count in sorted(told.items())))
    command = [sys.executable, "-m", "forensics", "report", "--journal-dir", str(lab.journal), "--store", str(lab.journal / "store")]
    told_by_report = subprocess.run([*command, "--format", "json"], check=True, stdout=subprocess.PIPE, cwd=ROOT, timeout=600).stdout
    report = json.loads(told_by_report)
    counts = {found["signature"]: found["restarts"] for incident in report["incidents"] for found in incident["classes"]}
    print(f"the report says: {counts}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["latency", "replay", "idle"])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--restarts", type=int, default=13979)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seconds", type=int, default=120)
    options = parser.parse_args()
    pause = max(0.0, 60 * options.minutes / options.restarts - 0.015)
    phases = f"/lab/phases.sh {pause:.3f}"
    units = {
        "trouble@.service": "[Service]\nExecStart=/lab/trouble.sh %i\n",
        "tabbyapi.service": f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=0\nExecStart={phases}\n",
    }
    with tempfile.TemporaryDirectory() as name, Recorder() as hook:
        folder = Path(name)
        (folder / "lab").mkdir()
        with (
            booted(units, folder / "lab", programs={"trouble.sh": TROUBLE, "phases.sh": PHASES}) as lab,
            watching(lab.journal / MACHINE_ID, folder, hook) as process,
        ):
            if options.what == "latency":
                with measured(process):
                    latency(lab, hook, options.runs)
            elif options.what == "replay":
                replay(lab, process, hook, options.restarts)
            else:
                time.sleep(5)
                with measured(process):
                    time.sleep(options.seconds)
                print(json.dumps(Counter(body["labels"]["alertname"] for body in hook.got)))


if __name__ == "__main__":
    main()
