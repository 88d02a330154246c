"""Generate files for other programs: rules, tests, routes, probes, limits, runbooks, action items; units and dashboards of `watch`."""
