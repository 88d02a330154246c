"""Find what each text claims by its level and its words: an error, a retry, a recovery, a farewell.

Asked once of texts that differ in long numbers alone: a text's times, process ids and addresses claim nothing.
"""

from __future__ import annotations

import polars as pl

from forensics.model.text_memory import TextMemory
from forensics.signatures import digits, line_level, line_wording
from forensics.signatures.mask import LONGEST

_WORD = r"[\pL]{3}"  # a line without one claims nothing


def claims_of(texts: pl.Series) -> pl.DataFrame:
    """Find the claims of each text, in their order: boolean columns."""
    return _CLAIMS(texts)


def recovering(texts: pl.Series) -> pl.Series:
    """Whether each text reports that something works again."""
    return _RECOVERING(texts)["recovers"]


def _claims(texts: pl.Series) -> pl.DataFrame:
    short = pl.col("text").str.slice(0, LONGEST)
    message = pl.col("message")
    return (
        texts.to_frame("text")
        .lazy()
        .with_columns(message=line_wording.message_of(pl.col("text")), level=line_level.level(short))
        .select(
            reports_error=pl.col("level") >= line_level.ERROR,
            ordinary=pl.col("level") == line_level.ORDINARY,
            warned=pl.col("level") == line_level.WARNING,
            levelled=line_level.has_level(short),
            worded=message.str.contains(_WORD),
            complains=line_wording.complains(message),
            retried=line_wording.retries(message),
            farewell=line_wording.is_farewell(message),
            rollback=line_wording.is_rollback(message),
            wrapper=line_wording.is_wrapper(message),
            heading=line_wording.announces(message),
            hint=line_wording.is_hint(message),
            concrete=line_wording.is_concrete(message),
        )
        .collect()
    )


def _recovering(texts: pl.Series) -> pl.DataFrame:
    return texts.to_frame("text").select(recovers=line_wording.recovers(line_wording.message_of(pl.col("text"))))


_CLAIMS = TextMemory(_claims, alike=digits.long_numbers_levelled)
_RECOVERING = TextMemory(_recovering, alike=digits.long_numbers_levelled)
