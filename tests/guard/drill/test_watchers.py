"""A running `watch` is found with its configuration and state, and nothing else is taken for one."""

from pathlib import Path

import pytest

from forensics.guard.drill.watchers import options_of, running_watchers


@pytest.mark.parametrize(
    ("line", "options", "reason"),
    [
        ("/usr/bin/tabby-forensics watch", {}, "the installed program"),
        ("/usr/bin/python3 /usr/bin/tabby-forensics watch --config /etc/w.toml", {"--config": ("/etc/w.toml",)}, "by its interpreter"),
        ("python -m forensics watch --config=a=b.toml", {"--config": ("a=b.toml",)}, "a module; the value has an equals sign"),
        ("tabby-forensics watch --unit a --unit b", {"--unit": ("a", "b")}, "repeated"),
        ("tabby-forensics watch --listen", {"--listen": ("",)}, "without its value"),
        ("tabby-forensics watch --test-alert", None, "it ends at once"),
        ("tabby-forensics watch --check-config", None, "it ends at once"),
        ("tabby-forensics report watch", None, "another command"),
        ("python -c import_forensics watch --state s", {"--state": ("s",)}, "from a line of Python, as tests do"),
        ("watch tabby-forensics status", None, "procps' watch"),
        ("vim forensics.txt", None, "another program"),
        ("", None, "a thread of the kernel"),
    ],
)
def test_a_command_line_is_recognised(line, options, reason):
    assert options_of(tuple(line.split())) == options, reason


def process(proc: Path, pid: int, line: str, environment: str | None = "HOME=/root", cgroup: str = "0::/user.slice\n") -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"\0".join(part.encode() for part in line.split()) + b"\0")
    (folder / "cgroup").write_text(cgroup)
    (folder / "cwd").symlink_to("/srv/here")
    if environment is not None:
        (folder / "environ").write_bytes(b"\0".join(part.encode() for part in environment.split()) + b"\0")


@pytest.mark.parametrize(
    ("options", "environment", "state", "reason"),
    [
        ("", "XDG_STATE_HOME=/var/lib", "/var/lib/tabby-forensics/watch", "as the generated unit has it"),
        ("", "HOME=/root", "/root/.local/state/tabby-forensics/watch", "started by hand"),
        ("--store /data", "HOME=/root", "/data/watch", "in the store"),
        ("--state st", "HOME=/root", "/srv/here/st", "relative to where it was started"),
        ("--state /a --store /b", "HOME=/root", "/a", "the narrower option"),
        ("", "PATH=/bin", None, "neither variable"),
        ("", None, None, "another user's process"),
    ],
)
def test_its_state_is_where_it_would_be_for_the_process_itself(tmp_path, options, environment, state, reason):
    process(tmp_path, 7, f"tabby-forensics watch {options}", environment)
    (watcher,) = running_watchers(tmp_path)
    assert watcher.state_directory == (None if state is None else Path(state)), reason


def test_its_configuration_is_that_of_its_own_environment(tmp_path):
    (tmp_path / "etc/tabby-forensics").mkdir(parents=True)
    (tmp_path / "etc/tabby-forensics/watch.toml").touch()
    process(tmp_path / "proc", 7, "tabby-forensics watch", f"XDG_CONFIG_HOME={tmp_path}/etc")
    process(tmp_path / "proc", 8, "tabby-forensics watch", f"XDG_CONFIG_HOME={tmp_path}/none")
    process(tmp_path / "proc", 9, "tabby-forensics watch --config w.toml")
    files = [watcher.config_file for watcher in running_watchers(tmp_path / "proc")]
    assert files == [tmp_path / "etc/tabby-forensics/watch.toml", None, Path("/srv/here/w.toml")]


def test_services_come_first_and_those_of_containers_are_left_out(tmp_path):
    process(tmp_path, 3, "tabby-forensics watch", cgroup="0::/user.slice/user-0.slice/user@0.service/app.slice/x.scope\n")
    process(tmp_path, 9, "tabby-forensics watch", cgroup="0::/system.slice/tabby-forensics.service\n")
    process(tmp_path, 5, "sleep 1")
    process(tmp_path, 20, "tabby-forensics watch", cgroup="0::/docker/1234\n")
    for pid, namespace in (("self", 1), ("3", 1), ("9", 1), ("20", 2)):  # that of 11 may not be seen
        (tmp_path / pid / "ns").mkdir(parents=True)
        (tmp_path / pid / "ns/pid").symlink_to(f"pid:[{namespace}]")
    process(tmp_path, 11, "tabby-forensics watch", cgroup="0::/user.slice/user@7.service/app.slice/mine.service\n")
    found = [(watcher.pid, watcher.unit, watcher.is_users) for watcher in running_watchers(tmp_path)]
    assert found == [(9, "tabby-forensics.service", False), (11, "mine.service", True), (3, "", False)]
    assert running_watchers(tmp_path / "nothing") == ()
