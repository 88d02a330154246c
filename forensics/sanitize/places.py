# ruff: noqa: E501  an expression is read better in one line
"""Find secrets by where they are: in URLs, headers, webhooks, and in what PROTOCOLS and SETTINGS add."""

from __future__ import annotations

from forensics.sanitize.calls import CALLS
from forensics.sanitize.hints import by_hint, hinted
from forensics.sanitize.place import Place, always, bearer, password, place, user_and_password
from forensics.sanitize.protocols import PROTOCOLS
from forensics.sanitize.repeated import REPEATED
from forensics.sanitize.settings import SETTINGS
from forensics.sanitize.value_forms import VALUE
from forensics.sanitize.values import is_random, may_be_secret

_NO_TOPICS = frozenset({"docs", "app", "static", "config", "publish", "subscribe", "account", "login", "signup", "settings", "health"})


def _is_uuid_or_name(value: str) -> bool:
    return value.count("-") >= 3


def _has_cookie(value: str) -> bool:
    """Whether one of the cookies of a header is more than a word or a number."""
    return any(is_random(part.partition("=")[2].strip(), 8) or len(part) > 40 for part in value.split(";"))


def _topic(value: str) -> bool:
    return value.lower() not in _NO_TOPICS and always(value)


_SPAN = r"[^\s\"'<>`]"

PLACES: tuple[Place, ...] = (
    # The password may have / and @ in it: up to the last @ of the word that a host follows. A port is no password.
    place("password", "://", rf"\b[a-z][a-z0-9+.-]{{1,20}}://[^\s/:@?#\"'<>]{{0,128}}:(?![0-9]{{1,5}}(?:[/?#\s]|$))(?P<s>{_SPAN}{{1,256}})@(?=[\w.\[$⟨-])"),
    place("token", "://", r"\b[a-z][a-z0-9+.-]{1,20}://(?P<s>[\w~+=%-]{16,256})(?::x-oauth-basic)?@(?=[\w.\[-])", lambda value: is_random(value, 16)),
    place("password", "@", r"(?<![\w/.@-])(?!mailto:|sips?:|xmpp:|acct:)[a-z_][\w.-]{0,64}:(?![0-9]{1,5}/)(?P<s>[^\s\"'<>`]{3,128})@(?!sha[0-9]{3})(?=(?:tcp|udp|unix)\(|[\w.-]{1,128}:[0-9]{2,5}\b|[a-z][\w.-]{0,128}/\w|[\w.-]{1,128}(?:\s|$))",
           lambda value: may_be_secret(value) and any(not c.isalpha() for c in value) and not value.startswith("//")),
    place("password", "jdbc:", r"\bjdbc:oracle:\w{1,10}:[^\s/:@]{1,64}/(?P<s>[^\s@\"']{1,128})@"),
    place("password", "sqlplus", r"\bsqlplus(?:\s{1,3}-\w{1,10}){0,4}\s{1,3}[\w.-]{1,64}/(?P<s>[^\s@\"']{1,128})(?=@|\s|$)", password),
    # The user of an address is a secret too where it is random: the DSN of Sentry, tokens of Git
    place("token", "://", r"\b[a-z][a-z0-9+.-]{1,20}://(?P<s>[\w~+-]{16,256}):[^\s/@\"'<>]{0,256}@(?=[\w.\[⟨-])", lambda value: is_random(value, 16)),
    place("password", "://", r"\b(?:trojan|ss|ssr|vless|vmess|hy2|hysteria2?|tuic|juicity|anytls)://(?P<s>[^\s@/\"'<>]{3,256})(?=@|[\s\"']|$)"),
    place("token", "token sig key secret auth pass pwd code credential hash otp appid= ticket= sid= session assertion saml policy= state= nonce= verifier= invite jwt= hmac=",
           r"[?&;#](?:[\w.\[\]-]{0,30}[-_\[])?(?:id_?token|token|sig|sign|signature|(?:api|access|secret|auth|subscription)?[-_]?key|apikey|secret|auth|password|passwd|pwd|pass|code|credential|hash|otp|ticket|appid|sid|sessionid|session|(?:client_)?assertion|saml(?:response|request)|policy|state|nonce|(?:code_)?verifier|invite|jwt|hmac)\]?=(?P<s>[^\s&\"'<>#`]{6,8192})",
           lambda value: may_be_secret(value, 6) and (is_random(value.replace("%", ""), 6))),
    place("token", ":// get post put path=", r"(?:://|\bget\s|\bpost\s|\bput\s|\bpath=)[^\s\"'<>?]{0,200}?/(?:[\w-]{0,20}(?:reset|verify|confirm|invite|activate|magic|unsubscribe|recover|share|join|claim|onboard|set-?up|token)[\w-]{0,20}|otp|sso)/(?:[\w.@-]{1,64}/){0,2}(?P<s>[\w.~=-]{16,1024})", lambda value: is_random(value, 16) and may_be_secret(value) and not _is_uuid_or_name(value)),
    place("webhook", "webhooks/", r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/(?P<s>[0-9]{6,24}/[\w.-]{6,256})"),
    place("webhook", "hooks.slack", r"\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<s>[\w/+-]{6,256})"),
    place("webhook", "webhook.office.com outlook.office", r"(?:webhook|outlook)\.office(?:365)?\.com/(?:webhookb2|webhook)/(?P<s>[\w@/.-]{6,512})"),
    place("webhook", "hooks.zapier.com ifttt hc-ping.com hooks.airtable hook.", r"(?:hooks\.zapier\.com/hooks/catch/|maker\.ifttt\.com/trigger/[\w-]{1,64}/(?:json/)?with/key/|hc-ping\.com/|hook\.[\w.-]{1,20}make\.com/|hooks\.airtable\.com/)(?P<s>[\w/-]{6,256})"),
    # An address that is a secret as a whole: a long part of its path has capitals, small letters and digits, or follows such a word
    place("token", "://", r"://[^\s/\"'<>?#]{1,128}/(?:[\w.~%@-]{0,64}/){0,8}(?P<s>(?=[A-Za-z]{0,40}[0-9])(?-i:(?=[a-z0-9]{0,40}[A-Z])(?=[A-Z0-9]{0,40}[a-z]))[A-Za-z0-9]{22,128})(?=[/?#\s\"'<>),;]|$)", lambda value: is_random(value, 22)),
    place("webhook", "://", r"://[^\s/\"'<>?#]{1,128}/(?:[\w.-]{0,64}/){0,8}?(?:nosnch\.in/|(?:heartbeat|inputs|alert|push|ingest|ping|p)/)?(?P<s>[A-Za-z0-9-]{20,128})(?=[/?#\s\"'<>]|$)", lambda value: is_random(value, 20)),
    place("webhook", "hook", r"/(?:api/)?(?:web)?hooks?/(?:catch/|incoming/)?(?P<s>[\w-]{16,128}(?:/[\w-]{8,128}){0,2})", lambda value: is_random(value, 16)),
    place("token", "api.telegram.org", r"api\.telegram\.org/(?:file/)?bot(?P<s>[\w:-]{8,128})"),
    place("topic", "ntfy", r"//[^\s/\"'<>]{0,64}\bntfy[^\s/\"'<>]{0,64}/(?P<s>[\w-]{2,64})", _topic),
    place("topic", "ntfy", r"\bntfy[-_ ]?topic[\"']?\s{0,3}[:=]\s{0,3}" + VALUE, password),
    place("topic", "ntfy", r"\bntfy\s{1,3}(?:pub(?:lish)?|send|sub(?:scribe)?)(?:\s{1,3}-[\w-]{1,20}(?:[ =][^\s-]\S{0,64})?){0,6}\s{1,3}(?P<s>[A-Za-z0-9][\w-]{3,64})(?=\s|$)", lambda value: is_random(value, 6)),
    place("token", "tgram:// discord:// slack:// gotify pover:// pbul:// ntfy:// ntfys:// matrix:// msteams:// ifttt://",
           r"\b(?:tgram|discord|slack|gotifys?|pover|pbul|ntfys?|matrixs?|msteams|ifttt)://(?P<s>[^\s\"'<>]{6,256})"),
    # Headers: whatever follows the scheme; of a header of cookies the whole of it.
    place("token", "authorization", r"authorization\\?[\"']?\s{0,3}[:=]>?\s{0,3}\\?[\"']?(?:(?:bearer|basic|token|apikey|api-key|key|negotiate|ntlm|hawk|splunk|sso-key|discogs|bot|digest|aws4-hmac-sha256|signature|oauth|snyk|genie[kK]ey|ssws)\s{1,3})?(?P<s>[^\s\"',;\\]{4,4096})",
           lambda value: may_be_secret(value) and (any(not c.isalpha() for c in value) or len(value) >= 16) and "=" not in value.rstrip("=")),
    place("token", "authorization", r"authorization[\s\"',:=>\\(\[]{1,8}(?:bearer|basic|token|apikey|api-key|negotiate|bot|ntlm|splunk|genie[kK]ey|ssws)[\s\\]{1,4}(?P<s>[\w.~+/=:|#!-]{6,4096})", lambda value: may_be_secret(value, 6) and not value.isalpha()),
    place("token", "authorization", r"authorization\\?[\"']?\s{0,3}[:=]>?\s{0,3}\\?[\"']?(?:aws4-hmac-sha256|signature|oauth|digest|hawk)\s(?P<s>[^\n]{8,2048})"),
    place("token", "digest", r"\b(?:response|cnonce|nonce|opaque)=\"?(?P<s>[\w+/=-]{8,256})"),
    place("cookie", "cookie", r"\b(?:set-)?cookie\\?[\"']?\s{0,3}[:=]>?\s{0,3}\\?[\"']?(?P<s>[\w.%-]{1,64}=[^\n\"'\\]{4,4096})", _has_cookie),
    place("token", "key token secret auth", r"\b(?:x-)?[a-z][a-z0-9-]{0,40}-(?:key|token|secret|auth|signature)\\?[\"']?\s{0,3}[:=]\s{0,3}" + VALUE, lambda value: may_be_secret(value, 6) and is_random(value, 12)),
    place("token", "sharedkey", r"\bsharedkey(?:lite)?\s{1,3}[\w-]{1,64}:(?P<s>[A-Za-z0-9+/]{16,256}={0,2})"),
    place("token", "login=", r"\blogin=[\"']?(?P<s>[\w-]{24,128})(?![\w@.-])", lambda value: is_random(value, 24)),
    place("token", "bearer", r"\bbearer\s{1,4}(?P<s>[\w.~+/=:|-]{6,4096})", bearer),
    place("password", "basic", r"\bbasic\s{1,4}(?P<s>[A-Za-z0-9+/]{8,1024}={0,2})(?=[\s\"',\\]|$)", user_and_password),
    place("token", "x-", r"\bx-[a-z0-9-]{0,40}(?:key|token|secret|auth|signature|password|session)[a-z0-9-]{0,20}\\?[\"']?\s{0,3}[:=]\s{0,3}" + VALUE,
           lambda value: may_be_secret(value, 6) and (is_random(value, 6) or len(value) >= 16)),
    place("password", "auth", r"\bauth\s(?:plain|login|xoauth2)\s(?P<s>[A-Za-z0-9+/]{8,1024}={0,2})"),
    place("password", "auth", r"\\?\"auth\\?\"\s\\?\"(?:[\w.-]{1,64}\\?\"\s\\?\")?(?P<s>[^\"\s\\]{3,256})", password),  # Redis' MONITOR
    place("password", '"auth"', r"\"auth\"\s{0,3}:\s{0,3}\"(?P<s>[A-Za-z0-9+/]{8,1024}={0,2})", user_and_password),  # Docker's config.json
    *PROTOCOLS,
    *CALLS,
    *REPEATED,
    *SETTINGS,
)  # fmt: skip
_OF_HINT = by_hint(place.hints for place in PLACES)


def in_places(text: str, lower: str) -> list[tuple[str, int, int]]:
    """List (kind, start, end) of the secrets of all PLACES. lower: the text in lower case."""
    return [(PLACES[number].kind, *span) for number in hinted(_OF_HINT, lower) for span in PLACES[number].spans(text)]
