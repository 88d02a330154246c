"""The lines of a piece of an exported stream, as arrays of positions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Lines:
    """The lines of a piece. A value that is given by its length is one line here, whatever its bytes are."""

    buffer: bytes  # padded
    data: npt.NDArray[np.uint8]  # the same
    start: Positions
    name_end: Positions
    value_start: Positions
    value_end: Positions
    kept: Flags  # not inside of a value, and not garbage
    blank: Flags  # empty: ends an entry
    empty: Positions  # which those are, also inside of a value
    spoilt: Flags  # makes its entry one that is not whole
    opens: Flags  # begins an entry though no empty line is in front of it
    faults: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # what, where in the piece
    open_value: tuple[int, int] | None = None  # from where to where a line with its value reaches that does not end in the piece
