"""Check before a service starts what it died of before: libraries, ports, paths, configuration, disk and video memory.

Standard library only, and no typer: numpy and polars would die of the same missing libstdc++, and every start of the service waits for it.
"""
