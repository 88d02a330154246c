"""The conclusion is drawn in every format: the one cause behind several classes, the end, the first thing to do; no green yes beside it."""

import re
from dataclasses import replace
from html import unescape

import pytest

from forensics.model.values import RestartHelped
from forensics.report import REPORTERS, RenderOptions
from forensics.report.blocks import Bullets
from forensics.report.evidence import of_incident
from forensics.report.room import PAGES
from forensics.report.sections import classes, conclusion, remedies
from tests.report import kinds, sample

SEED = sample.seed()


def sentences(incident, report=SEED):
    section = conclusion.section(incident, of_incident(replace(report, incidents=(incident,)), 0), "i1")
    if section is None:
        return []
    (bullets,) = section.blocks
    assert isinstance(bullets, Bullets)
    assert len(bullets.items) <= conclusion.MOST
    return ["".join(span.text for span in sentence if not span.to) for sentence in bullets.items]


def test_the_links_of_the_seed_become_its_conclusion():
    assert sentences(SEED.incidents[0]) == [
        "7,000 of 13,936 restarts: Extension built against another PyTorch; no restart cures it.",
        (
            "Process 1239235 is named in 3,158 failures of phases 3–4 and seems to have held port 5000; "
            "it was killed 38 s before recovery (inferred)."
        ),
        "It held after fix attempt 4 of 4: max_seq_len lowered, systemctl restart tabbyapi.",
        (
            "To prevent it, verify tabbyapi after each switch (`tabby-forensics generate post-deploy --unit tabbyapi.service`) and "
            "check before each start that port 5000 is free (`tabby-forensics generate preflight --unit tabbyapi.service`)."
        ),
    ]


@pytest.mark.parametrize("name", ["md", "html"])
def test_every_format_has_it_before_the_classes(name):
    page = REPORTERS[name](SEED, RenderOptions(figures=False, width=220))
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", unescape(page))) if name == "html" else page
    assert words.index("Process 1239235 is named in 3,158 failures of phases 3–4") < words.index("Does a restart help?")


def test_a_terminal_has_the_one_cause_in_brief_as_well():
    words = re.sub(r"\s+", " ", REPORTERS["term"](SEED, RenderOptions(width=80, brief=True)))
    assert "One cause Process 1239235 is named in 3,158 failures of phases 3–4 and seems to have held port 5000" in words
    assert "it was killed 38 s before recovery" in words


def test_what_goes_on_has_the_first_step_to_take_now():
    ongoing = replace(SEED.incidents[0], ongoing=True, recovery=None, end=None, fix_attempts=())
    running = replace(ongoing.links[0], ended=None)
    assert sentences(replace(ongoing, links=(running,)))[-1] == (
        "Do now: see whose process it is with `systemctl status 1239235`, and stop it if it is a left-over."
    )
    last = sentences(replace(ongoing, links=()))[-1]
    assert last == "Do now, about GPU memory exhausted: See who holds the memory: `nvidia-smi`."


def test_a_value_of_several_classes_without_an_end_is_probably_one_cause():
    port = replace(SEED.incidents[0].links[1], phases=(3, 3))
    (sentence,) = [text for text in sentences(replace(SEED.incidents[0], links=(port,))) if "5000 is named" in text]
    assert sentence == "Port 5000 is named in 4,919 failures and 2 classes of phase 3: probably one cause (inferred)."


def test_who_was_not_alerted_learns_how_to_be():
    assert sentences(kinds.slow_loop(), kinds.report(kinds.slow_loop()))[-1].startswith("To hear of it next time, write alert rules")


def cell(row, incident):
    table = classes.of_incident(SEED, incident, of_incident(SEED, 0), PAGES[0], "i1").blocks[0]
    column = [column.name for column in table.columns].index("Does a restart help?")
    (found,) = [cells[column] for cells in table.rows if cells[0].id == row]
    return found


def helped(held):
    """The seed's incident, as if the catalogue took a restart to help against its second class."""
    incident, name = SEED.incidents[0], "cuda.out-of-memory"
    rows = [
        replace(row, restart_helps=True, restart_helps_when="once the memory is free", restart_helped=RestartHelped(9, held))
        if row.signature == name
        else row
        for row in incident.classes
    ]
    return replace(incident, classes=tuple(rows))


def test_what_no_restart_cured_here_has_no_green_yes():
    never, once = cell("cuda.out-of-memory", helped(0)), cell("cuda.out-of-memory", helped(1))
    assert (never.text, never.style) == ("yes, once the memory is free, but never in this incident", "dim")
    assert (once.text, once.style) == ("yes, once the memory is free", "good")
    assert "0 of 9 here" in never.below


def test_the_same_law_holds_for_the_window():
    row = replace(SEED.classes[0], restart_helps=True, restart_helped=RestartHelped(9, 0))
    table = classes.of_window(replace(SEED, classes=(row,)), PAGES[0]).blocks[0]
    (cells,) = table.rows
    assert [found.style for found in cells if found.text == "yes, but never in this window"] == ["dim"]


def test_a_remedy_names_what_its_failures_name_and_how_usual_its_values_are():
    incident = helped(0)
    rows = [replace(row, values_in=(900, 1757)) if row.signature == "port.in-use" else row for row in incident.classes]
    section = remedies.section(SEED, rows, incident, PAGES[0], "remedy")
    assert section is not None
    memory, port = (next(block for block in section.blocks if block.title.startswith(title)) for title in ("GPU", "Port"))
    assert "restart helps: yes, once the memory is free, but never in this incident" in memory.aside
    assert "Named in its failures: process 1239235, port 5000 (held by process 1239235, it seems)." in memory.measured
    assert port.measured.endswith("The values below are an example, from 900 of 1,757 failures.")
