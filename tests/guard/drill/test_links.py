"""What a drill concludes from its links."""

import pytest

from forensics.guard.drill.links import REFUSED, SILENT, THERE, UNKNOWN, WRONG, Drill, Link
from forensics.guard.drill.render import as_json, as_text

THE_REST = (Link("sink hook", THERE, 0.8, "accepted"),)


def drill(*links: Link, title: str = "T") -> Drill:
    return Drill("a.b", title, "tabby-drill-a-b-1.service", 0.0, 60.0, links)


@pytest.mark.parametrize(
    ("links", "verdict", "reason"),
    [
        ((Link("watch", THERE, 0.5),), "every link answered, the last one (sink hook) after 0.80 s", "all there"),
        ((Link("watch", THERE, 2.5),), "every link answered, the last one (watch) after 2.50 s", "the slowest is named, wherever it is"),
        ((Link("watch", SILENT, text="silent for 60 s"),), "broken at watch: silent for 60 s", "the first broken one"),
        ((Link("watch", WRONG, 0.5, "another class"),), "broken at watch: another class", "a wrong class is no proof"),
        ((Link("x", REFUSED, 0.5), Link("y", SILENT)), "broken at x: refused", "without a text its status"),
        ((Link("x", UNKNOWN, text="no state"),), "could not tell: x: no state", "what cannot be seen is neither"),
        ((Link("x", UNKNOWN, text="no state"), Link("y", SILENT)), "broken at y: silent", "a broken link is more than an unknown one"),
    ],
)
def test_the_verdict_names_the_link(links, verdict, reason):
    assert drill(*links, *THE_REST).verdict == verdict, reason


def test_hostile_text_is_harmless_in_every_format():
    hostile = drill(Link("sink \x1b[31m", SILENT, text="a\x1b]0;x\x07b\nc\u202e"), title="t\u202et")
    for shown in (as_text(hostile), as_json([hostile], [])):
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)
        assert "u001b" not in shown
    assert len(as_text(hostile).splitlines()) == 3
