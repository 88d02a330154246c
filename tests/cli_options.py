"""Every command of the program with its options, as the parser has them."""

from functools import cache

import typer

from forensics.cli.app import app


@cache
def command_options() -> dict[str, set[str]]:
    return _options_below(typer.main.get_command(app))


def _options_below(group: typer.core.TyperGroup, prefix: str = "") -> dict[str, set[str]]:
    options: dict[str, set[str]] = {}
    if prefix and group.invoke_without_command:
        options[prefix.strip()] = {option for parameter in group.params for option in [*parameter.opts, *parameter.secondary_opts]}
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            options |= _options_below(command, f"{prefix}{name} ")
        else:
            options[f"{prefix}{name}"] = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
    return options
