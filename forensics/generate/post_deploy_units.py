"""Write the units that verify by themselves: after packages changed, and before a boot counts as good."""

from __future__ import annotations

from forensics.generate.post_deploy import ENV_FOLDER, Plan, Verified, head

QUIET_MIN, UPGRADE_S = 1, 3600
STATUS = "/var/lib/dpkg/status"


def unit_files(plan: Plan) -> dict[str, str]:
    """Write the templates, and the options of each unit: file name → text."""
    templates = {
        "tabby-verify@.service": after_packages(plan),
        "tabby-verify@.path": watched_packages(plan),
        "tabby-verify-boot@.service": at_boot(plan),
    }
    return templates | {f"{one.name}.env": options(plan, one) for one in plan.units}


def after_packages(plan: Plan) -> str:
    """Write the service that verifies a unit once dpkg is quiet: an upgrade writes its status many times."""
    explained = [
        "Copy it to /etc/systemd/system, with tabby-verify@.path; the instance is the unit's name without .service.",
        "It fails when the unit is not verified (3) or nobody can tell (4): have OnFailure= here, or an alert on failed units.",
    ]
    return f"""\
{head(plan, "Verify a unit after packages changed", explained)}[Unit]
Description=Verify %i after packages changed
After=%i.service

[Service]
Type=oneshot
EnvironmentFile=-{ENV_FOLDER}/%i.env
ExecStartPre=/bin/sh -c 'while [ -n "$(find {STATUS} -mmin -{QUIET_MIN})" ]; do sleep 5; done'
ExecStart={plan.program} verify %i $VERIFY_OPTIONS
TimeoutStartSec={UPGRADE_S + plan.longest_s}
"""


def watched_packages(plan: Plan) -> str:
    """Write the path unit that starts it."""
    explained = [
        "systemctl enable --now " + " ".join(f"tabby-verify@{one.name}.path" for one in plan.units),
        "It covers unattended-upgrades, apt, dpkg and configuration management alike, because all of them write dpkg's status.",
    ]
    return f"""\
{head(plan, "Start the verification after packages changed", explained)}[Unit]
Description=Verify %i when packages change

[Path]
PathChanged={STATUS}

[Install]
WantedBy=paths.target
"""


def at_boot(plan: Plan) -> str:
    """Write the service without which a boot does not count as good."""
    explained = [
        "systemctl enable " + " ".join(f"tabby-verify-boot@{one.name}.service" for one in plan.units),
        "With boot counting (systemd-bless-boot(8)) or greenboot, a boot that is not verified does not count as good, and after a few",
        "tries the previous entry boots. Without them nothing starts boot-complete.target, nor this unit.",
    ]
    return f"""\
{head(plan, "Verify a unit before this boot counts as good", explained)}[Unit]
Description=Verify %i before this boot counts as good
After=%i.service
Before=boot-complete.target

[Service]
Type=oneshot
RemainAfterExit=yes
EnvironmentFile=-{ENV_FOLDER}/%i.env
ExecStart={plan.program} verify %i $VERIFY_OPTIONS
TimeoutStartSec={plan.longest_s}

[Install]
RequiredBy=boot-complete.target
"""


def options(plan: Plan, one: Verified) -> str:
    """Write the options of `verify` for one unit."""
    given = " ".join([*one.options, "--timeout", str(plan.timeout_s), "--settle", str(plan.settle_s)])
    explained = [f"Copy it to {ENV_FOLDER}, for root only where the endpoint's key is in it: TABBY_FORENSICS_VERIFY_TOKEN=KEY."]
    return f"{head(plan, f'Options of verify for {one.unit}', explained)}VERIFY_OPTIONS={given}\n"
