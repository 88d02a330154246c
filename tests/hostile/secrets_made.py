"""Make synthetic secrets: random ones of a fixed seed, put together when imported so that no scanner takes them for real ones."""

from base64 import b64encode, urlsafe_b64encode
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import NamedTuple

random = Random("hostile")  # noqa: S311  nothing here is a secret
WORD = ascii_letters + digits
HEX = "0123456789abcdef"


class Sample(NamedTuple):
    """A line of a log and the secret in it."""

    kind: str
    text: str
    secret: str


def made(length: int, characters: str = WORD) -> str:
    """Make a random text that has at least one letter and one digit."""
    while True:
        text = "".join(random.choice(characters) for _ in range(length))
        if any(c.isdigit() for c in text) and any(c.isalpha() for c in text) and text[0].isalnum() and text[-1].isalnum():
            return text


def password() -> str:
    """A password as people make them: a few characters of every class."""
    return made(11, ascii_letters + digits + "_+.!")


def chosen() -> str:
    """A password as people choose them: a word and a number."""
    return word().capitalize() + made_of(3, digits) + random.choice("!#%_")


def word() -> str:
    """A word that is in no dictionary."""
    return "".join(random.choice(("bor", "dul", "fen", "gim", "kas", "lor", "mib", "nax", "pul", "rud", "tez", "vok")) for _ in range(3))


def made_of(length: int, characters: str) -> str:
    return "".join(random.choice(characters) for _ in range(length))


def base64(length: int) -> str:
    return b64encode(random.randbytes(length)).decode()


def url_base64(length: int) -> str:
    return urlsafe_b64encode(random.randbytes(length)).decode().rstrip("=")


def hexadecimal(length: int) -> str:
    return made(length, HEX)


def upper(length: int) -> str:
    return made(length, ascii_uppercase + digits)


def lower(length: int) -> str:
    return made(length, ascii_lowercase + digits)


def jwt() -> str:
    return f"eyJ{url_base64(18)}.eyJ{url_base64(30)}.{url_base64(32)}"


def basic() -> str:
    return b64encode(f"simon:{password()}".encode()).decode()


def sample(kind: str, template: str, secret: str) -> Sample:
    """Put a secret into the § of a line."""
    assert template.count("§") == 1, template
    return Sample(kind, template.replace("§", secret), secret)


def pem(name: str, lines: int = 6) -> list[str]:
    """The lines of a private key."""
    body = [made(64, WORD + "+/") for _ in range(lines)]
    return [f"-----BEGIN {name}-----", *body, base64(20), f"-----END {name}-----"]
