"""The same failure is the same attempt in whatever format, language and quoting it is pasted."""

import re

import pytest

from tests.explain.reading import ASSUMED, read

LINES = [
    ("systemd", 1, "Starting app.service - App..."),
    ("worker", 7, "loading"),
    ("worker", 7, "ValueError: the widget is broken"),
    ("systemd", 1, "app.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED"),
    ("systemd", 1, "app.service: Failed with result 'exit-code'."),
]
FAILED = [("app", "exit-code", 3)]
OWN = [[2, 3]]


def printed(prefix: str) -> str:
    """Print LINES; {n} is the second."""
    return "".join(prefix.format(who=who, pid=pid, n=n, source=f"{who}[{pid}]") + f"{text}\n" for n, (who, pid, text) in enumerate(LINES))


SHORT = printed("Jan 04 10:00:0{n} box {source}: ")
MONTHS = [
    "Jan", "mai", "abr", "kwi", "нояб.", "März", "déc.", "févr.", "4月", " 4월", "12月", "Thg 4", "huhti", "ožu", "Şub", "Μαΐ", "मई", "lip",
    "dets", "janv.", "01月",
]  # fmt: skip
WEEKDAYS = ["Thu", "Mi", "mer.", "土", "Ср", "czw", "목", "jue"]
PREFIXES = {
    "short-precise": "Jan 04 10:00:0{n}.123456 box {source}: ",
    "short-iso": "2024-01-04T10:00:0{n}+01:00 box {source}: ",
    "short-iso of 252": "2024-01-04T10:00:0{n}+0100 box {source}: ",
    "short-iso-precise": "2024-01-04T10:00:0{n}.123456+01:00 box {source}: ",
    "short-full": "Thu 2024-01-04 10:00:0{n} CET box {source}: ",
    "short-unix": "170435880{n}.123456 box {source}: ",
    "short-monotonic": "[   12.00000{n}] box {source}: ",
    "short-delta": "[   12.00000{n} <    0.000001 >] box {source}: ",
    "no host": "Jan 04 10:00:0{n} {source}: ",
    "no host, iso": "2024-01-04T10:00:0{n}+01:00 {source}: ",
    "no date": "box {source}: ",
    "only the clock": "10:00:0{n} box {source}: ",
    "only the process": "{source}: ",
    "syslog of a file": "2024-01-04 10:00:0{n} box {source}: ",
    "syslog with its priority": "<30>Jan  4 10:00:0{n} box {source}: ",
    "RFC 5424": "<30>1 2024-01-04T10:00:0{n}Z box {who} {pid} - - ",
    "GitHub's time": "2024-01-04T10:00:0{n}.0000000Z Jan 04 10:00:0{n} box {source}: ",
    "a container's time": "2024-01-04T10:00:0{n}.123456789Z Jan 04 10:00:0{n} box {source}: ",
    "TAI64N": "@40000000659670b{n}00000000 Jan 04 10:00:0{n} box {source}: ",
    **{f"month {month}": f"{month} 04 10:00:0{{n}} box {{source}}: " for month in MONTHS},
    **{f"weekday {day}": f"{day} 2024-01-04 10:00:0{{n}} CET box {{source}}: " for day in WEEKDAYS},
}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_a_prefix_of_journalctl_is_read(prefix):
    found = read(printed(prefix))
    assert (found.attempts, found.lines) == (FAILED, OWN)
    assert found.understood.is_understood


COPIES = {
    "quoted": lambda line, n: f"> {line}",
    "quoted twice": lambda line, n: f">> {line}",
    "indented": lambda line, n: f"        {line}",
    "a list": lambda line, n: f"- {line}",
    "a list with stars": lambda line, n: f"* {line}",
    "numbered": lambda line, n: f"{n}. {line}",
    "line numbers of grep": lambda line, n: f"{n + 11}:{line}",
    "line numbers of cat": lambda line, n: f"    {n}\t{line}",
    "backticks": lambda line, n: f"`{line}`",
    "CRLF": lambda line, n: f"{line}\r",
    "no-break spaces": lambda line, n: line.replace(" ", "\u00a0"),
    "zero-width spaces": lambda line, n: line.replace(": ", ":\u200b "),
    "colours": lambda line, n: f"\x1b[0;1;39m{line}\x1b[0m",
    "colours without their escape": lambda line, n: f"[0;1;31m{line}[0m",
    "NUL bytes": lambda line, n: f"{line}\x00",
    "comment marks": lambda line, n: f"# {line}",
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_what_copying_adds_is_removed(copied):
    text = "\n".join(copied(line, n) for n, line in enumerate(SHORT.splitlines(), 1))
    assert (read(text).attempts, read(text).lines) == (FAILED, OWN)


AROUND = {
    "a fence": ("```\n{}```\n", 1),
    "a fence with a language, and prose": ("It fails, error: see below\n\n```console\n{}```\nWhy?\n", 3),
    "a tag": ("<pre>\n{}</pre>\n", 1),
    "BBCode": ("[code]\n{}[/code]\n", 1),
    "the pager": ("-- Logs begin at Thu 2024-01-04 09:00:00 CET, end at Thu 2024-01-04 11:00:00 CET. --\n{}lines 1-5/5 (END)\n", 1),
    "a reboot in German": ("-- Neustart --\n{}-- Ende --\n", 1),
    "a prompt": ("root@box:~# journalctl -u app -n 5\n{}root@box:~# \n", 1),
    "a prompt without a space": ("$journalctl -u app\n{}", 1),
    "prose": ("I get this error: nothing works, fatal!\n\n{}\nError is still there after a reboot.\n", 2),
}


@pytest.mark.parametrize(("around", "before"), AROUND.values(), ids=AROUND)
def test_what_stands_around_a_log_is_not_read(around, before):
    found = read(around.format(SHORT))
    assert (found.attempts, found.lines) == (FAILED, [[line + before for line in OWN[0]]])


@pytest.mark.parametrize("mark", ["-- ", "░░ "])
def test_explanations_of_journalctl_are_skipped(mark):
    explained = (
        f"{mark}Subject: Unit failed\n{mark}Defined-By: systemd\n{mark}\n{mark}The unit app.service has entered the 'failed' state.\n"
    )
    text = "".join(f"{line}\n{explained}" if "systemd" in line else f"{line}\n" for line in SHORT.splitlines())
    found = read(text)
    assert (found.attempts, found.lines) == (FAILED, [[6, 7]])
    assert found.understood.share == 1.0


@pytest.mark.parametrize("cut", ["…", ">"])
def test_lines_that_a_pager_cut_still_show_the_end(cut):
    text = "\n".join(line[:70] + cut for line in SHORT.splitlines())
    assert read(text).attempts == [("app", "exit-code", None)]


def test_lines_that_a_terminal_broke_are_joined():
    width = 60
    text = "".join(re.sub(rf"(.{{{width}}})", r"\1\n", line) + "\n" for line in SHORT.splitlines())
    found = read(text)
    assert found.attempts == FAILED
    assert found.lines == [[3, 4]]


def test_the_encoding_does_not_matter():
    text = SHORT.replace("widget", "Gerät")
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"):
        assert read(text.encode(encoding)).attempts == FAILED, encoding


def test_only_messages_are_read_as_well():
    found = read("".join(f"{text}\n" for _, _, text in LINES))
    assert (found.attempts, found.lines) == (FAILED, OWN)


@pytest.mark.parametrize("prefix", ["data: ", "\x1e", ""], ids=["json-sse", "json-seq", "json"])
def test_lines_of_json_are_read(prefix):
    fields = (
        '{"__REALTIME_TIMESTAMP": "170000000%d", "_PID": "%d", "SYSLOG_IDENTIFIER": "%s", "UNIT": "app.service", "_SYSTEMD_UNIT": "%s", '
        '"_SYSTEMD_INVOCATION_ID": "a", "INVOCATION_ID": "a", "_BOOT_ID": "b", "_HOSTNAME": "box", "MESSAGE": "%s"}'
    )
    rows = [fields % (n, pid, who, "init.scope" if pid == 1 else "app.service", text) for n, (who, pid, text) in enumerate(LINES)]
    assert read("".join(f"{prefix}{row}\n" for row in rows)).attempts == FAILED


def test_fields_without_units_are_read_as_lines():
    rows = [
        f'{{"__REALTIME_TIMESTAMP": "170000000{n}", "SYSLOG_IDENTIFIER": "{who}", "MESSAGE": "{text}"}}\n'
        for n, (who, _, text) in enumerate(LINES)
    ]
    assert read("".join(rows)).attempts == FAILED


CONTAINERS = {
    "docker compose 1": "web_1    | {}",
    "docker compose 2": "web-1  | {}",
    "docker compose with times": "web-1  | 2024-01-04T10:00:00.123456789Z {}",
    "coloured": "\x1b[36mweb-1  |\x1b[0m {}",
    "overmind": "10:00:00 web   | {}",
    "kubectl --prefix": "[pod/web-6f7c9/web] {}",
    "kubetail": "[web-6f7c9d8b44-x2x4z] {}",
    "containerd": "2024-01-04T10:00:00.123456789Z stderr F {}",
    "pm2": "0|web  | {}",
    "pm2 with times": "0|web  | 2024-01-04T10:00:00: {}",
    "heroku": "2024-01-04T10:00:00.123456+00:00 app[web.1]: {}",
    "svlogd": "2024-01-04_10:00:00.12345 {}",
    "multilog": "@40000000659670b000000000 {}",
    "podman": "2024-01-04T10:00:00.123456789+01:00 {}",
    "docker's file": '{{"log":"{}\\n","stream":"stderr","time":"2024-01-04T10:00:00.1Z"}}',
}


@pytest.mark.parametrize("wrapping", CONTAINERS.values(), ids=CONTAINERS)
def test_what_a_container_runtime_adds_is_removed(wrapping):
    found = read("".join(wrapping.format(line) + "\n" for line in ("loading", "ValueError: the widget is broken", "bye")))
    assert [result for _, result, _ in found.attempts] == [ASSUMED]
    assert found.lines == [[1, 2, 3]]
    assert found.understood.is_understood


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-04 10:00:00,123 INFO app: ready\n2024-01-04 10:00:01,123 ERROR app: broken\n",
        "a.py[12]\nhello: world\n",
        "INFO: a | b\nx | y\nz\n",
    ],
)
def test_what_only_resembles_a_prefix_is_part_of_the_line(text):
    found = read(text)
    assert found.attempts == [("log", ASSUMED, None)]
    assert not found.understood.is_understood
