"""A LeadSquared on a real port, a hook set up against it, and events to feed to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hub_leadsquared import plugin
from hub_leadsquared.simulator import ACCESS_KEY, SECRET_KEY, LeadSquaredSimulator

from hub.sdk import (
    CONTACT_CREATED,
    CONTACT_UPDATED,
    CONVERSATION_CREATED,
    CONVERSATION_RESOLVED,
    MESSAGE_CREATED,
    MESSAGE_UPDATED,
    Change,
    Contact,
    Conversation,
    Done,
    Event,
    HubError,
    Message,
    Outcome,
    Sender,
    Source,
)
from hub.sdk.testing.context import MemoryContext, MemoryStore, MovableClock, hub_session

BEGIN = datetime(2026, 7, 14, 10, 0, tzinfo=UTC)
ANN = Contact(id="501", name="Ann Lindqvist", email="ann@example.com", phone="+4915112345678")


class Events:
    """Makes events as the hub would hand them over."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self.source = Source(id=1, kind="chatwoot", account_id="3", base_url="https://chat.example")

    def contact_created(self, contact: Contact = ANN, **more: Any) -> Event:
        return self._event(CONTACT_CREATED, contact=contact, **more)

    def contact_updated(self, contact: Contact = ANN, *changed: str, **more: Any) -> Event:
        changes = {name: Change(None, None) for name in changed}
        return self._event(CONTACT_UPDATED, contact=contact, changes=changes, **more)

    def conversation_created(self, contact: Contact | None = ANN, **more: Any) -> Event:
        talk = self.talk(more.pop("number", "42"))
        return self._event(CONVERSATION_CREATED, contact=contact, conversation=talk, **more)

    def resolved(self, contact: Contact | None = ANN, minute: int = 30, **more: Any) -> Event:
        talk = self.talk(more.pop("number", "42"), more.pop("status", "resolved"))
        at = BEGIN + timedelta(minutes=minute)
        return self._event(
            CONVERSATION_RESOLVED, contact=contact, conversation=talk, occurred_at=at, **more
        )

    def message(self, number: int, text: str, minute: int | None = None, **more: Any) -> Event:
        name = MESSAGE_UPDATED if more.pop("updated", False) else MESSAGE_CREATED
        at = BEGIN + timedelta(minutes=number if minute is None else minute)
        sender = more.pop("sender", Sender(kind="contact", id="501", name="Ann Lindqvist"))
        message = Message(id=str(number), text=text, sender=sender, created_at=at, **more)
        talk = self.talk("42", inbox_name="Shop chat")
        return self._event(name, contact=ANN, conversation=talk, message=message, occurred_at=at)

    def talk(self, number: str, status: Any = "open", **more: Any) -> Conversation:
        return Conversation(
            id=number,
            status=status,
            inbox_id="5",
            channel="Channel::WebWidget",
            url=f"https://chat.example/app/accounts/3/conversations/{number}",
            created_at=BEGIN,
            **more,
        )

    def _event(self, name: str, **parts: Any) -> Event:
        parts.setdefault("occurred_at", BEGIN)
        return Event(id=next(self._ids), name=name, source=self.source, **parts)


class World:
    """One hook and its LeadSquared. Every delivery gets a context of its own, as in the hub."""

    def __init__(self, simulator: LeadSquaredSimulator) -> None:
        self.simulator = simulator
        self.store = MemoryStore()
        self.clock = MovableClock(BEGIN + timedelta(hours=1))
        self.events = Events()
        self.settings: dict[str, Any] = {
            "access_key": ACCESS_KEY,
            "secret_key": SECRET_KEY,
            "api_url": simulator.url,
            "enable_conversation_activity": True,
            "enable_transcript_activity": True,
        }
        self.learned: dict[str, Any] = {}
        self.region: str | None = None
        self.last: MemoryContext

    def context(self, **options: Any) -> MemoryContext:
        self.last = MemoryContext(
            plugin,
            self.settings,
            learned=self.learned,
            store=self.store,
            clock=self.clock,
            default_region=self.region,
            session=hub_session(),
            **options,
        )
        return self.last

    def set_up(self) -> Any:
        result = plugin.setup(self.context()).run()
        self.learned = dict(result.learned)
        return result

    def deliver(self, event: Event, waiting: list[Event] | None = None, **options: Any) -> Outcome:
        context = self.context(**options)
        context.waiting = waiting or []
        return context.deliver(event)

    def done(self, event: Event, waiting: list[Event] | None = None) -> Done:
        outcome = self.deliver(event, waiting)
        assert isinstance(outcome, Done), repr(outcome)
        return outcome

    def fails(self, event: Event, kind: type[HubError]) -> Any:
        outcome = self.deliver(event)
        assert type(outcome) is kind, repr(outcome)
        return outcome

    @property
    def calls(self) -> list[str]:
        """The calls of the last delivery: the ends of their paths."""
        return [call.url.partition("?")[0].rpartition("/")[2] for call in self.last.calls]

    def notes(self, name: str = "Chatwoot Conversation Transcript") -> list[str]:
        return [row["Note"] for row in self.simulator.activities(name)]


@pytest.fixture
def simulator() -> Iterator[LeadSquaredSimulator]:
    with LeadSquaredSimulator() as running:
        yield running


@pytest.fixture
def world(simulator: LeadSquaredSimulator) -> World:
    made = World(simulator)
    made.set_up()
    return made


@pytest.fixture
def fresh(simulator: LeadSquaredSimulator) -> World:
    """A hook whose setup has not run."""
    return World(simulator)


@pytest.fixture
def ann() -> Contact:
    return ANN
