"""The lines of a piece of an exported stream as arrays of positions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Lines:
    """The lines of a piece; a value with a length prefix is one line, whatever its bytes."""

    buffer: bytes  # padded
    data: npt.NDArray[np.uint8]  # the same bytes
    start: Positions
    name_end: Positions
    value_start: Positions
    value_end: Positions
    kept: Flags  # neither inside of a value nor garbage
    blank: Flags  # empty: ends an entry
    empty: Positions  # indices of the empty lines, also of those inside of a value
    spoilt: Flags  # damages its entry
    opens: Flags  # starts an entry without an empty line before it
    faults: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # reason → offsets in the piece
    open_value: tuple[int, int] | None = None  # start and end of a line whose value reaches beyond the piece
