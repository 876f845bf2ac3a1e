"""How a command fails."""

from __future__ import annotations


class Failure(Exception):
    """A command failed; the message is the sentence to show."""

    #: The exit code, and that of a command that runs until it is stopped, when it cannot start:
    #: whoever starts it again wants to know whether that can help.
    code = 1
    code_of_start = 1


class Misconfigured(Failure):
    """It will fail again until somebody changes a setting or the schema (EX_CONFIG)."""

    code_of_start = 78


class NotNow(Failure):
    """It may work later by itself: something else is in its way or away (EX_TEMPFAIL)."""

    code_of_start = 75


class Broken(Failure):
    """A process of the hub cannot start; its log says why (EX_SOFTWARE)."""

    code_of_start = 70
