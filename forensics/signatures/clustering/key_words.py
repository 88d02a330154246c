"""Split keys into the words and marks that families are compared by; every value becomes the word <*>."""

from __future__ import annotations

import polars as pl

MOST_WORDS = 150  # further ones count as one word: the tail of a very long line need not distinguish families
VALUE = "<*>"

_VERB = "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|CONNECT|PROPFIND|TRACE"

_SIMPLIFIED = (
    # The status of an access line is a value here; the key still distinguishes it.
    (rf"(\"(?:{_VERB}) [^\"\n]*\"[^‹]*)‹[0-9]+›", "${1}<n>"),
    (rf"(\"(?:{_VERB}) )[^\"\n]+\"", '${1}<n>"'),
    (r"\.{3,}", " … "),  # dot leaders before a value
    (r"<(?:n|path|url|ip|size|time|host|s)>", VALUE),
    (r"([A-Za-z_])<\*>=", "${1}n="),  # a0= a1=: the name of a value, not a value
    (r"(^|\s)(?:\*{2,}|[nN]/[aA])(\s|$)", "${1}<*>${2}"),  # where a value is missing
    (r"[\w.@$%~\-+#]*<\*>[\w.@$%~<>*\-+#]*", VALUE),
    (r"(^|\s)[\w\-]+(?:\.[\w\-]+)*:<\*>(\s|$)", "${1}<*>${2}"),  # host:port, file:line as a whole word
    (r"<\*>(?:[-_.:/x*#,;|+]+ ?<\*>)+", VALUE),
    (r"<\*>(?: <\*>)+", VALUE),
    (r"([(\[])[ <]*(?:<\*>)?[ >]*([)\]])", "${1}<*>${2}"),  # () beside (host): an empty value
    (r"<\*>(?:[-_.:/x*#,;|+]* ?<\*>)+", VALUE),
    (r"\s+", " "),
)
_WORD = rf"\b[A-Z]\w*[({{]<\*>[)}}]|<\*>|\"(?:{_VERB}) |\"[^\"\n]{{0,200}}\"|[^\s=:,;()\[\]{{}}\"|]+|[=:,;()\[\]{{}}\"|]"


def words(keys: pl.Series) -> pl.Series:
    """The list of words of each key."""
    simplified = pl.col("key")
    for pattern, replacement in _SIMPLIFIED:
        simplified = simplified.str.replace_all(pattern, replacement)
    cut = simplified.str.strip_chars().str.extract_all(_WORD)
    tail = pl.concat_list(cut.list.head(MOST_WORDS), cut.list.slice(MOST_WORDS).list.join(" "))
    return keys.to_frame("key").select(pl.when(cut.list.len() > MOST_WORDS).then(tail).otherwise(cut)).to_series().rename("words")
