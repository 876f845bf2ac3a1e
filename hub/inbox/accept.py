"""Accepting: events, the deliveries they cause and their lanes, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from sqlalchemy import Insert, bindparam, case, func, insert, select
from sqlalchemy.orm import Session

from hub.database import JsonText, dialect_of, insert_into, table_of
from hub.database.prepared import (
    insert_each,
    run,
)
from hub.inbox.order import ARRIVAL, Place
from hub.inbox.sources import Draft
from hub.models import Account, Delivery, DeliveryState, Event, Hook, Lane
from hub.plugins import Registry
from hub.queue.ready import ReadyLane
from hub.sdk.events import to_data

_events, _lanes, _hooks = table_of(Event), table_of(Lane), table_of(Hook)
_accounts = table_of(Account)

_LISTENING = (
    select(
        *_hooks.c["account_id", "id", "plugin_id", "inbox_id"],
        _accounts.c.features,
    )
    .join(_accounts, _accounts.c.id == _hooks.c.account_id)
    .where(_hooks.c.account_id.in_(bindparam("account_ids", expanding=True)), _hooks.c.enabled)
    .order_by(_hooks.c.id)
)
_OWE = insert(table_of(Delivery)).inline()


@cache
def _store(dialect: str) -> Insert:
    add = insert_into(dialect, _events).on_conflict_do_nothing()
    return add.returning(*_events.c["id", "source_id", "dedupe_key"])


@cache
def _make_due(dialect: str) -> Insert:
    add = insert_into(dialect, _lanes)
    return add.on_conflict_do_update(
        index_elements=[_lanes.c.hook_id, _lanes.c.key],
        set_={
            # If an older delivery of the lane waits for its time, the whole lane waits.
            "due_at": func.coalesce(_lanes.c.due_at, add.excluded.due_at),
            "queued_at": case(
                (_lanes.c.due_at.is_(None), add.excluded.queued_at), else_=_lanes.c.queued_at
            ),
        },
    ).returning(*_lanes.c["id", "hook_id", "key", "due_at", "owner", "lease_until"])


@dataclass(frozen=True)
class Submission:
    """What one webhook means, ready to be stored."""

    account_id: int
    source_id: int
    drafts: Sequence[Draft]
    payload: Any
    delivery_id: str | None
    received_at: datetime
    #: The place of each draft in its lane. Empty: all keep the order of their arrival.
    places: Sequence[Place] = ()

    @cached_property
    def rows(self) -> Sequence[dict[str, Any]]:
        """The rows of the events. Make them before the transaction, so that it stays short."""
        payload = JsonText.of(self.payload)
        return [
            {
                "account_id": self.account_id,
                "source_id": self.source_id,
                "name": draft.event.name,
                "dedupe_key": draft.dedupe_key,
                "delivery_id": self.delivery_id,
                "part": part,
                "contact_id": draft.event.contact.id if draft.event.contact else None,
                "conversation_id": draft.event.conversation.id
                if draft.event.conversation
                else None,
                "message_id": draft.event.message.id if draft.event.message else None,
                "ordered_at": place.ordered_at,
                "settled_at": place.settled_at,
                "occurred_at": draft.event.occurred_at,
                "received_at": self.received_at,
                "data": JsonText.of(_canonical(draft)),
                "payload": payload,
            }
            for part, (draft, place) in enumerate(self.placed)
        ]

    @property
    def placed(self) -> Iterable[tuple[Draft, Place]]:
        """The drafts with their places."""
        return zip(self.drafts, self.places or [ARRIVAL] * len(self.drafts), strict=True)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The ids of each submission's new events (empty for a duplicate), and the lanes to queue."""

    event_ids: list[list[int]]
    ready: list[ReadyLane]


@dataclass(frozen=True, slots=True)
class _Debt:
    event_id: int
    hook_id: int
    lane_key: str
    #: When work on it may begin.
    due_at: datetime


def accept(session: Session, submissions: Sequence[Submission], registry: Registry) -> Accepted:
    """Store new events. Repeatable: events that are already stored count as duplicates.

    Lanes are written before deliveries. The row locks of the lanes make sure that on PostgreSQL,
    too, the deliveries of one lane become visible in the order of their ids.
    """
    new_ids = _store_events(session, submissions)
    event_ids: list[list[int]] = []
    debts: list[_Debt] = []
    now = max(item.received_at for item in submissions)
    hooks = _hooks_of(session, {item.account_id for item in submissions}) if new_ids else {}
    for item in submissions:
        ids = []
        for draft, place in item.placed:
            event_id = new_ids.pop((item.source_id, draft.dedupe_key), None)
            if event_id is None:
                continue
            ids.append(event_id)
            key = f"{item.source_id}/{draft.lane_key}"
            debts += [
                _Debt(event_id, hook.id, key, place.settled_at or now)
                for hook in hooks.get(item.account_id, ())
                if hook.listens_to(draft, registry)
            ]
        event_ids.append(ids)
    return Accepted(event_ids, _store_debts(session, debts, now))


@dataclass(frozen=True, slots=True)
class _ListeningHook:
    id: int
    plugin_id: str
    inbox_id: str | None
    features: frozenset[str]

    def listens_to(self, draft: Draft, registry: Registry) -> bool:
        conversation = draft.event.conversation
        inbox_id = conversation.inbox_id if conversation else None
        # Contacts belong to no inbox, so a hook of one inbox gets all contacts.
        if self.inbox_id and inbox_id is not None and str(inbox_id) != self.inbox_id:
            return False
        plugin = registry.plugins.get(self.plugin_id)
        if plugin is None:
            # The plugin is not installed now. When it is back, it decides what it wants.
            return True
        if plugin.feature_flag and plugin.feature_flag not in self.features:
            return False
        return draft.event.name in plugin.events


def _store_events(
    session: Session, submissions: Sequence[Submission]
) -> dict[tuple[int, str], int]:
    rows = [row for item in submissions for row in item.rows]
    stored = insert_each(session, _store(dialect_of(session)), rows)
    return {(source_id, dedupe_key): number for number, source_id, dedupe_key in stored}


def _canonical(draft: Draft) -> dict[str, Any]:
    data = to_data(draft.event)
    del data["id"]
    return data


def _hooks_of(session: Session, account_ids: set[int]) -> dict[int, list[_ListeningHook]]:
    rows = run(session, _LISTENING, account_ids=sorted(account_ids))
    hooks: dict[int, list[_ListeningHook]] = {}
    for row in rows:
        hook = _ListeningHook(row.id, row.plugin_id, row.inbox_id, frozenset(row.features))
        hooks.setdefault(row.account_id, []).append(hook)
    return hooks


def _store_debts(session: Session, debts: Sequence[_Debt], now: datetime) -> list[ReadyLane]:
    if not debts:
        return []
    due: dict[tuple[int, str], datetime] = {}
    for debt in debts:
        key = (debt.hook_id, debt.lane_key)
        due[key] = min(debt.due_at, due.get(key, debt.due_at))
    lanes = insert_each(
        session,
        _make_due(dialect_of(session)),
        [
            {"hook_id": hook_id, "key": key, "due_at": due_at, "queued_at": now, "epoch": 0}
            # Sorted, so that two transactions cannot deadlock.
            for (hook_id, key), due_at in sorted(due.items())
        ],
    ).all()
    lane_ids = {(lane.hook_id, lane.key): lane.id for lane in lanes}
    insert_each(
        session,
        _OWE,
        [
            {
                "event_id": debt.event_id,
                "hook_id": debt.hook_id,
                "lane_id": lane_ids[debt.hook_id, debt.lane_key],
                "state": DeliveryState.PENDING,
                "created_at": now,
                "reason": "",
                "attempts": 0,
                "bugs": 0,
            }
            for debt in debts
        ],
    )
    # Two kinds of lanes are not announced. A worker that has a lane finds its new deliveries before
    # it gives the lane back. A lane that must wait longer for an older delivery is found by the
    # sweeper.
    return [
        ReadyLane(lane.hook_id, lane.id, lane.due_at if lane.due_at > now else None)
        for lane in lanes
        if lane.due_at <= due[lane.hook_id, lane.key]
        and (lane.owner is None or lane.lease_until < now)
    ]
