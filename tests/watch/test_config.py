"""watch.toml: what it may say, and that all mistakes are told at once."""

import pytest

from forensics.alerting.sinks import KINDS
from forensics.alerting.sinks.stdout import Stdout
from forensics.alerting.sinks.webhook import Webhook
from forensics.errors import UsageError
from forensics.watch.config import address, read_config


def config(tmp_path, text, environment=()):
    (tmp_path / "watch.toml").write_text(text)
    return read_config(tmp_path / "watch.toml", dict(environment))


def test_without_a_file_alerts_go_to_standard_output():
    assert read_config(None).sinks == {"stdout": Stdout()}


def test_a_secret_comes_from_a_file_or_the_environment(tmp_path):
    (tmp_path / "token").write_text("abc\n")
    text = f'[[sink]]\ntype = "webhook"\nname = "hook"\nurl_env = "HOOK"\ntoken_file = "{tmp_path}/token"\n'
    assert config(tmp_path, text, {"HOOK": "https://example.org/x"}.items()).sinks == {"hook": Webhook("https://example.org/x", "abc")}


def test_all_mistakes_are_told_and_no_value(tmp_path):
    text = """
listen = "nowhere"
learn = "a while"
unts = ["a"]
[[sink]]
type = "pigeon"
[[sink]]
type = "webhook"
url = "ftp://secret.example"
tokn = "geheim"
[[sink]]
type = "slack"
url_env = "NOT_SET"
[[sink]]
type = "ntfy"
[[sink]]
type = "ntfy"
url = "https://ntfy.example/"
[[sink]]
type = "command"
command = "rm -rf"
[[sink]]
type = "command"
command = ["/not/there"]
"""
    with pytest.raises(UsageError) as told:
        config(tmp_path, text)
    sentence = str(told.value)
    parts = (
        "'unts'",
        "'listen'",
        "'pigeon'",
        "'url' is no http",
        "'tokn'",
        "NOT_SET is not set",
        "'url' is missing",
        "'command' is no list",
        "no program '/not/there'",
        "without a topic",
        "'learn' is no time",
    )
    assert [part for part in parts if part not in sentence] == []
    assert f"{len(parts)} mistakes" in sentence
    assert "geheim" not in sentence
    assert "secret.example" not in sentence


def test_a_unit_without_a_suffix_is_a_service(tmp_path):
    assert config(tmp_path, 'units = ["tabbyapi", "vllm*", "a.service"]').units == ("tabbyapi.service", "vllm*", "a.service")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_sink_without_what_it_needs_is_refused_by_name(tmp_path, kind):
    needed = KINDS[kind][1]
    if not needed:
        assert list(config(tmp_path, f'[[sink]]\ntype = "{kind}"\n').sinks) == [f"{kind}-1"]
        return
    with pytest.raises(UsageError, match=f"'{needed[0]}' is missing"):
        config(tmp_path, f'[[sink]]\ntype = "{kind}"\n')


@pytest.mark.parametrize(
    ("text", "meant"),
    [("127.0.0.1:9847", ("127.0.0.1", 9847)), ("[::1]:80", ("::1", 80)), ("9847", None), (":9847", None), ("a:99999", None), ("a:b", None)],
)
def test_an_address(text, meant):
    assert address(text) == meant
