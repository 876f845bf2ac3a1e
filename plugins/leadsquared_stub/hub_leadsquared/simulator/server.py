"""The simulated LeadSquared server, and what tests want to know of it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import parse_qs

from hub.sdk.testing.simulator import Request, Response, Simulator
from hub_leadsquared.simulator.activities import Activities
from hub_leadsquared.simulator.calls import Arguments, Calls
from hub_leadsquared.simulator.errors import ApiException, BadRequest
from hub_leadsquared.simulator.leads import Leads, Row
from hub_leadsquared.simulator.limits import WINDOW, CallLimit

ACCESS_KEY = "simulator-access-key"
SECRET_KEY = "simulator-secret-key"  # noqa: S105
_ROOT = "/v2/"
_AUTHENTICATION = "Authentication.svc/UserByAccessKey.Get"
_BULK_PER_WINDOW = 1


class LeadSquaredSimulator(Simulator):
    """A stateful LeadSquared with its REST API at ``{url}/v2/``; ``url`` is the API address.

    ``calls`` is how many are allowed in 5 seconds (``None``: any number; bulk calls then too, else
    one); ``exception_status`` the HTTP status of exceptions, 200 or 500, since the sources differ;
    ``unique`` the lead fields that no two leads may share; ``api_host`` what the account's server
    is said to be, "" for this one. The rest goes to ``Simulator``. All but the keys may be changed
    while it runs.
    """

    name: ClassVar[str] = "leadsquared"

    def __init__(
        self,
        *,
        access_key: str = ACCESS_KEY,
        secret_key: str = SECRET_KEY,
        calls: int | None = None,
        exception_status: int = 200,
        unique: Iterable[str] = ("EmailAddress", "Phone"),
        timezone: str = "Asia/Kolkata",
        country_code: str = "91",
        **base: Any,
    ) -> None:
        super().__init__(**base)
        self.keys = (access_key, secret_key)
        self.exception_status = exception_status
        self.timezone = timezone
        self.country_code = country_code
        self.api_host = ""
        self._unique = tuple(unique)
        self._lock = threading.RLock()
        self._limit = CallLimit(calls, self.now)
        self._bulk_limit = CallLimit(None if calls is None else _BULK_PER_WINDOW, self.now)
        self.restore()

    # For tests.

    def leads(self) -> list[Row]:
        """The leads, oldest first."""
        with self._lock:
            return copy.deepcopy(list(self._leads.rows.values()))

    def lead(self, lead_id: str) -> Row:
        """One lead."""
        with self._lock:
            return dict(self._leads.rows[lead_id])

    def add_lead(self, **values: str) -> str:
        """Make a lead as a person would; its id."""
        with self._lock:
            return self._leads.create(values)["ProspectID"]

    def delete_lead(self, lead_id: str) -> None:
        """Delete a lead with its activities, as a person or a merge would."""
        with self._lock:
            del self._leads.rows[lead_id]
            rows = self._activities.rows
            rows[:] = [row for row in rows if row["RelatedProspectId"] != lead_id]

    def activities(self, event_name: str = "") -> list[dict[str, Any]]:
        """The activities, oldest first, of one type or of all."""
        with self._lock:
            rows = copy.deepcopy(self._activities.rows)
        return [row for row in rows if event_name in ("", row["EventName"])]

    def activity_types(self) -> dict[str, int]:
        """Name -> code."""
        with self._lock:
            return dict(self._activities.types)

    def delete_activity_type(self, name: str) -> None:
        """Remove a type."""
        with self._lock:
            del self._activities.types[name]

    def allow(self, calls: int | None) -> None:
        """Change the limit on calls in 5 seconds, and forget the calls so far."""
        with self._lock:
            self._limit.calls = calls
            self._limit.clear()

    def seed(self) -> None:
        """A little data to look at."""
        for first, last, digits in (("Ann", "Lee", "1"), ("Carla", "Díaz", "2")):
            self.add_lead(
                FirstName=first,
                LastName=last,
                EmailAddress=f"{first.lower()}@example.com",
                Mobile=f"+91-987654321{digits}",
                Source="Website",
            )

    def state(self) -> dict[str, Any]:
        with self._lock:
            return {
                "leads": self.leads(),
                "activities": self.activities(),
                "activity_types": self.activity_types(),
            }

    def restore(self) -> None:
        with self._lock:
            self._leads = Leads(self._unique)
            self._activities = Activities(self._leads, self.now)
            self._calls = Calls(self._leads, self._activities)
            self._limit.clear()
            self._bulk_limit.clear()

    def act(self, action: str, argument: Any) -> Any:
        """``seed`` (demo data), ``delete_lead`` (its id), ``allow`` (calls in 5 seconds)."""
        if action == "seed":
            self.seed()
            return {"leads": len(self.leads())}
        if action == "delete_lead":
            self.delete_lead(str(argument))
            return {"leads": len(self.leads())}
        if action == "allow":
            self.allow(None if argument is None else int(argument))
            return {"calls": argument}
        return super().act(action, argument)

    # Serving.

    def handle(self, request: Request) -> Response:
        path = request.path
        if not path.startswith(_ROOT):
            return Response.of_html("<h1>404 - File or directory not found.</h1>", 404)
        path = path.removeprefix(_ROOT)
        with self._lock:
            if not self._knows_keys(request):
                message = "Access key or secret key is not valid"
                error = ApiException("MXInvalidCredentialsException", message)
                return Response.of_json(error.body(), 401)
            limit = self._bulk_limit if "/Bulk/" in path else self._limit
            if not limit.grant():
                text = f"API calls exceeded the limit of {limit.calls} in {WINDOW:.0f} second(s)"
                return Response.of_json(text, 429)
            return self._perform(request, path)

    def _perform(self, request: Request, path: str) -> Response:
        if (request.method, path) == ("GET", _AUTHENTICATION):
            return Response.of_json(self._user())
        call = self._calls.find(request.method, path)
        if call is None:
            return Response.of_html("<h1>404 - File or directory not found.</h1>", 404)
        try:
            return Response.of_json(call(Arguments.of(request)))
        except ApiException as error:
            return Response.of_json(error.body(), self.exception_status)
        except BadRequest as error:
            return Response.of_json({"Status": "Error", "Message": str(error)}, 400)

    def _knows_keys(self, request: Request) -> bool:
        query = parse_qs(request.query)
        given = (
            request.headers.get("x-lsq-accesskey", query.get("accessKey", [""])[0]),
            request.headers.get("x-lsq-secretkey", query.get("secretKey", [""])[0]),
        )
        return given == self.keys

    def _user(self) -> dict[str, Any]:
        here = f"{self.host}:{self.port}"
        return {
            "Id": "9b0f8a52-0000-4000-8000-000000000001",
            "Name": "Ada Admin",
            "Role": "Administrator",
            "EmailAddress": "ada@example.com",
            "TimeZone": self.timezone,
            "OrgDisplayName": "Simulated Org",
            "OrgShortCode": "SIM",
            "DefaultCountryCode": self.country_code,
            "LSQCommonServiceURLs": {"api": self.api_host or here, "app": here},
        }
