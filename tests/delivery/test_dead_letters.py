"""What the log says of a dead letter."""

from __future__ import annotations

import logging

from sqlalchemy import update

from hub.database import in_transaction
from hub.models import Delivery, DeliveryState
from hub.sdk import Rejected


def told(caplog) -> list[dict]:
    return [line.fields for line in caplog.records if line.getMessage() == "dead letter"]


def test_the_log_names_its_connection(world, crm, caplog):
    crm.troubles = [Rejected("No such category.")]
    world.send("contact.created")
    with caplog.at_level(logging.ERROR):
        world.work()
    of_hook = {"hook": world.hook.id, "plugin": "crm"}
    assert told(caplog) == [{**of_hook, "delivery": 1, "reason": "No such category."}]


def test_the_log_names_the_connection_of_one_that_killed_its_workers(world, crm, caplog):
    world.send("contact.created")
    died_often = update(Delivery).values(state=DeliveryState.RUNNING, bugs=4)
    in_transaction(lambda session: session.execute(died_often))
    with caplog.at_level(logging.ERROR):
        world.work()
    of_hook = {"hook": world.hook.id, "plugin": "crm"}
    reason = "The worker died 5 times while it worked on this."
    assert told(caplog) == [{**of_hook, "delivery": 1, "reason": reason}]
