"""What a loop is, what held means, what is futile, new or regressed: decided here once, for history and for `watch`.

Pure functions and values: no clock, no input, no output.
"""
