"""The units and programs of test_preflight."""

from pathlib import Path

from forensics.generate.preflight import command_line

PROGRAM = "/lab/python3"  # runs this project, isolated from the unit's environment; the lab has no library of this Python's own
LIBRARIES = "/lab/python/lib"
SLEEPS = "ExecStart=/bin/sleep 600\n"
LOOPS = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=200ms\n"
MAIN = "import time\nimport extension\ntime.sleep(600)\n"
SERVER = """\
import socket, time
with socket.socket() as server:
    try:
        server.bind(("127.0.0.1", 5000))
    except OSError as error:
        raise SystemExit(f"ERROR: [Errno 98] error while attempting to bind on address ('127.0.0.1', 5000): {error.strerror}")
    server.listen()
    print("serving on http://127.0.0.1:5000", flush=True)
    time.sleep(600)
"""
ENDS = {"exits-1": "exit 1", "exits-78": "exit 78", "killed": "kill -9 $$", "hangs": "trap '' TERM; sleep 600; sleep 600"}
HANG_S = 4
ODD = r"odd\x2dname@a\x2db:c"


def guarded(program: str, settings: str = "") -> str:
    """Write a unit that starts unless `program` fails as a check does."""
    return f"[Service]\n{settings}ExecStartPre={command_line(program, within_s=HANG_S)}\n{SLEEPS}"


BROKEN = "Environment=PATH=/nonexistent PYTHONHOME=/nonexistent PYTHONPATH=/nonexistent PYTHONWARNINGS=error\n"
BROKEN += "Environment=LD_LIBRARY_PATH=/srv/damaged LD_PRELOAD=/nonexistent.so\n"
UNITS = {
    "lib.service": f"{LOOPS}Environment=LD_LIBRARY_PATH=/srv/lib:{LIBRARIES}\nExecStart=/srv/app/bin/python /lab/main.py\n",
    "port.service": f"{LOOPS}User=nobody\nExecStart={PROGRAM} -I /lab/server.py\n",
    "holder.service": f"[Service]\nExecStart={PROGRAM} -I /lab/server.py\n",
    "program-missing.service": guarded("/lab/nowhere/bin/python"),
    "broken.service": guarded(PROGRAM, BROKEN),
    "broken-too.service": guarded(PROGRAM, BROKEN),
    "unchecked.service": guarded(PROGRAM),
    "mistaken.service": guarded(PROGRAM),
    r"odd\x2dname@.service": guarded("/lab/prints-arguments"),
    **{f"{name}.service": guarded(f"/lab/{name}") for name in ENDS},
}
PROGRAMS = {
    "python3": f'#!/bin/sh\nLD_LIBRARY_PATH={LIBRARIES} exec /lab/own/bin/python "$@"\n',
    "main.py": MAIN,
    "server.py": SERVER,
    "prints-arguments": '#!/bin/sh\nprintf "%s\\n" "$@" > /run/arguments\n',
    **{name: f"#!/bin/sh\n{script}\n" for name, script in ENDS.items()},
}


def own_environment(folder: Path) -> None:
    """Make the environment that PROGRAM is in: it finds the project and its packages by a .pth file."""
    site = next(folder.glob("lib/python3*/site-packages"))
    (site / "project.pth").write_text("/lab/project\n/lab/packages\n")
