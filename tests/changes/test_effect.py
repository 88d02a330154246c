"""What a command prepares, and what puts it into effect."""

import pytest

from forensics.changes.effect import moved_by, prepares, puts_into_effect

PATHS = frozenset({"/srv/app/venv/lib/python3.12/site-packages/x.so", "/etc/app.toml"})

PREPARING = [
    ("/srv/app/venv.new/bin/pip install torch", True, "an environment beside the one in use"),
    ("/srv/app/venv.new/bin/python main.py", True, "a trial of it"),
    ("venv.new/bin/pip install torch", True, "the same, named from its directory"),
    ("/srv/app/venv/bin/pip install torch", False, "the environment in use"),
    ("/opt/other/bin/pip install torch", False, "in doubt, it is in use"),
    ("pip install --target /srv/app/lib.new torch", True, "a directory beside"),
    ("pip install --target=/srv/app/venv torch", False, "the one in use"),
    ("apt install libfoo", False, "the system's directories are in use"),
    ("apt update", True, "only the lists"),
    ("nano config.yml", False, "the next start reads it"),
    ("systemctl edit app", True, "not before a reload"),
    ("vim /etc/systemd/system/app.service", True, "not before a reload"),
    ("vim /etc/systemd/system/app.service.d/limits.conf", True, "not before a reload"),
    ("vim /etc/nixos/configuration.nix", True, "not before a switch"),
    ("nixos-rebuild build", True, "built, not used"),
    ("wget https://example.org/model.bin", True, "a download"),
    ("git clone https://example.org/app", True, "a download"),
    ("docker pull app:2", True, "a download"),
    ("python3 -m venv venv.new", True, "an empty environment"),
    ("kill 4711", False, "at once"),
    ("systemctl stop app", False, "at once"),
    ("systemctl enable --now app", False, "at once"),
]


@pytest.mark.parametrize(("command", "prepared", "why"), PREPARING, ids=[row[0] for row in PREPARING])
def test_what_the_unit_does_not_use_yet_is_prepared(command, prepared, why):
    assert prepares(command, "/srv/app", PATHS, ()) == prepared, why


def test_what_is_moved_into_place_later_was_not_in_use():
    moved = moved_by("mv -T next current", "/opt/other")
    assert moved == ["/opt/other/next"]
    assert prepares("/opt/other/next/bin/pip install torch", "/", (), moved)
    assert not prepares("/opt/other/current/bin/pip install torch", "/", (), moved)


APPLYING = [
    ("systemctl restart app", True),
    ("systemctl start app.service", True),
    ("systemctl restart nginx", False),
    ("systemctl daemon-reload", True),
    ("systemctl enable --now app", True),
    ("systemctl stop app", False),
    ("systemctl status app", False),
    ("nixos-rebuild switch", True),
    ("nixos-rebuild --flake .#x test", True),
    ("nixos-rebuild build", False),
    ("mv -T venv.new venv", True),
    ("ln -sfn releases/2 current", True),
    ("reboot", True),
    ("service app restart", True),
    ("service nginx restart", False),
    ("pip install x", False),
]


@pytest.mark.parametrize(("command", "applies"), APPLYING)
def test_restart_start_reload_switch_and_move_put_into_effect(command, applies):
    assert puts_into_effect(command, "app.service") == applies
