"""Leads: what is unique, what is found, and what a write does."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from hub_leadsquared.simulator.errors import (
    DUPLICATE,
    INVALID,
    MANDATORY,
    NO_SUCH_ENTITY,
    ApiException,
    BadRequest,
)

Row = dict[str, str]
STANDARD = frozenset(
    {"FirstName", "LastName", "EmailAddress", "Phone", "Mobile", "Source", "Company", "Website"}
)
PHONES = ("Phone", "Mobile")
_SEARCHED = ("FirstName", "LastName", "EmailAddress", "Phone", "Mobile", "Notes")
_ID = "ProspectID"
_MOST_TEXT = 200


class Leads:
    """The leads of an account. ``unique`` names what no two may share: the customer's setting."""

    def __init__(self, unique: Iterable[str]) -> None:
        self.unique = frozenset(unique)
        self.rows: dict[str, Row] = {}

    def get(self, lead_id: str) -> Row:
        """A lead."""
        row = self.rows.get(lead_id)
        if row is None:
            raise ApiException(NO_SUCH_ENTITY, "Lead not found")
        return row

    def with_email(self, email: str) -> list[Row]:
        """Leads with exactly this email."""
        wanted = email.strip().casefold()
        return [row for row in self.rows.values() if row["EmailAddress"].casefold() == wanted]

    def with_phone(self, number: str) -> list[Row]:
        """Leads with these digits as phone or mobile, with or without the country code.

        Anything but digits finds nothing. One lead at most: the latest.
        """
        if not number.isdigit():
            return []
        found = [
            row
            for row in self.rows.values()
            if any(number in _spellings(row[name]) for name in PHONES)
        ]
        return found[-1:]

    def with_text(self, text: str) -> list[Row]:
        """The quick search: leads that have the text anywhere."""
        wanted = text.casefold()
        return [
            row
            for row in self.rows.values()
            if any(wanted in row.get(name, "").casefold() for name in _SEARCHED)
        ]

    def with_value(self, attribute: str, value: str) -> list[Row]:
        """Leads with exactly this value of an attribute, which may be a custom one."""
        self._check_name(attribute)
        return [row for row in self.rows.values() if row.get(attribute, "") == value]

    def create_new(self, attributes: Any) -> Row:
        """Make a lead, unless one has a value that must be unique."""
        return self.create(self._values(attributes))

    def create_or_update(self, attributes: Any) -> tuple[Row, bool]:
        """Change the lead that is found by ``SearchBy`` (or else the email), or make one."""
        values = self._values(attributes)
        search_by = values.pop("SearchBy", "EmailAddress")
        known = self._search(search_by, values)
        if known is not None:
            return self._write(known, values), False
        return self.create(values), True

    def create(self, values: Mapping[str, str]) -> Row:
        """Make a lead."""
        if not any(values.get(name) for name in ("EmailAddress", *PHONES, *self.unique)):
            raise ApiException(MANDATORY, "At least one unique field must have a value")
        row = {_ID: str(uuid.uuid4()), **dict.fromkeys(sorted(STANDARD), "")}
        row = self._write(row, values)
        self.rows[row[_ID]] = row
        return row

    def update(self, lead_id: str, attributes: Any) -> Row:
        """Change the named attributes only."""
        return self._write(self.get(lead_id), self._values(attributes))

    def _search(self, attribute: str, values: Mapping[str, str]) -> Row | None:
        if attribute in PHONES:
            number = next((values[name] for name in PHONES if values.get(name)), "")
            found = self._sharing_phone(number)
        else:
            email = values.get("EmailAddress", "")
            found = self.with_email(email) if email else []
        return found[0] if found else None

    def _write(self, row: Row, values: Mapping[str, str]) -> Row:
        self._refuse_doubles(row[_ID], values)
        for name, value in values.items():
            if len(value) > _MOST_TEXT:
                raise ApiException(INVALID, f"{name} is longer than {_MOST_TEXT} characters")
        row.update(values)
        return row

    def _refuse_doubles(self, own_id: str, values: Mapping[str, str]) -> None:
        email = values.get("EmailAddress")
        others = self.with_email(email) if email and "EmailAddress" in self.unique else []
        if "Phone" in self.unique:
            for name in PHONES:
                others = others + self._sharing_phone(values.get(name, ""))
        for name in self.unique - {"EmailAddress", *PHONES}:
            if values.get(name):
                others = others + self.with_value(name, values[name])
        if any(other[_ID] != own_id for other in others):
            raise ApiException(DUPLICATE, "A Lead with same Phone or Email already exists.")

    def _sharing_phone(self, number: str) -> list[Row]:
        digits = _digits(number)
        return [
            row
            for row in self.rows.values()
            if digits and any(_digits(row[name]) == digits for name in PHONES)
        ]

    def _values(self, attributes: Any) -> dict[str, str]:
        """``[{"Attribute": ..., "Value": ...}]`` as a mapping."""
        if not isinstance(attributes, list) or not attributes:
            raise BadRequest("a list of attributes is expected")
        values: dict[str, str] = {}
        for item in attributes:
            if not isinstance(item, dict) or not {"Attribute", "Value"} <= item.keys():
                raise BadRequest("every attribute needs Attribute and Value")
            if item["Attribute"] != "SearchBy":
                self._check_name(str(item["Attribute"]))
            values[str(item["Attribute"])] = str(item["Value"] or "")
        return values

    def _check_name(self, name: str) -> None:
        if name not in STANDARD and not name.startswith("mx_"):
            raise ApiException(INVALID, f"Invalid attribute: {name}")


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _spellings(stored: str) -> set[str]:
    """The digits of ``+49-15112345678`` with and without the country code."""
    return {_digits(stored), _digits(stored.partition("-")[2])} - {""}
