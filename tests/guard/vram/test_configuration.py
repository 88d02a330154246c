"""What servers log at a start gives the configuration of the attempt; what they do not log stays unknown."""

import pytest

from forensics.guard.vram.configuration import MENTIONS, Configuration, described, find_configuration, is_known
from forensics.guard.vram.sizes import GIB, MIB

TABBY = ("2025-03-14 11:05:20.000 INFO:     Loading model: /srv/models/Llama-70B-4bpw/", "INFO:     Loading with autosplit")
VLLM = (
    "INFO 03-01 10:00:02 [core.py:64] Initializing a V1 LLM engine (v0.10.0) with config: model='Qwen/Qwen3-8B', max_seq_len=40960, tp=1",
    "INFO 03-01 10:00:09 [gpu_model_runner.py:2338] Model loading took 15.2683 GiB and 4.325177 seconds",
    "INFO 03-01 10:00:12 [gpu_worker.py:298] Available KV cache memory: 5.62 GiB",
    "INFO 03-01 10:00:12 [kv_cache_utils.py:1316] GPU KV cache size: 41,936 tokens",
)
OLLAMA = (
    (
        'time=2025-01-16T04:29:50.909Z level=INFO source=memory.go:356 msg="offload to cuda" layers.requested=-1 layers.model=62 '
        'memory.available="[23.3 GiB 700.5 MiB]" memory.gpu_overhead="0 B" memory.required.full="415.7 GiB" memory.required.kv="9.5 GiB"'
    ),
    (
        'time=2024-09-04T13:22:14.696-04:00 level=INFO source=server.go:391 msg="starting llama server" cmd="/tmp/ollama --model '
        '/usr/share/ollama/.ollama/models/blobs/sha256-8169bd33 --ctx-size 8192 --batch-size 512"'
    ),
)
LLAMA = (
    "llama_model_loader: loaded meta data with 34 key-value pairs and 291 tensors from /m/qwen-14b-q4.gguf (version GGUF V3 (latest))",
    "llama_model_load_from_file_impl: using device CUDA0 (NVIDIA GeForce RTX 3090) (0000:01:00.0) - 23871 MiB free",
    "llama_model_load_from_file_impl: using device CUDA1 (NVIDIA GeForce RTX 3060) (0000:02:00.0) - 11871 MiB free",
    "load_tensors: offloaded 33/33 layers to GPU",
    "load_tensors:   CPU_Mapped model buffer size =   281.81 MiB",
    "load_tensors:        CUDA0 model buffer size =  4096.00 MiB",
    "load_tensors:        CUDA1 model buffer size =  1024.50 MiB",
    "llama_context: n_ctx_per_seq = 4096",
    "llama_context: n_ctx         = 8192",
    "llama_kv_cache_unified:      CUDA0 KV buffer size =  1024.00 MiB",
)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (TABBY, Configuration(model="Llama-70B-4bpw", split="autosplit")),
        (
            VLLM,
            Configuration(model="Qwen3-8B", context=40960, cache_tokens=41936, cache=round(5.62 * GIB), weights=round(15.2683 * GIB)),
        ),
        (
            OLLAMA,
            Configuration(
                model="sha256-8169bd33", context=8192, required=round(415.7 * GIB), free_before=round(23.3 * GIB) + round(700.5 * MIB)
            ),
        ),
        (
            LLAMA,
            Configuration(
                model="qwen-14b-q4.gguf",
                context=8192,
                cache=GIB,
                weights=round(5120.5 * MIB),
                layers="33/33",
                free_before=(23871 + 11871) * MIB,
            ),
        ),
        (
            ["INFO: tabby-forensics ladder: profile 70b-8k (2 of 3, 24.0 GiB): 30.0 GiB free; as last time."],
            Configuration(profile="70b-8k"),
        ),
        (["INFO: GET /health", "context deadline exceeded", "n_ctx_train = 131072"], Configuration()),
        ([f"n_ctx = {'9' * 4000}", "CUDA0 KV buffer size = 1.2.3 MiB"], Configuration(cache=0)),
    ],
)
def test_the_configuration_of_an_attempt(lines, expected):
    assert find_configuration(lines) == expected
    assert is_known(find_configuration(lines)) == (expected != Configuration())


@pytest.mark.parametrize("line", [*TABBY, *VLLM, *OLLAMA, *(line for line in LLAMA if "CPU" not in line and "per_seq" not in line)])
def test_every_line_that_is_read_is_one_that_is_looked_for(line):
    polars = pytest.importorskip("polars")
    assert is_known(find_configuration([line]))
    assert polars.Series([line]).str.contains(MENTIONS).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Llama-3.3-70B-Instruct", 70),
        ("mixtral_8x7b", 56),
        ("phi-3.8b", 3.8),
        ("4bpw", None),
        ("", None),
        ("Qwen2.5-0.5B", 0.5),
        ("B", None),
    ],
)
def test_how_large_a_model_is_by_its_name(name, expected):
    assert Configuration(model=name).parameters == expected


def test_what_is_known_is_described():
    assert described(Configuration(model="m", context=8192, cache=GIB)) == "m, context 8,192, cache 1.00 GiB"
    assert described(Configuration()) == ""
