"""A LeadSquared that runs in memory: the part of its REST API that a Chatwoot hub uses.

It does what LeadSquared's documentation and Chatwoot's own integration tell of the real one, traps
included; it was not held to recordings, since no account was called.
"""

from hub_leadsquared.simulator.server import ACCESS_KEY, SECRET_KEY, LeadSquaredSimulator

__all__ = ["ACCESS_KEY", "SECRET_KEY", "LeadSquaredSimulator"]
