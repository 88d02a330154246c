"""What is the same on two hosts: a change, whatever the host's name and the time; a host, whatever its report names."""

from __future__ import annotations

import re
from dataclasses import replace

from forensics.fleet.facts import Summary
from forensics.fleet.merge import summary_of

NAMELESS = "host:"  # begins the key of a host whose report has no machine id
_LONGEST = 500  # characters of a key
_STORE_PATH = re.compile(r"/nix/store/\w{1,64}-")
_SHORT_HASH = re.compile(r" \([0-9a-z]{8}\)")  # as a summary ends that names a system of the Nix store
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?Z?)?|(?<!\d)\d\d:\d\d:\d\d(?:\.\d{1,9})?")
_IPV4_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_BUILD = re.compile(r"[.+~-](?=\d{0,40}[a-f])(?=[a-f]{0,40}\d)[0-9a-f]{7,40}(?!\w)")  # the commit at the end of a version
_NUMBER = re.compile(r"(?<![\w.])\d{3,}(?![\w.])")  # a process, a session


def change_key(kind: str, summary: str, host: str) -> str:
    """Name a change without what differs from host to host: names, hashes, builds, addresses, process ids, times."""
    text = summary[:_LONGEST]
    for name in dict.fromkeys((host, host.partition(".")[0])):
        if len(name) > 1:
            text = _without(name, text)
    text = _STORE_PATH.sub("/nix/store/", text)
    text = _SHORT_HASH.sub("", text)
    text = _TIME.sub("TIME", text)
    text = _IPV4_ADDRESS.sub("ADDRESS", text)
    text = _BUILD.sub("", text)
    return f"{kind}: {_NUMBER.sub('N', text)}"


def _without(name: str, text: str) -> str:
    """Replace a host's name where it is a word of its own. A pattern for each host would cost more to compile than all the rest."""
    name, lowered = name.lower(), text.lower()
    if name not in lowered or len(lowered) != len(text):
        return text
    parts, done, at = [], 0, lowered.find(name)
    while at >= 0:
        end = at + len(name)
        if not lowered[at - 1 : at].isalnum() and not lowered[end : end + 1].isalnum():
            parts += [text[done:at], "HOST"]
            done = end
        at = lowered.find(name, end)
    return "".join([*parts, text[done:]])


def joined(summary: Summary) -> Summary:
    """Count a report without a machine id for the one machine that has its name; a name of two machines stays apart."""
    machines: dict[str, set[str]] = {}
    for host in summary.hosts:
        if host.machine:
            machines.setdefault(host.host, set()).add(host.machine)
    for copy in summary.copies:
        if not copy.key.startswith(NAMELESS):
            machines.setdefault(copy.host, set()).add(copy.key)
    only = {f"{NAMELESS}{name}": next(iter(found)) for name, found in machines.items() if len(found) == 1}
    hosts = (replace(host, machine=only.get(host.key, host.machine)) for host in summary.hosts)
    copies = (replace(copy, key=only.get(copy.key, copy.key)) for copy in summary.copies)
    return summary_of(hosts, copies, summary.unread)
