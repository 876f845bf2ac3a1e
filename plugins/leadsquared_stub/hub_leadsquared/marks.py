"""The mark in the lead of a person who has neither email nor phone number.

Who is known by the id of a network, or of the site itself, can have a lead if that is found again
when its creation was cut off: the hub writes the id into a field of the lead, with the number of
the contact. So there is one lead for each contact, and nobody is found by what somebody else gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.sdk import Event, Intent, network_of
from hub_leadsquared.finders import BY_MARK, Found
from hub_leadsquared.mappers.contact import MAX_LENGTH, identity_keys
from hub_leadsquared.mappers.text import cut
from hub_leadsquared.work import Work, contact_key, contact_of

_PREFIX: Final = "mark:"


class Marks:
    """Makes marks and finds leads by them."""

    def __init__(self, work: Work) -> None:
        self._config = work.config
        self._leads = work.leadsquared.leads

    def keys(self, event: Event) -> list[str]:
        """By what the person can have a lead: email and phone number, or else the mark."""
        found = identity_keys(contact_of(event), self._config.region)
        mark = self._mark(event)
        return found or ([f"{_PREFIX}{mark}"] if mark else [])

    def attributes(self, keys: list[str]) -> dict[str, str]:
        """The attributes of a new lead that hold the mark, if the person needs one."""
        mark = _mark_in(keys[0]) if keys else ""
        return {self._config.identity_field: mark} if mark else {}

    def find(self, keys: list[str], begun: Intent | None) -> Found | None:
        """The lead that has the mark: of these ``keys``, or of a try that was cut off. An email may
        have become known since."""
        mark = (_mark_in(begun.natural_key) if begun else "") or _mark_in(natural_key(keys))
        if not mark or not self._config.identity_field:
            return None
        leads = self._leads.with_value(self._config.identity_field, mark)
        return Found(leads[0], BY_MARK) if leads else None

    def _mark(self, event: Event) -> str:
        """ "telegram 308786162 (1/8341)"; "" if there is no such id, or no field for it."""
        known = network_of(contact_of(event))
        if known is None or not self._config.identity_field:
            return ""
        tail = f" ({contact_key(event)})"
        return cut(" ".join(known), MAX_LENGTH - len(tail)) + tail


def name_in(attributes: dict[str, str]) -> str:
    """What a lead without a name is called: the id, as the mark has it."""
    return next(iter(attributes.values()), "").rpartition(" (")[0]


def natural_key(keys: Sequence[str]) -> str:
    """What an intent remembers of the keys of its lead."""
    return " ".join(keys)


def keys_in(remembered: str) -> list[str]:
    """The keys of an intent. A mark, in which others have written, stands alone."""
    return [remembered] if _mark_in(remembered) else remembered.split(" ")


def _mark_in(key: str) -> str:
    return key.removeprefix(_PREFIX) if key.startswith(_PREFIX) else ""
