# ruff: noqa: E501  log lines are as long as they are
"""Reports to render: the seed incident to the unit, a quiet host, several incidents, and one in which every string is an attack."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta

from forensics.model.values import (
    Bin,
    Change,
    Completeness,
    Cost,
    Damage,
    Detection,
    DetectionSummary,
    Evidence,
    FailureClass,
    FailureTotals,
    FixAttempt,
    Gap,
    Incident,
    IsolatedFailures,
    LedgerCheck,
    Phase,
    Report,
    RestartHelped,
    RestartTotals,
    SharedValue,
    Window,
)

UNIT = "tabbyapi.service"
JOURNAL = "/var/log/journal/4f2a/system@0006.journal"
TITLES = {
    "torch.abi-mismatch": "Extension built against another PyTorch",
    "cuda.out-of-memory": "GPU memory exhausted",
    "port.in-use": "Port already in use",
    "exit:exit-code/1": "Ended with exit status 1, no word why",
    "loader.library-missing": "Shared library missing",
    "cuda.kernel-error": "CUDA kernel error",
}
LINES = {
    "torch.abi-mismatch": "ImportError: /opt/tabby/venv/lib/python3.11/site-packages/exllamav2_ext.cpython-311-x86_64-linux-gnu.so: undefined symbol: _ZN3c106detail23torchInternalAssertFailEPKcS2_jS2_RKSs",
    "cuda.out-of-memory": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 256.00 MiB. GPU 0 has a total capacity of 31.36 GiB of which 118.81 MiB is free.",
    "port.in-use": "[Errno 98] error while attempting to bind on address ('0.0.0.0', 5000): address already in use",
    "exit:exit-code/1": "tabbyapi.service: Main process exited, code=exited, status=1/FAILURE",
    "loader.library-missing": "ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory",
    "cuda.kernel-error": "RuntimeError: CUDA error: no kernel image is available for execution on the device",
}
REMEDIES = {
    "torch.abi-mismatch": "1. Look which torch the service loads: `python -c 'import torch; print(torch.__version__)'`.\n2. Rebuild the extension in that environment.\n3. Start once by hand before enabling restarts again.",
    "cuda.out-of-memory": "1. See who holds the memory: `nvidia-smi`.\n2. Lower max_seq_len or the cache size, or choose a smaller model.",
    "port.in-use": "1. Find the owner: `ss -ltnp 'sport = :5000'`.\n2. Stop the orphan; it also holds GPU memory.",
    "loader.library-missing": "1. `ldd` the extension named in the message.\n2. Put the directory of libstdc++.so.6 into LD_LIBRARY_PATH of the unit, or link the program against the new one.",
}
HELPS = {"torch.abi-mismatch": False, "loader.library-missing": False, "port.in-use": False, "cuda.out-of-memory": None}
PHASES = (
    (datetime(2025, 12, 7, 21, 30, tzinfo=UTC), 12.9, {"loader.library-missing": 700}),
    (datetime(2025, 12, 8, 0, 0, 30, tzinfo=UTC), 11.65, {"torch.abi-mismatch": 7000, "exit:exit-code/1": 413}),
    (datetime(2025, 12, 9, 0, 0, tzinfo=UTC), 42.3, {"cuda.out-of-memory": 1896, "port.in-use": 1657, "exit:exit-code/1": 525, "cuda.kernel-error": 4}),
    (datetime(2025, 12, 11, 0, 0, tzinfo=UTC), 49.4, {"cuda.out-of-memory": 1600, "port.in-use": 100, "exit:exit-code/1": 41}),
)  # fmt: skip
START = PHASES[0][0]
RECOVERY = datetime(2025, 12, 11, 23, 52, tzinfo=UTC)
SINCE, UNTIL = datetime(2025, 11, 18, tzinfo=UTC), datetime(2025, 12, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)


def evidence(time: datetime, message: str, offset: int | None = 81_224) -> Evidence:
    return Evidence(time, message, JOURNAL, offset)


def seed() -> Report:
    """13,979 restarts: 13,936 in one incident of four phases, 43 isolated ones before it."""
    incident = _seed_incident()
    classes = _classes(Counter({row.signature: row.restarts for row in incident.classes}) + Counter({"cuda.out-of-memory": 43}), SINCE)
    return Report(
        host="hydra-ai",
        hosts=("hydra-ai",),
        units=(UNIT,),
        window=Window(SINCE, UNTIL),
        timezone="UTC",
        completeness=Completeness(481_220, True, 0, (), ()),
        restarts=RestartTotals(13_979, 13_936, 43, 0),
        failures=FailureTotals(13_979, 13_936, 43),
        isolated=(_isolated(),),
        classes=classes,
        incidents=(incident,),
        detection_summary=DetectionSummary(1, None, None, None),
        ledger=(LedgerCheck("incident + background = total", 13_979, 13_979), LedgerCheck("classes = total", 13_979, 13_979)),
        notes=("Restarts are counted from systemd's own entries, one each.",),
        version="0.1.0",
    )


def _isolated() -> IsolatedFailures:
    last = SINCE + timedelta(days=17)
    name = "cuda.out-of-memory"
    return IsolatedFailures("", "hydra-ai", UNIT, "system", name, TITLES[name], 43, 43, SINCE, last, evidence(SINCE, LINES[name], 600))


def _classes(counts: Counter[str], first: datetime) -> tuple[FailureClass, ...]:
    total = counts.total()
    return tuple(
        FailureClass(
            signature=name,
            title=TITLES[name],
            restarts=number,
            failures=number,
            restart_helped=RestartHelped(number, 43 if number == 3_539 else 0),
            share=number / total,
            first=first + timedelta(minutes=7),
            last=RECOVERY - timedelta(minutes=3),
            restart_helps=HELPS.get(name),
            severity="critical" if HELPS.get(name) is False else "high",
            sample=evidence(first + timedelta(minutes=7), LINES[name], 1000 + 8 * number),
            secondary=1500 if name == "cuda.out-of-memory" else 0,
            cause="The library the extension was built for is not the one that is loaded." if name == "torch.abi-mismatch" else "",
            remedy=REMEDIES.get(name, ""),
            cycle_s=11.65 if name == "torch.abi-mismatch" else 42.3,
        )
        for name, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _seed_incident() -> Incident:
    totals: Counter[str] = Counter()
    for _, _, mix in PHASES:
        totals.update(mix)
    ends = [*(start for start, _, _ in PHASES[1:]), RECOVERY]
    switch = Change(
        START - timedelta(seconds=40),
        "system-switch",
        "NixOS switched to configuration 25.11.20251206 (system-412)",
        evidence(START - timedelta(seconds=40), "switching to system configuration /nix/store/…-nixos-system-hydra-ai-25.11.20251206"),
    )
    fixes = _fixes()
    return Incident(
        id="hydra-ai/tabbyapi.service/2025-12-07T21:30:00Z",
        unit=UNIT,
        manager="system",
        host="hydra-ai",
        kind="restart-loop",
        ongoing=False,
        start=START,
        end=RECOVERY,
        restarts=13_936,
        failures=13_936,
        exact=True,
        downtime_s=(RECOVERY - START).total_seconds(),
        downtime_method="envelope: first crash to first stable start",
        availability=1 - (RECOVERY - START).total_seconds() / (UNTIL - SINCE).total_seconds(),
        beside=(_port_moved(),),
        phases=tuple(
            Phase(start, end, sum(mix.values()), cadence, max(mix, key=lambda name: mix[name]), mix)
            for (start, cadence, mix), end in zip(PHASES, ends, strict=True)
        ),
        classes=_classes(totals, START),
        changes=(switch, *(Change(fix.time, "operator", fix.summary, fix.evidence) for fix in fixes)),
        trigger=switch,
        trigger_text="NixOS switched to configuration 25.11.20251206 (system-412), 40 s before the first failure",
        fix_attempts=fixes,
        detection=Detection(
            signal=START + timedelta(seconds=2),
            alert=None,
            operator=fixes[0].time - timedelta(minutes=4),
            declared=START + timedelta(days=4),
            evidence={
                "signal": evidence(START + timedelta(seconds=2), LINES["loader.library-missing"]),
                "operator": evidence(fixes[0].time, "simon : TTY=pts/0 ; PWD=/etc/nixos ; USER=root ; COMMAND=/run/current-system/sw/bin/nixos-rebuild switch"),
            },
        ),
        recovery=RECOVERY,
        time_to_recover_s=(RECOVERY - START).total_seconds(),
        cost=Cost(cpu_s=61_240.0, journal_bytes=212_000_000, entries=431_004),
        verdict="tabbyapi was down 4 d 2 h (13,936 restarts) after a NixOS switch at 21:29; nobody was alerted; it ended when a left-over process was killed and the environment replaced.",
        bin_s=3600,
        bins=_bins(),
        links=_links(),
    )  # fmt: skip


def _links() -> tuple[SharedValue, ...]:
    """A left-over process that held the port and memory in the last two phases, and was killed."""
    killed = Change(
        RECOVERY - timedelta(seconds=38),
        "operator",
        "simon ran kill 1239235",
        evidence(RECOVERY - timedelta(seconds=38), "simon : COMMAND=/bin/kill 1239235"),
    )
    memory = "torch.OutOfMemoryError: CUDA out of memory. Process 1239235 has 12.31 GiB memory in use."
    return (
        SharedValue("process", "1239235", ("cuda.out-of-memory",), 3158, killed, evidence(PHASES[2][0], memory, 88_000), (3, 4), "5000"),
        SharedValue(
            "port", "5000", ("cuda.out-of-memory", "port.in-use"), 4919, None, evidence(PHASES[2][0], LINES["port.in-use"], 88_008), (3, 4)
        ),
    )


def _port_moved() -> FailureClass:
    return FailureClass(
        signature="port.moved",
        title="The port was changed in silence",
        restarts=0,
        share=0.0,
        first=START,
        last=RECOVERY,
        restart_helps=False,
        severity="medium",
        sample=evidence(START, "WARNING: port 5000 is in use, switching to 5001", 77_000),
        secondary=4_919,
    )


def _fixes() -> tuple[FixAttempt, ...]:
    rows = (
        (datetime(2025, 12, 7, 23, 58, tzinfo=UTC), "nixos-rebuild switch (LD_LIBRARY_PATH in the unit's environment)", "changed-class"),
        (
            datetime(2025, 12, 8, 23, 56, tzinfo=UTC),
            "pip install torch in /opt/tabby/venv, then systemctl restart tabbyapi",
            "changed-class",
        ),
        (datetime(2025, 12, 10, 9, 12, tzinfo=UTC), "systemctl restart tabbyapi", "no-effect"),
        (datetime(2025, 12, 11, 23, 51, tzinfo=UTC), "max_seq_len lowered, systemctl restart tabbyapi", "held"),
    )
    return tuple(FixAttempt(time, summary, outcome, evidence(time, f"sudo: simon : COMMAND={summary}")) for time, summary, outcome in rows)


def _bins() -> tuple[Bin, ...]:
    """Restarts evenly spaced through each phase, its classes interleaved in proportion."""
    counts: Counter[tuple[datetime, str]] = Counter()
    ends = [*(start for start, _, _ in PHASES[1:]), RECOVERY]
    for (start, _, mix), end in zip(PHASES, ends, strict=True):
        for name, number in mix.items():
            for k in range(number):
                at = start + (end - start) * ((k + 0.5) / number)
                counts[at.replace(minute=0, second=0, microsecond=0), name] += 1
    return tuple(Bin(start, name, number) for (start, name), number in sorted(counts.items()))


def quiet() -> Report:
    """Thirty days in which nothing failed."""
    return replace(
        seed(),
        units=(),
        restarts=RestartTotals(0, 0, 0, 0),
        failures=FailureTotals(),
        isolated=(),
        classes=(),
        incidents=(),
        detection_summary=DetectionSummary(0, None, None, None),
        ledger=(LedgerCheck("incident + background = total", 0, 0),),
    )


def empty() -> Report:
    """As little as a report can hold."""
    return Report(
        host="",
        hosts=(),
        units=(),
        window=Window(None, None),
        timezone="UTC",
        completeness=Completeness(0, True, 0, (), ()),
        restarts=RestartTotals(0, 0, 0, 0),
        classes=(),
        incidents=(),
        detection_summary=DetectionSummary(0, None, None, None),
        ledger=(),
    )


def several(number: int = 3) -> Report:
    """The seed's incident and copies of it for other units; the second still goes on, the third was alerted; data is missing."""
    base = seed()
    first = base.incidents[0]
    copies = (_copy(first, f"service-{k}.service", timedelta(hours=7 * k), ongoing=k == 1) for k in range(1, number))
    incidents = [first, *copies]
    total = number * first.restarts + base.restarts.background
    classes = tuple(
        replace(row, restarts=row.restarts + (number - 1) * inner.restarts, failures=row.restarts + (number - 1) * inner.restarts)
        for row, inner in zip(
            base.classes, sorted(first.classes, key=lambda c: [b.signature for b in base.classes].index(c.signature)), strict=True
        )
    )
    return replace(
        base,
        hosts=("hydra-ai", "hydra-gpu"),
        units=tuple(incident.unit for incident in incidents),
        restarts=RestartTotals(total, number * first.restarts, base.restarts.background, 12, 3),
        failures=FailureTotals(total, number * first.restarts, base.failures.isolated),
        classes=tuple(replace(row, share=row.restarts / total) for row in classes),
        incidents=tuple(incidents),
        detection_summary=DetectionSummary(number, 11_000.0, 9_000.0, 354_120.0),
        completeness=Completeness(
            481_220,
            False,
            12,
            (Gap(START, START + HOUR, "journald dropped 12 lines"),),
            (Damage(JOURNAL, 77, "entry array points outside the file"), Damage(JOURNAL, None, "file is truncated")),
        ),
        ledger=(LedgerCheck("incident + background = total", total, total), LedgerCheck("phases = incident", 13_936, 13_935)),
    )  # fmt: skip


def _copy(first: Incident, unit: str, later: timedelta, *, ongoing: bool) -> Incident:
    return replace(
        first,
        id=f"{first.id}+{unit}",
        unit=unit,
        ongoing=ongoing,
        exact=not ongoing,
        end=None if ongoing else first.end,
        recovery=None if ongoing else first.recovery,
        time_to_recover_s=None if ongoing else first.time_to_recover_s,
        trigger=None,
        trigger_text="no change found",
        fix_attempts=(),
        verdict=f"{unit} restarted 13,936 times.",
        detection=replace(
            first.detection, alert=None if ongoing else START + later, operator=None if ongoing else first.detection.operator
        ),
    )


ATTACKS = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "${alert(1)} {{ 7*7 }} {% raw %}",
    "' onmouseover='alert(1)' \" onfocus=\"alert(1)",
    "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 \x9b31m",
    "moor \u202eelif.exe \u2066 \u200b",
    "nul \x00 bell \x07 backspace \x08 del \x7f c1 \x85 \x9f tab \t cr \r\n end",
    "bad \udcff\udc80 lone \ud800",
    "| pipe | ` tick ` [link](javascript:alert(1)) ![x](http://x) *star* _under_ # head",
    "<!-- comment --> ]]> <style>*{display:none}</style>",
    "&lt;b&gt; &#x3c;script&#x3e;",
    "[bold red]markup[/bold red] [link=http://x]click[/link] :smile:",
    "line\nbreak\u2028separator\u2029end",
    "=1+1 @SUM(A1) -2+3",
    "x" * 1_000_000,
)


def hostile() -> Report:
    return poisoned(several(2))


def poisoned(report: Report) -> Report:
    """The report in which every string that may come from a log is an attack, each in turn."""
    state = {"next": 0}
    kept = {"kind", "severity", "outcome", "downtime_method", "timezone", "host_zone", "status"}

    def poison(value, name=""):
        if isinstance(value, str):
            if name in kept:
                return value
            state["next"] += 1
            return f"{ATTACKS[state['next'] % len(ATTACKS)]} {value}"
        if is_dataclass(value):
            return replace(value, **{f.name: poison(getattr(value, f.name), f.name) for f in fields(value)})
        if isinstance(value, dict):
            return {key: poison(each, name) for key, each in value.items()}
        if isinstance(value, tuple):
            return tuple(poison(each, name) for each in value)
        return value

    return poison(report)


def with_texts(value, change):
    """Change every text of a figure."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: with_texts(each, change) for key, each in value.items()}
    return [with_texts(each, change) for each in value] if isinstance(value, list) else value
