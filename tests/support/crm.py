"""A small CRM in memory, a plugin for it, and events to deliver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from hub import services
from hub.accounts import accounts, hooks, sources
from hub.database import in_transaction
from hub.delivery.drain import Drain
from hub.delivery.sweeper import Sweeper
from hub.inbox.accept import Submission, accept
from hub.inbox.sources import Draft
from hub.models import Hook
from hub.queue.mutex import Mutexes, lane_key
from hub.queue.ready import ReadyLanes, TakenLane
from hub.sdk import (
    EVENT_NAMES,
    Contact,
    Conversation,
    Done,
    Event,
    KeepBack,
    Message,
    Outcome,
    Plugin,
    Processor,
    Remote,
    SettingsSchema,
    SetupResult,
    SetupService,
    Source,
)
from hub.sdk.settings import secret, text
from tests.support.clock import StoppableClock, clock_of

NOW = datetime(2026, 7, 14, 10, 0, tzinfo=UTC)


@dataclass
class Crm:
    """What the remote system holds, and what it should do to the next handlings."""

    handled: list[tuple[str, str]] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    #: Raised by the next handlings, one each; ``None`` lets one pass.
    troubles: list[BaseException | None] = field(default_factory=list)
    on_handle: Callable[[Any], None] | None = None


class Settings(SettingsSchema):
    name = text("Name", default="crm")
    key = secret("Key")


class Setup(SetupService):
    def run(self) -> SetupResult:
        return SetupResult("It works.", learned={"version": "1"})


def _has_email(event: Event, default_region: str | None) -> bool:
    return event.contact is not None and event.contact.email is not None


def make_plugin(crm: Crm, **options: Any) -> Plugin:
    """A plugin that writes what it handles into ``crm``; with ``keeps_back``, only of people whose
    email it knows."""
    keeps_back = options.pop("keeps_back", False)

    class CrmProcessor(Processor):
        batches = options.pop("batches", {})
        supersedable = options.pop("supersedable", frozenset())
        identity_keys = staticmethod(options.pop("identity_keys", Processor.identity_keys))

        can_insist = options.pop("can_insist", True)
        is_known = staticmethod(options.pop("is_known", _has_email))

        def _handle(self, event: Event) -> Done:
            if crm.on_handle is not None:
                crm.on_handle(self.context)
            if keeps_back and not (self.context.insisted or _has_email(event, None)):
                raise KeepBack("Nothing is known of the person.", days=30)
            trouble = crm.troubles.pop(0) if crm.troubles else None
            if trouble is not None:
                raise trouble
            local = event.message or event.conversation or event.contact
            assert local is not None
            crm.handled.append((event.name, local.id))
            return Done(f"Handled {event.name} {local.id}.")

        def handle_message_created_batch(self, events: Sequence[Event]) -> list[Outcome]:
            return [self._handle(event) for event in events]

        def handle_conversation_created(self, event: Event) -> Done:
            assert event.conversation is not None

            def create() -> Remote:
                crm.records.append(event.conversation.id)
                return Remote(str(len(crm.records)))

            def find(_: object) -> Remote | None:
                if event.conversation.id in crm.records:
                    return Remote(str(crm.records.index(event.conversation.id) + 1))
                return None

            done = self._handle(event)
            self.context.links.create_once(
                "ticket", event.conversation.id, create=create, find=find
            )
            return done

    for name in EVENT_NAMES:
        method = "handle_" + name.replace(".", "_")
        if not hasattr(CrmProcessor, method):
            setattr(CrmProcessor, method, CrmProcessor._handle)
    return Plugin(
        **{
            "id": "crm",
            "name": "Small CRM",
            "version": "1.0",
            "description": "A CRM in memory.",
            "package": "tests",
            "settings": Settings,
            "setup": Setup,
            "processor": CrmProcessor,
            "events": frozenset(EVENT_NAMES),
            "allow_multiple_hooks": True,
            **options,
        }
    )


class World:
    """An application with an account, a source and a hook, and ways to make things happen."""

    def __init__(
        self, app: Flask, plugin_id: str = "crm", settings: dict[str, Any] | None = None
    ) -> None:
        self.app = app
        self.account = accounts.create("Acme")
        self.source = sources.create(self.account, "events")
        self.hook: Hook = hooks.create(self.account, plugin_id, settings or {})[0]
        self.drain = Drain.of_app(app, "test-worker")
        self.ready = ReadyLanes(services.of(app).redis)
        self.sweeper = Sweeper(app)
        self._numbers = iter(range(1, 1_000_000))

    @property
    def clock(self) -> StoppableClock:
        """The hub's time. What comes from outside has the machine's."""
        return clock_of(self.app)

    def send(
        self,
        name: str,
        *,
        contact: str = "1",
        email: str | None = None,
        conversation: str | None = None,
        message: str | None = None,
        key: str | None = None,
    ) -> list[int]:
        """Accept one event; returns its id, or nothing when it is a duplicate."""
        draft = Draft(
            event=Event(
                id=0,
                name=name,
                occurred_at=NOW,
                source=Source(self.source.id, "events"),
                contact=Contact(contact, email=email),
                conversation=Conversation(conversation) if conversation else None,
                message=Message(message) if message else None,
            ),
            dedupe_key=key or f"key-{next(self._numbers)}",
            lane_key=f"contact:{contact}",
        )
        submission = Submission(
            self.account.id, self.source.id, [draft], {"raw": True}, None, datetime.now(UTC)
        )
        registry = services.of(self.app).registry
        accepted = in_transaction(lambda session: accept(session, [submission], registry))
        self.ready.push(accepted.ready)
        return accepted.event_ids[0]

    def work(self, rounds: int = 1_000) -> int:
        """Drain every lane that is ready now; returns the number of deliveries worked on."""
        worked = 0
        for _ in range(rounds):
            lane = self.ready.take("test-worker")
            if lane is None:
                return worked
            worked += self.drain.drain(lane)
            self.ready.give_back(lane)
        raise AssertionError("the lanes do not become empty")

    def drain_lane(self, lane_id: int, drain: Drain | None = None) -> int:
        """Drain one lane, whether it was announced or not, as a worker would that has taken it."""
        redis = services.of(self.app).redis
        mutexes = Mutexes(redis, 30)
        key, slot = lane_key(self.hook.id, lane_id), f"test-worker/{next(self._numbers)}/{lane_id}"
        lane = TakenLane(self.hook.id, lane_id, slot, bool(redis.set(key, slot, nx=True, ex=30)))
        try:
            return (drain or self.drain).drain(lane)
        finally:
            mutexes.release(key, slot)
