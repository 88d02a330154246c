"""Bring journal files and exported streams into the store; imports no polars, because a process's start-up time counts."""
