"""Start `preflight` by `python -I -m forensics.guard.preflight UNIT`, as a generated drop-in does."""

from __future__ import annotations

import sys

from forensics.guard.preflight.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
