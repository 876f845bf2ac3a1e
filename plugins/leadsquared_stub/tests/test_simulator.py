"""The simulator does what the documentation says LeadSquared does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hub_leadsquared
import pytest
import requests
from click.testing import CliRunner
from hub_leadsquared.simulator import ACCESS_KEY, SECRET_KEY, LeadSquaredSimulator
from hub_leadsquared.simulator.cli import leadsquared_simulator

import hub.sdk

KEYS = {"x-LSQ-AccessKey": ACCESS_KEY, "x-LSQ-SecretKey": SECRET_KEY}
LEAD = "LeadManagement.svc/"
ACTIVITY = "ProspectActivity.svc/"


class Client:
    """Calls the simulator without the plugin's code."""

    def __init__(self, simulator: LeadSquaredSimulator) -> None:
        self.root = f"{simulator.url}/v2/"
        self.http = requests.Session()
        self.http.headers.update(KEYS)

    def get(self, path: str, **params: str) -> Any:
        return self.http.get(self.root + path, params=params, timeout=120).json()

    def post(self, path: str, body: Any, **params: str) -> Any:
        return self.http.post(self.root + path, json=body, params=params, timeout=120).json()

    def write(self, path: str, values: dict[str, str], **params: str) -> Any:
        attributes = [{"Attribute": name, "Value": value} for name, value in values.items()]
        return self.post(LEAD + path, attributes, **params)


@pytest.fixture
def client(simulator: LeadSquaredSimulator) -> Iterator[Client]:
    made = Client(simulator)
    yield made
    made.http.close()


class TestKeys:
    def test_headers_and_parameters(self, simulator: LeadSquaredSimulator) -> None:
        path = f"{simulator.url}/v2/{ACTIVITY}ActivityTypes.Get"
        in_query = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
        assert requests.get(path, headers=KEYS, timeout=120).status_code == 200
        assert requests.get(path, params=in_query, timeout=120).status_code == 200
        assert requests.get(path, timeout=120).status_code == 401

    def test_who_am_i(self, client: Client, simulator: LeadSquaredSimulator) -> None:
        user = client.get("Authentication.svc/UserByAccessKey.Get")
        assert user["LSQCommonServiceURLs"]["api"] == f"127.0.0.1:{simulator.port}"
        simulator.api_host = "api-in21.leadsquared.com"
        user = client.get("Authentication.svc/UserByAccessKey.Get")
        assert user["LSQCommonServiceURLs"]["api"] == "api-in21.leadsquared.com"

    @pytest.mark.parametrize("path", ["/v2/Nothing.svc/Get", "/v1/x", "/"])
    def test_a_wrong_path_is_a_page(self, simulator: LeadSquaredSimulator, path: str) -> None:
        answer = requests.get(simulator.url + path, headers=KEYS, timeout=120)
        assert (answer.status_code, answer.headers["Content-Type"][:9]) == (404, "text/html")


class TestLeads:
    def test_create_find_update(self, client: Client) -> None:
        values = {"EmailAddress": "a@b.example", "Mobile": "+49-15112345678", "FirstName": "Ann"}
        answer = client.write("Lead.CreateOrUpdate", values)
        assert answer["Status"] == "Success"
        lead_id = answer["Message"]["Id"]
        again = client.write("Lead.CreateOrUpdate", {"EmailAddress": "A@b.example"})
        assert again["Message"]["Id"] == lead_id
        updated = client.write("Lead.Update", {"LastName": "Lee"}, leadId=lead_id)
        assert updated == {"Status": "Success", "Message": {"AffectedRows": 1}}
        for found in (
            client.get(LEAD + "Leads.GetByEmailaddress", emailaddress="a@b.example"),
            client.get(LEAD + "RetrieveLeadByPhoneNumber", phone="4915112345678"),
            client.get(LEAD + "RetrieveLeadByPhoneNumber", phone="15112345678"),
            client.get(LEAD + "Leads.GetById", id=lead_id),
            client.get(LEAD + "Leads.GetByQuickSearch", key="ann"),
            client.post(
                LEAD + "Leads/Retrieve/ByIds", {"SearchParameters": {"LeadIds": [lead_id, "x"]}}
            )["Leads"],
            client.post(
                LEAD + "Leads.Get", {"Parameter": {"LookupName": "LastName", "LookupValue": "Lee"}}
            ),
        ):
            assert [row["ProspectID"] for row in found] == [lead_id]
            assert (found[0]["FirstName"], found[0]["LastName"]) == ("Ann", "Lee")

    def test_nothing_found_is_an_empty_list(self, client: Client) -> None:
        assert client.get(LEAD + "Leads.GetByEmailaddress", emailaddress="x@y.example") == []
        assert client.get(LEAD + "Leads.GetById", id="x") == []

    def test_a_phone_with_signs_finds_nothing(self, client: Client) -> None:
        client.write("Lead.CreateOrUpdate", {"Phone": "+49-15112345678"})
        assert client.get(LEAD + "RetrieveLeadByPhoneNumber", phone="+49-15112345678") == []

    @pytest.mark.parametrize("status", [200, 500])
    def test_a_phone_of_another_lead_is_a_duplicate(
        self, client: Client, simulator: LeadSquaredSimulator, status: int
    ) -> None:
        simulator.exception_status = status
        known = client.write("Lead.CreateOrUpdate", {"Phone": "+49-15112345678"})
        values = {"EmailAddress": "a@b.example", "Mobile": "+49-15112345678"}
        answer = client.write("Lead.CreateOrUpdate", values)
        assert answer["ExceptionType"] == "MXDuplicateEntryException"
        taken = client.write("Lead.CreateOrUpdate", {**values, "SearchBy": "Phone"})
        assert taken["Message"]["Id"] == known["Message"]["Id"]

    @pytest.mark.parametrize(
        "values", [{"EmailAddress": "A@b.example"}, {"Mobile": "+49-15112345678"}]
    )
    def test_a_creation_writes_into_no_lead(
        self, client: Client, simulator: LeadSquaredSimulator, values: dict[str, str]
    ) -> None:
        known = {"EmailAddress": "a@b.example", "Phone": "+49-15112345678"}
        assert client.write("Lead.Create", known)["Status"] == "Success"
        before = simulator.leads()
        answer = client.write("Lead.Create", {"FirstName": "Eve", **values})
        assert answer["ExceptionType"] == "MXDuplicateEntryException"
        assert simulator.leads() == before

    def test_uniqueness_is_a_setting(self) -> None:
        with LeadSquaredSimulator(unique=()) as simulator:
            client = Client(simulator)
            for email in ("a@b.example", "c@d.example"):
                client.write("Lead.CreateOrUpdate", {"EmailAddress": email, "Phone": "+49-151123"})
            client.http.close()
            assert len(simulator.leads()) == 2

    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ({"Nonsense": "x", "EmailAddress": "a@b.example"}, "MXInvalidInputException"),
            ({"FirstName": "Ann"}, "MXMandatoryAttributeMissingException"),
            ({"EmailAddress": "a@b.example", "FirstName": "x" * 201}, "MXInvalidInputException"),
        ],
    )
    def test_refusals(self, client: Client, values: dict[str, str], kind: str) -> None:
        answer = client.write("Lead.CreateOrUpdate", values)
        assert (answer["Status"], answer["ExceptionType"]) == ("Error", kind)

    def test_a_lead_that_is_gone(self, client: Client, simulator: LeadSquaredSimulator) -> None:
        lead_id = simulator.add_lead(EmailAddress="a@b.example")
        simulator.delete_lead(lead_id)
        answer = client.write("Lead.Update", {"FirstName": "x"}, leadId=lead_id)
        assert answer["ExceptionType"] == "MXInvalidEntityReferenceException"

    def test_many_at_once(self, client: Client, simulator: LeadSquaredSimulator) -> None:
        one = [{"Attribute": "EmailAddress", "Value": "a@b.example"}]
        answer = client.post(LEAD + "Lead/Bulk/Create", [one, [{"Attribute": "X", "Value": ""}]])
        assert answer["Status"] == {"LeadCreated": 1, "LeadFailedToCreate": 1}
        too_many = client.post(LEAD + "Lead/Bulk/Create", [one] * 51)
        assert too_many["Status"] == "Error"

    @pytest.mark.parametrize("body", [[], {}, [{"Attribute": "FirstName"}]])
    def test_a_body_not_as_specified(self, client: Client, body: Any) -> None:
        answer = client.http.post(
            client.root + LEAD + "Lead.CreateOrUpdate", json=body, timeout=120
        )
        assert answer.status_code == 400

    def test_a_body_that_is_no_json_or_a_missing_parameter(self, client: Client) -> None:
        url = client.root + LEAD
        assert client.http.post(url + "Lead.Update", data="x", timeout=120).status_code == 400
        assert client.http.post(url + "Lead.Update", json=[], timeout=120).status_code == 400
        assert client.http.post(url + "Leads.Get", json=[], timeout=120).status_code == 400


class TestActivities:
    def test_types(self, client: Client) -> None:
        made = client.post(ACTIVITY + "CreateType", {"ActivityEventName": "Chat", "Score": 5})
        assert made["Message"]["Id"] == "201"
        types = client.get(ACTIVITY + "ActivityTypes.Get")
        assert {"ActivityEvent": "201", "ActivityEventName": "Chat", "Score": 5} in types
        assert {type(item["ActivityEvent"]) for item in types} == {int, str}
        again = client.post(ACTIVITY + "CreateType", {"ActivityEventName": "Chat"})
        assert again["ExceptionType"] == "MXDuplicateEntryException"
        for body in ({}, {"ActivityEventName": "X", "Score": "5"}):
            assert client.post(ACTIVITY + "CreateType", body)["Status"] == "Error"

    def test_post_and_list(self, client: Client, simulator: LeadSquaredSimulator) -> None:
        lead_id = simulator.add_lead(EmailAddress="a@b.example")
        for number in range(3):
            client.post(
                ACTIVITY + "Create",
                {"RelatedProspectId": lead_id, "ActivityEvent": 21, "ActivityNote": f"n{number}"},
            )
        page = client.post(
            ACTIVITY + "Retrieve",
            {"Parameter": {"ActivityEvent": 21}, "Paging": {"Offset": "1", "RowCount": "1"}},
            leadId=lead_id,
        )
        (row,) = page["ProspectActivities"]
        assert (page["RecordCount"], row["Data"][0]["Value"]) == (3, "n1")

    @pytest.mark.parametrize(
        ("change", "kind"),
        [
            ({"RelatedProspectId": "x"}, "MXInvalidEntityReferenceException"),
            ({"ActivityEvent": 999}, "MXInvalidEntityReferenceException"),
            ({"ActivityNote": "😀" * 1_001}, "MXInvalidInputException"),
            ({"ActivityDateTime": "14.7.2026"}, "MXInvalidInputException"),
        ],
    )
    def test_refusals(
        self, client: Client, simulator: LeadSquaredSimulator, change: dict[str, Any], kind: str
    ) -> None:
        lead_id = simulator.add_lead(EmailAddress="a@b.example")
        body = {"RelatedProspectId": lead_id, "ActivityEvent": 21, **change}
        assert client.post(ACTIVITY + "Create", body)["ExceptionType"] == kind

    def test_many_at_once(self, client: Client, simulator: LeadSquaredSimulator) -> None:
        lead_id = simulator.add_lead(EmailAddress="a@b.example")
        one = {"RelatedProspectId": lead_id, "ActivityEvent": 21}
        path = ACTIVITY + "Bulk/CustomActivity/Add/ByLeadId"
        assert len(client.post(path, [one, one])["Response"]) == 2
        assert client.post(path, [one] * 26)["Status"] == "Error"
        assert client.post(path, [7])["Status"] == "Error"


class TestLimits:
    def test_calls_in_five_seconds(self) -> None:
        now = [1_000.0]
        with LeadSquaredSimulator(calls=2, clock=lambda: now[0]) as simulator:
            client = Client(simulator)

            def status(path: str = ACTIVITY + "ActivityTypes.Get") -> tuple[int, str | None]:
                answer = client.http.get(client.root + path, timeout=120)
                return answer.status_code, answer.headers.get("Retry-After")

            assert [status() for _ in range(3)] == [(200, None), (200, None), (429, None)]
            now[0] += 5
            assert status()[0] == 200
            bulk = ACTIVITY + "Bulk/CustomActivity/Add/ByLeadId"
            assert [status(bulk)[0] for _ in range(2)] == [404, 429]
            simulator.allow(None)
            assert [status()[0] for _ in range(3)] == [200] * 3
            client.http.close()


class TestControl:
    def test_state_actions_and_reset(self, client: Client, simulator: LeadSquaredSimulator) -> None:
        control = f"{simulator.url}/__simulator__"

        def act(name: str, argument: Any = None) -> requests.Response:
            return client.http.post(f"{control}/actions/{name}", json=argument, timeout=120)

        assert act("seed").json() == {"leads": 2}
        state = client.http.get(f"{control}/state", timeout=120).json()
        assert [lead["FirstName"] for lead in state["leads"]] == ["Ann", "Carla"]
        assert act("delete_lead", state["leads"][0]["ProspectID"]).json() == {"leads": 1}
        assert act("allow", 5).json() == {"calls": 5}
        assert act("nonsense").status_code == 404
        client.http.post(f"{control}/reset", timeout=120)
        assert simulator.leads() == []

    def test_the_options(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[LeadSquaredSimulator] = []

        def run(simulator: LeadSquaredSimulator, started: Any) -> None:
            made.append(simulator)
            started()

        monkeypatch.setattr(LeadSquaredSimulator, "run_forever", run)
        options = ["--calls", "0", "--service-time", "20", "--port", "1", "--secret-key", "s"]
        told = CliRunner().invoke(leadsquared_simulator, [*options, "--seed-data"])
        assert told.exit_code == 0
        assert "API address  http://127.0.0.1:1" in told.output
        assert made[0].service_time == 0.02
        assert made[0].keys == (ACCESS_KEY, "s")
        assert made[0]._limit.calls is None
        assert len(made[0].leads()) == 2

    def test_the_command(self) -> None:
        paths = {
            str(Path(module.__file__ or "").parents[depth])
            for module, depth in (
                (hub_leadsquared, 1),
                (hub.sdk, 2),
            )
        }
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        process = subprocess.Popen(
            [sys.executable, "-m", "hub_leadsquared.simulator", "--port", "0", "--seed-data"],
            stdout=subprocess.PIPE,
            text=True,
            env={**environment, "PYTHONUNBUFFERED": "1"},
        )
        try:
            assert process.stdout is not None
            told = [process.stdout.readline() for _ in range(5)]
            url = told[1].split()[-1]
            answer = requests.get(
                f"{url}/v2/{LEAD}Leads.GetByQuickSearch",
                headers=KEYS,
                params={"key": "carla"},
                timeout=120,
            )
            assert json.loads(answer.text)[0]["LastName"] == "Díaz"
        finally:
            process.terminate()
            process.communicate(timeout=120)
        assert process.returncode == 0
