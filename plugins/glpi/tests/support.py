"""What the tests of this plugin talk with: a GLPI, Chatwoot's events, and a hub with one hook."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

import requests
from hub_glpi import plugin
from hub_glpi.simulator import GlpiSimulator

from hub.sdk import (
    Contact,
    Conversation,
    Done,
    Event,
    HubError,
    Message,
    Outcome,
    Sender,
    SetupResult,
    Source,
)
from hub.sdk.testing.context import MemoryContext, MemoryStore, MovableClock, hub_session

JSON = "application/json"


@dataclass
class Server:
    """Where GLPI is and how to sign in."""

    api_url: str
    app_token: str
    user_token: str
    simulator: GlpiSimulator | None = None


class Observer:
    """Looks at GLPI through its API, as a person with another session would."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = requests.Session()
        if server.app_token:
            self.http.headers["App-Token"] = server.app_token
        answer = self.http.get(
            f"{server.api_url}/initSession",
            headers={"Authorization": f"user_token {server.user_token}"},
            timeout=120,
        )
        self.http.headers["Session-Token"] = answer.json()["session_token"]
        self.encoding = "10"
        config = self.call("GET", "getGlpiConfig")["cfg_glpi"]
        self.encoding = config["version"].partition(".")[0]

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = self.http.request(method, f"{self.server.api_url}/{path}", timeout=120, **options)
        return self._decoded(answer.json())

    def change(self, path: str, **values: Any) -> None:
        self.call("PUT", path, json={"input": values})

    def add(self, itemtype: str, **values: Any) -> int:
        return int(self.call("POST", itemtype, json={"input": values})["id"])

    def purge(self, path: str) -> None:
        self.call("DELETE", path, params={"force_purge": "true"})

    def trash(self, path: str) -> None:
        self.call("DELETE", path)

    def users_with_email(self, email: str) -> list[int]:
        return self._search("User", 5, f"^{email}$")

    def users_with_login(self, login: str) -> list[int]:
        return self._search("User", 1, f"^{login}$")

    def contacts_with_email(self, email: str) -> list[int]:
        return self._search("Contact", 6, f"^{email}$")

    def tickets_containing(self, text: str) -> list[int]:
        return self._search("Ticket", 21, text)

    def emails(self, user_id: int) -> list[str]:
        return [item["email"] for item in self.call("GET", f"User/{user_id}/UserEmail")]

    def requesters(self, ticket_id: int) -> list[tuple[int, str]]:
        actors = self.call("GET", f"Ticket/{ticket_id}/Ticket_User")
        return [
            (actor["users_id"], actor.get("alternative_email") or "")
            for actor in actors
            if actor["type"] == 1
        ]

    def followups(self, ticket_id: int) -> list[dict[str, Any]]:
        found = self.call(
            "GET", f"Ticket/{ticket_id}/ITILFollowup", params={"range": "0-199", "sort": "id"}
        )
        return sorted(found, key=lambda item: item["id"])

    def close(self) -> None:
        self.http.get(f"{self.server.api_url}/killSession", timeout=30)

    def _decoded(self, value: Any) -> Any:
        """Texts as GLPI shows them."""
        if isinstance(value, list):
            return [self._decoded(item) for item in value]
        if isinstance(value, dict):
            return {name: self._decoded(item) for name, item in value.items()}
        if not isinstance(value, str):
            return value
        if self.encoding != "9":
            return unescape(value)
        # 9.5 encodes and decodes these two, and nothing else.
        value = value.replace("&lt;", "<").replace("&gt;", ">")
        return value.replace("&#60;", "&lt;").replace("&#62;", "&gt;")

    def _search(self, itemtype: str, field_number: int, pattern: str) -> list[int]:
        params = {
            "criteria[0][field]": field_number,
            "criteria[0][searchtype]": "contains",
            "criteria[0][value]": pattern,
            "forcedisplay[0]": 2,
            "range": "0-199",
        }
        found = self.call("GET", f"search/{itemtype}", params=params)
        return sorted(int(row["2"]) for row in found.get("data", []))


@dataclass
class Chatwoot:
    """Makes events. Ids and addresses are fresh in every test, so that runs never meet."""

    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    clock: MovableClock = field(default_factory=MovableClock)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.base_url = f"https://{self.mark}.chat.example"
        self.source = Source(3, "chatwoot", "1", self.base_url)

    def number(self) -> int:
        return next(self._numbers)

    def email(self, name: str = "ann") -> str:
        return f"{name}@{self.mark}.example.com"

    def contact(self, name: str = "Ann Lee", **values: Any) -> Contact:
        values.setdefault("email", self.email())
        return Contact(values.pop("id", "17"), name, **values)

    def conversation(self, number: str = "1201", **values: Any) -> Conversation:
        values.setdefault("url", f"{self.base_url}/app/accounts/1/conversations/{number}")
        values.setdefault("created_at", self.clock.now())
        return Conversation(number, **values)

    def message(self, text: str = "My printer burns.", **values: Any) -> Message:
        number = self.number()
        values.setdefault("sender", Sender("contact", "17", "Ann Lee"))
        values.setdefault("created_at", self.clock.now())
        return Message(values.pop("id", str(1000 + number)), text=text, **values)

    def reply(self, text: str = "Use water.", **values: Any) -> Message:
        values.setdefault("sender", Sender("user", "5", "Bob Agent", "bob@example.com"))
        return self.message(text, direction="outgoing", **values)

    def event(self, name: str, **parts: Any) -> Event:
        parts.setdefault("source", self.source)
        parts.setdefault("occurred_at", self.clock.now() - timedelta(minutes=5))
        return Event(id=self.number(), name=name, **parts)


class Hub:
    """A hub with one GLPI hook, whose store outlives its workers."""

    def __init__(self, server: Server, clock: MovableClock, **settings: Any) -> None:
        self.server = server
        self.clock = clock
        self.store = MemoryStore()
        self.learned: Mapping[str, Any] = {}
        self.default_region: str | None = None
        self.settings = {
            "api_url": server.api_url,
            "app_token": server.app_token,
            "user_token": server.user_token,
            **settings,
        }
        self.last = self.worker()

    def worker(self, **options: Any) -> MemoryContext:
        return MemoryContext(
            plugin,
            self.settings,
            store=self.store,
            learned=self.learned,
            clock=self.clock,
            default_region=self.default_region,
            session=hub_session(),
            **options,
        )

    def setup(self) -> SetupResult:
        self.last = self.worker()
        result = plugin.setup(self.last).run()
        self.learned = result.learned
        return result

    def deliver(self, *events: Event, waiting: Sequence[Event] = (), **options: Any) -> Outcome:
        """Deliver one event, or several as a batch; the last outcome."""
        self.last = self.worker(**options)
        self.last.waiting = list(waiting)
        if len(events) == 1:
            return self.last.deliver(events[0])
        return self.last.deliver_batch(events)[-1]

    def done(self, *events: Event, **options: Any) -> Done:
        outcome = self.deliver(*events, **options)
        assert isinstance(outcome, Done), outcome
        return outcome

    def refused(self, *events: Event, **options: Any) -> HubError:
        outcome = self.deliver(*events, **options)
        assert isinstance(outcome, HubError), outcome
        return outcome

    @property
    def requests(self) -> list[str]:
        """The requests of the last delivery, without those that open and close sessions."""
        return [
            f"{call.method} {call.url.partition('apirest.php/')[2].partition('?')[0]}"
            for call in self.last.calls
            if "Session" not in call.url
        ]

    def close(self) -> None:
        self.worker().sessions.close()


def ticket_of(see: Any, chatwoot: Any, number: str = "1201") -> int:
    (ticket,) = see.tickets_containing(
        f'{chatwoot.mark}.chat.example/app/accounts/1/conversations/{number}"'
    )
    return int(ticket)
