"""The sections of a report, one file each: what they say is decided here, how it looks by the format."""
