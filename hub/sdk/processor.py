"""The event processor: a plugin's way to make its CRM true to one event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from hub.sdk.context import Context
from hub.sdk.errors import HubError
from hub.sdk.events import Event


@dataclass(frozen=True, slots=True)
class Done:
    """The event has its effect. ``sentence`` tells the story, ``url`` leads to the record."""

    sentence: str
    url: str | None = None


class Processor:
    """Base class. One instance serves one delivery, or one batch.

    For every event name in the manifest there is a method ``handle_<name with underscores>`` that
    takes the ``Event`` and returns ``Done`` or raises an error of ``hub.sdk.errors``. It brings
    the remote to the state that the event describes, without assuming that earlier events came.

    For the names in ``batches`` there is also ``handle_<name>_batch``, which takes up to that many
    events of one conversation, oldest first, and answers for each in the same order with ``Done``
    or an error.
    """

    #: Event names that can be handled together, and how many at once.
    batches: ClassVar[dict[str, int]] = {}
    #: Whether a person may decide that what is kept back is delivered although nobody is known
    #: (``Context.insisted``). Since SDK 1.1.
    can_insist: ClassVar[bool] = False
    #: Event names of which only the newest waiting one of a subject need be handled.
    supersedable: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, context: Context) -> None:
        self.context = context

    @staticmethod
    def identity_keys(event: Event, default_region: str | None) -> Sequence[str]:
        """The keys that a handler will ask ``context.identity`` for if it does not know the person.

        Saying so saves a transaction: the hub claims them as the work begins. It asks while it
        holds the database, so the answer must come from the arguments alone, and at once.
        """
        return ()

    @staticmethod
    def is_known(event: Event, default_region: str | None) -> bool:
        """Whether the event tells who the person is, so that what was kept back (``KeepBack``) can
        be delivered.

        Asked only while something of the event's contact or conversation is kept back, and while
        the database is held: the answer must come from the arguments alone, and at once. A plugin
        that does not say gets everything that was kept back once more with every event. Since
        SDK 1.1.
        """
        return True


Outcome = Done | HubError
BatchOutcome = Sequence[Outcome]
