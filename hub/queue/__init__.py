"""Redis and RQ: which lanes are ready, who works on them, and the processes that do.

Everything in Redis is a shadow of the database. It may be wiped at any moment; the sweeper
rebuilds it.
"""
