"""The promtools of this machine: that of Prometheus 2 from Debian, and that beside the Prometheus 3 of `make check-prometheus3`."""

import os
import shutil
from pathlib import Path

_NEWER = os.environ.get("TABBY_TEST_PROMETHEUS3")
_NAMED = shutil.which("promtool"), _NEWER and str(Path(_NEWER).with_name("promtool"))
PROMTOOLS = [path for path in _NAMED if path and Path(path).exists()]
