"""Secrets become pseudonyms: every kind is found, one secret has one name, and ordinary words stay."""

import pytest

from forensics.sanitize.redact import redactor
from tests.hostile.secrets_positions import NAMES, WRAPPERS, wrapped

KEY = "f3a1c09d5b7e4a2f8c6d1e0b9a7f5c3d"


def hidden(*texts):
    hide = redactor(texts)
    return [hide(text) for text in texts]


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        (f"INFO:     Your API key is: {KEY}", KEY),
        (f"INFO:     Your admin key is: {KEY}", KEY),
        (f"Authorization: Bearer {KEY}", KEY),
        ("Authorization: Basic c2ltb246aHVudGVyMg==", "c2ltb246aHVudGVyMg=="),
        (f"GET /v1/models?api_key={KEY}&x=1", KEY),
        (f'{{"api_key": "{KEY}", "model": "x"}}', KEY),
        (f"x-api-key: {KEY}", KEY),
        ("OPENAI_API_KEY=sk-proj-abcdefghij0123456789", "sk-proj-abcdefghij0123456789"),
        ("using sk-ant-REDACTED for it", "sk-ant-REDACTED"),
        ("login with hf_AbCdEfGhIjKlMnOpQrStUvWx", "hf_AbCdEfGhIjKlMnOpQrStUvWx"),
        ("push ghp_0123456789abcdefghij0123456789abcdef", "ghp_0123456789abcdefghij0123456789abcdef"),
        ("github_pat_11ABCDEFG0123456789_abcdefghijkl", "github_pat_11ABCDEFG0123456789_abcdefghijkl"),
        ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
        ("postgresql://tabby:hunter22@db:5432/x", "hunter22"),
        ("redis://:s3cr3tpass@localhost:6379/0", "s3cr3tpass"),
        ("ExecStart=/bin/serve --token abcdef123456 --port 5000", "abcdef123456"),
        ("serve --api-key=abcdef123456", "abcdef123456"),
        ("serve --hf-token 'abc def 123'", "abc def 123"),
        ("password: correct-horse", "correct-horse"),
        ("DB_PASSWORD=correct-horse", "correct-horse"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_DEF-123", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_DEF-123"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQ\n-----END RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQ"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQ", "MIIEpAIBAAKCAQ"),
    ],
)
def test_a_secret_is_replaced(line, secret):
    (result,) = hidden(line)
    assert secret not in result
    assert "⟨" in result


@pytest.mark.parametrize(
    "line",
    [
        "Tried to allocate 256.00 MiB. GPU 0 has a total capacity of 31.36 GiB",
        "max_new_tokens=512, 128 tokens generated (12.3 T/s)",
        "token: invalid",
        "API key is missing",
        "ImportError: undefined symbol: _ZN3c106detail23torchInternalAssertFailEPKcS2_jS2_RKSs",
        "see https://example.org/path?page=2 for simon@example.org",
        "address ('0.0.0.0', 5000): address already in use",
        "api_key: null",
        "reading the token from --token-file /run/secrets/token",
        "tokenizer: Loaded",
    ],
)
def test_an_ordinary_line_stays_as_it_is(line):
    assert hidden(line) == [line]


def test_the_same_secret_has_the_same_pseudonym_wherever_it_stands():
    first, second, third = hidden(f"Your API key is: {KEY}", "api_key=0123456789abcdef", f"401 for client {KEY}")
    assert first == "Your API key is: ⟨api-key-1⟩"
    assert second == "api_key=⟨token-2⟩"
    assert third == "401 for client ⟨api-key-1⟩"


def test_numbers_follow_the_first_appearance():
    assert hidden("password=bbbbbbbb token=aaaa1111")[0] == "password=⟨token-1⟩ token=⟨token-2⟩"


@pytest.mark.parametrize("piece", ["a", "api_key=", "-----BEGIN PRIVATE KEY-----", "eyJ", "Bearer ", "--token ", "x://", "sk-", "a:"])
def test_a_long_hostile_line_is_redacted(piece):
    """At a cost that grows with its length: benchmarks/growth.py."""
    line = piece * (400_000 // len(piece))
    assert redactor([line])(line)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_key_is_hidden_whatever_a_logger_puts_around_its_lines(wrapper, name):
    lines, body = wrapped(wrapper, name)
    entries = hidden(*lines)
    assert not [line for line in body if line in "\n".join(entries)]
    assert entries[:3] == lines[:3]
    assert entries[-1] == lines[-1]
    assert not [line for line in body if line in hidden("\n".join(lines))[0]]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_certificate_is_shown_whatever_a_logger_puts_around_its_lines(wrapper):
    lines, _ = wrapped(wrapper, "CERTIFICATE")
    assert hidden(*lines) == lines
