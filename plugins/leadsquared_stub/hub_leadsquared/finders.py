"""Finding the lead of a person.

By the exact email, then by the exact phone number. What LeadSquared shows is only a candidate:
the value is compared here, since a search that looks into more fields than asked would otherwise
pick a stranger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hub.sdk import Contact
from hub_leadsquared import sentences
from hub_leadsquared.api import LeadSquared
from hub_leadsquared.api.leads import EMAIL, Lead
from hub_leadsquared.mappers.contact import email_of, phone_digits, same_phone

#: By the mark that the hub has made at the lead.
BY_MARK: Final = "network id"


@dataclass(frozen=True, slots=True)
class Found:
    """A lead, and by what it was recognised ("email", "phone", or ``BY_MARK``)."""

    lead: Lead
    means: str


def find_lead(
    leadsquared: LeadSquared, contact: Contact, region: str | None, say: Callable[..., None]
) -> Found | None:
    """The lead of a contact. At most one request for the email and one for the phone number."""
    email = email_of(contact)
    if email:
        by_email = [lead for lead in leadsquared.leads.with_email(email) if _has_email(lead, email)]
        if lead := _first(by_email, say):
            return Found(lead, "email")
    if digits := phone_digits(contact, region):
        by_phone = [
            lead
            for lead in leadsquared.leads.with_phone(digits)
            if any(same_phone(contact, number, region) for number in lead.phones)
        ]
        if lead := _first(by_phone, say):
            if email and lead.value(EMAIL):
                say(sentences.EMAIL_KEPT)
            return Found(lead, "phone")
    return None


def _has_email(lead: Lead, email: str) -> bool:
    return lead.value(EMAIL).strip().casefold() == email.casefold()


def _first(leads: Sequence[Lead], say: Callable[..., None]) -> Lead | None:
    if len(leads) > 1:
        say(sentences.SEVERAL_LEADS, count=len(leads), id=leads[0].id)
    return leads[0] if leads else None
