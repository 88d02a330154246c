"""A process ends in time, and only while what may take too long goes on."""

import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from forensics.guard.alarm import ended_after


def test_what_takes_too_long_ends_the_process_as_if_all_were_well():
    program = "import time; from forensics.guard.alarm import ended_after\nwith ended_after(0.1): time.sleep(60)\nprint('late')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_ends_the_process_afterwards(fails):
    before = signal.getsignal(signal.SIGALRM)
    with suppress(ValueError), ended_after(30):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
        if fails:
            raise ValueError
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before
