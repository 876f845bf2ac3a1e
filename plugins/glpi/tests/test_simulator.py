"""The simulator beyond the recordings: faults, session locks, races, and its control endpoint."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from hub_glpi import simulator as glpi
from hub_glpi.simulator import GlpiSimulator

from hub.sdk.testing.simulator import Fault, Request, Response


class Caller:
    """A client with a session of its own."""

    def __init__(self, simulator: GlpiSimulator, login: str = "glpi") -> None:
        self.simulator = simulator
        self.http = requests.Session()
        self.http.headers["App-Token"] = simulator.app_token
        answer = self.http.get(
            f"{simulator.api_url}/initSession",
            params={"get_full_session": "true"},
            headers={"Authorization": f"user_token {simulator.user_tokens[login]}"},
            timeout=120,
        )
        self.session = answer.json()["session"]
        self.http.headers["Session-Token"] = answer.json()["session_token"]

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        arguments.setdefault("timeout", 10)
        return self.http.request(method, self.simulator.api_url + path, **arguments)

    def post(self, path: str, values: Any) -> requests.Response:
        return self.call("POST", path, json={"input": values})

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params).json()


@pytest.fixture
def simulator() -> Iterator[GlpiSimulator]:
    with GlpiSimulator() as running:
        yield running


@pytest.fixture
def caller(simulator: GlpiSimulator) -> Iterator[Caller]:
    made = Caller(simulator)
    yield made
    made.http.close()


def control(simulator: GlpiSimulator, method: str, path: str, **arguments: Any) -> Any:
    url = f"{simulator.url}/__simulator__/{path}"
    return requests.request(method, url, timeout=120, **arguments).json()


# Faults.


def test_a_connection_dropped_before_has_no_effect(
    simulator: GlpiSimulator, caller: Caller
) -> None:
    simulator.add_fault(Fault("drop_before", "POST", "/Ticket"))
    with pytest.raises(requests.ConnectionError):
        caller.post("/Ticket", {"name": "lost"})
    assert simulator.tickets() == []
    assert caller.post("/Ticket", {"name": "kept"}).status_code == 201


def test_a_connection_dropped_after_leaves_its_effect(
    simulator: GlpiSimulator, caller: Caller
) -> None:
    simulator.add_fault(Fault("drop_after", "POST", "/Ticket"))
    with pytest.raises(requests.ConnectionError):
        caller.post("/Ticket", {"name": "made"})
    assert [ticket["name"] for ticket in simulator.tickets()] == ["made"]
    assert simulator.requests("POST", "/Ticket")[0].status is None


@pytest.mark.parametrize("applied", [False, True])
def test_a_bad_status_may_hide_an_effect(
    simulator: GlpiSimulator, caller: Caller, applied: bool
) -> None:
    simulator.add_fault(Fault("status", status=502, body="Bad gateway", applied=applied))
    answer = caller.post("/Ticket", {"name": "x"})
    assert (answer.status_code, answer.text) == (502, "Bad gateway")
    assert len(simulator.tickets()) == applied


def test_answers_that_are_no_answers(simulator: GlpiSimulator, caller: Caller) -> None:
    simulator.add_fault(
        Fault("throttle", retry_after="7"), Fault("html"), Fault("empty"), Fault("garbage")
    )
    answers = [caller.call("GET", "/getMyProfiles") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [429, 200, 200, 200, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert "text/html" in answers[1].headers["Content-Type"]
    assert answers[2].content == b""
    with pytest.raises(ValueError, match="Expecting"):
        answers[3].json()
    assert answers[4].json()["myprofiles"]


def test_latency_slow_and_hanging_answers(simulator: GlpiSimulator, caller: Caller) -> None:
    simulator.add_fault(Fault("latency", seconds=0.1), Fault("slow", seconds=0.1))
    started = time.monotonic()
    assert caller.get("/getMyProfiles")["myprofiles"]
    assert time.monotonic() - started >= 0.2
    simulator.add_fault(Fault("hang", seconds=600))
    with pytest.raises(requests.ReadTimeout):
        caller.call("GET", "/getMyProfiles", timeout=0.1)
    simulator.stop()  # returns at once, although one request still hangs
    assert time.monotonic() - started < 300


def test_a_fault_strikes_the_requests_it_names(simulator: GlpiSimulator, caller: Caller) -> None:
    simulator.add_fault(
        Fault("status", method="POST", path="/Ticket$", contains="B", nth=2, times=2)
    )
    names = ["B1", "A1", "B2", "B3", "B4"]
    statuses = [caller.post("/Ticket", {"name": name}).status_code for name in names]
    assert statuses == [201, 201, 503, 503, 201]
    assert simulator.faults() == []


def test_faults_by_chance_are_the_same_on_every_run() -> None:
    def run() -> list[int]:
        with GlpiSimulator(seed=7) as simulator:
            simulator.add_fault(Fault("status", path="MyProfiles", times=None, probability=0.5))
            caller = Caller(simulator)
            statuses = [caller.call("GET", "/getMyProfiles").status_code for _ in range(30)]
            caller.http.close()
            return statuses

    first = run()
    assert first == run()
    assert {200, 503} == set(first)


def test_an_unknown_kind_of_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind of fault"):
        Fault("nonsense")  # type: ignore[arg-type]


def test_glpi_faults(simulator: GlpiSimulator, caller: Caller) -> None:
    simulator.add_fault(glpi.maintenance(times=1), glpi.database_down(), glpi.php_fatal())
    answers = [caller.post("/Ticket", {"name": "x"}) for _ in range(3)]
    assert "MAINTENANCE MODE" in answers[0].text
    assert "Mysql Error" in answers[1].text
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[2].text == ""
    simulator.add_fault(glpi.session_expired())
    assert caller.call("GET", "/getMyProfiles").status_code == 401
    assert simulator.tickets() == []


def test_a_stopped_server_comes_back_at_its_address_with_its_data() -> None:
    simulator = GlpiSimulator().start()
    caller = Caller(simulator)
    caller.post("/Ticket", {"name": "before"})
    port = simulator.port
    simulator.stop()
    with pytest.raises(requests.ConnectionError):
        caller.call("GET", "/getMyProfiles")
    with simulator:
        assert simulator.port == port
        assert caller.get("/Ticket/1")["name"] == "before"
    caller.http.close()


# Sessions.


def follow_up(caller: Caller) -> int:
    values = {"itemtype": "Ticket", "items_id": 1, "content": "x"}
    return caller.post("/ITILFollowup", values).status_code


def test_one_session_writes_one_at_a_time(
    simulator: GlpiSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = [Caller(simulator) for _ in range(5)]
    callers[0].post("/Ticket", {"name": "x"})
    serve = simulator.handle
    everyone = threading.Barrier(5)

    def meet(request: Request) -> Response:
        everyone.wait(120)
        return serve(request)

    monkeypatch.setattr(simulator, "handle", meet)
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(follow_up, callers)) == [201] * 5, "five sessions, side by side"
    for caller in callers:
        caller.http.headers["Session-Token"] = callers[0].http.headers["Session-Token"]
    inside: list[int] = []
    most: list[int] = []

    def count(request: Request) -> Response:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)  # long enough for another to come in, if it could
        inside.pop()
        return serve(request)

    monkeypatch.setattr(simulator, "handle", count)
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(follow_up, callers)) == [201] * 5
    assert most == [1] * 5
    for caller in callers:
        caller.http.close()


def test_sessions_end_after_their_lifetime_and_by_hand() -> None:
    now = [1_700_000_000.0]
    with GlpiSimulator(session_lifetime=100, clock=lambda: now[0]) as simulator:
        caller = Caller(simulator)
        assert [one["login"] for one in simulator.open_sessions()] == ["glpi"]
        now[0] += 99
        assert caller.call("GET", "/getMyProfiles").status_code == 200
        now[0] += 101
        assert caller.call("GET", "/getMyProfiles").status_code == 401
        other = Caller(simulator, "tech")
        assert simulator.expire_sessions() == 1
        assert other.call("GET", "/getMyProfiles").status_code == 401
        caller.http.close()
        other.http.close()


def test_the_clock_is_local() -> None:
    with GlpiSimulator(utc_offset_minutes=330, clock=lambda: 1_700_000_000.0) as simulator:
        caller = Caller(simulator)
        assert caller.session["glpi_currenttime"] == "2023-11-15 03:43:20"
        caller.post("/Contact", {"name": "x"})
        answer = caller.call("GET", "/Contact/1")
        assert answer.json()["date_mod"] == "2023-11-15 03:43:20"
        assert answer.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
        caller.http.close()


# Races.


def simultaneous(simulator: GlpiSimulator, path: str, values: dict[str, Any]) -> list[int]:
    callers = [Caller(simulator) for _ in range(8)]
    simulator.service_time = 0.02
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda caller: caller.post(path, values).status_code, callers))
    for caller in callers:
        caller.http.close()
    return sorted(statuses)


def test_of_simultaneous_users_one_is_made(simulator: GlpiSimulator) -> None:
    values = {"name": "race@example.com", "_useremails": ["race@example.com"]}
    assert simultaneous(simulator, "/User", values) == [201, *[400] * 7]
    assert [user["name"] for user in simulator.users()].count("race@example.com") == 1


def test_of_simultaneous_contacts_all_are_made(simulator: GlpiSimulator) -> None:
    values = {"name": "Race", "email": "race@example.com"}
    assert simultaneous(simulator, "/Contact", values) == [201] * 8
    assert len(simulator.contacts()) == 8


# What tests see.


def test_bookkeeping(simulator: GlpiSimulator, caller: Caller) -> None:
    user = caller.post("/User", {"name": "ann", "_useremails": ["ann@example.com"]}).json()["id"]
    caller.post("/Ticket", {"name": "a & b", "content": "<p>x</p>", "_users_id_requester": user})
    notify = {"use_notification": [1], "alternative_email": ["bo@example.com"]}
    anonymous = {"name": "anon", "_users_id_requester": 0, "_users_id_requester_notif": notify}
    caller.post("/Ticket", anonymous)
    caller.post("/ITILFollowup", {"itemtype": "Ticket", "items_id": 1, "content": "hi <b>"})
    first, second = simulator.tickets()
    assert (first["name"], first["_requesters"]) == ("a & b", [user])
    assert second["_requester_emails"] == ["bo@example.com"]
    assert [followup["content"] for followup in simulator.followups(1)] == ["hi <b>"]
    assert simulator.followups(2) == []
    assert simulator.users()[-1]["_emails"] == ["ann@example.com"]
    assert simulator.counts()["POST /Ticket"] == 2
    assert caller.get("/Ticket/1")["name"] == "a &#38; b"


def test_secrets_stay_out_of_the_log(simulator: GlpiSimulator, caller: Caller) -> None:
    caller.get("/getMyProfiles")
    seen = str([line.as_json() for line in simulator.requests()])
    assert str(caller.http.headers["Session-Token"]) not in seen
    assert simulator.user_tokens["glpi"] not in seen
    assert simulator.requests()[0].headers["authorization"] == "***"


def test_uploads_answer_what_became_of_the_file(caller: Caller) -> None:
    caller.post("/Ticket", {"name": "with file"})
    manifest = '{"input": {"itemtype": "Ticket", "items_id": 1, "name": "Scan"}}'
    files = {
        "uploadManifest": (None, manifest, "application/json"),
        "filename[0]": ("scan.pdf", b"%PDF-1.4", "application/pdf"),
    }
    result = caller.call("POST", "/Document", files=files).json()["upload_result"]["filename"][0]
    assert result["display"] == "scan.pdf"
    assert "error" not in result
    assert [row["documents_id"] for row in caller.get("/Ticket/1/Document_Item")] == [1]


def test_reset_brings_back_the_beginning(simulator: GlpiSimulator, caller: Caller) -> None:
    caller.post("/Ticket", {"name": "x"})
    simulator.server_state = "maintenance"
    simulator.add_fault(Fault("empty"))
    simulator.reset()
    assert simulator.tickets() == []
    assert simulator.counts() == {}
    assert simulator.faults() == []
    assert simulator.open_sessions() == []
    assert simulator.server_state == "up"


# The control endpoint.


def test_control_over_http(simulator: GlpiSimulator, caller: Caller) -> None:
    caller.post("/Ticket", {"name": "seen from outside"})
    tables = control(simulator, "GET", "state")["tables"]
    assert tables["Ticket"][0]["name"] == "seen from outside"
    log = control(simulator, "GET", "requests?limit=1")
    assert log["counts"] == {"GET /initSession": 1, "POST /Ticket": 1}
    assert [line["path"] for line in log["requests"]] == ["/apirest.php/Ticket"]
    assert "seen from outside" in log["requests"][0]["body"]

    added = control(simulator, "POST", "faults", json={"kind": "status", "status": 500})
    assert [fault["status"] for fault in added] == [500]
    assert caller.call("GET", "/getMyProfiles").status_code == 500
    control(simulator, "POST", "faults", json=[{"kind": "empty"}, {"kind": "html"}])
    assert control(simulator, "DELETE", "faults") == []
    assert caller.call("GET", "/getMyProfiles").json()

    control(simulator, "POST", "actions/server_state", json="maintenance")
    assert "MAINTENANCE" in caller.call("GET", "/getMyProfiles").text
    control(simulator, "POST", "actions/server_state", json="up")
    assert control(simulator, "POST", "actions/expire_sessions") == {"expired": 1}
    assert control(simulator, "POST", "reset") == {"ok": True}
    assert control(simulator, "GET", "state")["tables"]["Ticket"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "faults", {"kind": "nonsense"}, 400),
        ("POST", "faults", {"kind": "empty", "colour": 1}, 400),
        ("POST", "faults", {"kind": "empty", "path": "("}, 400),
        ("POST", "actions/server_state", "nonsense", 400),
        ("POST", "actions/nonsense", None, 404),
        ("GET", "nonsense", None, 404),
    ],
)
def test_control_says_what_is_wrong(
    simulator: GlpiSimulator, method: str, path: str, body: Any, status: int
) -> None:
    url = f"{simulator.url}/__simulator__/{path}"
    answer = requests.request(method, url, json=body, timeout=120)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_it_runs_as_a_command() -> None:
    plugin = Path(__file__).parents[1]
    paths = [str(plugin), str(plugin.parents[1]), os.environ.get("PYTHONPATH", "")]
    process = subprocess.Popen(
        [sys.executable, "-m", "hub_glpi.simulator", "--port", "0", "--seed-data"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout as lines:
        assert lines.readline().startswith("GLPI 10.0.14")
        url = lines.readline().split()[-1]
        state = requests.get(url.replace("apirest.php", "__simulator__/state"), timeout=120).json()
        process.terminate()
        assert process.wait(120) == 0
    names = [user["name"] for user in state["tables"]["User"]]
    assert "carla@example.com" in names
