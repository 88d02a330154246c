# ruff: noqa: E501  an expression is read better in one line
"""Find secrets by where they are: in URLs, headers, webhooks, the arguments of commands and files of passwords."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import NamedTuple

from forensics.sanitize.assignments import VALUE, value_span
from forensics.sanitize.hints import by_hint, hinted
from forensics.sanitize.values import is_random, may_be_secret

Accepts = Callable[[str], bool]


class Place(NamedTuple):
    """hints: lower-case literals, one of which is in each text that has it. The value is the group s, q, a, e or t of `pattern`."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Accepts


def _always(value: str) -> bool:
    return "⟨" not in value


def _password(value: str) -> bool:
    return may_be_secret(value, 3)


def _random(value: str) -> bool:
    return is_random(value) and may_be_secret(value)


def _user_and_password(value: str) -> bool:
    """Whether this is the base64 of user:password."""
    try:
        return b":" in b64decode(value + "=" * (-len(value) % 4), validate=True)
    except NotBase64:
        return False


def _topic(value: str) -> bool:
    return value.lower() not in {
        "docs",
        "app",
        "static",
        "config",
        "publish",
        "subscribe",
        "account",
        "login",
        "signup",
        "settings",
        "health",
    } and _always(value)


def _bearer(value: str) -> bool:
    return may_be_secret(value, 6) and (is_random(value) or len(value) >= 20)


def _place(kind: str, hints: str, pattern: str, accepts: Accepts = _always) -> Place:
    return Place(kind, tuple(hints.split()), re.compile(pattern, re.IGNORECASE), accepts)


_SPAN = r"[^\s\"'<>`]"
_COMMAND = r"[^\n|;&]{0,200}?"  # the arguments before the one that is looked for

PLACES: tuple[Place, ...] = (
    # The password may have / and @ in it: up to the last @ of the word that a host follows. A port is no password.
    _place("password", "://", rf"\b[a-z][a-z0-9+.-]{{1,20}}://[^\s/:@?#\"'<>]{{0,128}}:(?![0-9]{{1,5}}(?:[/?#\s]|$))(?P<s>{_SPAN}{{1,256}})@(?=[\w.\[$⟨-])"),
    _place("token", "://", r"\b[a-z][a-z0-9+.-]{1,20}://(?P<s>[\w~+-]{16,256})(?::x-oauth-basic)?@(?=[\w.\[-])", lambda value: is_random(value, 16)),
    _place("password", "@", r"(?<![\w/.@-])(?!mailto:|sips?:|xmpp:|acct:)[a-z_][\w.-]{0,64}:(?![0-9]{1,5}/)(?P<s>[^\s\"'<>`]{3,128})@(?!sha[0-9]{3})(?=(?:tcp|udp|unix)\(|[\w.-]{1,128}:[0-9]{2,5}\b|[a-z][\w.-]{0,128}/\w|[\w.-]{1,128}(?:\s|$))",
           lambda value: may_be_secret(value) and any(not c.isalpha() for c in value) and not value.startswith("//")),
    _place("password", "jdbc:", r"\bjdbc:oracle:\w{1,10}:[^\s/:@]{1,64}/(?P<s>[^\s@\"']{1,128})@"),
    _place("password", "sqlplus", r"\bsqlplus(?:\s{1,3}-\w{1,10}){0,4}\s{1,3}[\w.-]{1,64}/(?P<s>[^\s@\"']{1,128})(?=@|\s|$)", _password),
    _place("token", "token= sig= signature= key= secret= auth= password= code= credential=",
           r"[?&;](?:[\w.-]{0,30}[-_])?(?:token|sig|signature|(?:api|access|secret|auth|subscription)?[-_]?key|apikey|secret|auth|password|passwd|pwd|code|credential|hash|otp)=(?P<s>[^\s&\"'<>#`]{6,2048})",
           lambda value: may_be_secret(value, 6) and (is_random(value.replace("%", ""), 6))),
    _place("webhook", "webhooks/", r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/(?P<s>[0-9]{6,24}/[\w.-]{6,256})"),
    _place("webhook", "hooks.slack", r"\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<s>[\w/+-]{6,256})"),
    _place("webhook", "webhook.office.com outlook.office", r"(?:webhook|outlook)\.office(?:365)?\.com/(?:webhookb2|webhook)/(?P<s>[\w@/.-]{6,512})"),
    _place("webhook", "hooks.zapier.com ifttt hc-ping.com hooks.airtable hook.", r"(?:hooks\.zapier\.com/hooks/catch/|maker\.ifttt\.com/trigger/[\w-]{1,64}/(?:json/)?with/key/|hc-ping\.com/|hook\.[\w.-]{1,20}make\.com/|hooks\.airtable\.com/)(?P<s>[\w/-]{6,256})"),
    _place("webhook", "hook", r"/(?:api/)?(?:web)?hooks?/(?:catch/|incoming/)?(?P<s>[\w-]{16,128}(?:/[\w-]{8,128}){0,2})", lambda value: is_random(value, 16)),
    _place("token", "api.telegram.org", r"api\.telegram\.org/(?:file/)?bot(?P<s>[\w:-]{8,128})"),
    _place("topic", "ntfy", r"//[^\s/\"'<>]{0,64}\bntfy[^\s/\"'<>]{0,64}/(?P<s>[\w-]{2,64})", _topic),
    _place("topic", "ntfy", r"\bntfy[-_ ]?topic[\"']?\s{0,3}[:=]\s{0,3}" + VALUE, _password),
    _place("topic", "ntfy", r"\bntfy\s{1,3}(?:pub(?:lish)?|send|sub(?:scribe)?)(?:\s{1,3}-[\w-]{1,20}(?:[ =][^\s-]\S{0,64})?){0,6}\s{1,3}(?P<s>[A-Za-z0-9][\w-]{3,64})(?=\s|$)", lambda value: is_random(value, 6)),
    _place("token", "tgram:// discord:// slack:// gotify pover:// pbul:// ntfy:// ntfys:// matrix:// msteams:// ifttt://",
           r"\b(?:tgram|discord|slack|gotifys?|pover|pbul|ntfys?|matrixs?|msteams|ifttt)://(?P<s>[^\s\"'<>]{6,256})"),
    # Headers: whatever follows the scheme; of a header of cookies the whole of it.
    _place("token", "authorization", r"authorization\\?[\"']?\s{0,3}[:=]>?\s{0,3}\\?[\"']?(?:(?:bearer|basic|token|apikey|api-key|key|negotiate|ntlm|hawk|splunk|sso-key|discogs|bot|digest|aws4-hmac-sha256|signature|oauth|snyk|genie[kK]ey|ssws)\s{1,3})?(?P<s>[^\s\"',;\\]{4,4096})",
           lambda value: may_be_secret(value) and (any(not c.isalpha() for c in value) or len(value) >= 16) and "=" not in value.rstrip("=")),
    _place("token", "authorization", r"authorization\\?[\"']?\s{0,3}[:=]>?\s{0,3}\\?[\"']?(?:aws4-hmac-sha256|signature|oauth|digest|hawk)\s(?P<s>[^\n]{8,2048})"),
    _place("token", "digest", r"\b(?:response|cnonce|nonce|opaque)=\"?(?P<s>[\w+/=-]{8,256})"),
    _place("cookie", "cookie", r"\b(?:set-)?cookie\\?[\"']?\s{0,3}[:=]>?\s{0,3}\\?[\"']?(?P<s>[\w.%-]{1,64}=[^\n\"'\\]{4,4096})"),
    _place("token", "bearer", r"\bbearer\s{1,4}(?P<s>[\w.~+/=:|-]{6,4096})", _bearer),
    _place("password", "basic", r"\bbasic\s{1,4}(?P<s>[A-Za-z0-9+/]{8,1024}={0,2})(?=[\s\"',\\]|$)", _user_and_password),
    _place("token", "x-", r"\bx-[a-z0-9-]{0,40}(?:key|token|secret|auth|signature|password|session)[a-z0-9-]{0,20}\\?[\"']?\s{0,3}[:=]\s{0,3}" + VALUE,
           lambda value: may_be_secret(value, 6) and (is_random(value, 6) or len(value) >= 16)),
    _place("password", "auth", r"\bauth\s(?:plain|login|xoauth2)\s(?P<s>[A-Za-z0-9+/]{8,1024}={0,2})"),
    _place("password", "auth", r"\\?\"auth\\?\"\s\\?\"(?:[\w.-]{1,64}\\?\"\s\\?\")?(?P<s>[^\"\s\\]{3,256})", _password),  # Redis' MONITOR
    _place("password", '"auth"', r"\"auth\"\s{0,3}:\s{0,3}\"(?P<s>[A-Za-z0-9+/]{8,1024}={0,2})", _user_and_password),  # Docker's config.json
    # Commands
    _place("password", "curl wget http", rf"\b(?:curl|xh|https?)\s{_COMMAND}(?<=\s)(?:-u|--user|--proxy-user|-U|-a|--auth)[ =]?[\"']?[^\s:\"']{{1,128}}:" + VALUE, _password),
    _place("password", "mysql maria mongo", rf"\b(?:mysql|mysqldump|mysqladmin|mysqlimport|mysqlshow|mysqlsh|mysqlcheck|mysqlpump|mysqlbinlog|mariadb|mariadb-[a-z]{{1,12}}|xtrabackup)\s{_COMMAND}(?<=\s)-p" + VALUE, _password),
    _place("password", "sshpass login mongo registry sqlcmd ipmitool", rf"\b(?:sshpass|mongosh|mongo|mongodump|mongorestore|sqlcmd|(?:docker|podman|helm|az|oc|nerdctl|skopeo|buildah|crane|oras|cf|npm|argocd|vault)\s(?:registry\s)?login)\s{_COMMAND}(?<=\s)-[pP][ =]?" + VALUE, _password),
    _place("password", "redis valkey keydb", rf"\b(?:redis|valkey|keydb)-(?:cli|benchmark)\s{_COMMAND}(?<=\s)(?:-a|--pass)[ =]" + VALUE, _password),
    _place("password", "ldap", rf"\bldap\w{{1,12}}\s{_COMMAND}(?<=\s)-w\s?" + VALUE, _password),
    _place("password", "smbclient rpcclient cifs", rf"\b(?:smbclient|rpcclient|net)\s{_COMMAND}(?<=\s)(?:-U|--user)[ =]?[\"']?[\w.\\-]{{1,64}}%" + VALUE, _password),
    _place("password", "snmp", rf"\bsnmp\w{{1,12}}\s{_COMMAND}(?<=\s)-[cAX]\s" + VALUE, _password),
    _place("password", "htpasswd", rf"\bhtpasswd\s{_COMMAND}(?<=\s)-\w{{0,6}}b\w{{0,6}}\s(?:\S{{1,128}}\s)?[\w.-]{{1,64}}\s" + VALUE, _password),
    _place("password", "openssl", rf"\bopenssl\s{_COMMAND}(?<=\s)(?:-k|-K)\s" + VALUE, _password),
    _place("password", "pass:", r"(?<=\s)-(?:pass|passin|passout)\s{1,3}[\"']?pass:" + VALUE, _password),
    _place("password", "ipmitool zip rar 7z", rf"\b(?:ipmitool|zip|unzip)\s{_COMMAND}(?<=\s)-P\s{{0,2}}" + VALUE, _password),
    _place("password", "7z rar", rf"\b(?:7z[ar]?|rar|unrar)\s{_COMMAND}(?<=\s)-h?p" + VALUE, _password),
    _place("password", "wpa_passphrase", r"\bwpa_passphrase\s(?:\"[^\"\n]{1,64}\"|\S{1,64})\s" + VALUE, _password),
    _place("password", "nmcli", rf"\bnmcli\s{_COMMAND}(?<=\s)(?:password|[\w.-]{{1,40}}psk)\s" + VALUE, _password),
    _place("token", "ngrok wandb cloudflared rclone",
           rf"\b(?:ngrok(?:\sconfig)?\s(?:add-)?authtoken|wandb\slogin|cloudflared\s{_COMMAND}--token|rclone\sobscure)\s(?:--relogin\s)?" + VALUE, _random),
    _place("password", "echo printf", r"\b(?:echo|printf)\s(?:-n\s)?(?:[\"']?[\w.-]{1,64}:)?" + VALUE + r"[\"']?\s{0,3}\|\s{0,3}(?:sudo\s[^\n|;&]{0,60}?)?(?:sudo\s-S|chpasswd|passwd\s|docker\slogin|podman\slogin|helm\sregistry|gh\sauth|cryptsetup|gpg\s|openssl\s|smbpasswd)", _password),
    _place("password", "chpasswd", r"\bchpasswd\s{0,3}<<<\s{0,3}[\"']?[\w.-]{1,64}:(?P<s>[^\s\"']{3,256})"),
    _place("secret", "--from-literal", r"--from-literal[= ][\"']?[\w.-]{1,128}=" + VALUE, _password),
    _place("secret", "vault", r"\bvault\s(?:kv\sput|write)\s\S{1,256}\s(?P<s>[^\n]{3,512})"),
    _place("password", "identified password", r"\b(?:identified\s(?:with\s\S{1,64}\s)?by|(?:encrypted\s|with\s|set\s)password(?:\sfor\s\S{1,128}\s=)?|password(?=\s')|password\s?\()\s{0,3}(?:password\s{0,3})?'(?P<s>[^'\n]{3,256})'", _password),
    _place("password", "requirepass masterauth", r"\b(?:requirepass|masterauth)\s{1,3}" + VALUE, _password),
    # Files of passwords: .netrc, .pgpass, wpa_supplicant
    _place("password", "login machine", r"\blogin\s{1,3}\S{1,128}\s{1,3}password\s{1,3}" + VALUE, _always),
    _place("password", "5432 3306", r"(?<![\w.])[a-z*][\w.-]{0,128}:(?:5432|6432|3306|\*):[\w*-]{1,64}:[\w.*-]{1,64}:(?P<s>[^\s:]{3,128})"),
    _place("token", "login", r"\b(?:huggingface-cli|hf|wandb)\s(?:auth\s)?login\s(?:--token\s)?" + VALUE, _random),
    _place("otp", "code otp", r"\b(?:otp|totp|2fa|mfa|verification|one[- ]time|login|auth(?:entication)?)[- ](?:pass)?code(?:\sis)?\s{0,3}[:=]?\s{0,3}(?P<s>[0-9]{6,8})\b"),
    _place("otp", "backup recovery", r"\b(?:backup|recovery)[- ]codes?(?:\sare|\sis)?\s{0,3}[:=]\s{0,3}(?P<s>[A-Za-z0-9-]{6,64}(?:[ ,]{1,2}[A-Za-z0-9-]{6,64}){0,15})", lambda value: any(c.isdigit() for c in value)),
)  # fmt: skip


_OF_HINT = by_hint(place.hints for place in PLACES)


def in_places(text: str, lower: str) -> list[tuple[str, int, int]]:
    """List (kind, start, end) of the secrets of all PLACES. lower: the text in lower case."""
    found = []
    for number in hinted(_OF_HINT, lower):
        kind, _, pattern, accepts = PLACES[number]
        for match in pattern.finditer(text):
            start, end = value_span(match) if "q" in match.re.groupindex else match.span("s")
            if end > start and accepts(text[start:end]):
                found.append((kind, start, end))
    return found
