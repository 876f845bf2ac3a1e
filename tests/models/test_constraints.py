"""What the database refuses, whatever the code does."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from hub import models
from hub.database import in_transaction
from hub.models import Account
from tests.support.crm import Crm, World, make_plugin


@pytest.fixture
def world(make_app):
    app = make_app(make_plugin(Crm()))
    with app.app_context():
        world = World(app)
        world.send("contact.created")
        world.work()
        yield world


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deliveries SET state = 'lost'",
        "UPDATE deliveries SET state = 'waiting'",
        "UPDATE deliveries SET state = 'dead', reason = ''",
        "UPDATE deliveries SET finished_at = NULL",
        "UPDATE deliveries SET due_at = 1",
        "UPDATE attempts SET finished_at = NULL",
        "UPDATE attempts SET outcome = 'running'",
        "UPDATE lanes SET owner = 'me'",
        "UPDATE lanes SET hook_id = 99",
        "UPDATE hooks SET status = 'fine'",
        "UPDATE hooks SET hook_type = 'inbox'",
        "UPDATE accounts SET name = ''",
        "INSERT INTO deliveries (event_id, hook_id, lane_id, state, reason, attempts, bugs,"
        " created_at) SELECT event_id, hook_id, lane_id, 'pending', '', 0, 0, 1 FROM deliveries",
        "INSERT INTO links (hook_id, kind, local_id, state, data, adopted, natural_key, begun_at,"
        " updated_at) VALUES (1, 'ticket', '5', 'linked', '{}', FALSE, '', 1, 1)",
        "INSERT INTO links (hook_id, kind, local_id, state, remote_id, data, adopted, natural_key,"
        " begun_at, updated_at) VALUES (1, 'ticket', '5', 'gone', '7', '{}', FALSE, '', 1, 1)",
    ],
)
def test_wrong_states_are_impossible(world, statement):
    with pytest.raises(IntegrityError):
        in_transaction(lambda session: session.execute(text(statement)))


def test_an_account_takes_everything_with_it(world):
    in_transaction(lambda session: session.delete(session.get_one(Account, world.account.id)))

    def counts(session):
        tables = ("sources", "hooks", "events", "deliveries", "attempts", "lanes")
        return [session.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables]

    assert in_transaction(counts) == [0] * 6


def test_every_model_is_where_it_is_looked_for():
    assert sorted(models._PLACES) == sorted(models.__all__)
    for name in models.__all__:
        assert getattr(models, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        models.nothing  # noqa: B018
