"""Whatever a plugin raises, and whatever fails in the hub, ends in the record of the delivery."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from hub import services
from hub.accounts import hooks
from hub.clock import SystemClock
from hub.database import in_transaction, reading
from hub.delivery import taking
from hub.fleet import upkeep
from hub.models import Attempt, Delivery, DeliveryState, Event, Lane
from hub.sdk import (
    Done,
    HubError,
    KeepBack,
    LaneLost,
    Postpone,
    Rejected,
    Remote,
    RetryLater,
    SetupService,
    Skip,
)


class OfItsOwn(HubError):
    """An error of a plugin's own."""


class Mute(HubError):
    """Has not even a sentence."""

    def __init__(self) -> None:
        pass


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise SystemExit(1)


ANYTHING: Sequence[BaseException] = (
    HubError("It is odd."),
    OfItsOwn("It is mine."),
    Mute(),
    LaneLost("It is not."),
    ValueError("one\x00two\udc00"),
    Unspeakable(),
    RecursionError("Too deep."),
    MemoryError(),
    StopIteration(),
    GeneratorExit(),
    SystemExit(3),
    KeyboardInterrupt(),
    asyncio.CancelledError(),
)


def found() -> Sequence[Delivery]:
    with reading() as session:
        return session.scalars(select(Delivery).order_by(Delivery.id)).all()


def last_attempts() -> Sequence[Attempt]:
    with reading() as session:
        return session.scalars(select(Attempt).order_by(Attempt.id)).all()


def owners() -> set[str | None]:
    with reading() as session:
        return set(session.scalars(select(Lane.owner)))


def all_due() -> None:
    now = SystemClock().now()

    def work(session: Any) -> None:
        waiting = Delivery.state == DeliveryState.WAITING
        session.execute(update(Delivery).where(waiting).values(due_at=now))
        session.execute(update(Lane).values(due_at=now, queued_at=None))

    in_transaction(work)


def raising(error: BaseException) -> Any:
    def work(*_: object, **__: object) -> Any:
        raise error

    return work


def test_whatever_a_handler_raises_is_a_bug_of_the_plugin(world, crm):
    for number, error in enumerate(ANYTHING):
        crm.troubles = [error]
        world.send("contact.created", contact=str(number))
        assert world.work() == 1
    assert owners() == {None}
    for error, delivery, attempt in zip(ANYTHING, found(), last_attempts(), strict=True):
        name = type(error).__name__
        assert (delivery.state, delivery.bugs) == (DeliveryState.WAITING, 1), name
        assert attempt.outcome == "bug"
        assert delivery.reason.startswith(f"The plugin failed: {name}"), delivery.reason
        assert name in (attempt.traceback or "")
    assert "It is mine. This kind of error does not say" in found()[1].reason


def test_whatever_a_batch_raises_is_a_bug_of_the_plugin(make_world, crm):
    world = make_world(batches={"message.created": 2})
    for number, _ in enumerate(ANYTHING):
        for message in (f"{number}-1", f"{number}-2"):
            world.send(
                "message.created", contact=str(number), conversation=str(number), message=message
            )
    crm.troubles = list(ANYTHING)
    assert world.work() == 2 * len(ANYTHING)
    assert owners() == {None}
    assert {delivery.bugs for delivery in found()} == {1}


def test_one_bad_answer_of_a_batch_spoils_no_other(make_world, crm, monkeypatch):
    world = make_world(batches={"message.created": 3})
    for number in ("1", "2", "3"):
        world.send("message.created", conversation="5", message=number)
    processor = services.of(world.app).registry.plugins["crm"].processor
    answers = [Done("Well."), HubError("Odd."), Done("Well, too.")]
    monkeypatch.setattr(processor, "handle_message_created_batch", lambda *_: iter(answers))
    world.work()
    assert [one.state for one in found()] == ["done", "waiting", "done"]


def test_after_five_times_it_is_a_dead_letter_and_the_lane_goes_on(world, crm):
    world.send("contact.created")
    world.send("contact.updated")
    crm.troubles = [SystemExit(1)] * 5
    for _ in range(6):
        world.sweeper.sweep()
        world.work()
        all_due()
    assert [one.state for one in found()] == ["dead", "done"]
    assert found()[0].reason == "The plugin failed: SystemExit: 1"


def test_whatever_a_plugin_raises_beside_its_handlers_keeps_no_lane(make_world, crm):
    def bad(*_: object) -> Any:
        raise SystemExit(1)

    world = make_world(identity_keys=bad, is_known=bad, keeps_back=True)
    world.send("message.created", conversation="5", message="1")
    world.work()
    world.send("contact.updated", email="ann@example.com")
    world.work()
    assert crm.handled == [("message.created", "1"), ("contact.updated", "1")]
    assert owners() == {None}


def test_a_finder_that_raises_anything_is_a_bug_of_the_plugin(world, crm, monkeypatch):
    class Records(list[str]):
        def __contains__(self, _: object) -> bool:
            raise KeyboardInterrupt

    world.send("conversation.created", conversation="5")
    with monkeypatch.context() as patched:
        patched.setattr(taking, "record", raising(ValueError("Not now.")))
        world.work()
    crm.records = Records(crm.records)
    all_due()
    world.sweeper.sweep()
    world.work()
    (delivery,) = found()
    assert delivery.reason == "The plugin failed: KeyboardInterrupt"
    assert crm.records == ["5"]


@pytest.mark.parametrize("handed_over", [False, True])
def test_an_outcome_that_cannot_be_recorded_is_a_retry(world, crm, monkeypatch, handed_over):
    world.send("contact.created")
    world.send("contact.created", contact="2")

    def hand_over(lane: Any) -> Any:
        return world.ready.exchange(lane, "test-worker")

    with monkeypatch.context() as patched:
        patched.setattr(taking, "record", raising(ValueError("No room.")))
        if handed_over:
            world.drain.drain(world.ready.take("test-worker"), hand_over)
        else:
            world.work()
    assert owners() == {None}
    for delivery, attempt in zip(found(), last_attempts(), strict=True):
        assert delivery.state == DeliveryState.WAITING
        assert delivery.reason == "The hub failed at this delivery: ValueError: No room."
        assert (attempt.outcome, delivery.bugs) == ("retry", 0)
        assert "ValueError: No room." in (attempt.traceback or "")
    all_due()
    world.sweeper.sweep()
    world.work()
    assert {one.state for one in found()} == {DeliveryState.DONE}


def test_what_a_plugin_leaves_behind_unstorable_is_a_retry(world, crm):
    """Links and steps are written with the outcome."""

    def link(context: Any) -> None:
        context.links.adopt("ticket", "1", Remote("1", data={"at": SystemClock().now()}))

    crm.on_handle = link
    world.send("contact.created")
    world.work()
    (delivery,) = found()
    assert delivery.state == DeliveryState.WAITING
    assert "not JSON serializable" in delivery.reason
    assert owners() == {None}


def test_odd_answers_are_told_as_far_as_they_can_be_stored(world, crm):
    odd = (
        Skip(""),
        Rejected("one\x00two\udc00", field="a\x00b"),
        Rejected(None),  # type: ignore[arg-type]
        RetryLater("Later.", delay=float("inf")),
        RetryLater("Later.", delay=float("nan")),
        RetryLater("Later.", delay="soon"),  # type: ignore[arg-type]
        Postpone("Wait.", delay=1e300),
        KeepBack("Who?", days=1e300),
        RetryLater("Less.", delay=1e12, throttled=True),
    )
    for number, answer in enumerate(odd):
        crm.troubles = [answer]
        world.send("contact.created", contact=str(number))
        world.work()
    skipped, rejected, mute, later, nan, soon, wait, kept, _ = found()
    assert skipped.reason == "The plugin gave no reason (Skip)."
    assert rejected.reason == "one\ufffdtwo\ufffd (a\ufffdb)"
    assert (mute.state, mute.bugs) == (DeliveryState.WAITING, 1)
    assert (nan.bugs, soon.bugs) == (1, 1)
    now = SystemClock().now()
    assert later.due_at < now + timedelta(hours=2)
    assert wait.due_at < now + timedelta(days=2)
    assert kept.due_at < now + timedelta(days=3_651)
    assert owners() == {None}


def test_one_event_that_cannot_be_read_holds_up_its_own_lane_only(world, crm):
    world.send("contact.created")
    (bad,) = world.send("contact.updated")
    world.send("contact.created", contact="2")
    with reading() as session:
        whole = session.get_one(Event, bad).data
    store(bad, {"name": "contact.updated"})
    world.work()
    assert [one.state for one in found()] == ["done", "waiting", "done"]
    reason = found()[1].reason
    assert reason.startswith(f"What is stored of event {bad} cannot be read (")
    assert owners() == {None}
    store(bad, whole)
    all_due()
    world.sweeper.sweep()
    world.work()
    assert [one.state for one in found()] == ["done"] * 3


def store(event_id: int, data: dict[str, Any], **columns: Any) -> None:
    values = {"data": data, **columns}
    in_transaction(
        lambda session: session.execute(update(Event).where(Event.id == event_id).values(**values))
    )


def test_a_batch_ends_before_an_event_that_cannot_be_read(make_world, crm):
    world = make_world(batches={"message.created": 3})
    ids = [
        world.send("message.created", conversation="5", message=number)[0]
        for number in ("1", "2", "3")
    ]
    store(ids[1], {})
    seen: list[Any] = []
    crm.on_handle = lambda context: seen.extend(context.following("message.created"))
    world.work()
    assert [one.state for one in found()] == ["done", "waiting", "pending"]
    assert [event.id for event in seen] == [ids[2]], "what cannot be read is passed over"


def test_whatever_a_setup_raises_is_told(make_world, crm):
    errors = [error for error in ANYTHING if not isinstance(error, KeyboardInterrupt)]
    world = make_world()
    plugin = services.of(world.app).registry.plugins["crm"]

    class Setup(SetupService):
        def run(self) -> Any:
            with self.context.step("look", "Looking"):
                raise errors[0]

    object.__setattr__(plugin, "setup", Setup)
    while errors:
        _, report = hooks.run_setup(world.hook.id)
        assert not report.ok
        error = errors.pop(0)
        said = getattr(error, "sentence", None) or f"The plugin failed: {type(error).__name__}"
        assert report.sentence.startswith(said)
        assert [step.state for step in report.steps] == ["failed"]


def test_whatever_a_setup_answers_is_told(make_world):
    world = make_world()
    plugin = services.of(world.app).registry.plugins["crm"]

    class Setup(SetupService):
        def run(self) -> Any:
            return None

    object.__setattr__(plugin, "setup", Setup)
    hook, report = hooks.run_setup(world.hook.id)
    assert report.sentence.startswith("The plugin failed: AttributeError")
    assert hook.status == "needs_attention"


@pytest.mark.parametrize("declared", [False, True])
def test_an_event_of_a_newer_hub_is_skipped_with_a_sentence(make_world, crm, declared):
    """It was stored before a rollback, say."""
    more = {"ticket.replied"} if declared else set()
    world = make_world(events=frozenset({"contact.created", "contact.updated"} | more))
    (new,) = world.send("contact.created")
    world.send("contact.updated")
    with reading() as session:
        data = session.get_one(Event, new).data
    store(new, {**data, "name": "ticket.replied"}, name="ticket.replied")
    world.work()
    assert [one.state for one in found()] == ["skipped", "done"]
    assert found()[0].reason == "Small CRM does not handle ticket.replied."


def test_a_connection_whose_secrets_cannot_be_read_holds_up_no_other(world, crm):
    """A key is missing, say, on a machine that was started with older ones."""
    other = hooks.create(world.account, "crm", {"key": "well known"})[0]
    hooks.create(world.account, "crm", {"key": "well known"})
    in_transaction(
        lambda session: session.execute(
            text("UPDATE hooks SET secrets = 'nonsense' WHERE id = :id"), {"id": other.id}
        )
    )
    world.send("contact.created")
    services.of(world.app).redis.flushall()
    assert world.sweeper.sweep() == 3
    world.work()
    first, bad, last = found()
    assert (first.state, bad.state, last.state) == ("done", "waiting", "done")
    assert bad.reason.startswith("A stored secret cannot be decrypted: a key is missing")
    assert bad.bugs == 0
    upkeep.run()
    assert [hook.id for hook in hooks.readable()] == [world.hook.id, last.hook_id]
