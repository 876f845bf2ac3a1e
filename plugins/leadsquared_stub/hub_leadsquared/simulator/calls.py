"""The calls of the API: which path does what, and the shape of each answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from hub.sdk.testing.simulator import Request
from hub_leadsquared.simulator.activities import Activities
from hub_leadsquared.simulator.errors import ApiException, BadRequest
from hub_leadsquared.simulator.leads import Leads, Row

_LEADS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call was given."""

    params: Mapping[str, str]
    body: Any

    @classmethod
    def of(cls, request: Request) -> Arguments:
        """Read a request; ``BadRequest`` if its body is not JSON."""
        params = dict(parse_qsl(request.query, keep_blank_values=True))
        try:
            return cls(params, request.json() if request.body else None)
        except ValueError as error:
            raise BadRequest("the body is not JSON") from error

    def param(self, name: str) -> str:
        """A parameter that must be there."""
        if name not in self.params:
            raise BadRequest(f"{name} is missing")
        return self.params[name]


class Calls:
    """The calls, by method and path below ``/v2/``."""

    def __init__(self, leads: Leads, activities: Activities) -> None:
        self._leads = leads
        self._activities = activities
        lead, activity = "LeadManagement.svc/", "ProspectActivity.svc/"
        self._table: dict[tuple[str, str], Callable[[Arguments], Any]] = {
            ("GET", lead + "Leads.GetByEmailaddress"): self._by_email,
            ("GET", lead + "RetrieveLeadByPhoneNumber"): self._by_phone,
            ("GET", lead + "Leads.GetByQuickSearch"): self._by_text,
            ("GET", lead + "Leads.GetById"): self._by_id,
            ("POST", lead + "Leads/Retrieve/ByIds"): self._by_ids,
            ("POST", lead + "Leads.Get"): self._by_value,
            ("POST", lead + "Lead.Create"): self._create_lead,
            ("POST", lead + "Lead.CreateOrUpdate"): self._create_or_update,
            ("POST", lead + "Lead.Update"): self._update,
            ("POST", lead + "Lead/Bulk/Create"): self._create_leads,
            ("GET", activity + "ActivityTypes.Get"): self._types,
            ("POST", activity + "CreateType"): self._create_type,
            ("POST", activity + "Create"): self._create_activity,
            ("POST", activity + "Retrieve"): self._retrieve,
            ("POST", activity + "Bulk/CustomActivity/Add/ByLeadId"): self._create_activities,
        }

    def find(self, method: str, path: str) -> Callable[[Arguments], Any] | None:
        """The call of a path, if there is one."""
        return self._table.get((method, path))

    def _by_email(self, given: Arguments) -> list[Row]:
        return self._leads.with_email(given.param("emailaddress"))

    def _by_phone(self, given: Arguments) -> list[Row]:
        return self._leads.with_phone(given.param("phone"))

    def _by_text(self, given: Arguments) -> list[Row]:
        return self._leads.with_text(given.param("key"))

    def _by_id(self, given: Arguments) -> list[Row]:
        row = self._leads.rows.get(given.param("id"))
        return [row] if row else []

    def _by_ids(self, given: Arguments) -> dict[str, Any]:
        wanted = _object(given.body).get("SearchParameters", {}).get("LeadIds", [])
        found = [row for lead_id in wanted if (row := self._leads.rows.get(lead_id))]
        return {"RecordCount": len(found), "Leads": found}

    def _by_value(self, given: Arguments) -> list[Row]:
        parameter = _object(given.body).get("Parameter", {})
        name, value = str(parameter.get("LookupName")), str(parameter.get("LookupValue"))
        return self._leads.with_value(name, value)

    def _create_lead(self, given: Arguments) -> dict[str, Any]:
        row = self._leads.create_new(given.body)
        return _success(Id=row["ProspectID"])

    def _create_or_update(self, given: Arguments) -> dict[str, Any]:
        row, _ = self._leads.create_or_update(given.body)
        return _success(Id=row["ProspectID"], AffectedRows=1)

    def _update(self, given: Arguments) -> dict[str, Any]:
        self._leads.update(given.param("leadId"), given.body)
        return _success(AffectedRows=1)

    def _create_leads(self, given: Arguments) -> dict[str, Any]:
        if not isinstance(given.body, list) or len(given.body) > _LEADS_AT_ONCE:
            raise BadRequest(f"up to {_LEADS_AT_ONCE} leads are expected")
        failed, made = [], 0
        for number, attributes in enumerate(given.body, 1):
            try:
                self._leads.create_or_update(attributes)
                made += 1
            except ApiException as error:
                failed.append({"RowNumber": number, "Message": error.message})
        return {
            "Status": {"LeadCreated": made, "LeadFailedToCreate": len(failed)},
            "Details": {"FailedLeads": failed},
        }

    def _types(self, _: Arguments) -> list[dict[str, Any]]:
        return self._activities.list_types()

    def _create_type(self, given: Arguments) -> dict[str, Any]:
        return _success(Id=str(self._activities.create_type(given.body)), AffectedRows=1)

    def _create_activity(self, given: Arguments) -> dict[str, Any]:
        return _success(Id=self._activities.create(given.body), AffectedRows=1)

    def _retrieve(self, given: Arguments) -> dict[str, Any]:
        return self._activities.retrieve(given.param("leadId"), given.body)

    def _create_activities(self, given: Arguments) -> dict[str, Any]:
        return {"Response": self._activities.create_many(given.body)}


def _success(**message: Any) -> dict[str, Any]:
    return {"Status": "Success", "Message": message}


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadRequest("an object is expected")
    return body
