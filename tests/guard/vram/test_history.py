"""`advise vram` over whole histories: which configuration was short of memory, and which one ever held."""

import json

import pytest

from forensics.guard.vram.history import find_vram
from forensics.guard.vram.sizes import GIB
from tests.attempts.building import Journal
from tests.cli.running import assert_one_sentence, run
from tests.generate.history import investigated, stream

UNIT = "tabbyapi.service"
TORCH = (
    "2025-03-14 11:05:29.634 ERROR:    torch.OutOfMemoryError: CUDA out of memory.",
    "Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.65 GiB of which",
    "1.06 GiB is free. Process 4711 has 20.40 GiB memory in use. Including non-PyTorch",
    "memory, this process has 2.10 GiB memory in use.",
)
TABBY = ("2025-03-14 11:05:20.000 INFO:     Loading model: ", "/srv/models/{model}", "INFO:     Loading with autosplit")
LLAMA = (
    "llama_model_loader: loaded meta data with 34 key-value pairs and 291 tensors from /m/qwen-14b-q4.gguf (version GGUF V3)",
    "llama_model_load_from_file_impl: using device CUDA0 (NVIDIA GeForce RTX 3090) - 23871 MiB free",
    "load_tensors:        CUDA0 model buffer size =  8192.00 MiB",
    "load_tensors:        CUDA1 model buffer size =  1024.00 MiB",
    "llama_context: n_ctx         = {context}",
    "llama_kv_cache_unified:      CUDA0 KV buffer size =  1024.00 MiB",
)
GGML = (
    "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 9216.00 MiB on device 0: cudaMalloc failed: out of memory",
    "ggml_gallocr_reserve_n: failed to allocate CUDA0 buffer of size 9663676416",
    "llama_init_from_model: failed to initialize the context: failed to allocate compute pp buffers",
)


def attempt(journal, number, lines, up_s, fails=True):
    """One attempt that logs these lines, is up for so long, and fails or is stopped."""
    name = f"{number:032x}"
    journal.manager("started", name, after=10, JOB_TYPE="start", JOB_RESULT="done")
    journal.writes(name, *lines, after=1)
    journal.writes(name, "GET /health", after=up_s)
    if fails:
        journal.dies(name)
        return
    journal.manager("stopping", name, JOB_TYPE="stop")
    journal.manager("well", name)
    journal.manager("stopped", name, JOB_TYPE="stop")


def model(name):
    return [line.format(model=name) for line in TABBY]


def tabby():
    journal = Journal(UNIT, "alpha", boot="a" * 32)
    attempt(journal, 1, model("Llama-70B-4bpw"), 9000, fails=False)
    attempt(journal, 2, model("Qwen-14B"), 90_000, fails=False)
    attempt(journal, 3, model("Mistral-123B"), 597, fails=False)
    attempt(journal, 4, [*model("Llama-70B-8bpw"), *TORCH], 1)
    attempt(journal, 5, [*model("Llama-70B-8bpw"), *TORCH], 1)
    return journal


def found_in(tmp_path, journal):
    found = find_vram(investigated(tmp_path, journal).history)
    assert len(found) == 1
    return found[0]


def test_a_wrapped_text_is_read_with_what_was_being_loaded(tmp_path):
    unit = found_in(tmp_path, tabby())
    assert (unit.unit, unit.host, len(unit.failures)) == (UNIT, "alpha", 2)
    last = unit.failures[-1]
    short = last.shortage
    assert (short.asked, short.free, short.others) == (2 * GIB, round(1.06 * GIB), ((4711, round(20.4 * GIB)),))
    assert last.configuration.model == "Llama-70B-8bpw"
    assert last.evidence.message == TORCH[0]
    assert last.ended


def test_what_held_is_the_largest_that_was_up_for_long_enough(tmp_path):
    unit = found_in(tmp_path, tabby())
    assert [(held.configuration.model, held.times) for held in unit.held] == [("Llama-70B-4bpw", 1), ("Qwen-14B", 1)]


def test_several_lines_about_one_failure_are_one(tmp_path):
    journal = Journal("llama.service", "alpha", boot="a" * 32)
    lines = [line.format(context=8192) for line in LLAMA]
    attempt(journal, 1, lines, 700, fails=False)
    attempt(journal, 2, lines, 700, fails=False)
    attempt(journal, 3, [*(line.format(context=32768) for line in LLAMA[:-1]), *GGML], 1)
    unit = found_in(tmp_path, journal)
    (failure,) = unit.failures
    assert (failure.shortage.asked, failure.shortage.gpu, failure.shortage.free) == (9 * GIB, "0", None)
    assert (failure.configuration.context, failure.configuration.free_before) == (32768, 23871 << 20)
    (held,) = unit.held
    assert (held.times, held.configuration.weights, held.configuration.cache, held.configuration.context) == (2, 9 * GIB, GIB, 8192)


def test_a_server_that_goes_on_was_short_too(tmp_path):
    journal = Journal(UNIT, "alpha", boot="a" * 32)
    attempt(journal, 1, [*model("Llama-70B"), "CUDA out of memory. Tried to allocate 3.00 GiB"], 700, fails=False)
    unit = found_in(tmp_path, journal)
    (failure,) = unit.failures
    assert (failure.shortage.asked, failure.shortage.free, failure.ended) == (3 * GIB, None, False)
    assert unit.held == ()


def test_what_programs_beside_the_services_log_does_not_count(tmp_path):
    journal = Journal(UNIT, "alpha", boot="a" * 32)
    attempt(journal, 1, model("Llama-70B"), 700, fails=False)
    journal.add(1.0, {"MESSAGE": "CUDA out of memory. Tried to allocate 3.00 GiB", "_TRANSPORT": "syslog", "_PID": "7", "PRIORITY": "3"})
    assert find_vram(investigated(tmp_path, journal).history) == ()


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "journal.json").write_text(stream(tabby()))
    return ("advise", "vram", "--file", str(tmp_path / "journal.json"), "--store", str(tmp_path / "store"))


def test_the_command_writes_sentences_with_numbers_and_evidence(arguments):
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    for words in (
        "tabbyapi.service on alpha: 2 shortages of GPU memory",
        "Asked for  2.00 GiB on GPU 0\n",
        "Free       1.06 GiB of 23.65 GiB\n",
        "Held by    this process 2.10 GiB; process 4711 20.40 GiB; others 92.16 MiB\n",
        "Missing    962.56 MiB\n",
        "Loading    Llama-70B-8bpw, autosplit\n",
        "Held       Llama-70B-4bpw, autosplit: 1 time, the longest 2 h 30 min;",
        "Take 20.40 GiB back from process 4711",
        "Lower the context or the cache (TabbyAPI: max_seq_len, cache_size, cache_mode).",
    ):
        assert words in done.stdout


def test_the_command_writes_the_same_as_json(arguments):
    (unit,) = json.loads(run(*arguments, "--format", "json", "--unit", "tabbyapi").stdout)["units"]
    assert unit["failures"][0]["asked"] == 2 * GIB
    assert unit["failures"][0]["others"] == [{"pid": 4711, "bytes": round(20.4 * GIB)}]
    assert unit["failures"][0]["allocated"] is None
    assert unit["held"][0]["configuration"]["model"] == "Llama-70B-4bpw"
    assert unit["held"][0]["evidence"]["offset"] is not None


def test_a_history_without_a_shortage_is_one_sentence(tmp_path):
    journal = Journal(UNIT, "alpha", boot="a" * 32)
    attempt(journal, 1, model("Llama-70B"), 700, fails=False)
    (tmp_path / "journal.json").write_text(stream(journal))
    done = run("advise", "vram", "--file", str(tmp_path / "journal.json"), "--store", str(tmp_path / "store"))
    assert_one_sentence(done, 0, "No shortage of GPU memory is logged in this history.")
    assert_one_sentence(run("advise", "vram", "--format", "html"), 2, "There is no format 'html'")


def test_secrets_and_controls_in_a_name_are_not_shown(tmp_path):
    journal = Journal(UNIT, "alpha", boot="a" * 32)
    secret = "hf_abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 - made up
    attempt(journal, 1, [f"Loading model: /m/\x1b[31m{secret}", *TORCH], 1)
    (tmp_path / "journal.json").write_text(stream(journal))
    done = run("advise", "vram", "--file", str(tmp_path / "journal.json"), "--store", str(tmp_path / "store"))
    assert "Loading    " in done.stdout
    assert "\x1b" not in done.stdout
    assert secret not in done.stdout
