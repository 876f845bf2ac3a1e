"""The receiver: one signed call, and the meaning of the answer."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from hub.sdk import CallContext, NeedsAttention, Rejected, RetryLater
from hub_webhook import __version__, sentences
from hub_webhook.signing import headers

#: Seconds that a receiver has to answer; the specification recommends this.
PATIENCE = 20.0
#: "Too early" and "timeout" of the receiver: the same message may succeed later.
_PASSING = (408, 425)


class Endpoint:
    """The receiver as one hook sees it."""

    def __init__(self, context: CallContext) -> None:
        self._context = context
        self._settings = context.settings
        self.host = urlsplit(str(self._settings["url"])).hostname or ""

    def post(self, message_id: str, body: bytes) -> requests.Response:
        """Send a message and return the answer. For 429 and 5xx the hub raises ``RetryLater``."""
        secrets = [self._settings["secret"], self._settings.get("second_secret")]
        now = self._context.clock.now()
        authorization = self._settings.get("authorization")
        return self._context.http.post(
            self._settings["url"],
            data=body,
            read_timeout=PATIENCE,
            headers={
                "Content-Type": self._settings["content_type"],
                "User-Agent": f"CRM-Hub-Webhook/{__version__}",
                **({"Authorization": authorization} if authorization else {}),
                **headers(message_id, now, body, [secret for secret in secrets if secret]),
            },
        )

    def deliver(self, message_id: str, body: bytes) -> None:
        """Send a message that the receiver must accept.

        :raises NeedsAttention: it accepts no message until somebody mends the settings.
        :raises RetryLater: it may accept this message later.
        :raises Rejected: it will never accept this message.
        """
        status = self.post(message_id, body).status_code
        words = {"host": self.host, "status": status}
        if 200 <= status < 300:
            return
        if status in (401, 403):
            raise NeedsAttention(sentences.SECRET_REFUSED.format(**words), field="secret")
        if status in (404, 410):
            raise NeedsAttention(sentences.NOTHING_THERE.format(**words), field="url")
        if 300 <= status < 400:
            raise NeedsAttention(sentences.MOVED.format(**words), field="url")
        if status in _PASSING:
            raise RetryLater(sentences.BUSY.format(**words))
        raise Rejected(sentences.REFUSED.format(**words))
