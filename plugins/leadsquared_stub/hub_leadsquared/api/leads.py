"""Leads. What one is called by LeadId, ProspectId, ProspectID or Id is always the same GUID."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub_leadsquared import sentences
from hub_leadsquared.api.answers import id_of, message_of
from hub_leadsquared.api.connection import Connection
from hub_leadsquared.api.errors import LeadGone

FIRST_NAME: Final = "FirstName"
LAST_NAME: Final = "LastName"
EMAIL: Final = "EmailAddress"
PHONE: Final = "Phone"
MOBILE: Final = "Mobile"
SOURCE: Final = "Source"
_SEARCH_BY: Final = "SearchBy"
_ID_NAMES: Final = ("ProspectID", "ProspectId", "Id")


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead as a search shows it. ``values`` are its texts by attribute; empty ones are ""."""

    id: str
    values: Mapping[str, str]

    def value(self, name: str) -> str:
        """The text of an attribute, "" if it has none."""
        return self.values.get(name, "")

    @property
    def phones(self) -> tuple[str, ...]:
        """Its phone numbers as they were typed."""
        return tuple(filter(None, (self.value(PHONE), self.value(MOBILE))))


class Leads:
    """Finding, making and changing leads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def with_email(self, email: str) -> list[Lead]:
        """Leads with exactly this email. Not the quick search, which looks into any text."""
        body = self._connection.get(
            "LeadManagement.svc/Leads.GetByEmailaddress", list, emailaddress=email
        )
        return _leads(body)

    def with_phone(self, digits: str) -> list[Lead]:
        """Leads with this number as phone or mobile; ``digits`` without plus, space or hyphen."""
        body = self._connection.get(
            "LeadManagement.svc/RetrieveLeadByPhoneNumber", list, phone=digits
        )
        return _leads(body)

    def with_value(self, name: str, value: str) -> list[Lead]:
        """Leads with exactly this value of an attribute, which may be a custom one."""
        columns = (_ID_NAMES[0], FIRST_NAME, LAST_NAME, EMAIL, PHONE, MOBILE, SOURCE, name)
        body = self._connection.post(
            "LeadManagement.svc/Leads.Get",
            {
                "Parameter": {"LookupName": name, "LookupValue": value, "SqlOperator": "="},
                "Columns": {"Include_CSV": ",".join(columns)},
                "Paging": {"PageIndex": 1, "PageSize": 10},
            },
            list,
        )
        return [lead for lead in _leads(body) if lead.value(name) == value]

    def create(self, values: Mapping[str, str]) -> str:
        """Make a lead; its id. Not ``CreateOrUpdate``, which writes into a lead that has the email.

        Source: LeadSquared's documentation, "Create a Lead".

        :raises Duplicate: a lead has the email or phone number, where the customer's settings say
            that no two may.
        """
        return id_of(
            self._connection.post("LeadManagement.svc/Lead.Create", _attributes(values), dict)
        )

    def with_only_phone(self, attribute: str, number: str) -> str:
        """The id of the lead that LeadSquared knows by a number, which is all that is sent.

        It makes one with this number if there is none. Source: Chatwoot's own integration, which
        met leads that no search shows.
        """
        values = {attribute: number, _SEARCH_BY: PHONE}
        return id_of(
            self._connection.post(
                "LeadManagement.svc/Lead.CreateOrUpdate", _attributes(values), dict
            )
        )

    def update(
        self, lead_id: str, values: Mapping[str, str], *, run_automations: bool = False
    ) -> None:
        """Change only the named attributes. "" empties one.

        :raises LeadGone: there is no such lead any more.
        :raises Duplicate: another lead has the email or phone number.
        """
        params = {"leadId": lead_id}
        if run_automations:
            params["postUpdatedLead"] = "true"
        body = self._connection.post(
            "LeadManagement.svc/Lead.Update", _attributes(values), dict, params=params
        )
        # Earlier notes on the API have it that a lead that is gone is answered so, too.
        if message_of(body).get("AffectedRows") == 0:
            raise LeadGone(sentences.LEAD_GONE.format(reason="AffectedRows 0"))


def _attributes(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Attribute": name, "Value": value} for name, value in values.items()]


def _leads(body: list[Any]) -> list[Lead]:
    return [lead for item in body if isinstance(item, dict) and (lead := _lead(item))]


def _lead(item: Mapping[str, Any]) -> Lead | None:
    lead_id = next((str(item[name]) for name in _ID_NAMES if item.get(name)), "")
    values = {name: value for name, value in item.items() if isinstance(value, str)}
    return Lead(lead_id, values) if lead_id else None
