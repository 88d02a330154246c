"""`generate dashboard` writes what Grafana 10 to 13 load: panels with colours, states, variables, annotations and links.

The types of @grafana/schema 10.4, 11.6, 12.4 and 13.2 accept it, checked by hand with tsc; here are the rules behind that.
"""

import json
import re
import subprocess

import promql_parser
import pytest

from forensics.generate.dashboard import CLASS_COLORS, UNIT_STATES, dashboard_model
from forensics.generate.runbook import file_name
from forensics.policy.class_state import STATES
from forensics.watch.metrics import COUNTERS, GAUGES, PREFIX
from tests.cli.running import assert_one_sentence, run
from tests.generate.promtools import PROMTOOLS

RUNBOOKS = "https://wiki.example/runbooks"
MODEL = dashboard_model(RUNBOOKS)
PANELS = MODEL["panels"]
ANNOTATIONS = [each for each in MODEL["annotations"]["list"] if "target" in each]
VARIABLES = {each["name"]: each for each in MODEL["templating"]["list"]}
TARGETS = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
TARGETS += [(each["name"], each["target"]["expr"]) for each in ANNOTATIONS]
VALUES = {"$__rate_interval": "5m", "$unit": ".*", "$host": ".*"}
KNOWN = {f"{PREFIX}{name}_total" for name in COUNTERS} | {PREFIX + name for name in GAUGES} | {f"{PREFIX}attempt_duration_seconds_bucket"}


def interpolated(expr):
    for name, value in VALUES.items():
        expr = expr.replace(name, value)
    return expr


def panel_of(kind, title):
    (panel,) = (panel for panel in PANELS if (panel["type"], panel["title"]) == (kind, title))
    return panel


def test_the_dashboard_has_a_stable_id_and_cannot_be_edited():
    model = dashboard_model()
    assert (model["id"], model["uid"], model["editable"], model["schemaVersion"]) == (None, "tabby-forensics-watch", False, 38)
    assert json.loads(run("generate", "dashboard").stdout) == model


def test_every_variable_is_used_and_every_used_one_exists():
    text = json.dumps([PANELS, ANNOTATIONS, [each["query"] for each in VARIABLES.values()]])
    used = set(re.findall(r"\$\{?([a-z]\w*)", text))
    assert used == VARIABLES.keys() == {"datasource", "host", "unit"}


@pytest.mark.parametrize("name", ["host", "unit"])
def test_several_hosts_and_units_can_be_chosen_at_first_all(name):
    variable = VARIABLES[name]
    assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".*")
    assert variable["current"]["value"] == ["$__all"]
    metric = re.fullmatch(rf"label_values\(({PREFIX}\w+)(?:{{instance=~\"\$host\"}})?, (?:instance|unit)\)", variable["query"]["query"])
    assert metric[1] in KNOWN


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: f"{panel['title']}-{panel['type']}")
def test_a_panel_has_title_description_unit_and_the_chosen_source(panel):
    assert panel["title"]
    assert panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "${datasource}"
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
    assert {target["instant"] for target in panel["targets"]} == {panel["type"] in {"stat", "table"}}


def test_panels_have_numbers_of_their_own_and_do_not_overlap():
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken = set()
    for panel in PANELS:
        x, y, w, h = (panel["gridPos"][name] for name in "xywh")
        cells = {(column, row) for column in range(x, x + w) for row in range(y, y + h)}
        assert not cells & taken
        assert x + w <= 24
        taken |= cells


@pytest.mark.parametrize(("title", "expr"), TARGETS)
def test_every_query_is_promql_over_metrics_that_exist(title, expr):
    assert "$" not in re.sub(r'"(?:mined-)?\$1\.md"', "", interpolated(expr)), title
    promql_parser.parse(interpolated(expr))
    assert set(re.findall(rf"{PREFIX}\w+", expr)) <= KNOWN
    assert len(re.findall(r'instance=~"\$host"', expr)) == len(re.findall(rf"{PREFIX}\w+", expr))
    for function in re.findall(r"\b(?:rate|increase|irate)\(", expr):
        assert f"{function}{PREFIX}" in expr
    assert re.findall(r"\[([^\]]+)\]", expr) in ([], ["$__rate_interval"])


@pytest.mark.parametrize("title", ["Units down", "Restart loops", "Stopped by a gate", "Escalating classes", "Newest entry", "Watch lag"])
def test_a_figure_that_is_not_as_it_should_be_has_another_colour(title):
    panel = panel_of("stat", title)
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert panel["options"]["colorMode"] == "background"
    assert (steps[0]["value"], steps[0]["color"]) == (None, "green")
    values = [step["value"] for step in steps[1:]]
    assert values == sorted(values)
    assert len({step["color"] for step in steps}) == len(steps) > 1


@pytest.mark.skipif(not PROMTOOLS, reason="promtool is not installed")
@pytest.mark.parametrize(
    ("metrics", "shown"),
    [
        ({}, "down"),
        ({"unit_up": 1}, "up"),
        ({"unit_up": 1, "unit_held": 1}, "up for ten minutes"),
        ({"unit_loop_active": 1}, "restart loop"),
        ({"unit_up": 1, "unit_loop_active": 1}, "restart loop"),
        ({"unit_loop_active": 1, "gate_open": 1}, "stopped by its gate"),
    ],
)
def test_the_states_of_a_unit_have_a_text_of_their_own(metrics, shown, tmp_path):
    names = ("unit_up", "unit_held", "unit_loop_active", "gate_open")
    labels = {"instance": "a", "unit": "x.service", "job": "j"}
    series = {f"{PREFIX}{name}": (labels, metrics.get(name, 0)) for name in names}
    panel = panel_of("state-timeline", "Units")
    value = evaluated(panel["targets"][0]["expr"], series, ("instance", "unit"), labels, tmp_path)
    assert mapped(panel, value) == shown
    assert shown in {text for text, _ in UNIT_STATES.values()}


@pytest.mark.skipif(not PROMTOOLS, reason="promtool is not installed")
@pytest.mark.parametrize("state", STATES)
def test_the_states_of_a_class_have_a_text_of_their_own(state, tmp_path):
    labels = {"instance": "a", "unit": "x.service", "signature": "port.conflict", "job": "j"}
    series = {f'{PREFIX}class_state{{state="{each}"}}': ({**labels, "state": each}, int(each == state)) for each in STATES}
    panel = panel_of("state-timeline", "Failure classes")
    value = evaluated(panel["targets"][0]["expr"], series, ("instance", "unit", "signature"), labels, tmp_path)
    assert mapped(panel, value) == state
    assert CLASS_COLORS.keys() == set(STATES)


def evaluated(expr, series, by, labels, folder):
    """Return the value that promtool computes for these labels: its test for another value fails, and names what it got."""
    written = {
        "rule_files": [],
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": name.partition("{")[0] + braced(of_series), "values": f"{value}x2"}
                    for name, (of_series, value) in series.items()
                ],
                "promql_expr_test": [
                    {
                        "expr": interpolated(expr),
                        "eval_time": "1m",
                        "exp_samples": [{"labels": braced({k: labels[k] for k in by}), "value": -1}],
                    }
                ],
            }
        ],
    }
    (folder / "test.yml").write_text(json.dumps(written))
    done = subprocess.run([PROMTOOLS[0], "test", "rules", str(folder / "test.yml")], capture_output=True, text=True, check=False)
    ((names, value),) = re.findall(r"got: ({[^}]*})? *(\S+E[+-]\d+)", done.stdout + done.stderr)
    assert sorted(names.strip("{}").split(", ")) == sorted(braced({name: labels[name] for name in by}).strip("{}").split(", "))
    return float(value)


def braced(labels):
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def mapped(panel, value):
    """Return the text that Grafana shows for a value."""
    for mapping in panel["fieldConfig"]["defaults"]["mappings"]:
        if mapping["type"] == "value" and str(int(value)) in mapping["options"]:
            return mapping["options"][str(int(value))]["text"]
        if mapping["type"] == "range" and mapping["options"]["from"] <= value <= mapping["options"]["to"]:
            return mapping["options"]["result"]["text"]
    return None


def test_new_failures_are_marked_when_they_first_occurred():
    new, *spans = ANNOTATIONS
    assert (new["useValueForTime"], new["tagKeys"]) == (True, "unit,signature")
    assert new["target"]["expr"].endswith(" * 1000")
    assert [each["name"] for each in spans] == ["Restart loops", "Open gates"]
    assert not any(each["useValueForTime"] for each in spans)


@pytest.mark.skipif(not PROMTOOLS, reason="promtool is not installed")
@pytest.mark.parametrize("signature", ["torch.abi-mismatch", "mined:e529b11a1237606f"])
def test_a_class_links_to_the_file_of_its_runbook(signature, tmp_path):
    (override,) = (
        each for each in panel_of("table", "Failure classes")["fieldConfig"]["overrides"] if each["matcher"]["options"] == "Runbook"
    )
    (link,) = override["properties"][0]["value"]
    assert link["url"] == f"{RUNBOOKS}/${{__value.raw}}"
    labels = {"instance": "a", "unit": "x.service", "signature": signature}
    expr = panel_of("table", "Failure classes")["targets"][0]["expr"]
    series = {f"{PREFIX}failures_total": ({**labels, "job": "j"}, 7)}
    shown = {**labels, "runbook": file_name(signature)}
    assert evaluated(expr, series, tuple(shown), shown, tmp_path) == 7


def test_without_runbooks_there_is_no_link():
    text = json.dumps(dashboard_model())
    assert "runbook" not in text.lower()
    assert_one_sentence(run("generate", "dashboard", "--runbook-url", "ftp://x"), 2, "--runbook-url")
    assert RUNBOOKS in run("generate", "dashboard", "--runbook-url", RUNBOOKS).stdout
