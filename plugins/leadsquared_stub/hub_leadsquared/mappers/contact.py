"""A contact as a lead."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

from hub.sdk import Contact, PersonName, person_name
from hub_leadsquared.api.leads import EMAIL, FIRST_NAME, LAST_NAME
from hub_leadsquared.mappers.text import cut

#: LeadSquared's limit for names and emails, in characters.
MAX_LENGTH: Final = 200
_EMAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+")


def name_parts(contact: Contact) -> tuple[str, str]:
    """First and last name; a single word is the first name. See ``hub.sdk.person_name``."""
    return _fitting(person_name(contact.name, contact.email))


def earlier_name_parts(contact: Contact) -> tuple[str, str]:
    """What version 1 made of a name: it split every name at its first space."""
    return _fitting(PersonName.split(contact.name))


def _fitting(name: PersonName) -> tuple[str, str]:
    return cut(name.first, MAX_LENGTH), cut(name.last, MAX_LENGTH)


def email_of(contact: Contact) -> str | None:
    """The contact's email, if it is one."""
    email = (contact.email or "").strip()
    return email if _EMAIL.fullmatch(email) and len(email) <= MAX_LENGTH else None


def phone_of(contact: Contact, region: str | None) -> str | None:
    """The number as LeadSquared keeps it: ``+49-15112345678``; ``None`` if it is none.

    ``region`` (two letters) is the country of a number without a country code.
    """
    number = parsed_phone(contact.phone, region)
    if number is None:
        return None
    return f"+{number.country_code}-{phonenumbers.national_significant_number(number)}"


def phone_digits(contact: Contact, region: str | None) -> str | None:
    """The digits with country code: what LeadSquared searches by, and the identity."""
    number = parsed_phone(contact.phone, region)
    return None if number is None else _e164_digits(number)


def same_phone(contact: Contact, other: str, region: str | None) -> bool:
    """Whether a number that stands in a lead is the contact's.

    Without a country code it is taken for one of ``region``, or else of the contact's country.
    """
    number = parsed_phone(contact.phone, region)
    if number is None:
        return False
    own = _e164_digits(number)
    if _digits(other) in (own, f"00{own}"):
        return True
    home = region or phonenumbers.region_code_for_number(number)
    typed = parsed_phone(other, home)
    return typed is not None and _e164_digits(typed) == own


def parsed_phone(text: str | None, region: str | None) -> PhoneNumber | None:
    """A number that can exist, or ``None``."""
    # Chatwoot's check lets junk before the plus pass.
    text = text or ""
    text = text[max(text.find("+"), 0) :]
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def lead_values(contact: Contact, phone_field: str, region: str | None) -> dict[str, str]:
    """What a lead keeps of the contact, by attribute. Empty texts stand for what is not known."""
    first, last = name_parts(contact)
    return {
        FIRST_NAME: first,
        LAST_NAME: last,
        EMAIL: email_of(contact) or "",
        phone_field: phone_of(contact, region) or "",
    }


def changes(
    sent: Mapping[str, str], values: Mapping[str, str], *, creation: bool
) -> dict[str, str]:
    """The values to write, given those that were sent last.

    An email or phone number that was removed is emptied; a name is not, since a person does not
    lose it. A ``creation`` may arrive after an update and be older, so it only adds what was not
    known.
    """
    changed = {name: value for name, value in values.items() if value != sent.get(name, "")}
    if creation:
        return {name: value for name, value in changed.items() if not sent.get(name)}
    if not values[FIRST_NAME]:
        changed.pop(FIRST_NAME, None)
        changed.pop(LAST_NAME, None)
    return changed


def identity_keys(contact: Contact, region: str | None) -> list[str]:
    """What must not be looked up by two workers at once, for this contact."""
    email, phone = email_of(contact), phone_digits(contact, region)
    keys = [f"email:{email.casefold()}"] if email else []
    return keys + ([f"phone:{phone}"] if phone else [])


def region_of(country_code: Any) -> str | None:
    """The country (two letters) of a calling code such as "91"; ``None`` if there is none."""
    digits = _digits(str(country_code or ""))
    region = phonenumbers.region_code_for_country_code(int(digits)) if digits else "ZZ"
    return region if region not in ("ZZ", "001") else None


def _e164_digits(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).lstrip("+")


def _digits(text: str | None) -> str:
    # Digits of any script, as plain ones.
    return "".join(str(unicodedata.digit(char)) for char in text or "" if char.isdecimal())
