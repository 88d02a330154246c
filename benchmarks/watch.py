"""`watch` on a real systemd: how soon an alert comes, what a fast restart loop costs, what is lost. Needs root.

    python -m benchmarks.watch latency --runs 200
    python -m benchmarks.watch replay --restarts 13979 --minutes 10
    python -m benchmarks.watch idle --seconds 120
    python -m benchmarks.watch day --lines 300000
    python -m benchmarks.watch outage --seconds 600
    python -m benchmarks.watch kills --runs 30

latency: from the moment at which a unit that nobody has seen writes its error line to the moment at which a webhook has the alert.
day: services that write so many lines, a job that ends well and one that fails each second, as fast as journald takes them.
outage: the webhook answers 503 for so long while units fail, and a second one takes three seconds for each alert.
kills: `watch` is killed at random moments while units fail.
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


CHATTY = """#!/bin/sh
n=0
while [ $n -lt "$2" ]; do
    seq -f "INFO:     10.0.0.$1:5000 - request %g of worker $1 served in 12.5 ms, 3 tokens" $n $((n + 99))
    n=$((n + 100))
    sleep 0.2
done
exec sleep 1000
"""
TIMED = """#!/bin/sh
while :; do
    systemctl start --no-block job.service fails.service
    sleep 1
done
"""


class Failing(Recorder):
    """A webhook that answers 503 while it is down."""

    down = False

    def answer(self, *_: object) -> tuple[int, bytes]:
        return (503, b"") if self.down else (200, b"")


class Slow(Recorder):
    def answer(self, *_: object) -> tuple[int, bytes]:
        time.sleep(3)
        return 200, b""


@contextmanager
def watching(journal: Path, folder: Path, *hooks: Recorder) -> Iterator[subprocess.Popen[str]]:
    """A running `watch` that posts to `hooks`, learning nothing."""
    (folder / "watch.toml").write_text("".join(f'[[sink]]\ntype = "webhook"\nurl = "{hook.url}"\n' for hook in hooks))
    command = [sys.executable, "-m", "forensics", "watch", "--config", str(folder / "watch.toml"), "--journal-dir", str(journal)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert any("watching" in line for line in process.stderr)  # after "learning…"
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


def let_fail(lab: Lab, unit: str) -> None:
    """Start a unit that fails with a word of its own: of a template, those that run once would be one job."""
    lab.run(["systemd-run", "--quiet", "--no-block", f"--unit={unit}", "/lab/trouble.sh", unit.rpartition("-")[2].removesuffix(".service")])


def latency(lab: Lab, hook: Recorder, runs: int) -> None:
    rng = random.Random(1)  # noqa: S311
    took = []
    for number in range(runs):
        word = "".join(rng.choices("bcdfgklmnprst", k=7))
        let_fail(lab, f"trouble-{word}.service")
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


def day(lab: Lab, process: subprocess.Popen[str], hook: Recorder, lines: int) -> None:
    lab.run(["systemctl", "start", "--no-block", *(f"chatty@{n}.service" for n in range(10)), "timed.service"])
    seconds = lines / 10 / 100 * 0.25
    with measured(process):
        time.sleep(seconds)
        lab.wait_until(lambda: int(lab.run(["sh", "-c", "ps ax | grep -c 'sleep 100[0]' || true"])) >= 10, seconds + 120)
        time.sleep(5)
    written = lab.run(["sh", "-c", "journalctl -o cat | wc -l"]).strip()
    print(f"{written} lines; {dict(Counter(body['labels']['alertname'] for body in hook.got))}")


def outage(lab: Lab, folder: Path, seconds: int) -> None:
    with Failing() as hook, Slow() as slow, watching(lab.journal / MACHINE_ID, folder, hook, slow) as process:
        hook.down = True
        with measured(process):
            units = [f"trouble-outage{chr(97 + n // 26)}{chr(97 + n % 26)}.service" for n in range(max(2, seconds // 10))]
            for unit in units:
                let_fail(lab, unit)
                time.sleep(seconds / len(units))
            hook.down = False
            lab.wait_until(lambda: len(hook.got) >= len(units), 120)
            time.sleep(2)
    told = Counter(body["labels"]["unit"] for body in hook.got)
    assert told == Counter(units), told
    assert [body["labels"]["unit"] for body in hook.got] == units
    tried = len(hook.bodies) - len(hook.got)
    print(f"down for {seconds} s, {tried} tries in vain: all {len(units)} alerts came once and in order; the slow one had {len(slow.got)}")


def kills(lab: Lab, folder: Path, hook: Recorder, runs: int) -> None:
    rng = random.Random(2)  # noqa: S311
    units: list[str] = []
    for number in range(runs):
        with watching(lab.journal / MACHINE_ID, folder, hook) as process:
            if not units:
                lab.run(["systemctl", "start", "--no-block", "fast.service"])
            for turn in range(3):
                units.append(f"trouble-kill{chr(97 + number // 26)}{chr(97 + number % 26)}{'xyz'[turn]}.service")
                let_fail(lab, units[-1])
                time.sleep(rng.uniform(0, 0.4))
            process.kill()
    with watching(lab.journal / MACHINE_ID, folder, hook):
        time.sleep(10)
    ids = Counter(body["id"] for body in hook.got)
    told = Counter((body["labels"]["alertname"], body["labels"]["unit"]) for body in {body["id"]: body for body in hook.got}.values())
    expected = {("NewFailureSignature", unit) for unit in units} | {
        (name, "fast.service") for name in ("NewFailureSignature", "RestartLoop")
    }
    assert set(told) == expected, set(told) ^ expected
    assert set(told.values()) == {1}, told
    print(
        f"{runs} kills, {len(units) + 1} units: every class and loop once; {sum(n - 1 for n in ids.values())} came again with the same id"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["latency", "replay", "idle", "day", "outage", "kills"])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--restarts", type=int, default=13979)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--lines", type=int, default=300_000)
    options = parser.parse_args()
    pause = max(0.0, 60 * options.minutes / options.restarts - 0.015)
    phases = f"/lab/phases.sh {pause:.3f}"
    units = {
        "chatty@.service": f"[Service]\nLogRateLimitIntervalSec=0\nExecStart=/lab/chatty.sh %i {options.lines // 10}\n",
        "timed.service": "[Service]\nExecStart=/lab/timed.sh\n",
        "job.service": "[Service]\nType=oneshot\nExecStart=/bin/echo done\n",
        "fails.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/lab/trouble.sh same\n",
        "fast.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=100ms\nExecStart=/lab/trouble.sh loop\n",
        "tabbyapi.service": f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=0\nExecStart={phases}\n",
    }
    programs = {"trouble.sh": TROUBLE, "phases.sh": PHASES, "chatty.sh": CHATTY, "timed.sh": TIMED}
    with tempfile.TemporaryDirectory() as name, Recorder() as hook:
        folder = Path(name)
        (folder / "lab").mkdir()
        with booted(units, folder / "lab", programs=programs) as lab:
            if options.what == "outage":
                outage(lab, folder, options.seconds)
                return
            if options.what == "kills":
                kills(lab, folder, hook, options.runs)
                return
            with watching(lab.journal / MACHINE_ID, folder, hook) as process:
                if options.what == "latency":
                    with measured(process):
                        latency(lab, hook, options.runs)
                elif options.what == "replay":
                    replay(lab, process, hook, options.restarts)
                elif options.what == "day":
                    day(lab, process, hook, options.lines)
                else:
                    time.sleep(5)
                    with measured(process):
                        time.sleep(options.seconds)
                    print(json.dumps(Counter(body["labels"]["alertname"] for body in hook.got)))


if __name__ == "__main__":
    main()
