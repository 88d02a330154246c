"""`generate` for what acts beside a service: the gate, preflight, post-deploy checks, model ladders and more."""

from __future__ import annotations

from forensics.cli.generate import app
from forensics.cli.generate_litellm import litellm

__all__ = ["app"]  # each command below is registered on `generate`'s app

app.command()(litellm)
