"""Write what verifies services after each change, and goes back when that fails: for NixOS, for apt, at boot, and a runbook."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from forensics import __version__
from forensics.generate.basis import commented
from forensics.wording import minute, plural

NIXOS, APT, RUNBOOK = "post-deploy-nixos", "post-deploy-apt", "change-runbook.md"
SCRIPTS = (NIXOS, APT)  # that are made executable
ENV_FOLDER = "/etc/tabby-forensics/verify"

# one table for both scripts: exit code → what it means
EXIT_CODES: Mapping[int, str] = {
    0: "verified, and kept",
    1: "nothing was changed: the build, the download or the rights failed before",
    3: "not verified, rolled back, and verified there",
    4: "nothing was changed: it could not be verified before, so it could not be afterwards",
    5: "not verified, rolled back, and not verified there either: call somebody",
    6: "not verified, and still in effect: the way back failed, or was not asked for",
    7: "verified and in effect, but the next boot brings back what was before",
}


@dataclass(frozen=True, slots=True)
class Verified:
    """A service with what `verify` must ask. found: where the port comes from, or why there is none."""

    unit: str
    port: int | None = None
    model: str = ""
    key_file: str = ""
    found: str = ""

    @property
    def name(self) -> str:
        return self.unit.removesuffix(".service")

    @property
    def options(self) -> tuple[str, ...]:
        port = ("--port", str(self.port)) if self.port is not None else ()
        model = ("--model", self.model) if self.model else ()
        key = ("--key-file", self.key_file) if self.key_file else ()
        return (*port, *model, *key)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write. program: the command that starts this one; after_changes: sentences on what past changes led to.

    since_change: after a switch of NixOS, which its journal always shows, also a failure class that is new since counts.
    """

    program: str
    units: tuple[Verified, ...]
    made: datetime
    settle_s: int = 180
    timeout_s: int = 300
    after_changes: tuple[str, ...] = ()
    since_change: bool = False

    @property
    def longest_s(self) -> int:
        """How long verifying one unit takes at most."""
        return self.timeout_s + self.settle_s + 60


def head(plan: Plan, what: str, more: Iterable[str] = ()) -> str:
    """Write the comments at the start of a file: who made it, for which units, and where their ports come from."""
    made = f"{what}. Made by tabby-forensics {__version__} on {minute(plan.made)} UTC: tabby-forensics generate post-deploy."
    return commented([made, "Nothing was installed or changed.", *(found for one in plan.units if (found := one.found)), *more])


def verify_function(plan: Plan) -> str:
    """Write the shell function that verifies every unit: `verify SECONDS` leaves 0, 3 or 4 in $answer."""
    calls = "\n".join(f"  judge {_command(plan, one)}" for one in plan.units)
    return f"""\
say() {{ printf 'post-deploy: %s\\n' "$*" >&2; }}

judge() {{ # run a check; the worst answer of all stays in $answer: 3 failed, 4 could not tell
  "$@"
  case $? in
    0) ;;
    3) answer=3 ;;
    *) [ "$answer" = 3 ] || answer=4 ;;
  esac
}}

verify() {{ # verify every unit: for how many seconds, and more options
  answer=0 settle=$1
  shift
{calls}
}}
"""


def _command(plan: Plan, one: Verified) -> str:
    options = shlex.join(one.options)
    timeout = f"--timeout {plan.timeout_s}"
    return f'{shlex.quote(plan.program)} verify {shlex.quote(one.unit)} {options}{" " if options else ""}{timeout} --settle "$settle" "$@"'


def before_the_change(plan: Plan) -> str:
    """Write the part that refuses a change whose outcome nobody could verify."""
    units = plural(len(plan.units), "unit")
    return f"""\
if [ "$(id -u)" -ne 0 ]; then
  say 'run this as root: nothing was changed'
  exit 1
fi
say 'before the change: {units}'
verify 0
case $answer in
  3) say 'not healthy before the change: going on, because the change may be the fix' ;;
  4) say 'it cannot be verified now, so it could not be afterwards: nothing was changed'
     exit 4 ;;
esac
"""


def exit_codes() -> list[str]:
    """Describe the exit codes in comments."""
    return ["Exit codes, of which only 0 is success:", *(f"{code}: {outcome}" for code, outcome in EXIT_CODES.items())]
