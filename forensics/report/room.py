"""How much of a report a format shows; what is left out is counted and named."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.report.blocks import Detail


@dataclass(frozen=True, slots=True)
class Room:
    """The most of everything. A page that is too large is made again with less room, and lists what it omits."""

    detail: Detail
    incidents: int
    overview: int
    classes: int
    phases: int
    rows: int
    quotes: int
    quote_bytes: int
    bins: int
    lanes: int  # controls in the figure, and in the table below it
    controls: int  # further controls in the folded table
    elsewhere: str  # where the rest is
    all_figures: bool = True  # else not those whose table is enough, and in two widths instead of three


_JSON = "--format json has all"

TERMINAL = Room(
    Detail.TERMINAL, incidents=20, overview=20, classes=20, phases=24, rows=20, quotes=0, quote_bytes=200, bins=60, lanes=8, controls=0,
    elsewhere="--format html or md lists them",
)  # fmt: skip
BRIEF = Room(
    Detail.TERMINAL, incidents=0, overview=12, classes=5, phases=0, rows=0, quotes=0, quote_bytes=200, bins=160, lanes=0, controls=0,
    elsewhere="`report --full` lists them",
)  # fmt: skip
MARKDOWN = Room(
    Detail.TEXT, incidents=50, overview=60, classes=60, phases=24, rows=60, quotes=100, quote_bytes=1024, bins=60, lanes=8, controls=0,
    elsewhere="--format html has more",
)  # fmt: skip
PAGES = (
    Room(Detail.PAGE, incidents=20, overview=500, classes=60, phases=24, rows=120, quotes=100, quote_bytes=4096, bins=240, lanes=10,
         controls=40, elsewhere=_JSON),
    Room(Detail.PAGE, incidents=12, overview=300, classes=40, phases=16, rows=40, quotes=20, quote_bytes=600, bins=80, lanes=4,
         controls=0, elsewhere=_JSON, all_figures=False),
    Room(Detail.PAGE, incidents=6, overview=250, classes=25, phases=12, rows=40, quotes=20, quote_bytes=600, bins=170, lanes=8,
         controls=0, elsewhere=_JSON),
    Room(Detail.PAGE, incidents=3, overview=150, classes=15, phases=8, rows=25, quotes=10, quote_bytes=400, bins=100, lanes=6,
         controls=0, elsewhere=_JSON),
    Room(Detail.PAGE, incidents=1, overview=60, classes=8, phases=6, rows=10, quotes=4, quote_bytes=200, bins=60, lanes=5,
         controls=0, elsewhere=_JSON),
)  # fmt: skip
