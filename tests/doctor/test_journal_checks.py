"""What is found out about the journal: who may read it, whether it is kept, for how long, and what is dropped."""

import os
import shutil

import pytest

from forensics.doctor.checks import permissions, persistence, rate_limits, retention
from forensics.doctor.host import bytes_of
from tests.doctor.trees import DAY, KEPT, NOW, VOLATILE, host, journal

CONF = "etc/systemd/journald.conf.d/x.conf"


@pytest.mark.parametrize(
    ("files", "status", "words", "reason"),
    [
        ({f"{KEPT}/system.journal": journal(NOW)}, "ok", "is kept in /var/log/journal (Storage=auto)", "the default, with the directory"),
        ({f"{VOLATILE}/system.journal": journal(NOW)}, "problem", "there is no /var/log/journal", "the default, without the directory"),
        ({f"{KEPT}/system.journal": journal(NOW), CONF: "Storage=volatile\n"}, "problem", "Storage=volatile", "old files do not help"),
        ({CONF: "Storage=none\n"}, "problem", "keeps nothing", "no evidence at all"),
        ({f"{VOLATILE}/system.journal": b"", CONF: "Storage=persistent\n"}, "problem", "only in /run/log/journal", "not flushed"),
        ({CONF: "Storage=persistent\n"}, "unknown", "no journal is in /var/log/journal", "a copy without journals"),
    ],
)
def test_persistence(tmp_path, files, status, words, reason):
    found = persistence.check(host(tmp_path, files))
    assert (found.status, words in found.found) == (status, True), (found, reason)
    assert (found.status == "ok") == (not found.means)


MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("age_days", "size", "settings", "status", "words", "reason"),
    [
        (31, 4096, "", "ok", "goes back 31 d", "as far as is wanted"),
        (10, MEGABYTE, "SystemMaxUse=4M\n", "ok", "enough for 4", "too young, but there is room: 1 MB in 10 days, 4 MB"),
        (10, MEGABYTE, "SystemMaxUse=3100K\n", "ok", "enough for 3", "just enough"),
        (10, MEGABYTE, "SystemMaxUse=2900K\n", "problem", "enough for 2", "just not enough"),
        (1, MEGABYTE, "SystemMaxUse=2M\n", "problem", "grows by 1 MB a day; it may use 2 MB, enough for 48 h", "it rotates too early"),
        (31, 4096, "MaxRetentionSec=7day\n", "problem", "MaxRetentionSec=7day deletes", "deleted by age"),
        (31, 4096, "MaxRetentionSec=1month\n", "ok", "goes back", "a month is enough"),
        (31, 4096, "MaxRetentionSec=0\n", "ok", "goes back", "0 is no limit"),
        (0.01, 4096, "", "unknown", "only", "too young to tell"),
    ],
)
def test_retention(tmp_path, age_days, size, settings, status, words, reason):
    files = {f"{KEPT}/system.journal": journal(NOW - age_days * DAY, size=size), CONF: settings}
    found = retention.check(host(tmp_path, files))
    assert (found.status, words in found.found) == (status, True), (found, reason)


@pytest.mark.parametrize("content", [b"", b"LPKSHHRH", b"\xff" * 5000, journal(0.0)], ids=["empty", "cut", "other", "without entries"])
def test_a_damaged_journal_tells_nothing_about_retention(tmp_path, content):
    assert retention.check(host(tmp_path, {f"{KEPT}/system.journal": content})).status == "unknown"


@pytest.mark.parametrize(
    ("settings", "status", "words", "reason"),
    [
        ("", "unknown", "10,000 lines in 30 s; whether lines were dropped cannot be seen", "the defaults; this journal cannot be asked"),
        ("RateLimitBurst=999\n", "problem", "only 999 lines in 30 s", "a loop with tracebacks logs more"),
        ("RateLimitBurst=1000\n", "unknown", "1,000 lines in 30 s", "just enough"),
        ("RateLimitIntervalSec=0\nRateLimitBurst=1\n", "unknown", "no rate limit", "switched off"),
        ("RateLimitBurst=0\n", "unknown", "no rate limit", "switched off"),
        ("RateLimitIntervalSec=1min\n", "unknown", "10,000 lines in 60 s", "another interval"),
        ("RateLimitBurst=many\n", "unknown", "10,000 lines", "not a number: the default"),
        ("RateLimitIntervalSec=soon\n", "unknown", "10,000 lines in 30 s", "not a time: the default"),
    ],
)
def test_rate_limits(tmp_path, settings, status, words, reason):
    found = rate_limits.check(host(tmp_path, {CONF: settings}))
    assert (found.status, words in found.found) == (status, True), (found, reason)


def test_without_any_journal_nothing_can_be_noticed(tmp_path):
    assert permissions.check(host(tmp_path)).found == "there is no journal"
    only_users = permissions.check(host(tmp_path, {f"{KEPT}/user-1000.journal": journal(NOW)}))
    assert (only_users.status, only_users.found) == ("unknown", "only journals of users are here")


def test_a_readable_journal_is_fine(tmp_path):
    assert permissions.check(host(tmp_path, {f"{KEPT}/system.journal": journal(NOW)})).status == "ok"


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to become somebody else")
def test_a_user_who_may_not_read_the_journal_is_named_the_group(tmp_path):
    file = tmp_path / KEPT / "system.journal"
    examined = host(tmp_path, {str(file.relative_to(tmp_path)): journal(NOW)})
    file.chmod(0o640)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and folder != folder.parent and "pytest" in str(folder):
            folder.chmod(0o755)
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        found = permissions.check(examined)
        os._exit(0 if found.status == "problem" and "systemd-journal" in found.remedy else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize(
    ("text", "size"), [("4G", 4 << 30), ("1.5M", 1.5 * MEGABYTE), ("512", 512), ("10 KB", 10240), ("4X", None), ("", None), ("-1", None)]
)
def test_a_size_is_read_as_systemd_writes_it(text, size):
    assert bytes_of(text) == size
