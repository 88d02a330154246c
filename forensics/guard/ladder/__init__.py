"""Choose the largest profile of a model that fits into the free memory of the GPUs, one rung lower after each failure for want of it."""
