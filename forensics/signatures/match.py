"""Match events against the catalogue's patterns.

A pattern's expression runs only on texts that contain one of the literals that it requires, so most are never compiled. Of many texts one
Aho-Corasick pass finds the literals, in their shapes: most lines differ in digits alone. Over 200 patterns × 1 M distinct lines this is 50
times as fast as a plain loop. What was found in short texts is remembered: those of a restart loop come again and again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from itertools import zip_longest
from operator import and_
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from forensics.signatures import digits
from forensics.signatures.pattern import INFORMATIONAL, MOST_TIMEOUTS, REGEX, TIMEOUT_S, Catalogue, Pattern, Required
from forensics.signatures.per_catalogue import PerCatalogue
from forensics.signatures.prefilter import plain

if TYPE_CHECKING:
    import regex  # type: ignore[import-untyped]

FEW_CANDIDATES = 20
FEW = 200  # texts, up to which searching for each literal by itself is cheaper than building one automaton
LONGEST = 4000  # characters of a text that is remembered, and
MOST_REMEMBERED = 4096  # texts: 20 MB at most

CAPTURES: pl.DataType = pl.List(pl.Struct({"name": pl.String, "value": pl.String}))
TEXT_HITS = pl.Schema({"text_id": pl.UInt32(), "pattern": pl.UInt32(), "offset": pl.UInt32(), "captures": CAPTURES})
HITS = pl.Schema(
    {
        "event": pl.UInt32(),
        "pattern": pl.UInt32(),  # its index in the catalogue
        "signature": pl.String(),
        "offset": pl.UInt32(),  # byte of the text at which the match begins
        "captures": CAPTURES,
    }
)
Searches = Sequence[tuple[str, pl.Series]]  # a pattern's messages in their order, each with the texts (by index) that may match it


class _Hit(NamedTuple):
    """A row of TEXT_HITS about a text."""

    pattern: int
    offset: int
    captures: Sequence[Mapping[str, str]]


class _Message(NamedTuple):
    """One of a pattern's messages."""

    pattern: int  # its index in the catalogue
    expression: str
    required: Required


class _Texts(NamedTuple):
    """Texts and their shapes: the distinct ones of what the texts are with their digits levelled."""

    texts: pl.Series
    shapes: pl.Series
    shape_of: pl.Series  # the number of each text's shape

    def that_may_match(self, text_ids: pl.Series, expression: str) -> pl.Series:
        """Leave out texts whose shape an expression that ignores digits does not match."""
        if len(text_ids) <= FEW_CANDIDATES or len(self.shapes) == len(self.texts) or not digits.ignores_digits(expression):
            return text_ids
        of_texts = self.shape_of.gather(text_ids)
        distinct = of_texts.unique()
        return text_ids.filter(of_texts.is_in(distinct.filter(self.shapes.gather(distinct).str.contains(expression)).implode()))


class _Prefilter(NamedTuple):
    """Which messages to try on a text: those of the literals in it, and those that require none."""

    messages: tuple[_Message, ...]
    owners: Mapping[str, Sequence[int]]  # literal → messages of which it is one of the first
    always: tuple[int, ...]


def find_hits(events: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Find every match of a pattern in the events (columns of EVENTS): HITS, in the order of event and pattern."""
    events = events.with_columns(pl.col("text").fill_null(""))
    texts = events.select(pl.col("text").unique(maintain_order=True)).with_row_index("text_id")
    in_texts = find_in_texts(texts["text"], catalogue)
    found = list(_by_columns_alone(events, catalogue.patterns))
    if not in_texts.is_empty():
        found.append(_in_events(events, texts.join(in_texts, on="text_id"), catalogue.patterns))
    if not found:
        return HITS.to_frame()
    matching = _without_beaten(pl.concat(found), catalogue.patterns)
    ids = pl.Series([pattern.id for pattern in catalogue.patterns], dtype=pl.String)
    return matching.with_columns(signature=ids.gather(matching["pattern"])).select(HITS.names()).sort("event", "pattern")


def _in_events(events: pl.DataFrame, in_texts: pl.DataFrame, patterns: Sequence[Pattern]) -> pl.DataFrame:
    """Select the events of the texts that match, where they have the column values that the pattern requires."""
    with_columns = {number: patterns[number] for number in in_texts["pattern"].unique() if patterns[number].columns}
    columns = sorted({name for pattern in with_columns.values() for name in pattern.columns})
    candidates = events.select("event", "text", *columns).join(in_texts, on="text")
    disagreeing = [(pl.col("pattern") == number) & ~_has_values(pattern) for number, pattern in with_columns.items()]
    matching = candidates.filter(~pl.any_horizontal(disagreeing)) if disagreeing else candidates
    return matching.select("event", "pattern", "offset", "captures")


def _has_values(pattern: Pattern) -> pl.Expr:
    return reduce(and_, (pl.col(name).is_in(list(values)).fill_null(value=False) for name, values in pattern.columns.items()))


def _by_columns_alone(events: pl.DataFrame, patterns: Sequence[Pattern]) -> Iterator[pl.DataFrame]:
    """Yield the events of each pattern that has no message, where there are some."""
    alone = {str(number): pattern for number, pattern in enumerate(patterns) if not pattern.messages}
    if not alone:
        return
    marks = events.select(_has_values(pattern).alias(name) for name, pattern in alone.items())
    for name, pattern_number in ((name, int(name)) for name in alone if marks[name].any()):
        yield events.filter(marks[name]).select(
            "event", pattern=pl.lit(pattern_number, pl.UInt32), offset=pl.lit(0, pl.UInt32), captures=pl.lit([], CAPTURES)
        )


def _without_beaten(matching: pl.DataFrame, patterns: Sequence[Pattern]) -> pl.DataFrame:
    """Leave out a pattern where a less general one, which can explain an end, matches the same event."""
    if not matching["event"].is_duplicated().any():
        return matching
    general = pl.Series([pattern.general for pattern in patterns], dtype=pl.UInt8).gather(matching["pattern"])
    informational = [number for number, pattern in enumerate(patterns) if pattern.severity in INFORMATIONAL]
    least = pl.col("general").filter(~pl.col("pattern").is_in(informational)).min().over("event")
    return matching.with_columns(general=general).filter((pl.col("general") <= least).fill_null(value=True)).drop("general")


def find_in_texts(texts: pl.Series, catalogue: Catalogue) -> pl.DataFrame:
    """Find the texts (by index) that match a pattern's message: TEXT_HITS. Patterns that time out are counted in the catalogue.

    Once one has timed out, what is found depends on what was searched before, so that nothing is remembered any more.
    """
    if len(texts) > FEW or catalogue.timeouts:
        return _found(texts, catalogue)
    remembered = _REMEMBERED(catalogue.patterns)
    if len(remembered) > MOST_REMEMBERED - FEW:
        remembered.clear()
    missing = [text for text in dict.fromkeys(texts) if text not in remembered]
    new: dict[str, list[_Hit]] = {text: [] for text in missing}
    for text_id, *hit in _found(pl.Series(missing, dtype=pl.String), catalogue).iter_rows() if missing else ():
        new[missing[text_id]].append(_Hit(*hit))
    hits_of = {text: new[text] if text in new else remembered[text] for text in texts}
    if not catalogue.timeouts:
        remembered |= {text: hits for text, hits in new.items() if len(text) <= LONGEST}
    rows = [(text_id, *hit) for text_id, text in enumerate(texts) for hit in hits_of[text]]
    return pl.DataFrame(rows, schema=TEXT_HITS, orient="row") if rows else TEXT_HITS.to_frame()


def _found(texts: pl.Series, catalogue: Catalogue) -> pl.DataFrame:
    """As find_in_texts, in the order of patterns."""
    frames: list[pl.DataFrame] = []
    with_shapes = _with_shapes(texts)
    for number, searches in sorted(_searches(with_shapes, catalogue.patterns).items()):
        pattern = catalogue.patterns[number]
        is_rust = pattern.engine != REGEX
        hits = _search(texts, searches) if is_rust else _search_with_timeout(with_shapes, searches, pattern.id, catalogue.timeouts)
        frames.append(hits.with_columns(pattern=pl.lit(number, pl.UInt32)).select(TEXT_HITS.names()))
    return pl.concat(frames) if frames else TEXT_HITS.to_frame()


def _with_shapes(texts: pl.Series) -> _Texts:
    """Find the shapes of texts; of a few texts each is its own, whatever its digits."""
    numbers = pl.int_range(len(texts), dtype=pl.UInt32, eager=True)
    if len(texts) <= FEW:
        return _Texts(texts, texts, numbers)
    levelled = pl.DataFrame({"text": digits.levelled_each(texts)})
    shapes = levelled.unique(maintain_order=True).with_columns(shape=pl.int_range(pl.len(), dtype=pl.UInt32))
    return _Texts(texts, shapes["text"], levelled.join(shapes, on="text", how="left", maintain_order="left")["shape"])


def may_match(texts: pl.Series, patterns: Sequence[Pattern]) -> pl.Series:
    """Whether texts contain the literals that some pattern requires: nearly no ordinary line does."""
    prefilter = _PREFILTER(patterns)
    if texts.is_empty() or not prefilter.owners:
        return pl.repeat(value=False, n=len(texts), eager=True)
    if len(texts) <= FEW:
        return pl.Series([any(_messages_for(text, prefilter)) for text in texts], dtype=pl.Boolean)
    return _plain(texts).str.contains_any(list(prefilter.owners), ascii_case_insensitive=True)


def _searches(texts: _Texts, patterns: Sequence[Pattern]) -> dict[int, Searches]:
    """For each pattern that may match some text, what is to be searched; most have nothing, most of the time."""
    prefilter = _PREFILTER(patterns)
    candidates = _texts_of_few(texts.texts, prefilter) if len(texts.texts) <= FEW else _texts_of_many(texts, prefilter)
    if prefilter.always and len(texts.texts):
        candidates |= dict.fromkeys(prefilter.always, pl.int_range(len(texts.texts), dtype=pl.UInt32, eager=True))
    searches: dict[int, list[tuple[str, pl.Series]]] = {}
    for number, text_ids in sorted(candidates.items(), key=lambda candidate: candidate[0]):
        message = prefilter.messages[number]
        promising = texts.that_may_match(text_ids, message.expression) if patterns[message.pattern].engine != REGEX else text_ids
        if not promising.is_empty():
            searches.setdefault(message.pattern, []).append((message.expression, promising))
    return dict(searches)


def _texts_of_few(texts: pl.Series, prefilter: _Prefilter) -> dict[int, pl.Series]:
    """For each message, the texts with its literals: 50 ns per literal and text, where an automaton costs 3 ms for 450 literals."""
    found: dict[int, list[int]] = {}
    for text_id, text in enumerate(texts):
        for number in _messages_for(text, prefilter):
            found.setdefault(number, []).append(text_id)
    return {number: pl.Series(text_ids, dtype=pl.UInt32) for number, text_ids in found.items()}


def _messages_for(text: str, prefilter: _Prefilter) -> Iterator[int]:
    """Yield the messages of which a text has the literals."""
    text = plain(text)
    for number in {number for literal in prefilter.owners if literal in text for number in prefilter.owners[literal]}:
        if all(any(literal in text for literal in literals) for literals in prefilter.messages[number].required[1:]):
            yield number


def _texts_of_many(texts: _Texts, prefilter: _Prefilter) -> dict[int, pl.Series]:
    """For each message, the texts with its literals; one automaton finds in their shapes those of all messages that come first."""
    pairs = {(digits.levelled(literal), number) for literal, numbers in prefilter.owners.items() for number in numbers}
    literals = sorted({literal for literal, _ in pairs})
    if not literals:
        return {}
    shapes = _plain(texts.shapes)
    frame = pl.DataFrame({"text": shapes}).with_row_index("shape")
    # Most texts contain no literal at all, which `contains_any` finds without building lists.
    frame = frame.filter(pl.col("text").str.contains_any(literals, ascii_case_insensitive=True))
    if frame.is_empty():
        return {}
    found = pl.col("text").str.extract_many(literals, ascii_case_insensitive=True, overlapping=True).list.unique()
    contained = frame.select("shape", literal=found).explode("literal").with_columns(pl.col("literal").str.to_lowercase())
    of_literals = pl.DataFrame(sorted(pairs), schema={"literal": pl.String, "message": pl.UInt32}, orient="row")
    holds = contained.join(of_literals, on="literal").select("message", "shape").unique().sort("message", "shape")
    of_shapes = texts.shape_of.alias("shape").to_frame().with_row_index("text_id").group_by("shape").agg("text_id").sort("shape")["text_id"]
    candidates: dict[int, pl.Series] = {}
    for (number,), group in holds.partition_by("message", as_dict=True).items():
        required = prefilter.messages[number].required
        text_ids = of_shapes.gather(group["shape"]).explode()
        if len(text_ids) > FEW_CANDIDATES:  # of fewer the expression itself costs less
            in_shapes = _with_all(shapes, group["shape"], [[*map(digits.levelled, literals)] for literals in required[1:]])
            with_digits = [literals for literals in required if any(literal != digits.levelled(literal) for literal in literals)]
            text_ids = _with_all(texts.texts, of_shapes.gather(in_shapes).explode(), with_digits)
        candidates[number] = text_ids.sort()
    return candidates


def _with_all(texts: pl.Series, text_ids: pl.Series, required: Iterable[Sequence[str]]) -> pl.Series:
    """Select the texts that have a literal of each set."""
    for literals in required:
        if len(text_ids):
            text_ids = text_ids.filter(_plain(texts.gather(text_ids)).str.contains_any(list(literals), ascii_case_insensitive=True))
    return text_ids


def _plain(texts: pl.Series) -> pl.Series:
    """Replace the letters that the Rust dialect takes for k and s without regard to case; case itself stays."""
    others = {"\u212a": "k", "\u017f": "s"}
    return texts.str.replace_many(others) if texts.str.contains_any(list(others)).any() else texts


def _prefilter(patterns: Sequence[Pattern]) -> _Prefilter:
    """Order messages by their first literals."""
    messages: list[_Message] = []
    owners: dict[str, list[int]] = {}
    always: list[int] = []
    for number, pattern in enumerate(patterns):
        for expression, required in zip_longest(pattern.messages, pattern.literals, fillvalue=()):
            for of_literal in [owners.setdefault(literal, []) for literal in required[0]] if required else [always]:
                of_literal.append(len(messages))
            messages.append(_Message(number, str(expression), tuple(required)))
    return _Prefilter(tuple(messages), owners, tuple(always))


_PREFILTER = PerCatalogue(_prefilter)


def _nothing_yet(_: Sequence[Pattern]) -> dict[str, list[_Hit]]:
    return {}


_REMEMBERED = PerCatalogue(_nothing_yet)


def _search(texts: pl.Series, searches: Searches) -> pl.DataFrame:
    """Find the first of a pattern's messages that matches each text: text_id, offset, captures."""
    frames: list[pl.DataFrame] = []
    for message, text_ids in searches:
        for earlier in frames:
            text_ids = text_ids.filter(~text_ids.is_in(earlier["text_id"].implode()))  # noqa: PLW2901
        of_message = texts.gather(text_ids)
        offsets = of_message.str.find(message)
        matches = offsets.is_not_null()
        if matches.any():
            hits = pl.DataFrame({"text_id": text_ids, "offset": offsets}).filter(matches)
            frames.append(hits.with_columns(captures=_captures(of_message.filter(matches), message)))
    return pl.concat(frames) if frames else TEXT_HITS.to_frame().drop("pattern")


def _captures(texts: pl.Series, message: str) -> pl.Series:
    names = _group_names(message)
    if not names or texts.is_empty():
        return pl.Series([[]], dtype=CAPTURES).new_from_index(0, len(texts))
    groups = texts.str.extract_groups(message).struct.unnest()
    pairs = [pl.struct(name=pl.lit(name), value=pl.col(name)) for name in sorted(names)]
    listed = groups.select(captures=pl.concat_list(pairs).list.filter(pl.element().struct.field("value").is_not_null()))
    return listed["captures"].cast(CAPTURES)


@lru_cache(maxsize=4096)
def _group_names(message: str) -> list[str]:
    """Names of the groups of a Rust expression: polars has them as fields of the result for no texts."""
    dtype = pl.Series([], dtype=pl.String).str.extract_groups(message).dtype
    fields = dtype.fields if isinstance(dtype, pl.Struct) else []
    return [field.name for field in fields if not field.name.isdigit()]


def _search_with_timeout(texts: _Texts, searches: Searches, id_: str, timeouts: dict[str, int]) -> pl.DataFrame:
    """As `_search`, text by text, for look-around expressions, which polars cannot run."""
    import regex  # noqa: PLC0415 - 10 ms, which few texts need

    by_text: dict[int, list[regex.Pattern[str]]] = {}
    for message, text_ids in searches:
        expression = regex.compile(message)
        for text_id in text_ids:
            by_text.setdefault(text_id, []).append(expression)
    rows: list[tuple[int, int, list[dict[str, str]]]] = []
    in_vain: set[tuple[regex.Pattern[str], int]] = set()  # of expressions that ignore digits, with the shape
    ids = sorted(by_text)
    for text_id, text, shape in zip(ids, texts.texts.gather(ids), texts.shape_of.gather(ids), strict=True):
        if timeouts.get(id_, 0) >= MOST_TIMEOUTS:
            break
        try:
            match = _first_match(by_text[text_id], text, shape, in_vain)
        except TimeoutError:
            timeouts[id_] = timeouts.get(id_, 0) + 1
            continue
        if match is not None:
            captures = [{"name": name, "value": value} for name, value in sorted(match.groupdict().items()) if value is not None]
            rows.append((text_id, len(text[: match.start()].encode()), captures))
    return pl.DataFrame(rows, schema={"text_id": pl.UInt32, "offset": pl.UInt32, "captures": CAPTURES}, orient="row")


def _first_match(
    expressions: Iterable[regex.Pattern[str]], text: str, shape: int, in_vain: set[tuple[regex.Pattern[str], int]]
) -> regex.Match[str] | None:
    """Search for the first expression that matches. Raises TimeoutError."""
    for expression in expressions:
        if (expression, shape) not in in_vain:
            match = expression.search(text, timeout=TIMEOUT_S)
            if match is not None:
                return match
            if digits.ignores_digits(expression.pattern):
                in_vain.add((expression, shape))
    return None
