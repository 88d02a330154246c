"""Decide, once for history and for `watch`, what a loop is, what held means, and what is futile, new or regressed.

Pure functions and values: no clock, no input, no output.
"""
