"""What a plugin raises to say how a delivery ended, when it did not simply succeed.

Any other exception counts as a bug of the plugin. The delivery is tried again a few times, then
it becomes a dead letter, with the traceback for the operator.
"""

from __future__ import annotations

import requests


class HubError(Exception):
    """Base of all errors that the delivery engine understands.

    It understands the classes below. If you derive a class of your own directly from this one, the
    engine treats it as a bug.

    ``sentence`` is shown to people. Write one plain sentence without secrets.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class RetryLater(HubError):
    """The remote system could not do it now; trying again may help.

    ``delay`` is the number of seconds the remote asked us to wait (``Retry-After``); without it
    the retry policy decides. ``throttled`` says that the remote is well and merely asked for
    fewer calls, which pauses the hook for ``delay`` but does not count as an outage. ``reached``
    is false when the request certainly never reached the remote, so that it created nothing.
    ``response`` is the answer, if there was one. A plugin may look at it: some APIs answer with
    status 500 to requests that can never succeed.
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
    """Nothing failed, but the event is to be handled again in ``delay`` seconds.

    Raise it to wait a moment for something that is expected to follow in the same lane. It does
    not use up the hub's patience and does not count as a failure of the remote.
    """

    def __init__(self, sentence: str, *, delay: float) -> None:
        super().__init__(sentence)
        self.delay = delay


class KeepBack(HubError):
    """It is not known yet to whom this event belongs, and the connection wants to wait for that.

    Nothing failed: it does not use up the hub's patience, and later events do not wait for it.
    As soon as an event tells who the person is (``Processor.is_known``), the hub first delivers
    everything that was kept back for the contact and the conversation. It does so in order, with
    the contact as that event shows it. After ``days``, what is still kept back is skipped. Since
    SDK 1.1.
    """

    def __init__(self, sentence: str, *, days: float = 30) -> None:
        super().__init__(sentence)
        self.days = days


class Rejected(HubError):
    """This event can never succeed: the delivery becomes a dead letter with this reason.

    ``field`` names the part of the event or of the settings that is the cause, if there is one.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class Skip(HubError):
    """There is nothing to do for this event, for the stated reason."""


class NeedsAttention(HubError):
    """The configuration or the credentials are wrong: the hook waits for a person.

    The delivery is kept. Once the hook is mended, the event is handled again. ``field`` is the
    name of the setting to mend, if the cause is a setting.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class SetupFailed(HubError):
    """A step of the setup failed; the sentence says what to mend.

    ``field`` is the name of the setting to mend, if the cause is a setting.
    """

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class LaneLost(HubError):
    """This worker no longer owns the lane that it works on, so it must not write any more.

    The context raises it before a call or a commit. A plugin must not catch it.
    """
