"""What the words of a line make of it: complaint, farewell, rollback, wrapper, recovery, retry, hint."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from forensics.signatures.line_wording import announces, complains, is_farewell, is_hint, is_rollback, is_wrapper, recovers, retries

Question = Callable[[pl.Expr], pl.Expr]

COMPLAINTS = """\
RTNETLINK answers: Operation not permitted
write error: No space left on device
mount: /mnt: target is busy.
s6-rc: fatal: unable to take locks: Resource busy
read(): Connection reset by peer
write: broken pipe
accept: too many open files
runtime: out of memory: cannot allocate 4096-byte block
Killed
Illegal instruction
database "app" does not exist
mount: pstore already mounted on /sys/fs/pstore.
listen tcp :80: bind: address already in use
container name "/web" is already in use
role "app" already exists
daemon is already running as process 12
app: unrecognized arguments: --frob
unknown option 'frob'
Unknown argument --frob
/usr/bin/wg-quick: line 31: resolvconf: command not found
sudo: a password is required but there is no terminal
version mismatch: library 3, program 4
certificate has expired
data directory was initialized by an incompatible version
unexpected end of file
symbol lookup error: undefined symbol: foo
unknown variable 'innodb_frob=1'
connect: no route to host
merge conflict in the state
the frobnicator cannot reach its widget
key is not a valid base64 string
user.conf is not readable
the directory is not empty and not owned by the user
Permissions 0644 for '/etc/ssh/key' are too open.
Timeout waiting for the lock
dial tcp 127.0.0.1:5432: connect: connection refused
invalid argument
free(): double free detected in tcache 2
*** stack smashing detected ***: terminated
/srv/app/run.sh: line 4: REPORT_TARGET: unbound variable
tar: /srv/out/all.tar: Wrote only 6144 of 10240 bytes
sshd: no hostkeys available -- exiting.
  what():  calibration of channel7: map::at
lua: rules.lua:4: attempt to index a nil value (field 'action')
clients.conf[388]: EOF reached without closing brace for section client
Neither a valid executable name nor an absolute path: ./run.sh
java.lang.NumberFormatException: For input string: "ten"
probe: port 9100 does not answer
no frob to be found at /srv/app/x.pl line 31.
""".splitlines()
NO_COMPLAINTS = """\
0 errors, 3 warnings
finished without errors
failed=0 ok=12
errors: 0
connection timeout set to 30 s
timeout=30
access_log /var/log/app/access.log, error_log /var/log/app/error.log
Configured failover group
Loaded 12 modules
listening on 0.0.0.0:8080
Reached target network
started worker 3
Using cache directory /var/cache/app
mode of the file expected=-rw-r-----
SQLite database file has broader permissions than it should
""".splitlines()
FAREWELLS = """\
Exiting.
Application startup failed. Exiting.
Aborting
Shutting down
Server startup failed
nginx: configuration file /etc/nginx/nginx.conf test failed
/etc/ssh/sshd_config: terminating, 1 bad configuration options
Failed to start nginx.service - A high performance web server.
FAILED to start up
exiting with code 1
error: process exited with code 3
Exited with code 137
Service exited with code 256 (by signal 4)
npm ERR! errno 1
npm ERR! A complete log of this run can be found in:
npm error Lifecycle script `start` failed with error:
make: *** [Makefile:3: all] Error 2
error Command failed with exit code 1.
Main process ended with status 1
database system is shut down
exiting (due to fatal error)
Fatal errors occurred
Exiting due to fatal error
Process completed with exit code 1.
Terminated
nginx: configuration file /etc/nginx/nginx.conf test failed
sensord: giving up
Shutting down: Master
Fatal errors found in configuration.
Error(s) found in configuration file : /etc/haproxy/haproxy.cfg
tar: Error is not recoverable: exiting now
exited: grafana (exit status 1; not expected)
gave up: grafana entered FATAL state, too many start retries too quickly
===========
""".splitlines()
NO_FAREWELLS = """\
No such model
Failed to start server: bind: address already in use
Failed to start: /etc/app.conf: line 3: no such key
Aborting: /etc/app.conf is not readable
host not found in upstream "app"
could not open the pid file
Exit hook /srv/x is missing
npm ERR! Missing script: "start"
npm error code ENOENT
""".splitlines()
ROLLBACKS = """\
[#] ip link delete dev wg0
Removing stale pid file
cleaning up
Releasing 3 locks
Closing database connections
Unmounting /mnt/x
Stopping worker pool
Disconnected
connection pool has been closed
All workers stopped
""".splitlines()
NO_ROLLBACKS = """\
resolvconf: command not found
Cannot remove /srv/x: permission denied
unable to close the file
[#] ip link add wg0 type wireguard
""".splitlines()
WRAPPERS = """\
Reading config failed--see warnings above.
Errors reading or parsing /etc/freeradius/3.0/radiusd.conf
CRASH REPORT Process <0.156.0> with 0 neighbours exited with reason: gone
BEGIN failed--compilation aborted at /srv/app/main.pl line 3.
loading configuration: failure
Plugin 'InnoDB' init function returned error.
Plugin 'InnoDB' registration as a STORAGE ENGINE failed.
Unknown/unsupported storage engine: InnoDB
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
Initialization failed
Server could not start.
Reason: Worker failed to boot.
Worker (pid:12) exited with code 3
child process 12 exited with exit code 1
An error occurred
Application run failed
failed to initialize the database
Plugin initialization aborted with error Generic error
AH00015: Unable to open logs
nginx: [emerg] still could not bind()
fatal: Cannot bind any address.
could not create any TCP/IP sockets
configuration file "/etc/postgresql/17/main/postgresql.conf" contains errors
could not load /etc/postgresql/17/main/pg_hba.conf
startup process (PID 120) was terminated by signal 6: Aborted
Fatal error loading the DB, check server logs. Exiting.
Exception in worker process
Action 'start' failed.
Unable to read "/etc/cups/cups-files.conf" due to errors.
Emitted 'error' event on Server instance at:
""".splitlines()
NO_WRAPPERS = """\
Initialization failed: no such table: users
Could not start server: bind: address already in use
failed to open /srv/x: Permission denied
Bad configuration option: Foo
Failed to open /srv/samba/private/secrets.tdb
Address already in use
""".splitlines()
RECOVERED = """\
connected
Reconnected to redis after 3 attempts
Connection established
connection to database restored
Server is ready
Ready to accept connections
listening on 0.0.0.0:8080
Upload succeeded
Startup complete
database system is ready to accept connections
""".splitlines()
NOT_RECOVERED = """\
not connected
disconnected
could not be connected
failed to become ready
waiting until the database is ready
upstream never became healthy
address already in use
trying to get connected
""".splitlines()
RETRIED = """\
connect ECONNREFUSED 127.0.0.1:6379, retrying in 1 s
Connection failed, will retry
attempt 3/5 failed
Attempt 2 of 10: connection refused
backing off 4s
Postgres is unavailable - sleeping
could not connect, trying again
reconnecting in 5 seconds
Waiting for db:5432 to become available
3 retries left
The port 8888 is already in use, trying another port.
""".splitlines()
NOT_RETRIED = """\
giving up after 5 attempts
max retries exceeded
too many retries
could not connect
""".splitlines()
HINTS = """\
HINT:  Is another postmaster already running on port 5432?
DETAIL:  The data directory was initialized by PostgreSQL version 13.
2026-11-23 09:00:00 UTC [12] HINT:  Run initdb.
hint: Updates were rejected
  = help: consider adding it
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
Did you mean "listen"?
See "systemctl status nginx.service" for details.
Please check the configuration
Try 'app --help' for more information.
  at line 3, column 5
at java.lang.ClassLoader.defineClass(Unknown Source)
        github.com/acme/envconfig/config.go:241 +0x713
    -t, --timeout NUM                Shutdown timeout
LINE 1: select x from y
      ^~~~
""".splitlines()
NO_HINTS = """\
could not open the file
Your limit of 32 is not enough for the server to start. Please increase it.
at least one node is needed
Address already in use
parsing [/etc/haproxy/haproxy.cfg:10] : unknown keyword 'x'; did you mean 'y' maybe ?
""".splitlines()

HEADINGS = """\
Error while loading:
*** FATAL CONFIG FILE ERROR (Redis 8.0.2) ***
=== crash report ===
""".splitlines()
NO_HEADINGS = """\
Error: no such file
*** stack smashing detected ***: terminated
""".splitlines()

TABLES: dict[str, tuple[Question, list[str], list[str]]] = {
    "complains": (complains, COMPLAINTS, NO_COMPLAINTS),
    "is_farewell": (is_farewell, [*FAREWELLS, ""], NO_FAREWELLS),
    "is_rollback": (is_rollback, ROLLBACKS, NO_ROLLBACKS),
    "is_wrapper": (is_wrapper, WRAPPERS, NO_WRAPPERS),
    "recovers": (recovers, RECOVERED, NOT_RECOVERED),
    "retries": (retries, RETRIED, NOT_RETRIED),
    "is_hint": (is_hint, HINTS, NO_HINTS),
    "announces": (announces, HEADINGS, NO_HEADINGS),
}


def those_of(question: Question, lines: list[str]) -> list[str]:
    frame = pl.DataFrame({"line": lines}, schema={"line": pl.String})
    return frame.filter(question(pl.col("line")))["line"].to_list()


@pytest.mark.parametrize("name", TABLES)
def test_the_words_of_programs_are_understood(name: str) -> None:
    question, lines, _ = TABLES[name]
    assert those_of(question, lines) == lines


@pytest.mark.parametrize("name", TABLES)
def test_other_lines_are_not_taken_for_them(name: str) -> None:
    question, _, others = TABLES[name]
    assert those_of(question, others) == []
