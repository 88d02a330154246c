"""Start the program, by `python -m forensics` or as `tabby-forensics`: from its first line on, Ctrl-C ends it with 130."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # built in: `signal` itself takes 2 ms, in which Ctrl-C would show a traceback
import os
import sys

INTERRUPTED = 130


def _leave(_number: int, _frame: object) -> None:
    """End at once: nothing has begun yet, or everything is done."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(INTERRUPTED)


def _end(status: int) -> None:
    """End without taking all that was loaded apart, a tenth of the CPU time of explaining a short log; nothing else is under way."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _unraisable(error: sys.UnraisableHookArgs) -> None:
    """End also where Python would print an interruption and go on, as in a callback."""
    if error.exc_type is KeyboardInterrupt:
        _leave(signal.SIGINT, None)
    sys.__unraisablehook__(error)


IN_FOREGROUND = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # in the background of a shell it is ignored
if IN_FOREGROUND:
    signal.signal(signal.SIGINT, _leave)
    sys.unraisablehook = _unraisable


def _was_for_gate() -> bool:
    """Do what a service manager calls at each end of a service, where it is that; return whether it was."""
    if sys.argv[1:2] != ["gate"]:
        return False
    from forensics.guard.gate import early  # noqa: PLC0415 - standard library only

    call = early.parsed(sys.argv[2:])
    if call is not None:
        early.run(call)
    return call is not None


def main() -> None:
    """Load the command line, which takes most of the start, and run it."""
    if _was_for_gate():
        return
    from forensics import cli  # noqa: PLC0415 - only now Ctrl-C is obeyed

    if IN_FOREGROUND:
        import atexit  # noqa: PLC0415

        # when the threads are joined the interpreter drops its handlers
        atexit.register(signal.pthread_sigmask, signal.SIG_BLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        cli.main()
    except SystemExit as end:
        if sys.argv[1:2] == ["explain"] and isinstance(end.code, int):
            _end(end.code)
        raise
    finally:
        if IN_FOREGROUND:
            signal.signal(signal.SIGINT, _leave)


if __name__ == "__main__":
    main()
