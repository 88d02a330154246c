"""The flake: Nix reads it, its wheels are those of the lock, its module is the one that `generate nix` writes. Nix itself is not run."""

import base64
import json
import re
import tomllib
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_nix

from forensics.generate.nixos import module_text

ROOT = Path(__file__).resolve().parents[2]
FLAKE = (ROOT / "flake.nix").read_text(encoding="utf-8")
WHEELS = json.loads((ROOT / "packaging/wheels.json").read_text(encoding="utf-8"))


def nodes(node):
    yield node
    for child in node.children:
        yield from nodes(child)


@pytest.fixture(scope="module")
def tree():
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_nix.language())).parse(FLAKE.encode()).root_node


def test_nix_reads_it(tree):
    assert not tree.has_error


def test_it_has_a_package_an_app_a_shell_and_a_module(tree):
    written = {node.text.decode() for node in nodes(tree) if node.type == "attrpath"}
    assert {"packages", "apps", "devShells", "nixosModules.default", "inputs.nixpkgs.url", "outputs"} <= written


def test_every_name_is_bound_where_it_is_used(tree):
    bound = {"builtins", "false", "map", "true"}
    for node in nodes(tree):
        if node.type == "binding":
            bound.add(node.children[0].text.decode())
        elif node.type == "inherited_attrs":
            bound |= {child.text.decode() for child in node.children}
        elif node.type in {"formal", "function_expression"}:
            bound.add(node.children[0].text.decode())
    used = {node.text.decode() for node in nodes(tree) if node.type == "variable_expression"}
    assert len(used) > 8
    assert used <= bound


def test_the_files_that_it_names_exist():
    files = re.findall(r"(?<=[ (])\./([\w./-]*\w)", FLAKE)
    assert len(files) > 8
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_module_is_the_one_that_generate_nix_writes():
    assert (ROOT / "packaging/nixos-module.nix").read_text(encoding="utf-8") == module_text(), "make golden writes it"


@pytest.mark.parametrize("system", ["x86_64-linux", "aarch64-linux"])
def test_the_wheels_are_those_of_the_lock(system):
    pinned = dict(line.lower().replace("_", "-").split("==") for line in (ROOT / "requirements.lock").read_text().split())
    taken = {wheel["pname"].lower().replace("_", "-"): wheel["version"] for wheel in WHEELS[system]}
    assert {name: pinned[name] for name in taken} == taken, "python packaging/wheels.py writes them"
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.match(r"[\w-]+", each)[0].lower() for each in needed} <= set(taken)
    for wheel in WHEELS[system]:
        assert wheel["platform"] == "any" or system.split("-")[0] in wheel["platform"]
        assert len(base64.b64decode(wheel["hash"].removeprefix("sha256-"))) == 32
