"""`generate` writes a unit that systemd accepts, a module that is valid Nix and a dashboard that follows Grafana's rules."""

import json
import re
import shutil
import subprocess

import promql_parser
import pytest
import tree_sitter
import tree_sitter_nix

from forensics.alerting.sinks import KINDS
from forensics.generate.dashboard import dashboard_model
from forensics.generate.nixos import OWN_FORM, module_text
from forensics.generate.settings import NAME, SETTINGS
from forensics.generate.systemd import unit_text
from forensics.watch.metrics import COUNTERS, GAUGES, PREFIX
from tests.cli.running import assert_one_sentence, run

PANELS = dashboard_model()["panels"]
TARGETS = [(panel, target) for panel in PANELS for target in panel["targets"]]
VARIABLES = {"$__rate_interval": "5m", "$unit": "a"}


def parsed(expr: str):
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    assert "$" not in expr
    return promql_parser.parse(expr)


@pytest.mark.real
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_verifies_the_unit_without_a_warning(tmp_path):
    (tmp_path / f"{NAME}.service").write_text(unit_text("/usr/bin/true", "127.0.0.1:9847"))
    done = subprocess.run(["systemd-analyze", "verify", str(tmp_path / f"{NAME}.service")], capture_output=True, text=True, check=False)
    assert NAME not in done.stderr
    assert done.returncode == 0


def test_the_unit_starts_the_given_program():
    assert "\nExecStart=/opt/x watch --listen 127.0.0.1:1\n" in unit_text("/opt/x", "127.0.0.1:1")
    assert "\nExecStart=/opt/x watch\n" in unit_text("/opt/x", None)


def test_bad_options_for_the_unit_are_refused():
    assert_one_sentence(run("generate", "systemd", "--listen", "here"), 2, "'here'")
    assert_one_sentence(run("generate", "systemd", "--program", "x\nUser=root"), 2, "full path")


def test_the_module_is_nix_and_has_all_settings_and_sinks():
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_nix.language())).parse(module_text().encode())
    assert not tree.root_node.has_error
    assert [name for name in SETTINGS if name not in OWN_FORM and f"        {name} = " not in module_text()] == []
    assert [kind for kind in KINDS if kind not in module_text()] == []


def test_the_dashboard_has_a_stable_id_and_cannot_be_edited():
    model = dashboard_model()
    assert (model["id"], model["uid"], model["editable"]) == (None, "tabby-forensics-watch", False)
    assert json.loads(run("generate", "dashboard").stdout) == model


def test_every_variable_is_used_and_every_used_one_exists():
    text = json.dumps(PANELS)
    names = {variable["name"] for variable in dashboard_model()["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval"}
    assert used == names == {"datasource", "unit"}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_has_title_description_unit_and_the_chosen_source(panel):
    assert panel["title"]
    assert panel["description"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "${datasource}"
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0


def test_panels_have_numbers_of_their_own_and_do_not_overlap():
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken = set()
    for panel in PANELS:
        x, y, w, h = (panel["gridPos"][name] for name in "xywh")
        cells = {(column, row) for column in range(x, x + w) for row in range(y, y + h)}
        assert not cells & taken
        assert x + w <= 24
        taken |= cells


@pytest.mark.parametrize(("panel", "target"), TARGETS)
def test_every_query_is_promql_over_metrics_that_exist(panel, target):
    assert target["datasource"]["uid"] == "${datasource}"
    known = {f"{PREFIX}{name}_total" for name in COUNTERS} | {PREFIX + name for name in GAUGES}
    known |= {f"{PREFIX}attempt_duration_seconds_bucket"}
    parsed(target["expr"])
    assert set(re.findall(rf"{PREFIX}\w+", target["expr"])) <= known
    for function in re.findall(r"\b(?:rate|increase|irate)\(", target["expr"]):
        assert f"{function}{PREFIX}" in target["expr"]
    assert re.findall(r"\[([^\]]+)\]", target["expr"]) in ([], ["$__rate_interval"])
