"""What formatters put before a message is taken away, and the message is left."""

from __future__ import annotations

import polars as pl

from forensics.signatures import prefix

MESSAGE = "No route to backend 'gpu-7' after 30 s"
LINES = [
    # Python
    f"2026-11-23 08:40:43.217 ERROR:    {MESSAGE}",
    f"2026-11-23 08:40:43,217 - app.core - ERROR - {MESSAGE}",
    f"[2026-11-23 08:40:43 +0000] [1234] [ERROR] {MESSAGE}",
    f"[2026-11-23 08:40:43,217: CRITICAL/MainProcess] {MESSAGE}",
    f"[E 2026-11-23 08:40:43.217 ServerApp] {MESSAGE}",
    f"[W 261123 08:40:43 web:12] {MESSAGE}",
    f"2026-11-23 08:40:43.217 ERROR (MainThread) [core] {MESSAGE}".replace(" (MainThread) [core]", ""),
    # Go
    f'time="2026-11-23T08:40:43Z" level=error msg="{MESSAGE}"',
    f'ts=2026-11-23T08:40:43.217Z caller=main.go:12 level=error msg="{MESSAGE}"',
    f'level=error ts=2026-11-23T08:40:43.217Z msg="{MESSAGE}"',
    f"2026-11-23T08:40:43.217Z\terror\texporter/x.go:12\t{MESSAGE}",
    f"2026-11-23T08:40:43.217Z\tERROR\tx.go:12\t{MESSAGE}",
    f"8:40AM ERR {MESSAGE}",
    f"2026-11-23T08:40:43Z FTL {MESSAGE}",
    f"2026-11-23T08:40:43.217Z [ERROR] {MESSAGE}",
    f"2026-11-23T08:40:43Z E! {MESSAGE}",
    f"FATA[0003] {MESSAGE}",
    f"E1123 08:40:43.217000       1 main.go:12] {MESSAGE}",
    # Rust, .NET, Java
    f"2026-11-23T08:40:43.123456Z ERROR {MESSAGE}",
    f"[2026-11-23T08:40:43Z ERROR server::load] {MESSAGE}",
    f"[08:40:43 ERR] {MESSAGE}",
    f"2026-11-23 08:40:43,217 ERROR [main] c.x.Y - {MESSAGE}",
    f"08:40:43.217 [main] ERROR c.x.Y - {MESSAGE}",
    f"08:40:43.217 [http-nio-8080-exec-1] ERROR com.acme.Server$Inner - {MESSAGE}",
    f"2026-11-23T08:40:43.217+01:00 ERROR 12 --- [           main] o.s.b.d.Reporter   : {MESSAGE}",
    f"[2026-11-23T08:40:43,217][ERROR][o.e.b.Elasticsearch    ] {MESSAGE}",
    f"23-Nov-2026 08:40:43.217 SEVERE [main] {MESSAGE}",
    f"2026-11-23 08:40:43,217 [myid:] - ERROR [main:QuorumPeerMain@1] - {MESSAGE}",
    f"[2026-11-23 08:40:43,217] ERROR {MESSAGE}",
    # servers
    f"nginx: [emerg] {MESSAGE}",
    f"2026/11/23 08:40:43 [error] 12#12: *1 {MESSAGE}",
    f"[Mon Nov 23 08:40:43.123456 2026] [core:error] [pid 12:tid 34] {MESSAGE}",
    f"[ALERT]    (12) : {MESSAGE}",
    f"2026/11/23 08:40:43 kid1| FATAL: {MESSAGE}",
    f"[1732000000] unbound[12:0] error: {MESSAGE}",
    f"1732000000: {MESSAGE}",
    f"[!] {MESSAGE}",
    f"Nov 23 08:40:43.000 [err] {MESSAGE}",
    f"[2026-11-23 08:40:43.217][12][critical][main] {MESSAGE}",
    f"2026.11.23 08:40:43.000000 [ 12 ] {{}} <Error> {MESSAGE}",
    f"[2026/11/23 08:40:43.123456,  0] ../../source3/smbd/server.c:12(main) {MESSAGE}",
    # databases and queues
    f"2021-10-30 17:34:42 0 [ERROR] {MESSAGE}",
    f"2021-10-30  7:34:42 0 [Warning] {MESSAGE}",
    f"2026-11-23T08:40:43.123456Z 0 [ERROR] [MY-010119] [Server] {MESSAGE}",
    f"2026-11-23 08:40:43.217 UTC [12] FATAL:  {MESSAGE}",
    f"2026-11-23 08:40:43.217 CET [12] LOG:  {MESSAGE}",
    f"2026-11-23 08:40:43.217 UTC [12] app@db FATAL:  {MESSAGE}",
    f"12:M 23 Nov 2026 08:40:43.217 # {MESSAGE}",
    f"2026-11-23 08:40:43.123456+00:00 [error] <0.12.0> {MESSAGE}",
    # syslog within the message, the kernel, sd-daemon
    f"Nov 23 08:40:43 host app[12]: {MESSAGE}",
    f"postfix/master[12]: {MESSAGE}",
    f"[   12.345678] {MESSAGE}",
    f"<3>{MESSAGE}",
    f"  {MESSAGE}  ",
]
# No formatter wrote what stands first here.
KEPT = [
    "ValueError: bad 3",
    "Error: listen tcp: no",
    "main.py: error: argument --port: no",
    "foo.service: Failed",
    "[system] Activating service",
    "Infos are gone",
    "Trace of worker 3 is lost",
    "error while loading shared libraries: x",
    "ERRORS found",
]


def stripped(lines: list[str]) -> list[str]:
    return pl.DataFrame({"line": lines}).select(prefix.without_prefix(prefix.without_control(pl.col("line")))).to_series().to_list()


def test_the_message_is_left() -> None:
    left = zip(LINES, stripped(LINES), strict=True)
    assert {line: message for line, message in left if message != MESSAGE} == {}


def test_what_no_formatter_wrote_is_kept() -> None:
    assert stripped(KEPT) == KEPT
