"""Durable delivery: every debt is paid exactly once in effect, or ends with a reason.

``drain`` works through a lane, ``dispatch`` hands one delivery to its plugin, ``outcome`` writes
down how it ended. ``lanes`` says who may write, ``links`` what exists remotely.
"""
