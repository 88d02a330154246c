"""Write YAML in which no text of a journal can become anything but a string."""

from __future__ import annotations

import textwrap
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Indents the elements of a list, as hand-written rule files do, and writes no aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def yaml_text(value: Any, indent: int = 0) -> str:
    """Write a value as YAML, keys in their order, each string on one line."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000, default_flow_style=False)
    return textwrap.indent(text, " " * indent)
