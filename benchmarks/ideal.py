"""What a person would write by hand: the minimal calls, kept-alive connections, nothing stored.

It forgets everything when it ends, and knows neither duplicates nor retries: no honest hub can be
quicker.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

#: As many as the hub's workers: one process of Python cannot use both cores.
_PROCESSES = 2
_context = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Person:
    """Whose conversation it is, with further messages after the first if any, and its end."""

    email: str
    phone: str = ""
    further_messages: int = 0
    is_solved: bool = False


def deliver(glpi_url: str, people: Sequence[Person], lanes: int) -> float:
    """Make a user and a ticket for each of these people; returns the seconds it took.

    Processes, connections and sessions are there before the clock runs.
    """
    processes = min(_PROCESSES, lanes)
    ready = _context.Barrier(lanes)
    times: Any = _context.Queue()
    children = [
        _context.Process(
            target=_deliver,
            args=(glpi_url, people[place::processes], lanes // processes, ready, times),
        )
        for place in range(processes)
    ]
    for child in children:
        child.start()
    measured = [times.get() for _ in range(lanes)]
    for child in children:
        child.join()
    seconds: float = max(ended for _, ended in measured) - min(began for began, _ in measured)
    return seconds


def _deliver(glpi_url: str, people: Sequence[Person], lanes: int, ready: Any, times: Any) -> None:
    waiting = deque(people)
    threads = [
        threading.Thread(target=_lane, args=(glpi_url, waiting, ready, times)) for _ in range(lanes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _lane(glpi_url: str, waiting: deque[Person], ready: Any, times: Any) -> None:
    client = Client(glpi_url, requests.Session())
    client.sign_in()
    ready.wait()
    began = time.time()
    while waiting:
        try:
            person = waiting.popleft()
        except IndexError:
            break
        client.deliver(person)
    times.put((began, time.time()))


class Client:
    """GLPI's REST API, by hand."""

    def __init__(self, glpi_url: str, session: requests.Session) -> None:
        self._api = f"{glpi_url}/apirest.php"
        self._session = session
        self._session.headers["App-Token"] = "simulator-app-token"

    def sign_in(self) -> None:
        """Open a session."""
        headers = {"Authorization": "user_token simulator-user-token"}
        answer = self._session.get(f"{self._api}/initSession", headers=headers, timeout=30)
        self._session.headers["Session-Token"] = answer.json()["session_token"]

    def sign_out(self) -> None:
        """Close it."""
        self._session.get(f"{self._api}/killSession", timeout=30).raise_for_status()

    def deliver(self, person: Person) -> None:
        """A new customer's conversation: look for the user, make one, make the ticket, and add to
        it what comes after."""
        if self.find_user(person.email):
            return
        if person.phone and self._search("User", {6: f"^{person.phone}$"}):
            return
        ticket = self.create_ticket(self.create_user(person.email, person.phone))
        parent = {"itemtype": "Ticket", "items_id": ticket}
        for _ in range(person.further_messages):
            self._add("ITILFollowup", {**parent, "content": "<p>One more thing.</p>"})
        if person.is_solved:
            self._add("ITILSolution", {**parent, "content": "<p>Solved.</p>"})

    def find_user(self, email: str) -> bool:
        """Whether there is a user with this email, or this name to sign in."""
        return self._search("User", {5: f"^{email}$", 1: f"^{email}$"})

    def create_user(self, email: str, phone: str = "") -> int:
        """A new user."""
        values = {"name": email, "realname": "Okafor", "_useremails": [email]}
        return self._add("User", values | ({"phone": phone} if phone else {}))

    def create_ticket(self, user_id: int) -> int:
        """A new ticket."""
        text = "Hello, I can't log in since this morning."
        values = {"name": text, "content": f"<p>{text}</p>", "_users_id_requester": user_id}
        return self._add("Ticket", values)

    def _search(self, itemtype: str, wanted: Mapping[int, str]) -> bool:
        """Whether one has any of these values, by the number of the field."""
        question: dict[str, str | int] = {}
        for place, (number, value) in enumerate(wanted.items()):
            question |= {
                f"criteria[{place}][link]": "OR",
                f"criteria[{place}][field]": number,
                f"criteria[{place}][searchtype]": "contains",
                f"criteria[{place}][value]": value,
            }
        answer = self._session.get(f"{self._api}/search/{itemtype}", params=question, timeout=30)
        answer.raise_for_status()
        return bool(answer.json()["totalcount"])

    def _add(self, itemtype: str, values: dict[str, Any]) -> int:
        answer = self._session.post(f"{self._api}/{itemtype}", json={"input": values}, timeout=30)
        answer.raise_for_status()
        number: int = answer.json()["id"]
        return number
