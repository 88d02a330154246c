"""Many hosts' reports → one summary: read, summarised in batches, merged in any order."""
