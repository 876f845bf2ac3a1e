"""What a contact may change in its lead, and what of it is not proven.

What somebody types finds a lead. Of a lead that the hub did not make it changes nothing, and of one
that it made the name. Proof belongs to a value: of what a lead keeps, only the number of who writes
by WhatsApp has one (``Contact.proven``). The settings open more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from hub.sdk import Contact, Link
from hub_leadsquared import sentences
from hub_leadsquared.api.leads import EMAIL, FIRST_NAME, LAST_NAME
from hub_leadsquared.config import Config

NAMES: Final = frozenset({FIRST_NAME, LAST_NAME})


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


def not_taken(
    values: Mapping[str, str],
    lead: Mapping[str, str],
    config: Config,
    among: Collection[str],
) -> list[str]:
    """Sentences about what ``among`` these attributes the contact has otherwise than the lead."""
    texts = []
    for name, sentence in (
        (EMAIL, sentences.OTHER_EMAIL),
        (config.phone_field, sentences.OTHER_PHONE),
    ):
        value = values[name]
        if name in among and value and value.casefold() != lead.get(name, "").casefold():
            texts.append(sentence.format(value=value))
    name = _name(values)
    if NAMES & set(among) and name and name.casefold() != _name(lead).casefold():
        texts.append(sentences.OTHER_NAME.format(value=name))
    return texts


def _name(values: Mapping[str, str]) -> str:
    return f"{values.get(FIRST_NAME, '')} {values.get(LAST_NAME, '')}".strip()
