"""One journal of many services, each of which logs a line, fails and is restarted; and every output of it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import polars as pl

from forensics.alerting.sinks import KINDS, alertmanager, discord, loki, ntfy, slack, webhook
from forensics.cli import history
from forensics.model.values import UnitKey
from forensics.signatures import naming
from forensics.watch.alert_texts import described
from tests.attempts.building import Journal
from tests.cli.running import run

REPORTS = {"html": "report.html", "md": "report.md", "json": "report.json", "term": "report.txt"}
TABLES = ("attempts", "classes", "incidents", "events", "entries")
SHORTEST_PIECE = 9  # characters of a secret that count as a leak


def unit_of(number: int) -> str:
    return f"sample-{number}.service"


def write_journal(file: Path, texts: Sequence[Sequence[str]], restarts: int = 1) -> Path:
    """Write the journal as JSON lines: one service per element, which logs its texts in each of its attempts."""
    rows: list[Mapping[str, str]] = []
    journal = Journal()
    for number, lines in enumerate(texts):
        journal.unit = unit_of(number)
        for restart in range(restarts):
            invocation = f"{number:030d}{restart:02d}"
            journal.manager("started", invocation, JOB_TYPE="start", JOB_RESULT="done")
            journal.writes(invocation, *lines)
            journal.dies(invocation)
            journal.manager("restart", invocation, N_RESTARTS=str(restart + 1))
    rows = [{"_UID": "0" if line.get("_PID") == "1" else "33"} | line for line in journal.lines]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def outputs_of_history(journal: Path, folder: Path) -> dict[str, str]:
    """Make every output of history, by its name."""
    source = ("--file", str(journal), "--store", str(folder / "store"))
    files = [str(folder / name) for name in REPORTS.values()]
    made = run("report", *source, *(part for file in files for part in ("-o", file)))
    assert made.returncode == 0, made.stderr
    outputs = {name: (folder / file).read_text() for name, file in REPORTS.items()}
    commands = {f"{format_} of {table}": ("export", format_, "--table", table) for format_ in ("csv", "jsonl") for table in TABLES}
    commands |= {"classes": ("classes",), "classes as JSON": ("classes", "--format", "json")}
    for name, command in commands.items():
        result = run(*command, *source)
        assert result.returncode == 0, result.stderr
        outputs[name] = result.stdout
    return outputs


def outputs_of_explain(texts: Iterable[str]) -> dict[str, str]:
    """Explain each text, in both formats."""
    outputs = {"explain": "", "explain as JSON": ""}
    with patch.object(history, "load_catalogue", cache(history.load_catalogue)):
        for text in texts:
            line = f'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in main\nRuntimeError: {text}\n'
            outputs["explain"] += run("explain", "-", input=line).stdout
            outputs["explain as JSON"] += run("explain", "-", "--format", "json", input=line).stdout
    return outputs


def bodies_of_sinks(texts: Sequence[str], folder: Path) -> dict[str, str]:
    """Send an alert about each text to a sink of every kind; return what each sent."""
    frame = pl.DataFrame({"event": range(len(texts)), "kind": "line", "text": texts, "root": None, "last": None})
    names = naming.mined(frame).sort("event")
    alerts = []
    for number, (text, signature, title) in enumerate(zip(texts, names["signature"], names["title"], strict=True)):
        alert = described(UnitKey("m", "system", unit_of(number)), "h", naming.mined_signature(signature, title), text, "why")
        alerts.append(replace(alert, summary=f"{alert.unit} fails for a new reason: {alert.title}", severity="critical"))
    return {kind: _sent(kind, alerts, folder) for kind in KINDS if kind not in {"stdout", "command"}} | {
        "as text": "\n".join(alert.as_text() for alert in alerts),  # what stdout prints
        "as JSON": "\n".join(json.dumps(alert.as_json()) for alert in alerts),  # what a command reads
        "on disk": "\n".join(alert.stored() for alert in alerts),
    }


def _sent(kind: str, alerts: Sequence[object], folder: Path) -> str:
    bodies: list[object] = []

    def post(_url: str, body: object, *_: object) -> str:
        bodies.append(body)
        return ""

    modules = {"alertmanager": alertmanager, "discord": discord, "loki": loki, "ntfy": ntfy, "slack": slack, "webhook": webhook}
    sink = KINDS[kind][0](url="http://127.0.0.1:9/topic")
    with patch.object(modules[kind], "post", post):
        for alert in alerts:
            sink.send(alert)
    assert len(bodies) == len(alerts)
    return json.dumps(bodies, ensure_ascii=False)


def leaks(secret: str, output: str, known: str = "") -> bool:
    """Whether a piece of a secret is in an output, as it is or with its digits masked. known: text that is no secret."""
    return any(piece in output and piece not in known for piece in pieces_of(secret))


def pieces_of(secret: str) -> set[str]:
    lines = [line for part in secret.split("\n") for line in {part, re.sub("[0-9]+", "<n>", part)} if len(line) >= 6]
    return {line[at : at + SHORTEST_PIECE] for line in lines for at in range(max(1, len(line) - SHORTEST_PIECE + 1))}


def _is_part_of_a_number(piece: str, text: str) -> bool:
    """Whether digits stand only within longer numbers: in microseconds or a fingerprint they are there by chance."""
    return piece.isdigit() and re.search(rf"(?<![0-9a-fA-F.]){piece}(?![0-9a-fA-F])", text) is None


def leaking(secrets: Mapping[str, str], outputs: Mapping[str, str], known: str = "") -> dict[str, set[str]]:
    """Return the outputs in which a piece of each secret is, by the name of the secret: all of them in one search."""
    names: dict[str, set[str]] = {}
    for name, secret in secrets.items():
        for piece in pieces_of(secret):
            names.setdefault(piece, set()).add(name)
    found = {
        output: set(pl.Series([text]).str.extract_many(list(names), overlapping=True).explode().drop_nulls())
        for output, text in outputs.items()
    }
    leaked: dict[str, set[str]] = {}
    for output, pieces in found.items():
        bare = {piece for piece in pieces if piece not in known and not _is_part_of_a_number(piece, outputs[output])}
        for name in {name for piece in bare for name in names[piece]}:
            leaked.setdefault(name, set()).add(output)
    return leaked
