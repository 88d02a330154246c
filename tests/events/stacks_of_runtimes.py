"""How runtimes and loggers print a stack: a text each, with what of it may change without a difference and what may not.

The texts are invented after the documented formats of the runtimes; no log of anybody is copied.
"""

from __future__ import annotations

from typing import NamedTuple


class Family(NamedTuple):
    """text: the lines. benign: replacements that keep the fingerprint. differing: replacements that change it, one at a time."""

    text: str
    benign: tuple[tuple[str, str], ...]
    differing: tuple[tuple[str, str], ...]


PLAIN = """Traceback (most recent call last):
  File "/opt/app/main.py", line 40, in <module>
    run(settings)
  File "/opt/app/loader.py", line 88, in load
    return table[name]
RuntimeError: weights are gone"""
SHIFTED = (("line 40", "line 47"), ("line 88", "line 91"), ("/opt/app", "/home/u/app"), ("table[name]", "table.get(name)"))
OTHER = (("RuntimeError", "LookupError"), ("in load", "in fetch"), ("weights are gone", "weights are locked"))


def each_line(before: str) -> Family:
    """The plain traceback with the same words before each of its lines."""
    return Family("\n".join(before + line for line in PLAIN.split("\n")), SHIFTED, OTHER)


CHAINED = (
    PLAIN.replace("RuntimeError: weights are gone", "KeyError: 'llama'")
    + "\n\n{link}\n\n"
    + PLAIN.replace("loader.py", "server.py").replace("in load", "in serve")
)
OF_CHAINED = (*OTHER[:1], ("KeyError", "IndexError"), ("in load", "in fetch"))

FAMILIES = {
    "python": Family(PLAIN, SHIFTED, OTHER),
    "python 3.13 with carets": Family(PLAIN.replace("    run(settings)", "    run(settings)\n    ~~~^^^^^^^^^^"), SHIFTED, OTHER),
    "python without source lines": Family("\n".join(line for line in PLAIN.split("\n") if line[:4] != "    "), SHIFTED[:3], OTHER),
    "python without its header": Family("\n".join(PLAIN.split("\n")[1:]), SHIFTED, OTHER),
    "python, cut after the frames": Family("\n".join(PLAIN.split("\n")[:-1]), SHIFTED, OTHER[1:2]),
    "python, recursion": Family(
        PLAIN.replace("RuntimeError", "  [Previous line repeated 987 more times]\nRuntimeError"), (("987", "31"), *SHIFTED), OTHER
    ),
    "python, direct cause": Family(
        CHAINED.format(link="The above exception was the direct cause of the following exception:"), SHIFTED, OF_CHAINED
    ),
    "python, during handling": Family(
        CHAINED.format(link="During handling of the above exception, another exception occurred:"), SHIFTED, OF_CHAINED
    ),
    "python, exception group": Family(
        """  + Exception Group Traceback (most recent call last):
  |   File "/opt/app/main.py", line 40, in <module>
  |     run(settings)
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/opt/app/loader.py", line 88, in load
    |     return table[name]
    | RuntimeError: weights are gone
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "/opt/app/feed.py", line 9, in pull
    | ValueError: empty
    +------------------------------------""",
        SHIFTED,
        OTHER,
    ),
    "python, syntax error": Family(
        """Traceback (most recent call last):
  File "/opt/app/main.py", line 3, in <module>
    import loader
  File "/opt/app/loader.py", line 88
    match name:
          ^^^^
SyntaxError: invalid syntax""",
        (("line 88", "line 91"), ("line 3", "line 5"), ("/opt/app", "/home/u/app")),
        (("SyntaxError", "IndentationError"), ("invalid syntax", "unexpected indent")),
    ),
    "python, in a thread": Family("Exception in thread Thread-3 (work):\n" + PLAIN, SHIFTED, OTHER),
    "python, in a child process": Family("Process SpawnProcess-1:\n" + PLAIN, (("SpawnProcess-1", "SpawnProcess-2"), *SHIFTED), OTHER),
    "python, asyncio": Family("Task exception was never retrieved\n" + PLAIN, SHIFTED, OTHER),
    "python, torch.distributed": each_line("[rank0]: "),
    "python, ray": each_line("(RayWorkerWrapper pid=4711) "),
    "python, vLLM": each_line("ERROR 11-23 09:15:00 [core.py:700] "),
    "python, vLLM with its process": each_line("(EngineCore_0 pid=4711) ERROR 11-23 09:15:00 [core.py:700] "),
    "python, logging": each_line("2026-11-23 08:40:43,217 ERROR "),
    "python, TabbyAPI": each_line("2026-11-23 08:40:43.217 ERROR:    "),
    "python, faulthandler": Family(
        """Fatal Python error: Aborted

Current thread 0x00007f1c2b7fe640 (most recent call first):
  File "/opt/app/loader.py", line 88 in load
  File "/opt/app/main.py", line 40 in <module>""",
        (("line 88", "line 91"), ("0x00007f1c2b7fe640", "0x00007f00aa7fe640")),
        (("Aborted", "Floating point exception"), ("in load", "in fetch")),
    ),
    "python, rich": Family(
        """╭───────────────────── Traceback (most recent call last) ──────────────────────╮
│ /opt/app/loader.py:88 in load                                                │
│                                                                              │
│   85 def load(name):                                                         │
│ ❱ 88     return table[name]                                                  │
╰──────────────────────────────────────────────────────────────────────────────╯
RuntimeError: weights are gone""",
        (("loader.py:88", "loader.py:91"),),
        (OTHER[0], OTHER[2]),
    ),
    "C++": Family(
        "terminate called after throwing an instance of 'std::runtime_error'\n  what():  cannot map 4096 bytes",
        (("4096", "8192"),),
        (("cannot map", "cannot unmap"),),
    ),
    "C++, PyTorch's frames": Family(
        """terminate called after throwing an instance of 'c10::Error'
  what():  CUDA error: unspecified
Exception raised from c10_cuda_check_implementation at ../c10/cuda/CUDAException.cpp:44 (most recent call first):
frame #0: c10::Error::Error(c10::SourceLocation, std::string) + 0x57 (0x7f2b in /opt/lib/libc10.so)
frame #1: c10::cuda::check_implementation(int, bool) + 0x14a (0x7f2c in /opt/lib/libc10_cuda.so)
frame #2: exl3_gemm(at::Tensor const&) + 0x2f4 (0x7f2d in /opt/ext.so)""",
        (("+ 0x2f4", "+ 0x2f8"), ("0x7f2b", "0x7e11"), ("CUDAException.cpp:44", "CUDAException.cpp:43")),
        (("exl3_gemm", "exl3_attention"), ("unspecified", "misaligned address")),
    ),
    "Rust": Family(
        """thread 'main' panicked at src/load.rs:31:17:
called `Option::unwrap()` on a `None` value
stack backtrace:
   0: rust_begin_unwind
   1: core::panicking::panic_fmt
   2: server::load::h0123456789abcdef
   3: server::main
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.""",
        (("load.rs:31:17", "load.rs:35:17"), ("h0123456789abcdef", "hfedcba9876543210")),
        (("server::load", "server::fetch"), ("called `Option::unwrap()` on a `None` value", "index out of bounds")),
    ),
    "Rust without a backtrace": Family(
        "thread 'main' panicked at 'weights are gone', src/load.rs:31:17\nnote: run with `RUST_BACKTRACE=1` environment variable",
        (("31:17", "35:11"),),
        (("weights are gone", "weights are locked"),),
    ),
    "Go, panic": Family(
        """panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x46c2e5]

goroutine 1 [running]:
main.(*Server).load(0xc000012345, {0x0, 0x0})
	/srv/app/load.go:31 +0x1d
main.main()
	/srv/app/main.go:12 +0x2f
exit status 2""".removesuffix("\nexit status 2"),
        (("0xc000012345", "0xc000099999"), ("load.go:31", "load.go:35"), ("pc=0x46c2e5", "pc=0x46c111")),
        (("(*Server).load", "(*Server).fetch"), ("invalid memory address or nil pointer dereference", "index out of range")),
    ),
    "Go, fatal error": Family(
        "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.wait()\n\t/srv/app/wait.go:9 +0x1d",
        (("wait.go:9", "wait.go:19"),),
        (("main.wait", "main.listen"), ("all goroutines are asleep - deadlock!", "concurrent map writes")),
    ),
    "JVM": Family(
        """Exception in thread "main" java.lang.IllegalStateException: weights are gone
\tat com.acme.Server.load(Server.java:31)
\tat com.acme.Server.main(Server.java:12)
Caused by: java.io.IOException: closed
\tat com.acme.Store.read(Store.java:7)
\t... 2 more""",
        (("Server.java:31", "Server.java:35"), ("... 2 more", "... 3 more")),
        (("Server.load", "Server.fetch"), ("IOException", "EOFException"), ("closed", "reset")),
    ),
    ".NET": Family(
        """Unhandled exception. System.InvalidOperationException: weights are gone
   at Acme.Server.Load(String name) in /srv/app/Server.cs:line 31
   at Acme.Program.Main(String[] args) in /srv/app/Program.cs:line 12""",
        (("line 31", "line 35"),),
        (("Server.Load", "Server.Fetch"), ("weights are gone", "weights are locked"), ("InvalidOperation", "NotSupported")),
    ),
    "Node": Family(
        """TypeError: Cannot read properties of undefined (reading 'weights')
    at load (/srv/app/load.js:31:17)
    at Server.start (/srv/app/main.js:12:3)
    at node:internal/main/run_main_module:23:47""",
        (("load.js:31:17", "load.js:35:11"), ("run_main_module:23:47", "run_main_module:28:49")),
        (("at load", "at fetch"), ("TypeError", "RangeError"), ("undefined", "null")),
    ),
    "Ruby": Family(
        "/srv/app/load.rb:31:in 'load': weights are gone (RuntimeError)\n\tfrom /srv/app/main.rb:12:in '<main>'",
        (("load.rb:31", "load.rb:35"), ("main.rb:12", "main.rb:14")),
        (("in 'load'", "in 'fetch'"), ("weights are gone", "weights are locked"), ("RuntimeError", "LoadError")),
    ),
    "PHP": Family(
        """PHP Fatal error:  Uncaught RuntimeException: weights are gone in /srv/app/load.php:31
Stack trace:
#0 /srv/app/main.php(12): load()
#1 {main}
  thrown in /srv/app/load.php on line 31""",
        (("load.php:31", "load.php:35"), ("main.php(12)", "main.php(14)"), ("on line 31", "on line 35")),
        (("load()", "fetch()"), ("RuntimeException", "LogicException"), ("weights are gone", "weights are locked")),
    ),
    "OCaml": Family(
        """Fatal error: exception Failure("weights are gone")
Raised at Stdlib.failwith in file "stdlib.ml", line 29, characters 17-33
Called from Server.load in file "server.ml", line 31, characters 4-18""",
        (("line 31", "line 35"),),
        (("Server.load", "Server.fetch"), ("Failure", "Invalid_argument")),
    ),
    "Lua": Family(
        "lua: load.lua:31: weights are gone\nstack traceback:\n\t[C]: in function 'error'\n\tload.lua:31: in function 'load'",
        (("load.lua:31", "load.lua:35"),),
        (("in function 'load'", "in function 'fetch'"), ("weights are gone", "weights are locked")),
    ),
    "sanitizer": Family(
        """==4711==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x4f
    #0 0x4f1a2b in load /srv/app/load.c:31
    #1 0x4f1a2c in main /srv/app/main.c:12""",
        (("==4711==", "==812=="), ("0x602000000010", "0x602000000090"), ("load.c:31", "load.c:35")),
        (("in load", "in fetch"), ("heap-use-after-free", "stack-overflow")),
    ),
    "CUDA threads": Family(
        "\n".join(
            f"../aten/src/ATen/native/cuda/Indexing.cu:1422: indexSelectLargeIndex: block: [{block},0,0], thread: [{thread},0,0] "
            "Assertion `srcIndex < srcSelectDimSize` failed."
            for block in range(2)
            for thread in range(3)
        ),
        (("[1,0,0]", "[7,0,0]"), (":1422:", ":1290:")),
        (("srcIndex < srcSelectDimSize", "index >= -sizes"),),
    ),
    "Node, uncaught": Family(
        """/srv/app/load.js:31
    throw new RangeError('weights are gone');
          ^

RangeError: weights are gone
    at load (/srv/app/load.js:31:17)
    at Server.start (/srv/app/main.js:12:3)

Node.js v20.11.1""",
        (("load.js:31:17", "load.js:35:11"), ("v20.11.1", "v22.1.0")),
        (("at load", "at fetch"), ("\nRangeError", "\nTypeError"), ("RangeError: weights are gone", "RangeError: weights are locked")),
    ),
    "Node, an event with fields": Family(
        """node:events:497
      throw er; // Unhandled 'error' event
      ^

Error: weights are gone
    at load (/srv/app/load.js:31:17)
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1924:8)
    at process.processTicksAndRejections (node:internal/process/task_queues:82:21) {
  code: 'EGONE',
  errno: -98
}

Node.js v20.11.1""",
        (("node:events:497", "node:events:491"), ("node:net:1924:8", "node:net:1900:8")),
        (("at load", "at fetch"), ("gone", "locked")),
    ),
    "Node, with its cause": Family(
        """TypeError: fetch failed
    at load (/srv/app/load.js:31:17) {
  [cause]: Error: weights are gone
      at open (/srv/app/open.js:3:5)
}""",
        (("load.js:31:17", "load.js:35:11"),),
        (("at load", "at fetch"), ("weights are gone", "weights are locked")),
    ),
    "Rust, anyhow": Family(
        "Error: cannot serve\n\nCaused by:\n    0: cannot load the model\n    1: weights are gone",
        (("cannot serve", "cannot start"),),
        (("weights are gone", "weights are locked"),),
    ),
    "Rust, anyhow with one cause": Family(
        "Error: cannot serve\n\nCaused by:\n    weights are gone\n\nLocation:\n    src/main.rs:12:5",
        (("main.rs:12:5", "main.rs:14:5"),),
        (("weights are gone", "weights are locked"),),
    ),
    "Rust, eyre": Family(
        "Error: \n   0: cannot load the model\n   1: weights are gone\n\nLocation:\n   src/main.rs:12",
        (("main.rs:12", "main.rs:14"),),
        (("weights are gone", "weights are locked"),),
    ),
    ".NET, with its cause": Family(
        """Unhandled exception. System.InvalidOperationException: cannot serve
 ---> System.IO.IOException: weights are gone
   at Acme.Store.Read(String name) in /srv/app/Store.cs:line 7
   --- End of inner exception stack trace ---
   at Acme.Program.Main(String[] args) in /srv/app/Program.cs:line 12""",
        (("line 7", "line 9"),),
        (("Store.Read", "Store.Open"), ("weights are gone", "weights are locked"), ("IO.IOException", "IO.FileLoadException")),
    ),
    "Erlang, RabbitMQ": Family(
        "\n".join(
            "2026-11-23 09:00:00.123456+00:00 [error] <0.223.0> " + line
            for line in ("error:{weights,gone}", "", "    server:load/2, line 31", "    server:start/1, line 12")
        ),
        (("line 31", "line 35"), ("09:00:00.123456", "10:00:00.654321")),
        (("server:load", "server:fetch"), ("{weights,gone}", "{weights,locked}")),
    ),
    "the C library": Family(
        """*** Error in `/srv/app/server': double free or corruption (fasttop): 0x000055d0c1 ***
======= Backtrace: =========
/lib/x86_64-linux-gnu/libc.so.6(+0x777e5)[0x7f2b3c]
/srv/app/server(load_weights+0x1a)[0x55d0c1]
/lib/x86_64-linux-gnu/libc.so.6(__libc_start_main+0xf0)[0x7f2b3d]
======= Memory map: ========
55d0c1000000-55d0c1001000 r-xp 00000000 08:01 12345 /srv/app/server""",
        (("+0x1a", "+0x1e"), ("[0x55d0c1]", "[0x55d0f1]"), ("0x000055d0c1", "0x000055d0f1")),
        (("load_weights", "fetch_weights"), ("double free or corruption", "invalid pointer")),
    ),
    "V8": Family(
        """FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
----- Native stack trace -----

 1: 0xb090e node::OOMErrorHandler(char const*, v8::OOMDetails const&) [/usr/bin/node]
 2: 0xb0910 addon::load(int) [/srv/app/addon.node]""",
        (("0xb090e", "0xb190e"),),
        (("addon::load", "addon::fetch"), ("Reached heap limit", "Ineffective mark-compacts near heap limit")),
    ),
    "the kernel": Family(
        """BUG: kernel NULL pointer dereference, address: 0000000000000008
#PF: supervisor read access in kernel mode
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 3 PID: 1432 Comm: kworker/3:1 Tainted: P           OE      6.1.0-13-amd64 #1
RIP: 0010:widget_poll+0x1a/0x40 [widget]
RAX: 0000000000000000 RBX: ffff9a4b81c3a000 RCX: 0000000000000000
Call Trace:
 <TASK>
 widget_poll+0x1a/0x40 [widget]
 ? process_one_work+0x1c7/0x380
 </TASK>
Modules linked in: widget(OE)
---[ end trace 0000000000000000 ]---""",
        (("+0x1a", "+0x1e"), ("ffff9a4b81c3a000", "ffff9a4b81c3b000"), ("PID: 1432", "PID: 99")),
        (("widget_poll", "gadget_poll"), ("NULL pointer dereference", "stack overflow")),
    ),
    "the kernel, after its clock": Family(
        """[  362.731] INFO: task worker:1432 blocked for more than 120 seconds.
[  362.732]       Tainted: P           OE      6.1.0-13-amd64 #1
[  362.733] "echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
[  362.734] task:worker          state:D stack:0     pid:1432  ppid:1      flags:0x00000002
[  362.735] Call Trace:
[  362.736]  <TASK>
[  362.737]  io_schedule+0x46/0x80""",
        (("+0x46", "+0x4a"), ("[  362.737]", "[  362.797]"), ("120 seconds", "241 seconds")),
        (("io_schedule", "rwsem_wait"),),
    ),
    "Terraform": Family(
        '╷\n│ Error: Unsupported argument\n│ \n│   on main.tf line 3, in resource "x" "y":\n│    3:   frob = 1\n│ \n╵',
        (("line 3", "line 5"),),
        (("Unsupported argument", "Missing argument"),),
    ),
}
