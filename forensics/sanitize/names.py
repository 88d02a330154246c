# ruff: noqa: E501  a list of names is read better in long lines
"""The names of secrets, as programs, settings and people call them; and whether a value can be what such a name promises."""

from __future__ import annotations

import re

from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.values import is_made_up, is_random, may_be_secret

# A password may be any word; a key is a word only where it is configured; a token is never a word.
PASSWORDS = (
    r"pass[-_ ]?(?:word|wd|phrase|code|key|wort)s?|pwd|pswd|psk|kennwort|wachtwoord|senha|contrase[nñ]a|authtok|mot[-_ ]de[-_ ]passe"
    r"|(?:store|key|trust|auth|user|db|root|admin|sql|ssh|bind|enable|dest|src|mail|smtp|imap|ftp|ldap|sudo|hub|proxy|become|vault|backup|cert|pgp|gpg)[-_]?pass"
    r"|(?:bind|root|user|db|admin|sql|ldap|olcroot|key|proxy|auth|login|mail|smtp|service)[-_]?pw|wpa_passphrase|requirepass|masterauth|sshpass"
    r"|(?:user|so|sim|card|unlock|pairing|security|admin|tpm2?|piv|device)[-_ ]?pin(?:[-_ ]?code)?|pin[-_ ]?code|puk"
)
# What is before `key` in the name of a secret one
KEY_WORDS = tuple(
    """
    api app application admin access secret private priv master account signing signature encryption encrypt encipher decryption auth license licence storage
    deploy service server hmac jwt jwe jws cookie consumer client routing integration unseal recovery ssh webhook fernet session subscription preshared
    pre-shared pre_shared join shared rescue bitlocker activation product root cluster write read ingest ingestion hash connection crypt backup node project
    certificate unlock setup registration enrolment enrollment provisioning instrumentation push vapid sync user team org global partner merchant developer bot device totp otp
    2fa mfa bearer internal security wifi wpa wep network tsig rndc gossip swarm pool agent beacon aes rsa ed25519 sealed data kek dek wg wireguard tls ssl
    state db database sqlcipher repo repository restic pgp stream playback drm content model rpc engine validator wallet trading exchange maps geocoding
    weather translate speech search crawl scraper scraping mail sms voice payment checkout sandbox live test prod production hec siem
    anthropic openai huggingface groq mistral gemini cohere stripe sendgrid datadog wandb tmdb deepseek openrouter together fireworks replicate elevenlabs
    deepgram serpapi tavily brave langfuse langsmith qdrant weaviate meili meilisearch typesense algolia sonarr radarr plex jellyfin grafana sentry newrelic
    relic pagerduty opsgenie twilio mailgun azure google aws cloudflare linode hetzner vultr github gitlab nvidia civitai runpod vast modal lambda cerebras
    perplexity voyage jina xai comet neptune clearml mlflow shodan virustotal abuseipdb maxmind tailscale zerotier nebula
    """.split()  # noqa: SIM905  a list is three times as long
)
KEYS = rf"(?:{'|'.join(KEY_WORDS)})[-_ .]?keys?(?:[-_ ]?(?:data|base|material|hex|pass))?"
TOKENS = (
    r"secret[-_ ]?ids?|secrets?|tokens?|credentials?|creds?|authorization|authkey|auth|cookie|signature|sig|otp|totp|mfa[-_ ]?code|apikeys?|jwt|sas|dsn|webhook|salt|pepper|ticket|assertion|bearer|hmac"
    r"|x?csrf|xsrf|ha1|md5[-_]?cred|ntlm|saml(?:response|request)|mnemonic|claim|phash"
)
SESSIONS = r"phpsessid|jsessionid|sessionid|session|csrftoken|connect\.sid|asp\.net_sessionid|sid|sess"
# The name goes on with more that does not change what it holds …
MORE = r"(?:[_-]?(?:hash|value|text|base64|b64|base|string|data|plain|new|old|confirm(?:ation)?|again|repeat|encrypted|enc|decrypted|raw|current|previous|temp|default|prod|staging|live|test|primary|secondary|env|ro|rw|[0-9]{1,2}))?"
# … or with what says that something else follows: a file, a length, a policy.
_ABOUT = LazyPattern(
    r"(?:files?|path|dir|ids?|type|name|names|length|len|size|count|ttl|expir\w{0,24}|policy|method|url|uri|field|var|command|cmd|prompt|alg\w{0,24}|encryption|scheme|provider|format|index"
    r"|version|source|ref|user|limit|min\w{0,24}|max\w{0,24}|location|store|manager|ring|pair|map|usage|usages|rotation|age|reset|required|enabled|auth|status|label|hint|prefix|suffix|endpoint|host|port|arn|spec|mode|class|server|bits|fingerprint)$",
    re.IGNORECASE,
)
_SECRET_IDS = ("secret_id", "secret-id", "secretid")  # of Vault
_OF_A_NAME = LazyPattern(
    rf"(?:^|[^a-z]|(?<=[a-z])(?=[A-Z]))(?:(?P<password>(?i:{PASSWORDS}|pass|pw))|(?P<key>(?i:{KEYS}))|(?P<token>(?i:{TOKENS}|{SESSIONS}|(?:nt|lm)[-_]?hash|(?:access|personal|app|account|project|deploy)[-_ ]?pat))|(?P<other>(?i:key)))(?i:{MORE})$"
)
_RUN_TOGETHER = LazyPattern(
    rf"(?P<password>passw(?:or)?d|passphrase|secret|{PASSWORDS})$|(?P<key>apikey|secretkey|accesskey|privatekey)$|(?P<token>token)$",
    re.IGNORECASE,
)
# What is before `pass`, `pw`, `pin` … in names that are not one word
_BEFORE = {
    "pass": "store key trust auth user db root admin sql ssh bind enable dest src mail smtp imap ftp ldap sudo hub proxy become vault backup cert pgp gpg require sentinel",
    "pw": "bind root user db admin sql ldap olcroot key proxy auth login mail smtp service",
    "pin": "user so sim card unlock pairing security admin tpm tpm2 piv device",
    "code": "pairing setup access security verification confirmation device user time invite login auth authorization reset activation backup recovery unlock 2fa mfa sms pin pass",
    "hash": "nt lm",
    "pat": "access personal app account project deploy github gitlab azure ado",
}
_QUALIFIERS: dict[str, tuple[str, ...]] = {"key": KEY_WORDS} | {kind: tuple(words.split()) for kind, words in _BEFORE.items()}

_LONG = {kind: tuple(word for word in words if len(word) > 3 or word == "api") for kind, words in _QUALIFIERS.items()}
_LAST_WORD = LazyPattern(r"[A-Z]?[a-z0-9]{1,24}\Z|[A-Z0-9]{1,24}\Z")


def is_qualified(kind: str, before: str) -> bool:
    """Whether what is before `key`, `pass`, `pin` … makes it the name of a secret: `api_` before `key`."""
    word = _LAST_WORD.search(before.rstrip("-_ .")[-24:])
    if word is None:
        return False
    qualifiers = _QUALIFIERS[kind]
    return (word[0].lower() in qualifiers or word[0].lower().endswith(_LONG[kind])) and not before.endswith(("  ", "--"))


# One of these is in each text with a name that is looked for in sentences, pairs and lines.
WORDS = (
    *("pass", "pwd", "psk", "kennwort", "secret", "cred", "token", "key", "otp", "one-time", "one time", "code", "signature", "334 ugfzc3"),
    *("auth", "cookie", "jwt", "dsn", "salt", "pin", "pw", "sig", "session"),
)
_CODES = LazyPattern(r"code\Z|\A(?:t?otp)\Z", re.IGNORECASE)


def kind_of(name: str) -> str:
    """What a name such as X-Auth-Token, dbPassword or --secret-key holds: password, key, token, other (any key), or nothing."""
    name = name.strip("-:/$ ")
    if name.lower().endswith(_SECRET_IDS):
        return "token"
    match = None if _ABOUT.search(name) else _OF_A_NAME.search(name) or _RUN_TOGETHER.search(name)
    return "" if match is None else str(match.lastgroup)


def can_be(kind: str, value: str, *, certain: bool) -> bool:
    """Whether a value can be what its name promises. certain: the place leaves no doubt that it is a value, not a further word."""
    if not may_be_secret(value):
        return False
    if kind == "password":
        return certain or is_made_up(value)
    if kind == "key":
        return is_random(value, 6 if certain else 12) or is_made_up(value, 6 if certain else 10) or (certain and len(value) >= 8)
    if kind == "other":
        return is_random(value, 16)
    return is_random(value, 8 if certain else 12) or (certain and is_made_up(value, 8))


def is_code(name: str, value: str) -> bool:
    """Whether this is a code of digits, such as those that are used once."""
    return _CODES.search(name) is not None and len(value) >= 6 and value.isdigit()
