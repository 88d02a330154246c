"""Who may say what: no process but root's changes what is concluded, except by its own words (docs/trust.md)."""

from functools import cache

import pytest

from forensics.model.own_entries import OWN_ENTRIES
from tests.attempts.building import IDS
from tests.hostile import forged
from tests.hostile.forged import CONTAINER, GONE, LOGGING, LOGIN, PRINTING, SERVICE, USERS_SERVICE, Fields, journal_with, named, silenced

COREDUMP, TIME_CHANGE, SLEEP = "fc2e22bc6ee647b6b90729ab34a250b1", "c7a787079b354eaaa9e77b371893cd27", "8811e6df2a8e40f58a94cea26f8ebf14"
DROPPED, MISSED, CLOSED = "a596d6fe7bfa4994828e72309e95d61e", "e9bf28e6e834481bb6f48f548ad13606", "d93fb3c9c24d451a97cea615ce59c00b"
SWITCH = "switching to system configuration /nix/store/k2s0h3n7r5l6v1pz8x4qfbw9ydcajmgi-nixos-system-h-25.11"
SUDO = "luna : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/systemctl restart app"
SSHD = "Accepted publickey for luna from 10.0.0.9 port 50122 ssh2: ED25519 SHA256:x"
POLKIT = (
    "Operator of unix-session:3 successfully authenticated as unix-user:luna to gain TEMPORARY authorization for action "
    "org.freedesktop.systemd1.manage-units for system-bus-name::1.5 [systemctl restart app] (owned by unix-user:luna)"
)
RELOAD = "Reloading requested from client PID 7 ('systemctl') (unit session-3.scope)..."
OOM = "oom-kill:constraint=NONE,task_memcg=/system.slice/app.service,task=x,pid=104,uid=0"
SENT = 'msg="Notify success" receiver=phone alerts="[ServiceDown app.service]"'
LIAR, LIARS_RUN, RUN, VICTIM = forged.LIAR, forged.LIARS_RUN, forged.RUN, forged.VICTIM
MANAGER = {"_COMM": "systemd", "SYSLOG_IDENTIFIER": "systemd", "CODE_FUNC": "service_enter_dead"}


def says(who: Fields, identifier: str, message: str) -> list[Fields]:
    return [who | {"SYSLOG_IDENTIFIER": identifier, "MESSAGE": message}]


def claims(who: Fields, kind: str, unit: str, run: str = "", **fields: str) -> list[Fields]:
    about = {"UNIT": unit, "USER_UNIT": unit, "INVOCATION_ID": run, "USER_INVOCATION_ID": run, "MESSAGE_ID": IDS.get(kind, kind)}
    return [who | about | {"SYSLOG_IDENTIFIER": "systemd", "MESSAGE": f"{kind} {unit}"} | fields]


EXIT = {"EXIT_CODE": "dumped", "EXIT_STATUS": "11", "COMMAND": "ExecStart"}
MANAGERS = {
    "restart": {"N_RESTARTS": "40"},
    "stopping": {"JOB_TYPE": "stop"},
    "stopped": {"JOB_TYPE": "stop", "JOB_RESULT": "done"},
    "exit": EXIT,
    "failed": {"UNIT_RESULT": "oom-kill"},
    "started": {"JOB_TYPE": "start"},
    "well": {},
    "job_failed": {"JOB_RESULT": "dependency"},
    "oom": {},
    "spawn": {"ERRNO": "2", "EXECUTABLE": "/srv/app/python"},
    "starting": {},
    "skipped": {"UNIT_RESULT": "exec-condition"},
    "resources": {"CPU_USAGE_NSEC": "99000000000"},
}
DUMP = {"COREDUMP_UNIT": VICTIM, "COREDUMP_USER_UNIT": VICTIM, "COREDUMP_PID": "104", "COREDUMP_SIGNAL": "11", "COREDUMP_EXE": "/x"}
LOSS = {"N_DROPPED": "5000", "OBJECT_SYSTEMD_UNIT": VICTIM, "OBJECT_PID": "104"}

OURS = {kind: id_ for id_, kind in OWN_ENTRIES.items()}


def states(who: Fields, kind: str, unit: str) -> list[Fields]:
    """An entry as this program writes them about the units that it guards."""
    about = {"OBJECT_SYSTEMD_UNIT": unit, "MESSAGE_ID": OURS[kind], "SYSLOG_IDENTIFIER": "tabby-forensics"}
    return [who | about | {"MESSAGE": f"{kind} {unit}", "TABBY_FAILURES": "3", "TABBY_SIGNATURE": "torch.abi-mismatch"}]


ATTACKS = [  # what is attempted, the lines; nothing of it may come true
    ("print a system switch", says(PRINTING, "nixos", SWITCH)),
    ("print it under the service's own name", says(PRINTING, "python3", SWITCH)),
    ("log a system switch from a login that is not root's", says(LOGIN, "nixos", SWITCH)),
    ("print a switch in a container of root's", says(CONTAINER, "nixos", SWITCH)),
    ("print a package change of pacman", says(PRINTING, "pacman", "[ALPM] upgraded nvidia (570.1 -> 570.2)")),
    ("print it under another name", says(PRINTING, "app", "[ALPM] removed glibc (2.40-1)")),
    ("print one in a container", says(CONTAINER, "pacman", "[ALPM] upgraded nvidia (570.1 -> 570.2)")),
    ("unpack a package", says(PRINTING, "apt", "Unpacking nvidia-driver (570.2) over (570.1) ...")),
    ("install one as dpkg", says(LOGGING, "dpkg", "status installed nvidia-driver:amd64 570.2")),
    ("install one as dnf, and be gone", says(GONE, "dnf", "Installed: cuda-12.8.x86_64")),
    ("install one as dnf by process name, not root", says(named(LOGGING, "dnf"), "dnf", "Installed: cuda-12.8.x86_64")),
    ("build a driver", says(LOGGING, "dkms", "nvidia/570.2 install completed")),
    ("load a driver without being the kernel", says(PRINTING, "kernel", "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  570.2  Mon")),
    ("invent a fix with sudo", says(PRINTING, "sudo", SUDO)),
    ("invent one through syslog", says(LOGGING, "sudo", SUDO)),
    ("invent one under sudo's process name", says(named(LOGGING, "sudo"), "sudo", SUDO)),
    ("invent one with a program called sudo", says(LOGGING | {"_COMM": "sudo", "_EXE": "/srv/liar/bin/sudo"}, "sudo", SUDO)),
    ("invent one and be gone", says(GONE, "sudo", SUDO)),
    ("invent one with logger in a login", says(LOGIN, "sudo", SUDO)),
    ("invent one in a container", says(CONTAINER, "sudo", SUDO)),
    ("invent one with doas", says(LOGGING, "doas", "luna ran command systemctl restart app as root from /home/luna")),
    ("invent a login by ssh", says(LOGGING, "sshd", SSHD)),
    ("invent one under sshd's process name", says(named(LOGGING, "sshd-session"), "sshd-session", SSHD)),
    ("invent a session", says(LOGGING, "systemd-logind", "New session '7' of user 'luna' with class 'user' and type 'tty'.")),
    ("invent an account", says(LOGGING, "useradd", "new user: name=luna, UID=0")),
    ("become root by su", says(LOGIN, "su", "(to root) luna on pts/1")),
    ("authenticate with polkit", says(LOGGING, "polkitd", POLKIT)),
    ("reload the manager", says(LOGGING | MANAGER, "systemd", RELOAD)),
    ("reload it as a user's service", says(USERS_SERVICE | MANAGER, "systemd", "Reloading...")),
    ("deliver an alert", says(PRINTING, "alertmanager", SENT)),
    ("deliver one from a unit that is called nearly so", says(SERVICE | {"_SYSTEMD_UNIT": "monitor-app.service"}, "alertmanager", SENT)),
    ("deliver one as a user's service of that name", says(USERS_SERVICE | {"_SYSTEMD_USER_UNIT": "alertmanager.service"}, "x", SENT)),
    ("deliver one and be gone", says(GONE, "alertmanager", SENT)),
    *[(f"claim {kind} of another unit", claims(SERVICE | MANAGER, kind, VICTIM, f"{RUN}4", **more)) for kind, more in MANAGERS.items()],
    *[(f"claim {kind} of itself", claims(SERVICE | MANAGER, kind, LIAR, LIARS_RUN, **more)) for kind, more in MANAGERS.items()],
    *[(f"claim {kind} of an attempt that was not", claims(SERVICE, kind, LIAR, "9" * 32, **more)) for kind, more in MANAGERS.items()],
    *[(f"claim {kind} and be gone", claims(GONE, kind, VICTIM, f"{RUN}4", **more)) for kind, more in MANAGERS.items()],
    *[(f"claim {kind} as a user's service", claims(USERS_SERVICE | MANAGER, kind, LIAR, **more)) for kind, more in MANAGERS.items()],
    *[
        (f"claim {kind} of a system unit as a user's", claims(USERS_SERVICE | MANAGER, kind, VICTIM, **more))
        for kind, more in MANAGERS.items()
    ],
    *[(f"claim {kind} in a login", claims(LOGIN | MANAGER, kind, VICTIM, f"{RUN}4", **more)) for kind, more in MANAGERS.items()],
    *[(f"state {kind} of another unit", states(SERVICE, kind, VICTIM)) for kind in OURS],
    *[(f"state {kind} of itself", states(SERVICE, kind, LIAR)) for kind in OURS],
    *[(f"state {kind} and be gone", states(GONE, kind, VICTIM)) for kind in OURS],
    *[(f"state {kind} in a login", states(LOGIN, kind, VICTIM)) for kind in OURS],
    ("fail to be spawned, under a child's name", claims(SERVICE | {"_COMM": "(python)"}, "spawn", LIAR, "9" * 32, ERRNO="2")),
    ("crash another unit", claims(SERVICE, COREDUMP, VICTIM, **DUMP)),
    ("crash one as systemd-coredump by name", claims(named(SERVICE, "systemd-coredum"), COREDUMP, VICTIM, **DUMP)),
    ("crash one and be gone", claims(GONE, COREDUMP, VICTIM, **DUMP)),
    ("lose another unit's lines", claims(SERVICE, DROPPED, VICTIM, **LOSS)),
    ("lose its own", claims(SERVICE, DROPPED, LIAR, N_DROPPED="5000")),
    ("lose the kernel's", claims(SERVICE, MISSED, LIAR, N_DROPPED="70")),
    ("lose some and be gone", claims(GONE, DROPPED, VICTIM, **LOSS)),
    ("set the clock", claims(SERVICE, TIME_CHANGE, VICTIM)),
    ("sleep", claims(SERVICE, SLEEP, VICTIM, MESSAGE="System returned from sleep state.")),
    ("wake up in the kernel's words", says(PRINTING, "kernel", "PM: suspend exit")),
    ("close the journal", claims(SERVICE, CLOSED, LIAR)),
    ("be killed in the kernel's words", says(PRINTING, "kernel", OOM)),
    (
        "write an older manager's text",
        says(named(LOGGING, "systemd"), "systemd", f"{LIAR}: Main process exited, code=killed, status=9/KILL")
        + says(named(LOGGING, "systemd"), "systemd", f"{LIAR}: Service hold-off time over, scheduling restart."),
    ),
]


@cache
def without(lines: tuple[tuple[tuple[str, str], ...], ...]) -> object:
    """What is concluded where the same processes write nothing of importance; many attacks come from the same ones."""
    return forged.conclusions(journal_with([dict(line) for line in lines]))


@pytest.mark.parametrize("lines", [lines for _, lines in ATTACKS], ids=[attack for attack, _ in ATTACKS])
def test_a_forged_line_changes_nothing(lines):
    expected = without(tuple(tuple(line.items()) for line in silenced(lines)))
    assert forged.conclusions(journal_with(lines)) == expected


def test_all_forged_lines_together_alert_nobody_about_another_unit():
    lines = [line for _, attack in ATTACKS for line in attack]
    expected = forged.alerts(journal_with(silenced(lines)))
    assert {name for name, unit, *_ in expected if unit == VICTIM} >= {"NewFailureSignature", "RestartLoop"}
    assert forged.alerts(journal_with(lines)) == expected


ROOT = {"_PID": "4711", "_UID": "0", "_TRANSPORT": "syslog"}
IN_LOGIN = {"_SYSTEMD_UNIT": "session-3.scope"}
REAL = [  # by whom, the fields as journald writes them, the kinds of change
    ("sudo in a login", ROOT | IN_LOGIN | {"_UID": "1000", "_COMM": "sudo", "_EXE": "/usr/bin/sudo"}, "sudo", SUDO, ["operator"]),
    ("sudo as root", ROOT | IN_LOGIN | {"_COMM": "sudo"}, "sudo", SUDO, ["operator"]),
    ("sudo whose file was not read", ROOT | IN_LOGIN | {"_UID": "1000", "_COMM": "sudo"}, "sudo", SUDO, ["operator"]),
    ("sudo by a service", SERVICE | {"_COMM": "sudo", "_EXE": "/usr/bin/sudo", "_TRANSPORT": "syslog"}, "sudo", SUDO, ["operator"]),
    (
        "sudo of NixOS",
        ROOT | IN_LOGIN | {"_UID": "1000", "_COMM": "sudo", "_EXE": "/run/wrappers/wrappers.xI2/sudo"},
        "sudo",
        SUDO,
        ["operator"],
    ),
    (
        "sudo of the store",
        ROOT | IN_LOGIN | {"_UID": "1000", "_COMM": "sudo", "_EXE": "/nix/store/k2s0-sudo-1.9.15p5/bin/sudo"},
        "sudo",
        SUDO,
        ["operator"],
    ),
    ("sudo-rs", ROOT | IN_LOGIN | {"_UID": "1000", "_COMM": "sudo", "_EXE": "/usr/lib/cargo/bin/sudo"}, "sudo", SUDO, ["operator"]),
    ("sshd", ROOT | {"_COMM": "sshd", "_EXE": "/usr/sbin/sshd", "_SYSTEMD_UNIT": "ssh.service"}, "sshd", SSHD, ["login"]),
    (
        "sshd-session",
        ROOT | {"_COMM": "sshd-session", "_EXE": "/usr/lib/openssh/sshd-session", "_SYSTEMD_UNIT": "ssh.service"},
        "sshd-session",
        SSHD,
        ["login"],
    ),
    (
        "logind",
        ROOT | {"_COMM": "systemd-logind", "_SYSTEMD_UNIT": "systemd-logind.service"},
        "systemd-logind",
        "New session 3 of user luna.",
        ["login"],
    ),
    (
        "polkit",
        ROOT | {"_UID": "990", "_COMM": "polkitd", "_EXE": "/usr/lib/polkit-1/polkitd", "_SYSTEMD_UNIT": "polkit.service"},
        "polkitd",
        POLKIT,
        ["operator"],
    ),
    (
        "NixOS's switch in a login",
        ROOT | IN_LOGIN | {"_COMM": "perl", "_EXE": "/nix/store/a1-perl-5.40/bin/perl"},
        "nixos",
        SWITCH,
        ["system-switch"],
    ),
    ("NixOS's switch in Rust", ROOT | {"_COMM": "switch-to-confi", "_SYSTEMD_UNIT": "comin.service"}, "nixos", SWITCH, ["system-switch"]),
    (
        "NixOS's upgrade",
        ROOT | {"_COMM": "perl", "_SYSTEMD_UNIT": "nixos-upgrade.service", "_TRANSPORT": "stdout"},
        "nixos-upgrade-start",
        SWITCH,
        ["system-switch"],
    ),
    (
        "pacman",
        ROOT | IN_LOGIN | {"_COMM": "pacman", "_EXE": "/usr/bin/pacman"},
        "pacman",
        "[ALPM] upgraded nvidia (1-1 -> 2-1)",
        ["package"],
    ),
    (
        "apt's daily upgrade",
        ROOT | {"_COMM": "unattended-upgr", "_SYSTEMD_UNIT": "apt-daily-upgrade.service", "_EXE": "/usr/bin/python3.11"},
        "unattended-upgrade",
        "Packages that will be upgraded: libc6",
        ["package"],
    ),
    ("dpkg in a login", ROOT | IN_LOGIN | {"_COMM": "dpkg"}, "dpkg", "status installed libc6:amd64 2.36", ["package"]),
    ("dnf", ROOT | IN_LOGIN | {"_COMM": "dnf", "_EXE": "/usr/bin/python3.9"}, "dnf", "Installed: cuda-12.8.x86_64", ["package"]),
    (
        "the manager",
        {"_PID": "1", "_UID": "0", "_COMM": "systemd", "_TRANSPORT": "journal", "_SYSTEMD_UNIT": "init.scope"},
        "systemd",
        RELOAD,
        ["unit-reload"],
    ),
]


@pytest.mark.parametrize(("fields", "identifier", "message", "kinds"), [case[1:] for case in REAL], ids=[case[0] for case in REAL])
def test_a_true_line_is_believed(fields, identifier, message, kinds):
    changes = forged.conclusions(journal_with([fields | {"SYSLOG_IDENTIFIER": identifier, "MESSAGE": message}]))["changes"]
    assert {kind for kind, _, _ in changes} == set(kinds)


ALERTMANAGER = ROOT | {"_UID": "995", "_COMM": "alertmanager", "_EXE": "/usr/bin/alertmanager", "_TRANSPORT": "stdout"}


@pytest.mark.parametrize("unit", ["alertmanager.service", "prometheus-alertmanager.service", "podman-alertmanager.service"])
def test_an_alerting_program_reports_delivery_from_its_own_unit(unit):
    found = forged.conclusions(journal_with([ALERTMANAGER | {"_SYSTEMD_UNIT": unit, "SYSLOG_IDENTIFIER": "x", "MESSAGE": SENT}]))
    assert [alert is not None for alert, _ in found["detection"]] == [True]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"_COMM": "(python)", "_EXE": "/usr/lib/systemd/systemd-executor", "_UID": "991"}, "before the service's program replaces it"),
        ({"_COMM": "(python)", "_EXE": "/nix/store/k2-systemd-257.9/lib/systemd/systemd-executor", "_UID": "991"}, "the same on NixOS"),
        ({"_COMM": "(python)", "_UID": "991"}, "it was gone before its file was read"),
        (
            {"_COMM": "(python)", "_UID": "0", "_SYSTEMD_UNIT": "init.scope", "_EXE": "/lib/systemd/systemd"},
            "before it has a cgroup of its own",
        ),
        ({"_UID": "0", "_SYSTEMD_UNIT": ""}, "root's was gone before its name and cgroup were read"),
    ],
)
def test_a_failed_execution_is_believed(fields, reason):
    run = f"{RUN}4"
    child = {
        "_PID": "104",
        "_TRANSPORT": "journal",
        "_SYSTEMD_UNIT": VICTIM,
        "SYSLOG_IDENTIFIER": "(python)",
        "UNIT": VICTIM,
        "INVOCATION_ID": run,
    }
    text = f"{VICTIM}: Failed at step EXEC spawning /srv/app/python: No such file or directory"
    line = child | {"MESSAGE_ID": IDS["spawn"], "MESSAGE": text, "ERRNO": "2", "EXECUTABLE": "/srv/app/python"} | fields
    statements = forged.conclusions(journal_with([{name: value for name, value in line.items() if value}]))["statements"]
    assert statements.count(("system", VICTIM, "other", False, None)) == 3, reason


TRANSIENT = {"_SYSTEMD_UNIT": "run-u7.service"}
OF_USER = {"_SYSTEMD_UNIT": "user@1000.service", "_SYSTEMD_OWNER_UID": "1000", "_SYSTEMD_USER_UNIT": "run-u8.service", "_UID": "1000"}


@pytest.mark.parametrize(
    ("by", "unit", "about", "reason"),
    [
        (
            ROOT | {"_SYSTEMD_UNIT": VICTIM},
            "OBJECT_SYSTEMD_UNIT",
            ("system", VICTIM),
            "ExecStopPost=+ runs as root in the unit",
        ),
        (ROOT | TRANSIENT, "OBJECT_SYSTEMD_UNIT", ("system", VICTIM), "a try is made by a transient unit"),
        (ROOT, "OBJECT_SYSTEMD_UNIT", ("system", VICTIM), "it was gone before its cgroup was read"),
        (ROOT | IN_LOGIN, "OBJECT_SYSTEMD_UNIT", ("system", VICTIM), "a person resets the gate"),
        (ROOT | OF_USER, "OBJECT_SYSTEMD_USER_UNIT", ("user:1000", VICTIM), "a user's gate, about a unit of that user"),
    ],
)
@pytest.mark.parametrize("kind", OURS)
def test_what_this_program_states_is_believed(by, unit, about, reason, kind):
    line = states(by, kind, VICTIM)[0]
    line = {name: value for name, value in line.items() if name != "OBJECT_SYSTEMD_UNIT"} | {unit: VICTIM}
    statements = forged.conclusions(journal_with([line]))["statements"]
    assert statements.count((*about, kind, False, 3)) == 3, reason


@pytest.mark.parametrize("kind", OURS)
def test_a_users_service_states_nothing_about_a_unit_of_the_system(kind):
    lines = states(USERS_SERVICE, kind, VICTIM)
    true, forged_too = (
        [row for row in forged.conclusions(journal_with(each))["statements"] if row[0] == "system"] for each in (silenced(lines), lines)
    )
    assert forged_too == true
