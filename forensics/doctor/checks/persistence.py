"""Check that the journal outlives a reboot."""

from __future__ import annotations

from forensics.doctor.host import JOURNALS, OK, PROBLEM, UNKNOWN, Finding, Host
from forensics.doctor.journald_conf import read_journald_conf

LOST = "After the next boot nothing is left of what happened before it: a crash that reboots the host leaves no trace."
REMEDY = "Set Storage=persistent in /etc/systemd/journald.conf.d/persistent.conf, then `systemctl restart systemd-journald`."


def check(host: Host) -> Finding:
    storage = read_journald_conf(host.root).get("Storage", "auto").lower()
    kept, volatile = (host.journal_files(folder) for folder in JOURNALS)
    if storage == "none":
        return Finding(PROBLEM, "Storage=none: journald keeps nothing", "There is no evidence of any failure.", REMEDY)
    if storage == "volatile":
        return Finding(PROBLEM, "Storage=volatile: the journal is in memory", LOST, REMEDY)
    if storage == "auto" and not host.at(JOURNALS[0]).is_dir():
        return Finding(PROBLEM, "the journal is in memory: there is no /var/log/journal", LOST, REMEDY)
    if not kept and volatile:
        means = f"journald should keep it, but has not moved it there yet. {LOST}"
        return Finding(PROBLEM, "the journal is only in /run/log/journal", means, "Run `journalctl --flush`, and see why it was needed.")
    if not kept:
        return Finding(UNKNOWN, "no journal is in /var/log/journal", "Whether anything is kept is not known.", REMEDY)
    return Finding(OK, f"the journal is kept in /var/log/journal (Storage={storage})")
