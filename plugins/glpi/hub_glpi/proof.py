"""What a contact may change in its record, and what of it is not proven.

What somebody types finds a record. Of a record that the hub did not make it changes nothing, and of
one that it made the name. Proof belongs to a value: of what GLPI keeps, only the number of who
writes by WhatsApp has one (``Contact.proven``). The settings open more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from hub.sdk import Contact, Link
from hub_glpi import sentences
from hub_glpi.config import Config
from hub_glpi.mappers.contact import phone_of

#: The values that are parts of a name, in a User and in a Contact.
NAMES: Final = frozenset({"firstname", "realname", "name"})
_SITE: Final = "Channel::WebWidget"
_MAIL: Final = "Channel::Email"


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence about a value that is not proven, to be filled in with it."""

    sentence: str
    value: str


def is_own(link: Link) -> bool:
    """Whether the hub made the record.

    Of a record that version 1 had made in a try that was cut off it noted only that it was found.
    """
    return bool(link.data.get("made", not link.adopted))


def held(link: Link) -> dict[str, str]:
    """What the record has, as far as the hub knows. Version 1 noted only what it had sent."""
    return dict(link.data.get("held") or link.data.get("sent", {}))


def may_change(config: Config, contact: Contact, *, own: bool) -> frozenset[str]:
    """The values that may replace what stands in the record."""
    if not own and not config.follow_found:
        return frozenset()
    email = {"email"} if config.emails_follow else set()
    return NAMES | may_fill(contact) | email


def may_fill(contact: Contact) -> frozenset[str]:
    """The values that may go where nothing stands, into any record: those that are proven."""
    return frozenset({"phone"} & contact.proven)


def how_found(
    link: Link, contact: Contact, channel: str | None, region: str | None
) -> Remark | None:
    """How the record was found, if by something that the event does not prove."""
    if is_own(link):
        return None
    found = link.data.get("found") or {}
    sent = link.data.get("sent", {})
    # Version 1 did not note it; it looked for the email first.
    by = found.get("by") or ("email" if sent.get("email") else "phone")
    value = str(found.get("value") or sent.get(by) or "")
    if by == "phone" and by in contact.proven and phone_of(contact, region) == value:
        return None
    if by == "phone":
        is_site = channel == _SITE
        return Remark(sentences.PHONE_TYPED if is_site else sentences.PHONE_GIVEN, value)
    by_channel = {_SITE: sentences.EMAIL_TYPED, _MAIL: sentences.EMAIL_OF_SENDER}
    return Remark(by_channel.get(channel or "", sentences.EMAIL_GIVEN), value)


def not_taken(
    values: Mapping[str, str],
    record: Mapping[str, str],
    contact: Contact,
    among: Collection[str] | None = None,
) -> list[Remark]:
    """What the contact has in its ``values`` otherwise than the record; by wish only of some."""
    looked_at = set(values if among is None else among)
    remarks = []
    if "email" in looked_at and _differ(values, record, "email"):
        remarks.append(Remark(sentences.OTHER_EMAIL, values["email"]))
    if "phone" in looked_at and _differ(values, record, "phone"):
        is_proven = "phone" in contact.proven
        sentence = sentences.OTHER_PHONE_PROVEN if is_proven else sentences.OTHER_PHONE
        remarks.append(Remark(sentence, values["phone"]))
    if NAMES & looked_at and (name := _name(values)) and _words(name) != _words(_name(record)):
        remarks.append(Remark(sentences.OTHER_NAME, name))
    return remarks


def _differ(values: Mapping[str, str], record: Mapping[str, str], name: str) -> bool:
    value = values.get(name, "")
    return bool(value) and value.casefold() != record.get(name, "").casefold()


def _name(values: Mapping[str, str]) -> str:
    last = values.get("realname", values.get("name", ""))
    # A Contact without a name is called by its email or number.
    if last in (values.get("email"), values.get("phone")):
        last = ""
    return f"{values.get('firstname', '')} {last}".strip()


def _words(name: str) -> list[str]:
    return sorted(name.casefold().split())
