"""By what a person is known: email, phone number, or the id of a network or of the site itself."""

from __future__ import annotations

import re
import unicodedata

from hub.sdk import Contact, network_of
from hub_glpi.mappers.contact import MAX_LENGTH, identity_keys

#: As ``mappers.contact`` has it for logins.
_NOT_IN_LOGIN = re.compile(r"[^\w@.\-]", re.UNICODE)


def is_known(contact: Contact, region: str | None) -> bool:
    """Whether there is something by which the person can have a record of their own."""
    return bool(identity_keys(contact, region)) or network_of(contact) is not None


def network_login(contact: Contact, mark: str) -> str | None:
    """The login of a person of whom only such an id is known: one for each contact of the source,
    which ``mark`` tells apart ("3/8341"), and for each person, whatever hub writes it."""
    found = network_of(contact)
    if found is None:
        return None
    tail = "-" + mark.replace("/", "-")
    login = unicodedata.normalize("NFC", "-".join(found))
    return _NOT_IN_LOGIN.sub("-", login)[: MAX_LENGTH - len(tail)] + tail
