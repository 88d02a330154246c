"""Following a journal, against `journalctl`: whatever the batches, and when the reader is opened anew on the way."""

import json
import subprocess

import pytest

from fixtures.journals import parts
