"""Extract the top application functions from a stack trace of any runtime but Python."""

from __future__ import annotations

import re
from typing import NamedTuple

TOP = 6


class _Runtime(NamedTuple):
    """How a runtime prints a frame (group `name`), and which functions are the runtime's own."""

    frame: re.Pattern[str]
    own: re.Pattern[str]


_NONE = re.compile(r"(?!)")
_RUNTIMES = (
    # Go: panic's goroutines, `main.(*Server).load(0xc000012345, {0x0, 0x0})`
    _Runtime(
        re.compile(r"(?m)^(?:[\w.~-]+/)*(?P<name>[\w-]+\.[\w.(*)\[\]·]+)\((?:0x|\{|\.\.\.|\)).*$"),
        re.compile(r"^runtime\."),
    ),
    # V8: ` 1: 0x7f2b node::Abort() [/usr/bin/node]`
    _Runtime(re.compile(r"(?m)^[^\S\n]{1,12}\d{1,3}: 0x[0-9a-f]+ (?P<name>[A-Za-z_~][\w:~]*)"), re.compile(r"^(?:v8|node)::")),
    # Rust: `   3: server::load::h0123456789abcdef`, with or without the address
    _Runtime(
        re.compile(r"(?m)^[^\S\n]+\d+: +(?:0x[0-9a-f]+ - )?(?P<name>[\w<][^\n]*?)(?:::h[0-9a-f]{16})?$"),
        re.compile(r"^<?(?:std|core|alloc|rust_begin_unwind|__rust|__libc|_start|main$|tokio)"),
    ),
    # JVM, .NET, JavaScript: `    at com.acme.Server.load(Server.java:12)`, `    at async load (/srv/app/x.mjs:3:5)`
    _Runtime(
        re.compile(r"(?m)^[^\S\n]+at (?:async |new )?(?!/|file:|node:|<)(?P<name>[\w.$<>\[\] `/]+?) ?\((?![^)\n]*(?:node:|node_modules/))"),
        re.compile(r"^(?:java|javax|jdk|sun|kotlin|scala|System|Microsoft|node:)\b"),
    ),
    # rich's box: `│ /srv/app/load.py:31 in load    │`
    _Runtime(re.compile(r"(?m)^│ (?!\S*(?:(?:site|dist)-packages|/lib/python)\S*)\S+\.py:\d+ in (?P<name>\S+)"), _NONE),
    # Ruby: `\tfrom /srv/app/x.rb:3:in 'load'`, and the first line before its message
    _Runtime(re.compile(r"(?m)^(?:[^\S\n]+from )?\S+\.rb:\d+:in [`'](?P<name>[^'\n]+)'"), _NONE),
    # PHP: `#0 /srv/app/x.php(3): load()`
    _Runtime(re.compile(r"(?m)^#\d+ (?:\S+\(\d+\)|\[internal function\]): (?P<name>[\w\\:>-]+)\("), _NONE),
    # PyTorch's C++ stack: `frame #3: c10::Error::Error(…) + 0x57 (0x7f… in libc10.so)`
    _Runtime(re.compile(r"(?m)^frame #\d+: (?P<name>[^\n(+]+?)(?:\(| \+ 0x)"), re.compile(r"^(?:<unknown function>|c10::Error)")),
    # gdb, systemd-coredump, sanitizers: `#0  0x00007f… load (server + 0x1234)`, `    #1 0x4f in load x.c:3`
    _Runtime(
        re.compile(r"(?m)^[^\S\n]*#\d+ +0x[0-9a-f]+ (?:in )?(?P<name>[\w:~<>$.]+)"), re.compile(r"^(?:n/a|__libc|_start|abort$|raise$)")
    ),
    # OCaml: `Raised at Server.load in file "server.ml", line 3`
    _Runtime(re.compile(r"(?m)^(?:Raised at|Called from|Re-raised at) (?P<name>[\w.]+) in "), re.compile(r"^Stdlib")),
    # Lua: `\tx.lua:3: in function 'load'`
    _Runtime(re.compile(r"(?m)^[^\S\n]+\S+:\d+: in (?:function |method |local |upvalue |field )+[<']?(?P<name>[\w.]+)"), _NONE),
    # the C library: `/srv/app/server(load_it+0x1a)[0x55d0]`
    _Runtime(re.compile(r"(?m)^[^\s(]{1,400}\((?P<name>\w+)\+0x[0-9a-f]+\) ?\[0x"), re.compile(r"^(?:__libc|_start|abort$|raise$)")),
    # Erlang: `    server:load/2, line 31`
    _Runtime(
        re.compile(
            r"(?m)^[^\n]{0,120}?[^\S\n]{2}(?P<name>(?:'[^'\n]{1,80}'|[\w$@-]{1,80}):(?:'[^'\n]{1,80}'|[\w$@-]{1,80})/\d+),? ?(?:\(|line)"
        ),
        _NONE,
    ),
    # the kernel: ` load_it+0x1a/0x40 [nvidia]`, also after its clock
    _Runtime(
        re.compile(r"(?m)^(?:\[ {0,8}\d{1,8}\.\d{1,8}\])?[^\S\n]*(?:\[<[0-9a-f]+>\] |\? )?(?P<name>[\w.]+)\+0x[0-9a-f]+/0x[0-9a-f]+"),
        re.compile(r"^(?:dump_stack|show_stack|asm_)"),
    ),
)


def top_frames(text: str) -> tuple[str, ...]:
    """The first TOP distinct functions, without the runtime's own; of the first runtime whose frames are in the text."""
    for runtime in _RUNTIMES:
        names = [frame["name"].strip() for frame in runtime.frame.finditer(text)]
        if names:
            return tuple(dict.fromkeys(name for name in names if not runtime.own.search(name)))[:TOP]
    return ()
