"""Write the man page tabby-forensics(1) from the help of all commands: `python -m forensics.cli.man > tabby-forensics.1`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import typer

from forensics import __version__
from forensics.cli import app as command_line
from forensics.cli import parse

NAME = "tabby-forensics"
SHORT = "find out why systemd services crash and restart"
EXIT_STATUS = {
    0: "Success.",
    1: "Something failed: the message names what.",
    2: "A mistake on the command line or in a file that you wrote.",
    3: "What was asked for was found, or could not be proven: an incident with --exit-code, a failed check, a rule that can never fire.",
    4: "Data for the window is missing, and --strict was given.",
    5: "The journal exists, but this user may not read it.",
    6: "There is no journal, or it has no entries in the window.",
    130: "Interrupted; nothing was lost.",
}
FILES = {
    "~/.config/tabby-forensics/config.toml": "Defaults of options, before those in /etc/tabby-forensics/config.toml.",
    "~/.config/tabby-forensics/classes.toml": "Merged, pinned and renamed failure classes.",
    "~/.config/tabby-forensics/patterns": "Your own patterns.",
    "~/.config/tabby-forensics/watch.toml": "Units, sinks and exporter of `watch`.",
    "~/.local/state/tabby-forensics": "The store, and the state of `watch`.",
}
ENVIRONMENT = {
    "XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_CACHE_HOME": "Where the files above are.",
    "NO_COLOR, FORCE_COLOR": "No colours; colours also where the output is not a terminal.",
    "SOURCE_DATE_EPOCH": "The time that is taken for now, so that the same journal gives the same bytes.",
    "TABBY_FORENSICS_DEBUG": "1 shows the traceback of an internal error.",
}
LONGEST_LINE = 78
_WORDS = re.compile(r"(?<!\w)--?[A-Za-z][\w-]*|[A-Z][A-Z…|:=-]*(?:/[A-Z]+)?|`[^`\n]{1,200}`")


def man_page() -> str:
    """Write the page as roff, as man(7) has it."""
    root: Any = typer.main.get_command(command_line.app)
    context = typer.Context(root, info_name=NAME)
    lines = [
        f'.TH TABBY\\-FORENSICS 1 {parse.clock():%Y-%m-%d} "tabby\\-forensics {_escaped(__version__)}" "User Commands"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{_escaped(NAME)} \\- {SHORT}",
        ".SH SYNOPSIS",
        f".B {_escaped(NAME)}",
        ".RI [ options ]",
        ".I command",
        ".RI [ arguments ]",
        ".SH DESCRIPTION",
        _marked(root.help or ""),
        ".SH COMMANDS",
        *(line for command, at in _commands(root, context) for line in _section(command, at)),
        *_list("OPTIONS", dict(_records(root, context))),
        *_list("EXIT STATUS", {str(code): text for code, text in EXIT_STATUS.items()}),
        *_list("FILES", FILES),
        *_list("ENVIRONMENT", ENVIRONMENT),
        ".SH SEE ALSO",
        ".BR journalctl (1),",
        ".BR systemctl (1),",
        ".BR systemd.service (5)",
    ]
    return "\n".join(lines) + "\n"


def _commands(group: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each command that does something, with its context, in the order of the help."""
    for name, command in group.commands.items():
        at = typer.Context(command, info_name=name, parent=context)
        if isinstance(command, typer.core.TyperGroup):
            if command.invoke_without_command:
                yield command, at
            yield from _commands(command, at)
        else:
            yield command, at


def _section(command: Any, context: Any) -> Iterator[str]:
    """Write a command: how it is called, what it does, its arguments and options."""
    words = [context.command_path, *command.collect_usage_pieces(context)]
    yield f".SS {_escaped(context.command_path.removeprefix(f'{NAME} '))}"
    yield f".B {_escaped(' '.join(word for word in words if word != 'COMMAND [ARGS]...'))}"
    yield from _paragraphs(command.help or "")
    yield from _tagged(dict(_records(command, context)))


def _records(command: Any, context: Any) -> Iterator[tuple[str, str]]:
    """Yield names and help of the arguments and options; --help is the same everywhere."""
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in parameter.opts:
            yield record


def _list(heading: str, entries: dict[str, str]) -> Iterator[str]:
    yield f".SH {heading}"
    yield from _tagged(entries)


def _tagged(entries: dict[str, str]) -> Iterator[str]:
    for name, text in entries.items():
        yield ".TP"
        yield _marked(name) if name.startswith("-") else f".B {_escaped(name)}"
        yield _marked(" ".join(text.split()) or "No help.")


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield ".PP"
        yield _marked(" ".join(paragraph.split()))


def _marked(text: str) -> str:
    """Escape a text, in lines of a size that people edit; its options and code are bold, the placeholders of its options italic."""
    shown, end = "", 0
    for word in _WORDS.finditer(text):
        is_placeholder = word[0][0] not in "-`"
        if is_placeholder and not _is_placeholder(text, word):
            continue
        shown += f"{_plain(text[end : word.start()])}\\f{'I' if is_placeholder else 'B'}{_plain(word[0].strip('`'))}\\fR"
        end = word.end()
    lines = textwrap.wrap(shown + _plain(text[end:]), LONGEST_LINE, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(_guarded, lines))


def _is_placeholder(text: str, word: re.Match[str]) -> bool:
    """Whether a word in capitals follows an option that it belongs to, as in `--since TIME`."""
    return len(word[0]) > 1 and re.search(r"--[a-z-]+ $", text[max(0, word.start() - 40) : word.start()]) is not None


def _escaped(text: str) -> str:
    """Make a text one that roff prints as it is."""
    return _guarded(_plain(text))


def _plain(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    text = re.sub(r",(?=\S)", r",\\:", text)  # where a long word may be broken
    return "".join(character if character.isascii() else f"\\[u{ord(character):04X}]" for character in text)


def _guarded(line: str) -> str:
    """Protect a line that would begin with a request."""
    return f"\\&{line}" if line[:1] in {".", "'"} else line


if __name__ == "__main__":
    typer.echo(man_page(), nl=False)
