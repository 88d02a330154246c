"""What failures of several classes name is one cause; what healthy attempts name too, or what one class always names, is not."""

import pytest

from forensics.incidents import analyse
from forensics.incidents.links import MOST, PER_TEXT
from forensics.model.values import Window
from tests.incidents.making import Tale
from tests.incidents.naming_values import naming

OPEN = Window(None, None)


def links(tale, *told):
    return [(link.what, link.value, link.classes, link.failures) for link in incident(tale, *told).links]


def incident(tale, *told):
    (found,) = analyse(naming(tale, *told), OPEN).incidents
    return found


def line(text, **captures):
    return text, captures


def kill(tale, command, seconds=8):
    tale.say(f"luna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/{command}", identifier="sudo", comm="sudo", pid=9)
    return tale.wait(seconds)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (line("Process 1239235 has 3 GiB in use."), line("lock held by PID 1239235"), ("process", "1239235")),
        (line("bind: 0.0.0.0:5000 in use"), line("Port 5000 is taken"), ("port", "5000")),
        (line("bind on address ('::', 5000)"), line("it failed", port="5000"), ("port", "5000")),
        (line("cannot reset /dev/nvidia0: busy"), line("it failed", path="/dev/nvidia0"), ("device", "/dev/nvidia0")),
        (line("GPU 1 is lost"), line("no memory on cuda:1"), ("device", "GPU 1")),
        (line("No such file or directory: '/srv/a.db'"), line("it failed", file="/srv/a.db"), ("path", "/srv/a.db")),
        (line("it failed", unit="db.service"), line("it failed too", unit="db.service"), ("unit", "db.service")),
    ],
    ids=lambda case: str(case)[:30],
)
def test_what_failures_of_two_classes_name_is_a_link(one, other, found):
    assert links(Tale().each(["a", "b", "a", "b"], every=12).hold(), one, other, one, other) == [(*found, ("a", "b"), 4)]


@pytest.mark.parametrize(
    "text",
    ["File '/srv/main.py', line 1, in run", "process 77 exits", "Port 99999 is taken", "opened /dev/null", "a process 5 days old"],
)
def test_what_names_no_cause_is_no_link(text):
    told = [line(text)] * 4
    assert links(Tale().each(["a", "b", "a", "b"], every=12).hold(), *told) == []


def test_a_value_that_a_healthy_attempt_names_as_well_is_ordinary():
    told = [line("Port 5000 is taken, going on")] * 4
    tale = Tale().hold(20).wait(60).each(["a", "b", "a", "b"], every=12).hold()
    assert links(tale, None, *told) == [("port", "5000", ("a", "b"), 4)]
    assert links(tale, told[0], *told) == []


def test_the_unit_itself_and_a_value_of_one_class_in_one_phase_are_no_links():
    assert links(Tale().each(["a", "b"] * 2, every=12).hold(), *[line("failed", unit="app.service")] * 4) == []
    assert links(Tale().fail(9, "a").hold(), *[line("Port 5000 is taken")] * 9) == []


def test_half_of_the_failures_of_two_phases_are_enough_with_one_class():
    tale = Tale().fail(40, "a", every=12)
    kill(tale, "systemctl restart app").automatic = False
    tale.fail(40, "a", every=60).hold()
    found = incident(tale, *[line("held by process 4711")] * 80)
    assert len(found.phases) == 2
    (link,) = found.links
    assert (link.value, link.failures, link.phases, link.ended) == ("4711", 80, (1, 2), None)
    fewer = [line("held by process 4711"), None, None]
    assert incident(tale, *(fewer * 27)[:80]).links == ()


def test_one_class_is_enough_where_a_command_that_names_the_process_ended_it():
    tale = kill(Tale().fail(6, "a"), "kill 4711")
    made = naming(tale.hold(), *[line("held by process 4711")] * 6)
    (only,) = analyse(made, OPEN).incidents
    (link,) = only.links
    assert (link.what, link.value, link.port) == ("process", "4711", "")
    assert link.ended is not None
    assert link.ended.summary == "luna ran kill 4711"
    assert (only.recovery - link.ended.time).total_seconds() == 8
    assert link.evidence is not None


def test_a_kill_after_which_failures_name_the_process_still_did_not_end_it():
    tale = kill(Tale().fail(6, "a"), "kill 4711").fail(60, "a").hold()
    assert incident(tale, *[line("held by process 4711")] * 66).links == ()


def test_hostile_lines_give_few_values_of_these_kinds_only():
    crowd = " ".join(f"process {number}" for number in range(1000, 1400))
    odd = "No such file or directory: '/srv/$(reboot)\x1b[2J<script>'; port 0; port 70000; /dev/../etc; PID -1; process 00012"
    told = [line(f"{crowd} {odd}", path="/a b;rm -rf ~", unit="x$(id).service", pid="1 2", port="5000;id")] * 4
    found = links(Tale().each(["a", "b"] * 2, every=12).hold(), *told)
    assert 0 < len(found) <= MOST <= PER_TEXT
    assert all(value.isalnum() or value.startswith("/srv") for _, value, _, _ in found)
    assert not any("$" in value or "\x1b" in value or " " in value for _, value, _, _ in found)
