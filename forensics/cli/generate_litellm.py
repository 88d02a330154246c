"""`generate litellm`: fallbacks and a circuit breaker for the LiteLLM proxy in front of a unit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import generating, output, params, parse
from forensics.errors import UsageError
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.generate.basis import Basis
    from forensics.generate.litellm_tiers import Tier

SPEC = "NAME=URL"
IN_UNIT_FILES = " %$'\"\\"  # what systemd does not take literally

Primary = Annotated[
    str, typer.Option("--primary", metavar=SPEC, help="Model server to ask first. Default: the unit, at the port that its lines show.")
]
Fallbacks = Annotated[
    list[str] | None,
    typer.Option(
        "--fallback",
        metavar=SPEC,
        help="Model server to ask next; repeatable, in order; also NAME=URL,model=M,context=N,max_tokens=N,health=/PATH,key=VARIABLE. "
        "Default: the unit for short answers, Ollama on the GPU, Ollama on the CPU.",
    ),
]
Port = Annotated[int | None, typer.Option(metavar="PORT", min=1, max=65535, help="Port of the unit, instead of the one in its lines.")]
Sinks = Annotated[
    list[str] | None,
    typer.Option("--sink", metavar="KIND:URL", help="Where alerts go: alertmanager, webhook, ntfy, slack or discord; repeatable."),
]
WatchConfig = Annotated[
    Path | None,
    typer.Option("--watch-config", metavar="FILE", help="Alert the sinks of this watch.toml; copies their secrets."),
]
MetricsFile = Annotated[
    str, typer.Option("--metrics-file", metavar="/PATH.prom", help="Also write the metrics for node_exporter's textfile collector.")
]
Timeout = Annotated[str, typer.Option("--timeout", metavar="TIME", help="How long an answer may take.")]
StreamTimeout = Annotated[str, typer.Option("--stream-timeout", metavar="TIME", help="How long a stream may pause.")]
Cooldown = Annotated[
    str, typer.Option("--cooldown", metavar="TIME", help="How long a failing server is left alone before one request probes it.")
]
ProxyPort = Annotated[int, typer.Option("--proxy-port", metavar="PORT", min=1, max=65535, help="Port of the proxy.")]
Program = Annotated[str, typer.Option("--program", metavar="/PATH", help="The program litellm.")]
Directory = Annotated[Path | None, typer.Option("--output", "-o", metavar="DIR", help="Directory for the files. Default: standard output.")]


@params.reads_history
def litellm(
    *,
    query: Query,
    primary: Primary = "",
    fallback: Fallbacks = None,
    port: Port = None,
    sink: Sinks = None,
    watch_config: WatchConfig = None,
    metrics_file: MetricsFile = "",
    timeout: Timeout = "2m",
    stream_timeout: StreamTimeout = "1m",
    cooldown: Cooldown = "1m",
    proxy_port: ProxyPort = 4001,
    program: Program = "/opt/litellm/bin/litellm",
    target: Directory = None,
) -> None:
    """Write a configuration, a circuit breaker and a unit for a LiteLLM proxy that falls back when the unit fails."""
    if target is not None and not target.is_dir():
        raise UsageError(f"'{target}' is no directory; four files are to be written.")
    for option, path in (("--metrics-file", metrics_file), ("--program", program)):
        if path:
            parse.absolute_path(option, path, refused=IN_UNIT_FILES)
    output.refuse_bad_target(target / "litellm.yaml" if target is not None else None)
    spans = parse.seconds("--timeout", timeout), parse.seconds("--stream-timeout", stream_timeout), parse.seconds("--cooldown", cooldown)
    from forensics.generate.litellm import Wanted, litellm_files

    wanted = Wanted(*spans, proxy_port, program, metrics_file, tuple(_sinks(sink or [], watch_config)))
    basis, tiers = _tiers(query, primary, fallback or [], port)
    _write(litellm_files(basis, tiers, wanted), target)


def _tiers(query: Query, primary: str, fallbacks: list[str], port: int | None) -> tuple[Basis, list[Tier]]:
    """Find the tiers; a history without an incident will do."""
    from forensics.generate.basis import Basis
    from forensics.generate.litellm_tiers import Asked, find_tiers, parse_tier
    from forensics.sanitize import sanitized

    for option, text in [*([("--primary", primary)] if primary else []), *(("--fallback", each) for each in fallbacks)]:
        parse_tier(option, text)  # before anything is read
    investigation = generating.investigated(query)
    tiers = find_tiers(investigation, Asked(primary, tuple(fallbacks), port))
    for tier in tiers:
        output.notice(f"{tier.name}: {tier.base}, {tier.origin}.")
    return Basis(investigation, sanitized(investigation.report, redact=True)), tiers


def _sinks(given: list[str], file: Path | None) -> list[dict[str, str]]:
    from forensics.generate.litellm_sinks import parse_sink, sinks_of

    sinks = [parse_sink(text) for text in given]
    if file is not None:
        usable, others = sinks_of(file)
        sinks += usable
        if others:
            output.notice(f"the breaker cannot send to {', '.join(others)}: only to alertmanager, webhook, ntfy, slack and discord.")
    if not sinks:
        output.notice("no alert is sent: give --sink or --watch-config.")
    return sinks


def _write(files: dict[str, str], target: Path | None) -> None:
    """Write the files, that with the sinks' URLs for its user only."""
    from forensics.generate.litellm import PRIVATE

    for name, text in files.items():
        if target is None:
            output.write(f"# file: {name}\n{text}\n", None)
        else:
            output.write(text, target / name, redacted=name not in PRIVATE)
