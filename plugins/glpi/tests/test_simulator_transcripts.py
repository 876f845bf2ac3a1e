"""Holds the simulator to what real servers answered.

Every recorded request is sent again, in order, and its answer compared: status, headers, shape and
values. Only what cannot be the same twice may differ: times of the recording, tokens, random names,
and what the recording itself cut (``…(18 items)``). What the simulator does not claim stands in
``UNCLAIMED`` and must differ.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from hub_glpi.simulator import GlpiSimulator

from plugins.glpi.tests.comparing import differences, is_now, title_of

DATA = Path(__file__).parent / "data" / "transcripts"
FOLDERS = {"10.0.14": DATA, "9.5.13": DATA / "9.5.13"}
LOGINS = {"admin": "glpi", "tech": "tech", "self": "post-only"}

UNCLAIMED: dict[tuple[str, str], str] = {
    ("10.0.14", "the file itself"): "it keeps no bytes",
    ("10.0.14", "the file itself by Accept"): "it keeps no bytes",
    ("10.0.14", "task"): "it knows no tasks",
    ("10.0.14", "tasks of the ticket"): "it knows no tasks",
}
"""(version, entry) → why the simulator answers otherwise."""

# What was recorded on a server with a past of its own: the next numbers there.
FIRST_NUMBERS = {
    "05_reading_back": {"Ticket": 120, "ITILFollowup": 314, "Document": 8, "Document_Item": 8},
}

# The recordings decoded their query strings, so that a plus may be one or a space.
LITERAL_PLUS = {
    "s_plus_anchor": {"^ann+tag@example.com$"},
    "s_phone_nospace": {"+34612345678"},
}
SPACES = {"^+34+612+345+678$": "^+34 612 345 678$", "+34+612+345+678": "+34 612 345 678"}
# Asked of the web server, not of apirest.php.
OUTSIDE_THE_API = {"root_page", "missing_apirest", "not_there"}
# Begin a new session for these; else each speaker keeps one for a file.
FRESH_SESSION = {"kill_post", "full_session", "get_entity_new_new_session"}
SERVER_STATES = {
    "api_disabled": "api_disabled",
    "token_login_disabled": "token_login_disabled",
    "ip_not_allowed": "address_not_allowed",
    "ip_not_allowed_in_session": "address_not_allowed",
    "client_inactive": "address_not_allowed",
    "maintenance_init": "maintenance",
    "maintenance_in_session": "maintenance",
    "no_db_config": "not_configured",
    "db_down": "database_down",
    "db_down_in_session": "database_down",
}
# The recording kept only its size and digest.
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
# The recordings left multipart bodies out; these are what their answers tell of them.
UPLOADS = {
    "doc_upload": (
        {"itemtype": "Ticket", "items_id": 44, "_filename": ["note.txt"]},
        ("note.txt", b"hello world", "text/plain"),
    ),
    "upload manual.pdf": (
        {"itemtype": "ITILFollowup", "items_id": 314, "_filename": ["manual.pdf"]},
        ("manual.pdf", b"%PDF-1.4 manual", "application/pdf"),
    ),
    "upload dot.png": (
        {"itemtype": "ITILFollowup", "items_id": 314, "_filename": ["dot.png"]},
        ("dot.png", DOT, "image/png"),
    ),
    "doc_forbidden": (
        {"name": "exe", "_filename": ["a.exe"]},
        ("a.exe", b"MZ", "application/octet-stream"),
    ),
}
# These kept no Link, Accept-Range and Last-Modified.
FEWER_HEADERS = {"05_reading_back"}

Entry = dict[str, Any]


def recordings(version: str) -> list[tuple[str, Entry]]:
    """All entries of a release in the order of recording, each with its key."""
    found = []
    for path in sorted(FOLDERS[version].glob("*.json")):
        for number, entry in enumerate(json.loads(path.read_text())):
            found.append((f"{version}/{path.stem}/{number:03d}-{entry['name']}", entry))
    return found


def speaker_of(name: str) -> str:
    """Whose session an entry used; the recordings say it only in their names."""
    if re.search(r"(^|_)tech(_|$)", name):
        return "tech"
    if re.search(r"^self_|_self$|_by_requester_", name):
        return "self"
    return "admin"


# Replaying.


@dataclass
class Replay:
    """Sends one release's recordings to one simulator and collects what differs."""

    simulator: GlpiSimulator
    client: requests.Session

    def __post_init__(self) -> None:
        self.sessions: dict[str, str] = {}
        self.file = ""

    def run(self, entries: list[tuple[str, Entry]]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if self.simulator.release.version.startswith("10."):
            self._add_ann()
        for key, entry in entries:
            if key.split("/")[1] != self.file:
                self.file = key.split("/")[1]
                self.sessions.clear()
                if numbers := FIRST_NUMBERS.get(self.file):
                    self.simulator.restore()
                    for itemtype, number in numbers.items():
                        self.simulator.database[itemtype].begin_at(number)
            found[key] = list(self._differences(entry))
        return found

    def _add_ann(self) -> None:
        """This user was on the recorded server before the first recording."""
        ann = {"name": "ann@example.com", "_useremails": ["ann@example.com"]}
        ann |= {"firstname": "Ann", "realname": "Lee", "phone": "+49 151 2345678"}
        self._write("POST", "/User", ann)

    def _write(self, method: str, path: str, values: dict[str, Any]) -> None:
        self.client.request(
            method,
            self.simulator.api_url + path,
            headers=self._headers({"App-Token": "<APP_TOKEN>", "Session-Token": "<SESSION>"}, ""),
            json={"input": values},
        ).raise_for_status()

    def _session(self, speaker: str) -> str:
        if speaker not in self.sessions:
            answer = self.client.get(
                f"{self.simulator.api_url}/initSession",
                headers={
                    "App-Token": self.simulator.app_token,
                    "Authorization": f"user_token {self.simulator.user_tokens[LOGINS[speaker]]}",
                },
            )
            self.sessions[speaker] = answer.json()["session_token"]
        return self.sessions[speaker]

    def _headers(self, recorded: dict[str, str], name: str) -> dict[str, str]:
        headers = {}
        for header, value in recorded.items():
            if value == "<SESSION>":
                value = self._session(speaker_of(name))
            value = value.replace("<APP_TOKEN>", self.simulator.app_token)
            for person, login in LOGINS.items():
                value = value.replace(f"<USER_TOKEN:{person}>", self.simulator.user_tokens[login])
            headers[header] = value
        return headers

    def _query(self, recorded: str, name: str) -> str:
        if not recorded:
            return ""
        pairs = []
        for pair in recorded.split("&"):
            key, _, value = pair.partition("=")
            if value.startswith("USERTOKENADMIN"):
                value = self.simulator.user_tokens["glpi"]
            elif value not in LITERAL_PLUS.get(name, ()):
                value = SPACES.get(value) or value.replace("+", " ")
            pairs.append((key, value))
        return "?" + urlencode(pairs)

    def _differences(self, entry: Entry) -> Iterator[str]:
        name, request = entry["name"], entry["request"]
        if name in FRESH_SESSION:
            self.sessions.pop(speaker_of(name), None)
        if "concurrent" in request:
            yield from self._race(request, entry["response"])
            return
        if name == "user_inactive":
            self._write("PUT", "/User/4", {"is_active": 0})
        headers = self._headers(request["headers"], name)
        self.simulator.server_state = SERVER_STATES.get(name, "up")
        base = self.simulator.url if name in OUTSIDE_THE_API else self.simulator.api_url
        arguments: dict[str, Any] = {"headers": headers}
        if name in UPLOADS:
            headers.pop("Content-Type", None)  # names the boundary of the recorded body
            manifest, file = UPLOADS[name]
            arguments["files"] = {
                "uploadManifest": (None, json.dumps({"input": manifest}), "application/json"),
                "filename[0]": file,
            }
        elif request["body"] is not None:
            body = request["body"]
            arguments["data"] = body if isinstance(body, str) else json.dumps(expanded(body))
        live = self.client.request(
            request["method"],
            base + request["path"] + self._query(request["query"], name),
            **arguments,
        )
        self.simulator.server_state = "up"
        if name == "user_inactive":
            self._write("PUT", "/User/4", {"is_active": 1})
        yield from self._compared(entry, live)

    def _compared(self, entry: Entry, live: requests.Response) -> Iterator[str]:
        recorded = self._here(entry["response"])
        if recorded["status"] != live.status_code:
            yield f"status: {recorded['status']} recorded, {live.status_code} live: {live.text}"
            return
        headers = ["Content-Type", "Location", "Content-Range"]
        if self.file not in FEWER_HEADERS:
            headers += ["Link", "Accept-Range"]
        for header in headers:
            expected = recorded["headers"].get(header.lower())
            if live.headers.get(header) != expected:
                yield f"{header}: {expected!r} recorded, {live.headers.get(header)!r} live"
        if self.file in FEWER_HEADERS:
            pass
        elif ("last-modified" in recorded["headers"]) != ("Last-Modified" in live.headers):
            yield f"Last-Modified: {live.headers.get('Last-Modified')!r} live"
        elif "Last-Modified" in live.headers:
            moment = parsedate_to_datetime(live.headers["Last-Modified"])
            if not is_now(moment):
                yield f"Last-Modified: {moment} is not now"
        body = recorded["body"]
        if isinstance(body, str) and body.startswith("(cut"):
            if not isinstance(live.json(), dict):
                yield "body: no object"
        elif isinstance(body, str):
            page = title_of(body)
            if title_of(live.text) != page or (page is None and body != live.text):
                yield f"body: {body!r} recorded, {live.text!r} live"
        else:
            cut = "cut" in entry.get("note", "") or "_note" in str(body)
            yield from differences(body, live.json(), cut=cut)

    def _here(self, recorded: Any) -> Any:
        """A recorded answer as it would have been recorded here."""
        text = json.dumps(recorded)
        text = text.replace("http://glpi.example/apirest.php", self.simulator.api_url)
        text = text.replace("http://192.0.2.10", self.simulator.url)
        text = text.replace("http://127.0.0.1/", f"{self.simulator.url}/")
        return json.loads(text.replace("192.0.2.10", "127.0.0.1"))

    def _race(self, request: Entry, recorded: Entry) -> Iterator[str]:
        """The same request from many callers at once, each with a session of its own."""
        callers = request["concurrent"]
        tokens = []
        for _ in range(callers):
            self.sessions.pop("admin", None)
            tokens.append(self._session("admin"))

        def post(token: str) -> tuple[int, str]:
            answer = requests.post(
                self.simulator.api_url + request["path"],
                headers={"App-Token": self.simulator.app_token, "Session-Token": token},
                json=request["body"],
                timeout=120,
            )
            return answer.status_code, answer.text

        with ThreadPoolExecutor(callers) as pool:
            answers = list(pool.map(post, tokens))
        statuses = sorted(status for status, _ in answers)
        if statuses != recorded["statuses"]:
            yield f"statuses: {recorded['statuses']} recorded, {statuses} live"
        if sorted(text for _, text in answers) != sorted(recorded["bodies"]):
            yield f"bodies: {recorded['bodies']} recorded, {answers} live"


def expanded(body: Any) -> Any:
    """A request body with its long texts, of which the recording kept only the length."""
    text = json.dumps(body)
    return json.loads(re.sub(r"\((\d+) characters\)", lambda found: "x" * int(found[1]), text))


def replayed(version: str, simulator: GlpiSimulator) -> dict[str, list[str]]:
    with simulator, requests.Session() as client:
        return Replay(simulator, client).run(recordings(version))


class Replays:
    """Each release is replayed once, when its first entry is asked for."""

    def __init__(self) -> None:
        self._done: dict[str, dict[str, list[str]]] = {}

    def of(self, version: str) -> dict[str, list[str]]:
        if version not in self._done:
            self._done[version] = replayed(version, GlpiSimulator(version=version))
        return self._done[version]


@pytest.fixture(scope="module")
def replays() -> Replays:
    return Replays()


def all_entries() -> Iterator[Any]:
    for version in FOLDERS:
        for key, entry in recordings(version):
            reason = UNCLAIMED.get((version, entry["name"]))
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            yield pytest.param(version, key, id=key, marks=marks)


@pytest.mark.parametrize(("version", "key"), list(all_entries()))
def test_answers_as_recorded(replays: Replays, version: str, key: str) -> None:
    assert replays.of(version)[key] == []


def test_few_entries_are_unclaimed() -> None:
    names = {(version, entry["name"]) for version in FOLDERS for _, entry in recordings(version)}
    assert UNCLAIMED.keys() <= names
    for version in FOLDERS:
        assert sum(unclaimed == version for unclaimed, _ in UNCLAIMED) <= 5


def test_the_contract_can_fail() -> None:
    """Another release's simulator is told from the recorded one, where they differ."""
    found = replayed("9.5.13", GlpiSimulator(version="10.0.14"))
    differing = {key.partition("-")[2] for key, different in found.items() if different}
    assert {"kill", "form_ct", "create_plus_email", "t_no_requester_actors"} <= differing
    assert "init_bad_app" not in differing
