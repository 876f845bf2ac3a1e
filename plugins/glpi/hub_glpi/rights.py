"""What the API user may do, and why GLPI refused.

A missing right and a wrong value are answered with the same code, and the text is in the server's
language; so after a refusal the profile is read. Rights are bit masks by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.sdk import HubError, NeedsAttention
from hub_glpi import sentences
from hub_glpi.api import Glpi
from hub_glpi.api.errors import Refused

_UPDATE = 2
_CREATE = 4
_PURGE = 16
_READ_ALL_TICKETS = 1024
_ADD_TO_ANY_TICKET = 4096


@dataclass(frozen=True, slots=True)
class Right:
    """A right: GLPI's name for it, the bits of which all are needed, and words for people."""

    name: str
    bits: int
    words: str


READ_USERS: Final = Right("user", 1, sentences.RIGHT_READ_USERS)
CREATE_USERS: Final = Right("user", _CREATE, sentences.RIGHT_CREATE_USERS)
UPDATE_USERS: Final = Right("user", _UPDATE, sentences.RIGHT_UPDATE_USERS)
READ_CONTACTS: Final = Right("contact_enterprise", 1, sentences.RIGHT_READ_CONTACTS)
CREATE_CONTACTS: Final = Right("contact_enterprise", _CREATE, sentences.RIGHT_CREATE_CONTACTS)
UPDATE_CONTACTS: Final = Right("contact_enterprise", _UPDATE, sentences.RIGHT_UPDATE_CONTACTS)
READ_TICKETS: Final = Right("ticket", _READ_ALL_TICKETS, sentences.RIGHT_READ_TICKETS)
CREATE_TICKETS: Final = Right("ticket", _CREATE, sentences.RIGHT_CREATE_TICKETS)
UPDATE_TICKETS: Final = Right("ticket", _UPDATE, sentences.RIGHT_UPDATE_TICKETS)
ADD_FOLLOWUPS: Final = Right("followup", _ADD_TO_ANY_TICKET, sentences.RIGHT_ADD_FOLLOWUPS)
CREATE_DOCUMENTS: Final = Right("document", _CREATE, sentences.RIGHT_CREATE_DOCUMENTS)
DELETE_DOCUMENTS: Final = Right("document", _PURGE, sentences.RIGHT_DELETE_DOCUMENTS)


def lacks(profile: Mapping[str, Any], right: Right) -> bool:
    """Whether a profile certainly lacks a right.

    Profiles for self-service never have these. An answer without any right is no proof.
    """
    if profile.get("interface") == "helpdesk":
        return True
    value = profile.get(right.name)
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    return isinstance(value, int) and value & right.bits != right.bits


def explain(glpi: Glpi, refused: Refused, right: Right) -> HubError:
    """The refusal, or what the operator must mend if a right is missing."""
    profile = glpi.entities.active_profile()
    if lacks(profile, right):
        return missing(profile, right)
    return refused


def missing(profile: Mapping[str, Any], right: Right) -> NeedsAttention:
    """The error that names profile and right."""
    return NeedsAttention(
        sentences.PROFILE_LACKS.format(profile=profile.get("name") or "?", right=right.words),
        field="user_token",
    )
