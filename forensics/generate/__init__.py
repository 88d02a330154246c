"""Controls: what prevents, detects or limits a failure. Here what is generated for other programs."""
