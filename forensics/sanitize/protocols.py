# ruff: noqa: E501  an expression is read better in one line
"""Where secrets are in what programs send each other: mail, FTP, IRC, SQL, SNMP, Kerberos, TLS; and in calls that log in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.names import kind_of
from forensics.sanitize.place import Place, made_up, mixed, password, place, random, user_and_password
from forensics.sanitize.value_forms import VALUE, Span
from forensics.sanitize.values import is_random, may_be_secret

_END = r"(?=[\"'\]]|\s{0,3}(?:\\[rn]|[\r\n]|$))"
_HEX_PAIRS = r"(?P<s>[0-9a-f]{2}(?:[ :-]?[0-9a-f]{2}){15,255})"


def _hexadecimal_key(value: str) -> bool:
    return any(c.isdigit() for c in value) and len(set(value)) > 6


PROTOCOLS: tuple[Place, ...] = (
    # Dialogues
    place("password", "auth", r"\bauth\s(?:plain|login|xoauth2|cram-md5|digest-md5|external)\s(?P<s>[A-Za-z0-9+/]{8,4096}={0,2})"),
    place("password", "authenticate", r"(?-i:\bAUTHENTICATE)\s(?P<s>[A-Za-z0-9+/]{12,4096}={0,2})" + _END, lambda value: is_random(value, 12)),
    place("password", "echo printf", r"\b(?:echo|printf)\s(?:-\w{1,3}\s)?[\"']?(?P<s>[^\s\"'|:/]{8,128})[\"']?\s{1,3}\|(?!\s?base64\s-+d)", mixed),
    place("password", "auth", r"\\?\"auth\\?\"\s\\?\"(?:[\w.-]{1,64}\\?\"\s\\?\")?(?P<s>[^\"\s\\]{3,256})", password),  # Redis' MONITOR
    place("password", "auth", rf"(?-i:\bAUTH)\s(?:[\w.-]{{1,64}}\s)?(?P<s>[^\s\"']{{6,256}}){_END}", made_up),
    place("password", "resp=", r"\b(?:resp|response|initial_response)=(?P<s>[A-Za-z0-9+/]{8,4096}={0,2})(?![\w+/=])", lambda value: is_random(value, 12)),
    place("password", '"auth"', r"\"auth\"\s{0,3}:\s{0,3}\"(?P<s>[A-Za-z0-9+/]{8,1024}={0,2})", user_and_password),  # Docker's config.json
    place("password", "pass", rf"(?:[<>:\]|)»→\"'-]\s?|^|\b[CS]: |\bcommand:?\s[\"']?|\b(?:ftp|pop3?|irc|smtp)\S{{0,20}}\s)(?-i:PASS)\s{{1,3}}:?(?P<s>[^\s\"'/<>]{{4,256}}){_END}", made_up),
    place("password", "pass", rf"(?-i:\bUSER\s\S{{1,64}}[\s;,|]{{1,4}}PASS)\s{{1,3}}(?P<s>[^\s\"']{{4,256}}){_END}", password),
    place("password", "login", rf"(?:^|[\s:>\"'])(?-i:[A-Za-z]{{0,5}}[0-9.]{{1,8}}\sLOGIN)\s\"?[^\s\"]{{1,128}}\"?\s\"?(?P<s>[^\s\"]{{3,256}})\"?{_END}", password),
    place("password", "login", r"(?-i:\bLOGIN)\s\"[^\"\n]{1,128}\"\s\"(?P<s>[^\"\n]{3,256})\"", password),
    place("password", "identify nickserv privmsg oper", r"(?-i:\b(?:IDENTIFY|GHOST|RECOVER|RELEASE|REGAIN|OPER|REGISTER|identify))\s(?:[\w\[\]{}|^-]{1,64}\s)?(?P<s>[^\s\"'/:]{5,256})(?:\s[\w.@-]{3,64})?" + _END, made_up),
    place("password", "passcode", r"\bpasscode:(?P<s>[^\s\"'\\]{3,256})", password),
    # SQL
    place("password", "identified password", r"\b(?:identified\s(?:with\s\S{1,64}\s)?(?:by|as)(?:\s(?:password|values))?|(?:encrypted\s|with\s|set\s)password(?:\sfor\s\S{1,128}\s{0,3}=?)?|password(?=\s{0,3}=?\s{0,3}n?')|password\s?\(|(?:old_)?password\s?=\s?n?(?='))\s{0,3}=?\s{0,3}(?:(?:old_)?password\s{0,3}\(?)?\s{0,3}n?'(?P<s>[^'\n]{3,256})'", password),
    place("password", "identified", r"\bidentified\sby\s(?:values\s)?\"?(?P<s>[^\s\"';()]{3,256})", password),
    place("password", "crypt", r"\b(?:pgp_sym_(?:en|de)crypt(?:_bytea)?|aes_(?:en|de)crypt|(?:en|de)crypt(?:_iv)?|des_(?:en|de)crypt|(?:en|de)cryptbykey)\([^()\n]{1,300}?,\s{0,3}n?'(?P<s>[^'\n]{3,256})'", password),
    place("password", "crypt passphrase digest( sha md5( password pwd", r"\b(?:crypt|(?:en|de)cryptbypassphrase|digest|hmac|sha[0-9]{0,3}|md5|old_password|password|pwdencrypt|pwdcompare|hashbytes\('\w{1,10}',|caching_sha2_password)\s?\(?\s{0,3}n?'(?P<s>[^'\n]{3,256})'\s{0,3}(?=[,)])", made_up),
    # Calls that log in with a user and a password
    place("password", "auth login credential connect userpass token", r"(?<![a-z])\w{0,30}(?:auth|login|log_in|logon|credentials?|connect|sign_?in|authenticate|userpass\w{0,10}|token|auth_password)\]?(?:::new|\.new)?\(\s{0,3}(?:(?:\w{1,20}\s?[=:]\s?)?(?:[\"'][^\"'\n]{1,128}[\"']|[\w.@]{1,64})\s{0,3},\s{0,3}){1,3}(?:\w{1,20}\s?[=:]\s?)?[\"'](?P<s>[^\"'\n]{3,256})[\"']", made_up),
    place("password", "basic credential login", r"(?:httpbasicauth|basic_?auth|with_?credentials|networkcredential|pscredential|plaincredentials|\.log_?in)\]?(?:::new|\.new)?\(\s{0,3}[\"'][^\"'\n]{1,128}[\"']\s{0,3},\s{0,3}[\"'](?P<s>[^\"'\n]{3,256})[\"']", password),
    place("password", "auth credentials creds login", r"\b\w{0,20}(?:auth|creds?|credentials?|login|userpw|user_pass)[\"']?\s?[:=]\s?[(\[{]\s?[brfu]?[\"'][^\"'\n]{1,128}[\"']\s?,\s?[brfu]?[\"'](?P<s>[^\"'\n]{3,256})[\"']", password),
    place("password", "securestring", r"\bsecurestring\s(?:-string\s|-asplaintext\s|-force\s){0,3}" + VALUE, password),
    place("password", "send", r"\bsend(?:_user|_?line|ln)?\s?(?:--\s)?\(?[brf]?[\"'](?P<s>[^\"'\s\\]{6,128})(?:\\[rn]|[\"']\))", made_up),  # expect
    place("password", "echo printf", r"\b(?:echo|printf)\s(?:-\w{1,3}\s|['\"]?%s(?:\\n)?['\"]?\s){0,2}(?:[\"']?[\w.-]{1,64}:)?" + VALUE + r"[\"']?\s{0,3}\|\s{0,3}(?:sudo\s[^\n|;&]{0,60}?)?(?:sudo\s-S|chpasswd|passwd\s|\w{1,12}\slogin|(?:helm|oras|crane)\s\S{0,12}\s?login|helm\sregistry|gh\sauth|cryptsetup|gpg\s|openssl\s|smbpasswd|kinit|base64(?!\s-+d)|docker\ssecret|podman\ssecret|wg\s|su\s|ssh-add|restic|borg|gh\ssecret|vault|wpa_passphrase|fly\s|wrangler|npx\s|realm\s|oc\slogin|net\sads|veracrypt|zuluCrypt|7z\s|docker-compose|openconnect|passwd\b)", password),
    place("password", "echo printf", r"<\(\s?(?:echo|printf)\s(?:-\w{1,3}\s)?[\"']?" + VALUE, password),
    place("password", "<<<", r"\b(?:sudo|su|passwd|cryptsetup|gpg|login|kinit|smbpasswd|openssl|chpasswd|ssh-add|base64|restic|wg)\b[^\n]{0,120}<<<\s{0,3}[\"']?(?:[\w.-]{1,64}:)?(?P<s>[^\s\"'$]{3,256})", password),
    place("password", "chpasswd", r"\b(?:chpasswd|newusers)\s{0,3}<<<\s{0,3}[\"']?[\w.-]{1,64}:(?P<s>[^\s\"']{3,256})"),
    place("password", "pass:", r"(?<=\s)-(?:pass|passin|passout|password|kpass)\s{1,3}[\"']?pass:" + VALUE, password),
    place("secret", "secret", r"\bsecrets?\s(?:set|put|create|add|import|update)\s(?:-{1,2}[\w-]{1,20}(?:[ =][\w.-]{1,64})?\s){0,4}[\w.-]{1,128}[ =]" + VALUE, made_up),
    place("password", "--user --auth --login --cred -user -auth -login -cred --account", r"(?<![\w-])--(?:[a-z]{1,12}-)?(?:user|auth|login|creds?|credentials?|userpass|userpwd|account)[= ][\"']?[\w.@\\-]{1,64}:" + VALUE, made_up),
    # A user and a password with nothing but a sign between them
    place("password", "login credential creds authentic auth·failed logged·in log·in sign·in account user·created tried trying", r"\b(?:logins?|credentials?|creds|authenticat\w{2,5}|auth\sfailed|logged\sin|log\sin|sign\sin|account|user\screated|tried|trying)\b[^\n]{0,60}?(?:[\s(\[:]|b')[\"']?[a-z_][\w@-]{0,40}(?:\.\w{2,10})?[\"']?\s?/\s?(?:b')?[\"']?(?P<s>[^\s\"'/()\[\],;]{6,128})(?=[\s\"'\]),;.]|$)", mixed),
    place("password", "authentic log·in logged·in login sign", r"\b(?:authenticat\w{2,5}|log(?:ged|ging)?\s?in|sign(?:ed|ing)?\s?in)\s(?:as\s)?[\w.@-]{1,64}\s(?:with|using)\s[\"']?(?P<s>[^\s\"'/()\[\],;]{6,128})(?=[\s\"',;.]|$)", mixed),
    place("password", '"·"', r"(?:^|:\s)\"[\w.@-]{1,64}\"\s\"(?P<s>[^\"\n]{6,256})\"\s{0,3}$", mixed),
    place("password", "·using·", r"\buser\s[\w.-]{1,64}\susing\s[\"']?" + VALUE, password),
    place("password", "sp_add sp_pass sp_change", r"\bsp_(?:addlogin|addremotelogin|addlinkedsrvlogin|password|change_users_login|setapprole|addapprole)\b[^\n]{0,200}?(?:,\s?|@(?:new|old|passwd|password|rmtpassword|loginpwd)\s?=\s?)n?'(?P<s>[^'\n]{3,256})'", made_up),
    place("password", "new·value:", r"\bnew\svalue:\s{1,3}(?P<s>\S{8,256})\s{0,3}$", mixed),
    # Keys and tickets that debug output shows
    place("token", "(0x", r"\((?:aes|des|arcfour|camellia|deprecated:)[\w:-]{1,40}\)\s{1,4}\(0x(?P<s>[0-9a-f]{16,128})\)"),
    place("token", "_secret client_random", r"\b(?:CLIENT_RANDOM|(?:CLIENT|SERVER)_(?:HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_[0-9])|EXPORTER_SECRET|CLIENT_EARLY_TRAFFIC_SECRET|EARLY_EXPORTER_SECRET)\s[0-9a-f]{64}\s(?P<s>[0-9a-f]{64,128})"),
    place("token", "key psk secret seed hexdump", r"(?<![a-z])(?:(?:master|private|secret|session|encryption|shared|volume|data|wrapping|traffic|pairwise|group|aes|hmac|root|link|identity|long.term)[\s_-]?(?:key|secret)|psk|pmk|ptk|gtk|kck|kek|tk|mk|msk|emsk|seed)\b(?:[^\n(]{0,40}\(len=[0-9]{1,4}\):|[^\n:=]{0,60}[:=])\s{0,9}(?:0x)?" + _HEX_PAIRS, _hexadecimal_key),
    place("token", "kty", r"\"(?:d|k|p|q|dp|dq|qi)\"\s{0,3}:\s{0,3}\"(?P<s>[\w-]{20,1024})\"", random),
    place("token", "private exponent", r"(?:private|priv|secret)\s?(?:key|exponent)?:\s{0,9}(?:0x)?(?P<s>[0-9a-f]{40,128})\b"),
    place("password", "wifi:", r"\bWIFI:(?:[A-OQ-Z]:[^;\n]{0,64};){0,5}P:(?P<s>[^;\n]{3,128})"),
    place("otp", "code otp pin", r"\b(?:otp|totp|2fa|mfa|verification|one[- ]time|login|auth(?:entication|orization)?|security|confirmation|access|pairing|setup|passcode|sms|reset|sign-?in|activation|device|pin)[- ](?:pass)?(?:code|pin|password)(?:\s(?:is|was|for\s\S{1,64}))?\s{0,3}[:=]?\s{0,3}[\"']?(?P<s>[0-9]{3}[ -]?[0-9]{3,5})\b"),
    place("otp", "code pin", r"\b(?P<s>[0-9]{6,8})\sis\syour\s[\w\s-]{0,40}(?:code|pin|otp|password)\b"),
    place("otp", "backup recovery codes", r"\b(?:backup|recovery|scratch|emergency|one-time|rescue|2fa|mfa)[- ](?:codes?|tokens?)(?:\sare|\sis|\s\([^()\n]{1,60}\))?\s{0,3}[:=]\s{0,3}\[?[\"']?(?P<s>[A-Za-z0-9-]{6,64}(?:[\"' ,]{1,5}[A-Za-z0-9-]{6,64}){0,19})", lambda value: any(c.isdigit() for c in value)),
    place("token", "phrase mnemonic seed", r"\b(?:seed|mnemonic|phrase|recovery\swords|backup\swords|wallet\swords)\b[^\n:=]{0,60}[:=]?\s{0,3}[\"'\[]{0,2}(?P<s>[a-z]{3,8}(?:[\"', ]{1,4}[a-z]{3,8}){11,23})(?![\w ])"),
    place("token", "key code secret", r"\b(?:key|code|secret|totp|otp|2fa|license|serial|password|seed)s?\b(?![^\n:=]{0,40}fingerprint)[^\n:=]{0,40}[:=]\s{0,3}[\"']?(?P<s>[A-Z0-9]{4,8}(?:[ -][A-Z0-9]{4,8}){3,15})(?![\w-])", lambda value: is_random("".join(c for c in value if c.isalnum()), 16) and may_be_secret(value)),
)  # fmt: skip

_INSERT = LazyPattern(
    r"\b(?:insert|replace)\s(?:ignore\s)?into\s(?P<table>[^\s(]{1,128})\s{0,3}(?:\((?P<columns>[^()\n]{1,2000})\)\s{0,3})?values\s{0,3}\((?P<values>[^\n]{1,4000})",
    re.IGNORECASE,
)
_SQL_VALUE = LazyPattern(r"\s{0,3}(?:[NnEe]?'(?P<s>(?:[^'\\]|''|\\.){0,2000})'|[^,'()]{1,200}(?:\([^()]{0,200}\))?)\s{0,3}(?P<more>,?)")
_TABLE_OF_SECRETS = LazyPattern(r"user|account|login|cred|auth|secret|token|api_?key|password|session|admin|member|customer", re.IGNORECASE)
_MOST_VALUES = 100


def inserted(text: str, lower: str) -> Iterator[Span]:
    """Yield the values that an INSERT of SQL puts into columns of secrets. lower: the text in lower case."""
    for match in _INSERT.finditer(text) if "into " in lower and "values" in lower else ():
        columns = [kind_of(column.strip(" `\"'[]")) for column in (match["columns"] or "").split(",")]
        is_table_of_secrets = match["columns"] is None and _TABLE_OF_SECRETS.search(match["table"]) is not None
        at, number = match.start("values"), 0
        while number < _MOST_VALUES and (value := _SQL_VALUE.match(text, at)) is not None:
            if value["s"] is not None and may_be_secret(value["s"]):
                is_named = number < len(columns) and columns[number] != ""
                if is_named or (is_table_of_secrets and mixed(value["s"])):
                    yield value.span("s")
            at, number = value.end(), number + 1
            if not value["more"]:
                break
