"""Name systemd's message ids, the results of a service, and signals.

Source: sd-messages.h (ids are the same in 252 … 262), service.c (results), signal(7).
"""

from __future__ import annotations

import signal

# the service manager about a unit
UNIT_STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"
UNIT_STARTED = "39f53479d3a045ac8e11786248231fbf"
UNIT_STOPPING = "de5b426a63be47a7b6ac3eaac82e2f6f"
UNIT_STOPPED = "9d1aaa27d60140bd96365438aad20286"
UNIT_FAILED = "be02cf6855d2428ba40df7e9d022f03d"  # the job failed, not the unit
UNIT_RELOADING = "d34d037fff1847e6ae669a370e694725"
UNIT_PROCESS_EXIT = "98e322203f7a4ed290d09fe03c09fe15"
UNIT_FAILURE_RESULT = "d9b373ed55a64feb8242e02dbe79a49c"
UNIT_SUCCESS = "7ad2d189f7e94e70a38c781354912448"
UNIT_SKIPPED = "0e4284a0caca4bfc81c0bb6786972673"
UNIT_RESTART_SCHEDULED = "5eb03494b6584870a536b337290809b3"
UNIT_RESOURCES = "ae8f7b866b0347b9af31fe1c80b127c0"
UNIT_OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"
UNIT_OOMD_KILL = "d989611b15e44c9dbf31e3c81256e4ed"
SPAWN_FAILED = "641257651c1b4ec9a8624d7a40a9e1e7"
# other parts of systemd
COREDUMP = "fc2e22bc6ee647b6b90729ab34a250b1"
TIME_CHANGE = "c7a787079b354eaaa9e77b371893cd27"
SLEEP_STOP = "8811e6df2a8e40f58a94cea26f8ebf14"
JOURNAL_STOPPED = "d93fb3c9c24d451a97cea615ce59c00b"
JOURNAL_DROPPED = "a596d6fe7bfa4994828e72309e95d61e"  # lines beyond the rate limit
JOURNAL_MISSED = "e9bf28e6e834481bb6f48f548ad13606"  # kernel lines that came too fast

# EXIT_CODE → the result that systemd derives from it
RESULT_OF_EXIT_CODE = {"exited": "exit-code", "killed": "signal", "dumped": "core-dump"}
BY_SIGNAL = ("signal", "core-dump")  # results whose status is a signal number
FAULTS = (signal.SIGILL, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV)  # raised by the processor: a fault in the program itself


def signal_name(number: int) -> str:
    """Return SIGSEGV for 11, "" for a number that is not a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""
