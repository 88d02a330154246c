"""Each server's words about too little GPU memory give the numbers that they have, and no others."""

import pytest

from forensics.guard.vram.shortage import Shortage, find_shortage, merged
from forensics.guard.vram.sizes import GIB, MIB, shown_size, size_of

PROCESSES = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 25.96 GiB. GPU 4 has a total capacity of 79.18 GiB of which 23.04 GiB "
    "is free. Process 7478 has 4.08 GiB memory in use. Including non-PyTorch memory, this process has 52.02 GiB memory in use. Of the "
    "allocated memory 45.89 GiB is allocated by PyTorch, with 1.38 MiB allocated in private pools (e.g., CUDA Graphs), and 3.01 GiB is "
    "reserved by PyTorch but unallocated."
)
WRAPPED = (
    "2025-03-14 11:05:29.634 ERROR:    torch.OutOfMemoryError: CUDA out of memory.\nTried to allocate 260.00 MiB. GPU 1 has a total "
    "capacity of 23.53 GiB of which\n190.50 MiB is free. Including non-PyTorch memory, this process has 23.33 GiB\nmemory in use."
)
OLD = (
    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 114.00 MiB (GPU 0; 2.00 GiB total capacity; 1.67 GiB already "
    "allocated; 0 bytes free; 1.72 GiB reserved in total by PyTorch) If reserved memory is >> allocated memory try setting"
)
DESIRED = (
    "ValueError: Free memory on device cuda:0 (3.21/23.65 GiB) on startup is less than desired GPU memory utilization (0.9, 21.28 GiB). "
    "Decrease GPU memory utilization or reduce GPU memory used by other processes."
)
CACHE = (
    "To serve at least one request with the model's max seq len (131072), 16.00 GiB KV cache is needed, which is larger than the "
    "available KV cache memory (5.63 GiB). Based on the available memory, the estimated maximum model length is 46080."
)


def gib(number):
    return round(number * GIB)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            PROCESSES,
            Shortage(
                "torch", "4", gib(25.96), gib(23.04), gib(79.18), gib(52.02), ((7478, gib(4.08)),), allocated=gib(45.89), reserved=gib(3.01)
            ),
        ),
        (WRAPPED, Shortage("torch", "1", 260 * MIB, round(190.5 * MIB), gib(23.53), gib(23.33))),
        (OLD, Shortage("torch", "0", 114 * MIB, 0, 2 * GIB, allocated=gib(1.67), reserved=gib(1.72))),
        (PROCESSES.replace("capacity", "capacty")[:160], Shortage("torch", "4", gib(25.96), gib(23.04), gib(79.18))),
        ("CUDA out of memory. Tried to allocate 2.00 GiB", Shortage("torch", asked=2 * GIB)),
        ("RuntimeError: CUDA error: out of memory", Shortage("torch")),
        ("RuntimeError: Insufficient VRAM in split for model and cache", Shortage("exllama")),
        (
            "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 2322.01 MiB on device 2: cudaMalloc failed: out of memory",
            Shortage("llama.cpp", "2", round(2322.01 * MIB)),
        ),
        ("ggml_gallocr_reserve_n: failed to allocate CUDA2 buffer of size 2434801664", Shortage("llama.cpp", "2", 2434801664)),
        ("llama_model_load: error loading model: unable to allocate CUDA0 buffer", Shortage("llama.cpp", "0")),
        (
            DESIRED,
            Shortage("vllm", "0", gib(21.28), gib(3.21), gib(23.65)),
        ),
        (
            CACHE,
            Shortage("vllm", asked=16 * GIB, free=gib(5.63), tokens_that_fit=46080),
        ),
        (
            "The model's max seq len (32768) is larger than the maximum number of tokens that can be stored in KV cache (7344).",
            Shortage("vllm", tokens=32768, tokens_that_fit=7344),
        ),
        ("ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`", Shortage("vllm")),
        ('INFO: Set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid "CUDA out of memory" by fragmentation', None),
        ("Out of memory: Killed process 1234 (python3) total-vm:9000kB", None),
        ("INFO [kv_cache_utils.py:1316] GPU KV cache size: 41,936 tokens", None),
        ("this process has 17179869184.00 GiB memory in use. CUDA out of memory. Tried to allocate 1.00 GiB", Shortage("torch", asked=GIB)),
        ("CUDA out of memory. Tried to allocate 1.2.3 GiB", Shortage("torch")),
        (f"failed to allocate CUDA0 buffer of size {'9' * 5000}", Shortage("llama.cpp", "0")),
    ],
)
def test_the_numbers_of_a_text(text, expected):
    assert find_shortage(text) == expected


def test_what_was_missing_and_who_else_holds_memory():
    short = find_shortage(PROCESSES)
    assert shown_size(short.missing) == "2.92 GiB"
    assert shown_size(short.unaccounted) == "40.96 MiB"
    assert find_shortage("RuntimeError: CUDA error: out of memory").missing is None


def test_two_lines_about_one_failure_complete_each_other():
    first, second = find_shortage("unable to allocate CUDA0 buffer"), find_shortage("failed to allocate CUDA0 buffer of size 1048576")
    assert merged(first, second) == Shortage("llama.cpp", "0", MIB)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.00 GiB", GIB), ("1 GB", 10**9), ("594.00 MiB", 594 * MIB), ("0 bytes", 0), ("725.0 MiB", 725 * MIB),
        ("17179869184.00 GiB", None), ("2 parsecs", None), ("1.2.3 GiB", None), ("", None),
    ],
)  # fmt: skip
def test_a_size_is_read(text, expected):
    assert size_of(text) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (GIB, "1.00 GiB"), (GIB - 1, "1.00 GiB"), (round(GIB * 0.99), "1013.76 MiB"), (MIB, "1.00 MiB"),
        (1018, "1018 bytes"), (1023, "1.00 KiB"),
        (0, "0 bytes"), (None, "not logged"),
    ],
)  # fmt: skip
def test_a_size_is_written_in_the_unit_that_it_reaches(size, expected):
    assert shown_size(size) == expected
