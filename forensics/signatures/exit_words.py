"""What an end means that no log line explains: the words of the pattern for the same fault, or words of its own."""

from __future__ import annotations

from forensics.model.signature import Signature
from forensics.sanitize import filled
from forensics.signatures.pattern import Catalogue

SILENT = "The service logged nothing that explains its end; only the service manager recorded it."

# Patterns with the cause and remedy of an end. Signals by number, also as 128 + number, the status that a shell and a container give.
_OF_SIGNAL = {
    4: "process.illegal-instruction",
    6: "process.aborted",
    7: "process.bus-error",
    8: "process.floating-point",
    9: "process.killed",
    11: "process.segmentation-fault",
}
# Statuses of systemd.exec(5), "Process Exit Codes", and of a shell.
_OF_STATUS = {
    127: "process.command-not-found",
    200: "systemd.working-directory",
    203: "systemd.exec-failed",
    208: "systemd.standard-streams",
    209: "systemd.standard-streams",
    216: "systemd.group-missing",
    217: "systemd.user-missing",
    222: "systemd.standard-streams",
    226: "systemd.namespace",
    233: "systemd.special-directory",
    238: "systemd.special-directory",
    239: "systemd.special-directory",
    240: "systemd.special-directory",
    241: "systemd.special-directory",
    243: "systemd.credentials",
}
_FIRST_SETUP_STEP, _LAST_SETUP_STEP = 201, 246
_OF_RESULT = {
    "oom-kill": "memory.oom-kill",
    "watchdog": "systemd.watchdog-timeout",
    "protocol": "systemd.protocol",
    "resources": "systemd.resources",
    "start-limit-hit": "systemd.start-limit",
    "dependency": "systemd.dependency",
}
_CAUSE_OF_SIGNAL = {
    1: "SIGHUP: the terminal was closed, or it was asked to reload and has no handler for that.",
    2: "SIGINT: somebody pressed Ctrl-C or sent the same.",
    3: "SIGQUIT: somebody asked for a core dump, or a supervisor uses it as its stop signal.",
    5: "SIGTRAP: the program ran into a trap of its own; Chromium, Electron and V8 end so on purpose when a check fails.",
    13: "SIGPIPE: it wrote to a pipe or connection whose other end was gone, and does not handle that.",
    14: "SIGALRM: an alarm of its own rang and nothing handled it.",
    15: "SIGTERM: it was asked to stop, not by systemd: by a supervisor, a container engine, a script, log rotation or a person.",
    24: "SIGXCPU: it reached its limit of processor time (`LimitCPU=`).",
    25: "SIGXFSZ: a file reached the largest size allowed (`LimitFSIZE=`).",
    31: "SIGSYS: it made a system call that its filter forbids (`SystemCallFilter=`, or a container's seccomp profile).",
}
_CAUSE_OF_STATUS = {
    126: "Status 126: a shell found the command but may not execute it: no x in its mode, a noexec file system, a folder.",
    255: "Status 255 is −1: the program gave up without a number of its own; ssh, Perl's die and PHP's fatal errors end so.",
}
_TIMED_OUT = """\
1. Which limit? systemd's lines say it: "start operation timed out", "State 'stop-…' timed out" or "runtime time limit".
2. Start: how long does it take, and does it ever say that it is ready? `systemctl show -p Type -p TimeoutStartUSec UNIT`.
3. Stop: what does it do after SIGTERM? `systemctl show -p TimeoutStopUSec -p KillSignal UNIT`.
4. Its last line tells what it waited for: a network, a database, a device, a lock."""
_SILENT_EXIT = """\
1. Does it log elsewhere? Its own files below /var/log, `StandardOutput=` and `StandardError=` of the unit, its log options.
2. Run the command of `ExecStart=` by hand as the unit's user: `systemd-run --pty -p User=USER COMMAND`; a terminal often shows the message.
3. What the status means to this program is in its manual (EXIT STATUS); raise its log level once.
4. Fails in the unit only: compare environment, working directory and sandbox: `systemctl cat UNIT`."""
_SENT_SIGNAL = """\
1. Who sent it? The lines of other units at that second: `journalctl --since … --until …`; `ausearch -sc kill` where auditd watches that.
2. Usual senders: supervisors and container engines, scripts with `kill` or `pkill`, log rotation, a health check that gave up.
3. It was meant as a stop: stop the unit by `systemctl stop UNIT`, or let the signal count as success: `SuccessExitStatus=`."""


def described(result: str, status: str, catalogue: Catalogue) -> Signature | None:
    """Cause and remedy of an end, as a signature that is used for its words only; null where nothing is known."""
    number = int(status) if status.isdigit() else -1
    by_signal = result in {"signal", "core-dump"}
    signal = number if by_signal else number - 128 if result == "exit-code" and 128 < number <= 128 + 64 else -1
    pattern = catalogue.pattern(_pattern(result, signal, number))
    if pattern is not None:
        return filled(pattern.signature)
    if by_signal or signal in _CAUSE_OF_SIGNAL:
        return _words(_CAUSE_OF_SIGNAL.get(signal, ""), _SENT_SIGNAL)
    if result == "timeout":
        return _words("A time limit of the unit was over, and systemd ended it.", _TIMED_OUT)
    return _words(_CAUSE_OF_STATUS.get(number, ""), _SILENT_EXIT) if result == "exit-code" else None


def _pattern(result: str, signal: int, status: int) -> str:
    if signal in _OF_SIGNAL:
        return _OF_SIGNAL[signal]
    if result != "exit-code":
        return _OF_RESULT.get(result, "")
    is_step = _FIRST_SETUP_STEP <= status <= _LAST_SETUP_STEP
    return _OF_STATUS.get(status, "systemd.setup-step" if is_step else "")


def _words(cause: str, remedy: str) -> Signature:
    return Signature("", "", "", cause=cause, remedy=remedy)
