"""The stream: what the journal says now → failures, named by the functions that `report` uses → alerts → sinks."""
