"""Redis and RQ: which lanes are ready, and which workers are at work.

Redis holds only what can be rebuilt from the database. It may be wiped at any moment; the sweeper
fills it again.
"""
