# ruff: noqa: E501  a table is read better in long lines
"""The arguments of commands that are secrets: short options, user:password, positions. Options that tell by their name are in options.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from forensics.sanitize.hints import by_hint, hinted
from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.options import spaced_arguments
from forensics.sanitize.place import Accepts, always, made_up, mixed, password, random
from forensics.sanitize.value_forms import VALUE, value_span


class Command(NamedTuple):
    """arguments: what is looked for behind the name, with a value in it."""

    names: tuple[str, ...]
    arguments: LazyPattern
    accepts: Accepts
    kind: str


def _command(names: str, arguments: str, accepts: Accepts = password, kind: str = "password") -> Command:
    # In a list of arguments there are several spaces between two: see spaced_arguments.
    spaced = re.sub(r"\[ =\](?![{?])", "[ =]{1,9}", re.sub(r"(?<!\[)(?<!\[\^)\\s(?![{?)\]])", r"\\s{1,9}", arguments)).replace(
        "[ =]?", "[ =]{0,9}"
    )
    return Command(tuple(names.split()), LazyPattern(spaced), accepts, kind)


def _option(names: str, options: str, accepts: Accepts = password) -> Command:
    """Command whose secret follows an option, with or without a space."""
    return _command(names, rf"(?<=\s)(?:{options})[ =]{{0,9}}" + VALUE, accepts)


_USER = r"[\"']?[^\s:\"']{0,128}:"

COMMANDS: tuple[Command, ...] = (
    _command("curl xh http https wget aria2c httpie", rf"(?<=\s)(?:-u|--user|--proxy-user|-U|-a|--auth|-E|--cert|--proxy-cert)[ =]?{_USER}" + VALUE),
    _command("curl", r"(?<=\s)(?:--oauth2-bearer|--tlspassword|--proxy-tlspassword|--pass|--proxy-pass)[ =]" + VALUE, always),
    _command("mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlsh mysqlcheck mysqlpump mysqlbinlog mariadb mariadb-dump mariadb-admin mariadb-check mariadb-import mariadb-backup mycli xtrabackup mydumper myloader pt-table-checksum proxysql",
             r"(?<=\s)-p(?=\S)" + VALUE),
    _option("sshpass mongosh mongo mongodump mongorestore mongoexport mongoimport mongostat cqlsh cypher-shell smbmap crackmapexec netexec nxc evil-winrm racadm redfishtool hponcfg kadmin perccli hydra medusa patator rdesktop cf isql vsql snowsql beeline hive impala-shell trino cockroach psexec smbget", "-p"),
    _option("sqlcmd bcp tsql osql isql ipmitool ipmiutil zip unzip zipcloak mosquitto_pub mosquitto_sub mosquitto_rr tpm2_create tpm2_load tpm2_unseal yubico-piv-tool ssh-keygen cntlm security sqsh", "-P"),
    _option("ssh-keygen", "-N"),
    _option("security", "-p(?=\\s)|-w(?=\\s)"),
    _command("docker podman helm az oc nerdctl skopeo buildah crane oras npm argocd vault cf regctl kubelogin rancher harbor heroku ibmcloud faas-cli jf", r"\blogin\b[^\n]{0,300}?\s-[pP][ =]?" + VALUE),
    _command("vault", r"\A\s(?:login|unwrap|operator\sunseal|operator\srekey|token\s(?:lookup|renew|revoke|capabilities))\s(?:-[\w=-]{1,60}\s){0,4}(?:token=)?" + VALUE, random, "token"),
    _command("vault", r"\A\s(?:kv\s(?:put|patch)|write)\s(?:-[\w=/-]{1,60}\s){0,4}\S{1,256}\s(?P<s>[^\n]{3,480})", always, "secret"),
    _option("redis-cli redis-benchmark valkey-cli valkey-benchmark keydb-cli", "-a|--pass"),
    _option("ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldappasswd ldapcompare ldapmodrdn ldapexop ldapurl", "-[waAs](?!\\s-)"),
    _command("mysqladmin mariadb-admin", r"(?<=\s)-[^\n]{1,200}?\s(?:old-)?password\s(?!-)" + VALUE),
    _command("pro ua ubuntu-advantage", r"\A\sattach\s(?!-)" + VALUE, random, "token"),
    _option("dislocker dislocker-fuse dislocker-file dislocker-metadata bdemount bdeinfo", "-p|-r"),
    _command("kadmin kadmin.local", r"(?<=\s)(?:-w|-pw)\s" + VALUE),
    _command("smbclient rpcclient net smbget smbcacls smbcquotas nmblookup samba-tool wmic winexe nautilus", r"(?<=\s)(?:-U|--user)[ =]?[\"']?[\w.\\@/-]{1,64}%" + VALUE),
    _command("net", r"\buse\s(?:[A-Za-z*]:?\s)?\\{1,4}[\w.$\\-]{1,200}\s(?:/\w{1,10}:\S{1,64}\s)?(?!/)" + VALUE),
    _command("net", r"\A\suser\s[\w.-]{1,64}\s(?!/)" + VALUE, made_up),
    _command("samba-tool", r"\buser\s(?:create|add|setpassword)\s[\w.-]{1,64}\s(?!-)" + VALUE),
    _command("snmpget snmpgetnext snmpwalk snmpbulkwalk snmpbulkget snmpset snmptrap snmpinform snmpstatus snmpdf snmptable snmptranslate snmptest snmpusm snmpdelta", r"(?<=\s)-[cAX]\s{0,9}(?!-)" + VALUE),
    _command("htpasswd", r"(?<=\s)-\w{0,6}b\w{0,6}\s(?:-\w{1,6}\s){0,3}(?:\S{1,128}\s)?[\w.@-]{1,64}\s" + VALUE),
    _command("openssl", r"(?<=\s)(?:-k|-K|-psk|-hmac|-macopt\s(?:hex)?key:)\s?" + VALUE),
    _command("openssl", r"\A\spasswd\s(?:-[\w=]{1,20}\s){0,4}(?!-)" + VALUE, made_up),
    _command("7z 7za 7zr 7zz rar unrar", r"(?<=\s)-(?:p|hp)(?=[^\s-])" + VALUE),
    _command("wpa_passphrase", r"\A\s(?:\"[^\"\n]{1,64}\"|\S{1,64})\s" + VALUE),
    _command("nmcli wpa_cli", r"(?<=\s)(?:password|[\w.-]{0,40}psk|wep[-_]key[0-9]?|[\w.-]{1,40}(?:password|secrets?|secret))\s[\"'\\]{0,3}" + VALUE),
    _command("iwconfig iw", r"\bkeys?\s(?:restricted\s|open\s)?(?:[ds]?:?[0-9]?:)?" + VALUE),
    _command("lftp ftp ncftp ncftpput ncftpget tnftp", r"(?<=\s)(?:-u|open\s-u|user)[ ]?[\w.@-]{1,64}[, ]" + VALUE),
    _command("ncftpput ncftpget ncftp wput", r"(?<=\s)-p[ ]?" + VALUE),
    _command("mc", r"\A\s(?:--?[\w-]{1,20}\s){0,3}(?:alias\sset|config\shost\sadd)\s\S{1,64}\s\S{1,200}\s\S{1,64}\s" + VALUE),
    _command("rclone", r"\b(?:obscure|(?:pass|password|pass2|password2|secret_access_key|token|client_secret|key|account_key|sas_url|bearer_token|service_account_credentials)[ =])\s?" + VALUE),
    _command("ngrok wandb cloudflared huggingface-cli hf railway vercel fly flyctl netlify infracost snyk tailscale civo sentry-cli", r"(?:authtoken|login|auth\slogin|auth|config\sset|--token|set-token|service\sinstall)\s(?:--?[\w-]{1,20}[ =]){0,2}" + VALUE, random, "token"),
    _command("sqlplus sqlldr expdp impdp exp imp rman", r"(?<=[\s=])[\"']?[\w.$#-]{1,64}/(?P<s>[^\s@\"'/]{1,128})(?=@|\s|$|[\"'])"),
    _command("isql iusql", r"\A\s(?:-\w{1,10}\s){0,4}[\w.-]{1,64}\s[\w.-]{1,64}\s(?!-)" + VALUE),
    _command("etcdctl influx clickhouse-client couchbase-cli nats arangosh kcat kafkacat sshuttle", rf"(?<=\s)(?:--user|-u)[= ]{_USER}" + VALUE),
    _command("rabbitmqctl", r"\b(?:add_user|change_password|authenticate_user)\s[\w.@-]{1,64}\s" + VALUE),
    _command("neo4j-admin", r"\bset-initial-password\s" + VALUE),
    _command("useradd usermod adduser elasticsearch-users add-user.sh kcadm.sh zabbix_get jboss-cli.sh", r"(?<=\s)(?:-p|--password)[ =]" + VALUE),
    _command("iscsiadm", r"(?:password|password_in)\s(?:-v|--value)[ =]" + VALUE),
    _command("hdparm", r"--security-(?:set-pass|unlock|erase(?:-enhanced)?|disable)\s" + VALUE),
    _command("nsupdate dig delv host knsupdate rndc", r"(?<=\s)-y\s?[\"']?(?:[\w-]{1,20}:)?[\w.-]{1,128}:" + VALUE),
    _command("x11vnc", r"(?<=\s)-(?:passwd|viewpasswd|storepasswd)\s" + VALUE),
    _command("aws az gh", r"(?<=\s)(?:--secret-string|--secret-binary|--body|-b|--value)[ =]" + VALUE, random, "secret"),
    _command("mkpasswd ansible-vault xdotool security caddy grub-mkpasswd-pbkdf2", r"\A\s(?:(?:encrypt_string|type|hash-password|--?[\w-]{1,20}(?:=\S{1,40})?)\s){0,5}" + VALUE, made_up),
    _command("dscl", r"-passwd\s\S{1,128}\s" + VALUE),
    _command("psexec.py wmiexec.py smbexec.py secretsdump.py getuserspns.py getnpusers.py atexec.py dcomexec.py lookupsid.py mssqlclient.py smbclient.py gettgt.py getst.py rpcdump.py impacket-psexec impacket-wmiexec impacket-smbexec impacket-secretsdump impacket-mssqlclient impacket-smbclient impacket-gettgt",
             r"(?<=\s)[\"']?(?:[\w.-]{1,64}/)?[\w.$-]{1,64}:(?P<s>[^\s\"']{1,128}?)(?=@|[\s\"']|$)"),
    _command("psexec.py wmiexec.py smbexec.py secretsdump.py impacket-psexec impacket-wmiexec impacket-smbexec impacket-secretsdump crackmapexec nxc netexec evil-winrm", r"(?<=\s)(?:-hashes|-H)\s(?P<s>[0-9a-fA-F:]{32,65})"),
    _command("schtasks at wmic", r"(?<=\s)/(?:rp|p|pw)\s" + VALUE),
    _command("ipa-client-install ipa-replica-install ipa-server-install adcli msktutil", r"(?<=\s)(?:-w|-p|-a|--admin-password)[ =](?!admin\b)" + VALUE, made_up),
    _command("wbinfo ntlm_auth", r"(?<=\s)(?:-a|-K|--authenticate=|--krb5auth=)\s?[\"']?[\w.\\@+-]{1,64}%" + VALUE),
    _command("twine conan gem nuget choco flit devpi", r"(?<=\s)(?:-p|--password|-ApiKey|-k|--api-key)[ =]" + VALUE, made_up),
    _command("poetry", r"\bconfig\s(?:http-basic\.\S{1,64}\s\S{1,64}|pypi-token\.\S{1,64})\s" + VALUE),
    _command("bundle bundler", r"\bconfig\s(?:set\s)?(?:--\w{1,10}\s)?\S{1,128}\s[\w.@-]{1,64}:" + VALUE),
    _command("cargo npm deno gem", r"\A\s(?:login|owner)\s(?:--?[\w-]{1,20}[ =]\S{1,64}\s){0,2}" + VALUE, random, "token"),
    _command("bw", r"\b(?:unlock|login\s\S{1,128})\s(?!-)" + VALUE),
    _command("ejabberdctl prosodyctl", r"\b(?:register|change_password|passwd)\s\S{1,64}\s(?:\S{1,64}\s)?" + VALUE),
    _command("signtool certutil", r"(?<=\s)[/-]p\s" + VALUE),
    _command("pk12util", r"(?<=\s)-[WK]\s" + VALUE),
    _command("doveadm", r"\A\sauth\s(?:test|login)\s(?:-\w\s\S{1,64}\s){0,3}[\w.@-]{1,64}\s" + VALUE),
    _command("radtest", r"\A\s(?:-\w\s\S{1,20}\s){0,3}\S{1,64}\s" + VALUE),
    _command("radtest", r"\A\s(?:-\w\s\S{1,20}\s){0,3}\S{1,64}\s\S{1,64}\s\S{1,64}\s[0-9]{1,5}\s" + VALUE),
    _command("oathtool", r"(?<=\s)(?P<s>(?:[A-Z2-7]{16,64}|[a-zA-Z0-9]{16,128}))(?=\s|$)", always, "token"),
    _command("pdftk", r"\b(?:user_pw|owner_pw|input_pw)\s" + VALUE),
    _command("qpdf", r"--encrypt\s(?P<s>\S{1,64}\s\S{1,64})\s[0-9]{2,3}"),
    _command("git", r"\bcredential\b[^\n]{0,60}password=" + VALUE),
    _command("kubectl oc", r"--(?:from-literal|docker-password)[= ][\"']?(?:[\w.-]{1,128}=)?" + VALUE, password, "secret"),
)  # fmt: skip
NAMES: dict[str, list[int]] = {}
for _number, _one in enumerate(COMMANDS):
    for _name in _one.names:
        NAMES.setdefault(_name, []).append(_number)

_WORDS = LazyPattern(r"[a-z0-9][a-z0-9_.-]{1,20}(?=[\s\"',])")
# An option, or one of the commands that need none
_MAY_BE = LazyPattern(r"[\s\"']-{1,2}[a-z0-9]|\s/(?:[a-z]{1,12}:|rp\s|p\s|pw\s)")
_STARTS = (" -", "'-", '"-', "\n-", " /")
WITHOUT_OPTIONS = (
    "sqlplus",
    "sqlldr",
    "impdp",
    "expdp",
    "rman",
    "wpa_",
    "rclone",
    "nmcli",
    "iwconfig",
    "rabbitmqctl",
    "neo4j-admin",
    "vault",
    "pro attach",
    "ua attach",
    "advantage attach",
    "net u",
    " alias ",
    "samba-tool user",
    "poetry config",
    "bundle config",
    "cargo login",
    " login ",
    " auth ",
    "radtest",
    "oathtool",
    "doveadm",
    "authtoken",
    "openssl passwd",
    "encrypt_string",
    "xdotool",
    "hash-password",
    "mkpasswd",
    "_pw ",
    "psexec",
    "wmiexec",
    "smbexec",
    "secretsdump",
    "getuserspns",
    "getnpusers",
    "gettgt",
    "mssqlclient",
    "impacket",
)
# -p and -P of any command, -u and -a with user:password, -U with user%password
_ANY_COMMAND = LazyPattern(
    r"(?<=\s)(?:-[a-z]?[pP]|-[wW]|-[uaU]\s{1,9}[\"']?[\w.@\\/-]{1,64}[:%])[\s=]{0,9}[\"']?(?P<s>[^\s\"'/:=]{8,128})(?=[\s\"']|$)"
)
_SEPARATOR = LazyPattern(r"\s(?:\|\|?|&&?|;)\s|;\s|\n")
_LONGEST = 600  # characters of a command line
_MOST = 20  # commands in one text

_OF_HINT = by_hint([WITHOUT_OPTIONS])


def in_commands(text: str, lower: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of the secrets in command lines. lower: the text in lower case."""
    if not ((any(start in lower for start in _STARTS) and _MAY_BE.search(lower)) or hinted(_OF_HINT, lower)):
        return
    spaced = spaced_arguments(text)
    names = (match for match in _WORDS.finditer(lower) if match[0] in NAMES)
    for name, _ in zip(names, range(_MOST), strict=False):
        end = _SEPARATOR.search(spaced, name.end(), name.end() + _LONGEST)
        line = spaced[name.end() : end.start() if end else name.end() + _LONGEST]
        yield from _in_line(NAMES[name[0]], line, name.end())
    for match in _ANY_COMMAND.finditer(spaced):
        if mixed(match["s"]):
            yield "password", *match.span("s")


def _in_line(numbers: Iterable[int], line: str, offset: int) -> Iterator[tuple[str, int, int]]:
    for number in numbers:
        _, arguments, accepts, kind = COMMANDS[number]
        for match in arguments.finditer(line):
            start, end = value_span(match)
            if end > start and accepts(line[start:end]):
                yield kind, offset + start, offset + end
