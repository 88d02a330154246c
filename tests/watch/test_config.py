"""watch.toml: what it may contain; all mistakes are reported at once."""

import pytest

from forensics.alerting.sinks import KINDS
from forensics.alerting.sinks.stdout import Stdout
from forensics.alerting.sinks.webhook import Webhook
from forensics.errors import UsageError
from forensics.watch.config import host_and_port, read_config


def config(tmp_path, text, environment=()):
    (tmp_path / "watch.toml").write_text(text)
    return read_config(tmp_path / "watch.toml", dict(environment))


def test_without_a_file_alerts_go_to_standard_output():
    assert read_config(None).sinks == {"stdout": Stdout()}


def test_a_secret_comes_from_a_file_or_the_environment(tmp_path):
    (tmp_path / "token").write_text("abc\n")
    text = f'[[sink]]\ntype = "webhook"\nname = "hook"\nurl_env = "HOOK"\ntoken_file = "{tmp_path}/token"\n'
    assert config(tmp_path, text, {"HOOK": "https://example.org/x"}.items()).sinks == {"hook": Webhook("https://example.org/x", "abc")}


MISTAKEN = """
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
[[sink]]
type = "webhook"
url = "https://example.org/"
token_env = "geheim"
[[sink]]
type = "stdout"
json_lines = "geheim"
[[sink]]
type = "webhook"
url_file = "geheim"
[[sink]]
type = "stdout"
name = "twice"
[[sink]]
type = "stdout"
name = "twice"
"""


def test_all_mistakes_are_reported_without_their_values(tmp_path):
    with pytest.raises(UsageError) as refusal:
        config(tmp_path, MISTAKEN)
    sentence = str(refusal.value)
    parts = (
        ":4: unts: unknown key; expected units, learn, listen, sink",
        ":2: listen: must be HOST:PORT",
        ":6: sink[0].type: must be one of stdout, alertmanager,",
        ":9: sink[1].url: must start with http:// or https://",
        ":10: sink[1].tokn: unknown setting; expected url, token",
        ":13: sink[2].url_env: this environment variable is not set",
        ":14: sink[3].url: is missing",
        ":21: sink[5].command: must be a list of strings",
        ":24: sink[6].command: there is no program '/not/there'",
        ":16: sink[4]: 'url' ends without a topic",
        ":3: learn: expected a duration such as 30d",
        ":28: sink[7].token_env: this environment variable is not set",
        ":31: sink[8].json_lines: must be true or false",
        ":34: sink[9].url_file: cannot be read: No such file or directory",
        ":40: sink[11].name: another sink has this name",
    )
    assert [part for part in parts if f"watch.toml{part}" not in sentence] == []
    assert f"{len(parts)} mistakes in watch.toml" in sentence
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
    with pytest.raises(UsageError, match=rf"sink\[0\]\.{needed[0]}: is missing"):
        config(tmp_path, f'[[sink]]\ntype = "{kind}"\n')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9847", ("127.0.0.1", 9847)),
        ("[::1]:80", ("::1", 80)),
        ("[::]:80", ("::", 80)),
        ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80)),
        ("::1:80", None),
        ("[::1:80", None),
        ("[a]:80", None),
        ("9847", None),
        (":9847", None),
        ("a:99999", None),
        ("a:b", None),
    ],
)
def test_an_address_is_host_and_port(text, expected):
    assert host_and_port(text) == expected
