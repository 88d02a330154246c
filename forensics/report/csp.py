"""Find the script that draws the figures, and write the Content-Security-Policy that allows it and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

from forensics.resources import folder

# Written by hatch_build.py: into the wheel, or into a checkout's build/ by `python hatch_build.py --fetch`.
_STYLE_SHEET = re.compile(r'if\(!document\.getElementById\("([0-9a-f]{64})"\)\)')
_BUNDLE = "plotly/plotly-basic.min.js"


def plotly_script() -> str:
    """Read plotly.js-basic (1.2 MB) if it was fetched, otherwise the full library (4.8 MB) from the Python package."""
    fetched = folder("build") / _BUNDLE
    if fetched.is_file():
        return safe_inside_html(fetched.read_text(encoding="utf-8"))
    from plotly.offline import get_plotlyjs  # noqa: PLC0415  reads 4.8 MB: only without the bundle

    return safe_inside_html(get_plotlyjs())


def safe_inside_html(script: str) -> str:
    r"""Escape the two texts that end or confuse a script element; both occur only in strings, where \ has no effect."""
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--").replace("\r\n", "\n")


def own_style_sheets(script: str) -> list[str]:
    """Ids of the style sheets (for maps) that the full library adds unless the page has an element with that id."""
    return sorted(set(_STYLE_SHEET.findall(script)))


def policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """Allow exactly these inline texts: no network, no style or on… attributes, no eval.

    Plotly works under it (measured in Chromium 156): it sets styles by CSSOM, which a policy does not cover, and its own style sheets
    are switched off: the one for figures by an element with the id plotly.js-style-global and the class no-inline-styles, those of
    `own_style_sheets` by elements with their ids.
    """
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src", *(_source(text) for text in scripts))) if scripts else "script-src 'none'",
            " ".join(("style-src", *(_source(text) for text in styles))),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
