"""What a delivery waits for: one sentence, whatever holds it, and wherever it is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.accounts import hooks
from hub.clock import SystemClock
from hub.dashboard.formats import in_words, moment
from hub.dashboard.languages import LANGUAGES
from hub.database import in_transaction, reading
from hub.history.standing import (
    SENTENCES,
    Cause,
    Connection,
    Place,
    Standing,
    of_deliveries,
    standing,
)
from hub.models import (
    OPEN,
    Breaker,
    BreakerState,
    Delivery,
    DeliveryState,
    Event,
    HookStatus,
)
from hub.sdk.errors import NeedsAttention, RetryLater

NOW = datetime(2026, 7, 14, 10, 0, tzinfo=UTC)
BEFORE, SOON, LATER = (NOW + timedelta(minutes=minutes) for minutes in (-10, 5, 60))
INSTALLED = frozenset({"crm"})

ACTIVE = Connection(1, "Small CRM", "crm", True, HookStatus.ACTIVE, "")
#: What stops a connection, what it says, and the person's or plugin's word that goes with it.
STOPPED = {
    Cause.PLUGIN_MISSING: (
        ACTIVE._replace(plugin_id="lost", enabled=False, status=HookStatus.PAUSED),
        "The plugin lost is not installed, or it is broken.",
    ),
    Cause.OFF: (ACTIVE._replace(enabled=False), "The connection is off."),
    Cause.SETTING_UP: (
        ACTIVE._replace(status=HookStatus.SETTING_UP),
        "The connection is not set up yet.",
    ),
    Cause.PAUSED: (
        ACTIVE._replace(status=HookStatus.PAUSED, status_detail="Moving house"),
        "The connection is paused. Moving house",
    ),
    Cause.NEEDS_ATTENTION: (
        ACTIVE._replace(status=HookStatus.NEEDS_ATTENTION, status_detail="The key is wrong."),
        "The connection needs attention. The key is wrong.",
    ),
}


def breaker(state: BreakerState, retry_at: datetime | None) -> dict[str, Any]:
    if state == BreakerState.CLOSED:
        return {"breaker": state, "retry_at": retry_at, "breaker_reason": "An old trouble."}
    told = {"opened_at": BEFORE, "breaker_reason": "The CRM is down."}
    return {"breaker": state, "retry_at": retry_at, **told}


BREAKERS: dict[str, dict[str, Any]] = {
    "never troubled": {},
    "closed": breaker(BreakerState.CLOSED, None),
    "throttled": breaker(BreakerState.CLOSED, SOON),
    "no longer throttled": breaker(BreakerState.CLOSED, BEFORE),
    "open": breaker(BreakerState.OPEN, SOON),
    "open, a probe is due": breaker(BreakerState.OPEN, BEFORE),
    "probing": breaker(BreakerState.HALF_OPEN, SOON),
    "its probe was lost": breaker(BreakerState.HALF_OPEN, BEFORE),
}
#: Those that let deliveries pass.
OPEN_TO_ALL = ("never troubled", "closed", "no longer throttled")


def owed(state: DeliveryState = DeliveryState.PENDING, **values: Any) -> Delivery:
    return Delivery(id=7, hook_id=1, lane_id=1, state=state, **{"reason": "", **values})


def waiting(due_at: datetime, **values: Any) -> Delivery:
    return owed(DeliveryState.WAITING, due_at=due_at, reason="It timed out.", **values)


DELIVERIES: dict[str, tuple[Delivery, Place]] = {
    "pending": (owed(), Place()),
    "pending with an old reason": (owed(reason="The key was wrong."), Place()),
    "running": (owed(DeliveryState.RUNNING), Place(has_worker=True)),
    "its worker died": (owed(DeliveryState.RUNNING), Place()),
    "backoff": (waiting(LATER), Place()),
    "backoff is over": (waiting(BEFORE), Place()),
    "ordering": (owed(), Place(settled_at=SOON)),
    "ordering is over": (owed(), Place(settled_at=BEFORE)),
    "behind another": (owed(), Place(has_worker=True, first=3, settled_at=SOON)),
    "kept back": (waiting(LATER, kept_until=LATER), Place()),
}
#: What is said where nothing but the delivery itself holds it.
BY_ITSELF = {
    "pending": "It is due: the next free worker takes it.",
    "pending with an old reason": "It is due: the next free worker takes it.",
    "running": "A worker is at work on it.",
    "its worker died": "Its worker ended in the middle of it. Another one takes it over.",
    "backoff": "Next try: 2026-07-14 11:00:00 UTC. It timed out.",
    "backoff is over": "It is due: the next free worker takes it.",
    "ordering": "It waits until 2026-07-14 10:05:00 UTC, in case something that happened before it "
    "arrives after it.",
    "ordering is over": "It is due: the next free worker takes it.",
    "behind another": "Delivery 3 of the same lane goes first.",
    "kept back": "Kept back until the person is known; skipped after 2026-07-14 11:00:00 UTC. "
    "It timed out.",
}
_OPENED = "The circuit breaker has been open since 2026-07-14 09:50:00 UTC."
#: What is said by a breaker; of the moments the later one decides.
BY_BREAKER = {
    "throttled": "The remote system asked for a pause. Next try: {next_try}.",
    "open": f"{_OPENED} Next try: {{next_try}}. The CRM is down.",
    "open, a probe is due": f"{_OPENED} Next try: {{next_try}}. The CRM is down.",
    "probing": f"{_OPENED} One try is under way to see whether calls succeed again. "
    "The CRM is down.",
    "its probe was lost": f"{_OPENED} Next try: {{next_try}}. The CRM is down.",
}


def said(delivery: str, connection: Connection) -> str:
    row, place = DELIVERIES[delivery]
    found = standing(row, connection, place, INSTALLED, NOW)
    assert found is not None
    return found.in_english(UTC)


@pytest.mark.parametrize("cause", STOPPED)
@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_stopped_connection_is_the_reason_of_all_it_is_owed(cause, delivery):
    connection, sentence = STOPPED[cause]
    if delivery == "running":
        sentence = BY_ITSELF[delivery]  # a worker ends what it has
    for breaker_ in BREAKERS.values():
        assert said(delivery, connection._replace(**breaker_)) == sentence


@pytest.mark.parametrize("delivery", DELIVERIES)
@pytest.mark.parametrize("state", BREAKERS)
def test_a_working_connection(state, delivery):
    status = HookStatus.DEGRADED if "breaker_reason" in BREAKERS[state] else HookStatus.ACTIVE
    connection = ACTIVE._replace(status=status, **BREAKERS[state])
    if delivery in ("running", "kept back") or state in OPEN_TO_ALL:
        assert said(delivery, connection) == BY_ITSELF[delivery]
        return
    moments = {"backoff": "11:00:00", "throttled": "10:05:00", "open": "10:05:00"}
    moment = moments.get(delivery, moments.get(state, "10:00:00"))
    sentence = BY_BREAKER[state].format(next_try=f"2026-07-14 {moment} UTC")
    assert said(delivery, connection) == sentence


@pytest.mark.parametrize("state", [state for state in DeliveryState if state not in OPEN])
def test_what_has_ended_has_a_reason_of_its_own(state):
    assert standing(owed(state), ACTIVE, Place(), INSTALLED, NOW) is None


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_sentence_is_translated_with_its_values(web, language):
    moments = {"since": BEFORE, "until": LATER, "next_try": SOON, "first": 3, "plugin": "lost"}
    for cause, sentence in SENTENCES.items():
        values = {name: value for name, value in moments.items() if f"%({name})s" in sentence}
        with web.test_request_context(headers={"Accept-Language": language.replace("_", "-")}):
            said = in_words(owed(), {7: Standing(cause, values)})
            shown = [moment(v) if isinstance(v, datetime) else str(v) for v in values.values()]
        assert said != sentence % values
        assert "%(" not in said
        assert all(text in said for text in shown), (cause, said)


def causes() -> list[Cause | None]:
    with reading() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.id)).all()
    found = of_deliveries(rows, INSTALLED)
    return [found[row.id].cause if row.id in found else None for row in rows]


def test_what_is_stored_is_read(make_world, crm):
    world = make_world(keeps_back=True)
    for contact in ("1", "1", "2"):
        world.send("contact.updated", contact=contact, email="ann@example.com")
    world.send("contact.updated", contact="3")
    assert causes() == [Cause.DUE, Cause.BEHIND, Cause.DUE, Cause.DUE]

    seen = []
    crm.troubles = [RetryLater("The CRM is down.", delay=600)]
    crm.on_handle = lambda context: seen.append(causes()[0])
    world.work()
    assert seen[0] == Cause.RUNNING
    assert causes() == [Cause.BACKOFF, Cause.BEHIND, None, Cause.KEPT_BACK]

    break_off = Breaker(hook_id=1, state=BreakerState.OPEN, retry_at=NOW, opened_at=NOW)
    in_transaction(lambda session: session.add(break_off))
    assert causes() == [Cause.BREAKER_OPEN, Cause.BREAKER_OPEN, None, Cause.KEPT_BACK]


def test_the_old_reason_goes_when_the_connection_is_mended(world, crm):
    crm.troubles = [NeedsAttention("The key is wrong.")]
    world.send("contact.created")
    world.work()
    assert causes() == [Cause.NEEDS_ATTENTION]
    hooks.update(world.hook.id, {})
    assert causes() == [Cause.DUE]


def test_what_may_have_overtaken_another_waits(world):
    world.send("contact.created")
    soon = SystemClock().now() + timedelta(minutes=1)
    in_transaction(lambda session: session.execute(update(Event).values(settled_at=soon)))
    assert causes() == [Cause.ORDERING]
