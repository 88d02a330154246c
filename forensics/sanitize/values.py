"""Judge whether the value beside a name such as password or token is a secret, or a word, a path, a variable or code."""

from __future__ import annotations

import re

from forensics.sanitize.lazy_pattern import LazyPattern

# What is written after `password:` or `token=` when it is no secret.
_PLAIN_WORDS = frozenset(
    """
    none null nil undefined true false yes no on off required requires missing invalid incorrect wrong expired changed empty unset
    set not failed fails failure error errors denied accepted ok okay good authentication mismatch too must is was are has have
    cannot could should be redacted hidden masked prompt default unknown disabled enabled ask env file from for to in of the a an
    and or with without rejected unavailable here reset updated correct given provided configured loaded found unauthorized
    forbidden revoked valid string str bytes int optional any object type only basic bearer digest token password secret key user
    username identifier eof end start dummy placeholder skipped ignored used using at by on as it this that does did can will your
    if when before after then self cls kwargs args credentials example optional[str] secretstr entered blank
    filtered sensitive omitted removed encrypted protected secure secured stdin interactive keyring anonymous guest changeme
    available present passed stored saved generated created rotated cleared updating changing checking reading loading hash hashed
    plaintext cleartext plain scram-sha-256 md5 sha256 sha512 bcrypt argon2 pbkdf2 trust peer gss ident cert publickey kerberos
    hostbased keyboard-interactive authentication authenticator login logins policy manager field prompts resets change
    chauthtok setcred session account match matches mismatched your-api-key your_api_key your-token your_token your_password your-password
    """.split()  # noqa: SIM905  a list is three times as long
)
_PATH = LazyPattern(r"\A(?:(?:~|\.{1,2})?/[a-z0-9._-]{1,24}(?:/|$)|[A-Z]:\\)")
_VARIABLE = LazyPattern(
    r"\A(?:\$(?:\(|\{)|\$[A-Za-z_]\w*$|%\(?\w*\)?[sd]?$|%[A-Z_]+%$|\{\{?[\w.!: ]*\}{0,2}$|<[^<>]{0,60}>?$|\[[A-Za-z_ -]{2,20}\]?$"
    r"|!(?:vault|secret|Ref)\b)"
)
_MASK = LazyPattern(r"\A(?:[*•●xX#_.…-]+$|.{0,4}(?:\*{3,64}|•{3,64}|…|\.{3}).{0,4}$)")
# VALUE_SPECIFIED_IN_NO_LOG_PARAMETER of Ansible, [FILTERED] of Rails, <REDACTED>
_NO_VALUE = LazyPattern(
    r"\A[\[<({*]{0,4}(?:[A-Z]{1,20}[_-]){0,6}(?:REDACTED|MASKED|HIDDEN|NO_LOG|OMITTED|FILTERED|SCRUBBED|SANITIZED|CENSORED|REMOVED|SUPPRESSED|OBFUSCATED|PLACEHOLDER"
    r"|CHANGE_?ME|NOT_SHOWN|YOUR_(?:[A-Z]{1,20}_){0,2}(?:SECRET|PASSWORD|TOKEN|KEY))(?:[_-][A-Z]{1,20}){0,6}[\]>)}*]{0,4}\Z"
)
_DOTTED = LazyPattern(r"\A(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$)")
_CALL = LazyPattern(r"\A(?:[A-Za-z_][\w.]{2,}(?:\(|\[))")
_FLAG = LazyPattern(r"\A(?:--?[a-z][a-z-]*$|--?[a-z]$)")
_REFERENCE = LazyPattern(
    r"\A(?:(?:https?://|file:|env:|vault:|s3://|secret/|arn:aws:|keyring:|op://|ref\+|sops:|ssm:|awssm:))", re.IGNORECASE
)
_FILE = LazyPattern(
    r"\A[\w./-]{1,120}\.(?:pem|key|txt|json|ya?ml|crt|cer|conf|cfg|ini|toml|env|gpg|asc|p12|pfx|jks|pub|age|py|js|ts|go|rs|log|sock)\Z",
    re.IGNORECASE,
)
_NUMBER = LazyPattern(r"\A(?:[-+]?[0-9]+(?:[.,][0-9]+)*(?:[a-zA-Z%]{1,3}|/[0-9]+)?$)")
# Words with digits in them that no person made up: versions, units, addresses, dates, algorithms, ids
_TECHNICAL = LazyPattern(
    r"(?:v?[0-9]+(?:[._:-][0-9a-z]+)*|[0-9.,]+(?:[kmgt]i?b|[munp]?s|hz|[kmgt]?bit|%|x|min|h|d)?|0x[0-9a-f]*|(?:[0-9a-f]{1,4}:){2,7}[0-9a-f]{0,4}"
    r"|(?:hmac-?)?(?:sha|md|aes|rsa|ed|ecdsa|ecdh|utf|ipv|base|oauth|http|tls|ssl|ssh|pbkdf|argon|crc|rc|ntlmv|bcrypt|x|cp|iso|arm|amd|win|int|uint|float|fp|bf|ubuntu|debian|python|cuda|gpt|llama|qwen)"
    r"-?[0-9]{1,5}(?:[-_./:][a-z0-9]{1,8}){0,3}[a-z]?"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[a-z]+|[^@\s]+@(?:localhost|[\w-]+\.[\w.-]+)|(?-i:(?:[a-z]+(?:[A-Z][a-z]+)?|[A-Z][a-z]+|[A-Z]+)(?:[-_.](?:(?:[a-z]+(?:[A-Z][a-z]+)?|[A-Z][a-z]+|[A-Z]+)[0-9]{0,4}|[0-9]{1,4}))+))\Z",
    re.IGNORECASE,
)
_PUNCTUATION = LazyPattern(r"[A-Za-z0-9][!@#$%^&*?+~=;,][A-Za-z0-9]|[A-Za-z0-9][!#$%^&*?+~=]\Z")
_BETWEEN_PARTS = LazyPattern(r"[-_.:/]")
_FIRST_PART = LazyPattern(r"\A(?:[a-z]+[0-9]{0,4}|[A-Za-z]{2,}[0-9]{1,5})\Z")
_FURTHER_PART = LazyPattern(r"\A(?:[A-Za-z]*[0-9]{0,5}|[0-9]{1,6}[A-Za-z]{0,3})\Z")
_DIGIT, _LETTER = LazyPattern(r"[0-9]"), LazyPattern(r"[A-Za-z]")
_LOWER, _UPPER = LazyPattern(r"[a-z]"), LazyPattern(r"[A-Z]")
_CHANGE_OF_CLASS = LazyPattern(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[0-9]|(?<=[0-9])[A-Za-z]|(?<=[A-Z])(?=[A-Z][a-z])")


def may_be_secret(value: str, shortest: int = 4) -> bool:
    """Whether a value is neither a word of a message nor a path, variable, placeholder, mask or piece of code."""
    bare = value.strip(" .:?,;").rstrip("!")
    return (
        len(bare) >= shortest
        and not (value[0] in " ,;" and value[-1] == " ")  # between two quoted words
        and bare.strip("()[]<>").lower() not in _PLAIN_WORDS
        and not any(sign in value for sign in ("⟨", "$(", "${"))
        and not any(pattern.match(bare) for pattern in (_PATH, _VARIABLE, _MASK, _NO_VALUE, _FLAG, _REFERENCE, _FILE))
        and not _is_call(bare)
        and not (_DOTTED.match(bare) and _DIGIT.search(bare) is None)
    )


def _is_call(value: str) -> bool:
    """Whether a value begins with a call or an index, rather than being a password with a bracket in it: V3lv(397?."""
    match = _CALL.match(value)
    if match is None:
        return False
    behind = value[match.end() :]
    is_open = not any(sign in behind for sign in ")]") and _DIGIT.search(behind) is not None
    return not (is_open and (_DIGIT.search(match[0]) or behind[0] in "?!#%^+=;,.<>|:@&"))


def is_masked(value: str) -> bool:
    """Whether a value is written in place of a secret: ***, [FILTERED]."""
    return _MASK.match(value) is not None or _NO_VALUE.match(value) is not None


def is_random(value: str, shortest: int = 8) -> bool:
    """Whether a value has letters and digits mixed as no name has, or is long without being words."""
    if len(value) < shortest or _NUMBER.match(value):
        return len(value) >= 16 and value.isdigit()
    has_digits, has_letters = _DIGIT.search(value) is not None, _LETTER.search(value) is not None
    if has_digits and has_letters:
        return len(value) >= 32 or not _is_name(value)
    if not has_letters:
        return has_digits and len(value) >= 16
    mixed = _LOWER.search(value) is not None and _UPPER.search(value) is not None
    return mixed and len(value) >= 16 and len(_CHANGE_OF_CLASS.findall(value)) * 4 >= len(value)


def is_made_up(value: str, shortest: int = 6) -> bool:
    """Whether a value is what people and programs make up as a password, rather than a word, name, version, address or id of a sentence."""
    value = value.strip(" .:!?,;\"'") if value[-1:] in " .:,;\"'" else value
    if len(value) < shortest or _LETTER.search(value) is None or _TECHNICAL.match(value):
        return False
    return is_random(value, shortest) or _DIGIT.search(value) is not None or _PUNCTUATION.search(value) is not None


def _is_name(value: str) -> bool:
    """Whether a value is words and versions, such as db-creds-2 or Qwen2.5-7B-Instruct."""
    first, *further = _BETWEEN_PARTS.split(value)
    has_digits = _DIGIT.search(first) is not None
    return _FIRST_PART.match(first) is not None and (has_digits or bool(further)) and all(_FURTHER_PART.match(part) for part in further)


def is_unmistakable(value: str) -> bool:
    """Whether a value is a secret wherever it is: long, of letters and digits, no name and no number."""
    return len(value) >= 10 and " " not in value and _DIGIT.search(value) is not None and is_random(value, 10)
