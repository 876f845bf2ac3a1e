"""Durable delivery: every debt is paid exactly once in effect, or ends with a reason.

``drain`` goes from lane to lane. A ``taking`` is one of them, an ``attempt`` one try at a work in
it, and ``outcome`` writes down how that ended. ``lanes`` says who may write, ``links`` what exists
remotely.
"""
