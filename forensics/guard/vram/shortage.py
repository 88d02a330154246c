"""Read what a server logged when GPU memory was not enough; formats of torch 1.13 to 2.13, exllama, llama.cpp, Ollama and vLLM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from forensics.guard.vram.sizes import SIZE, size_of

_S = SIZE.replace("(", "(?:")
MENTIONS = (
    "(?i)out of memory|insufficient vram|failed to allocate|unable to allocate|cache blocks|kv cache is needed|stored in (?:the )?kv cache"
    "|free memory on device"
)  # of every text below, for polars
LONGEST_NUMBER, MOST_OTHERS = 16, 20
TORCH, EXLLAMA, GGML, VLLM = "torch", "exllama", "llama.cpp", "vllm"
_TRIED = rf"out of memory\. Tried to allocate (?P<asked>{_S})"
_TORCH_2 = rf"{_TRIED}\. GPU (?P<gpu>\d+) has a total capac(?:i)?ty of (?P<total>{_S}) of which (?P<free>{_S}) is free"
_TORCH_1 = (
    rf"{_TRIED} \(GPU (?P<gpu>\d+); (?P<total>{_S}) total capacity; (?P<allocated>{_S}) already allocated; "
    rf"(?P<free>{_S}) free; (?P<reserved>{_S}) reserved"
)
_BUFFER = r"(?:CUDA|ROCm|HIP|Vulkan|SYCL|Metal)(?P<gpu>\d+)?(?:_Split)? buffer"
_VLLM_START = (
    r"Free memory on device (?:cuda:)?(?P<gpu>\w*)\s*\((?P<free>[\d.]+)/(?P<total>[\d.]+) GiB\) on startup is less than desired GPU memory "
    r"utilization \([\d.]+, (?P<asked>[\d.]+ GiB)\)"
)
_VLLM_CACHE = rf"(?P<asked>{_S}) KV cache is needed, which is larger than the available KV cache memory \((?P<free>{_S})\)"
_VLLM_TOKENS = (
    r"max seq len \((?P<tokens>\d+)\) is larger than the maximum number of tokens that can be stored in (?:the )?KV cache "
    r"\((?P<tokens_that_fit>\d+)\)"
)
# server, and the expression; groups: asked, free, total, allocated, reserved: sizes; asked_bytes, tokens, tokens_that_fit: numbers
_FORMATS = tuple(
    (server, re.compile(text))
    for server, text in (
        (TORCH, _TORCH_2),
        (TORCH, _TORCH_1),
        (TORCH, _TRIED),
        (EXLLAMA, r"Insufficient VRAM (?:in split )?for model"),
        (GGML, r"allocating (?P<asked>[\d.]+ MiB) on device (?P<gpu>\d+): cudaMalloc\w* failed: out of memory"),
        (GGML, rf"failed to allocate {_BUFFER} of size (?P<asked_bytes>\d+)"),
        (GGML, rf"unable to allocate {_BUFFER}"),
        (GGML, r"failed to allocate (?:compute|buffer for kv)"),
        (VLLM, _VLLM_START),
        (VLLM, _VLLM_CACHE),
        (VLLM, _VLLM_TOKENS),
        (VLLM, r"No available memory for the cache blocks"),
        (TORCH, r"CUDA error(?:: \d+| \d+)?[^\n]{0,120}out of memory|OutOfMemoryError"),
    )
)
_OTHER = re.compile(rf"Process (\d{{1,9}}) has ({_S}) memory in use")
_OWN = re.compile(rf"this process has ({_S}) memory in use")
_ALLOCATED = re.compile(rf"allocated memory ({_S}) is allocated by PyTorch")
_RESERVED = re.compile(rf"({_S}) is reserved by PyTorch but unallocated")
_TOKENS = re.compile(r"max seq len \((\d+)\)")
_FITS = re.compile(r"estimated maximum model length is (\d+)")


@dataclass(frozen=True, slots=True)
class Shortage:
    """What was logged; bytes, null where it was not. others: (pid, bytes) of other processes; own: of the server itself.

    allocated, reserved: of torch's own memory, used and kept unused; tokens, tokens_that_fit: of vLLM's context.
    """

    server: str
    gpu: str | None = None
    asked: int | None = None
    free: int | None = None
    total: int | None = None
    own: int | None = None
    others: tuple[tuple[int, int], ...] = ()
    allocated: int | None = None
    reserved: int | None = None
    tokens: int | None = None
    tokens_that_fit: int | None = None

    @property
    def missing(self) -> int | None:
        """How many bytes were missing; negative where more was free than was asked for."""
        return None if self.asked is None or self.free is None else self.asked - self.free

    @property
    def unaccounted(self) -> int | None:
        """The bytes in use that no logged process holds."""
        if None in (self.total, self.free, self.own):
            return None
        return max((self.total or 0) - (self.free or 0) - (self.own or 0) - sum(held for _, held in self.others), 0)


def find_shortage(text: str) -> Shortage | None:
    """Read a shortage from a log text, whose lines may have been wrapped; None where it has none."""
    joined = " ".join(text.split())
    for server, pattern in _FORMATS:
        found = pattern.search(joined)
        if found is not None:
            return _details(_of_groups(server, found.groupdict()), joined[found.start() :])
    return None


def merged(first: Shortage, second: Shortage) -> Shortage:
    """Complete one text of a failure by another: what the first does not have."""
    fields = {name: getattr(second, name) for name in Shortage.__slots__ if getattr(first, name) in (None, ()) and name != "server"}
    return replace(first, **fields)


def _of_groups(server: str, groups: Mapping[str, str | None]) -> Shortage:
    raw = groups.get("asked_bytes")
    return Shortage(
        server,
        gpu=groups.get("gpu") or None,
        asked=int(raw) if raw and len(raw) < LONGEST_NUMBER else _gib_of(groups.get("asked")),
        free=_gib_of(groups.get("free")),
        total=_gib_of(groups.get("total")),
        allocated=_gib_of(groups.get("allocated")),
        reserved=_gib_of(groups.get("reserved")),
        tokens=_number(groups.get("tokens")),
        tokens_that_fit=_number(groups.get("tokens_that_fit")),
    )


def _gib_of(text: str | None) -> int | None:
    """Read a size; a bare number is GiB."""
    return None if text is None else size_of(text if " " in text.strip() or text.strip()[-1:].isalpha() else f"{text} GiB")


def _details(shortage: Shortage, text: str) -> Shortage:
    """Add what stands behind the first sentence: who holds the memory, and what would fit."""
    others = tuple((int(pid), held) for pid, size in _OTHER.findall(text)[:MOST_OTHERS] if (held := size_of(size)) is not None)
    return merged(
        shortage,
        Shortage(
            shortage.server,
            own=_gib_of(_first(_OWN, text)),
            others=others,
            allocated=_gib_of(_first(_ALLOCATED, text)),
            reserved=_gib_of(_first(_RESERVED, text)),
            tokens=_number(_first(_TOKENS, text)),
            tokens_that_fit=_number(_first(_FITS, text)),
        ),
    )


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _number(text: str | None) -> int | None:
    return int(text) if text and len(text) < LONGEST_NUMBER else None
