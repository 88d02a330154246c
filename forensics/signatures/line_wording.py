"""Judge log lines by their words: a complaint, a farewell, a rollback, a recovery, a retry, a hint.

Each question is one search over the texts, with the log formatter's prefix (complains, is_hint) or without it.
"""

from __future__ import annotations

import polars as pl

from forensics.signatures import prefix
from forensics.signatures.mask import LONGEST
from forensics.signatures.prefix import ascii_classes


def _words(*alternatives: str) -> str:
    return ascii_classes("(?i)" + "|".join(alternatives))


def _opening(*alternatives: str) -> str:
    """Match alternatives that begin a message, after the program and the level that it may name."""
    return rf"^{_NAMED}(?:{'|'.join(alternatives)})"


_NAMED = r"(?:[\w./@\-\[\]]+: )?(?:(?:fatal |internal )?(?:error|fatal|critical|warning|info|config)[:!] ?:? *)?"


# What programs say last: the words of errno, of shells, of argument and configuration parsers, of servers.
_COMPLAINT = _words(
    r"\b(?:fail(?:s|ed|ing|ure|ures)?|[\w.]*errors?|[\w.]*exceptions?|gave up|giving up|cannot|can't|can not|could(?: not|n't)|unable"
    r"|denied|refus(?:ed|ing)"
    r"|invalid|missing|not found|no such|abort(?:ed|ing|s)?|timed out|time-?out|exceed(?:ed|s)?|unsupported|not supported|bad|wrong|lost"
    r"|crash(?:ed|ing)?|exhausted|unreachable|corrupt(?:ed|ion)?|illegal|not permitted|not allowed|forbidden|unauthorized|no space left"
    r"|quota|busy|reset by peer|broken pipe|too many|too (?:large|big|long|small|old|new|open|short|high|low|deep)|out of memory|oom\w*"
    r"|killed|does(?: not|n't) exist"
    r"|(?:do|does|did|was|is|are|were)(?: not|n't) (?:exist|match|support|start|recogni[sz]e|have|respond|a valid|known|defined|set|found"
    r"|allowed|configured|installed|available|writable|readable|owned|running|responding|enough|empty|answer|work|contain|accept|agree"
    r"|belong|resolve|open|load|recogni[sz]e|installed)\w*"
    r"|already (?:in use|exists?|running|mounted|bound|defined|locked|listening|taken|open|active|registered|been)|attempt to (?:index"
    r"|call|compare|concatenate|perform|use|write)|eof reached|without (?:a )?closing|neither|time limit|in use by|locked by"
    r"|double free|smashing|unbound|only wrote|wrote only"
    r"|unrecogni[sz]ed|unknown|undefined|undeclared|unexpected|unresolved|unavailable|unhandled|uncaught|mismatch(?:ed|es)?|expired"
    r"|incompatible"
    r"|closed by (?:the )?(?:remote|peer|server|other)\b"
    r"|inconsistent|conflict(?:s|ing)?|duplicate|no (?:route|valid|permission|free|available|usable|suitable|default|module|matching)\b"
    r"|not a|not (?:\w+ )?(?:accessible|compatible|readable|writable|reachable|usable)"
    r"|no [\w-]+ (?:available|found|defined|configured|specified|given|left|supplied|matches|match)"
    r"|panic(?:ked)?|fatal|violation|overflow|truncated|damaged|malformed|mandatory|required but|requires|insufficient|not enough"
    r"|read-only|reject(?:ed|s)?|dead|deadlock|untrusted|self-signed|disallowed|unknown host|expect(?:ed|ing)"
    r"|must)\b|\bwhat\(\): | at [^ ]+ line \d+[.,]"
)
# Everyday lines that have the words of complaints.
_HARMLESS = _words(
    r"\b(?:no|zero|0|without(?: any)?|any) (?:errors?|failures?|failed|missing|crash(?:es)?|conflicts?|duplicates?|bad|lost)\b"
    r"|\b(?:errors?|failures?|failed|fail|lost|missing|bad|killed|crashed|rejected|denied|exceeded|time-?outs?)[\"']?\s?[=:]\s?[\"']?(?:0"
    r"|none|null|false|\"\")\b"
    r"|\btime-?out(?: (?:of|is|was|set|to|value)){1,3} [0-9.]{1,10}|time-?out[\"']?\s?[=:]\s?[\"']?[0-9.]{1,10} ?(?:ms|s|sec|seconds?|m"
    r"|min|minutes?)?$"
    r"|\berror[_ -]?(?:log|handler|handling|page|rate|reporting|threshold|code 0)s?\b|[\w/.]*/?errors?\.log\b"
    r"|\bfail-?(?:over|safe|fast|2ban)\b|\b(?:if|when|unless|whether|before|once) [^.;,]*\b(?:fails?|missing|denied|expired|unavailable"
    r"|required|busy)\b"
    r"|\bexpect(?:ed|s)=|\b(?:bad|dead) ?(?:letter|block(?:s)? (?:table|scan))\b"
)
# Errors that only announce the end: what is before them explains it.
_FAREWELL = _words(
    r"^[^\pL]*$|\bterminating, \d+ bad configuration options$",
    r"\bcommand failed with exit code \d+[.]?$|\bexiting due to (?:a )?(?:fatal )?errors?\b|\bexited: \S+ \(|\bgave up: \S+ entered",
    r"\bnot recoverable\b|^(?:slogan|crash dump is being written to)\b|\bdue to (?:previous|earlier|the above) errors?\b",
    _opening(
        r"(?:\w+ )?(?:exiting|quitting|aborting|aborted|bailing out|terminating|terminated|giving up|stopping|stopped|goodbye|bye"
        r"|halting|going down)\b[^:]*$",
        r"(?:\w+ )?shutting down\b|fatal error[,:]? ?(?:exiting|aborting|quitting|shutting down|terminating)\b",
        r"[\w .\-]*\b(?:startup|start-up|shutdown|boot|launch|initiali[sz]ation)(?: has)? (?:failed|aborted|complete"
        r"|completed)[.!]?(?: (?:exiting|aborting|shutting down).*)?$",
        r"traceback \(most recent call last\)|please |see (?:above|the|root cause)|for more (?:information|details)|usage: "
        r"|try ['\"`]?[\w./\-]+ -",
        r"configuration (?:file )?[^ ]* ?(?:test|check|validation) (?:is )?failed$|(?:syntax|config(?:uration)?) (?:check|test) failed\b"
        r"|job for \S+ failed\b",
        r"(?:failed|unable) to start(?: up)?[^:]*$|(?:the )?[\w.@\-]+ (?:failed|could not|did not) (?:to )?(?:be )?start(?:ed)?[.!]?$",
        r"(?:[\w .\-/'\"\[\]()#]*:? )?(?:exited|exiting|exits|finished|terminated|ended|died|quit|returned|stopped|completed)(?:,"
        r"| unexpectedly)?(?: with| by)?(?: an?)?(?: non-?zero)?(?: error)? (?:exit )?(?:code|status|signal|error|value)[ :=]{0,3}[\w\-]",
        r"(?:process|child|worker|command|script|service|main process|container)(?: \S+)? (?:has )?(?:exited|ended|died"
        r"|terminated|quit|stopped)\b",
        r"npm (?:err!|error) (?:errno -?\d|exit status|code elifecycle|a complete log|this is (?:probably )?not|failed at the"
        r"|lifecycle script|signal|tell the author|path /|command |there is likely|in workspace|location )",
        r"npm (?:err!|error) {0,8}(?:/|$)|error command failed with|command failed with|info visit |script .* exited with",
        r"(?:g?make|ninja|just|task)(?:\[\d+\])?: (?:\*\*\* |leaving directory|build stopped)|elifecycle\b|\*\*\* \[",
        r"(?:database system is|server is|service is|system is going) (?:shut|shutting|going|stopped)"
        r"|(?:received|caught|got|exiting on) (?:signal|sig)\w*\b",
        r"fatal errors? occurred|(?:cannot|can't|unable to|could not) (?:continue|proceed|go on)\b[^:]*$|(?:there (?:was"
        r"|were) )?(?:an? )?(?:\d+ |fatal )?errors?(?:\(s\))? (?:occurred|found|detected|encountered)\b",
        r"(?:end of |---+\[? ?)?(?:stack ?trace|backtrace|end trace)\b|(?:core dumped|aborted|killed|terminated)(?: \(core dumped\))?[.]?$"
        r"|\[?process (?:completed|exited)\b",
        r"exiting \(due to (?:early )?fatal error\)$",
    ),
)
# What undoes the start after its cause.
_ROLLBACK = _words(
    r"^\[#\] (?:ip (?:-[46] )?(?:link|route|rule|address) del|resolvconf -[df]|iptables|ip6tables|nft )",
    r"\b(?:has been|was|were|is being|are being) (?:removed|closed|released|unmounted|deleted|stopped|rolled back|disconnected|shut down"
    r"|unloaded)[.]?$",
    _opening(
        r"(?:\+ |> |\* |- )?(?:removing|removed|cleaning up|cleanup|cleaned up|releasing|released|closing|closed|unmounting|unmounted"
        r"|umount"
        r"|deleting|deleted|stopping|stopped|disconnecting|disconnected|rolling back|rolled back|reverting|reverted|undoing|restoring"
        r"|unloading|unregistering|deregistering|deallocating|freeing|detaching|tearing down|destroying|dropping|unlinking|unlocking"
        r"|flushing|killing"
        r"|waiting for|saving|shutdown|shut down|terminating|syncing|drain(?:ing|ed)|ending|leaving|resetting|purging|dismounting)\b",
        r"(?:[\w.\-]+ )?(?:closing|closed|deleted|released|shutdown complete(?:d)?|stopped|unloaded|disconnected)[.!]?$",
        r"(?:all|\d+) [\w ]+ (?:closed|stopped|released|disconnected|terminated)[.]?$",
    ),
)
# Lines that only report that something inner failed: what is before, or inside, explains it.
_WRAPPER = _words(
    r"\binit function returned error|\bregistration as a [\w ]+ failed|\bunknown/unsupported storage engine\b"
    r"|\bsee (?:the )?root cause (?:above|below)|\bsee (?:the )?(?:warnings?|errors?|messages?) (?:above|below)|\bsee (?:above|below"
    r"|previous|log|the log|details|error)"
    r"|\b(?:initiali[sz]ation|startup|start-up|bootstrap|setup|configuration|loading|load|boot|launch"
    r"|creation)(?: of [\w .'\"\-/]+)? (?:has )?failed[.!]?$"
    r"|\bfailed (?:to|during) (?:initiali[sz]e|start(?:up)?|boot|launch|bootstrap|set up|run)(?: the)?(?: [\w.'\"\-/@]+){0,3}[.!]?$"
    r"|\b(?:could not|couldn't|cannot|can't|unable to|did not|didn't) (?:be )?(?:start(?:ed)?|initiali[sz]e[d]?|boot|launch|run"
    r"|set up)(?: the)?(?: [\w.'\"\-/@]+){0,3}[.!]?$"
    r"|\bworker (?:failed to boot|[\w ()#:]*(?:exited|died|was terminated|crashed|exit))|\bchild (?:process|pid"
    r"|worker)?[\w \[\]()#:]*(?:exited|died|terminated|failed|crashed)"
    r"|\breason: worker failed to boot|\bengine (?:core|process)[\w ]* (?:failed|died)|\bcaused by the following|\bthe (?:above|following"
    r"|previous) (?:error|exception)s?\b"
    r"|\bencountered (?:an )?errors?[.!:]?$|\ban (?:unexpected |unknown |internal )?(?:error|exception) (?:has )?occurred[.!:]?$"
    r"|\bsomething went wrong\b|\b(?:one or more|some|several) [\w ]+ failed[.!]?$"
    r"|^(?:error|failed|failure|fatal)[.!:]?$|\b(?:not|never) (?:fully )?started[.!]?$|\bdependency failed\b"
    r"|\bapplication (?:failed to start|startup failed|run failed)\b"
    r"|\b(?:subprocess|command|script|hook|pre-?start|entrypoint|process|task|job|unit|plugin|module|service|component"
    r"|bean|action)\b[\w .'\"\-/:@]* (?:failed|failed to start|exited)[.!]?$"
    r"|\binitiali[sz]ation aborted\b|\bunable to open logs\b|\berrors?(?:\(s\))? found (?:in|at)\b|\bsome [\w ]+ failed\b"
    r"|\bdue to errors?[.!]?$|\bconfiguration file [^ ]+ contains errors|\bstill could not\b|\bany (?:address|TCP/IP sockets)\b"
    r"|\bprocess \(PID \d+\) (?:was terminated|exited)|\bcheck (?:the )?(?:server |error )?logs?\b|\bemitted 'error' event\b"
    r"|^errors? (?:reading|parsing|in) [^:]*$|^crash report\b|^supervisor \S+ had child\b|\bcould not load [^ ]+\.conf$|^(?:BEGIN"
    r"|INIT) failed--|\bcompilation failed in require\b|^loading configuration: |^(?:unhandled |uncaught )?exception (?:in|while"
    r"|during) [^:]*:?$|^error found at "
    r"|\b(?:invalid|bad|broken|errors? in(?: the)?|problems? (?:with|in)(?: the)?) config(?:uration)?(?: file)?[.!:]?$"
)
# The problem before was survived.
_RECOVERED = _words(
    r"\b(?:re-?)?connected\b|\b(?:re-?)?connection(?: (?:to|with|from) \S+)? (?:is |was |has been )?(?:re-?)?(?:established|restored"
    r"|successful|succeeded|ready|ok|up)\b|\brecovered\b|\bre-?established\b|\bsucceed(?:ed|s)\b"
    r"|\bsuccess(?:ful|fully)?\b|\bis (?:now )?(?:ready|up|healthy|online|available|reachable|alive|active|listening|running)\b|\b(?:now "
    r"|server |service |system |all )?ready\b|\blistening (?:on|at|for)\b"
    r"|\b(?:back|now) (?:online|up|available|healthy)\b|\bstartup complete\b|\bstarted (?:in|server|listening|on|serving|successfully"
    r"|worker|\S+ in)\b|\bserving (?:on|at|requests|traffic)\b|\baccepting connections\b"
    r"|\bentered running state\b|\brunning on (?:http|unix|port|all)|\bready (?:to|for)\b|\b(?:link|interface|node|peer|host) (?:is )?up\b"
    r"|\bresolved\b|\bhealth check passed\b|\bup and running\b|\bcame (?:back )?up\b|\bjoined\b"
)
_NOT_RECOVERED = _words(
    r"\b(?:not|never|n't|un|no longer|isn't|cannot be|can't be|could not be|fail(?:ed|s|ure)?|unable|cannot|can't|could not|couldn't"
    r"|refused|denied|error|errors|lost|closed|unless|until|before|waiting|wait|once|if|whether|when|wants?|should|must|try(?:ing)?"
    r"|attempt(?:ing)?|retry(?:ing)?|without|already|address)\b"
    r"|\b(?:unsuccessful|disconnected|unreachable)\b"
)
_RETRIED = _words(
    r"\b(?:re-?try(?:ing)?|retries|retried|re-?attempt(?:ing)?)\b|\b(?:attempt|try|tries|retry)[ #:]{0,2}\(?\d{1,6}(?: ?(?:of|/"
    r"|out of) ?\d{1,6})?\b|\bback(?:ing)?[ -]?off\b|\b(?:try(?:ing)?|tries|will try|attempting|connecting) (?:it |to connect )?again\b"
    r"|\bnext (?:try|attempt|retry)\b|\b(?:attempting to |will |trying to )?re-?connect(?:ing)?(?: (?:in|to|after|now)\b|\.\.\.|…|$)"
    r"|\b(?:retries|attempts|tries) (?:left|remaining)\b|\b(?:sleeping|waiting|wait) (?:for )?[\d.]{1,10} ?(?:ms|s|secs?|seconds?|m"
    r"|minutes?)\b|\bis unavailable - sleeping\b|\bfalling back\b|\btrying (?:another|the next|a different)\b"
    r"|\bwaiting for [\w .:/'\"\-]+ to (?:be|become|come|start|accept)"
)
_GAVE_UP = _words(
    r"\b(?:giving up|gave up|exhausted|exceeded|too many|max(?:imum)?(?: number of)? (?:re-?tries|attempts)|no more|out of"
    r"|not retry(?:ing)?|will not|won't|last attempt|0 (?:retries|attempts)|after \d{1,6} (?:re-?tries|attempts|tries)|all (?:re-?tries"
    r"|attempts))\b"
)
# What explains or continues the line before it.
_HINT = _words(
    r"^\s*(?:=+ ?|-+> ?|\* |\| )?(?:hint|tip|note|help|suggestion|detail|context|statement|query|location|where|advice|remedy|fix|solution"
    r"|cause|more info|documentation|docs|info)s?: ",
    r"\b(?:HINT|DETAIL|CONTEXT|STATEMENT|QUERY|LOCATION): |\bNOTE: ",
    r"^\s*(?:did you mean|perhaps you|maybe you|possible (?:causes?|reasons?|solutions?|fix(?:es)?)|make sure|please|try |consider "
    r"|you (?:can|may|might|should|need|could)|see |refer to|run |use |check |consult |to (?:fix|solve|resolve|see|get|learn|debug) "
    r"|if you |for (?:more|further|help|details)|visit |read (?:more|the)|usage: |more (?:information|details))",
    r"^\s*(?:at|in|on|from|near) (?:line|file|column|position|[\w./\-]+:\d+)\b|^\s*(?:\d{1,6} )?[|│] |^\s*[~^-]+\s{0,9}$|^\s*--> "
    r"|^LINE \d+: |^\s*[╷╵│]\s*$|^\s*https?://\S+$",
    # frames and the help of options, cut from what they belong to
    r"^\s*(?:at [\w.$<>`]+[.(]|\S+\.go:\d+ \+0x|in (?:function|call from) |File \".*\", line \d|from \S+:\d+:in |#\d+ +\S+\()",
    r"^\s*[\w.\-]+/[\w./\-]+\.[\w.()*]+\((?:0x|\{0x|\.\.\.|\)$)",
    r"^\s*(?:-\w(?:,|\|)? ?)?--?[\w\-]+(?:[ =][^ ]+)? {2,}[^ ]",
    r"^[^:;.]*[^\"'?]\?\s{0,8}$|: please |\bfor more (?:information|details)\b[^\n]*$|\bin a future version\b|\bto suppress this\b",
)

# The heading of the lines that follow.
_HEADING = r":\s{0,8}$|^=[A-Z ]{3,40}={2,}|^\s{0,8}(?:\*{2,}|={2,}|-{2,}|#{2,})[^\n]{0,200}(?:\*{2,}|={2,}|-{2,}|#{2,})\s{0,8}$"
# The texts of errno, the refusals of parsers, a place in a file.
_REASON = _words(
    r"\b(?:permission denied|no such file or directory|address already in use|cannot assign requested address|connection (?:refused|reset)"
    r"|no space left on device|operation not (?:permitted|supported)|timed out|does not exist|invalid argument|too many open files"
    r"|name or service not known|no such (?:user|group|host|device|process)|not found|out of memory|cannot allocate memory"
    r"|read-only file system|exec format error|is a directory|not a directory|file exists|broken pipe|no route to host"
    r"|device or resource busy"
    r"|unknown (?:directive|option|variable|command|key|parameter|argument)|unrecogni[sz]ed|mismatch|expired|already (?:running|exists))\b"
    r"|\b(?:errno|errcode|os error|error code|code)[ :=]{1,3}-?\d{1,10}\b|\(\d{1,3}\)[A-Z(]|\(\d{1,3}: [A-Z]"
    r"|\bline:? \d{1,7}\b|[\w\-]\.\w{1,10}:\d{1,7}\b"
)


def message_of(text: pl.Expr) -> pl.Expr:
    """Return the part of a text that its words are judged by: the beginning, without control characters and the formatter's prefix."""
    return prefix.without_prefix(prefix.without_control(text.str.slice(0, LONGEST)))


def complains(text: pl.Expr) -> pl.Expr:
    """Whether a line mentions that something went wrong, in whatever form."""
    return text.str.replace_all(_HARMLESS, " ").str.contains(_COMPLAINT)


def is_farewell(message: pl.Expr) -> pl.Expr:
    """Whether an error line, without its prefix, only announces the end."""
    return message.str.contains(_FAREWELL) | (message == "")


def is_rollback(message: pl.Expr) -> pl.Expr:
    """Whether a line, without its prefix, undoes what was begun: it follows the cause and does not explain it."""
    return message.str.contains(_ROLLBACK)


def is_wrapper(message: pl.Expr) -> pl.Expr:
    """Whether a line only reports that something inside failed, without the reason."""
    return message.str.contains(_WRAPPER)


def recovers(message: pl.Expr) -> pl.Expr:
    """Whether a line reports that something works, and complains about nothing: connected, recovered, ready, listening."""
    return message.str.contains(_RECOVERED) & ~message.str.contains(_NOT_RECOVERED) & ~complains(message)


def retries(message: pl.Expr) -> pl.Expr:
    """Whether a line announces that the program tries again, so that what it complains about is not yet the end."""
    return message.str.contains(_RETRIED) & ~message.str.contains(_GAVE_UP)


def is_hint(text: pl.Expr) -> pl.Expr:
    """Whether a line only explains or continues the one before it."""
    return text.str.contains(_HINT)


def announces(message: pl.Expr) -> pl.Expr:
    """Whether a line is the heading of what follows: it ends with a colon, or is framed by marks."""
    return message.str.contains(_HEADING)


def is_concrete(message: pl.Expr) -> pl.Expr:
    """Whether a line gives the reason of the operating system, or the place in a file, so that little is left to ask."""
    return message.str.contains(_REASON)
