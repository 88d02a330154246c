"""Remember which templates have instances that run once each: `policy.templates`, as the stream shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics.model.values import UnitKey
from forensics.policy.templates import FAMILY, template_of
from forensics.watch.bounded import forget_oldest

MOST_TEMPLATES, MOST_INSTANCES = 1000, 256  # the oldest are forgotten: an id in the name may be a different one every minute


@dataclass(slots=True)
class Families:
    """once: the instances of each template that ran, and ran once, oldest first. repeated: templates of which one ran again."""

    once: dict[UnitKey, dict[str, None]] = field(default_factory=dict)
    repeated: dict[UnitKey, None] = field(default_factory=dict)

    def ran(self, unit: UnitKey) -> None:
        """An attempt of the unit is over."""
        template = _template(unit)
        if template is None or template in self.repeated:
            return
        instances = self.once.setdefault(template, {})
        if unit.unit in instances:
            self.repeats(unit)
            return
        instances[unit.unit] = None
        forget_oldest(instances, MOST_INSTANCES)
        forget_oldest(self.once, MOST_TEMPLATES)

    def repeats(self, unit: UnitKey) -> None:
        """The unit is no job that runs once, and neither are the other instances of its template."""
        if (template := _template(unit)) is not None:
            self.once.pop(template, None)
            self.repeated[template] = None
            forget_oldest(self.repeated, MOST_TEMPLATES)

    def followed_as(self, unit: UnitKey) -> UnitKey:
        """Return the unit that an attempt of `unit` is one of: the template, or the unit itself."""
        template = _template(unit)
        return unit if template is None or len(self.once.get(template, ())) < FAMILY else template

    def first_of(self, template: UnitKey) -> UnitKey:
        """Return the instance of a template that ran first."""
        return template._replace(unit=next(iter(self.once[template])))


def _template(unit: UnitKey) -> UnitKey | None:
    name = template_of(unit.unit)
    return None if name is None else unit._replace(unit=name)
