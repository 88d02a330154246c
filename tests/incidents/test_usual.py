"""A remedy has the values that most failures of its class have, not those of the first."""

from forensics.incidents import analyse
from forensics.model.values import Signature, Window
from tests.incidents.making import Tale
from tests.incidents.naming_values import naming

PORT = Signature("a", "Port", "high", remedy="ss -ltnp 'sport = :{port|PORT}'; systemctl status UNIT")


def row(*ports):
    told = [(f"port {port}", {"port": port, "other": str(k)}) for k, port in enumerate(ports)]
    made = naming(Tale().fail(len(ports), "a").hold(), *told, signatures={"a": PORT})
    (incident,) = analyse(made, Window(None, None)).incidents
    return incident.classes[0]


def test_the_most_frequent_values_are_in_the_remedy():
    found = row("5001", "5000", "5000", "5000")
    assert found.remedy == "ss -ltnp 'sport = :5000'; systemctl status app.service"
    assert found.values_in == (3, 4)
    assert found.sample is not None


def test_values_that_all_failures_have_are_no_example():
    assert row("5000", "5000", "5000").values_in == (3, 3)


def test_a_hostile_value_is_not_filled_in():
    assert row("5000;reboot", "5000;reboot", "5000;reboot").remedy.startswith("ss -ltnp 'sport = :PORT'")
