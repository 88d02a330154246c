"""One door: controls go before secrets are searched, secrets before the text is shortened."""

from forensics.sanitize import matchable, redacted, sanitizer

KEY = "f3a1c09d5b7e4a2f8c6d1e0b9a7f5c3d"


def test_a_secret_that_controls_split_is_redacted():
    line = f"api_key: {KEY[:8]}\x1b[31m{KEY[8:]}"
    assert sanitizer([line], redact=True)(line) == "api_key: ⟨token-1⟩"
    assert matchable(line) == "api_key: ⟨token-1⟩"


def test_a_secret_has_one_pseudonym_in_all_texts():
    safe = sanitizer([f"api_key: {KEY}"], redact=True)
    assert safe(f"401 for {KEY}") == "401 for ⟨token-1⟩"


def test_secrets_stay_when_redaction_is_off():
    line = f"api_key: {KEY}\x00"
    assert sanitizer([line], redact=False)(line) == f"api_key: {KEY}"


def test_an_endless_text_is_cut_with_the_size_of_all_that_is_missing():
    assert sanitizer((), redact=True, longest=1000)("x" * 100_000) == "x" * 1000 + " … [cut: 99,000 more bytes]"


def test_a_matchable_text_keeps_hidden_characters_and_its_length():
    assert matchable("a\u200bb\x1b[31m" + "x" * 10_000) == "a\u200bb" + "x" * 10_000


def test_a_redacted_sample_keeps_everything_but_secrets():
    assert redacted({"text": f"\tapi_key: {KEY}", "last": KEY}) == {"text": "\tapi_key: ⟨token⟩", "last": "⟨token⟩"}
