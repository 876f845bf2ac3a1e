"""What is sent for each event."""

from __future__ import annotations

from hub.sdk import EVENT_NAMES, Context, Done, Event, Processor, Rejected, Skip
from hub_webhook import sentences
from hub_webhook.endpoint import Endpoint
from hub_webhook.rendering import LARGEST, Failed, Unreadable, body_of, is_wanted
from hub_webhook.settings import names_in


class WebhookProcessor(Processor):
    """Forwards events in the order of their lane.

    A message has the same id each time it is sent, so a receiver recognises one that it has. The
    plugin need not remember anything.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._endpoint = Endpoint(context)

    def forward(self, event: Event) -> Done:
        """Send one event, if the settings ask for it."""
        body = self._body(event)
        message_id = f"msg_{self.context.hook_id}_{event.id}"
        self._endpoint.deliver(message_id, body)
        return Done(sentences.SENT.format(host=self._endpoint.host, id=message_id))

    def _body(self, event: Event) -> bytes:
        settings = self.context.settings
        chosen = names_in(settings["events"])
        what = "condition"
        try:
            if (chosen and event.name not in chosen) or not is_wanted(settings["condition"], event):
                raise Skip(sentences.NOT_WANTED)
            what = "template"
            body = body_of(settings["template"], event)
        except (Failed, Unreadable) as error:
            why = sentences.FAILED_ON_EVENT.format(what=what, why=error)
            raise Rejected(why, field=what) from error
        if len(body) > LARGEST:
            raise Rejected(sentences.TOO_LARGE.format(size=len(body), most=LARGEST))
        return body


for _name in EVENT_NAMES:
    setattr(WebhookProcessor, "handle_" + _name.replace(".", "_"), WebhookProcessor.forward)
