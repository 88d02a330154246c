"""No text with a secret is left unsearched."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from forensics.sanitize.find import find_secrets
from forensics.sanitize.suspects import suspects
from forensics.sanitize.texts import redacted
from tests.hostile.secrets_harmless import HARMLESS
from tests.hostile.secrets_table import SECRETS

TEXTS = [sample.text for sample in SECRETS]
PIECES = sorted({piece for text in [*TEXTS, *HARMLESS] for piece in text.replace("\n", " ").split(" ") if piece})


def test_every_secret_of_the_table_is_suspected():
    with_secrets = [text for text in TEXTS if find_secrets(text)]
    assert len(with_secrets) >= 0.9 * len(TEXTS)  # the others are lines of a block
    assert suspects(pl.Series(with_secrets)).all()


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=6), st.sampled_from([" ", "", "\n", "\t", ": "]))
def test_a_text_that_is_not_suspected_has_no_secret(pieces, between):
    text = between.join(pieces)
    assert redacted({"text": text}) == {"text": text} or suspects(pl.Series([text])).item()


def test_ordinary_lines_are_not_suspected():
    ordinary = ["Started the server on 0.0.0.0:5000", "RuntimeError: preset table out of step: revision 30239 expects 158 rows, found 150"]
    assert not suspects(pl.Series(ordinary)).any()
