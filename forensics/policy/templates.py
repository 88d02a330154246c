"""Decide which units are one: instances of a template that run once each, as jobs with an id in the name do, are runs of the template."""

from __future__ import annotations

import re

INSTANCE = r"@.{1,255}\.service$"
TEMPLATE = "@.service"
FAMILY = 2  # instances, none of which ran twice

_INSTANCE = re.compile(INSTANCE)


def template_of(unit: str) -> str | None:
    """Return the template of an instance, null for any other unit: job@7.service → job@.service."""
    return _INSTANCE.sub(TEMPLATE, unit) if _INSTANCE.search(unit) else None
