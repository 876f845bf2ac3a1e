"""Lists, counts and deeds of one account know nothing of another one's."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from hub import audit, errors
from hub.access import tokens
from hub.access.identity import Identity
from hub.accounts import (
    accounts,
    hooks,
    sources,
)
from hub.database import in_transaction, reading
from hub.inbox import quarantine
from hub.inbox.quarantine import Refused, Request
from hub.models import Attempt, Delivery, DeliveryState, Event, Lane, Role, User
from hub.sdk import Rejected
from tests.support.crm import Crm, World
from tests.support.people import Person, administrator, member

THEIRS = "Zacharias Elsewhere"
HOSTILE = "\"'><script>alert(1)</script>"


@dataclass
class Neighbours:
    """Two accounts with the same numbers; ``person`` owns the first one only."""

    app: Flask
    mine: World
    theirs: World
    person: Person
    failed: int

    def page(self, rest: str) -> str:
        return self.person.page(f"/accounts/{self.mine.account.id}/{rest}")


def happen(world: World, crm: Crm, name: str) -> int:
    """An event of a contact of this name, whose delivery fails; returns the delivery's id."""
    crm.troubles.append(Rejected(f"{name} was refused."))
    (event_id,) = world.send("conversation.created", conversation="7", contact="7")
    world.work()

    def change(session):
        event = session.get_one(Event, event_id)
        event.data = {**event.data, "contact": {"id": "7", "name": name}}
        return session.scalar(select(Delivery.id).where(Delivery.event_id == event_id))

    return in_transaction(change)


@pytest.fixture
def neighbours(web: Flask, crm: Crm) -> Neighbours:
    with web.app_context():
        mine = World(web)
        theirs = copy(mine)
        theirs.account = accounts.create("Other")
        theirs.source = sources.create(theirs.account, "events", name=THEIRS)
        theirs.hook = hooks.create(theirs.account, "crm", {})[0]
        happen(mine, crm, "Ana Here")
        failed = happen(theirs, crm, THEIRS)
    administrator(web)
    return Neighbours(web, mine, theirs, member(web, mine.account.id, Role.OWNER), failed)


@pytest.mark.parametrize(
    "rest",
    [
        "deliveries",
        "deliveries?state=dead",
        "deliveries?text=e",
        "deliveries?event=conversation.created",
        "deliveries?conversation=7",
        "events",
        "events?text=e",
        "events?conversation=7",
        "records?text=e",
        "records?contact=7",
        "records?conversation=7",
    ],
)
def test_searches_find_only_what_is_ours(neighbours, rest):
    text = neighbours.page(rest)
    assert "Ana Here" in text
    assert THEIRS not in text


def test_the_hook_of_others_finds_nothing(neighbours):
    hook_id = neighbours.theirs.hook.id
    assert THEIRS not in neighbours.page(f"deliveries?hook={hook_id}")
    neighbours.person.post(
        f"/accounts/{neighbours.mine.account.id}/deliveries/replay?state=dead&hook={hook_id}"
    )
    with neighbours.app.app_context(), reading() as session:
        assert session.get_one(Delivery, neighbours.failed).state == DeliveryState.DEAD


def test_replaying_all_leaves_others_alone(neighbours):
    neighbours.person.does(f"/accounts/{neighbours.mine.account.id}/deliveries/replay?state=dead")
    with neighbours.app.app_context(), reading() as session:
        assert session.get_one(Delivery, neighbours.failed).state == DeliveryState.DEAD


def test_queues_do_not_tell_what_workers_do_for_others(neighbours, monkeypatch):
    monkeypatch.setattr("hub.history.status.live_workers", lambda _: ["worker-1"])

    def take(world):
        return (
            update(Lane)
            .where(Lane.hook_id == world.hook.id)
            .values(owner="worker-1/1", lease_until=datetime.now(UTC) + timedelta(minutes=1))
        )

    with neighbours.app.app_context():
        for world in (neighbours.mine, neighbours.theirs):
            in_transaction(lambda session, world=world: session.execute(take(world)))
        with reading() as session:
            keys = {lane.hook_id: lane.key for lane in session.scalars(select(Lane))}
    text = neighbours.page("queues")
    assert f">{keys[neighbours.mine.hook.id]}<" in text
    assert f">{keys[neighbours.theirs.hook.id]}<" not in text


def test_quarantine_and_audit_log_are_ours(neighbours):
    refusal = Refused(400, "bad", f"{THEIRS} sent nonsense.")
    request = Request({"content-type": "text/plain"}, b"{", datetime.now(UTC))
    with neighbours.app.app_context():
        source = neighbours.theirs.source
        in_transaction(lambda s: quarantine.hold(s, source, request, refusal))
        with audit.acting(audit.Actor(THEIRS)):
            audit.note("hook.updated", account_id=neighbours.theirs.account.id)
    assert THEIRS not in neighbours.page("quarantine")
    assert THEIRS not in neighbours.page("audit")


def test_names_and_answers_from_outside_are_escaped(neighbours, crm):
    with neighbours.app.app_context():
        delivery_id = happen(neighbours.mine, crm, HOSTILE)

        def change(session):
            attempt = session.scalar(select(Attempt).where(Attempt.delivery_id == delivery_id))
            attempt.detail = attempt.traceback = HOSTILE
            told = {"method": "GET", "url": f"http://crm/{HOSTILE}", "status": 200}
            bodies = {"request_body": HOSTILE, "response_body": HOSTILE, "error": HOSTILE}
            attempt.calls = [{**told, **bodies, "milliseconds": 1}, {"note": HOSTILE}]

        in_transaction(change)
    for rest in ("deliveries", f"deliveries/{delivery_id}", "events", "records?text=script"):
        text = neighbours.page(rest)
        assert "&lt;script&gt;alert(1)" in text, rest
        assert "<script>alert" not in text, rest


def test_a_traceback_is_for_those_who_repair(neighbours, crm):
    with neighbours.app.app_context():
        delivery_id = happen(neighbours.mine, crm, "Ana")

        def change(session):
            attempt = session.scalar(select(Attempt).where(Attempt.delivery_id == delivery_id))
            attempt.traceback = "Traceback of the plugin"

        in_transaction(change)
    rest = f"deliveries/{delivery_id}"
    assert "Traceback of the plugin" in neighbours.page(rest)
    viewer = member(neighbours.app, neighbours.mine.account.id, Role.VIEWER)
    page = viewer.page(f"/accounts/{neighbours.mine.account.id}/{rest}")
    assert "Traceback of the plugin" not in page


def test_an_account_of_others_looks_like_one_that_does_not_exist(neighbours):
    """To the letter, but for the number: neither its name nor that it is there is told."""
    neighbours.page("hooks")  # which shows what was to be said once
    theirs, nobodys = neighbours.theirs.account.id, 4711
    for rest in ("", "hooks", "deliveries", f"hooks/{neighbours.theirs.hook.id}"):
        shown = {
            number: neighbours.person.get(f"/accounts/{number}/{rest}")
            for number in (theirs, nobodys)
        }
        assert {answer.status_code for answer in shown.values()} == {404}
        mine, other = (_without(answer.text, number) for number, answer in shown.items())
        assert mine == other
        assert "Other" not in mine


def test_an_administrator_sees_a_page_for_an_account_that_does_not_exist(neighbours, web):
    root = Person(web)
    root.sign_in("root@example.com")
    answer = root.get("/accounts/4711/")
    assert answer.status_code == 404
    assert "This page does not exist" in answer.text


def _without(page: str, number: int) -> str:
    """A page without what differs anyway: the account's number and the form's token."""
    return re.sub(r'value="[\w.-]+\.[\w.-]+"', "", page).replace(
        f"/accounts/{number}/", "/accounts/N/"
    )


@pytest.mark.parametrize("scope", ["administer", "own"])
def test_a_token_gets_no_scope_that_its_maker_lacks(neighbours, scope):
    owner, account = neighbours.person, neighbours.mine.account.id
    answer = owner.post(f"/accounts/{account}/tokens", name="robot", scopes=["look", "administer"])
    assert answer.status_code == 400
    assert "that you have here yourself" in answer.text
    viewer = Identity(User(), {account: Role.VIEWER})
    with pytest.raises(errors.Refused, match="have here yourself"):
        tokens.require_within(viewer, [scope], None, account)


def test_a_name_that_another_account_has_can_be_chosen(neighbours):
    """A refusal would tell that there is one."""
    path = f"/accounts/{neighbours.mine.account.id}"
    page = neighbours.person.does(f"{path}/settings", name="Other")
    assert "Other" in page
    with neighbours.app.app_context():
        numbers = ", ".join(str(one.account.id) for one in (neighbours.mine, neighbours.theirs))
        with pytest.raises(errors.Refused, match=f"Give the number of one: {numbers}"):
            accounts.find("Other")
        assert accounts.find(neighbours.theirs.account.id).id == neighbours.theirs.account.id
        with pytest.raises(errors.Refused, match="already"):
            accounts.create("Other")
