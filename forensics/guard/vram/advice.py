"""Choose what to lower, for each server, from what it was short of."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.guard.vram.configuration import described
from forensics.guard.vram.history import OfUnit
from forensics.guard.vram.shortage import EXLLAMA, GGML, TORCH, VLLM, Shortage
from forensics.guard.vram.sizes import MIB, shown_size

TO_LOWER = {
    EXLLAMA: (
        "Lower cache_size or max_seq_len in config.yml",
        "Set cache_mode to a quantised cache, such as 8,8 or 4,4",
        "Lower chunk_size and max_batch_size",
        "On several cards set gpu_split, or raise autosplit_reserve of the first",
    ),
    TORCH: (
        "Lower the context or the cache (TabbyAPI: max_seq_len, cache_size, cache_mode)",
        "Lower the batch or chunk size (TabbyAPI: chunk_size, max_batch_size)",
        "On several cards lower the share of this GPU (gpu_split), or raise autosplit_reserve",
    ),
    GGML: (
        "Lower --ctx-size and --parallel (Ollama: num_ctx, OLLAMA_NUM_PARALLEL)",
        "Set --cache-type-k and --cache-type-v to q8_0",
        "Lower --batch-size and --ubatch-size",
        "Lower --n-gpu-layers (Ollama: num_gpu), or on several cards set --tensor-split",
    ),
    VLLM: (
        "Lower --max-model-len",
        "Lower --max-num-seqs",
        "Set --kv-cache-dtype to fp8",
        "Raise --gpu-memory-utilization if nothing else needs the GPU, or lower it if another process holds part of it",
    ),
}
UNUSED = 512 * MIB  # kept by torch without use: more than that is fragmentation worth a setting


def sentences(found: OfUnit) -> Iterator[str]:
    """Yield what to do for a unit, the most certain first."""
    last = found.failures[-1].shortage
    yield from _by_numbers(last)
    yield from TO_LOWER[last.server]
    if found.held:
        yield f"Go back to the largest configuration that held: {described(found.held[0].configuration)}"
    yield "Let each start choose: `tabby-forensics generate model-ladder`"


def _by_numbers(last: Shortage) -> Iterator[str]:
    if last.tokens_that_fit is not None:
        yield f"Set the context to {last.tokens_that_fit:,} tokens at most: that is what the server says would fit"
    for pid, held in last.others:
        yield f"Take {shown_size(held)} back from process {pid}: a left-over of the last start, or another service (see `nvidia-smi`)"
    if last.unaccounted is not None and last.unaccounted >= UNUSED:
        yield f"Find out who holds {shown_size(last.unaccounted)} more (`nvidia-smi`): neither this process nor one that was logged"
    missing = last.missing
    if missing is not None and missing > 0:
        yield f"Make {shown_size(missing)} more available on GPU {last.gpu or '0'}, at least"
    if last.reserved is not None and last.reserved >= UNUSED and last.asked is not None and last.reserved >= last.asked:
        yield (
            f"Set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True: torch kept {shown_size(last.reserved)} unused, "
            f"more than the {shown_size(last.asked)} that were asked for"
        )
    elif missing is not None and missing <= 0:
        yield "More was free than was asked for: fragmented, or freed meanwhile; try expandable_segments:True in PYTORCH_CUDA_ALLOC_CONF"
