"""Which lines tell of a change, what they are called, and which belong to one action."""

from datetime import timedelta

import pytest

from forensics.changes.rules import classify_change
from forensics.changes.shell import is_read_only, kind_of, unit_of
from tests.incidents.making import BEGIN, STOPPED, STOPPING, Tale, inputs_of

NIX = "/nix/store/k2s0h3n7r5l6v1-nixos-system-alpha-25.11"
SWITCH = "system switch to nixos-system-alpha-25.11 (k2s0h3n7)"

POLKIT = (
    "Operator of unix-process:1234:5678 successfully authenticated as unix-user:luna to gain ONE-SHOT authorization for action "
    "org.freedesktop.systemd1.manage-units for system-bus-name::1.5 [systemctl restart app] (owned by unix-user:luna)"
)
LINES = [
    ("nixos", f"switching to system configuration {NIX}", "system-switch", SWITCH),
    ("nixos", f"finished switching to system configuration {NIX}", "system-switch", f"{SWITCH} finished"),
    ("nixos", f"switching to system configuration {NIX} failed (status 4)", "system-switch", f"{SWITCH} failed"),
    (
        "sudo",
        "  luna : TTY=pts/0 ; PWD=/home/luna ; USER=root ; COMMAND=/usr/bin/systemctl restart app",
        "operator",
        "luna ran systemctl restart app",
    ),
    ("sudo", "luna : PWD=/ ; USER=root ; COMMAND=/usr/bin/apt install libfoo", "package", "luna ran apt install libfoo"),
    (
        "sudo",
        "luna : TTY=pts/0 ; PWD=/srv ; USER=app ; COMMAND=/srv/venv/bin/pip install torch==2.7.1",
        "package",
        "luna ran /srv/venv/bin/pip install torch==2.7.1",
    ),
    (
        "sudo",
        "luna : TTY=pts/0 ; PWD=/ ; USER=root ; GROUP=x ; ENV=A=1 ; COMMAND=/usr/bin/vim /etc/app.conf",
        "configuration",
        "luna ran vim /etc/app.conf",
    ),
    (
        "sudo",
        "luna : PWD=/ ; USER=root ; COMMAND=/run/current-system/sw/bin/systemctl stop app",
        "operator",
        "luna ran systemctl stop app",
    ),
    ("sudo", "luna : PWD=/ ; USER=root ; COMMAND=/srv/app/venv/bin/pip install x", "package", "luna ran /srv/app/venv/bin/pip install x"),
    ("sudo", "luna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/sbin/modprobe -r nvidia", "driver", "luna ran modprobe -r nvidia"),
    ("sudo", "luna : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh", None, None),
    ("sudo", "luna : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh", None, None),
    ("sudo", "pam_unix(sudo:session): session opened for user root(uid=0) by luna(uid=1000)", None, None),
    ("doas", "luna ran command rc-service app restart as root from /home/luna", "operator", "luna ran rc-service app restart"),
    (
        "pkexec",
        "luna: Executing command [USER=root] [TTY=/dev/pts/0] [CWD=/home/luna] [COMMAND=/usr/bin/systemctl stop app]",
        "operator",
        "luna ran systemctl stop app",
    ),
    ("polkitd", POLKIT, "operator", "luna ran systemctl restart app"),
    ("usermod", "add 'app' to group 'video'", "configuration", "accounts: add 'app' to group 'video'"),
    ("pacman", "[2025-12-07T21:00:00+0100] [ALPM] upgraded cuda (12.6-1 -> 12.8-1)", "package", "pacman upgraded cuda (12.6-1 -> 12.8-1)"),
    ("dnf", "Upgraded: python3-torch-2.7.1-1.fc42.x86_64", "package", "dnf: Upgraded: python3-torch-2.7.1-1.fc42.x86_64"),
    ("dnf", "Metadata cache created.", None, None),
    (
        "systemd",
        "Reload requested from client PID 614 ('systemctl') (unit session-1.scope)...",
        "unit-reload",
        "systemd reloaded its units, requested by systemctl",
    ),
    (
        "systemd",
        "Reloading requested from client PID 614 ('systemctl')...",
        "unit-reload",
        "systemd reloaded its units, requested by systemctl",
    ),
    ("systemd", "Reloading.", "unit-reload", "systemd reloaded its units"),
    ("systemd", "Reloading...", "unit-reload", "systemd reloaded its units"),
    ("systemd", "Reloading finished in 214 ms.", None, None),
    ("sshd", "Accepted publickey for luna from 10.0.0.7 port 50222 ssh2: ED25519 SHA256:x", "login", "luna logged in by ssh from 10.0.0.7"),
    ("sshd-session", "Accepted password for root from fe80::1%eth0 port 22 ssh2", "login", "root logged in by ssh from fe80::1%eth0"),
    ("sshd", "Failed password for invalid user admin from 10.9.9.9 port 40022 ssh2", None, None),
    ("sshd", "Invalid user admin from 10.9.9.9 port 40022", None, None),
    ("systemd-logind", "New session 5 of user luna.", "login", "luna logged in"),
    ("systemd-logind", "New session '41' of user 'luna' with class 'user' and type 'tty'.", "login", "luna logged in"),
    ("systemd-logind", "New session c1 of user gdm.", None, None),
    ("systemd-logind", "New session 7 of user root.", None, None),
    ("CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", None, None),
]


@pytest.mark.parametrize(("identifier", "message", "kind", "summary"), LINES)
def test_a_line_is_called_what_it_says(identifier, message, kind, summary):
    said = classify_change(identifier, message)
    assert (said and said[0], said and said[1]) == (kind, summary)


def test_the_unit_of_a_systemctl_command_is_known():
    assert unit_of("/usr/bin/systemctl --no-block restart app") == "app.service"
    assert unit_of("systemctl stop app@1.timer") == "app@1.timer"
    assert unit_of("systemctl daemon-reload") is None
    assert unit_of("systemctl restart a b") is None


def test_commands_that_only_look_are_known():
    assert is_read_only("luna ran /run/current-system/sw/bin/journalctl -u app -n 200; luna ran systemctl status app")
    assert not is_read_only("luna ran journalctl -u app; luna ran systemctl restart app")
    assert not is_read_only("luna logged in")


@pytest.mark.parametrize(
    ("command", "reads"),
    [
        ("journalctl -xeu app", True),
        ("journalctl --vacuum-size=1G", False),
        ("journalctl --rotate", False),
        ("systemctl --failed", True),
        ("systemctl --no-pager -l status app", True),
        ("systemctl list-units", True),
        ("systemctl daemon-reload", False),
        ("ip -br addr", True),
        ("ip link set eth0 down", False),
        ("find /srv -name core -delete", False),
        ("find /srv -name core", True),
        ("sysctl vm.swappiness", True),
        ("sysctl -w vm.swappiness=10", False),
        ("docker logs --tail 50 app", True),
        ("docker restart app", False),
        ("zgrep oom /var/log/syslog.2.gz", True),
        ("less /var/log/syslog", True),
        ("sh -c journalctl -u app | grep -i error | tail", True),
        ("sh -c cat new.conf > /etc/app.conf", False),
        ("sh -c journalctl -u app && systemctl restart app", False),
        ("nvidia-smi --query-gpu=memory.used", True),
        ("nvidia-smi --gpu-reset", False),
    ],
)
def test_reading_is_told_from_changing(command, reads):
    assert is_read_only(f"luna ran {command}") == reads


@pytest.mark.parametrize("command", ["/bin/bash", "/usr/bin/zsh", "/usr/bin/su", "/usr/bin/su -", "/bin/sh -l", "/usr/bin/su - root"])
def test_a_shell_is_a_login_since_what_is_typed_there_is_not_logged(command):
    assert kind_of(command) == "login"
    assert kind_of(f"{command} -c reboot") == "operator"
    assert kind_of("/usr/bin/cp new.conf /etc/app/app.conf") == "configuration"
    assert kind_of("/usr/bin/cp a b") == "operator"


def changes(tale: Tale) -> list[tuple[float, str, str | None, str]]:
    found = inputs_of(tale).changes
    return [((time - BEGIN).total_seconds(), kind, unit, summary) for time, _, kind, unit, summary, _ in found.iter_rows()]


def test_the_lines_of_one_switch_are_one_change_named_after_the_switch():
    tale = Tale().wait(60).host_says("sudo", "luna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/nixos-rebuild switch").wait(8)
    tale.host_says("nixos", f"switching to system configuration {NIX}").wait(2)
    tale.host_says("systemd", "Reloading...", pid=1).wait(1)
    tale.manager_says("Stopping app...", STOPPING, job_type="stop")
    tale.wait(3).host_says("nixos", f"finished switching to system configuration {NIX}")
    assert changes(tale) == [(68, "system-switch", None, SWITCH)]


def test_reading_is_an_action_of_its_own():
    tale = Tale().host_says("sudo", "luna : PWD=/ ; USER=root ; COMMAND=/bin/journalctl -u app").wait(5)
    tale.host_says("sudo", "luna : PWD=/ ; USER=root ; COMMAND=/bin/systemctl restart app").wait(5)
    tale.host_says("sudo", "luna : PWD=/ ; USER=root ; COMMAND=/bin/journalctl -fu app")
    assert changes(tale) == [
        (0, "operator", None, "luna ran journalctl -u app; luna ran journalctl -fu app"),
        (5, "operator", "app.service", "luna ran systemctl restart app"),
    ]


def test_two_actions_minutes_apart_are_two_changes():
    tale = (
        Tale()
        .host_says("sudo", "luna : PWD=/ ; USER=root ; COMMAND=/bin/a")
        .wait(90)
        .host_says("sudo", "luna : PWD=/ ; USER=root ; COMMAND=/bin/b")
    )
    assert [row[3] for row in changes(tale)] == ["luna ran a", "luna ran b"]


def test_a_restart_by_hand_is_a_job_of_its_unit():
    tale = Tale().wait(10)
    tale.manager_says("Stopping app...", STOPPING, job_type="restart")
    assert changes(tale) == [(10, "unit-job", "app.service", "app.service restarted on request")]


def test_an_automatic_restart_of_old_systemd_is_no_job_of_a_client():
    tale = Tale().fail(1)
    tale.manager_says("Stopped app.", STOPPED, job_type="restart")
    assert changes(tale.fail(1)) == []


def test_a_stop_while_the_restart_waits_is_one():
    assert [row[1] for row in changes(Tale().fail(1).fall().wait(5).stop())] == ["unit-job"]


def test_a_stop_that_follows_a_failure_at_once_is_what_the_manager_makes_of_it():
    assert changes(Tale().fail(1).fall().wait(0.2).stop()) == []


def test_the_stops_of_a_shutdown_are_the_boot_that_follows():
    tale = Tale().hold(20).stopped().reboot()
    assert [row[1] for row in changes(tale)] == ["boot"]


def test_a_driver_that_says_its_version_at_each_boot_changed_only_when_the_version_did():
    def boot_with(tale, version):
        tale.reboot().wait(30).say(
            f"NVRM: loading NVIDIA UNIX x86_64 Kernel Module  {version}  Release Build", transport="kernel", identifier="kernel"
        )
        return tale.wait(600)

    tale = boot_with(boot_with(boot_with(Tale(), "570.1"), "570.1"), "580.2")
    assert [row[1] for row in changes(tale)] == ["boot", "boot", "driver"]


def test_a_program_that_logs_in_every_hour_is_nobody():
    tale = Tale()
    for i in range(60):
        tale.wait(1800).host_says("sshd", f"Accepted publickey for backup from 10.0.0.9 port {4000 + i} ssh2")
    tale.wait(600).host_says("sshd", "Accepted publickey for luna from 10.0.0.7 port 4000 ssh2")
    assert [row[3] for row in changes(tale)] == ["luna logged in by ssh from 10.0.0.7"]


def test_a_brute_forced_host_and_hostile_lines_cost_little_and_change_nothing():
    tale = Tale()
    for i in range(3000):
        tale.wait(1).host_says("sshd", f"Failed password for invalid user u{i} from 10.9.9.9 port {i} ssh2")
    tale.host_says("sudo", "x : " + "A= ; " * 200_000 + "COMMAND")
    tale.host_says("sudo", "x : " + "USER=a ; " * 100_000)
    tale.now += timedelta(seconds=1)
    assert changes(tale) == []


def test_changes_are_the_same_whatever_order_hosts_come_in():
    a = Tale(host="alpha").host_says("sudo", "luna : PWD=/ ; USER=root ; COMMAND=/bin/a")
    b = Tale(host="beta").host_says("sudo", "luna : PWD=/ ; USER=root ; COMMAND=/bin/b")
    one, two = (inputs_of(*tales).changes.drop("row") for tales in ((a, b), (b, a)))
    assert one.rows() == two.rows()


def test_jobs_of_several_units_are_each_their_unit_s():
    tale = Tale().wait(10)
    for unit in ("a.service", "b.service"):
        tale.manager_says("Stopping", STOPPING, job_type="stop", unit=unit)
    assert [(row[2], row[3]) for row in changes(tale)] == [
        ("a.service", "a.service stopped on request"),
        ("b.service", "b.service stopped on request"),
    ]
