"""Read from a server's log which configuration an attempt had: the model, its context and cache, and how much memory they take."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

from forensics.guard.vram.sizes import SIZE, shown_size, size_of

MENTIONS = (
    "(?i)loading model|max_model_len|max_seq_len|max model len|n_ctx|ctx-size|buffer size|kv cache|took .{1,20} gi?b|ladder: profile"
    "|layers to gpu|MiB free|memory.required|loaded meta data|gpu split|autosplit|tensor parallel"
)
_DEVICE = r"(?:CUDA|ROCm|HIP|Vulkan|SYCL)\d+"
_PARAMETERS = re.compile(r"(?<![\w.])(?:(\d+)x)?(\d+(?:\.\d+)?)[bB](?![A-Za-z])")  # 70B, 8x7b
LONGEST, LONGEST_NUMBER = 200, 16


@dataclass(frozen=True, slots=True)
class Configuration:
    """What was logged of an attempt; sizes in bytes, null where nothing was. profile: of the model ladder; split: over several GPUs.

    required: what the server itself reckoned; free_before: bytes that were free when it began to load, over its GPUs.
    """

    profile: str | None = None
    model: str | None = None
    context: int | None = None
    cache_tokens: int | None = None
    cache: int | None = None
    weights: int | None = None
    layers: str | None = None
    split: str | None = None
    required: int | None = None
    free_before: int | None = None

    @property
    def size(self) -> int | None:
        """The bytes of weights and cache, where both are known."""
        return None if self.weights is None or self.cache is None else self.weights + self.cache

    @property
    def parameters(self) -> float | None:
        """Billions of parameters, as the model's name has them."""
        found = _PARAMETERS.search((self.model or self.profile or "").replace("-", " ").replace("_", " "))
        return float(found[2]) * int(found[1] or 1) if found else None


_TEXTS = {
    "profile": re.compile(r"tabby-forensics ladder: profile ([^(]{1,100}?) \(\d+ of \d+,"),
    "model": re.compile(
        r"(?:Loading model: |loaded meta data with [^\n]{0,80} from |engine \([^)]{1,40}\) with config: model=|'model': |--model )"
        r"['\"]?([^\s'\",]+)"
    ),
    "layers": re.compile(r"offloaded (\d+/\d+) layers to GPU"),
    "split": re.compile(r"(autosplit|manual GPU split|tensor parallel)"),
}
_NUMBERS = {
    "context": re.compile(
        r"(?:max_model_len['\"]?\s?[=:]\s?|max_seq_len['\"]?\s?[=:]\s?|[Uu]sing max model len |\bn_ctx\s*= |--ctx-size )(\d+)"
    ),
    "cache_tokens": re.compile(r"KV cache size: ([\d,]+) tokens"),
}
_SIZES = {
    "cache": re.compile(rf"Available KV cache memory: ({SIZE.replace('(', '(?:')})"),
    "weights": re.compile(rf"[Ll]oading (?:model weights )?took ({SIZE.replace('(', '(?:')})"),
    "required": re.compile(r'memory\.required\.full="([^"]{1,20})"'),
}
_SUMS = {  # one line for each GPU
    "cache": re.compile(rf"{_DEVICE} KV buffer size =\s+([\d.]+) MiB"),
    "weights": re.compile(rf"{_DEVICE} model buffer size =\s+([\d.]+) MiB"),
    "free_before": re.compile(rf"using device {_DEVICE} [^\n]{{0,120}}- (\d+) MiB free"),
}
_AVAILABLE = re.compile(r'memory\.available="\[([^\]"]{1,200})\]"')


def find_configuration(lines: Iterable[str]) -> Configuration:
    """Read the lines of one attempt, in order; a later line about the same thing wins, those about several GPUs are added up."""
    found: dict[str, str | int] = {}
    sums: dict[str, int] = {}
    for line in lines:
        found.update(_single(line))
        for name, pattern in _SUMS.items():
            for size in pattern.findall(line):
                sums[name] = sums.get(name, 0) + (size_of(f"{size} MiB") or 0)
    return replace(Configuration(), **{**found, **sums})  # type: ignore[arg-type]


def _single(line: str) -> Iterator[tuple[str, str | int]]:
    """Yield what a line has that is logged once for all GPUs."""
    for name, pattern in _TEXTS.items():
        if one := pattern.search(line):
            yield name, one[1].rstrip("/").rpartition("/")[2][:LONGEST] if name == "model" else one[1]
    for name, pattern in _NUMBERS.items():
        if (one := pattern.search(line)) and len(one[1]) < LONGEST_NUMBER:
            yield name, int(one[1].replace(",", ""))
    for name, pattern in _SIZES.items():
        if (one := pattern.search(line)) and (size := size_of(one[1])) is not None:
            yield name, size
    if one := _AVAILABLE.search(line):
        yield "free_before", sum(size_of(part) or 0 for part in re.findall(r"[\d.]+ \w+", one[1]))


def is_known(configuration: Configuration) -> bool:
    return any(getattr(configuration, one.name) is not None for one in fields(configuration))


def described(one: Configuration) -> str:
    """Describe a configuration by what was logged of it."""
    parts = [
        f"profile {one.profile}" if one.profile else "",
        one.model or "",
        f"context {one.context:,}" if one.context is not None else "",
        f"cache {one.cache_tokens:,} tokens" if one.cache_tokens is not None else "",
        f"cache {shown_size(one.cache)}" if one.cache is not None else "",
        f"weights {shown_size(one.weights)}" if one.weights is not None else "",
        f"{one.layers} layers on the GPU" if one.layers else "",
        one.split or "",
        f"needs {shown_size(one.required)} by its own reckoning" if one.required is not None else "",
    ]
    return ", ".join(part for part in parts if part)
