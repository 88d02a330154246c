"""Write the runbook of the change process in Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from forensics import __version__
from forensics.generate.post_deploy import APT, ENV_FOLDER, EXIT_CODES, NIXOS, Plan, Verified
from forensics.sanitize.markdown import plain
from forensics.wording import duration, minute

_WHAT_TO_DO = {
    0: "Write down what changed. Done.",
    1: "Read the error, mend it, start again. Nothing to announce.",
    3: "Service is as before. Keep the output of `verify`; do not try the same change again before the cause is known.",
    4: "Mend what keeps `verify` from telling (its `?` lines): a key, a model name, root. Then start again.",
    5: "Call for help now: the change is undone and the unit is still not healthy, so something else is wrong too.",
    6: "Call for help now, and go back by hand (below).",
    7: "Service is up. Find out why it does not boot next, before the next reboot does it.",
}
_ANSWERS = {
    "unit": "It is not active, or loops: `systemctl status`, then `tabby-forensics report`.",
    "port": "Another process holds the port. It is named with its pid and unit: stop that one, not the service.",
    "answer": "It runs and does not serve: no model, a wrong key, a hang. The server's own words are quoted.",
    "held": "It ended or was restarted while it settled: `tabby-forensics report --since 1h`.",
    "classes": "It fails in a way it never did before the change (`--since-change`).",
}


def runbook_text(plan: Plan) -> str:
    """Write the runbook."""
    return "\n\n".join(_parts(plan)) + "\n"


def _parts(plan: Plan) -> Iterator[str]:
    names = ", ".join(f"`{one.unit}`" for one in plan.units)
    yield f"# Change process: {names}"
    yield f"> Made by tabby-forensics {__version__} on {minute(plan.made)} UTC: `generate post-deploy`. Nothing was installed or changed."
    if plan.after_changes:
        yield "## Why"
        yield "\n".join(f"- {plain(sentence, 600)}" for sentence in plan.after_changes)
    yield "## 1. Before"
    yield "\n".join(f"- {line}" for line in _before(plan))
    yield _code(_verify(plan, one, settle_s=0) for one in plan.units)
    yield "## 2. Change"
    yield "Use one of these in place of `nixos-rebuild switch` or `apt upgrade`; nothing else makes a change permanent."
    yield _code([f"sudo ./{NIXOS} --flake .   # NixOS", f"sudo ./{APT}   # Debian, Ubuntu; with --roll-back it also goes back"])
    yield f"It verifies for {duration(plan.settle_s)} after the change. Keep the terminal open; a 200 of `/health` alone proves nothing."
    yield "## 3. What the exit code means"
    rows = (f"| {code} | {outcome} | {_WHAT_TO_DO[code]} |" for code, outcome in EXIT_CODES.items())
    yield "\n".join(["| exit code | what happened | what to do |", "|---|---|---|", *rows])
    yield "## 4. What a line of `verify` means that is not OK"
    yield "\n".join(["| check | what to do |", "|---|---|", *(f"| {check} | {what} |" for check, what in _ANSWERS.items())])
    yield "## 5. Back by hand"
    yield from _by_hand(plan)
    yield "## 6. By itself"
    yield from _by_itself(plan)


def _before(plan: Plan) -> Iterator[str]:
    yield "One change at a time, with somebody who can go back, and not before a weekend."
    yield "Write down what changes, why, and who has been informed."
    for one in plan.units:
        yield plain(one.found or one.unit, 300)
    yield "Verify first: what cannot be verified now cannot be afterwards."


def _by_hand(plan: Plan) -> Iterator[str]:
    yield "NixOS: what ran before is still there. The boot default is untouched until the change is verified, so a reboot goes back too."
    yield _code(["sudo nix-env --list-generations -p /nix/var/nix/profiles/system", "sudo nixos-rebuild switch --rollback"])
    yield "Debian, Ubuntu: the script prints the command. Without its output, the log of dpkg has the versions, old before new:"
    yield _code(["grep ' upgrade ' /var/log/dpkg.log | tail -n 50", "sudo apt-get install --allow-downgrades PACKAGE=OLD-VERSION"])
    yield "Then restart and verify again; going back is a change too."
    restarts = [f"sudo systemctl restart {shlex.quote(one.unit)}" for one in plan.units]
    yield _code([*restarts, *(_verify(plan, one) for one in plan.units)])


def _by_itself(plan: Plan) -> Iterator[str]:
    first = plan.units[0].name
    yield (
        f"`tabby-verify@.service` and `.path` verify after every change of packages, unattended ones too; `tabby-verify-boot@.service` "
        f"keeps a boot that is not verified from counting as good. Their options are in `{ENV_FOLDER}/{first}.env`."
    )
    copied = " ".join(f"{one.name}.env" for one in plan.units)
    enabled = " ".join(f"tabby-verify@{one.name}.path" for one in plan.units)
    yield _code(
        [
            "sudo cp tabby-verify@.service tabby-verify@.path tabby-verify-boot@.service /etc/systemd/system/",
            f"sudo install -D -m 600 -t {ENV_FOLDER} {copied}",
            f"sudo systemctl daemon-reload && sudo systemctl enable --now {enabled}",
        ]
    )


def _verify(plan: Plan, one: Verified, settle_s: int | None = None) -> str:
    settle = plan.settle_s if settle_s is None else settle_s
    return f"sudo {shlex.join([plan.program, 'verify', one.unit, *one.options, '--settle', str(settle)])}"


def _code(lines: Iterable[str]) -> str:
    return "```sh\n" + "\n".join(lines) + "\n```"
