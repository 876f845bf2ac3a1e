"""Finding the GLPI record of a person.

By email (any of a user's) or by the login that is the email; then by phone number, over all
phone fields, compared by digits. What a search shows is only a candidate: it is compared here.

When several fit by email: active before disabled, then who has the email before who has it only
as login, then the lowest id. When several fit by phone: only those whose email is not known to be
another one, active first, then the lowest id; a number shared by several people with other emails
(a switchboard) identifies nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.sdk import Contact
from hub_glpi import sentences
from hub_glpi.api import Glpi
from hub_glpi.api.people import Hit
from hub_glpi.mappers.contact import email_of, phone_key, phone_pattern, same_phone


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and by what it was recognised ("email", "phone")."""

    hit: Hit
    means: str


def find_user(
    glpi: Glpi, contact: Contact, region: str | None, say: Callable[..., None]
) -> Found | None:
    """The GLPI User of a contact. At most one request for the email and one for the phone."""
    if email := email_of(contact):
        candidates = glpi.users.with_email_or_login(email)
        if hit := _best_by_email(candidates, email, say):
            return Found(hit, "email")
    number, pattern = phone_key(contact, region), phone_pattern(contact, region)
    if number and pattern:
        candidates = [
            hit
            for hit in glpi.users.with_phone_digits(pattern, number)
            if hit.login == number or _has_phone(hit, contact, region)
        ]
        if hit := _best_by_phone(candidates, email, say):
            return Found(hit, "phone")
    return None


def find_contact(
    glpi: Glpi, contact: Contact, region: str | None, say: Callable[..., None]
) -> Found | None:
    """The GLPI Contact of a contact. At most one request for the email and one for the phone."""
    email = email_of(contact)
    if email and (hit := _best_by_email(glpi.contacts.with_email(email), email, say)):
        return Found(hit, "email")
    if pattern := phone_pattern(contact, region):
        candidates = [
            hit
            for hit in glpi.contacts.with_phone_digits(pattern)
            if _has_phone(hit, contact, region)
        ]
        if hit := _best_by_phone(candidates, email, say):
            return Found(hit, "phone")
    return None


def _has_phone(hit: Hit, contact: Contact, region: str | None) -> bool:
    return any(same_phone(contact, number, region) for number in hit.phones)


def _best_by_email(hits: Sequence[Hit], email: str, say: Callable[..., None]) -> Hit | None:
    fitting = [
        hit for hit in hits if hit.has_email(email) or hit.login.casefold() == email.casefold()
    ]
    fitting.sort(key=lambda hit: (not hit.active, not hit.has_email(email), hit.id))
    return _first(fitting, sentences.RULE_BY_EMAIL, say)


def _best_by_phone(hits: Sequence[Hit], email: str | None, say: Callable[..., None]) -> Hit | None:
    if email and len(hits) > 1:
        hits = [hit for hit in hits if not hit.emails]
    return _first(
        sorted(hits, key=lambda hit: (not hit.active, hit.id)), sentences.RULE_BY_PHONE, say
    )


def _first(hits: Sequence[Hit], rule: str, say: Callable[..., None]) -> Hit | None:
    if len(hits) > 1:
        say(sentences.SEVERAL_HITS, count=len(hits), id=hits[0].id, rule=rule)
    return hits[0] if hits else None
