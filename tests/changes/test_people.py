"""Which changes a person made, and which are about a unit, its files or the whole system."""

import pytest

from forensics.changes.people import is_about, is_by_person, units_named, working_directory

FILES = frozenset({"/srv/tabbyAPI", "/etc/models"})
SUDO = "luna : TTY=pts/0 ; PWD={} ; USER=root ; COMMAND={}"

ABOUT = [
    ("systemctl restart tabbyapi", True, "the unit by its stem"),
    ("systemctl --no-block restart tabbyapi.service", True, "the unit by its name"),
    ("systemctl restart 'tabby*'".replace("'", ""), True, "a glob of units"),
    ("systemctl restart nginx tabbyapi", True, "one of several units"),
    ("systemctl restart nginx", False, "another unit"),
    ("systemctl status api", False, "a part of the unit's name"),
    ("systemctl status", True, "the whole system"),
    ("systemctl --failed", True, "the whole system"),
    ("systemctl daemon-reload", True, "the manager"),
    ("service tabbyapi restart", True, "the old command"),
    ("service nginx restart", False, "another service"),
    ("journalctl -u tabbyapi -n 200", True, "the unit's log"),
    ("journalctl -xeu tabbyapi.service", True, "the unit's log"),
    ("journalctl --unit=nginx", False, "another unit's log"),
    ("journalctl -xe", True, "the system's log"),
    ("journalctl -t sshd", False, "another program's log"),
    ("less /var/log/syslog", True, "the system's log"),
    ("vim /etc/tabbyapi/config.yml", True, "its file, by the unit's name"),
    ("vim /etc/models/list.toml", True, "its file, as its lines name it"),
    ("vim /etc/nginx/nginx.conf", False, "another service's file"),
    ("vim /etc/systemd/system/llm.slice", True, "a file of systemd"),
    ("vim /etc/tabbyapi-web/config.yml", False, "a unit whose name begins so"),
    ("kill 4711", True, "a process"),
    ("nvidia-smi", True, "the machine"),
    ("reboot", True, "the machine"),
    ("ls /root", False, "neither"),
    ("certbot renew", False, "neither"),
    ("id", False, "neither"),
]


@pytest.mark.parametrize(("command", "about", "why"), ABOUT, ids=[f"{row[0]}" for row in ABOUT])
def test_a_command_is_about_the_unit_its_files_or_the_system(command, about, why):
    assert is_about("tabbyapi.service", FILES, "operator", f"luna ran {command}", SUDO.format("/home/luna", command)) == about, why


def test_a_file_of_the_unit_may_be_named_from_its_directory():
    line = "luna : TTY=pts/0 ; PWD={} ; USER=tabby ; COMMAND=/usr/bin/nano config.yml"
    summary = "luna ran nano config.yml"
    assert is_about("llm.service", FILES, "operator", summary, line.format("/srv/tabbyAPI"))
    assert not is_about("llm.service", FILES, "operator", summary, line.format("/home/luna"))


def test_packages_switches_and_accounts_are_the_whole_system_s():
    for kind, summary in (
        ("package", "luna ran apt install libfoo"),
        ("package", "pacman upgraded cuda"),
        ("system-switch", "NixOS rebuild"),
        ("configuration", "accounts: add 'app' to group 'video'"),
        ("unit-job", "app.service stopped on request"),
    ):
        assert is_about("app.service", (), kind, summary, "")
    assert not is_about("app.service", (), "login", "luna logged in", "")
    assert not is_about("app.service", (), "boot", "the host booted", "")


def test_template_instances_are_named_in_full():
    assert is_about("worker@1.service", (), "operator", "luna ran systemctl restart worker@1", "")
    assert not is_about("worker@1.service", (), "operator", "luna ran systemctl restart worker@2", "")
    assert is_about("worker@1.service", (), "operator", "luna ran systemctl restart worker@*", "")


RELOAD = "Reload requested from client PID 614 ({}){}..."
PERSONS = [
    ("login", "luna logged in", "", None, False, "a login is context"),
    ("boot", "the host booted", "", None, False, ""),
    ("operator", "luna ran systemctl restart app", "", None, True, ""),
    ("operator", "luna ran systemctl restart app", "", "session-4.scope", True, ""),
    ("operator", "root ran systemctl restart app", "", "cron.service", False, "a job of cron"),
    ("package", "luna ran apt install x", "", "user@1000.service", True, ""),
    ("package", "unattended-upgrade: Packages that were upgraded: x", "", "apt-daily-upgrade.service", False, "upgrades by themselves"),
    ("package", "dnf-automatic: Upgraded: x", "", None, False, "upgrades by themselves"),
    ("system-switch", "NixOS rebuild", "", "nixos-upgrade.service", False, "upgrades by themselves"),
    ("system-switch", "system switch to x", "", "session-4.scope", True, ""),
    ("driver", "kernel driver: NVIDIA 570", "", None, False, "the kernel loads it"),
    ("driver", "luna ran modprobe nvidia", "", None, True, ""),
    ("unit-reload", "", RELOAD.format("'systemctl'", " (unit session-4.scope)"), None, True, ""),
    ("unit-reload", "", RELOAD.format("'systemctl'", ""), None, True, "an older systemd"),
    ("unit-reload", "", RELOAD.format("'systemctl'", " (unit apt-daily-upgrade.service)"), None, False, "a package's script"),
    ("unit-reload", "", RELOAD.format("'python3'", " (unit agent.service)"), None, False, "a program"),
    ("unit-reload", "", "Reloading.", None, False, "nobody is named"),
]


@pytest.mark.parametrize(("kind", "summary", "message", "writer", "by_person", "why"), PERSONS)
def test_a_person_is_told_from_a_program(kind, summary, message, writer, by_person, why):
    assert is_by_person(kind, summary, message, writer) == by_person, why


def test_the_working_directory_is_that_of_the_line():
    assert working_directory("luna : TTY=pts/0 ; PWD=/srv/my app ; USER=root ; COMMAND=/bin/a") == "/srv/my app"
    assert working_directory("luna: Executing command [USER=root] [TTY=/dev/pts/0] [CWD=/home/luna] [COMMAND=/bin/a]") == "/home/luna"
    assert working_directory("luna ran command rc-service app restart as root from /home/luna") == "/home/luna"
    assert working_directory("pacman upgraded cuda") == ""


def test_units_are_named_by_the_commands_of_systemd_only():
    assert units_named("systemctl stop a.service b") == ["a.service", "b"]
    assert units_named("systemctl daemon-reload") == []
    assert units_named("journalctl -b") == []
    assert units_named("vim a.service") is None
