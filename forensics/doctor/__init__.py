"""Check whether this installation could notice, keep and deliver the next failure; each finding says what it means and what to do."""
