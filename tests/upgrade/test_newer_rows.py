"""What a newer version has written, before a rollback or while both run, stops nothing here."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from hub.access import members, tokens
from hub.database import db, reading
from hub.models import Account, Attempt, Delivery, Hook, Link, Role, User
from tests.support.crm import World
from tests.support.people import Person, administrator, member


@pytest.fixture
def world(web: Flask) -> World:
    with web.app_context():
        return World(web)


def write(statement: str, **values: Any) -> None:
    """Past the constraints, which a newer version has widened."""
    with db.engine.connect() as connection:
        connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        connection.execute(text(statement), values)
        connection.commit()
        connection.execute(text("PRAGMA ignore_check_constraints = OFF"))


def states() -> list[str]:
    with reading() as session:
        return [str(one.state) for one in session.query(Delivery).order_by(Delivery.id)]


def asked(web: Flask, world: World, path: str) -> Any:
    """What the API answers an administrator."""
    with web.app_context(), reading() as session:
        user = session.query(User).filter_by(administrator=True).one()
        _, secret = tokens.create(user.id, "test", ["look"])
    headers = {"Authorization": f"Bearer {secret}"}
    answer = web.test_client().get(f"/api/v1/accounts/{world.account.id}/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)


def test_states_and_outcomes_that_are_not_known_are_shown_and_passed_over(web, world, crm):
    with web.app_context():
        world.send("contact.created")
        world.send("conversation.created", conversation="5")
        world.work()
        write("UPDATE deliveries SET state = 'parked' WHERE id = 1")
        write("UPDATE attempts SET outcome = 'told', calls = '[{\"kind\": \"new\"}]'")
        write("UPDATE links SET state = 'merged'")
        world.send("contact.updated")
        assert world.work() == 1
        assert states() == ["parked", "done", "done"]
        with reading() as session:
            assert session.query(Attempt).first().outcome.value == "told"
            assert session.query(Link).one().state.value == "merged"
    person: Person = administrator(web)
    base = f"/accounts/{world.account.id}"
    for path in ("deliveries", "deliveries/1", "events/1", "records?conversation=5", "", "queues"):
        person.page(f"{base}/{path}")
    assert "parked" in person.page(f"{base}/deliveries/1")
    (delivery,) = asked(web, world, "deliveries?state=done&limit=1")["items"]
    assert delivery["state"] == "done"
    told = asked(web, world, "deliveries/1")
    assert (told["state"], told["tries"][0]["outcome"]) == ("parked", "told")


def test_a_connection_in_a_state_that_is_not_known_waits_and_says_so(web, world, crm):
    with web.app_context():
        write("UPDATE hooks SET status = 'signing_in'")
        write(
            "INSERT INTO breakers (hook_id, state, failures, probes, reason, retry_at) "
            "VALUES (1, 'waiting', 0, 0, '', 0)"
        )
        world.send("contact.created")
        world.sweeper.sweep()
        assert (world.work(), states()) == (0, ["pending"])
        with reading() as session:
            assert session.query(Hook).one().status.value == "signing_in"
    person = administrator(web)
    base = f"/accounts/{world.account.id}"
    said = "The connection is in a state that this version of the hub does not know."
    assert said in person.page(f"{base}/deliveries")
    for path in ("hooks", "hooks/1", "queues", ""):
        assert "signing_in" in person.page(f"{base}/{path}") or path in ("queues", "")
    assert asked(web, world, "hooks")["items"][0]["status"] == "signing_in"


def test_a_role_and_a_scope_that_are_not_known_allow_nothing(web, world):
    person = member(web, world.account.id, Role.OWNER, "ann@example.com")
    with web.app_context():
        with reading() as session:
            account = session.query(Account).one()
        user = members.listed(account.id)[0][1]
        _, secret = tokens.create(user.id, "test", ["look"], account_id=account.id)
        write("UPDATE members SET role = 'auditor'")
        write('UPDATE api_tokens SET scopes = \'["look", "audit"]\'')
    assert person.get(f"/accounts/{account.id}/hooks").status_code == 403
    headers = {"Authorization": f"Bearer {secret}"}
    answer = web.test_client().get(f"/api/v1/accounts/{account.id}/hooks", headers=headers)
    assert answer.status_code == 403
