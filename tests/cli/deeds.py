"""Every deed, what it needs, and how each face does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy import func, select, update

from hub.accounts import hooks, sources
from hub.database import in_transaction, reading
from hub.delivery import kept
from hub.inbox import quarantine
from hub.inbox.quarantine import Refused, Request
from hub.models import (
    AuditEntry,
    Breaker,
    BreakerState,
    Delivery,
    DeliveryState,
    Hook,
    HookStatus,
    QuarantinedRequest,
)
from hub.sdk import KeepBack, Rejected
from tests.support.crm import Crm, World
from tests.support.people import Person


class Entry(NamedTuple):
    """What an entry says, but for who did it."""

    action: str
    account_id: int | None
    subject_id: int | None
    before: dict[str, Any]
    after: dict[str, Any]

    def without_numbers(self) -> Entry:
        """What is told of one thing and of another like it."""
        before = {name: value for name, value in self.before.items() if name != "id"}
        return self._replace(subject_id=None, before=before)


@dataclass
class Place:
    """An account at work, and the three faces in front of it."""

    app: Flask
    crm: Crm
    world: World
    person: Person
    token: str
    run: Callable[..., Any]

    def number(self, name: str) -> int:
        """The number of the one thing of this name."""
        if name == "hook":
            return self.world.hook.id
        if name == "source":
            return self.world.source.id
        kind = {"delivery": Delivery, "request": QuarantinedRequest}[name]
        with self.app.app_context(), reading() as session:
            return session.scalar(select(func.max(kind.id))) or 0

    def filled(self, text: str) -> str:
        """The text with the numbers of the things that it names in braces."""
        for name in ("hook", "source", "delivery", "request"):
            if "{" + name + "}" in text:
                text = text.replace("{" + name + "}", str(self.number(name)))
        return text

    def at_dashboard(self, rest: str, fields: dict[str, str]) -> None:
        self.person.does(f"/accounts/{self.world.account.id}/{self.filled(rest)}", **fields)

    def at_api(self, method: str, rest: str, body: dict[str, Any] | None) -> None:
        answer = self.app.test_client().open(
            f"/api/v1/accounts/{self.world.account.id}/{self.filled(rest)}",
            method=method,
            headers={"Authorization": f"Bearer {self.token}"},
            **({} if body is None else {"json": body}),
        )
        assert answer.status_code < 300, (rest, answer.status_code, answer.text)

    def at_command_line(self, line: str) -> None:
        arguments = self.filled(line).split()
        self.run(
            *arguments,
            as_json="--yes" not in arguments and "skip" not in arguments,
            fails="still held" if "release" in arguments else "",
        )

    def audited(self) -> list[tuple[str, Entry]]:
        """Who did what, the oldest first; the log is empty after that."""
        with self.app.app_context():
            return in_transaction(_taken)


def _taken(session: Any) -> list[tuple[str, Entry]]:
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    for row in rows:
        session.delete(row)
    return [
        (
            row.actor,
            Entry(row.action, row.account_id, row.subject_id, row.before, row.after),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Deed:
    """What somebody does, as each face offers it, and the actions that the log tells of it."""

    name: str
    leaves: tuple[str, ...]
    #: What the entries are about.
    subject: str | None
    before: Callable[[Place], None]
    dashboard: tuple[str, dict[str, str]] | None = None
    api: tuple[str, str, dict[str, Any] | None] | None = None
    cli: str | None = None


def a_hook(place: Place) -> None:
    """The hook as it is at first."""

    def work(session: Any) -> None:
        values = {"status": HookStatus.ACTIVE, "status_detail": "It works.", "enabled": True}
        values |= {"name": "Small CRM", "concurrency": None, "calls_per_second": None}
        session.execute(update(Hook).where(Hook.id == place.world.hook.id).values(values))

    in_transaction(work)


def switched_off(place: Place) -> None:
    hooks.set_enabled(place.world.hook.id, False)
    sources.update(place.world.source.id, enabled=False)


def another_name(place: Place) -> None:
    """The hook's setting is another than it is to be."""
    hooks.update(place.world.hook.id, {"name": "a"})


def paused(place: Place) -> None:
    a_hook(place)
    hooks.pause(place.world.hook.id, "A test.")


def another_hook(place: Place) -> None:
    if place.world.hook not in hooks.listed(place.world.account):
        place.world.hook = hooks.create(place.world.account, "crm", {})[0]


def a_dead_delivery(place: Place) -> None:
    """One delivery, which failed for good."""
    if not place.number("delivery"):
        place.crm.troubles.append(Rejected("Not now."))
        place.world.send("conversation.created", conversation="7")
        place.world.work()
    dead = {"state": DeliveryState.DEAD, "reason": "No.", "finished_at": datetime.now(UTC)}
    in_transaction(lambda session: session.execute(update(Delivery).values(dead)))


def a_delivery_kept_back(place: Place) -> None:
    place.crm.troubles.append(KeepBack("Nothing is known of the person."))
    place.world.send("conversation.created", conversation="7", contact=str(next(_numbers)))
    place.world.work()
    with reading() as session:
        assert session.scalar(select(func.max(Delivery.id)).where(kept.IS_KEPT))


def a_held_request(place: Place) -> None:
    """One request that is refused again, for the same reason."""
    request = Request({"content-type": "application/json"}, b"{", datetime.now(UTC))
    refusal = Refused(400, "bad", "It was not right.")

    def work(session: Any) -> None:
        for row in session.scalars(select(QuarantinedRequest)):
            session.delete(row)
        session.flush()
        assert quarantine.hold(session, place.world.source, request, refusal)

    sources.update(place.world.source.id, enabled=True)
    in_transaction(work)


def an_open_breaker(place: Place) -> None:
    away = {
        "state": BreakerState.OPEN,
        "reason": "It is away.",
        "retry_at": datetime(2099, 1, 1, tzinfo=UTC),
    }
    in_transaction(
        lambda session: session.merge(
            Breaker(hook_id=place.world.hook.id, failures=5, probes=0, **away)
        )
    )


_numbers = iter(range(1, 1_000))

DEEDS = (
    Deed(
        "replay a delivery",
        ("delivery.replayed",),
        "delivery",
        a_dead_delivery,
        ("deliveries/{delivery}/replay", {}),
        ("POST", "deliveries/{delivery}/replay", None),
        "deliveries replay {delivery}",
    ),
    Deed(
        "replay all of a filter",
        ("deliveries.replayed",),
        None,
        a_dead_delivery,
        ("deliveries/replay?state=dead&hook={hook}", {}),
        ("POST", "deliveries/replay?state=dead&hook_id={hook}", None),
        "deliveries replay --state dead --hook {hook}",
    ),
    Deed(
        "replay all of a state",
        ("deliveries.replayed",),
        None,
        a_dead_delivery,
        ("deliveries/replay?state=dead", {}),
        ("POST", "deliveries/replay?state=dead", None),
        "deliveries replay --state dead --all",
    ),
    Deed(
        "skip",
        ("delivery.skipped",),
        "delivery",
        a_dead_delivery,
        ("deliveries/{delivery}/skip", {"reason": "Test"}),
        ("POST", "deliveries/{delivery}/skip", {"reason": "Test"}),
        "deliveries skip {delivery} --reason Test",
    ),
    Deed(
        "insist",
        ("delivery.insisted",),
        "delivery",
        a_delivery_kept_back,
        ("deliveries/{delivery}/insist", {}),
        ("POST", "deliveries/{delivery}/insist", None),
        "deliveries insist {delivery}",
    ),
    Deed(
        "discard",
        ("request.discarded",),
        "request",
        a_held_request,
        ("quarantine/{request}/discard", {}),
        ("DELETE", "requests/{request}", None),
        "quarantine discard {request} --yes",
    ),
    Deed(
        "probe",
        ("breaker.probed",),
        "hook",
        an_open_breaker,
        ("hooks/{hook}/probe", {}),
        ("POST", "hooks/{hook}/probe", None),
    ),
    Deed(
        "disable a hook",
        ("hook.updated",),
        "hook",
        a_hook,
        ("hooks/{hook}/disable", {}),
        ("POST", "hooks/{hook}/disable", None),
        "hooks disable {hook}",
    ),
    Deed(
        "enable a hook",
        ("hook.updated",),
        "hook",
        switched_off,
        ("hooks/{hook}/enable", {}),
        ("POST", "hooks/{hook}/enable", None),
        "hooks enable {hook}",
    ),
    Deed(
        "pause",
        ("hook.updated",),
        "hook",
        a_hook,
        ("hooks/{hook}/pause", {"reason": "Test"}),
        ("POST", "hooks/{hook}/pause", {"reason": "Test"}),
        "hooks pause {hook} --reason Test",
    ),
    Deed(
        "resume",
        ("hook.updated", "hook.tested", "hook.updated"),
        "hook",
        paused,
        ("hooks/{hook}/resume", {}),
        ("POST", "hooks/{hook}/resume", None),
        "hooks resume {hook}",
    ),
    Deed(
        "test the connection",
        ("hook.tested",),
        "hook",
        a_hook,
        ("hooks/{hook}/test", {}),
        ("POST", "hooks/{hook}/test", None),
        "hooks test {hook}",
    ),
    Deed(
        "set limits",
        ("hook.updated",),
        "hook",
        a_hook,
        ("hooks/{hook}/limits", {"name": "Small CRM", "concurrency": "3"}),
        ("PATCH", "hooks/{hook}", {"concurrency": 3}),
    ),
    Deed(
        "change settings",
        ("hook.tested", "hook.updated"),
        "hook",
        another_name,
        ("hooks/{hook}/edit", {"s-name": "b"}),
        ("PATCH", "hooks/{hook}", {"settings": {"name": "b"}}),
        "hooks update {hook} --set name=b",
    ),
    Deed(
        "delete a hook",
        ("hook.deleted",),
        "hook",
        another_hook,
        ("hooks/{hook}/delete", {}),
        ("DELETE", "hooks/{hook}", None),
        "hooks delete {hook} --yes",
    ),
    Deed(
        "disable a source",
        ("source.updated",),
        "source",
        lambda place: sources.update(place.world.source.id, enabled=True) and None,
        ("sources/{source}/disable", {}),
        ("PATCH", "sources/{source}", {"enabled": False}),
        "sources disable {source}",
    ),
    Deed(
        "enable a source",
        ("source.updated",),
        "source",
        switched_off,
        ("sources/{source}/enable", {}),
        ("PATCH", "sources/{source}", {"enabled": True}),
        "sources enable {source}",
    ),
    Deed(
        "release a request",
        ("request.released",),
        "request",
        a_held_request,
        ("quarantine/{request}/release", {}),
        ("POST", "requests/{request}/release", None),
        "quarantine release {request}",
    ),
    Deed(
        "release all of a source",
        ("requests.released",),
        "source",
        a_held_request,
        ("sources/{source}/release", {}),
        cli="quarantine release --source {source}",
    ),
)
