"""Act beside a service: stop what restarts never cure, check before and after, repair once, prove by drill.

Nothing here keeps a service from starting by its own failure: every error of ours leaves systemd as it is without us.
"""
