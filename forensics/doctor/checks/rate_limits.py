"""Check that journald has not dropped lines lately, and that no rate limit eats the evidence of a loop."""

from __future__ import annotations

import re
from collections import Counter

from forensics import unit_file
from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host, journal_entries
from forensics.doctor.journald_conf import read_journald_conf
from forensics.guard.systemctl import NoManagerError
from forensics.model.systemd import JOURNAL_DROPPED
from forensics.sanitize.characters import visible_name
from forensics.wording import count, plural

DAYS = 7
DEFAULT_INTERVAL_S, DEFAULT_BURST = 30.0, 10_000
FEW = 1000  # lines within the interval: a traceback in a loop has dozens
MOST_NAMED = 5
_SUPPRESSED = re.compile(r"Suppressed ([0-9]{1,12}) messages from (\S{1,300})")
MEANS = "journald drops lines of a unit that logs too fast, and in a loop that is the evidence: counts are then lower bounds."
REMEDY = "Raise LogRateLimitBurst= of the unit, or RateLimitBurst= in /etc/systemd/journald.conf.d/; or let the unit log less."


def check(host: Host) -> Finding:
    dropped = _dropped(host)
    tight = _tight(host)
    general = read_journald_conf(host.root)
    given_s = unit_file.seconds(general.get("RateLimitIntervalSec", ""))
    interval_s = DEFAULT_INTERVAL_S if given_s is None else given_s
    burst = int(general["RateLimitBurst"]) if general.get("RateLimitBurst", "").isdecimal() else DEFAULT_BURST
    limit = "no rate limit" if not interval_s or not burst else f"{count(burst)} lines in {interval_s:g} s"
    if dropped:
        named = ", ".join(f"{visible_name(unit)} ({count(number)})" for unit, number in dropped.most_common(MOST_NAMED))
        return Finding(PROBLEM, f"journald dropped {plural(sum(dropped.values()), 'line')} in {DAYS} days: {named}", MEANS, REMEDY)
    if interval_s and 0 < burst < FEW:
        return Finding(PROBLEM, f"journald takes only {limit} from each unit", MEANS, REMEDY)
    if tight:
        return Finding(
            PROBLEM, f"LogRateLimitBurst= is below {count(FEW)} for {', '.join(map(visible_name, tight[:MOST_NAMED]))}", MEANS, REMEDY
        )
    if dropped is None:
        return Finding(UNKNOWN, f"{limit}; whether lines were dropped cannot be seen", MEANS)
    return Finding(OK, f"{limit}; nothing was dropped in {DAYS} days")


def _dropped(host: Host) -> Counter[str] | None:
    """Count the lines that journald dropped, by unit; null where the journal cannot be asked."""
    entries = journal_entries(host, JOURNAL_DROPPED, host.now - DAYS * 86_400)
    if entries is None:
        return None
    dropped: Counter[str] = Counter()
    for entry in entries:
        found = _SUPPRESSED.search(str(entry.get("MESSAGE")))
        if found:
            dropped[found[2].rpartition("/")[2]] += int(found[1])
    return dropped


def _tight(host: Host) -> list[str]:
    """List the services whose own rate limit is small."""
    if not host.is_here:
        return []
    try:
        text = host.manager.run("show", "--property=Id,LogRateLimitIntervalUSec,LogRateLimitBurst", "--", "*.service").stdout
    except NoManagerError:
        return []
    units = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    bursts = {unit.get("Id", ""): int(unit["LogRateLimitBurst"]) for unit in units if unit.get("LogRateLimitBurst", "").isdecimal()}
    return sorted(name for name, burst in bursts.items() if 0 < burst < FEW)
