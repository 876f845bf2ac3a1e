"""What happens in GLPI for each event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from hub.sdk import MESSAGE_CREATED, BatchOutcome, Done, Event, HubError, Outcome, Processor
from hub_glpi.api import Glpi
from hub_glpi.config import Config
from hub_glpi.conversations import Conversations
from hub_glpi.mappers.contact import identity_keys
from hub_glpi.mappers.identity import is_known
from hub_glpi.messages import Messages
from hub_glpi.people import People
from hub_glpi.work import Work

_T = TypeVar("_T")


class GlpiProcessor(Processor):
    """Brings GLPI to the state that an event describes.

    Any event may be the first that the hub hears of a contact or conversation.
    """

    batches: ClassVar[dict[str, int]] = {MESSAGE_CREATED: 50}
    can_insist: ClassVar[bool] = True

    @staticmethod
    def identity_keys(event: Event, default_region: str | None) -> Sequence[str]:
        """See ``hub.sdk.processor.Processor.identity_keys``."""
        return identity_keys(event.contact, default_region) if event.contact else ()

    @staticmethod
    def is_known(event: Event, default_region: str | None) -> bool:
        """See ``hub.sdk.processor.Processor.is_known``."""
        return event.contact is not None and is_known(event.contact, default_region)

    def handle_contact_created(self, event: Event) -> Done:
        """Find or make the person's record."""
        return self._with_glpi(lambda work: People(work).follow(event))

    def handle_contact_updated(self, event: Event) -> Done:
        """Write what changed; find or make the record if there is none yet."""
        return self._with_glpi(lambda work: People(work).follow(event))

    def handle_conversation_created(self, event: Event) -> Done:
        """Make the ticket."""
        return self._with_glpi(lambda work: Conversations(work).follow(event))

    def handle_conversation_updated(self, event: Event) -> Done:
        """Write status and priority, if they changed."""
        return self._with_glpi(lambda work: Conversations(work).follow(event))

    def handle_conversation_resolved(self, event: Event) -> Done:
        """Solve the ticket."""
        return self._with_glpi(lambda work: Conversations(work).follow(event))

    def handle_message_created(self, event: Event) -> Done:
        """Add a followup, or make the message the ticket's text."""
        return _raised(self._with_glpi(lambda work: Messages(work).add([event]))[0])

    def handle_message_created_batch(self, events: Sequence[Event]) -> BatchOutcome:
        """Add the messages of one conversation with one request."""
        return self._with_glpi(lambda work: Messages(work).add(events))

    def handle_message_updated(self, event: Event) -> Done:
        """Bring the followup to what the message is now."""
        return _raised(self._with_glpi(lambda work: Messages(work).update(event)))

    def _with_glpi(self, handle: Callable[[Work], _T]) -> _T:
        with Glpi.for_delivery(self.context) as glpi:
            return handle(Work(self.context, Config.of(self.context), glpi))


def _raised(outcome: Outcome) -> Done:
    if isinstance(outcome, HubError):
        raise outcome
    return outcome
