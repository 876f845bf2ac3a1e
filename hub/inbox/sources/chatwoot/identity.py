"""What is known for certain about a Chatwoot contact: ids of networks, and proven fields.

A website visitor can type any name, email and number. Chatwoot checks none of them, and the sender
of a mail can be forged just as easily. Two fields can be proven: the site's own identifier, if the
site has signed it (``hmac_verified``), and the number from which somebody writes by WhatsApp.
"""

from __future__ import annotations

import re

from hub.inbox.sources.reader import Reader

#: Channels whose contacts have an id of a network, with the network's name.
_NETWORKS = {
    "Channel::Telegram": "telegram",
    "Channel::FacebookPage": "facebook",
    "Channel::Instagram": "instagram",
    "Channel::Line": "line",
    "Channel::Tiktok": "tiktok",
    "Channel::TwitterProfile": "twitter",
    "Channel::Whatsapp": "whatsapp",
}
_SOCIAL_ID = re.compile(r"social_(\w+)_user_id")
_TWILIO_WHATSAPP = "whatsapp:"


def networks(details: Reader, talk: Reader | None) -> dict[str, str]:
    """The contact's ids in networks, by the network's name.

    ``details`` are the contact's additional attributes, ``talk`` is a conversation with it. The id
    is the conversation's ``contact_inbox.source_id``. For WhatsApp that is often just the phone
    number; then it is left out.
    """
    found = {}
    for key in details.data:
        match = _SOCIAL_ID.fullmatch(key)
        if match and (number := details.text(key)):
            found[match[1]] = number
    network = _NETWORKS.get(str(talk.data.get("channel"))) if talk is not None else None
    if talk is not None and network is not None:
        number = _source_id(talk)
        if number and not (network == "whatsapp" and number.lstrip("+").isdecimal()):
            found.setdefault(network, number)
    return found


def proven(phone: str | None, talk: Reader) -> frozenset[str]:
    """Which of the contact's fields the conversation proves: ``identifier``, ``phone``."""
    names = set()
    if Reader(talk.mapping("contact_inbox")).flag("hmac_verified"):
        names.add("identifier")
    number = _source_id(talk) or ""
    # Not in an API inbox: a visitor chooses the id there (``POST
    # /public/api/v1/inboxes/…/contacts``).
    channel = talk.data.get("channel")
    by_whatsapp = channel == "Channel::Whatsapp" or (
        channel == "Channel::TwilioSms" and number.startswith(_TWILIO_WHATSAPP)
    )
    if by_whatsapp and phone:
        written_from = number.removeprefix(_TWILIO_WHATSAPP).lstrip("+")
        if written_from == re.sub(r"\D", "", phone):
            names.add("phone")
    return frozenset(names)


def _source_id(talk: Reader) -> str | None:
    return Reader(talk.mapping("contact_inbox")).text("source_id")
