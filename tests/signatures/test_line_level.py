"""Which level the marks of loggers and the forms of programs give a line."""

from __future__ import annotations

import polars as pl
import pytest

from forensics.signatures import line_level
from forensics.signatures.line_level import ERROR, FATAL, NONE, ORDINARY, WARNING

LEVELS = [
    # Python: logging, loguru, uvicorn, gunicorn, Celery, Jupyter, warnings
    ("ERROR: no such model", ERROR),
    ("2026-11-23 08:40:43.217 ERROR:    Ports are gone", ERROR),
    ("2026-11-23 08:40:43 | CRITICAL | app - gone", FATAL),
    ("[2026-11-23 08:40:43 +0000] [12] [ERROR] Connection in use: ('127.0.0.1', 80)", ERROR),
    ("[2026-11-23 08:40:43,123: CRITICAL/MainProcess] Unrecoverable error", FATAL),
    ("[E 2026-11-23 08:40:43.123 ServerApp] cannot serve", ERROR),
    ("[I 2026-11-23 08:40:43.123 ServerApp] Serving notebooks", ORDINARY),
    ("/srv/app.py:3: UserWarning: Failed to load image Python extension", WARNING),
    ("WARNING:urllib3.connectionpool:Retrying after 'NewConnectionError: refused'", WARNING),
    ("INFO: 0 errors, all fine", ORDINARY),
    ("2026-11-23 08:45:13.985 INFO:     The 'config.yml' file cannot be found", ORDINARY),
    ("\x1b[31mERROR\x1b[0m could not load", ERROR),
    # Go: klog, logrus, zap, zerolog, hclog, Telegraf, logfmt
    ('2026/07/07 01:15:58 [error] 4251#4251: *277 the rewritten URI has a zero length, request: "GET /a HTTP/1.1"', ERROR),
    ("E1123 09:15:00.123456  1234 file.cc:33] bad", ERROR),
    ("F0501 12:00:00.000000       1 main.go:12] no configuration", FATAL),
    ("E20261123 09:15:00.123456 1234 file.cc:33] bad", ERROR),
    ("I0501 12:00:00.000000       1 main.go:12] err was nil", ORDINARY),
    ('time="2026-11-23T09:00:00Z" level=fatal msg="no such host"', FATAL),
    ('ts=2026-11-23T09:00:00Z caller=main.go:12 level=error msg="opening storage failed"', ERROR),
    ('logger=settings t=2026-11-23T09:00:00Z lvl=eror msg="no"', ERROR),
    ("level=info msg=ready", ORDINARY),
    ("FATA[0003] cannot bind", FATAL),
    ("INFO[0003] starting", ORDINARY),
    ("2026-11-23T09:00:00.000Z\terror\texporter/x.go:12\tno route", ERROR),
    ("2026-11-23T09:00:00.000Z\tINFO\tx.go:12\tready", ORDINARY),
    ('9:00AM FTL cannot start error="bind: address already in use"', FATAL),
    ("2026-11-23T09:00:00Z ERR field error", ERROR),
    ("9:00AM INF ready", ORDINARY),
    ("2026-11-23T09:00:00.000Z [ERROR] agent: startup error", ERROR),
    ("2026-11-23T09:00:00Z E! [inputs.cpu] failed", ERROR),
    ("2026-11-23T09:00:00Z I! Starting Telegraf", ORDINARY),
    # JSON: zap, pino, bunyan, MongoDB, Serilog, ECS, GELF
    ('{"level": "error", "msg": "gone"}', ERROR),
    ('{"level":50,"time":1732000000000,"pid":1,"msg":"gone"}', ERROR),
    ('{"level":60,"msg":"gone"}', FATAL),
    ('{"level":30,"msg":"error budget"}', ORDINARY),
    ('{"t":{"$date":"2026-11-23T09:00:00"},"s":"E",  "c":"STORAGE","msg":"WiredTiger error"}', ERROR),
    ('{"t":{"$date":"2026-11-23T09:00:00"},"s":"F",  "c":"-","msg":"aborting after fassert"}', FATAL),
    ('{"t":{"$date":"2026-11-23T09:00:00"},"s":"I",  "c":"CONTROL","msg":"started"}', ORDINARY),
    ('{"@t":"2026-11-23T09:00:00","@l":"Error","@m":"gone"}', ERROR),
    ('{"@timestamp":"2026-11-23T09:00:00","log.level":"ERROR","message":"gone"}', ERROR),
    # Node, npm, .NET, Serilog
    ("error: gone", ERROR),
    ("npm ERR! code ENOENT", ERROR),
    ("npm error code ENOENT", ERROR),
    ("fail: Microsoft.Hosting[0]", ERROR),
    ("crit: Microsoft.AspNetCore.Server.Kestrel[0]", FATAL),
    ("info: Microsoft.Hosting.Lifetime[14]", ORDINARY),
    ("[09:00:00 FTL] gone", FATAL),
    ("[09:00:00 INF] ready", ORDINARY),
    # Java: logback, log4j, JUL, Spring, Elasticsearch, Tomcat, Kafka, ZooKeeper
    ("2026-11-23 09:00:00,123 ERROR [main] c.x.Y - gone", ERROR),
    ("09:00:00.123 [main] ERROR c.x.Y - gone", ERROR),
    ("2026-11-23T09:00:00.123+01:00 ERROR 12 --- [main] o.s.b.d.LoggingFailureAnalysisReporter : gone", ERROR),
    ("[2026-11-23T09:00:00,123][ERROR][o.e.b.Elasticsearch    ] [node] fatal exception while booting", ERROR),
    ("[2026-11-23T09:00:00,123][INFO ][o.e.n.Node             ] [node] started", ORDINARY),
    ("23-Nov-2026 09:00:00.123 SEVERE [main] org.apache.catalina.core.StandardService.initInternal gone", ERROR),
    ("2026-11-23 09:00:00,123 [myid:] - ERROR [main:QuorumPeerMain@1] - Invalid config", ERROR),
    # servers
    ("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", FATAL),
    ("2026/11/23 09:00:00 [error] 12#12: *1 open() failed", ERROR),
    ("2026/11/23 09:00:00 [notice] 12#12: signal process started", ORDINARY),
    ("[Mon Nov 23 09:00:00.123456 2026] [core:error] [pid 12:tid 34] AH00526: gone", ERROR),
    ("[Mon Nov 23 09:00:00.123456 2026] [mpm_event:notice] [pid 12:tid 34] AH00489: configured", ORDINARY),
    ("[ALERT]    (12) : [haproxy.main()] Cannot bind", FATAL),
    ("[WARNING]  (12) : config : no timeouts", WARNING),
    ("[NOTICE]   (12) : haproxy version is 2.6", ORDINARY),
    ("2026/11/23 09:00:00 kid1| FATAL: Bungled squid.conf line 3", FATAL),
    ("fatal: open lock file /var/lib/postfix/master.lock: Permission denied", FATAL),
    ("postfix/master[12]: panic: gone", FATAL),
    ("postfix/master[12]: warning: gone", WARNING),
    ("doveconf: Fatal: Error in configuration file /etc/dovecot/dovecot.conf line 3", FATAL),
    ("master: Error: service(imap-login): listen(*, 143) failed: Address already in use", ERROR),
    ("general: error: managed-keys-zone: no", ERROR),
    ("/etc/bind/named.conf.options:3: unknown option 'frob'", ERROR),
    ("[1732000000] unbound[12:0] error: can't bind socket: Address already in use for 127.0.0.1 port 53", ERROR),
    ("[1732000000] unbound[12:0] fatal error: could not open ports", FATAL),
    ("1732000000: Error: Address already in use", ERROR),
    ("1732000000: mosquitto version 2.0 starting", NONE),
    ("Options error: Unrecognized option or missing parameter(s) in [CMD-LINE]:1: frob", ERROR),
    ("Nov 23 09:00:00.000 [err] Reading config failed--see warnings above.", ERROR),
    ("2026.11.23 09:00:00.000000 [ 12 ] {} <Error> Application: DB::Exception: gone", ERROR),
    ("[2026-11-23 09:00:00.123][12][critical][main] [source/server/server.cc:1] error initializing configuration", FATAL),
    ("2026-11-23 09:00:00,123 CRIT could not open logfile", FATAL),
    ("[Nov 23 09:00:00] ERROR[12]: loader.c:12 load_resource: gone", ERROR),
    # databases and queues
    ('2026-11-23 09:00:00.123 UTC [12] FATAL:  could not create lock file "postmaster.pid": Permission denied', FATAL),
    ("2026-11-23 09:00:00.123 UTC [12] PANIC:  could not locate a valid checkpoint record", FATAL),
    ("2026-11-23 09:00:00.123 UTC [12] LOG:  could not bind IPv4 address", NONE),  # the cause, though only LOG
    ("2026-11-23T09:00:00.123456Z 0 [ERROR] [MY-010119] [Server] Aborting", ERROR),
    ("2026-11-23  9:00:00 0 [ERROR] InnoDB: gone", ERROR),
    ("2026-11-23  9:00:00 0 [Note] InnoDB: Completed initialization", ORDINARY),
    ("2026-11-23T09:00:00.123456Z 0 [Warning] [MY-010068] [Server] CA certificate is self signed", WARNING),
    ("12:M 23 Nov 2026 09:00:00.123 # Can't open or create append-only dir: Permission denied", ERROR),
    ("12:M 23 Nov 2026 09:00:00.123 # Warning: Could not create server TCP listening socket *:6379: bind: Address already in use", ERROR),
    ("12:M 23 Nov 2026 09:00:00.123 # WARNING Memory overcommit must be enabled! Without it, a save may fail", WARNING),
    ("12:M 23 Nov 2026 09:00:00.123 * Ready to accept connections", ORDINARY),
    ("2026-11-23 09:00:00.123456+00:00 [error] <0.12.0> BOOT FAILED", ERROR),
    ("2026-11-23 09:00:00.123 [erro] <0.12.0> gone", ERROR),
    ("=ERROR REPORT==== 23-Nov-2026::09:00:00 ===", ERROR),
    ("[2026/11/23 09:00:00.967850,  0] source3/passdb/secrets.c:67(secrets_init_path) Failed to open /srv/secrets.tdb", ERROR),
    ("[2026/11/23 09:00:00.967850,  0] source3/smbd/server.c:1971(main)   smbd version 4.22 started.", NONE),
    ('[!] /etc/stunnel/mail.conf:6: "clint = no": Specified option name is not valid here', ERROR),
    ("[ ] Cleaning up context [imaps]", ORDINARY),
    # the system
    ("<3>disk is gone", ERROR),
    ("<6>disk is there", ORDINARY),
    ("E: Unable to locate package x", ERROR),
    ("W: Target Packages is configured multiple times", WARNING),
    ("[    12.345] (EE) no screens found", ERROR),
    ("[    12.345] (WW) no mouse", WARNING),
    ("[drm:intel_dp [i915]] *ERROR* link training failed", ERROR),
    ("s6-rc: info: service whisper successfully started", ORDINARY),
    ("s6-rc: fatal: unable to take locks: Resource busy", FATAL),
    ("PHP Warning:  Module already loaded in Unknown on line 0", WARNING),
    ("PHP Notice:  file_put_contents(): write of 8192 bytes failed with errno=28 No space left on device in /srv/x.php on line 3", NONE),
    ("PHP Fatal error:  Uncaught App\\Exceptions\\Gone: no in /srv/x.php:3", FATAL),
    ("!!! no python application found, check your startup logs !!!", ERROR),
    # forms without a level
    ("panic: runtime error: index out of range", FATAL),
    ("Error: listen tcp: no", ERROR),
    ("main.py: error: argument --port: invalid int value: 'x'", ERROR),
    ("ValueError: bad", ERROR),
    ("pkg.mod.SomeError", ERROR),
    ("llama_model_load: error loading model: missing tensor", ERROR),
    ("terminate called after throwing an instance of 'std::bad_alloc'", FATAL),
    ("thread 'main' panicked at src/main.rs:3:5:", FATAL),
    ("Fatal Python error: Segmentation fault", FATAL),
    ("/opt/venv/bin/python: can't open file '/srv/server.py': [Errno 2] No such file or directory", ERROR),
    ("Failed to open the database", ERROR),
    ("Traceback (most recent call last):", ERROR),
    ("warning: failed to mlock 4096-byte buffer", WARNING),
    ("/etc/app.conf:9: Unknown key 'x' in section [Service], ignoring.", WARNING),
    ("Couldn't write '16' to 'kernel/sysrq', ignoring: No such file or directory", WARNING),
    ("could not open the list, using an empty one", WARNING),
    ("could not open the socket /run/a.sock, using it is impossible: refused", ERROR),
    ("2026/11/23 09:00:00 routers/init.go:85:initEngine() [E] attempt #8/15 failed", ERROR),
    ("2026/11/23 09:00:00 routers/init.go:79:initEngine() [I] attempt #8/15...", ORDINARY),
    ("Error! App '1' state is 0x6 after update job.", ERROR),
    ("2026-11-23 09:00:00,757 INFO exited: app (exit status 127; not expected)", ERROR),
    ("2026-11-23 09:00:00,757 INFO exited: app (exit status 0; expected)", ORDINARY),
    ("[09:00:00] INFO: Service exited with code 256 (by signal 4)", ERROR),
    ("2026-11-23 09:00:00,757 INFO spawnerr: can't find command '/srv/app'", ERROR),
    # everyday output
    ("2026-11-23 09:00:00,757 CRIT Supervisor running as root (no user in config file)", ORDINARY),
    ('INFO:     127.0.0.1:51146 - "GET /error HTTP/1.1" 500', ORDINARY),
    ('127.0.0.1 - - [23/Nov/2026 09:38:57] "GET / HTTP/1.1" 200 -', ORDINARY),
    ("ERROR: ld.so: object '/x.so' from LD_PRELOAD cannot be preloaded (cannot open shared object file): ignored.", ORDINARY),
    ("DEBUG 11-23 x", ORDINARY),
    ("Loading model modules", NONE),
    ("training error 0.013", NONE),
    ("errors.log rotated", NONE),
    ("starting with log level=error", NONE),
    ("[system] Activating service name='org.x'", NONE),
    ("giving up on the queue", NONE),
    ("", NONE),
]


@pytest.fixture(scope="module")
def levels() -> dict[str, int]:
    lines = pl.DataFrame({"text": [line for line, _ in LEVELS]})
    return dict(lines.select("text", line_level.level(pl.col("text"))).iter_rows())


@pytest.mark.parametrize(("line", "level"), LEVELS)
def test_a_line_has_the_level_of_its_mark_or_form(levels: dict[str, int], line: str, level: int) -> None:
    assert levels[line] == level


def test_what_is_asked_of_a_level_agrees_with_it() -> None:
    lines = pl.DataFrame({"text": ["FATAL: x", "ERROR: x", "WARN: x", "x", "INFO: x"]})
    asked = (line_level.reports_error, line_level.warns, line_level.is_ordinary)
    answers = lines.select(rule(pl.col("text")).alias(rule.__name__) for rule in asked)
    assert answers["reports_error"].to_list() == [True, True, False, False, False]
    assert answers["warns"].to_list() == [False, False, True, False, False]
    assert answers["is_ordinary"].to_list() == [False, False, False, False, True]


def test_a_mark_far_behind_is_no_level() -> None:
    assert pl.select(line_level.level(pl.lit("word " * 30 + "ERROR: x"))).item() == NONE
