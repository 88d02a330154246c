"""Give every command --quiet, and --no-config to those with an option that config.toml has a default of."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from forensics.cli import output


def _set_quiet(wanted: bool) -> None:
    output.be_quiet(wanted)


def _set_defaults(context: typer.Context, wanted: bool) -> None:
    """Make what config.toml has the defaults of the options that are read after this one."""
    from forensics.cli.config_file import defaults_of
    from forensics.errors import UsageError

    if wanted:
        return
    try:
        defaults = defaults_of(_name(context))
    except UsageError:
        if context.resilient_parsing:  # a shell completes a word
            return
        raise
    inherited = context.parent.params if context.parent is not None else {}
    context.default_map = {name: defaults[key] for name, key in _options(context).items() if key in defaults and name not in inherited}


def _name(context: typer.Context) -> str:
    """Return the command as the user writes it: `report`, `patterns show`."""
    return context.command_path.partition(" ")[2]


def _options(context: typer.Context) -> dict[str, str]:
    """Map the parameters of a command to the keys of config.toml: format_ → format."""
    return {parameter.name or "": option.removeprefix("--") for parameter in context.command.params for option in parameter.opts}


Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show no notices and no progress; errors all the same.", callback=_set_quiet, is_eager=True)
]
NoConfig = Annotated[bool, typer.Option("--no-config", help="Ignore config.toml.", callback=_set_defaults, is_eager=True)]
CONFIGURED = {"store", "tz", "patterns"}  # parameters of a command that config.toml has defaults of


def with_common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command that lacks them; typer builds it from the signature."""
    signature = inspect.signature(command, eval_str=True)
    added = {"quiet": Quiet, **({"no_config": NoConfig} if CONFIGURED & signature.parameters.keys() else {})}
    added = {name: option for name, option in added.items() if name not in signature.parameters}

    @wraps(command)
    def with_added(**values: Any) -> Any:
        return command(**{name: value for name, value in values.items() if name not in added})

    options = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind) for name, kind in added.items()]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in signature.parameters.values()]
    with_added.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    with_added.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *options]}
    return with_added


def add_common_options(app: typer.Typer) -> None:
    """Add them to the commands of a group, and to the group where it does something by itself."""
    for info in app.registered_commands:
        if info.callback is not None:
            info.callback = with_common_options(info.callback)
    own = app.registered_callback
    if own is not None and own.callback is not None and own.invoke_without_command is True:
        own.callback = with_common_options(own.callback)
