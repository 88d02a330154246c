"""`generate` writes a unit that systemd accepts and a module that is valid Nix."""

import shutil
import subprocess

import pytest
import tree_sitter
import tree_sitter_nix

from forensics.alerting.sinks import KINDS
from forensics.generate.nixos import OWN_FORM, module_text
from forensics.generate.settings import NAME, SETTINGS
from forensics.generate.systemd import unit_text
from tests.cli.running import assert_one_sentence, run


@pytest.mark.real
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_verifies_the_unit_without_a_warning(tmp_path):
    (tmp_path / f"{NAME}.service").write_text(unit_text("/usr/bin/true", "127.0.0.1:9847"))
    done = subprocess.run(["systemd-analyze", "verify", str(tmp_path / f"{NAME}.service")], capture_output=True, text=True, check=False)
    assert NAME not in done.stderr
    assert done.returncode == 0


def test_the_unit_starts_the_given_program():
    assert "\nExecStart=/opt/x watch --listen 127.0.0.1:1\n" in unit_text("/opt/x", "127.0.0.1:1")
    assert "\nExecStart=/opt/x watch\n" in unit_text("/opt/x", None)


def test_bad_options_for_the_unit_are_refused():
    assert_one_sentence(run("generate", "systemd", "--listen", "here"), 2, "'here'")
    assert_one_sentence(run("generate", "systemd", "--program", "x\nUser=root"), 2, "full path")


def test_the_module_is_nix_and_has_all_settings_and_sinks():
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_nix.language())).parse(module_text().encode())
    assert not tree.root_node.has_error
    assert [name for name in SETTINGS if name not in OWN_FORM and f"        {name} = " not in module_text()] == []
    assert [kind for kind in KINDS if kind not in module_text()] == []
