"""Check whether a gate keeps a unit from starting."""

from __future__ import annotations

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host
from forensics.guard.gate.state import directory, read_state
from forensics.guard.systemctl import NoManagerError
from forensics.sanitize.characters import visible_name
from forensics.wording import plural

MOST_NAMED = 10
DAMAGED = "Such a gate counts anew: it acts later than it should."
MEANS = "Such a unit is not restarted until its gate probes it, or a person acts."
REMEDY = "`tabby-forensics gate status UNIT` gives the reason; mend the cause, then `tabby-forensics gate reset UNIT`."


def check(host: Host) -> Finding:
    if not host.is_here:
        return Finding(UNKNOWN, "a copy of files does not show gates")
    try:
        units = sorted(file.name.removesuffix(".json") for file in directory(host.manager).glob("[!.]*.json"))
        states = {unit: read_state(host.manager, unit) for unit in units}
    except (OSError, NoManagerError) as error:
        return Finding(UNKNOWN, f"the gates cannot be seen: {error}")
    damaged = [visible_name(unit) for unit, state in states.items() if state.trouble]
    if damaged:
        means = "Such a gate counts anew: it acts later than it should."
        return Finding(
            PROBLEM, f"the gate had trouble: {', '.join(damaged[:MOST_NAMED])}", means, "`tabby-forensics gate status UNIT` names it."
        )
    not_closed = [f"{visible_name(unit)} ({state.state})" for unit, state in states.items() if state.is_open]
    if not_closed:
        return Finding(PROBLEM, f"a gate is not closed: {', '.join(not_closed[:MOST_NAMED])}", MEANS, REMEDY)
    return Finding(OK, f"{plural(len(states), 'gate')}, none open" if states else "no gate has acted since the boot")
