"""Log-pattern analytics and restart forensics for services under systemd."""

__version__ = "0.1.0"
