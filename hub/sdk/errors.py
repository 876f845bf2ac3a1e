"""What a plugin raises to say how a delivery ended, when it did not simply succeed.

Everything else that leaves a handler is treated as a bug of the plugin: it is retried a few
times and then set aside, with its traceback for the operator.
"""

from __future__ import annotations

import requests


class HubError(Exception):
    """Base of all errors that the delivery engine understands.

    It understands those below. One of your own, derived from this directly, is treated as a bug.

    ``sentence`` is shown to people, so it is one plain sentence without secrets.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class RetryLater(HubError):
    """The remote system could not do it now; trying again may help.

    ``delay`` is the number of seconds the remote asked us to wait (``Retry-After``); without it
    the retry policy decides. ``throttled`` says that the remote is well and merely asked for
    fewer calls, which pauses the hook for ``delay`` but does not count as an outage. ``reached``
    is false when the request certainly never reached the remote, so it made nothing. ``response``
    is the answer, if there was one: some APIs say with status 500 what will never succeed.
    """

    def __init__(
        self,
        sentence: str,
        *,
        delay: float | None = None,
        throttled: bool = False,
        reached: bool = True,
        response: requests.Response | None = None,
    ) -> None:
        super().__init__(sentence)
        self.response = response
        self.delay = delay
        self.throttled = throttled
        self.reached = reached


class Postpone(HubError):
    """Nothing failed, but this event should be looked at again in ``delay`` seconds.

    Used to wait a moment for something that is expected to follow in the same lane. It burns no
    attempt and does not count as a failure of the remote.
    """

    def __init__(self, sentence: str, *, delay: float) -> None:
        super().__init__(sentence)
        self.delay = delay


class KeepBack(HubError):
    """It is not known yet whose this is, and the connection wants to wait until it is.

    Nothing failed: it burns no attempt and no patience, and does not hold up what comes after.
    When an event tells who the person is (``Processor.is_known``), everything that was kept back
    of the contact and of the conversation is delivered first, in order, with the contact as that
    event shows it. What is still kept back after ``days`` is skipped. Since SDK 1.1.
    """

    def __init__(self, sentence: str, *, days: float = 30) -> None:
        super().__init__(sentence)
        self.days = days


class Rejected(HubError):
    """This event can never succeed: it goes to the dead letters with the reason.

    ``field`` names the part of the event or of the settings that is to blame, if one is.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class Skip(HubError):
    """There is nothing to do for this event, for the stated reason."""


class NeedsAttention(HubError):
    """The configuration or the credentials are wrong: the hook waits for a person.

    The delivery is not used up; it goes on where it was once the hook is mended. ``field`` is the
    name of the setting to mend, if it is one.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class SetupFailed(HubError):
    """A step of the setup failed; the sentence names what to mend.

    ``field`` is the name of the setting to mend, if it is one.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class LaneLost(HubError):
    """This worker no longer owns the lane it works on, so it must not write any more.

    Raised by the context before a call or a commit. Plugins let it pass.
    """
