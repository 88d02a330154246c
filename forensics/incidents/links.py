"""Find what failures of several classes name: one process, port, path, device or unit may be the one cause behind them.

Only lines that a pattern knows or that may explain an end are read, each distinct text once. What an attempt that held names in such a line
too is ordinary. That a value is a cause is an inference; that it is named is in the journal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.incidents.inputs import SECOND, Inputs, microseconds, moment, quote
from forensics.incidents.slice import Case
from forensics.model.values import Change, Phase, SharedValue

MOST = 6  # links of one incident
WEIGHED = 40  # values of one incident that are looked at, the ones of most classes and failures first
PER_TEXT = 8  # values of one kind in one text
PER_ATTEMPT = 200  # lines of one attempt that are read, the last
LONGEST, ENDING = 6_000, 2_000  # characters of a text that are read, and how many of them at its end
HALF = 0.5  # the share of a stretch's failures from which a value of one class is worth a word
STRAY = 0.01  # the share of a value's failures that a phase must have to count
TOGETHER = 0.9  # the share of a process's failures in which a port must be in use
SLACK = 120 * SECOND  # an attempt that began before a change may name the value for so long after it

_ERRNO = (
    r"(?i:no such file or directory|permission denied|read-only file system|no space left on device|input/output error|"
    r"(?:device or )?resource busy|not a directory|is a directory|file exists|cannot open|can't open|failed to open|unable to open|"
    r"could not open|could not lock|cannot lock)"
)
_PATH = r"/[A-Za-z0-9_.+@,=/-]{1,200}"
# What a line may name, each with one group: expressions of polars, so linear.
_WORDINGS: tuple[tuple[str, str], ...] = (
    ("process", r"(?i)\b(?:process|pid)\b[ \t]{0,2}[:=#(\[]?[ \t]{0,2}(\d{2,10})\b"),
    ("port", r"(?i)\bports?\b[ \t]{0,2}[:=#]?[ \t]{0,2}(\d{1,5})\b"),
    ("port", r"\('[^'\n]{0,100}',[ \t]?(\d{1,5})\)"),
    ("port", r"(?:\b\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]{2,45}\]|\blocalhost|\*|::):(\d{1,5})\b"),
    ("device", r"(/dev/[A-Za-z0-9][A-Za-z0-9_./-]{0,80})"),
    ("GPU", r"(?i)\b(?:GPU[ \t]{0,2}#?|cuda:)(\d{1,3})\b"),
    ("path", _ERRNO + r"[ \t]{0,2}:?[ \t]{0,2}[\"'`]?(" + _PATH + r")(?:[^A-Za-z0-9_.+@,=/-]|$)"),  # none is cut
    ("path", "(" + _PATH + r")[\"'`]?[: \t(]{1,3}" + _ERRNO),
)
_CAPTURED = {
    "pid": "process", "port": "port", "second_port": "port", "device": "device", "path": "path", "file": "path", "file6": "path",
    "unit": "unit",
}  # fmt: skip
_FORMS = {
    "process": r"^[1-9]\d{1,9}$",
    "port": r"^[1-9]\d{0,4}$",
    "device": r"^(?:/dev/[A-Za-z0-9][A-Za-z0-9_./-]{0,80}|GPU \d{1,3})$",
    "path": r"^/[A-Za-z0-9_.+@,=/-]{1,200}$",
    "unit": r"^[A-Za-z0-9][A-Za-z0-9:_.@-]{0,200}\.(?:service|socket|mount|target|device|slice)$",
}
_NO_DEVICE = r"^/dev/(?:null|zero|full|u?random|std(?:in|out|err)|fd|tty|pts|shm)(?:/|$)"
_IN_USE = re.compile(r"(?i)\bin use\b|EADDRINUSE|AddrInUse|already allocated")
_KEY = ["incident", "what", "value"]


@dataclass(frozen=True, slots=True)
class Candidates:
    """mentions: the failures of each incident that name a value, by its number. shared: of each incident, the values worth weighing."""

    mentions: Mapping[int, pl.DataFrame]
    shared: Mapping[int, pl.DataFrame]


def find_candidates(attempts: pl.DataFrame, inputs: Inputs) -> Candidates:
    """Find the values that failures of incidents name and that are not ordinary. attempts: those of a Timeline."""
    if inputs.captured is None or inputs.events.is_empty() or attempts["incident"].null_count() == attempts.height:
        return Candidates({}, {})
    named = _named(inputs.events, inputs.captured, inputs.ranked)
    columns = [
        "attempt",
        "number",
        "incident",
        "failed",
        "signature",
        "unit",
        "unit_number",
        pl.col("started").dt.timestamp("us").alias("us"),
    ]
    mentions = named.join(attempts.select(columns), on="attempt").filter(pl.col("value") != pl.col("unit"))
    failed = mentions.filter(pl.col("failed") & pl.col("incident").is_not_null())
    failed = failed.join(_ordinary(mentions), on=["unit_number", "what", "value"], how="anti")
    failed = failed.sort("row").unique([*_KEY, "number"], keep="first", maintain_order=True)
    of_value = failed.group_by(_KEY).agg(
        pl.len().alias("failures"),
        pl.col("signature").unique().sort().alias("classes"),
        pl.col("row").min(),
        pl.col("us").max().alias("last"),
    )
    weighty = pl.col("classes").list.len().clip(upper_bound=2)
    ranked = of_value.filter(pl.col("failures") > 1).sort(weighty, "failures", "what", "value", descending=[True, True, False, False])
    ranked = ranked.group_by("incident", maintain_order=True).head(WEIGHED)
    kept = failed.join(ranked.select(_KEY), on=_KEY)
    return Candidates(_by_incident(kept), _by_incident(ranked))


def _by_incident(frame: pl.DataFrame) -> dict[int, pl.DataFrame]:
    return {key[0]: part for key, part in frame.partition_by("incident", as_dict=True, maintain_order=True).items()}


def _ordinary(mentions: pl.DataFrame) -> pl.DataFrame:
    """List what the attempts of a unit outside of incidents name: those that did not fail; of devices all of them."""
    outside = pl.col("incident").is_null() & (~pl.col("failed") | (pl.col("what") == "device"))
    return mentions.filter(outside).select("unit_number", "what", "value").unique()


def _named(events: pl.DataFrame, captured: pl.DataFrame, ranked: pl.DataFrame | None) -> pl.DataFrame:
    """attempt, row, what, value: what the lines name that a pattern knows or that may explain an end."""
    wanted = [captured.select("event"), *([] if ranked is None else [ranked.select("event")])]
    events = events.select("event", "attempt", "row", "pid", "text").join(pl.concat(wanted).unique(), on="event", how="semi")
    events = events.filter(pl.int_range(pl.len()).reverse().over("attempt") < PER_ATTEMPT)
    text = pl.col("text")
    short = pl.when(text.str.len_chars() > LONGEST).then(text.str.head(LONGEST - ENDING) + "\n" + text.str.tail(ENDING)).otherwise(text)
    events = events.with_columns(short)
    by_words = events.join(_worded(events["text"].drop_nulls().unique()), on="text")
    caught = captured.filter(pl.col("captures").list.len() > 0).select("event", "captures").explode("captures").unnest("captures")
    caught = caught.with_columns(pl.col("name").replace_strict(_CAPTURED, default=None, return_dtype=pl.String).alias("what"))
    by_patterns = events.join(caught.drop_nulls().select("event", "what", "value"), on="event")
    columns = ["attempt", "row", "pid", "what", "value"]
    both = _formed(pl.concat([by_patterns.select(columns), by_words.select(columns)]))
    is_own = (pl.col("what") == "process") & (pl.col("value") == pl.col("pid").cast(pl.String)).fill_null(value=False)
    return both.filter(~is_own).select("attempt", "row", "what", "value")


def _worded(texts: pl.Series) -> pl.DataFrame:
    """text, what, value: what each text names by its words."""
    frame = texts.to_frame("text")
    parts = [_matches(frame, what, expression) for what, expression in _WORDINGS]
    return pl.concat(parts).unique()


def _matches(texts: pl.DataFrame, what: str, expression: str) -> pl.DataFrame:
    found = texts.select("text", pl.col("text").str.extract_all(expression).list.head(PER_TEXT).alias("match"))
    found = found.filter(pl.col("match").list.len() > 0).explode("match")
    value = pl.col("match").str.extract(expression, 1)
    if what == "GPU":
        what, value = "device", pl.lit("GPU ") + value
    return found.select("text", pl.lit(what).alias("what"), value.alias("value")).drop_nulls()


def _formed(found: pl.DataFrame) -> pl.DataFrame:
    """Keep the values that have their kind's form; what a path names below /dev is a device."""
    found = found.with_columns(pl.col("value").str.strip_chars_end(".,:;-/"))
    is_device = (pl.col("what") == "path") & pl.col("value").str.contains(_FORMS["device"])
    found = found.with_columns(pl.when(is_device).then(pl.lit("device")).otherwise("what").alias("what"))
    formed = pl.any_horizontal((pl.col("what") == what) & pl.col("value").str.contains(form) for what, form in _FORMS.items())
    found = found.filter(formed & ~pl.col("value").str.contains(_NO_DEVICE))
    too_high = (pl.col("what") == "port") & (pl.col("value").cast(pl.Int64, strict=False) > 65_535)
    return found.filter(~too_high.fill_null(value=False))


def shared_values(case: Case, phases: Sequence[Phase], candidates: Candidates, entries: pl.DataFrame) -> tuple[SharedValue, ...]:
    """Choose the links of an incident: named by two classes, by half of a stretch of phases, or by the command that ended them."""
    number = case.attempts["incident"].drop_nulls().first()
    weighed = candidates.shared.get(number) if isinstance(number, int) else None
    if weighed is None or not isinstance(number, int):
        return ()
    mentions = candidates.mentions[number]
    failed = np.sort(case.attempts.filter("failed")["started"].dt.timestamp("us").to_numpy())
    chosen: list[tuple[SharedValue, npt.NDArray[np.int64]]] = []
    for row in weighed.iter_rows(named=True):
        own = mentions.filter((pl.col("what") == row["what"]) & (pl.col("value") == row["value"]))
        times = own["us"].to_numpy()
        stretch = _stretch(times, phases)
        ended = _ended(case, row["what"], row["value"], row["last"])
        if len(row["classes"]) < 2 and ended is None and not _is_half(times, failed, phases, stretch):
            continue
        link = SharedValue(
            row["what"],
            row["value"],
            tuple(row["classes"]),
            row["failures"],
            ended,
            quote(entries, row["row"]),
            (stretch[0] + 1, stretch[1] + 1),
        )
        chosen.append((link, own["number"].to_numpy().astype(np.int64)))
        if len(chosen) == MOST:
            break
    return tuple(sorted(_with_ports(chosen), key=lambda link: (link.ended is None, -len(link.classes), -link.failures)))


def _stretch(times: npt.NDArray[np.int64], phases: Sequence[Phase]) -> tuple[int, int]:
    """Return the first and the last phase that has more than a stray failure of these."""
    starts = np.array([microseconds(phase.start) for phase in phases])
    at = np.clip(np.searchsorted(starts, times, side="right") - 1, 0, None)
    counts = np.bincount(at, minlength=len(phases))
    have = np.flatnonzero(counts > STRAY * len(times))
    return int(have[0]), int(have[-1])


def _is_half(times: npt.NDArray[np.int64], failed: npt.NDArray[np.int64], phases: Sequence[Phase], stretch: tuple[int, int]) -> bool:
    """Whether at least half of the failures in two or more phases name the value."""
    first, last = stretch
    if first == last:
        return False
    start, end = microseconds(phases[first].start), microseconds(phases[last].end)
    lo, hi = np.searchsorted(failed, [start, end]).tolist()
    return bool(len(times) >= HALF * (hi - lo))


def _ended(case: Case, what: str, value: str, last: int) -> Change | None:
    """Return the last change that names a value, if no failure named the value after it."""
    name = value.removeprefix("GPU ") if what == "device" else value
    word = re.compile(rf"(?<![\w.:-]){re.escape(name)}(?![\w.-])")
    acts = (change for change in reversed(case.changes) if change.us > case.start and not change.read_only and change.kind != "login")
    change = next((change for change in acts if word.search(change.summary)), None)
    if change is None or change.us + SLACK < last or (what == "device" and name != value):
        return None
    return Change(moment(change.us), change.kind, change.summary, change.evidence)


def _with_ports(chosen: Sequence[tuple[SharedValue, npt.NDArray[np.int64]]]) -> Iterator[SharedValue]:
    """Add to each process the port that was in use in nearly all failures that name the process."""
    ports = [(link, own) for link, own in chosen if link.what == "port" and link.evidence and _IN_USE.search(link.evidence.message)]
    for link, own in chosen:
        if link.what != "process":
            yield link
            continue
        held = next((port.value for port, its in ports if len(np.intersect1d(own, its)) >= TOGETHER * len(own)), "")
        yield replace(link, port=held)
