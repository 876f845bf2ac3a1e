"""By what lasting id a person is known."""

from __future__ import annotations

from hub.sdk.events import Contact
from hub.sdk.names import one_line


def network_of(contact: Contact) -> tuple[str, str] | None:
    """A lasting id and who gave it: ``("telegram", "308786162")``, or ``("identifier", "K-4711")``
    of the site itself. Since SDK 1.1."""
    for network, number in sorted(contact.networks.items()):
        if kept := one_line(number):
            return network, kept
    identifier = one_line(contact.identifier or "")
    return ("identifier", identifier) if identifier else None
