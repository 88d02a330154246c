"""Write the script that upgrades packages, restarts and verifies what uses them, and says or does what leads back."""

from __future__ import annotations

import shlex

from forensics.generate.post_deploy import APT, Plan, before_the_change, exit_codes, head, verify_function

_CHANGED = """\
NR == FNR { old[$1] = $2; next }
{ new[$1] = $2 }
END {
  for (name in old) if (new[name] != old[name]) print name "=" old[name]
  for (name in new) if (!(name in old)) print name "-"
}"""  # what leads from the second list of versions to the first, as arguments of apt-get install


def apt_script(plan: Plan) -> str:
    """Write the script; its arguments are those of apt-get."""
    usage = [
        f"Usage, as root: {APT} [--roll-back] [arguments of apt-get, such as install PACKAGE; default: upgrade].",
        "Without --roll-back the command that leads back is printed, not run: what a package did to its data stays, and the old version",
        "must still be in /var/cache/apt/archives or on a mirror.",
        "The units are restarted: an upgraded library is used from the next start on, and that shall not be at night.",
        *exit_codes(),
    ]
    return f"""\
#!/bin/sh
{head(plan, "Upgrade packages of this machine, verify, and lead back when that fails", usage)}set -u

{verify_function(plan)}
{_functions(plan)}
back=no
if [ "${{1-}}" = --roll-back ]; then
  back=yes
  shift
fi
[ $# -gt 0 ] || set -- upgrade
{before_the_change(plan)}
{_change(plan)}"""


def _functions(plan: Plan) -> str:
    """Write the functions that list and restore versions, and restart the units."""
    restarts = "\n".join(
        f"  systemctl restart {shlex.quote(one.unit)} || say {shlex.quote(f'{one.unit} did not restart')}" for one in plan.units
    )
    return f"""\
versions() {{ # list the installed packages with their versions
  dpkg-query -W -f '${{db:Status-Status}} ${{binary:Package}} ${{Version}}\\n' | sed -n 's/^installed //p' | LC_ALL=C sort
}}

restart() {{
{restarts}
}}

way_back() {{ # list what apt-get install must be given to have the versions of before
  awk '{_CHANGED}' "$state/before" "$state/after" | LC_ALL=C sort
}}

roll_back() {{
  say 'going back to the versions of before'
  way_back | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y --allow-downgrades
  versions > "$state/again"
  if ! cmp -s "$state/before" "$state/again"; then
    say 'the way back failed: the new versions are in effect, at least in part'
    return 6
  fi
  restart
  verify {plan.settle_s}
  if [ "$answer" = 0 ]; then
    say 'NOT changed: it was not verified; the versions of before run again, verified'
    return 3
  fi
  say 'NOT changed: it was not verified; the versions of before run again, and are not verified either'
  return 5
}}
"""


def _change(plan: Plan) -> str:
    """Write the upgrade itself."""
    return f"""\
state=$(mktemp -d) || exit 1
trap 'rm -rf "$state"' EXIT
trap '' HUP # a lost connection must not leave the change unverified
versions > "$state/before"
[ -s "$state/before" ] || {{ say 'dpkg lists no packages: nothing was changed'; exit 1; }}

apt-get "$@"
failed=$?
versions > "$state/after"
[ -s "$state/after" ] || {{ say "dpkg lists no packages any more, after apt-get ended with $failed"; exit 6; }}
if cmp -s "$state/before" "$state/after"; then
  [ "$failed" = 0 ] || {{ say "apt-get ended with $failed: nothing was changed"; exit 1; }}
  say 'no package was changed'
  exit 0
fi
restart
verify {plan.settle_s}
[ "$failed" = 0 ] || {{ say "apt-get ended with $failed"; answer=3; }}
if [ "$answer" = 0 ]; then
  say 'verified: the new versions run'
  exit 0
fi
if [ "$back" = yes ]; then
  roll_back
  exit $?
fi
say 'NOT verified: the new versions are in effect. This leads back:'
printf 'apt-get install --allow-downgrades %s\\n' "$(way_back | tr '\\n' ' ')" >&2
exit 6
"""
