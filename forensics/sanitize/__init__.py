"""Make text safe before it leaves the program: redact secrets, disarm hostile characters, limit its length."""

from forensics.sanitize.length import brief, cut, one_line
from forensics.sanitize.placeholders import filled, for_unit
from forensics.sanitize.texts import matchable, redacted, safe_line, sanitizer
from forensics.sanitize.tree import sanitized

__all__ = ["brief", "cut", "filled", "for_unit", "matchable", "one_line", "redacted", "safe_line", "sanitized", "sanitizer"]
