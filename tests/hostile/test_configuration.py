"""Configuration that is no file, no text, too deep or too long, and values that cannot be sent."""

import json
import os
from pathlib import Path

import pytest

from forensics.classes.overrides import Overrides, read_overrides
from forensics.cli.config_file import read_defaults
from forensics.errors import UsageError
from forensics.resources import folder
from forensics.signatures import catalogue
from forensics.watch.config import read_config
from tests.cli.running import assert_one_sentence, run


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_link_to(target: str):
    return lambda path: path.symlink_to(target)


NO_FILES = [
    (make_link_to("/dev/zero"), "is a device", "an endless device"),
    (make_link_to("/dev/random"), "is a device", "another one"),
    (make_link_to("/dev/null"), "is a device", "an empty device"),
    (make_link_to("/dev/tty"), "is a device", "a terminal"),
    (make_pipe, "is a pipe", "a pipe that nobody writes to"),
    (Path.mkdir, "is a directory", "a directory"),
    (make_link_to("nowhere"), "No such file", "a link to nothing"),
    (lambda path: path.symlink_to(path.name), "Too many levels", "a link to itself"),
    (lambda path: path.write_bytes(b"#" * 2_000_000), "is longer than 1,048,576 bytes", "2 MB"),
    (lambda path: path.write_bytes(b"a = '\xff'\n"), "is not UTF-8", "no UTF-8"),
]
NO_TOML = [
    ("a = " + "[" * 100_000, "nested too deeply", "arrays in arrays"),
    ("a = " + "{a=" * 100_000, "nested too deeply", "tables in tables"),
    ("a." * 200_000 + "a = 1", "a key of more than 100 parts", "a dotted key without an end"),
    ("[" + "a." * 200_000 + "a]", "a key of more than 100 parts", "a heading without an end"),
    ("x = {" + '"a" . ' * 150_000 + "a = 1}", "a key of more than 100 parts", "quoted parts"),
    ("a = " + "9" * 100_000, "is not TOML", "a number without an end"),
    ("\0", "is not TOML", "a null character"),
    ("a = 'x\x1b[31m'", "is not TOML", "a control character"),
    ("\n".join(f"k{number} = 1" for number in range(60_000)), "and ", "60,000 unknown keys"),
    ("k" * 900_000 + " = 1", "unknown key", "a key of 900 KB"),
    ("units = [\n" + " " * 500_000 + '"a"\n' + " " * 400_000 + "]\nb = 1", "unknown key", "blanks"),
]


def read_watch(file: Path) -> None:
    read_config(file, {})


def read_config_file(file: Path) -> None:
    read_defaults([file])


def read_pattern_folder(file: Path) -> None:
    if refused := catalogue.load((folder("patterns"), file.parent)).refused:
        raise UsageError(catalogue.format_mistakes(refused))


READERS = {"watch.toml": read_watch, "config.toml": read_config_file, "classes.toml": read_overrides, "b.toml": read_pattern_folder}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(("make", "words", "reason"), NO_FILES, ids=[reason for *_, reason in NO_FILES])
def test_configuration_that_is_no_file_is_a_sentence(tmp_path, name, make, words, reason):
    make(tmp_path / name)
    if name == "classes.toml" and reason.startswith("a link to"):  # there is none, which is no mistake
        assert read_overrides(tmp_path / name) == Overrides()
        return
    with pytest.raises(UsageError, match=f"{name}.*{words}"):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(("text", "words", "reason"), NO_TOML, ids=[reason for *_, reason in NO_TOML])
def test_configuration_that_is_no_toml_is_a_sentence(tmp_path, name, text, words, reason):
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=words) as refusal:
        READERS[name](tmp_path / name)
    assert name in str(refusal.value)
    assert all(line.isprintable() for line in str(refusal.value).split("\n"))
    assert len(str(refusal.value)) < 50_000


@pytest.mark.parametrize("file", ["watch.toml", "config/tabby-forensics/classes.toml", "config/tabby-forensics/patterns/b.toml"])
def test_check_config_finds_it_in_every_file(tmp_path, file):
    (tmp_path / "watch.toml").write_text("")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).unlink(missing_ok=True)
    make_pipe(tmp_path / file)
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    result = run("watch", "--check-config", "--config", str(tmp_path / "watch.toml"), env=env)
    assert_one_sentence(result, 2, Path(file).name, "is a pipe")


VALUES = [
    ("url", "https://a.example/x\r\nHost: b", "a URL with a header in it"),
    ("url", "https://a.example/\x1b[31m", "a URL with a sequence"),
    ("url", "https://a.example/\u202e", "a URL with a reversal"),
    ("url", "https://a.example/\u00e9", "a URL beyond ASCII"),
    ("url", "https://a.example/a b", "a URL with a blank"),
    ("url", "https://a.example:x/", "no port"),
    ("url", "https://a.example:99999/", "no port either"),
    ("url", "https://[::1/", "no address"),
    ("url", "https:///x", "no host"),
    ("url", "https://me:secret@a.example/x", "a password"),
    ("url", "file:///etc/passwd", "a file"),
    ("url", "https://a.example/" + "x" * 10_000, "a URL of 10 KB"),
    ("token", "abc\r\nX-Admin: 1", "a token with a header in it"),
    ("token", "abc\ndef", "a token of two lines"),
    ("token", "abc\0", "a null character"),
    ("token", "abc\x1b]0;x\x07", "a sequence"),
    ("token", "t\u00f6ken", "a token beyond ASCII"),
    ("token", "abc\u200b", "a space without width"),
    ("token", "x" * 10_000, "a token of 10 KB"),
]


@pytest.mark.parametrize(("name", "value", "reason"), VALUES, ids=[reason for *_, reason in VALUES])
@pytest.mark.parametrize("source", ["file", "env", "here"])
def test_a_value_that_cannot_be_sent_is_refused_without_it(tmp_path, name, value, reason, source):
    (tmp_path / "secret").write_text(value, newline="")
    setting = {"file": f'{name}_file = "{tmp_path}/secret"', "env": f'{name}_env = "SECRET"', "here": f"{name} = {json.dumps(value)}"}[
        source
    ]
    other = "" if name == "url" else 'url = "https://a.example/x"\n'
    (tmp_path / "watch.toml").write_text(f'[[sink]]\ntype = "webhook"\n{other}{setting}\n')
    with pytest.raises(UsageError) as refusal:
        read_config(tmp_path / "watch.toml", {"SECRET": value})
    sentence = str(refusal.value)
    assert "watch.toml:" in sentence
    assert f"sink[0].{name}" in sentence
    assert "a.example" not in sentence
    assert "abc" not in sentence


@pytest.mark.parametrize(("make", "words", "reason"), NO_FILES, ids=[reason for *_, reason in NO_FILES])
@pytest.mark.parametrize("setting", ["url_file", "token_file"])
def test_a_secret_in_what_is_no_file_is_a_sentence(tmp_path, setting, make, words, reason):
    make(tmp_path / "secret")
    other = "" if setting == "url_file" else 'url = "https://a.example/x"\n'
    (tmp_path / "watch.toml").write_text(f'[[sink]]\ntype = "webhook"\n{other}{setting} = "{tmp_path}/secret"\n')
    with pytest.raises(UsageError, match=words) as refusal:
        read_config(tmp_path / "watch.toml")
    assert f"sink[0].{setting}" in str(refusal.value)


OTHER_MISTAKES = [
    ('[[sink]]\ntype = "stdout"\nname = "a\\u001b[31m"\n', "name"),
    (f'[[sink]]\ntype = "stdout"\nname = "{"x" * 1000}"\n', "name"),
    ('[[sink]]\ntype = "command"\ncommand = ["/bin/sh", "a\\u0000b"]\n', "null character"),
    ('[[sink]]\ntype = "webhook"\nurl_file = "a\\u0000b"\n', "no file has such a name"),
    ('[[sink]]\ntype = "webhook"\nurl_file = "/proc/self/mem"\n', "url_file"),
    ('[[sink]]\ntype = "loki"\nurl = "http://a.example"\ntenant = "a\\r\\nb"\n', "tenant"),
    ('listen = "\\u001b:80"\n', "listen"),
    ('learn = "' + "9" * 400 + 'd"\n', "learn"),
]


@pytest.mark.parametrize(("text", "words"), OTHER_MISTAKES, ids=range(len(OTHER_MISTAKES)))
def test_every_other_odd_setting_is_a_sentence(tmp_path, text, words):
    (tmp_path / "watch.toml").write_text(text)
    with pytest.raises(UsageError, match=words) as refusal:
        read_config(tmp_path / "watch.toml", {})
    assert all(line.isprintable() for line in str(refusal.value).split("\n"))


def test_a_file_of_one_line_with_its_end_is_a_token(tmp_path):
    (tmp_path / "token").write_bytes(b"abc\r\n")
    (tmp_path / "watch.toml").write_text(f'[[sink]]\ntype = "webhook"\nurl = "https://a.example/"\ntoken_file = "{tmp_path}/token"\n')
    assert read_config(tmp_path / "watch.toml").sinks["webhook-1"].token == "abc"  # noqa: S105
