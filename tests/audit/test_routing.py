"""Where an alert goes is what Alertmanager's own amtool says, also where labels are not known."""

import json
import random
import shutil
import subprocess

import pytest

from forensics.audit.checks.routing import receivers_of, silence_of
from forensics.audit.inventory.alertmanager import Silence
from forensics.promql import Matcher
from forensics.replay.alertmanager import Route, Routing, read_routing

NAMES, VALUES = ("severity", "team", "unit"), ("critical", "warning", "tabbyapi.service", "")
PATTERNS = ("crit.*", "tabby|ollama", ".+", "(warning|none)?", "critical")


def random_route(chance: random.Random, depth: int) -> dict:
    route = {"receiver": f"r{chance.randrange(5)}"}
    if depth < 3:
        matchers = [f'{chance.choice(NAMES)}="{chance.choice(VALUES)}"' for _ in range(chance.randrange(2))]
        matchers += [f'{chance.choice(NAMES)}{chance.choice(("=~", "!~"))}"{chance.choice(PATTERNS)}"' for _ in range(chance.randrange(2))]
        route |= {"matchers": matchers, "continue": chance.random() < 0.3}
    if depth:
        route["routes"] = [random_route(chance, depth - 1) for _ in range(chance.randrange(4))]
    return route


@pytest.mark.real
@pytest.mark.skipif(shutil.which("amtool") is None, reason="prometheus-alertmanager is not installed")
@pytest.mark.parametrize("number", range(30))
def test_an_alert_takes_the_routes_that_amtool_names(number, tmp_path):
    chance = random.Random(number)  # noqa: S311
    file = tmp_path / "alertmanager.yml"
    config = {"route": random_route(chance, 3), "receivers": [{"name": f"r{each}"} for each in range(5)]}
    file.write_text(json.dumps(config))
    labels = {name: chance.choice(VALUES) for name in NAMES if chance.random() < 0.8}
    command = ["amtool", "config", "routes", "test", f"--config.file={file}", *(f"{name}={value}" for name, value in labels.items())]
    named = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert ",".join(dict.fromkeys(named.split(","))) == ",".join(receivers_of(read_routing(file), labels))


def critical(**receivers) -> Routing:
    root = Route("default", routes=(Route("phone", matchers=(Matcher("severity", "=", "critical"),)),))
    return Routing("", root, {"default": ("email",), "phone": ("webhook",), **receivers})


@pytest.mark.parametrize(
    ("labels", "assume", "names"),
    [
        ({"severity": "critical"}, None, ["phone"]),
        ({"severity": "critical"}, False, ["phone"]),
        ({"severity": "info"}, True, ["default"]),
        ({}, None, ["default"]),
        ({}, True, ["phone"]),
        ({}, False, ["default"]),
    ],
)
def test_a_label_that_is_not_known_is_assumed_to_match_or_not(labels, assume, names):
    assert list(receivers_of(critical(), labels, assume=assume)) == names


def test_a_pattern_that_cannot_be_evaluated_matches_only_where_it_is_assumed_to():
    silence = Silence((Matcher("unit", "=~", r"(?=tabby).*"),), "2030-01-01T00:00:00Z")
    assert silence_of([silence], {"unit": "tabbyapi.service"}) is None
    assert silence_of([silence], {"unit": "tabbyapi.service"}, assume=True) == silence


def test_a_silence_without_matchers_silences_nothing():
    assert silence_of([Silence((), "2030-01-01T00:00:00Z")], {}) is None
