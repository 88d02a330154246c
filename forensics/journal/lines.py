"""The lines of a piece of an exported stream, as arrays of positions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Lines:
    """The lines of a piece. A value that is given by its length is one line here, whatever its bytes are."""

    buffer: bytes  # padded
    start: Positions
    name_end: Positions
    value_start: Positions
    value_end: Positions
    kept: Flags  # not inside of a value, and not garbage
    blank: Flags  # empty: ends an entry
    spoilt: Flags  # makes its entry one that is not whole
    faults: list[tuple[int, str]] = field(default_factory=list)  # where in the piece, what
    huge: tuple[int, int] | None = None  # from where to where a value reaches that is not held
