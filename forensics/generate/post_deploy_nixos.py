"""Write the script that changes a NixOS machine only as far as it can be verified: test, verify, boot, or back."""

from __future__ import annotations

from forensics.generate.post_deploy import NIXOS, Plan, before_the_change, exit_codes, head, verify_function

CURRENT, PROFILE, ROOT = "/run/current-system", "/nix/var/nix/profiles/system", "/nix/var/nix/gcroots/tabby-before-change"


def nixos_script(plan: Plan) -> str:
    """Write the script; its arguments are those of nixos-rebuild, such as --flake or --upgrade."""
    usage = [
        f"Usage, as root: {NIXOS} [arguments of nixos-rebuild], in place of `nixos-rebuild switch`.",
        "nixos-rebuild test activates without making it the boot default: until it is verified, a reboot brings back that default.",
        "Never call it from an activation script: those run before services are restarted.",
        *exit_codes(),
    ]
    return f"""\
#!/bin/sh
{head(plan, "Change this NixOS machine, verify, and go back when that fails", usage)}set -u
current={CURRENT}
profile={PROFILE}
root={ROOT}

{verify_function(plan)}
{_way_back(plan)}
{before_the_change(plan)}
{_change(plan)}"""


def _way_back(plan: Plan) -> str:
    """Write the functions that end the script: with the change, or with what was before."""
    return f"""\
finish() {{ # remove what kept the previous system from garbage collection, and end
  rm -f "$root"
  exit "$1"
}}

roll_back() {{ # activate what ran before, and verify that
  trap '' HUP INT TERM
  say "going back to $before"
  "$before/bin/switch-to-configuration" test || say 'switch-to-configuration reports failures'
  if [ "$(readlink -f "$current")" != "$before" ]; then
    say "the way back failed: $(readlink -f "$current") runs; $(readlink -f "$profile") boots next; $root keeps $before"
    exit 6
  fi
  verify {plan.settle_s}
  if [ "$answer" = 0 ]; then
    say 'NOT changed: it was not verified; what was before runs again, verified'
    finish 3
  fi
  say 'NOT changed: it was not verified; what was before runs again, and is not verified either'
  finish 5
}}
"""


def _change(plan: Plan) -> str:
    """Write the change itself."""
    return f"""\
before=$(readlink -f "$current")
[ -x "$before/bin/switch-to-configuration" ] || {{
  say "there is no NixOS system at $current: nothing was changed"
  exit 1
}}
ln -sfn "$before" "$root"
was=$answer
trap 'say interrupted; roll_back' HUP INT TERM

nixos-rebuild test "$@"
failed=$?
after=$(readlink -f "$current")
if [ "$failed" -ne 0 ] && [ "$after" = "$before" ]; then
  verify 0 # an activation that breaks off may have stopped units
  if [ "$answer" = "$was" ]; then
    say 'nixos-rebuild failed before it activated anything: nothing was changed'
    finish 1
  fi
  roll_back
fi
if [ "$failed" -ne 0 ]; then
  say "nixos-rebuild ended with $failed: not every unit could be started"
  roll_back
fi
verify {plan.settle_s}{" --since-change" if plan.since_change else ""}
[ "$answer" = 0 ] || roll_back

trap '' HUP INT TERM
nixos-rebuild boot "$@" || say 'nixos-rebuild boot failed'
if [ "$(readlink -f "$profile")" != "$after" ]; then
  say "verified: $after; but $(readlink -f "$profile") boots next"
  finish 7
fi
say "verified, and it boots next: $after"
finish 0
"""
