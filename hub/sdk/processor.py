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


Outcome = Done | HubError
BatchOutcome = Sequence[Outcome]
