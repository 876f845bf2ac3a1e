"""A contact as a GLPI User or Contact."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

from hub.sdk import Contact, PersonName, person_name

#: Longer texts are cut by GLPI in silence.
MAX_LENGTH: Final = 255
#: Fewer digits are extensions and short codes, which tell nobody apart.
FEWEST_DIGITS: Final = 6
# What both 9.5 and 10 take: letters, digits, space and ' @ . - _
_NOT_IN_LOGIN = re.compile(r"[^\w '@.\-]", re.UNICODE)
_EMAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+")


def name_parts(name: PersonName) -> tuple[str, str]:
    """First and last name as GLPI wants them.

    A single word is the last name: GLPI shows the login of a User, and "Contact - ID 3" for a
    Contact, that has none.
    """
    first, last = name.first, name.last
    if not last:
        first, last = "", first
    return first[:MAX_LENGTH].strip(), last[:MAX_LENGTH].strip()


def clean(text: str) -> str:
    """Without control characters, and with single plain spaces."""
    kept = "".join(
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Zs", "Cs") else char
        for char in text
    )
    return " ".join(kept.split())


def email_of(contact: Contact) -> str | None:
    """The contact's email, if it is one."""
    email = (contact.email or "").strip()
    return email if _EMAIL.fullmatch(email) and len(email) <= MAX_LENGTH else None


def phone_of(contact: Contact, region: str | None) -> str | None:
    """The phone number as people write it ("+34 612 345 678"), or as it came if it is none."""
    if number := _parse(contact.phone, region):
        return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return clean(contact.phone or "")[:MAX_LENGTH] or None


def phone_key(contact: Contact, region: str | None) -> str | None:
    """The digits by which the number is recognised, with country code; ``None`` if too few."""
    if number := _parse(contact.phone, region):
        return phonenumbers.format_number(number, PhoneNumberFormat.E164).lstrip("+")
    digits = _digits((contact.phone or "")[:MAX_LENGTH])
    return digits if len(digits) >= FEWEST_DIGITS else None


def phone_pattern(contact: Contact, region: str | None) -> str | None:
    """The digits to search by: those of the number within its country."""
    if number := _parse(contact.phone, region):
        return phonenumbers.national_significant_number(number)
    return phone_key(contact, region)


def same_phone(contact: Contact, other: str, region: str | None) -> bool:
    """Whether a number that someone typed into GLPI is the contact's.

    Without a country code it is taken for one of the default region, or else of the contact's
    own country.
    """
    key = phone_key(contact, region)
    if key is None:
        return False
    digits = _digits(other)
    if digits in (key, f"00{key}"):
        return True
    number = _parse(contact.phone, region)
    home = region or (phonenumbers.region_code_for_number(number) if number else None)
    typed = _parse(other, home)
    if typed is None:
        return False
    return phonenumbers.format_number(typed, PhoneNumberFormat.E164).lstrip("+") == key


def login_of(contact: Contact, region: str | None) -> str | None:
    """A login that every GLPI takes: the email, or the phone number's digits (no "+" in front).

    Characters that some versions refuse become "-"; the person is found by email, not by login.
    """
    if email := email_of(contact):
        return _NOT_IN_LOGIN.sub("-", unicodedata.normalize("NFC", email))[:MAX_LENGTH]
    return phone_key(contact, region)


def spare_login(login: str, mark: str) -> str:
    """Another login for when the first is taken, the same at every try."""
    tail = "-" + _NOT_IN_LOGIN.sub("-", mark)
    return login[: MAX_LENGTH - len(tail)] + tail


def identity_keys(contact: Contact, region: str | None) -> list[str]:
    """What must not be looked up by two workers at once, for this contact."""
    email, phone = email_of(contact), phone_key(contact, region)
    keys = [f"email:{email.casefold()}"] if email else []
    return keys + ([f"phone:{phone}"] if phone else [])


def user_values(
    contact: Contact, region: str | None, name: PersonName | None = None
) -> dict[str, str]:
    """What a GLPI User keeps of the contact. Empty texts stand for what is not known.

    ``name`` replaces what is made of the contact's name.
    """
    first, last = name_parts(name or person_name(contact.name, contact.email))
    return {
        "firstname": first,
        "realname": last,
        "phone": phone_of(contact, region) or "",
        "email": email_of(contact) or "",
    }


def contact_values(
    contact: Contact, region: str | None, name: PersonName | None = None
) -> dict[str, str]:
    """What a GLPI Contact keeps of the contact. Its name is never empty.

    ``name`` replaces what is made of the contact's name.
    """
    first, last = name_parts(name or person_name(contact.name, contact.email))
    phone, email = phone_of(contact, region) or "", email_of(contact) or ""
    return {"firstname": first, "name": last or email or phone, "phone": phone, "email": email}


def _digits(text: str | None) -> str:
    # Digits of any script, as plain ones.
    return "".join(str(unicodedata.digit(char)) for char in text or "" if char.isdecimal())


def _parse(text: str | None, region: str | None) -> PhoneNumber | None:
    # Chatwoot's check lets junk before the plus pass.
    text = text or ""
    text = text[max(text.find("+"), 0) :]
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None
