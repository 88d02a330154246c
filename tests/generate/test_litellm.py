"""`generate litellm`: what its files hold, where its servers come from, what it refuses, what an audit makes of it."""

import ast
import json
import os
import re
import shutil
import stat
import subprocess
import sys

import pytest
import yaml

from forensics.errors import UsageError
from forensics.generate.litellm_tiers import Tier, larger_than, parse_tier
from tests.attempts.building import Journal
from tests.cli.running import assert_one_sentence, run
from tests.generate.history import UNIT, day, stream

FIXED = {"SOURCE_DATE_EPOCH": "1765300000"}
CHAIN = ["--primary", "big=http://127.0.0.1:5000,context=32768", "--fallback", "ollama-cpu=http://127.0.0.1:11435/v1,model=llama3.2:3b"]


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """Options that choose the day's journal, with a unit of Ollama on another port than its usual one."""
    folder = tmp_path_factory.mktemp("litellm")
    ollama = Journal("ollama.service", "alpha", boot="a" * 32)
    ollama.manager("started", "f" * 32, JOB_TYPE="start", JOB_RESULT="done")
    ollama.writes("f" * 32, 'time=2025-12-07 level=INFO source=routes.go:1288 msg="Listening on 127.0.0.1:11500 (version 0.12.6)"')
    (folder / "day.json").write_text(stream(day(), ollama))
    return ["--file", str(folder / "day.json"), "--store", str(folder / "store"), "--tz", "UTC"]


def generate(*arguments):
    return run("generate", "litellm", *arguments, env={**os.environ, **FIXED})


@pytest.fixture(scope="module")
def written(journal, tmp_path_factory):
    """The folder with the files for the unit and its neighbours."""
    folder = tmp_path_factory.mktemp("written")
    done = generate(*journal, "--unit", UNIT, "--sink", "webhook:https://hooks.example/T0PS3CR3T", "-o", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def config(written):
    return yaml.safe_load((written / "litellm.yaml").read_text())


def test_the_servers_are_the_units_and_ollamas_with_what_is_assumed(written, config):
    assert [(each["model_name"], each["litellm_params"]["api_base"]) for each in config["model_list"]] == [
        ("tabby", "http://127.0.0.1:5000/v1"),
        ("tabby-smaller", "http://127.0.0.1:5000/v1"),
        ("ollama-gpu", "http://127.0.0.1:11500/v1"),
        ("ollama-cpu", "http://127.0.0.1:11435/v1"),
    ]
    head = " ".join(line.removeprefix("#").strip() for line in (written / "litellm.yaml").read_text().splitlines() if line.startswith("#"))
    assert f"{UNIT}: 3 lines of stable attempts name the port" in head
    assert "ollama.service names the port; ASSUMPTION: the model llama3.1:8b" in head
    assert "ASSUMPTION: the port; ASSUMPTION: the model llama3.2:3b" in head
    assert "Run with a real LiteLLM" in head


def test_the_configuration_keeps_litellms_rules(config):
    """Fallbacks of one key each; no retries; time-outs per deployment; the key only from the environment."""
    router, names = config["router_settings"], [each["model_name"] for each in config["model_list"]]
    for kind in ("fallbacks", "context_window_fallbacks"):
        assert all(len(each) == 1 and set(next(iter(each.values()))) < set(names) for each in router[kind])
    assert router["fallbacks"][0] == {"tabby": names[1:]}
    assert (router["num_retries"], router["disable_cooldowns"], router["max_fallbacks"]) == (0, True, 3)
    for each in config["model_list"]:
        assert each["litellm_params"]["model"].startswith("openai/")
        assert each["litellm_params"].items() >= {"timeout": 120, "stream_timeout": 60, "max_retries": 0}.items()
        assert each["litellm_params"]["api_key"] in {"none", "os.environ/TABBY_API_KEY"}
        assert each["model_info"]["id"] == each["model_name"]
    assert config["general_settings"]["master_key"] == "os.environ/LITELLM_MASTER_KEY"
    assert config["general_settings"]["background_health_checks"] is False  # each is a completion
    assert config["litellm_settings"].items() >= {"callbacks": ["tabby_breaker.instance"], "telemetry": False, "drop_params": False}.items()


def test_the_urls_of_sinks_are_in_the_users_own_file_only(written):
    files = {path.name: path for path in written.iterdir()}
    assert set(files) == {"litellm.yaml", "tabby_breaker.py", "tabby_breaker.json", "litellm.service"}
    assert [name for name, path in files.items() if "T0PS3CR3T" in path.read_text()] == ["tabby_breaker.json"]
    assert {name for name, path in files.items() if stat.S_IMODE(path.stat().st_mode) == 0o600} == {"tabby_breaker.json"}


def test_the_settings_name_each_deployments_unit_and_health_check(written, config):
    settings = json.loads((written / "tabby_breaker.json").read_text())
    assert list(settings["deployments"]) == [each["model_info"]["id"] for each in config["model_list"]]
    assert settings["deployments"]["tabby"] == {"unit": UNIT, "health": "http://127.0.0.1:5000/health"}
    assert settings["deployments"]["ollama-gpu"] == {"unit": "ollama.service", "health": "http://127.0.0.1:11500/api/version"}
    assert settings["lease_s"] > max(each["litellm_params"]["timeout"] for each in config["model_list"])
    assert (settings["failures"], settings["cooldown_s"], settings["bad_checks"], settings["check_every_s"]) == (5, 60, 2, 30)


def test_the_breaker_needs_nothing_of_this_program_and_is_loaded_as_litellm_does(written):
    """LiteLLM executes the file without putting it among the modules, where dataclasses would look for names."""
    text = (written / "tabby_breaker.py").read_text()
    imported = {name.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    outside = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert outside == {"litellm.integrations.custom_logger", "prometheus_client"}
    program = (
        "import importlib.util, sys; spec = importlib.util.spec_from_file_location('tabby_breaker', sys.argv[1]); "
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module); "
        "print(sorted(module.instance.breakers.all), module.instance.acts, 'forensics' in sys.modules)"
    )
    command = [sys.executable, "-I", "-c", program, str(written / "tabby_breaker.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "['ollama-cpu', 'ollama-gpu', 'tabby', 'tabby-smaller'] False False\n"
    assert "this LiteLLM has no async_filter_deployments" in done.stderr


@pytest.mark.real
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_no_fault_with_the_unit(written, tmp_path):
    unit = tmp_path / "litellm.service"
    unit.write_text((written / "litellm.service").read_text().replace("/opt/litellm/bin/litellm", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    assert not re.findall(r"litellm\.service:\d+:.*", done.stderr)


def test_an_audit_finds_the_breaker_the_fallbacks_and_the_tier_without_a_gpu(journal, written):
    done = run("audit", *journal, "--unit", UNIT, "--units", str(written), "--litellm", str(written / "litellm.yaml"), "--format", "json")
    assert done.returncode in {0, 3}, done.stderr
    found = {control["id"]: control for control in json.loads(done.stdout)["controls"]}
    for name in ("circuit-breaker", "fallback-routing", "model-fallback-chain", "graceful-degradation"):
        assert [link["holds"] for link in found[name]["links"]][:1] == [True], name
    assert found["circuit-breaker"]["evidence"].startswith("LiteLLM's group tabby")


def test_an_audit_misses_a_breaker_whose_file_is_not_there(journal, written, tmp_path):
    shutil.copy(written / "litellm.yaml", tmp_path)
    done = run("audit", *journal, "--unit", UNIT, "--units", str(tmp_path), "--litellm", str(tmp_path / "litellm.yaml"), "--format", "json")
    (breaker,) = (control for control in json.loads(done.stdout)["controls"] if control["id"] == "circuit-breaker")
    assert breaker["status"] == "unreachable"
    assert "there is no" in json.dumps(breaker)


def test_the_same_journal_gives_the_same_bytes(journal):
    first, second = generate(*journal, *CHAIN), generate(*journal, *CHAIN)
    assert first.stdout == second.stdout
    assert re.findall(r"^# file: (\S+)$", first.stdout, re.MULTILINE) == [
        "litellm.yaml",
        "tabby_breaker.py",
        "tabby_breaker.json",
        "litellm.service",
    ]


def test_a_history_without_an_incident_will_do(tmp_path):
    (tmp_path / "quiet.json").write_text(stream(day(loop=0, isolated=1)))
    done = generate("--file", str(tmp_path / "quiet.json"), "--store", str(tmp_path / "store"), "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "api_base: http://127.0.0.1:5000/v1" in (tmp_path / "litellm.yaml").read_text()


def test_the_sinks_of_watch_are_taken_and_others_named(journal, tmp_path):
    (tmp_path / "watch.toml").write_text(
        '[[sink]]\ntype = "ntfy"\nurl = "https://ntfy.example/topic"\ntoken = "tk_1"\n\n[[sink]]\ntype = "stdout"\nname = "screen"\n'
    )
    done = generate(*journal, *CHAIN, "--watch-config", str(tmp_path / "watch.toml"), "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "the breaker cannot send to screen" in done.stderr
    sinks = json.loads((tmp_path / "tabby_breaker.json").read_text())["sinks"]
    assert sinks == [{"kind": "ntfy", "url": "https://ntfy.example/topic", "token": "tk_1"}]


# arguments, words of the sentence
REFUSED = [
    (["--primary", "tabby"], "expected NAME=URL"),
    (["--primary", "a b=http://127.0.0.1"], "expected NAME=URL"),
    (["--primary", "a=ftp://127.0.0.1"], "must start with http"),
    (["--primary", "a=http://ada:T0PS3CR3T@h"], "no user and no password"),
    (["--primary", "a=http://h?key=T0PS3CR3T"], "must have no query"),
    (["--primary", "a=http://h,context=-1"], "is not model=NAME"),
    (["--primary", "a=http://h,colour=red"], "is not model=NAME"),
    (["--primary", "a=http://h,key=lower"], "is not model=NAME"),
    (["--primary", "a=http://h", "--fallback", "a=http://i"], "Two model groups are named a"),
    (["--sink", "pager:https://x"], "alertmanager:URL"),
    (["--sink", "webhook:https://ada:T0PS3CR3T@h"], "no user and no password"),
    (["--timeout", "2h"], "from 1 s to 1 h"),
    (["--cooldown", "soon"], "--cooldown soon"),
    (["--metrics-file", "x.prom"], "--metrics-file must start with /"),
    (["--program", "/opt/a b/litellm"], "--program must start with /"),
    (["--watch-config", "/nonexistent/watch.toml"], "watch.toml"),
    (["-o", "/nonexistent"], "is no directory"),
]


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_what_cannot_be_done_is_one_sentence(journal, arguments, words):
    done = generate(*journal, *arguments)
    assert_one_sentence(done, 2, words)
    assert "T0PS3CR3T" not in done.stderr
    assert done.stdout == ""


def test_two_units_with_ports_need_a_choice(tmp_path):
    (tmp_path / "day.json").write_text(stream(day(loop=0), day("other.service", loop=0)))
    journal = ["--file", str(tmp_path / "day.json"), "--store", str(tmp_path / "store")]
    assert_one_sentence(generate(*journal), 2, "Choose it with --unit: other.service, tabby.service")
    assert generate(*journal, "--unit", "other").returncode == 0


def test_a_unit_that_names_no_port_needs_one(tmp_path):
    silent = Journal(UNIT, "alpha", boot="a" * 32)
    for number in range(8):
        silent.fails(f"{number:032x}", number + 1)
    (tmp_path / "day.json").write_text(stream(silent))
    journal = ["--file", str(tmp_path / "day.json"), "--store", str(tmp_path / "store")]
    assert_one_sentence(generate(*journal), 2, f"No line of {UNIT} names a port", "--port")
    done = generate(*journal, "--port", "8080")
    assert "api_base: http://127.0.0.1:8080/v1" in done.stdout


# primary's context, the others' contexts, which of them take what is too long for the primary
CONTEXTS = [(0, [0, 0], ["a", "b"]), (8192, [4096, 32768], ["b"]), (8192, [0, 0], ["a", "b"]), (32768, [4096, 8192], [])]


@pytest.mark.parametrize(("context", "others", "expected"), CONTEXTS)
def test_what_is_too_long_goes_to_larger_contexts(context, others, expected):
    primary = Tier("p", "http://h:1", "m", "", context=context)
    tiers = [Tier(name, f"http://h:{port}", "m", "", context=each) for name, port, each in zip("ab", (2, 3), others, strict=True)]
    assert [tier.name for tier in larger_than(primary, tiers)] == expected


@pytest.mark.parametrize(
    ("url", "base", "health"),
    [
        ("http://h:1", "http://h:1/v1", "http://h:1/health"),
        ("http://h:1/", "http://h:1/v1", "http://h:1/health"),
        ("https://h/api/v3", "https://h/api/v3", "https://h/health"),
    ],
)
def test_the_api_is_below_v1_where_no_path_is_given(url, base, health):
    tier = parse_tier("--primary", f"a={url}")
    assert (tier.base, tier.health_url) == (base, health)


def test_a_tier_has_all_its_settings():
    tier = parse_tier("--fallback", "a=http://h,model=org/m:8b,context=8192,max_tokens=100,health=/ready,key=A_KEY")
    assert (tier.model, tier.context, tier.max_tokens, tier.health_url, tier.key) == ("org/m:8b", 8192, 100, "http://h/ready", "A_KEY")
    with pytest.raises(UsageError, match="is not model=NAME"):
        parse_tier("--fallback", "a=http://h,model=")
