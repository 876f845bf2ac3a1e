"""What a contact may change in its lead, and what of it is not proven.

What somebody types finds a lead. Of a lead that the hub did not make it changes nothing, and of one
that it made the name. Proof belongs to a value: of what a lead keeps, only the number of who writes
by WhatsApp has one (``Contact.proven``). The settings open more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from hub.sdk import Contact, Link
from hub_leadsquared import sentences
from hub_leadsquared.api.leads import EMAIL, FIRST_NAME, LAST_NAME, MOBILE, PHONE
from hub_leadsquared.config import Config
from hub_leadsquared.mappers.text import cut, one_line

NAMES: Final = frozenset({FIRST_NAME, LAST_NAME})
_SITE: Final = "Channel::WebWidget"
_MAIL: Final = "Channel::Email"
#: Characters of a value that a sentence shows.
_LONGEST_VALUE: Final = 100


@dataclass(frozen=True, slots=True)
class Remark:
    """A sentence about a value that is not proven, to be filled in with it."""

    sentence: str
    value: str

    @classmethod
    def of(cls, sentence: str, value: str) -> Remark:
        """The remark; of a value that is too long its beginning."""
        return cls(sentence, cut(one_line(value), _LONGEST_VALUE))

    @property
    def key(self) -> str:
        """The remark, whatever language it was told in."""
        return self.sentence.format(value=self.value)


def is_own(link: Link) -> bool:
    """Whether the hub made the lead.

    Of a lead that version 1 had made in a try that was cut off it noted only that it was found.
    """
    return bool(link.data.get("made", not link.adopted))


def held(link: Link) -> dict[str, str]:
    """What the lead has, as far as the hub knows. Version 1 noted only what it had sent."""
    return dict(link.data.get("held") or link.data["sent"])


def may_change(config: Config, contact: Contact, *, own: bool) -> frozenset[str]:
    """The attributes that may be replaced by the contact's."""
    if not own and not config.follow_found:
        return frozenset()
    email = {EMAIL} if config.emails_follow else set()
    return NAMES | may_fill(config, contact) | email


def may_fill(config: Config, contact: Contact) -> frozenset[str]:
    """The attributes that may be filled where nothing stands, in any lead: what is proven."""
    return frozenset({config.phone_field} if "phone" in contact.proven else ())


def how_found(
    link: Link, contact: Contact, channel: str | None, values: Mapping[str, str]
) -> Remark | None:
    """How the lead was found, if by something that the event does not prove.

    ``values`` are the contact's, ``channel`` the kind of channel of the conversation.
    """
    if is_own(link):
        return None
    by, value = _found_by(link)
    if by == "email":
        by_channel = {_SITE: sentences.EMAIL_TYPED, _MAIL: sentences.EMAIL_OF_SENDER}
        return Remark.of(by_channel.get(channel or "", sentences.EMAIL_GIVEN), value)
    if "phone" in contact.proven and value in (values.get(PHONE), values.get(MOBILE)):
        return None
    is_site = channel == _SITE
    return Remark.of(sentences.PHONE_TYPED if is_site else sentences.PHONE_GIVEN, value)


def _found_by(link: Link) -> tuple[str, str]:
    """By what the lead was found ("email", "phone"), and its value."""
    if found := link.data.get("found"):
        return found["by"], found["value"]
    # Links made before it was noted: the email is looked for first.
    sent = link.data["sent"]
    email = sent.get(EMAIL, "")
    if email and email.casefold() == held(link).get(EMAIL, "").casefold():
        return "email", email
    return "phone", sent.get(MOBILE) or sent.get(PHONE) or ""


def not_taken(
    values: Mapping[str, str],
    lead: Mapping[str, str],
    config: Config,
    contact: Contact,
    among: Collection[str] | None = None,
) -> list[Remark]:
    """What the contact has in its ``values`` otherwise than the lead; by wish only of some."""
    looked_at = set(values if among is None else among)
    is_proven = "phone" in contact.proven
    remarks = []
    for name, sentence in (
        (EMAIL, sentences.OTHER_EMAIL),
        (config.phone_field, sentences.OTHER_PHONE_PROVEN if is_proven else sentences.OTHER_PHONE),
    ):
        value = values[name]
        if name in looked_at and value and value.casefold() != lead.get(name, "").casefold():
            remarks.append(Remark.of(sentence, value))
    name = _name(values)
    if NAMES & looked_at and name and name.casefold() != _name(lead).casefold():
        remarks.append(Remark.of(sentences.OTHER_NAME, name))
    return remarks


def _name(values: Mapping[str, str]) -> str:
    return f"{values.get(FIRST_NAME, '')} {values.get(LAST_NAME, '')}".strip()
