"""The event processor: the part of a plugin that brings one event into its CRM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from hub.sdk.context import Context
from hub.sdk.errors import HubError
from hub.sdk.events import Event


@dataclass(frozen=True, slots=True)
class Done:
    """The event was handled. ``sentence`` tells what was done, ``url`` leads to the record."""

    sentence: str
    url: str | None = None


class Processor:
    """Base class. One instance serves one delivery, or one batch.

    For every event name in the manifest there is a method ``handle_<name with underscores>`` that
    takes the ``Event`` and returns ``Done`` or raises an error of ``hub.sdk.errors``. It brings
    the remote to the state that the event describes. It must not rely on earlier events.

    For the names in ``batches`` there is also a method ``handle_<name>_batch``. It takes up to that
    many events of one conversation, oldest first, and returns a ``Done`` or an error for each, in
    the same order.
    """

    #: Event names that can be handled together, and how many at once.
    batches: ClassVar[dict[str, int]] = {}
    #: Whether a person may have an event that is kept back delivered without knowing to whom it
    #: belongs (``Context.insisted``). Since SDK 1.1.
    can_insist: ClassVar[bool] = False
    #: Event names for which it is enough to handle the newest waiting event of a subject.
    supersedable: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, context: Context) -> None:
        self.context = context

    @staticmethod
    def identity_keys(event: Event, default_region: str | None) -> Sequence[str]:
        """The keys that a handler passes to ``context.identity`` if it does not know the person.

        To name them here saves a transaction, because the hub can claim them when the work begins.
        The hub asks within a transaction. So the answer must come at once, and from the arguments
        alone.
        """
        return ()

    @staticmethod
    def is_known(event: Event, default_region: str | None) -> bool:
        """Whether the event tells who the person is. If so, the hub delivers what was kept back
        (``KeepBack``).

        The hub asks only if something is kept back for the event's contact or conversation. It asks
        within a transaction, so the answer must come at once, and from the arguments alone. For a
        plugin without this method, every event releases everything that was kept back. Since
        SDK 1.1.
        """
        return True


Outcome = Done | HubError
BatchOutcome = Sequence[Outcome]
