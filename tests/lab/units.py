"""Units that fail in five ways and one that does not, with the programs they start."""

import time

from tests.lab.systemd import Lab


def unit(starts: int, *service: str) -> str:
    lines = ["[Unit]", "StartLimitIntervalSec=600", f"StartLimitBurst={starts}", "[Service]", "RestartSec=50ms", *service, ""]
    return "\n".join(lines)


UNITS = {
    "library.service": unit(5, "Restart=on-failure", "ExecStart=/lab/library.sh"),
    "port.service": unit(6, "Restart=always", "ExecStart=/lab/port.sh"),
    "before.service": unit(4, "Restart=on-failure", "ExecStartPre=/bin/sh -c 'echo no model; exit 3'", "ExecStart=/bin/true"),
    "silent.service": unit(4, "Restart=on-failure", "ExecStart=/bin/sh -c 'exit 42'"),
    "ends.service": unit(1000, "Restart=on-failure", "ExecStart=/lab/ends.sh"),
    "healthy.service": unit(4, "Restart=on-failure", "ExecStart=/bin/sleep 600"),
}
UNTIL_REFUSED = ["library.service", "port.service", "before.service", "silent.service"]
PROGRAMS = {
    "library.sh": """#!/bin/sh
cat >&2 <<'EOF'
Traceback (most recent call last):
  File "/srv/app/main.py", line 7, in <module>
    import torch
ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory
EOF
exit 1
""",
    "port.sh": """#!/bin/sh
echo "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 5000): address already in use"
exit 0
""",
    "ends.sh": """#!/bin/sh
sleep 0.5
[ -e /run/ends-stays ] && touch /run/ends-stayed && exec sleep 600
echo unknown trouble 17 >&2
exit 1
""",
}


def stop_what_ends(lab: Lab) -> None:
    """Stop ends.service in an attempt that does not fail: within a second of a failure a stop is no stop."""
    lab.run(["touch", "/run/ends-stays"])
    lab.wait_until(lambda: lab.run(["sh", "-c", "ls /run/ends-stayed"], check=False) != "")
    time.sleep(1)
    lab.run(["systemctl", "stop", "ends.service"])
