"""Check whether this installation can notice anything: what it may read, what is kept, who watches, and whether that is heard."""

from collections.abc import Callable

from forensics.doctor.checks import CHECKS
from forensics.doctor.host import UNKNOWN, Finding, Host, Result
from forensics.doctor.render import as_json, as_text

__all__ = ["CHECKS", "Host", "Result", "as_json", "as_text", "examined"]


def examined(host: Host) -> tuple[Result, ...]:
    """Make every check, in the order in which an alert depends on them."""
    return tuple(Result(name, _examined(check, host)) for name, check in CHECKS.items())


def _examined(check: Callable[[Host], Finding], host: Host) -> Finding:
    """Make one check; what the system refuses to show is unknown, and keeps no other check from being made."""
    try:
        return check(host)
    except ImportError as error:
        return Finding(UNKNOWN, f"cannot be examined: {error}", remedy="Mend the library first.")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return Finding(UNKNOWN, f"cannot be seen by this user: {error.strerror or error}{where}", remedy="Run as root to see more.")
