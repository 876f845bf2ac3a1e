"""The settings of a hook."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, validates

from hub.sdk import EVENT_NAMES, SettingsSchema, settings
from hub_webhook import sentences
from hub_webhook.signing import BadSecret, key_of

DESTINATION, CHOICE = "Destination", "What is sent"


class WebhookSettings(SettingsSchema):
    """What a person enters to send events somewhere."""

    url = settings.url(
        "Address",
        required=True,
        group=DESTINATION,
        help="The address to which messages are sent.",
        placeholder="https://example.com/webhooks/crm-hub",
    )
    secret = settings.secret(
        "Signing secret",
        required=True,
        group=DESTINATION,
        help="whsec_ and base64. The receiver verifies signatures with the same secret.",
        placeholder="whsec_…",
    )
    second_secret = settings.secret(
        "Second signing secret",
        group=DESTINATION,
        help="For a change of secrets: each message then has one signature for each secret.",
    )
    authorization = settings.secret(
        "Authorization header",
        group=DESTINATION,
        help="Sent unchanged, if the receiver needs one: Bearer …",
    )
    events = settings.text(
        "Events",
        group=CHOICE,
        help="Names, separated by commas. Empty: all.",
        placeholder="conversation.created, conversation.resolved",
    )
    condition = settings.text(
        "Condition",
        group=CHOICE,
        help="Only events for which this is true are sent. Empty: all.",
        placeholder="conversation and 'vip' in conversation.labels",
    )
    template = settings.text(
        "Template",
        group=CHOICE,
        multiline=True,
        max_length=20_000,
        help="The body, as a Jinja template. Empty: the whole event as JSON.",
        placeholder='{"text": {{ message.text | json }}}',
    )
    content_type = settings.select(
        "Content type",
        [("application/json", "JSON"), ("text/plain; charset=utf-8", "Plain text")],
        default="application/json",
        group=CHOICE,
    )

    @validates("url")
    def _check_url(self, value: str, data_key: str) -> None:
        if not _may_be_plain(value):
            raise ValidationError(sentences.NOT_HTTPS)

    @validates("secret", "second_secret")
    def _check_secret(self, value: str, data_key: str) -> None:
        try:
            if value:
                key_of(value)
        except BadSecret as error:
            raise ValidationError(sentences.BAD_SECRET) from error

    @validates("events")
    def _check_events(self, value: str, data_key: str) -> None:
        unknown = [name for name in names_in(value) if name not in EVENT_NAMES]
        if unknown:
            raise ValidationError(sentences.UNKNOWN_EVENTS.format(names=", ".join(unknown)))


def names_in(value: Any) -> list[str]:
    """The event names of the setting."""
    return [name.strip() for name in str(value).split(",") if name.strip()]


def _may_be_plain(url: str) -> bool:
    """Whether the address is encrypted, or inside somebody's own network."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or "." not in host.strip("[]") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
