"""What is kept back until it is known whose it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from hub.database import in_transaction, reading
from hub.delivery import kept
from hub.history import (
    replay,
    status,
)
from hub.history.leftovers import (
    is_settled,
    leftovers,
)
from hub.history.standing import Cause
from hub.models import Attempt, Delivery, DeliveryState, KeptBack, Lane
from hub.sdk import RetryLater
from tests.support.statements import before_each

BATCH = {"message.created": 50}


@pytest.fixture
def keeping(make_world):
    return make_world(keeps_back=True, batches=BATCH)


def states() -> list[str]:
    with reading() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        return ["kept" if row.kept_until else row.state.value for row in rows]


def slips() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(KeptBack)) or 0


def chat(world, contact: str = "1", conversation: str = "5", **options) -> None:
    """A conversation of a contact begins with two messages."""
    who = {"contact": contact, "conversation": conversation, **options}
    world.send("conversation.created", **who)
    for number in (1, 2):
        world.send("message.created", message=f"{conversation}{number}", **who)
    world.work()


STORY = [("conversation.created", "5"), ("message.created", "51"), ("message.created", "52")]


def test_an_unknown_person_is_kept_back_and_holds_up_nobody(keeping, crm):
    chat(keeping)
    assert states() == ["kept"] * 3
    assert keeping.work() == 0
    with reading() as session:
        lanes = session.scalars(select(Lane).order_by(Lane.id)).all()
        assert [lane.due_at is not None for lane in lanes] == [False, True]
        first = session.get_one(Delivery, 1)
        assert first.reason == "Nothing is known of the person."
        days = (first.kept_until - datetime.now(UTC)) / timedelta(days=1)
        assert 29.9 < days <= 30
        # No attempt failed, so no patience is used up.
        assert first.failing_since is None
        assert {a.outcome.value for a in session.scalars(select(Attempt))} == {"postponed"}
    keeping.send("contact.updated", email="ann@example.com", contact="2")
    assert keeping.work() == 1
    assert states() == ["kept"] * 3 + ["done"]


@pytest.mark.parametrize("name", ["contact.updated", "message.created"])
def test_who_becomes_known_gets_everything_in_order(keeping, crm, name):
    chat(keeping)
    about = {"conversation": "5", "message": "53"} if name == "message.created" else {}
    keeping.send(name, email="ann@example.com", **about)
    assert keeping.work() == 4
    assert crm.handled == [*STORY, (name, about.get("message", "1"))]
    assert states() == ["done"] * 4
    assert slips() == 0


def test_after_a_merge_the_conversation_follows_its_new_contact(keeping, crm):
    chat(keeping)
    chat(keeping, contact="7", conversation="6")
    keeping.send("message.updated", contact="2", email="b@c.de", conversation="5", message="51")
    keeping.work()
    assert crm.handled == [*STORY, ("message.updated", "51")]
    assert states() == ["done"] * 3 + ["kept"] * 3 + ["done"]


def test_a_message_that_comes_late_with_the_old_contact_is_not_forgotten(keeping, crm):
    keeping.send("message.updated", contact="2", email="b@c.de", conversation="5", message="51")
    keeping.work()
    chat(keeping)
    assert crm.handled == [("message.updated", "51"), *STORY]
    assert states() == ["done"] * 4


def test_those_who_are_known_further_back_in_the_lane_are_not_kept_waiting(keeping, crm):
    for number, email in (("1", None), ("2", "ann@example.com")):
        keeping.send("message.created", conversation="5", message=number, email=email)
    keeping.work()
    assert crm.handled == [("message.created", "1"), ("message.created", "2")]
    assert states() == ["done", "done"]


def test_who_is_known_pays_no_statement_for_what_others_keep_back(keeping, crm):
    """Whether the hook keeps anything back is told by the statement that reads the hook."""

    def asked(contact: str) -> tuple[list[str], int]:
        told: list[str] = []
        keeping.send("contact.updated", email="ann@example.com", contact=contact)
        with before_each(lambda _, statement: told.append(statement)):
            assert keeping.work() == 1
        return [statement for statement in told if "kept_deliveries" in statement], len(told)

    asked("1")  # what is prepared once, and the first delivery of a hook
    of_keeping, before = asked("2")
    assert [statement.split()[0] for statement in of_keeping] == ["SELECT"]
    assert "hooks.settings" in of_keeping[0]
    chat(keeping, contact="9", conversation="90")
    of_keeping, after = asked("3")
    assert len(of_keeping) == 2, "and one look whether it is this person's"
    assert after == before + 1


def test_an_event_that_tells_nothing_new_releases_nothing(keeping, crm):
    chat(keeping)
    keeping.send("contact.updated")
    keeping.work()
    assert states() == ["kept"] * 4
    assert crm.handled == []


def test_a_failure_after_the_release_keeps_the_order(keeping, crm):
    chat(keeping)
    crm.troubles = [RetryLater("The CRM is down.", delay=0)]
    keeping.send("contact.updated", email="ann@example.com")
    keeping.work()
    assert states() == ["waiting", "pending", "pending", "pending"]
    in_transaction(
        lambda session: session.execute(
            update(Delivery).where(Delivery.id == 1).values(due_at=datetime.now(UTC))
        )
    )
    in_transaction(lambda s: s.execute(update(Lane).values(due_at=datetime.now(UTC))))
    keeping.sweeper.sweep()
    keeping.work()
    assert crm.handled == [*STORY, ("contact.updated", "1")]


def test_a_plugin_that_errs_about_who_is_known_does_not_turn_in_circles(make_world, crm):
    world = make_world(keeps_back=True, is_known=lambda event, region: True)
    chat(world)
    assert states() == ["kept"] * 3
    with reading() as session:
        assert session.scalar(select(func.max(Delivery.attempts))) == 2


def test_what_nobody_was_known_for_is_skipped_when_its_time_is_over(keeping, crm, monkeypatch):
    monkeypatch.setattr(kept, "BATCH", 2)
    chat(keeping)
    past = datetime.now(UTC) - timedelta(seconds=1)

    def pass_time(session) -> None:
        session.execute(update(KeptBack).values(until=past))
        session.execute(update(Delivery).values(due_at=past))
        session.execute(update(Lane).where(Lane.key == kept.LANE_KEY).values(due_at=past))

    in_transaction(pass_time)
    for _ in range(2):
        keeping.sweeper.sweep()
        keeping.work()
    assert states() == ["skipped"] * 3
    assert slips() == 0
    with reading() as session:
        first = session.get_one(Delivery, 1)
        assert first.reason == (
            f"Kept back until {past:%Y-%m-%d}, in vain. Nothing is known of the person."
        )
        assert session.scalars(select(Lane.due_at)).all() == [None, None]
    assert replay.replay(1)
    keeping.send("contact.updated", email="ann@example.com")
    keeping.sweeper.sweep()
    keeping.work()
    assert crm.handled == [("conversation.created", "5"), ("contact.updated", "1")]


def test_whoever_insists_gets_the_whole_conversation_at_once(keeping, crm):
    chat(keeping)
    chat(keeping, contact="7", conversation="6")
    assert replay.insist(2) == 3
    assert replay.insist(2) == 0, "it is owed already"
    keeping.sweeper.sweep()
    keeping.work()
    assert crm.handled == STORY
    assert states() == ["done"] * 3 + ["kept"] * 3


def test_it_counts_for_itself(keeping, crm):
    chat(keeping)
    assert is_settled({"crm"})
    left = leftovers({"crm"})
    (held,) = left.held
    assert (left.going, held.count, held.oldest_id) == (0, 3, 1)
    assert held.standing.cause == Cause.KEPT_BACK
    (backlog,) = status.backlog(keeping.account.id)
    assert (backlog.lanes, backlog.oldest) == (0, None)


def test_who_can_do_nothing_without_the_person_is_not_asked_to(make_world, crm):
    world = make_world(keeps_back=True, can_insist=False)
    chat(world)
    assert replay.insist(1) == 0
    assert states() == ["kept"] * 3


def test_one_that_is_replayed_by_hand_is_kept_back_again_in_its_place(keeping, crm):
    chat(keeping)
    assert replay.replay(2)
    keeping.sweeper.sweep()
    keeping.work()
    assert states() == ["kept"] * 3
    assert replay.skip(3, "Not of interest.")
    keeping.send("contact.updated", email="ann@example.com")
    keeping.work()
    assert crm.handled == [*STORY[:2], ("contact.updated", "1")]


def test_what_an_older_version_made_owed_goes_home(keeping, crm):
    """It knows of no keeping: it changes the delivery and leaves it where it is."""
    chat(keeping)

    def replay_as_before(session) -> None:
        values = {"state": DeliveryState.PENDING, "due_at": None, "reason": ""}
        session.execute(update(Delivery).where(Delivery.id == 2).values(**values))
        session.execute(
            update(Lane).where(Lane.key == kept.LANE_KEY).values(due_at=datetime.now(UTC))
        )

    in_transaction(replay_as_before)
    for _ in range(2):
        keeping.sweeper.sweep()
        keeping.work()
    assert states() == ["kept"] * 3
    with reading() as session:
        assert len(set(session.scalars(select(KeptBack.home_lane_id)))) == 1
        assert session.get_one(Delivery, 2).attempts == 2
