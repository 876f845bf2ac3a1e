"""The lasting id by which a person is known."""

from __future__ import annotations

from hub.sdk.events import Contact
from hub.sdk.names import one_line


def network_of(contact: Contact) -> tuple[str, str] | None:
    """Who gave the contact a lasting id, and the id: ``("telegram", "308786162")``. For an id of
    the site itself: ``("identifier", "K-4711")``. ``None`` if there is none. Since SDK 1.1."""
    for network, number in sorted(contact.networks.items()):
        if kept := one_line(number):
            return network, kept
    identifier = one_line(contact.identifier or "")
    return ("identifier", identifier) if identifier else None
