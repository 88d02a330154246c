"""What is pasted gets the answer that `report` gives for the same lines in a journal, however the text was printed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.seed import failures
from forensics import resources
from forensics.assembly import assemble
from forensics.explain import explain
from forensics.explain.entries import entries_of
from forensics.explain.records import journal_records
from forensics.signatures import catalogue, label
from forensics.signatures.pattern import Pattern
from forensics.signatures.pattern_file import id_of_path
from tests.attempts.building import Journal, frames
from tests.explain.together import classes_of
from tests.shipped import shipped

SEED = {
    name: getattr(failures, name)(Random(7), False)  # noqa: S311 - the seed draws its numbers so
    for name in ("libstdcxx", "torch_abi", "vram_at_load", "vram_in_generation", "cuda_kernel", "preset_table")
}
PATTERNS = resources.folder("patterns")
OF_A_FILE = ("file", "writer", "seqnum", "seqnum_id", "bytes")  # where an entry was read, and how long it was there
NOT_OF_A_SERVICE = {"kernel", "manager", "coredump"}


@pytest.fixture(scope="module")
def known():
    return shipped()


def fail_with(journal: Journal, lines: list[str], invocation: str = "run", pid: int = 100) -> Journal:
    journal.manager("started", invocation, JOB_TYPE="start", JOB_RESULT="done")
    journal.writes(invocation, *lines, pid=pid)
    journal.dies(invocation)
    return journal


def journal_of(lines: list[str]) -> Journal:
    return fail_with(Journal(), lines)


def reported(journal: Journal, known) -> str:
    assembly = assemble(journal.frame())
    return label(assembly.events, assembly.attempts, known).labels["signature"].item()


@pytest.fixture(scope="module")
def reported_failures(known) -> dict[str, str]:
    return {failure: reported(journal_of(lines), known) for failure, lines in SEED.items()}


def fields_text(journal: Journal) -> str:
    return "".join(json.dumps(line) + "\n" for line in journal.lines)


def export_text(journal: Journal) -> str:
    return "\n".join("".join(f"{name}={value}\n" for name, value in line.items()) for line in journal.lines) + "\n"


def verbose_text(journal: Journal) -> str:
    heads = (
        f"Sun 2025-12-07 21:30:00.000000 UTC [s=0;i=1;b=0;m=1;t={int(line['__REALTIME_TIMESTAMP']):x};x=0]\n" for line in journal.lines
    )
    shown = ("".join(f"    {name}={value}\n" for name, value in line.items() if name[:2] != "__") for line in journal.lines)
    return "".join(head + fields for head, fields in zip(heads, shown, strict=True))


def short(journal: Journal, stamp: str, with_unit: bool = False) -> str:
    rows = []
    for line in journal.lines:
        micros = int(line["__REALTIME_TIMESTAMP"])
        when = datetime.fromtimestamp(micros / 1e6, UTC)
        time = stamp.format(unix=f"{micros / 1e6:.6f}", mono=f"[{int(line['__MONOTONIC_TIMESTAMP']) / 1e6:12.6f}]", when=when)
        who = line.get("_SYSTEMD_UNIT", "init.scope") if with_unit else line["SYSLOG_IDENTIFIER"]
        rows.append(f"{time} {line['_HOSTNAME']} {who}[{line['_PID']}]: {line['MESSAGE']}")
    return "\n".join(rows) + "\n"


JOURNALCTL = {
    "short": lambda journal: short(journal, "{when:%b %d %H:%M:%S}"),
    "short-precise": lambda journal: short(journal, "{when:%b %d %H:%M:%S.%f}"),
    "short-iso": lambda journal: short(journal, "{when:%Y-%m-%dT%H:%M:%S+00:00}"),
    "short-iso of 252": lambda journal: short(journal, "{when:%Y-%m-%dT%H:%M:%S+0000}"),
    "short-iso-precise": lambda journal: short(journal, "{when:%Y-%m-%dT%H:%M:%S.%f+01:00}"),
    "short-full": lambda journal: short(journal, "{when:%a %Y-%m-%d %H:%M:%S} UTC"),
    "short-unix": lambda journal: short(journal, "{unix}"),
    "short-monotonic": lambda journal: short(journal, "{mono}"),
    "with-unit": lambda journal: short(journal, "{when:%a %Y-%m-%d %H:%M:%S} UTC", with_unit=True),
    "syslog": lambda journal: short(journal, "<30>{when:%b %e %H:%M:%S}"),
    "in French, quoted": lambda journal: re.sub("(?m)^", "> ", short(journal, "déc. {when:%d %H:%M:%S}")),
    "without a host, listed": lambda journal: re.sub(r"(?m)^(.{15}) \S+", r"- \1", short(journal, "{when:%b %d %H:%M:%S}")),
    "without a date": lambda journal: re.sub(r"(?m)^\S+ \d+ \S+ ", "", short(journal, "{when:%b %d %H:%M:%S}")),
    "GitHub's": lambda journal: short(journal, "{when:%Y-%m-%dT%H:%M:%S}.0000000Z {when:%b %d %H:%M:%S}"),
    "json": fields_text,
    "export": export_text,
    "verbose": verbose_text,
}
CONTAINERS = {
    "cat, or a bare traceback": "{line}",
    "compose": "api-1  | {line}",
    "compose with times": "api-1  | 2025-12-07T21:30:00.123456789Z {line}",
    "docker logs -t": "2025-12-07T21:30:00.123456789Z {line}",
    "kubectl --prefix": "[pod/tabby-6f7/api] {line}",
    "containerd": "2025-12-07T21:30:00.123456789Z stderr F {line}",
    "colours": "\x1b[31m{line}\x1b[0m",
}


@pytest.mark.parametrize("failure", SEED)
@pytest.mark.parametrize("format_", JOURNALCTL)
def test_a_seed_failure_in_every_format_of_journalctl_is_what_the_report_calls_it(known, reported_failures, format_, failure):
    journal = journal_of(SEED[failure])
    text = JOURNALCTL[format_](journal)
    found = explain(text.encode(), known)
    assert found.signature.id == reported_failures[failure]
    assert found.text.split("\n")[0] in text.split("\n")[found.line - 1]


@pytest.mark.parametrize("failure", SEED)
@pytest.mark.parametrize("wrapping", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_seed_failure_without_a_message_of_the_manager_is_what_the_report_calls_it(known, reported_failures, wrapping, failure, end):
    text = end.join(wrapping.format(line=line) for line in SEED[failure]) + end
    found = explain(text.encode(), known)
    assert found.signature.id == reported_failures[failure]
    assert found.text.split("\n")[0] in text.split(end)[found.line - 1]


def test_the_log_lines_of_dockers_own_files_are_unwrapped(known):
    lines = [{"log": f"{line}\n", "stream": "stderr", "time": "2025-12-07T21:30:00.1234567Z"} for line in SEED["torch_abi"]]
    found = explain("\n".join(json.dumps(line) for line in lines).encode(), known)
    assert (found.signature.id, found.line) == ("torch.abi-mismatch", len(lines))


def test_the_stack_in_a_line_of_structlog_is_read(known):
    row = {"event": "start failed", "level": "error", "exception": "\n".join(SEED["torch_abi"]), "timestamp": "2025-12-07T21:30:00Z"}
    found = explain(f'{{"event": "hello", "level": "info"}}\n{json.dumps(row)}\n'.encode(), known)
    assert (found.signature.id, found.line) == ("torch.abi-mismatch", 2)


def examples_of_services(pattern: Pattern) -> list[list[str]]:
    """Return the examples that are lines of a service, each as its lines."""
    plain = (example for example in pattern.examples if not set(example.columns) - {"kind"})
    return [example.message.strip("\n").split("\n") for example in plain if example.columns.get("kind") not in NOT_OF_A_SERVICE]


@pytest.fixture(scope="module")
def examples(known) -> list[tuple[str, Journal]]:
    """Pattern and journal of each example of a service, every one a unit of its own."""
    lines_of = [(pattern.id, lines) for pattern in known.patterns for lines in examples_of_services(pattern)]
    return [
        (pattern, fail_with(Journal(f"example{number}.service"), lines, f"run{number}", pid=100 + number))
        for number, (pattern, lines) in enumerate(lines_of)
    ]


def by_pattern(examples, classes) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {}
    for (pattern, _), signature in zip(examples, classes, strict=True):
        found.setdefault(pattern, []).append(signature)
    return found


@pytest.fixture(scope="module")
def reported_examples(known, examples) -> dict[str, list[str | None]]:
    """Pattern → what the report calls each of its examples, from one journal of all."""
    assembly = assemble(frames([journal for _, journal in examples]))
    labels = label(assembly.events, assembly.attempts, known).labels.join(assembly.attempts.select("attempt", "unit"), on="attempt")
    by_unit = dict(labels.select("unit", "signature").iter_rows())
    return by_pattern(examples, [by_unit[journal.unit] for _, journal in examples])


@pytest.fixture(scope="module")
def explained_examples(known, examples) -> dict[str, list[str | None]]:
    """Pattern → what each of its examples is called as the lines that `journalctl` prints of it."""
    return by_pattern(examples, classes_of([JOURNALCTL["short"](journal) for _, journal in examples], known))


@pytest.mark.parametrize("pattern", [id_of_path(file, PATTERNS) for file in sorted(PATTERNS.rglob("*.toml"))])
def test_each_example_of_a_service_pattern_is_what_the_report_calls_it(explained_examples, reported_examples, pattern):
    assert explained_examples.get(pattern) == reported_examples.get(pattern)


def test_what_many_texts_are_called_at_once_is_what_each_is_called(known, examples):
    """So that the examples may be read together; each seventieth is explained as well."""
    texts = [JOURNALCTL["short"](journal) for _, journal in examples[::70]]
    alone = [explain(text.encode(), known).signature for text in texts]
    assert [signature and signature.id for signature in alone] == classes_of(texts, known)
    assert len(texts) > 10


def test_the_fields_of_an_example_become_the_entries_that_the_report_labels(known):
    """So that each has the class of the report, which labels the same entries in the same way."""
    for journal in [journal_of(lines) for pattern in known.patterns for lines in examples_of_services(pattern)]:
        pasted = entries_of(journal_records(fields_text(journal).encode()), as_found=True)
        assert pasted.drop(OF_A_FILE).equals(journal.frame().drop(OF_A_FILE)), journal.lines


HEALTHY = """\
Nov 23 08:42:07 gpubox systemd[1]: Started tabby.service - TabbyAPI.
Nov 23 08:42:09 gpubox python[2201]: 2026-11-23 08:42:09.100 INFO:     Application startup complete.
Nov 23 08:42:10 gpubox python[2201]: 2026-11-23 08:42:10.443 INFO:     127.0.0.1:51000 - "GET /health HTTP/1.1" 200
"""


@pytest.mark.parametrize(
    "text",
    [
        HEALTHY,
        HEALTHY + "Nov 23 09:00:00 gpubox systemd[1]: Stopping tabby.service - TabbyAPI...\n"
        "Nov 23 09:00:01 gpubox systemd[1]: tabby.service: Deactivated successfully.\n"
        "Nov 23 09:00:01 gpubox systemd[1]: Stopped tabby.service - TabbyAPI.\n",
        "hello\n",
        '{"event": "ready", "level": "info"}\n',
        "[    1.000000] usb 1-1: new high-speed USB device\n[    2.000000] audit: type=1400 ERROR of no consequence\n",
    ],
)
def test_a_healthy_log_has_no_failure(known, text):
    assert explain(text.encode(), known).signature is None


def test_an_exit_without_log_output_is_named_by_the_manager(known):
    text = HEALTHY + (
        "Nov 23 08:43:00 gpubox systemd[1]: tabby.service: Main process exited, code=killed, status=9/KILL\n"
        "Nov 23 08:43:00 gpubox systemd[1]: tabby.service: Failed with result 'signal'.\n"
    )
    found = explain(text.encode(), known)
    assert (found.signature.id, found.line) == ("exit:signal/9", 4)


def test_a_kernel_message_about_a_process_explains_it(known):
    example = known.pattern("gpu.fallen-off-bus").examples[0]
    found = explain(f"[  512.000001] {example.message}\n".encode(), known)
    assert (found.signature.id, found.line) == ("gpu.fallen-off-bus", 1)


def test_of_several_cycles_the_class_of_most_is_shown_and_the_others_are_secondary(known):
    journal = Journal()
    for number, name in enumerate(["torch_abi", "vram_at_load", "torch_abi"]):
        journal.manager("started", f"run{number}")
        journal.writes(f"run{number}", *SEED[name], pid=100 + number)
        journal.dies(f"run{number}")
        journal.manager("restart", f"run{number}", after=10, N_RESTARTS=str(number + 1))
    found = explain(short(journal, "{when:%b %d %H:%M:%S}").encode(), known)
    assert found.signature.id == "torch.abi-mismatch"
    assert "gpu.vram-exhausted" in found.secondary


def test_the_newest_line_may_come_first(known):
    lines = short(journal_of(SEED["torch_abi"]), "{when:%b %d %H:%M:%S.%f}").splitlines()
    found = explain("\n".join(reversed(lines)).encode(), known)
    assert found.signature.id == "torch.abi-mismatch"


@settings(max_examples=60)
@example(b"__REALTIME_TIMESTAMP=")
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_an_error(content):
    explain(content, catalogue.Catalogue(()))


@settings(max_examples=30)
@given(st.lists(st.sampled_from([line for lines in SEED.values() for line in lines] + HEALTHY.splitlines()), max_size=12))
def test_any_mixture_of_lines_is_read_without_an_error(lines):
    explain("\n".join(lines).encode(), catalogue.Catalogue(()))


def test_hostile_lines_change_no_other_lines_label(known):
    lines = SEED["torch_abi"]
    noise = ["a" * 1_000_000, "{" * 50_000, "\x00\x1b[31m\u202e", "[" * 50_000, "Dec 07 21:30:00 " * 20_000]
    assert explain("\n".join([*noise, *lines]).encode(), known).signature.id == "torch.abi-mismatch"
