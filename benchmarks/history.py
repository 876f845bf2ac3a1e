"""A database with a past: any number of stored events, made by the database itself.

``write`` fills the database of an application; it serves whatever is to be timed on a hub that has
been at work for long.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import Connection, func, select, text

from benchmarks.webhooks import Customer
from hub.database import db, to_microseconds
from hub.inbox.sources import KINDS
from hub.models import Attempt, Delivery, Event, Hook, Lane, Source
from hub.sdk import events as sdk
from hub.sdk.events import to_data

#: Events of one contact: one lane.
_EVENTS_OF_A_CONTACT = 10
_SPAN = timedelta(days=30)
_RANDOM_TEXT = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()::text"}

_NUMBERS = """
    WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {})
"""
_LANES = """
INSERT INTO lanes (id, hook_id, key, epoch)
{numbers} SELECT :first_lane + n, :hook, :source || '/contact:old-' || (:first_lane + n), 1
FROM numbers
"""
_EVENTS = """
INSERT INTO events (id, account_id, source_id, name, dedupe_key, delivery_id, part,
    contact_id, conversation_id, occurred_at, received_at, data, payload)
{numbers} SELECT :first_event + n, :account, :source, 'message.created',
    'message:old-' || (:first_event + n) || '\\:created', {random_text}, 0,
    'old-' || (:first_lane + n / {share}), 'old-' || (:first_lane + n / {share}),
    :began + n * :step, :began + n * :step, {data}, {payload}
FROM numbers
"""
_DELIVERIES = """
INSERT INTO deliveries (id, event_id, hook_id, lane_id, state, reason, url, attempts, bugs,
    created_at, finished_at)
{numbers} SELECT :first_delivery + n, :first_event + n, :hook, :first_lane + n / {share}, 'done',
    'Added to ticket ' || (:first_lane + n / {share}) || '.', 'https://glpi.example.com/', 1, 0,
    :began + n * :step, :began + n * :step
FROM numbers
"""
_ATTEMPTS = """
INSERT INTO attempts (delivery_id, number, outcome, worker, started_at, finished_at, detail, calls)
{numbers} SELECT :first_delivery + n, 1, 'done', 'worker', :began + n * :step, :began + n * :step,
    'Added.', {calls}
FROM numbers
"""


def write(app: Flask, events: int) -> None:
    """Add so many delivered events of the past month to a hub's first source and hook."""
    with app.app_context():
        with db.engine.connect() as connection:
            driver = connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                # What is made here may be made again.
                driver.execute("PRAGMA synchronous = OFF")
            _write(connection, events)
            connection.commit()
        # The planner must know the size of things, as it would after a month.
        with db.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        db.engine.dispose()


def _write(connection: Connection, events: int) -> None:
    dialect = connection.dialect.name
    source = connection.execute(select(Source.id, Source.account_id)).first()
    assert source is not None, "the hub has no source"
    message = json.loads(Customer().reply(1))
    began = datetime.now(UTC) - _SPAN
    parsed = KINDS["chatwoot"].parse(message, sdk.Source(source.id, "chatwoot"), began)
    values = {
        "account": source.account_id,
        "source": source.id,
        "hook": connection.scalar(select(func.min(Hook.id))),
        "first_lane": 1 + (connection.scalar(select(func.max(Lane.id))) or 0),
        "first_event": 1 + (connection.scalar(select(func.max(Event.id))) or 0),
        "first_delivery": 1 + (connection.scalar(select(func.max(Delivery.id))) or 0),
        "began": to_microseconds(began),
        "step": round(_SPAN / timedelta(microseconds=1)) // events,
    }
    documents = {
        "data": to_data(parsed.drafts[0].event),
        # Real ones are some kilobytes; nothing that is timed reads them.
        "payload": {"event": message["event"], "id": message["id"]},
        "calls": [],
    }
    for statement in (_LANES, _EVENTS, _DELIVERIES, _ATTEMPTS):
        rows = events // _EVENTS_OF_A_CONTACT if statement is _LANES else events
        connection.execute(
            text(
                statement.format(
                    numbers=_NUMBERS.format(rows),
                    share=_EVENTS_OF_A_CONTACT,
                    random_text=_RANDOM_TEXT[dialect],
                    **{name: _literal(dialect, value) for name, value in documents.items()},
                )
            ),
            {name: value for name, value in values.items() if f":{name}" in statement},
        )
    if dialect == "postgresql":
        for model in (Lane, Event, Delivery, Attempt):
            table = model.__tablename__
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )


def _literal(dialect: str, document: object) -> str:
    quoted = json.dumps(document).replace("'", "''").replace(":", r"\:")
    return f"'{quoted}'" if dialect == "sqlite" else f"CAST('{quoted}' AS json)"
