"""Check whether this installation can notice anything: what it may read, what is kept, who watches, and whether that is heard."""

from forensics.doctor.checks import CHECKS
from forensics.doctor.host import Host, Result
from forensics.doctor.render import as_json, as_text

__all__ = ["CHECKS", "Host", "Result", "as_json", "as_text", "examined"]


def examined(host: Host) -> tuple[Result, ...]:
    """Make every check, in the order in which an alert depends on them."""
    return tuple(Result(name, check(host)) for name, check in CHECKS.items())
