"""The door of the inbox, over HTTP."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from redis import Redis
from sqlalchemy import delete, select
from sqlalchemy.exc import DataError, OperationalError

from hub import services
from hub.accounts import sources
from hub.database import db, in_transaction, reading
from hub.delivery.sweeper import Sweeper
from hub.inbox import quarantine, release, source_memory
from hub.inbox.inbox import Inbox
from hub.models import Delivery, Event, Lane, QuarantinedRequest, Source
from hub.queue.ready import ReadyLanes
from hub.sdk.testing import payloads
from tests.inbox.looking import count
from tests.support.breaker import Breaker
from tests.support.postgres import HAS_POSTGRES
from tests.support.statements import before_each


def body_of(name: str) -> bytes:
    return payloads.raw(name)


def test_an_event_is_accepted_with_its_delivery_and_lane(door):
    answer = door.knock(body_of("contact_created_full"))
    assert answer.status_code == 202
    assert answer.json()["status"] == "accepted"
    with reading() as session:
        stored = session.scalars(select(Event)).one()
        delivery = session.scalars(select(Delivery)).one()
        lane = session.scalars(select(Lane)).one()
    assert answer.json()["event_id"] == stored.id
    assert (stored.name, stored.contact_id) == ("contact.created", "506")
    assert (delivery.event_id, delivery.lane_id) == (stored.id, lane.id)
    assert lane.key == f"{door.source.id}/contact:506"
    taken = ReadyLanes(services.of(door.app).redis).take()
    assert taken is not None
    assert taken.lane_id == lane.id


def test_every_payload_sent_three_times_is_stored_once(door):
    for name in payloads.names():
        body = body_of(name)
        headers = door.signed(body)
        first = door.post(body, headers)
        assert first.status_code in (200, 202), (name, first.text)
        same_delivery = door.post(body, headers)
        other_delivery = door.knock(body)
        if first.json()["status"] == "ignored":
            assert same_delivery.json() == other_delivery.json() == first.json()
        else:
            assert (same_delivery.status_code, other_delivery.status_code) == (200, 200), name
            assert same_delivery.json() == other_delivery.json() == {"status": "duplicate"}
    assert count(Event) == count(Delivery) == 58
    assert count(QuarantinedRequest) == 0


def test_an_unknown_address_keeps_nothing(door):
    for path in ("chatwoot/wrong", f"events/{door.source.token}", f"moon/{door.source.token}"):
        answer = door.post(b"{}", door.signed(b"{}"), f"{door.url}/webhooks/{path}")
        assert answer.status_code == 404
    assert count(QuarantinedRequest) == 0


def test_a_disabled_source_is_not_there(door):
    sources.update(door.source.id, enabled=False)
    assert door.knock(b"{}").status_code == 404


@pytest.mark.parametrize(
    ("options", "code"),
    [({"secret": "another"}, "signature_wrong"), ({"age": 400}, "signature_stale")],
)
def test_what_is_not_proven_is_refused_and_held(door, options, code):
    answer = door.knock(body_of("contact_created_full"), **options)
    assert answer.status_code == 401
    assert answer.json()["held"] is True
    assert [held.code for held in release.held()] == [code]
    assert count(Event) == 0


def test_held_events_are_released_after_the_secret_was_mended(door):
    sources.update(door.source.id, signing_secret="typed wrong")
    body = body_of("contact_created_full")
    assert door.knock(body).status_code == 401
    (held,) = release.held()
    assert "still held" in release.release(held.id).outcome
    sources.update(door.source.id, signing_secret="kq3Vw8TzN5yRb2MhXcJp7LdF")
    released = release.release(held.id)
    assert released.outcome == "accepted"
    assert len(released.event_ids) == 1
    assert release.held() == []
    assert release.release(held.id) is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"event": "contact_cre', 400, "bad_json"),
        (b"[" * 100_000, 400, "bad_json"),
        (b'["a list"]', 400, "bad_payload"),
        (b'{"event": 5}', 400, "bad_payload"),
        (b'{"event": "contact_created", "id": {"a": 1}}', 400, "bad_payload"),
        (b'{"event": "contact_created"}', 400, "bad_payload"),
    ],
)
def test_bad_bodies_are_refused_by_field_and_held(door, body, status, code):
    answer = door.knock(body)
    assert answer.status_code == status
    assert [held.code for held in release.held()] == [code]
    if code == "bad_payload":
        assert answer.json()["field"] in answer.json()["error"]


def test_another_content_type_is_refused_and_held(door):
    headers = {**door.signed(b"{}"), "Content-Type": "text/plain"}
    assert door.post(b"{}", headers).status_code == 415
    assert [held.code for held in release.held()] == ["not_json"]


def test_unknown_events_are_ignored_politely(door):
    answer = door.knock(b'{"event": "moon_phase", "id": 1}')
    assert answer.status_code == 202
    assert answer.json()["status"] == "ignored"


def test_a_body_above_8_mib_is_refused_before_it_is_read(door):
    parts = urlsplit(door.address)
    with socket.create_connection((parts.hostname, parts.port), timeout=120) as connection:
        connection.sendall(
            f"POST {parts.path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
            f"Content-Length: {9 * 1024 * 1024}\r\n\r\n".encode()
        )
        assert b" 413 " in connection.recv(4096)
    assert count(QuarantinedRequest) == 0


def test_a_long_mail_is_accepted(door):
    data = payloads.load("message_created_incoming_email")
    data["content"] = "x" * 3_000_000
    assert door.knock(json.dumps(data).encode()).status_code == 202


def test_texts_that_databases_refuse_are_accepted(door):
    data = json.dumps({**payloads.load("contact_created_full"), "name": "NAME"})
    body = data.replace("NAME", "a\\u0000b\\ud800c").encode()
    assert door.knock(body).status_code == 202
    with reading() as session:
        stored = session.scalars(select(Event)).one()
    assert stored.data["contact"]["name"] == "a�b�c"


def test_an_old_chatwoot_that_does_not_sign(door):
    body = body_of("conversation_created_old_version_4_7")
    headers = {"Content-Type": "application/json"}
    assert door.post(body, headers).status_code == 401
    sources.update(door.source.id, allow_unsigned=True)
    with door.app.app_context():
        services.of(door.app).single(Inbox).sources.forget()
    assert door.post(body, headers).status_code == 202
    assert door.knock(body, secret="wrong").status_code == 401, "a false signature stays false"


def test_a_source_without_a_secret_yet_holds_what_comes(door):
    sources.update(door.source.id, signing_secret="")
    assert door.knock(body_of("contact_created_full")).status_code == 401
    assert [held.code for held in release.held()] == ["no_secret"]


@pytest.mark.parametrize("body", [body_of("contact_updated_email_changed"), b"{"])
def test_a_source_that_was_deleted_a_moment_ago_is_not_there(door, body):
    assert door.knock(body_of("contact_created_full")).status_code == 202
    in_transaction(lambda s: s.execute(delete(Source).where(Source.id == door.source.id)))
    assert door.knock(body).status_code == 404, "this process knows it still"


def test_the_quarantine_is_bounded(door, monkeypatch):
    monkeypatch.setattr(quarantine, "MOST_REQUESTS", 2)
    answers = [door.knock(b"{", secret="x").json()["held"] for _ in range(3)]
    assert answers == [True, True, False]
    assert count(QuarantinedRequest) == 2


def test_without_redis_events_are_accepted_and_delivered_later(door, crm, config):
    redis = services.of(door.app).redis
    dead = Redis(unix_socket_path=str(config.data_dir / "nothing.sock"))
    announcer = services.of(door.app).single(Inbox).writer._announce.__self__
    ready, waker = announcer._ready, announcer._waker
    announcer._ready = ReadyLanes(dead)
    assert door.knock(body_of("contact_created_full")).status_code == 202
    assert ReadyLanes(redis).take() is None
    announcer._ready, announcer._waker = ready, waker
    assert Sweeper(door.app).sweep() == 1
    assert ReadyLanes(redis).take() is not None


def test_a_database_that_cannot_store_answers_503(door):
    def refuse(connection, statement):
        if statement.startswith("INSERT INTO events"):
            raise OperationalError(statement, {}, OSError("No space left on device"))

    with before_each(refuse):
        answer = door.knock(body_of("contact_created_full"))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert count(Event) == 0
    assert door.knock(body_of("contact_created_full")).status_code == 202


@pytest.mark.parametrize("config", ["postgresql"] if HAS_POSTGRES else [], indirect=True)
def test_a_connection_that_breaks_at_any_statement_costs_no_webhook(door, config):
    """Whoever is restarted with the database standing again must not refuse what comes then."""
    breaker = Breaker(config.database_url)

    def meet(connection, _: str) -> None:
        if breaker.meets():
            breaker.end(connection.connection.driver_connection)

    def knock(contact: int) -> int:
        body = json.loads(body_of("contact_created_full")) | {"id": contact}
        services.of(door.app).single(Inbox).sources.forget()
        breaker.met = 0
        return door.knock(json.dumps(body).encode()).status_code

    with before_each(meet):
        assert knock(1000) == 202
        moments = breaker.met
        assert moments > 3
        for moment in range(1, moments + 1):
            breaker.at = moment
            assert knock(1000 + moment) == 202, f"broken at moment {moment}"
            breaker.at = None
    assert count(Event) == count(Delivery) == moments + 1


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_a_full_disk_answers_503_until_there_is_room(door):
    """SQLite's own error, on the connection that writes, which serves on afterwards."""
    name = "contact_created_full"
    assert door.knock(body_of(name)).status_code == 202
    driver = services.of(door.app).database._writer._driver
    (pages,) = driver.execute("PRAGMA page_count").fetchone()
    driver.execute(f"PRAGMA max_page_count = {pages}")
    large = json.loads(body_of(name)) | {"id": 9_001, "name": "x" * 100_000}
    answer = door.knock(json.dumps(large).encode())
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert count(Event) == 1
    driver.execute(f"PRAGMA max_page_count = {10 * pages}")
    assert door.knock(json.dumps(large).encode()).status_code == 202
    assert count(Event) == 2


def test_what_the_database_refuses_for_ever_is_held(door):
    def refuse(connection, statement):
        if statement.startswith("INSERT INTO events"):
            raise DataError(statement, {}, ValueError("out of range"))

    with before_each(refuse):
        answer = door.knock(body_of("contact_created_full"))
    assert (answer.status_code, answer.json()["held"]) == (400, True)
    (held,) = release.held()
    assert release.release(held.id).outcome == "accepted"


def test_many_at_once_are_all_stored(door):
    body = json.loads(body_of("contact_created_full"))
    answers: list[int] = []

    def send(start: int) -> None:
        for number in range(start, start + 10):
            data = json.dumps({**body, "id": number}).encode()
            answers.append(door.knock(data).status_code)

    threads = [threading.Thread(target=send, args=(100 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [202] * 80
    assert count(Event) == count(Delivery) == count(Lane) == 80


def test_no_secret_is_stored_in_clear(door, config):
    planted = "planted-secret-4711"
    sources.update(door.source.id, signing_secret=planted)
    door.knock(b'{"token": "planted-in-a-held-body"}', secret="x")
    data = payloads.load("conversation_created_widget_with_message")
    data["contact_inbox"]["pubsub_token"] = "planted-pubsub"
    door.knock(json.dumps(data).encode(), secret=planted)
    with reading() as session:
        rows = [
            str(row)
            for table in db.metadata.sorted_tables
            for row in session.connection().exec_driver_sql(f"SELECT * FROM {table.name}")
        ]
    text = "\n".join(rows)
    assert "contact:501" in text, "the dump holds the event"
    for secret in (planted, "planted-in-a-held-body", "planted-pubsub", door.source.token):
        assert secret not in text
    if config.database_url.startswith("sqlite"):
        for name in os.listdir(config.data_dir):
            content = (config.data_dir / name).read_bytes()
            assert planted.encode() not in content


def test_a_burst_asks_for_its_source_once(door, monkeypatch):
    """Each that asked would take a connection to the database."""
    asked = []

    def read(session, key):
        asked.append(key)
        time.sleep(0.05)
        return read_really(session, key)

    memory = services.of(door.app).single(Inbox).sources
    read_really = source_memory._read
    monkeypatch.setattr(source_memory, "_read", read)
    token = door.source.token

    def find(_: int) -> object:
        with door.app.app_context():
            return memory.find("chatwoot", token)

    memory.forget()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(find, range(8)))
    assert all(found)
    assert len(asked) == 1
