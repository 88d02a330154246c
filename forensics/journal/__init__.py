"""Read journal files, directories and exported streams as arrow tables with the columns of `model.ENTRIES`.

Nothing here imports polars: reading the journal is most of what `ingest` does, and start-up time counts.
"""
