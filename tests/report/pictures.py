"""`python -m tests.report.pictures [--out DIR]`: take the pictures of docs/pictures again.

Two reports, of one incident and of twelve (recordings of real programs, broken on purpose), at each width, light, dark and on paper.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.deciding_journal import journal_of
from fixtures.golden.make import ENVIRONMENT, WINDOW
from tests.report.chromium import Chromium

ROOT = Path(__file__).resolve().parents[2]
TWELVE = ("nginx", "apache2", "postgresql", "redis", "haproxy", "squid", "mosquitto", "gunicorn", "node", "dnsmasq", "chrony", "celery")
APART_US = 47 * 60 * 1_000_000
WIDTHS = (1400, 820, 390)
HEIGHT = 2600  # px: the first screens; the whole of a page is on paper
_TIME = re.compile(rb"^(__(?:REALTIME|MONOTONIC)_TIMESTAMP)=(\d{1,20})$", re.MULTILINE)


def twelve() -> bytes:
    """Return an export stream in which twelve units loop, one after the other."""
    made = []
    for number, program in enumerate(TWELVE):
        cases = (json.loads(file.read_text(encoding="utf-8")) for file in sorted((ROOT / "fixtures/failures" / program).glob("*.jsonl")))
        case = next(case for case in cases if case["accept"])
        stream = journal_of(case["text"]) or b""
        made.append(_TIME.sub(lambda match, by=number * APART_US: b"%s=%d" % (match[1], int(match[2]) + by), stream))
    return b"".join(made)


def reports(work: Path) -> dict[str, Path]:
    """Write the two pages, and return them by name."""
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "fixtures.seed", "--no-journal", "--out", str(work)], check=True, env=environment)
    (work / "twelve.export").write_bytes(twelve())
    for name, window in (("seed", WINDOW), ("twelve", ("--since", "2025-11-24", "--until", "2025-11-26", "--tz", "UTC"))):
        source = ("--file", f"{name}.export", "--store", f"store-{name}")
        command = [sys.executable, "-m", "forensics", "report", *source, *window, "--output", f"{name}.html"]
        subprocess.run(command, check=True, cwd=work, env=environment)
    return {"one": work / "seed.html", "twelve": work / "twelve.html"}


def take(pages: dict[str, Path], out: Path, profile: Path) -> None:
    """Take each page's picture at each width, light and dark, and print it. Pictures have few colours, to be small."""
    shrink = shutil.which("convert")
    with Chromium(profile) as browser:
        for name, page in pages.items():
            for width in WIDTHS:
                for scheme in ("light", "dark"):
                    picture = out / f"{name}-{width}-{scheme}.png"
                    browser.open(page, width=width, height=HEIGHT, dark=scheme == "dark", scripts=False)
                    browser.picture(picture)
                    if shrink is not None:
                        subprocess.run([shrink, picture, "+dither", "-colors", "64", f"PNG8:{picture}"], check=True)
            browser.open(page, scripts=False)
            browser.picture(out / f"{name}.png")
            browser.open(page, media="print", scripts=False)
            browser.pdf(profile.parent / f"{name}.pdf")
            _side_by_side(profile.parent / f"{name}.pdf", out / f"{name}-paper.png")


def _side_by_side(pdf: Path, picture: Path) -> None:
    """Draw the sheets of paper in rows of four; needs pdftoppm and montage."""
    subprocess.run(["pdftoppm", "-r", "60", "-gray", "-png", pdf, pdf.with_suffix("")], check=True)
    sheets = sorted(pdf.parent.glob(f"{pdf.stem}-*.png"))
    subprocess.run(["montage", *sheets, "-tile", "4x", "-geometry", "+6+6", "-background", "#888888", f"PNG8:{picture}"], check=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, default=ROOT / "docs/pictures")
    out = arguments.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as work:
        take(reports(Path(work)), out, Path(work) / "profile")


if __name__ == "__main__":
    main()
