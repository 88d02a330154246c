# ruff: noqa: E501  an expression is read better in one line
"""Where secrets are in the files and lines of settings that have no sign between name and value: netrc, routers, VPNs, daemons."""

from __future__ import annotations

from forensics.sanitize.place import Place, always, made_up, mixed, password, place, random
from forensics.sanitize.value_forms import VALUE

_REST = r"(?=[\s;,\"']|$)"

SETTINGS: tuple[Place, ...] = (
    place("password", "login machine", r"\blogin\s{1,3}\S{1,128}\s{1,3}password\s{1,3}" + VALUE, always),
    place("password", ":5432 :3306 :*:", r"(?<![\w.])[a-z*][\w.-]{0,128}:(?:5432|5433|6432|3306|\*):[\w*-]{1,64}:[\w.*-]{1,64}:(?P<s>[^\s:]{3,128})"),
    # user:password with a word before it, or the name of such a file behind it
    place("password", "credential login creds basic trying tried auth users user= socks proxy pass", r"(?:credentials?|logins?|creds|basic\w{0,8}|trying|tried|auth\w{0,12}|userinfo|users?|socks[45]?h?|proxy|chpasswd|passwords?|passwd\w{0,8}|passwd_file|accounts?)\b[^\n]{0,40}?[\s'\"(=](?!https?:|sha[0-9]{1,3}:|md5:|file:|localhost:)[a-z_][\w.@-]{0,64}:(?P<s>[^\s:/'\"()@,\\|=]{6,128})(?=[\s'\"),]|$)", mixed),
    place("password", "secrets htpasswd userlist passwd", r"^\s{0,3}[a-z_][\w.@-]{0,64}:(?P<s>[^\s:/'\"()@,\\|=]{6,128})\s{1,9}#[^\n]{0,60}(?:secrets|passwd|userlist)", password),
    place("password", "basic pass creds login unlock add_user create_user sasl socks", r"(?<![\w-])(?:basic_?auth|\+login|set_?pass(?:word|wd)?|unlock|add_?user|create_?user|password|passwd|creds|sasl|(?:socks[45]h?|http)\s\S{1,64}\s[0-9]{1,5})\s(?:-{1,2}[\w-]{1,20}\s){0,2}(?:[\w.@-]{1,64}\s){0,2}[\"']?(?P<s>[^\s\"'/:=]{8,128})(?=[\s\"']|$)", mixed),
    place("password", ":cl:", r":CL:(?P<s>[^\s:\"']{3,128})", password),  # 3proxy
    place("token", "hmac-", r"\bhmac-[a-z0-9-]{3,12}[\s:\"';]{1,4}(?:[\w.-]{1,64}[\s:]{1,3})?(?:secret\s)?[\"']?(?P<s>[A-Za-z0-9+/]{16,256}={0,2})(?![\w+/=])", random),
    place("password", "secret,", r"\bsecret,[^\s\"']{0,120}?\bdata=(?P<s>[^\s,\"']{3,256})"),  # QEMU
    place("password", "cleartext", r"\bcleartext\s[\"']?" + VALUE, made_up),
    place("password", ":25 :465 :587 smtp", r"(?:\]?:(?:25|465|587)|\bsmtp[\w.-]{1,64})\s{1,9}[\w.@+-]{1,64}:(?P<s>[^\s:]{3,128})(?=\s|$)", made_up),  # Postfix
    # Routers, switches, keepalived, ifupdown: password 7 …, secret 5 …, authentication-key 1 md5 …
    place("password", "password secret key passwd community psk phrase auth", r"\b(?:password|secret|key|passwd|key-string|auth_pass|pre-shared-key|community|wpa-psk|psk|passphrase|shared-secret|authentication-key|authentication|md5|pass)\s(?:[0-9]{1,3}|ascii|ascii-text|cipher|simple|plain|plaintext|plain-text|clear|clear-text|encrypted|enc|hash|hex|unencrypted|sha-?512|sha-?256|md5|hexadecimal|text|0x|irreversible-cipher|local-key)\s{1,3}(?:(?:md5|7|0)\s)?" + VALUE, made_up),
    place("password", "community", r"\b(?:snmp-server\scommunity|(?:ro|rw|trap)community6?|community\sset|set\ssnmp\scommunity|snmp\scommunity|snmp-agent\scommunity\s(?:read|write)(?:\scipher|\ssimple)?)\s{1,3}(?:name=)?" + VALUE, password),
    place("password", "com2sec sink", r"\b(?:com2sec6?\s{1,9}(?:-Cn\s\S{1,64}\s{1,9})?\S{1,64}\s{1,9}\S{1,64}|(?:trap2?sink|informsink)\s{1,9}\S{1,128})\s{1,9}" + VALUE, password),
    place("password", "createuser usmuser", r"\b(?:createuser|usmuser)\s(?:-e\s\S{1,64}\s)?[\w.-]{1,64}\s(?:MD5|SHA(?:-?[0-9]{3})?)\s" + VALUE, password),
    place("password", "createuser usmuser", r"\b(?:createuser|usmuser)\s[^\n]{1,160}\s(?:DES|3DES|AES(?:-?[0-9]{3})?)\s" + VALUE, password),
    place("password", "snmp-server", r"\bsnmp-server\s(?:user\s[^\n]{1,120}?\sauth\s(?:md5|sha)|host\s\S{1,64}(?:\s(?:traps|informs))?(?:\sversion\s\S{1,8})?(?:\s(?:auth|priv|noauth))?)\s" + VALUE, made_up),
    place("password", "pass key psk secret bindpw rootpw", r"\b(?:auth_pass|neighbor\s\S{1,64}\spassword|isakmp\skey|(?:tacacs|radius)(?:-server)?\s(?:[^\n]{1,80}\s)?(?:key|shared-secret)|key-string|wpa-psk|wpa-passphrase|psk(?:-secret|secret)?|insecure-password|ppp\s(?:chap|pap)\s[^\n]{0,80}?password|enable\s(?:password|secret)|(?:privilege\s[0-9]{1,2}\s)(?:password|secret)|username\s[\w.@-]{1,64}\s(?:privilege\s[0-9]{1,2}\s)?(?:password|secret)|set\s(?:passwd|password|psksecret|passphrase)|wireless-security\.psk|wep-key[0-9]?|pre-shared-key|shared-secret|preshared-key|secret-key|sae_password|(?:root)?bindpw|rootpw|password\s\"[^\"\n]{1,40}\"|authkey|rpc-secret|static-auth-secret|http_port_password|spop_password)\s{1,9}(?:[0578]\s)?(?:ENC\s)?" + VALUE, password),
    place("password", "psk xauth eap ntlm", r":\s{0,3}(?:PSK|XAUTH|EAP|NTLM|PIN|PPK|RSA\s\S{1,128})\s{1,9}[\"'](?P<s>[^\"'\n]{3,256})"),  # ipsec.secrets
    place("password", "psk", r":\s{0,3}PSK\s{1,9}(?P<s>0[sx][\w+/=]{6,256}|[^\s\"']{6,256})", password),
    place("password", "*", r"(?:^|:\s)\s{0,4}\"?[\w.@\\-]{1,64}\"?\s{1,20}\"?(?:\*|[\w.-]{1,64})\"?\s{1,20}\"?(?P<s>[^\s\"*]{4,128})\"?\s{1,20}(?:\*|[0-9.]{7,15})\s{0,4}$", made_up),  # chap-secrets
    place("password", "pass secret token psk cookie key", r"^\s{0,12}(?:set\s)?(?:[\w.-]{1,40}[-_.])?(?:password|passwd|passphrase|secret|pass|authtoken|psk|cookie|key|token)\s{1,40}[\"']?(?P<s>[^\s\"']{5,256})[\"']?\s{0,3};?\s{0,3}$", made_up),
    place("password", "requirepass masterauth", r"\b(?:requirepass|masterauth|sentinel\sauth-pass\s\S{1,64})\s{1,3}[\"']?" + VALUE, password),
    place("password", "user", r"\b(?:user|setuser)\s[\w.-]{1,64}\s(?:[^\n>]{0,80}\s)?[><](?P<s>[^\s>]{3,256})", password),  # ACL of Redis
    place("password", "user", r"\buser\s[\w.-]{1,64}\s(?:on|off)\s[^\n]{0,80}?#(?P<s>[0-9a-f]{64})"),
    place("password", "secret", r"^\s{0,12}secret\s{1,9}\"(?P<s>[^\"\n]{8,256})\"", made_up),
    place("password", "login=", r"\blogin=\S{1,128},?\s{1,3}password=" + VALUE, always),
    place("token", "hash:", r"\bhash:[0-9]{1,3}:(?P<s>[^\s:]{16,256})"),
    place("password", "sha md5} crypt} plain}", rf"^\s{{0,3}}[a-z_][\w.@-]{{0,64}}:(?P<s>(?:\{{?(?:SSHA|SHA|MD5|CRYPT|PLAIN|BLF-CRYPT|SHA512-CRYPT)\}}?)[^\s:]{{6,256}}){_REST}", always),
)  # fmt: skip
