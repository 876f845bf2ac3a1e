"""How a command fails."""

from __future__ import annotations


class Failure(Exception):
    """A command failed; the message is the sentence to show."""
