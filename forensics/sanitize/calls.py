# ruff: noqa: E501  an expression is read better in one line
"""Where secrets are by their position: arguments of calls that log in, short parameters of queries, users of servers, user:secret."""

from __future__ import annotations

from forensics.sanitize.place import Place, always, made_up, password, place
from forensics.sanitize.value_forms import VALUE
from forensics.sanitize.values import is_random, may_be_secret

_STRING = r"[brufNE]?(?:\"[^\"\n]{0,300}\"|'[^'\n]{0,300}')"
_ARGUMENT = rf"(?:{_STRING}|[\w.$@>\[\]:-]{{1,64}}(?:\([^()\n]{{0,80}}\))?|(?i:resource)\sid\s#[0-9]{{1,6}})\s{{0,3}},\s{{0,3}}"
_LAST = r"(?:\w{1,20}\s?[=:]\s?)?[brufNE]?(?:\"(?P<q>[^\"\n]{3,256})\"|'(?P<a>[^'\n]{3,256})')"
_OPEN = r"\s?\({1,2}\s{0,3}"


def _argument(value: str) -> bool:
    return password(value) and not value.startswith(("http:", "https:", " ", "$")) and "%s" not in value


def _parameter(value: str) -> bool:
    """Whether this is more than the number of a page or a flag."""
    return may_be_secret(value, 3) and (not value.isdigit() or len(value) >= 6)


def _shared(value: str) -> bool:
    return may_be_secret(value, 3) and not value.startswith("//")


def _telephone(value: str) -> bool:
    """Whether this is a password, rather than a time, a task or a part of an address."""
    return made_up(value) and not value.startswith("//") and ":" not in value


def _strange(value: str) -> bool:
    """Whether this is a generated password, with whatever signs in it."""
    is_made = may_be_secret(value, 6) or not value.replace("(", "").isalnum()  # K(dCd5>4u?tM is no call
    return (
        always(value) and is_made and any(c.isdigit() for c in value) and "://" not in value and not value.startswith(("/", "<", "[", "$"))
    )


CALLS: tuple[Place, ...] = (
    # dsn or connection, user, secret
    place("password", "pdo connect mysqli imap_ ldap_ login ssh2_ logon authenticate",
          rf"\b(?:pdo(?:->|::)?(?:__construct|connect)?|\w{{0,20}}connect|getconnection|connection|opensession|mysqli?(?:->|::)?(?:__construct|real_connect|connect|change_user)?|imap_(?:re)?open|ldap_bind(?:_ext|_s)?|ftp_login|ssh2_auth_password|ibase_p?connect|drivermanager\.\w{{1,20}}|logon|open_?connection|connect_db|authenticate|login){_OPEN}(?:(?:object|resource)\([^()\n]{{0,80}}\)\s?#?[0-9]{{0,3}},\s)?{_ARGUMENT}{_ARGUMENT}{_LAST}", _argument),
    # user, secret
    place("password", "log bind auth credential password oci_ wpdb sign user",
          rf"(?:\blog_?in(?:_user)?|\blogon|\bsign_?in|authenticate(?:_user|user)?|\b(?:simple_?|re|ldap_|sasl_)?bind(?:_s|_user|user)?|\b\w{{0,20}}(?:basic|digest|ntlm|password|plain|userpass)_?auth\w{{0,20}}|\w{{0,20}}credentials?|(?:username)?passwordtoken|set_?password|set_?basic_?auth|change_?password|create_?user|add_?user|oci_p?connect|wpdb(?:->|::)__construct)\]?{_OPEN}(?!['\"][0-9.:*]{{0,40}}['\"]){_STRING}\s{{0,3}},\s{{0,3}}{_LAST}", _argument),
    place("password", "bind", rf"\b(?:connection|ldap\w{{0,12}}|\w{{0,12}}bind\w{{0,6}}){_OPEN}[\w.]{{1,40}}\s{{0,3}},\s{{0,3}}{_STRING}\s{{0,3}},\s{{0,3}}{_LAST}", _argument),
    place("password", "auth= auth·= auth: credentials= login=", rf"\b(?:auth|basic_auth|http_auth|credentials|login|userpw)\s?[=:]\s?[\[(]\s?{_STRING}\s?,\s?{_LAST}", password),
    # Tables of other servers: ClickHouse's functions and engines
    place("password", "mysql( postgresql( mongodb(", rf"\b(?:mysql|postgresql|mongodb)\(\s{{0,3}}(?:{_STRING}\s{{0,3}},\s{{0,3}}){{4}}{_LAST}", _argument),
    place("password", "remote( remotesecure(", rf"\bremote(?:secure)?\(\s{{0,3}}{_STRING}\s{{0,3}},\s{{0,3}}(?:{_ARGUMENT}){{1,2}}{_STRING}\s{{0,3}},\s{{0,3}}{_LAST}", _argument),
    place("password", "s3( s3cluster( gcs( cosn( oss( deltalake( iceberg( hudi(", rf"\b(?:s3(?:cluster)?|gcs|cosn|oss|deltalake|iceberg|hudi)\(\s{{0,3}}(?:{_STRING}\s{{0,3}},\s{{0,3}}){{2,3}}?{_LAST}", lambda value: is_random(value, 20) and " " not in value and "/" not in value[:1]),
    # secret alone, or before the salt, the hash or the method
    place("password", "pass pw( pbkdf2 crypt kdf derive",
          rf"\b(?:(?:set|make|check|verify|hash|validate|compare|encrypt|get|encode)_?(?:password|passphrase)(?:_hash)?|password_(?:hash|verify)|hashpw|checkpw|pbkdf2(?:_hmac)?|scrypt|(?:derive|kdf)\w{{0,12}}){_OPEN}{_LAST}(?=\s{{0,3}}[,)])", _argument),
    place("password", "crypt", rf"\bcrypt{_OPEN}{_LAST}(?=\s{{0,3}},\s{{0,3}}(?:gen_salt|['\"$]|[\w.]{{0,40}}(?:salt|hash|passw)))", _argument),
    place("password", "pbkdf2 hmac", rf"\b(?:pbkdf2\w{{0,12}}|hmac(?:\.new|_sha\w{{1,6}})?){_OPEN}['\"][\w-]{{2,12}}['\"]\s?,\s?{_LAST}", _argument),
    # Parameters of one letter: u and p of Subsonic, t and s, pw, k; in both orders
    place("password", "&", r"(?:[?&\"'\s;]|^)(?:u|un|us|usr|user|username|user_?name|login|l|log|email|mail|id|uid|acc|account|name)=[^&\s\"'<>]{0,128}&(?:amp;)?(?:[\w.-]{1,20}=[^&\s\"'<>]{0,128}&(?:amp;)?){0,4}(?:p|pw|psw|pass|pwd|passwd|password|secret)=(?P<s>[^&\s\"'<>#]{3,256})", _parameter),
    place("password", "&", r"(?:[?&\"'\s;]|^)(?:p|pw|psw|pass|pwd)=(?P<s>[^&\s\"'<>#]{3,256})&(?:[\w.-]{1,20}=[^&\s\"'<>]{0,128}&){0,4}(?:u|usr|user|username|login|l|email)=", _parameter),
    place("password", "? &", r"[?&;](?:pw|psw|passwd)=(?P<s>[^&\s\"'<>#]{3,256})", _parameter),
    place("token", "? &", r"[?&](?:t|s|k|sk|ak|tk)=(?P<s>[\w.~+/%-]{16,512})(?=[&\s\"'<>#]|$)", lambda value: is_random(value, 20) and any(c.isalpha() for c in value)),
    # Users of servers: Redis' ACL, quoted or not; settings that are quoted arguments
    place("password", "setuser user", r"\b(?:acl\\?[\"']?\s\\?[\"']?setuser|(?:^|['\"\s])user)\\?[\"']?\s\\?[\"']?[\w.@-]{1,64}\\?[\"']?\s(?:[^\n]{0,160}?[\s\"'])?[><](?P<s>[^\s\"'>\\]{3,256})", password),
    place("password", "setuser", r"\bsetuser\\?[\"']?\s[^\n]{1,200}?[\"'\s][#!](?P<s>[0-9a-f]{64})(?![0-9a-f])"),
    place("password", "requirepass auth -pass", r"\b(?:requirepass|masterauth|auth-pass|tls-key-file-pass|tls-client-key-file-pass|primaryauth)\\?[\"']\s\\?[\"'](?:[\w.-]{1,64}\\?[\"']\s\\?[\"'](?=[^\s\"'\\]))?(?P<s>[^\"'\n\\]{1,512})"),
    place("password", "auth", r"(?<![\w-])\\?\"auth\\?\"\s\\?\"(?:[\w.@-]{1,64}\\?\"\s\\?\")?(?P<s>[^\"\n\\]{3,512})", password),
    place("password", "add_user change_password", r"\b(?:add_user|change_password|authenticate_user)\((?:<<)?\"[^\"\n]{1,64}\"(?:>>)?,\s?(?:<<)?\"(?P<s>[^\"\n]{3,256})\"", password),
    place("password", "add_user change_password", r"\b(?:add_user|change_password|authenticate_user)[\s\"',<(]{1,8}[\w.@-]{1,64}[\s\"',<>]{1,8}(?P<s>[^\s\"'<>,]{3,256})", made_up),
    # user:secret where the user is a number or an address: of telephones and trunks
    place("password", "regist", r"\bregist(?:er|ration)\s?=>?\s?(?:\w{2,4}://)?[\w.+-]{1,64}(?:@[\w.-]{1,128})?(?::[0-9]{2,5}@)?:(?P<s>[^\s:@]{3,256})(?=[:@])", _shared),
    place("password", "@", r"(?<![\w/.@:%-])\+?[0-9][\w.-]{2,40}:(?!sha[0-9]{3})(?P<s>[^\s\"'<>`:@/]{4,128})@(?=[\w.-]{1,128}(?:[:/\s,;)]|$))", _telephone),
    place("password", "@", r"(?<![\w/.@:%-])[a-z0-9][\w.+-]{0,64}@[\w-]{1,64}\.[\w.-]{1,64}:(?P<s>[^\s\"'<>`:@/]{4,128})@(?=[\w.-]{1,128}(?:[:/\s,;)]|$))", _telephone),
    place("password", "@", r"(?<![\w/.@-])[a-z_][\w.-]{0,64}:(?P<s>[^\s\"'`]{3,128})@(?=(?:tcp|udp|unix)?\(|/\w{1,64}(?:[?\s]|$))", _shared),
    place("password", "@", r"(?<![\w/.@:%-])(?:\+?[0-9]{5,20}|[a-z0-9][\w.+-]{0,64}@[\w-]{1,64}\.[\w.-]{1,64}):(?P<s>[^\s\"'`:/]{4,128})@(?=[\w-]{1,64}\.[\w.-]{0,128}[a-z](?:[:/\s,;)]|$))", lambda value: _shared(value) and any(c.isalpha() for c in value)),
    # name=user:secret
    place("password", "auth userpwd userpass credential login_pass", r"(?<![\w.])(?:\w{0,30}_)?(?:sst_auth|gradio[_-]auth|basic[_-]?auth|http[_-]?auth|proxy[_-]?auth|userpwd|userpass|user_pass|auth_user_pass|credentials?|webui[_-]auth|api[_-]auth|auth)[\"']?(?:=|\s(?<=-[a-z]{4}\s)|\s(?<=[-_][a-z]{4}\s)|:\s{1,3}[\"'])[\"']?(?!https?:|file:|env:)[\w.@-]{1,64}:(?P<s>[^\s\"',;&]{3,256})", _shared),
    # The word behind the sentence that announces it, whatever signs it has: of MySQL
    place("password", "password", r"\b(?:temporary|initial|generated|default|random|one-time|new|admin|root|bootstrap|auto-?generated)\s(?:[\w-]{1,20}\s){0,3}password\b(?:[^\n:]{0,80}:\s{1,3}|[^\n:]{0,60}\b(?:is|to)\s)(?P<s>\S{6,128})\s{0,3}$", _strange),
    place("password", "password", r"\bpassword\s(?:is|was|has\sbeen)\s(?:generated|set|created|reset)\s[^\n:]{0,40}\bfor\s[^\s:]{1,128}:\s{1,3}(?P<s>\S{4,128})\s{0,3}$", always),
    place("password", "pass", r"(?:--?>|={1,3}>|>>>|[→»]|^>|\s>|\b(?:C|client|sent|send|out):)\s{1,3}(?-i:PASS)\s(?P<s>[^\s\"'/]{3,256})\s{0,3}(?:\\r|\\n|$)", always),
    place("password", "password", r"\bwith\s(?:grant\s[^\n']{1,40}\s)?password\s{0,3}=?\s{0,3}N?'(?P<s>[^'\n]{1,256})'", always),
    place("password", "identified", r"\bidentified\s(?:with\s\S{1,64}\s)?by\s\"?(?!values|externally|globally|password|')" + VALUE, password),
)  # fmt: skip
