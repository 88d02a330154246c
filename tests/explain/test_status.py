"""`systemctl status`, `systemctl --failed` and a failed `systemctl start` show how units ended, in every version and language."""

from pathlib import Path

import pytest

from tests.explain.reading import ASSUMED, read


def _rows():
    """Yield (name, attempts, lines of the first attempt's own, text) of each block of the table."""
    for block in (Path(__file__).parent / "status.txt").read_text().rstrip("\n").split("\n=")[1:]:
        head, text = block.split("\n", 1)
        name, lines, *attempts = (part.strip() for part in head.split("|"))
        expected = [tuple(attempt.split()) for attempt in attempts if attempt]
        yield pytest.param(expected, [int(line) for line in lines.split()], text, id=name)


@pytest.mark.parametrize(("attempts", "lines", "text"), list(_rows()))
def test_the_status_of_a_unit_shows_its_end(attempts, lines, text):
    found = read(text)
    shown = [(unit, result, "-" if status is None else str(status)) for unit, result, status in found.attempts]
    assert shown == attempts
    assert (found.lines[0] if found.lines else []) == lines
    assert found.understood.is_understood


HEAD = "{bullet} app.service - App\n     Loaded: loaded (/etc/systemd/system/app.service; enabled)\n     Active: {active}\n"
PROCESS = "    Process: 12 ExecStart=/usr/bin/app (code=exited, status=3)\n   Main PID: 12 (code=exited, status=3)\n"


@pytest.mark.parametrize("bullet", ["●", "×", "↻", "*", "x", "â—", "○", "?", "`", "> ●", "    ●"])
def test_the_mark_of_a_unit_may_be_any(bullet):
    text = HEAD.format(bullet=bullet, active="failed (Result: exit-code) since Mo 2024-01-01 10:00:00 CET; 1min ago") + PROCESS
    assert read(text).attempts == [("app", "exit-code", 3)]


@pytest.mark.parametrize(
    "active",
    [
        "failed (Result: exit-code) since Thu 2024-01-04 10:00:00 CET; 1min 2s ago",
        "failed (Result: exit-code) since 木 2024-01-04 10:00:00 JST; 1min 2s ago",
        "failed (Result: exit-code) since mer., 2024-01-03 10:00:00 CET; 5 months 2 days ago",
        "failed (Result: exit-code)",
        "**failed** (Result: exit-code) since Thu 2024-01-04",
        "activating (auto-restart) (Result: exit-code) since Thu 2024-01-04 10:00:00 CET; 2s ago",
    ],
)
def test_a_failed_state_is_an_end(active):
    assert read(HEAD.format(bullet="●", active=active) + PROCESS).attempts == [("app", "exit-code", 3)]


@pytest.mark.parametrize("active", ["active (running) since Thu 2024-01-04", "activating (start) since Thu 2024-01-04", "inactive (dead)"])
def test_another_state_is_none(active):
    assert read(HEAD.format(bullet="●", active=active)).attempts == []


def test_lines_of_other_programs_are_not_the_units():
    lines = "\nJan 04 10:00:00 box dbus-daemon[9]: Failed to do anything\nJan 04 10:00:00 box app[12]: widget broken\n"
    text = HEAD.format(bullet="●", active="failed (Result: exit-code)") + PROCESS + lines
    assert read(text).lines == [[8]]


@pytest.mark.parametrize(
    ("program", "unit"),
    [
        ("sshd", "ssh"), ("rsyslogd", "rsyslog"), ("chronyd", "chrony"), ("CRON", "cron"), ("polkitd", "polkit"), ("dbus-daemon", "dbus"),
        ("systemd-logind", "systemd-logind"), ("supercronic", "supercronic"), ("login-bridge", "login-bridge"), ("su-exec", "su-exec"),
        ("php-fpm8.1", "php8.1-fpm"), ("mariadbd", "mariadb"), ("mysqld", "mysql"), ("postgres", "postgresql@14-main"), ("named", "bind9"),
        ("wg-quick", "wg-quick@wg0"), ("/usr/sbin/nginx", "nginx"), ("apachectl", "apache2"), ("smbd", "samba"), ("sudo-io", "sudo-io"),
        ("systemd-memcached-wrapper", "memcached"),
        ("NetworkManager", "NetworkManager"), ("python3", "app"), ("node", "app"),
    ],
)  # fmt: skip
def test_lines_of_a_program_named_otherwise_are_its_units(program, unit):
    date = "Jan 04 10:00:0"
    text = (
        f"{date}0 box systemd[1]: Starting {unit}.service - It...\n{date}1 box {program}[7]: the widget is broken\n"
        f"{date}1 box systemd-timesyncd[3]: Timed out waiting for a reply\n"
        f"{date}2 box systemd[1]: {unit}.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED\n"
        f"{date}2 box systemd[1]: {unit}.service: Failed with result 'exit-code'.\n"
    )
    found = read(text)
    assert (found.attempts, found.lines) == ([(unit, "exit-code", 3)], [[2]])


def test_a_program_that_spoke_before_a_start_is_not_of_that_unit():
    date = "Jan 04 10:00:0"
    text = (
        f"{date}0 box gnome-shell[7]: I am here\n{date}0 box viewer[8]: so am I\n{date}1 box systemd[1]: Starting a.service - A...\n"
        f"{date}1 box systemd[1]: Starting b.service - B...\n{date}2 box viewer[8]: ERROR: mine\n"
        f"{date}2 box python[9]: ERROR: of one of them\n"
        f"{date}3 box systemd[1]: a.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED\n"
        f"{date}3 box systemd[1]: a.service: Failed with result 'exit-code'.\n"
    )
    found = dict(zip(read(text).attempts, read(text).lines, strict=True))
    assert found[("a", "exit-code", 3)] == [6]
    assert found[("viewer", ASSUMED, None)] == [2, 5]


def test_units_of_two_hosts_are_two():
    line = "Jan 04 10:00:0{} {} systemd[1]: app.service: {}\n"
    failed = ["Main process exited, code=exited, status=3/X", "Failed with result 'exit-code'."]
    text = "".join(line.format(n, host, words) for n, words in enumerate(failed) for host in ("one", "two"))
    assert read(text).attempts == [("app", "exit-code", 3)] * 2


def test_a_host_may_be_renamed_or_left_out():
    text = (
        "Jan 04 10:00:00 localhost systemd[1]: Starting app.service - App...\nJan 04 10:00:01 box app[7]: broken\n"
        "app[7]: for good\nJan 04 10:00:02 box systemd[1]: app.service: Main process exited, code=exited, status=3/X\n"
    )
    assert (read(text).attempts, read(text).lines) == ([("app", "exit-code", 3)], [[2, 3]])
