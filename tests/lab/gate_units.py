"""The units of the gate's lab: each loops, ends or stands in the way of its gate in its own manner."""

from tests.lab.program import WRAPPER

ABI = "ImportError: /opt/venv/lib/python3.11/site-packages/exllamav2_ext.so: undefined symbol: _ZN3c104cuda9SetDeviceEi"
APP = f"""#!/bin/sh
# fails like an extension of another PyTorch until the named file says ok
[ "$(cat "$1" 2>/dev/null)" = ok ] && exec sleep inf
echo "{ABI}" >&2
exit ${{2:-1}}
"""
HANG = "#!/bin/sh\nexec sleep inf\n"
BROKEN = "#!/bin/sh\nexit 3\n"
KILLED = """#!/bin/sh
# the gate, killed after a time that differs from end to end
/lab/tabby-forensics gate note --any 3 --cooldown 60 "$1" &
sleep 0.$(( $(date +%N | cut -c1-3 | sed 's/^0*//;s/^$/0/') % 5 ))
kill -9 $!
"""
TRACEBACK = """#!/bin/sh
cat >&2 <<'END'
Traceback (most recent call last):
  File "/opt/server/main.py", line 3, in <module>
    load()
  File "/opt/server/main.py", line 9, in load
    raise RuntimeError(f"shard {number} of 40 is gone")
RuntimeError: shard 17 of 40 is gone
END
exit 1
"""
PROGRAMS = {"tabby-forensics": WRAPPER, "app": APP, "hang": HANG, "broken": BROKEN, "killed": KILLED, "traceback": TRACEBACK}
CLEAN = "/usr/bin/env -i PATH=/usr/bin:/bin HOME=/root XDG_CONFIG_HOME=/etc"
FAILS = f"/bin/sh -c 'echo \"{ABI}\" >&2; exit 1'"


def note(options="--cooldown 60 --held 2", path=CLEAN):
    return f"-+{path} /lab/tabby-forensics gate note {options} %n"


def service(start, stop_post=None, *, unit="", more=""):
    """Write a unit that is restarted after each failure, with the page that OnFailure= starts."""
    stop_posts = [stop_post] if isinstance(stop_post, str) else stop_post or []
    lines = "".join(f"ExecStopPost={line}\n" for line in stop_posts)
    return (
        f"[Unit]\nOnFailure=page@%N.service\nStartLimitIntervalSec=0\n{unit}"
        f"[Service]\nRestart=on-failure\nRestartSec=100ms\nTimeoutStopSec=60\nExecStart={start}\n{lines}{more}"
    )


PAGE = "[Service]\nType=oneshot\nExecStart=/bin/echo PAGED\n"
POLLUTED = (
    "Environment=PYTHONPATH=/broken PYTHONHOME=/broken LD_LIBRARY_PATH=/run/broken LD_PRELOAD=/broken/none.so\n"
    "MemoryMax=64M\nTasksMax=6\nLimitNOFILE=64\nUMask=0077\nUser=nobody\nProtectSystem=strict\nPrivateNetwork=yes\n"
)
MECHANISMS = {
    "condition-1": service("/bin/false", more="ExecCondition=/bin/sh -c 'test ! -e /run/tried || exit 1; touch /run/tried'\n"),
    "condition-255": service("/bin/sleep inf", more="ExecCondition=/bin/sh -c 'exit 255'\n"),
    "pre-78": service("/bin/sleep inf", more="ExecStartPre=/bin/sh -c 'exit 78'\nRestartPreventExitStatus=78\n"),
    "condition-path": service("/bin/sh -c 'touch /run/condition; exit 1'", unit="ConditionPathExists=!/run/condition\n"),
}
FAIL_OPEN = {
    "missing": service(FAILS, "-+/nowhere/tabby-forensics gate note %n"),
    "hanging": service(FAILS, "-+/lab/hang", more="TimeoutStopSec=200ms\n"),
    "broken": service(FAILS, "-+/lab/broken"),
    "killed": service(FAILS, "-+/lab/killed %n"),
    "no-state": service(FAILS, note("--any 1 --futile 1"), more="TimeoutStopSec=2s\n"),
    "no-timer": service(FAILS, note("--any 2 --futile 2", f"{CLEAN} PATH=/run/bin")),
}
CLASSES = {
    "class-abi": service(FAILS, note()),
    "class-traceback": service("/lab/traceback", note("--any 3 --cooldown 60")),
    "class-signal": service("/bin/sh -c 'kill -SEGV $$$$'", note("--any 3 --cooldown 60")),
    "class-pre": service("/bin/sleep inf", note(), more=f"Type=notify\nExecStartPre={FAILS}\n"),
}
OTHERS = {
    "seed": service("/lab/app /srv/seed/mode", more="WorkingDirectory=/srv/seed\n"),
    "dependent": "[Unit]\nRequires=kept.service\nAfter=kept.service\n[Service]\nExecStart=/bin/sleep inf\n",
    "polluted": service(FAILS, note(), more=POLLUTED),
    "twice": service(FAILS, [note(), note()]),
    "good-but-fatal": service("/lab/app /run/good 0", note(), more="Restart=always\n"),
    "worker": service("/bin/sh -c 'echo 200 jobs done'", note("--any 3"), more="Restart=always\n"),
    "operated": service("/bin/sh -c 'trap \"exit 1\" TERM; while :; do sleep 0.05; done'", note("--any 1 --futile 1")),
    "skipped": service("/bin/sleep inf", note("--any 1 --futile 1"), more="ExecCondition=/bin/false\n"),
    "cooling": service("/lab/app /run/cooling", note("--cooldown 1 --most 2 --held 2")),
    "kept": service("/lab/app /run/kept", note()),
    "cleared": service(FAILS, note("--cooldown 15")),
    "direct": service(FAILS, note(), more="RestartMode=direct\n"),
}
UNITS = {f"{name}.service": text for name, text in {**MECHANISMS, **FAIL_OPEN, **CLASSES, **OTHERS}.items()} | {"page@.service": PAGE}
