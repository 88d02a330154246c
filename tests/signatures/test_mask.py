"""Keys: one message under any formatter and with any values has one key; another diagnostic number or word changes it."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.signatures import mask


def key(text: str) -> str:
    return str(mask.keys(pl.Series([text]))[0])


PIECES = st.sampled_from(
    [
        "ERROR: ",
        "2026-11-23 08:40:43.217 ",
        "[core.py:12] ",
        "'a1'",
        '"/x/1"',
        "errno 98",
        " 12 ",
        "3.5 GiB",
        "10.0.0.1:80",
        "/srv/a/b",
        "0xff",
        "‹",
        "›",
        "\x1b[31m",
        "failed",
        "http://h:1/x",
        "<n>",
        "deadbeef0123",
        "::1",
        "\n",
        "status=3 ",
        "(a pid=3) ",
        "name - ERROR - ",
        "pid=12 ",
        'name="a b" ',
        "res=failed ",
        "ok=true ",
        "OUT= ",
        "sig=11 ",
        "\u202e",
        "é",
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=60))
def test_masking_a_key_changes_nothing(text: str) -> None:
    once = key(text)
    assert key(once) == once


@given(st.lists(PIECES, max_size=8).map("".join), st.lists(PIECES, max_size=8).map("".join))
def test_a_key_does_not_depend_on_other_texts(one: str, other: str) -> None:
    assert mask.keys(pl.Series([other, one]))[1] == key(one)


@settings(max_examples=60)
@given(st.lists(st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=30), max_size=30), st.integers(min_value=1, max_value=7))
def test_one_line_per_batch_and_all_at_once_give_the_same_keys(texts: list[str], size: int) -> None:
    alone = [key(text) for text in texts]
    batches = [mask.keys(pl.Series(texts[at : at + size], dtype=pl.String)) for at in range(0, len(texts), size)]
    assert [masked for batch in batches for masked in batch] == alone
    assert mask.keys(pl.Series(texts, dtype=pl.String)).to_list() == alone


MESSAGE = "No route to backend 'gpu-7' after 30 s"


@pytest.mark.parametrize(
    "line",
    [
        f"2026-11-23 08:40:43.217 ERROR:    {MESSAGE}",
        f"2026-11-23 08:40:43,217 - app.core - ERROR - {MESSAGE}",
        f"2026-11-23 08:40:43.217 | ERROR    | app.core:main:12 - {MESSAGE}",
        f"ERROR:app.core:{MESSAGE}",
        f"ERROR:    {MESSAGE}",
        f"[ERROR] {MESSAGE}",
        f"ERROR 11-23 09:15:00 [core.py:123] {MESSAGE}",
        f"(EngineCore pid=123) ERROR 11-23 09:15:00 [core.py:123] {MESSAGE}",
        f"E1123 09:15:00.123456  1234 file.cc:33] {MESSAGE}",
        f"[2026-11-23 08:40:43 +0000] [1234] [ERROR] {MESSAGE}",
        f"2026-11-23T08:40:43.123456Z ERROR {MESSAGE}",
        f"Nov 23 08:40:43 {MESSAGE}",
        f"[08:40:43] ERROR {MESSAGE}",
        f"\x1b[1;31mERROR\x1b[0m: {MESSAGE}",
        f"  {MESSAGE.replace('gpu-7', 'gpu-12').replace('30', '3.5')}  ",
    ],
)
def test_the_same_message_under_another_formatter_is_the_same_kind(line: str) -> None:
    assert key(line) == key(MESSAGE)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("worker 12 took 3.5 GiB", "worker 3 took 512 MiB", "numbers and sizes"),
        ("cannot open /srv/models/a/config.json", "cannot open ~/x.bin", "paths"),
        ("peer 10.0.0.1:8000 is gone", "peer 192.168.1.20 is gone", "addresses"),
        ("job 6f1ed002-ab59-4a7c-8c0e-0d1e2f3a4b5c died", "job 00000000-0000-4000-8000-000000000001 died", "uuids"),
        ("at 0x7f39 in f", "at 0x55d0c1 in f", "hex addresses"),
        ("model 'Qwen3-32B' is gone", "model 'Llama-3.1-8B' is gone", "quoted values"),
        ("got https://a.example/x?y=1 back", "got http://b.example:80/ back", "addresses of pages"),
        ("shapes 2x5 and 4x4", "shapes 12x5 and 4x48", "numbers inside words"),
        ("since 2026-11-23 08:40:43 nothing", "since 2025-01-02T10:00:00Z nothing", "times in the middle"),
        ("block 7f3a2 is bad", "block 1234567890 is bad", "a hexadecimal number of decimal digits"),
        ("moved by -3 mm", "moved by 14 mm", "signs"),
        ("link 00:1b:44:11:3a:b7 is lost", "link a4-83-e7-00-00-01 is lost", "hardware addresses"),
        ("sent 0 bytes at once", "sent 1293 bytes (1.26 KB) at once", "a size in two units"),
        ("lived for <1 sec, then died", "lived for 20 sec, then died", "durations"),
        ("no answer from db1.example.com:5432", "no answer from cache-7.lan", "hosts"),
        (r"cannot read C:\models\a.bin", r"cannot read D:\x\y\z", "paths of another system"),
        ("ids 1, 2, 3 are bad", "ids 4, 5, 6, 7, 8 are bad", "lists of numbers"),
    ],
)
def test_values_do_not_make_another_kind(one: str, other: str, why: str) -> None:
    assert key(one) == key(other), why


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("OSError: [Errno 28] No space", "OSError: [Errno 122] No space", "errno"),
        ("child exited with code 1", "child exited with code 2", "exit code"),
        ("worker got signal 9", "worker got signal 11", "signal"),
        ("Main process exited, status=3/X", "Main process exited, status=4/X", "status"),
        ("NVRM: Xid (PCI:0000:38:00): 79, gone", "NVRM: Xid (PCI:0000:38:00): 13, gone", "Xid"),
        ("CUDA error 700 at a.cu:12", "CUDA error 209 at a.cu:12", "CUDA error"),
        ("cuDNN error: 4 in f", "cuDNN error: 8 in f", "cuDNN error"),
        ("upstream said 503 Service Unavailable", "upstream said 401 Unauthorized", "HTTP status"),
        ("no route over IPv4", "no route over IPv6", "a protocol's version"),
        ("VM started", "VM paused", "opposite words"),
        ("java.io.IOException: closed", "java.net.SocketException: closed", "a class is not a host"),
        ("state is 'started'", "state is 'paused'", "opposite quoted words"),
        ('"GET /a/1" refused', '"DELETE /a/1" refused', "the verb in a quoted request"),
    ],
)
def test_what_names_the_problem_makes_another_kind(one: str, other: str, why: str) -> None:
    assert key(one) != key(other), why


AUDIT = (
    'audit: type=1400 audit(1753325024.836:58): apparmor="{}" operation="{}" profile="{}" name="{}" pid={} comm="{}" '
    'requested_mask="{}" ouid=0'
)
FILTER = "[UFW BLOCK] IN={} OUT= MAC=00:1b:44:11:3a:b7 SRC={} DST=10.0.0.2 LEN=40 TTL={} ID=5{} PROTO=TCP SPT={} DPT=23 {}URGP=0"


def test_a_line_of_assignments_is_of_one_kind_by_its_keys() -> None:
    lines = [
        AUDIT.format("DENIED", "open", "/usr/sbin/ntpd", "/snap/bin/", 12, "ntpd", "r"),
        AUDIT.format("DENIED", "file_mmap", "snap.editor.editor", "/etc/x y", 4711, "Web Content", "rm"),
    ]
    assert key(lines[0]) == key(lines[1])
    assert key(FILTER.format("eth0", "10.0.0.1", 242, 1, 5, "SYN ")) == key(FILTER.format("wlan0", "192.168.3.4", 4, 22, 12345, "ACK PSH "))
    assert key("slow query db=orders by=joe took=3.2s table=items") == key("slow query db=stock by=ann took=900ms table=parts")


AVC = 'type=AVC msg=audit({}:7): avc:  denied  {{ {} }} for  pid={} comm="{}" name="{}" scontext=a:b:{} tclass=file permissive=0'
CALL = "type=SYSCALL msg=audit(17.5:{0}): arch=c000003e success=yes exit={0} a0={0:x} ppid={0} tty={1} ses={0} comm={2} subj={3} key={4}"
PAM = "authentication failure; logname={} uid={} euid=0 tty={} ruser={} rhost={} user=root"
ICMP = "DROP: IN={} OUT= SRC=10.0.0.{} DST=10.0.0.2 LEN=84 TTL=4 ID=5 PROTO=ICMP TYPE={} CODE={} ID=8 SEQ=1"
REQUEST = 'level=error msg="the request to the server failed after several retries" pool={} host={} owner={} tags={}'
ACCOUNT = "type=USER_AUTH msg=audit(17.5:9): pid=4 uid=0 msg='op=login grantors={} acct=\"{}\" hostname={} terminal=ssh res=failed'"


@pytest.mark.parametrize(
    ("template", "one", "other"),
    [
        (AVC, (123.45, "read", 1, "httpd", "a", "httpd_t:s0"), (99.1, "read write open", 4711, "my app", "b.c", "x_t:s0:c1,c22")),
        (CALL, (3, "(none)", '"sh"', "unconfined", "(null)"), (4711, "pts0", '"Web Content"', "snap.editor (enforce)", '"watched"')),
        (PAM, ("", 0, "ssh", "", "10.0.0.1"), ("ann", 1000, "/dev/pts/0", "joe", "www.example.net")),
        (ICMP, ("eth0", 1, 8, 0), ("wlan0", 17, 3, 13)),
        (REQUEST, ("blue", "alpha", "null", "[a, b]"), ("green", '"my host"', '"Ann \\"A\\" B"', "[]")),
        (ACCOUNT, ("?", "ann", "?"), ("pam_permit,pam_unix", "joe", "10.0.0.1")),
    ],
)
def test_whatever_it_assigns_a_line_with_a_run_of_assignments_is_of_one_kind(template: str, one: tuple, other: tuple) -> None:
    lines = mask.keys(pl.Series([template.format(*one), template.format(*other)]))
    assert lines[0] == lines[1]
    assert mask.keys(lines).equals(lines)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (AUDIT.format("DENIED", *"abcdef"), AUDIT.format("ALLOWED", *"abcdef"), "what was decided"),
        ("login uid=0 tty=x host=a res=failed", "login uid=0 tty=x host=a res=success", "how it went"),
        ("tick a=1 b=2 c=3 ready=true", "tick a=1 b=2 c=3 ready=false", "states"),
        ("a=1 b=2 c=3 d=4", "a=1 b=2 c=3 e=4", "keys"),
        ("died a=x b=y c=z sig=11", "died a=x b=y c=z sig=9", "the signal"),
        ('a=x b=y c=z err="no route"', 'a=x b=y c=z err="no space"', "the error's text"),
        (ICMP.format("eth0", 1, 8, 0), ICMP.replace("IN={} OUT=", "IN= OUT={}").format("eth0", 1, 8, 0), "whether a packet comes or goes"),
        (AVC, AVC.replace("denied", "granted"), "what SELinux decided"),
        ("loaded model=llama onto gpu=first", "loaded model=llama onto gpu=second", "two assignments in a sentence"),
    ],
)
def test_what_an_assignment_says_makes_another_kind(one: str, other: str, why: str) -> None:
    assert key(one) != key(other), why


def test_an_exception_type_is_not_a_log_prefix() -> None:
    assert key("ValueError: bad 3").startswith("ValueError: bad")


def test_a_megabyte_of_text_costs_what_its_beginning_costs() -> None:
    assert key("x" * 1_000_000) == "x" * mask.LONGEST


def test_an_id_is_sixteen_hex_digits_of_the_key() -> None:
    assert mask.mined_id("no such thing <n>") == "mined:ca3947c85e551c9a"


def test_a_title_is_the_key_without_guards_cut_to_its_length() -> None:
    short, long = mask.titles(pl.Series(["[Errno ‹28›] No space", "word " * 60]))
    assert short == "[Errno 28] No space"
    assert len(long) == mask.TITLE_LENGTH
    assert long.endswith("…")
