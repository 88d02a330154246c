"""Judge a chain of links: what status a control has, which link is the first that does not hold, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from forensics.model.controls import EFFECTIVE, MISSING, UNKNOWN, UNREACHABLE, UNWIRED, Control, Link

EXISTS, LOADED, KNOWN, FLAG, FED, SELECTS = "exists", "loaded", "metric known", "exporter flag on", "fed", "selects this unit"
FIRES, REACHES, ROUTED, NOT_SILENCED, DELIVERED = (
    "replay fires",
    "Alertmanager reachable",
    "routed to a receiver",
    "not silenced",
    "delivered",
)
WOULD_ACT, ACTED, ACTIVE = "would act", "has acted", "active"
ACTING = frozenset({FIRES, WOULD_ACT})  # what is wired and breaks one of these cannot act


@dataclass(frozen=True, slots=True)
class Identity:
    """A control of the audit. layer: of LAYERS. remedies: by the link that is broken, or not known."""

    id: str
    layer: int
    control: str
    remedies: Mapping[str, str]
    when_unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chain:
    """The links of one thing that could be the control, in their order. about: which one, such as a rule's name.

    is_relevant: it is known to be about the audited unit; of several those are judged, if there are any.
    """

    links: tuple[Link, ...]
    about: str = ""
    is_relevant: bool = True

    @property
    def broken(self) -> Link | None:
        return next((link for link in self.links if link.holds is False), None)

    @property
    def unsure(self) -> Link | None:
        return next((link for link in self.links if link.holds is None), None)

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """Order chains: relevant and whole ones last, then by how far each gets before it breaks, then by how much is proven."""
        reached = next((at for at, link in enumerate(self.links) if link.holds is False), len(self.links))
        return self.is_relevant, self.broken is None, reached, sum(link.holds is True for link in self.links)


def judged(identity: Identity, chains: Iterable[Chain]) -> Control:
    """Judge the chain that gets furthest, the first of equals."""
    best = named(max(chains, key=lambda chain: chain.rank))
    status, decisive = status_of(best), best.broken or best.unsure
    remedies = {**identity.remedies, **(identity.when_unknown if status == UNKNOWN else {})}
    evidence = decisive.evidence if decisive is not None else proof(best)
    return Control(
        layer=identity.layer,
        id=identity.id,
        control=identity.control,
        status=status,
        links=best.links,
        remedy=remedies.get(decisive.link, "") if decisive is not None else "",
        evidence=evidence,
    )


def proof(chain: Chain) -> str:
    """Sum up why a control is effective: that it would act, and that it has."""
    acting = [link.evidence for link in chain.links[1:-1] if link.link in ACTING]
    shown = "; ".join([*acting, chain.links[-1].evidence])
    return f"{chain.about}: {shown}" if chain.about else shown


def named(chain: Chain) -> Chain:
    """Let the link that decides name what the chain is about."""
    decisive = chain.broken or chain.unsure
    if not chain.about or decisive is None or decisive.link == EXISTS:
        return chain
    about = replace(decisive, evidence=f"{chain.about}: {decisive.evidence}")
    return replace(chain, links=tuple(about if link is decisive else link for link in chain.links))


def status_of(chain: Chain) -> str:
    """Derive the status: effective only if every link holds; unreachable if only what would act does not."""
    broken = [link.link for link in chain.links if link.holds is False]
    if broken and broken[0] == EXISTS:
        return MISSING
    if broken:
        return UNREACHABLE if ACTING.issuperset(broken) else UNWIRED
    return UNKNOWN if chain.unsure is not None else EFFECTIVE


def not_checked(names: Iterable[str], because: str) -> tuple[Link, ...]:
    """Return links that cannot be judged, because an earlier one does not hold."""
    return tuple(Link(name, None, f"not checked: it depends on '{because}'") for name in names)


def absent(evidence: str) -> Chain:
    """Return the chain of a control of which there is nothing."""
    return Chain((Link(EXISTS, False, evidence),))


def unseen(evidence: str) -> Chain:
    """Return the chain of a control that could not be looked for."""
    return Chain((Link(EXISTS, None, evidence),))
