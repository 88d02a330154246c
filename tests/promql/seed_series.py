"""Series in the shape of the seed incident's: states, counters, probes, start times, a noisy gauge, one that comes late."""

import numpy as np

from forensics.promql import StepSeries

UNIT = "tabbyapi.service"
NODE = {"instance": "hydra-ai:9100", "job": "node"}


def series_of(starts, ends, restarts, since, until):
    """Make series from the times at which attempts start and end, and (times, counter) of restarts."""
    since, until = float(since), float(until)
    edges = np.column_stack([starts, ends]).ravel()
    active = steps(since, edges, np.tile([1.0, 0.0], len(starts)))
    waiting = steps(since, edges, np.tile([0.0, 1.0], len(starts)))
    zero, one = steps(since, [], [])[:2], (np.array([since]), np.array([1.0]))
    state = {"type": "simple", **NODE}
    served = starts + 45.0
    probe = np.column_stack([served, ends])[served < ends]
    noise = np.arange(since, until, 15.0)
    late = np.arange(since + 0.3 * (until - since), until, 97.0)
    return [
        StepSeries("node_systemd_unit_state", {"name": UNIT, "state": "active", **state}, *active),
        StepSeries("node_systemd_unit_state", {"name": UNIT, "state": "activating", **state}, *waiting),
        StepSeries("node_systemd_unit_state", {"name": UNIT, "state": "failed", **state}, *zero),
        StepSeries("node_systemd_unit_state", {"name": "sshd.service", "state": "active", **state}, *one),
        StepSeries("node_systemd_service_restart_total", {"name": UNIT, **NODE}, *steps(since, *restarts)),
        StepSeries("node_systemd_service_restart_total", {"name": "sshd.service", **NODE}, *zero),
        StepSeries("systemd_service_restart_total", {"name": UNIT, "job": "systemd"}, *steps(since, *restarts)),
        StepSeries("process_start_time_seconds", {"name": UNIT, "job": "tabbyapi"}, *steps(since, starts, np.round(starts, 3))),
        StepSeries(
            "probe_success", {"instance": "http://127.0.0.1:5000/health"}, *steps(since, probe.ravel(), np.tile([1.0, 0.0], len(probe)))
        ),
        StepSeries("up", {"job": "node", "instance": NODE["instance"]}, *one),
        StepSeries("up", {"job": "blackbox", "instance": "b"}, *one),
        StepSeries("machine_temperature_celsius", {}, noise, 55 + 7 * np.sin(noise / 811) + 0.1 * np.cos(noise * noise)),
        StepSeries("late_gauge", {"kind": "x"}, late, np.floor(late / 311) % 5 - 2.5),
    ]


def steps(since, times, values):
    return np.concatenate([[since], times]), np.concatenate([[0.0], values])
