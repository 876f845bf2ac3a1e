"""What happens in LeadSquared for each event."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

from hub.sdk import (
    MESSAGE_CREATED,
    BatchOutcome,
    Done,
    Event,
    HubError,
    Processor,
    Skip,
    network_of,
    survey_answer,
)
from hub_leadsquared import sentences
from hub_leadsquared.api import LeadSquared
from hub_leadsquared.config import Config
from hub_leadsquared.conversations import Conversations
from hub_leadsquared.mappers.contact import identity_keys
from hub_leadsquared.messages import Messages
from hub_leadsquared.people import People
from hub_leadsquared.surveys import Surveys
from hub_leadsquared.transcripts import Transcripts
from hub_leadsquared.work import Work, message_of


class LeadSquaredProcessor(Processor):
    """Brings LeadSquared to the state that an event describes.

    Any event may be the first that the hub hears of a contact or conversation.
    """

    #: Keeping messages costs no call; together they also cost but one commit.
    batches: ClassVar[dict[str, int]] = {MESSAGE_CREATED: 50}

    @staticmethod
    def identity_keys(event: Event, default_region: str | None) -> Sequence[str]:
        """See ``hub.sdk.processor.Processor.identity_keys``. Messages are kept without a lead."""
        if event.contact is None or event.name == MESSAGE_CREATED:
            return ()
        return identity_keys(event.contact, default_region)

    @staticmethod
    def is_known(event: Event, default_region: str | None) -> bool:
        """See ``hub.sdk.processor.Processor.is_known``. A lead needs an email, a number or an id.

        Whether there is a field for the id the handler sees; so it is not tried with each message.
        """
        if event.contact is None:
            return False
        if event.message is None and network_of(event.contact):
            return True
        return bool(identity_keys(event.contact, default_region))

    def handle_contact_created(self, event: Event) -> Done:
        """Find or make the lead."""
        return self._follow(event)

    def handle_contact_updated(self, event: Event) -> Done:
        """Write what changed; find or make the lead if there is none yet."""
        return self._follow(event)

    def handle_conversation_created(self, event: Event) -> Done:
        """Post the activity that says so, if it is switched on."""
        return Conversations(self._work).started(event)

    def handle_conversation_resolved(self, event: Event) -> Done:
        """Post the transcript, if it is switched on."""
        return Transcripts(self._work).resolved(event)

    def handle_message_created(self, event: Event) -> Done:
        """Keep the message for the transcript. No call."""
        (outcome,) = Messages(self._work).remember([event])
        if isinstance(outcome, HubError):
            raise outcome
        return outcome

    def handle_message_created_batch(self, events: Sequence[Event]) -> BatchOutcome:
        """Keep the messages of one conversation. No call."""
        return Messages(self._work).remember(events)

    def handle_message_updated(self, event: Event) -> Done:
        """Change or drop a message that waits for the transcript; tell the answer to a survey."""
        message = message_of(event)
        if self._work.config.survey_answers and (answer := survey_answer(message)):
            return Surveys(self._work).tell(event, answer)
        return Messages(self._work).revise(event)

    def _follow(self, event: Event) -> Done:
        people, conversations = People(self._work), Conversations(self._work)
        try:
            done = people.follow(event)
        except Skip:
            # The lead may be there since a try that was cut off before it came to the rest.
            if not people.knows(event) or not conversations.catch_up(event):
                raise
            return Done(sentences.CAUGHT_UP)
        if people.knows(event):
            conversations.catch_up(event)
        return done

    @cached_property
    def _work(self) -> Work:
        config = Config.of(self.context)
        return Work(self.context, config, LeadSquared(self.context, config.endpoint_url))
