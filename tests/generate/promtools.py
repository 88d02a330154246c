"""The promtools of this machine: that of Prometheus 2 from Debian, and a newer one that TABBY_TEST_PROMTOOL names."""

import os
import shutil

PROMTOOLS = [path for path in (shutil.which("promtool"), os.environ.get("TABBY_TEST_PROMTOOL")) if path]
