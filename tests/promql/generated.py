"""Draw expressions of every kind that the parser accepts, most of them over series that exist."""

from hypothesis import strategies as st

DURATIONS = st.sampled_from(["1m", "70s", "5m", "10m", "1h", "15s", "90m", "1500ms", "1h7m"])
STEPS = st.sampled_from(["", "15s", "1m", "45s", "7m", "100s"])
NAMES = st.sampled_from(["up", "probe_success", "late_gauge", "machine_temperature_celsius", "node_systemd_unit_state", "nothing_has_it"])
COUNTERS = st.sampled_from(["node_systemd_service_restart_total", "systemd_service_restart_total", "process_start_time_seconds"])
LABELS = st.lists(st.sampled_from(["name", "job", "state", "instance", "type", "kind", "none"]), max_size=3, unique=True).map(", ".join)
MATCHERS = st.lists(
    st.sampled_from(
        [
            'job="node"',
            'name=~"tabby.*"',
            'state!="active"',
            'state!~"act.+|x"',
            'none=""',
            'instance=~".+"',
            'kind=""',
            'name=~"sshd\\\\.service|x"',
        ]
    ),
    max_size=2,
    unique=True,
).map(lambda matchers: "{" + ",".join(matchers) + "}" if matchers else "")
OFFSETS = st.sampled_from(["", "", "", " offset 1m", " offset 1h", " offset -3m"])
NUMBERS = st.sampled_from(["0", "1", "2", "0.5", "5", "-1", "55", "300", "1e3", "NaN", "Inf"])
OF_RANGES = [f"{kind}_over_time" for kind in ("sum", "avg", "min", "max", "count", "last", "present", "absent", "stddev", "stdvar")]
OF_COUNTERS = ["rate", "increase", "delta", "irate", "idelta", "changes", "resets", "deriv"]
OF_VALUES = ["abs", "ceil", "floor", "exp", "ln", "sqrt", "sgn", "atan", "cos", "hour", "month", "timestamp", "absent", "sort", "round"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISONS = ["==", "!=", ">", "<", ">=", "<=", "> bool ", "== bool "]
AGGREGATIONS = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"]

selectors = st.builds(lambda name, matchers, offset: name + matchers + offset, NAMES | COUNTERS, MATCHERS, OFFSETS)
ranges = st.builds(
    lambda name, matchers, length, offset: f"{name}{matchers}[{length}]{offset}", NAMES | COUNTERS, MATCHERS, DURATIONS, OFFSETS
)
modifiers = st.builds(lambda word, labels: f"{word} ({labels})" if word else "", st.sampled_from(["", "by", "without"]), LABELS)
matchings = st.builds(
    lambda word, labels, group, include: f"{word} ({labels}) {f'{group} ({include})' if group else ''}" if word else "",
    st.sampled_from(["", "on", "ignoring"]),
    LABELS,
    st.sampled_from(["", "", "group_left", "group_right"]),
    st.sampled_from(["", "kind", "state"]),
)
set_matchings = st.builds(lambda word, labels: f"{word} ({labels})" if word else "", st.sampled_from(["", "on", "ignoring"]), LABELS)


def _larger(inner):
    """Build vectors from smaller ones."""
    subqueries = st.builds(lambda inside, length, step, offset: f"({inside})[{length}:{step}]{offset}", inner, DURATIONS, STEPS, OFFSETS)
    windows = ranges | subqueries
    scalars = NUMBERS | st.just("time()") | st.builds("scalar({})".format, inner)
    return st.one_of(
        st.builds("{}({})".format, st.sampled_from(OF_RANGES + OF_COUNTERS), windows),
        st.builds("{}({})".format, st.sampled_from(OF_VALUES), inner),
        st.builds("quantile_over_time({}, {})".format, scalars, windows),
        st.builds("predict_linear({}, {})".format, windows, scalars),
        st.builds("clamp({}, {}, {})".format, inner, scalars, scalars),
        st.builds("clamp_min({}, {})".format, inner, scalars),
        st.builds("vector({})".format, scalars),
        st.builds('label_replace({}, "{}", "$1-${{2}}x", "name", "([a-z]+).(.*)")'.format, inner, st.sampled_from(["state", "new"])),
        st.builds('label_join({}, "new", "/", "name", "state")'.format, inner),
        st.builds("{} {} ({})".format, st.sampled_from(AGGREGATIONS), modifiers, inner),
        st.builds("quantile {} ({}, {})".format, modifiers, scalars, inner),
        st.builds("{} {} ({}, {})".format, st.sampled_from(["topk", "bottomk"]), modifiers, NUMBERS, inner),
        st.builds('count_values {} ("{}", {})'.format, modifiers, st.sampled_from(["value", "state"]), inner),
        st.builds("({}) {} {}".format, inner, st.sampled_from(ARITHMETIC + COMPARISONS), scalars),
        st.builds("{} {} ({})".format, scalars, st.sampled_from(ARITHMETIC + COMPARISONS), inner),
        st.builds("({}) {} {} ({})".format, inner, st.sampled_from(ARITHMETIC + COMPARISONS), matchings, inner),
        st.builds("({}) {} {} ({})".format, inner, st.sampled_from(["and", "or", "unless"]), set_matchings, inner),
        st.builds("-({})".format, inner),
    )


expressions = st.recursive(selectors, _larger, max_leaves=4)
