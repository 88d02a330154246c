"""Judge whether an exported stream has the fields without which nothing can be found in it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from forensics.model import systemd

NEEDED = {"pid": "_PID", "transport": "_TRANSPORT", "message": "MESSAGE", "unit": "UNIT"}  # columns and their fields
OF_JOURNALD = {"host", "machine"}  # journald adds them to every entry
WITHOUT_PID = pa.array(["kernel", "driver", "audit"])  # transports
ABOUT_UNITS = pa.array(
    [
        systemd.UNIT_STARTING,
        systemd.UNIT_STARTED,
        systemd.UNIT_STOPPED,
        systemd.UNIT_FAILED,
        systemd.UNIT_PROCESS_EXIT,
        systemd.UNIT_FAILURE_RESULT,
        systemd.UNIT_RESTART_SCHEDULED,
    ]
)


@dataclass(slots=True)
class FieldsPresent:
    """Which fields the entries so far need, and which of these any entry has. Only journalctl's own streams are judged."""

    needed: set[str] = field(default_factory=set)
    present: set[str] = field(default_factory=set)
    is_about_units: bool = False  # by the ids of its messages

    def add(self, table: pa.Table) -> None:
        """Note the entries of a table with journalctl's numbers: journald gives each of them a transport and a message."""
        if len(table) == table["seqnum"].null_count or self.present >= NEEDED.keys() | OF_JOURNALD:
            return
        self.needed |= {"transport", "message"}
        self.present |= {name for name in ("transport", "message", "pid", *OF_JOURNALD) if table[name].null_count < len(table)}
        if "pid" not in self.present and not _all_in(table["transport"], WITHOUT_PID):
            self.needed.add("pid")
        if "unit" not in self.present:
            self._note_units(table)

    def lacking(self) -> str:
        """Name the fields that are needed, but that no entry has; "" for none."""
        return ", ".join(NEEDED[name] for name in NEEDED if name in self.needed - self.present)

    @property
    def are_left_out(self) -> bool:
        """Whether fields were left out of the export; else the journal itself has none, as one that no journald wrote."""
        return bool(self.lacking()) and (self.is_about_units or not self.present >= OF_JOURNALD)

    def _note_units(self, table: pa.Table) -> None:
        """Note whether the manager's lines about units name these."""
        about_units = pc.is_in(_plain(table["message_id"]), value_set=ABOUT_UNITS)
        self.is_about_units |= bool(pc.any(about_units).as_py())
        of_manager = pc.fill_null(pc.equal(table["pid"], pa.scalar(1, pa.int64())), fill_value=False)
        about = table.select(["unit"]).filter(pc.and_(of_manager, about_units))
        if len(about):
            self.needed.add("unit")
            if not _all_in(about["unit"], pa.array(["init.scope", None], pa.string())):
                self.present.add("unit")


def _all_in(column: pa.ChunkedArray, values: pa.Array) -> bool:
    return bool(pc.all(pc.is_in(_plain(column), value_set=values)).as_py())


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())
