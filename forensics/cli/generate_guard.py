"""`generate` for what acts beside a service: the gate, preflight, post-deploy checks, model ladders and more."""

from __future__ import annotations

from forensics.cli.generate import app

__all__ = ["app"]  # each command below is registered on `generate`'s app
