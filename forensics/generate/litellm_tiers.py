"""Find the model servers that LiteLLM shall ask in turn: the unit, its smaller self, Ollama on the GPU, Ollama on the CPU."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import polars as pl

from forensics.errors import UsageError
from forensics.generate.basis import UNIT_NAME
from forensics.generate.endpoints import endpoint_of
from forensics.pipeline import Investigation
from forensics.watch.config import url_problem
from forensics.wording import plural

OLLAMA_PORT, OLLAMA_CPU_PORT = 11434, 11435  # its default, and the next one for a second server
OLLAMA_MODEL, OLLAMA_CPU_MODEL = "llama3.1:8b", "llama3.2:3b"
SMALLER_TOKENS = 1024
_NAME, _MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"), re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}")
_VARIABLE, _PATH = re.compile(r"[A-Z][A-Z0-9_]{0,99}"), re.compile(r"/[A-Za-z0-9._~/-]{0,200}")
_NEIGHBOURS = re.compile(r"(?i)ollama|litellm|tabby-forensics")
_LISTENS = r"(?i)Listening on \S*:(\d{2,5})\b"  # of Ollama's server/routes.go
KEYS = ("model", "context", "max_tokens", "health", "key")
SETTINGS = "model=NAME, context=N, max_tokens=N, health=/PATH or key=VARIABLE"
HEALTH, OLLAMA_HEALTH = "/health", "/api/version"  # neither asks a model anything


@dataclass(frozen=True, slots=True)
class Tier:
    """A group of one deployment. context, max_tokens: 0 where not known; key: variable with the API key; origin: where this comes from."""

    name: str
    url: str
    model: str
    origin: str
    unit: str = ""
    context: int = 0
    max_tokens: int = 0
    health: str = ""
    key: str = ""

    @property
    def base(self) -> str:
        """The address of the API: OpenAI-like ones are below /v1."""
        return self.url.rstrip("/") + ("" if urlsplit(self.url).path.strip("/") else "/v1")

    @property
    def health_url(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{self.health or (OLLAMA_HEALTH if 'ollama' in self.name.lower() else HEALTH)}"


@dataclass(frozen=True, slots=True)
class Asked:
    """The tiers that the user names; what is not named is found or assumed."""

    primary: str = ""
    fallbacks: tuple[str, ...] = ()
    port: int | None = None


def find_tiers(investigation: Investigation, asked: Asked) -> list[Tier]:
    """Return the primary and its fallbacks in order. Raises UsageError where there is no primary, or names are used twice."""
    primary = _named_primary(investigation, asked) if asked.primary else _found_primary(investigation, asked.port)
    named = [parse_tier("--fallback", text) for text in asked.fallbacks]
    tiers = [primary, *(named or [_smaller(primary), *_ollamas(investigation)])]
    twice = [name for name, count in Counter(tier.name for tier in tiers).items() if count > 1]
    if twice:
        raise UsageError(f"Two model groups are named {twice[0]}; each needs a name of its own.")
    return tiers


def parse_tier(option: str, text: str) -> Tier:
    """Read NAME=URL[,model=…][,context=N][,max_tokens=N][,health=/PATH][,key=VARIABLE]. Raises UsageError."""
    (name, _, url), *settings = [part.partition("=") for part in text.split(",")]
    if not _NAME.fullmatch(name) or not url:
        raise UsageError(f"{option} {text!r}: expected NAME=URL, such as ollama-cpu=http://127.0.0.1:{OLLAMA_CPU_PORT}.")
    problem = url_problem(url) or ("must have no query" if "?" in url or "#" in url else None)
    if problem:
        raise UsageError(f"{option} {name}: the URL {problem}.")
    given = {key: value for key, _, value in settings}
    for key, value in given.items():
        if key not in KEYS or not _is_well_formed(key, value):
            raise UsageError(f"{option} {name}: {key}={value!r} is not {SETTINGS}.")
    context, max_tokens = (int(given.get(key, 0)) for key in ("context", "max_tokens"))
    health, variable = given.get("health", ""), given.get("key", "")
    return Tier(name, url, given.get("model", name), f"given with {option}", "", context, max_tokens, health, variable)


def _is_well_formed(key: str, value: str) -> bool:
    if key in {"context", "max_tokens"}:
        return value.isascii() and value.isdecimal() and 0 < int(value) < 10**8
    return bool({"model": _MODEL, "health": _PATH, "key": _VARIABLE}[key].fullmatch(value))


def _named_primary(investigation: Investigation, asked: Asked) -> Tier:
    units = _units(investigation)
    return replace(parse_tier("--primary", asked.primary), unit=units[0] if len(units) == 1 else "")


def _found_primary(investigation: Investigation, port: int | None) -> Tier:
    units = _units(investigation)
    found = {unit: endpoint_of(investigation, unit) for unit in units} if port is None else {}
    known = [unit for unit, endpoint in found.items() if endpoint is not None] if port is None else units
    if len(known) > 1:
        raise UsageError(f"Which unit is the primary? Choose it with --unit: {', '.join(known[:10])}.")
    if not known:
        shown = ", ".join(units[:10]) or "any unit"
        raise UsageError(f"No line of {shown} names a port while it was stable; give it with --port or --primary NAME=URL.")
    unit, endpoint = known[0], found.get(known[0])
    origin = "given with --port" if endpoint is None else f"{plural(endpoint.lines, 'line')} of stable attempts name the port"
    name = _as_name(unit)
    return Tier(name, f"http://127.0.0.1:{port or (endpoint and endpoint.port)}", name, f"{unit}: {origin}", unit, key="TABBY_API_KEY")


def _units(investigation: Investigation) -> list[str]:
    """Return the services of the history that may be the primary."""
    units = investigation.history.assembly.attempts["unit"].cast(pl.String).drop_nulls().unique().sort().to_list()
    return [unit for unit in units if UNIT_NAME.fullmatch(unit) and not _NEIGHBOURS.search(unit)]


def _as_name(unit: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", unit.removesuffix(".service")).strip("-._") or "primary"


def _smaller(primary: Tier) -> Tier:
    """Ask the same server for less: an answer of fewer tokens needs less memory for its cache."""
    origin = f"ASSUMPTION: the same server, at most {SMALLER_TOKENS} tokens an answer; for a smaller context name another model= of it"
    return replace(primary, name=f"{primary.name}-smaller", max_tokens=SMALLER_TOKENS, origin=origin)


def _ollamas(investigation: Investigation) -> list[Tier]:
    """Return Ollama on the GPU and on the CPU, at the ports that their units name, else at its usual one and the next."""
    ports = _ollama_ports(investigation.history.entries)
    on_gpu = next((unit for unit in ports if "cpu" not in unit.lower()), "")
    on_cpu = next((unit for unit in ports if "cpu" in unit.lower()), "")
    tiers = []
    for name, unit, port, model in (
        ("ollama-gpu", on_gpu, OLLAMA_PORT, OLLAMA_MODEL),
        ("ollama-cpu", on_cpu, OLLAMA_CPU_PORT, OLLAMA_CPU_MODEL),
    ):
        where = f"{unit} names the port" if unit else "ASSUMPTION: the port"
        tiers.append(Tier(name, f"http://127.0.0.1:{ports.get(unit, port)}", model, f"{where}; ASSUMPTION: the model {model}", unit))
    return tiers


def _ollama_ports(entries: pl.DataFrame) -> dict[str, int]:
    """Return the port that each unit of Ollama named last."""
    unit = pl.col("unit").cast(pl.String)
    named = (
        entries.lazy()
        .filter(unit.str.contains(r"(?i)ollama") & pl.col("message").str.contains(_LISTENS))
        .select(unit.alias("unit"), pl.col("message").str.extract(_LISTENS, 1).cast(pl.Int32, strict=False).alias("port"))
        .drop_nulls()
        .filter(pl.col("port").is_between(1, 65535))
        .collect()
    )
    return {name: port for name, port in sorted(named.rows()) if UNIT_NAME.fullmatch(name)}


def larger_than(primary: Tier, tiers: Sequence[Tier]) -> list[Tier]:
    """Return the fallbacks for contexts that are too long: larger ones; where no context is known, all other servers."""
    if primary.context and any(tier.context for tier in tiers):
        return [tier for tier in tiers if tier.context > primary.context]
    return [tier for tier in tiers if tier.base != primary.base]
