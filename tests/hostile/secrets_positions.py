"""Secrets by their position: arguments of calls, short parameters, users of servers, user:secret, encoded commands; lines of keys."""

from base64 import b64encode
from collections.abc import Callable

from tests.hostile.secrets_made import base64, chosen, hexadecimal, made, pem, random, sample, word

random.seed("positions")


def _arguments() -> str:
    """Arguments of a command as the audit log writes them."""
    return b"\0".join((b"mysqldump", b"--user=app", f"--password={chosen()}".encode(), b"erp")).hex().upper()


CALLS = [
    sample("call-pdo", "#0 /srv/db.php(31): PDO->__construct('mysql:host=127.0...', 'app', '§', Array)", word()),
    sample("call-mysqli", "#1 /srv/db.php(3): mysqli_connect('localhost', 'app', '§', 'db')", word()),
    sample("call-wpdb", "#2 /srv/wp.php(7): wpdb->__construct('app', '§', 'db', 'localhost')", word()),
    sample("call-ldap-bind", "simple_bind_s (('cn=app,dc=x', '§'), {})", chosen()),
    sample("call-ldap-php", "ldap_bind(Resource id #3, 'cn=app', '§')", word()),
    sample("call-imap", "imap_open('{h:993/ssl}', 'app', '§')", word()),
    sample("call-login", "smtp.login('app', '§')", word()),
    sample("call-digest", "HTTPDigestAuth('app', '§')", word()),
    sample("call-jdbc", 'DriverManager.getConnection(url, "app", "§")', word()),
    sample("call-credentials", 'new UsernamePasswordCredentials("app", "§")', word()),
    sample("call-set-password", "user.set_password('§')", word()),
    sample("call-crypt", "SET hash = crypt('§', gen_salt('bf', 10))", word()),
    sample("call-strange", "authenticate('app', '§')", "J(rEk8>2v?wB"),
    sample("call-add-user", '[info] add_user(<<"app">>, <<"§">>)', word()),
]
PARAMETERS = [
    sample("query-subsonic", "GET /rest/ping.view?u=app&p=§&v=1.16.1&c=x 200", f"{word()}-{word()}"),
    sample("query-subsonic-token", "GET /rest/ping.view?u=app&t=§&s=salted 200", hexadecimal(32)),
    sample("query-pw", "POST /login user=app&pw=§&x=1", word()),
    sample("query-password-first", "GET /a?p=§&u=app HTTP/1.1", word()),
    sample("query-k", "GET /track?k=§&v=2", made(32)),
]
USERS = [
    sample("redis-acl-quoted", '"ACL" "SETUSER" "app" "on" ">§" "~jobs:*" "+@all"', word()),
    sample("redis-config-quoted", '"CONFIG" "SET" "requirepass" "§"', f"{word()}@db3659"),
    sample("influx-user", "CREATE USER \"app\" WITH PASSWORD '§'", word()),
    sample("oracle-word", "CREATE USER app IDENTIFIED BY §;", word()),
    sample("sip-register", "register => 4930123456:§@sip.example.org/49", word()),
    sample("sip-trunk", "trunk 4930123456:§@sip.example.org", made(24)),
    sample("mail-user", "imap app@example.org:§@imap.example.org", chosen()),
    sample("galera", "option wsrep_sst_auth=app:§", word()),
    sample("gradio", "server.py --gradio-auth app:§ --listen", word()),
    sample("dsn-word", "app:§@tcp(127.0.0.1:3306)/db?x=1", word()),
    sample("temporary-strange", "A temporary password is generated for root@localhost: §", "T(xGf7>1q?zR"),
    sample("ftp-word", "curl[3]: > PASS §", word()),
]
ENCODED = [
    sample("audit-proctitle", "type=PROCTITLE msg=audit(1.5:7): proctitle=§", _arguments()),
    sample("audit-cmd", "type=USER_CMD msg=audit(1.5:7): cmd=§ terminal=pts/0", _arguments()),
    sample("encoded-command", "powershell -enc §", b64encode(f"curl -u app:{chosen()} https://x".encode("utf-16-le")).decode()),
    sample("zero-separated", "argv=mysqldump\\x00--password\\x00§\\x00erp", chosen()),
    sample("syslog-escaped", "env: A=1#012DB_PASSWORD=§#012B=2", chosen()),
]
DIALOGUES = [
    sample("setx-chpasswd", "h c[1]: + echo app:§\nh c[1]: + sudo chpasswd", hexadecimal(32)),
    sample("heredoc-chpasswd", "chpasswd <<EOF\napp:§\nEOF", word()),
    sample("password-stdin", "+ echo §\n+ docker login -u app --password-stdin r", word()),
    sample("smtp-prefixed", "m[1]: <-- 334 UGFzc3dvcmQ6\nm[1]: --> §", base64(10)),
    sample("ftp-asked", "x: USER app\nx: 331 Password required\nx: PASS §", word()),
]
POSITIONS = [*CALLS, *PARAMETERS, *USERS, *ENCODED, *DIALOGUES]

# What loggers put around each line of a key
WRAPPERS: dict[str, Callable[[str, int], str]] = {
    "syslog": lambda line, second: f"May  3 17:22:{second:02d} edge app[917]: {line}",
    "time": lambda line, second: f"2026-05-03T17:22:{second:02d}.{second * 77}+02:00 edge app[9]: {line}",
    "compose": lambda line, _: f"app-1  | {line}",
    "brackets": lambda line, _: f"[app] {line}",
    "quoted": lambda line, _: f"> {line}",
    "logfmt": lambda line, second: f'time="2026-05-03T17:22:{second:02d}Z" level=info msg="{line}"',
    "docker": lambda line, second: f'{{"log":"{line}\\n","stream":"stdout","time":"2026-05-03T17:22:{second:02d}.5Z"}}',
    "python": lambda line, _: f"INFO:root:{line}",
    "bare": lambda line, _: line,
}
NAMES = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK")


def wrapped(wrapper: str, name: str) -> tuple[list[str], list[str]]:
    """Return a key as a logger writes it, line by line, and the lines of its body."""
    begin, *body, end = pem(name)
    body[1] = f"/{body[1][1:]}"
    lines = [begin, "Proc-Type: 4,ENCRYPTED", "", *body, end]
    return [WRAPPERS[wrapper](line, second) for second, line in enumerate(lines)], body
