"""A kind of source that a plugin brings: its proof, and what comes while it is missing or fails."""

from __future__ import annotations

import json
import time

from sqlalchemy import select

from hub.accounts import accounts, sources
from hub.database import reading
from hub.inbox import quarantine, release
from hub.inbox.sources import KINDS, BadSignature
from hub.models import Delivery, Event, QuarantinedRequest
from tests.inbox.looking import count


class Acme:
    """A kind of a plugin's own, with headers of its own."""

    name = "acme"
    headers = ("x-acme-signature", "x-acme-part-")

    def is_signed(self, headers):
        return True

    def verify(self, secret, headers, body, now):
        if headers.get("x-acme-signature") != f"of {secret}" or "x-acme-part-1" not in headers:
            raise BadSignature("wrong", "It is not of Acme.")

    def delivery_id(self, headers):
        return None

    def sent_at(self, headers):
        return time.time()

    def parse(self, data, source, received_at):
        return KINDS["events"].parse(data, source, received_at)


ACME_EVENT = json.dumps({"event": "contact.created", "id": "1", "contact": {"id": "7"}}).encode()


def knock_as_acme(door, secret: str = "known"):
    source = sources.create(accounts.find("Acme"), "acme", signing_secret=secret)
    headers = {
        "Content-Type": "application/json",
        "X-Acme-Signature": "of known",
        "X-Acme-Part-1": "a",
        "Authorization": "Bearer of-the-proxy",
        "Cookie": "a=b",
        "X-Other": "c",
    }
    url = f"{door.url}/webhooks/acme/{source.token}"
    return source, lambda: door.post(ACME_EVENT, headers, url)


def kept_headers() -> set[str]:
    with reading() as session:
        return set(session.scalars(select(QuarantinedRequest)).one().headers)


def test_what_a_kind_needs_for_its_proof_is_held_too(door, monkeypatch):
    monkeypatch.setitem(KINDS, "acme", Acme())
    source, knock = knock_as_acme(door, secret="typed wrong")
    assert knock().status_code == 401
    assert kept_headers() == {"content-type", "user-agent", "x-acme-signature", "x-acme-part-1"}
    sources.update(source.id, signing_secret="known")
    (held,) = release.held()
    assert release.release(held.id).outcome == "accepted"


def test_what_comes_while_its_kind_is_missing_is_held_and_taken_later(door, monkeypatch):
    with monkeypatch.context() as installed:
        installed.setitem(KINDS, "acme", Acme())
        _, knock = knock_as_acme(door)
    answer = knock()
    assert (answer.status_code, answer.json()["status"]) == (202, "held")
    assert "authorization" not in kept_headers()
    assert "cookie" not in kept_headers()
    (held,) = release.held()
    assert held.code == "kind_missing"
    assert "still held" in release.release(held.id).outcome
    assert release.release_returned() == 0
    monkeypatch.setitem(KINDS, "acme", Acme())
    assert release.release_returned() == 1
    assert (release.held(), count(Event), count(Delivery)) == ([], 1, 1)


def test_what_a_kind_fails_at_is_held_and_stops_no_other(door, monkeypatch):
    """Nobody sends it again; and the sweeper's process tries whatever has its kind back."""
    with monkeypatch.context() as installed:
        installed.setitem(KINDS, "acme", Acme())
        _, knock = knock_as_acme(door)
    knock()
    knock()
    kind = Acme()
    monkeypatch.setitem(KINDS, "acme", kind)
    monkeypatch.setattr(kind, "parse", lambda *_: {}["shape"], raising=False)
    answer = knock()
    assert (answer.status_code, answer.json()["held"]) == (500, True)
    assert "KeyError" in answer.json()["error"]
    assert release.release_returned() == 2
    assert {item.code for item in release.held()} == {"kind_failed"}
    assert release.release_returned() == 0


def test_what_cannot_even_be_held_is_to_be_sent_again(door, monkeypatch):
    with monkeypatch.context() as installed:
        installed.setitem(KINDS, "acme", Acme())
        _, knock = knock_as_acme(door)
    monkeypatch.setattr(quarantine, "MOST_REQUESTS", 0)
    answer = knock()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
