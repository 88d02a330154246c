"""Journal files, directories and export streams in; arrow tables with the columns of `model.ENTRIES`, and what was damaged, out.

Nothing here imports polars: reading the journal is most of what `ingest` does, and a process's start counts.
"""
