"""Writing down how an attempt ended, and what follows from it for the delivery and its hook."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from hub import log
from hub.database import table_of
from hub.database.prepared import run
from hub.delivery import breaker, dead_letters, kept
from hub.delivery.attempt import Attempt
from hub.delivery.blame import blaming
from hub.delivery.endings import Bug, Ending, Stumble
from hub.delivery.engine import Engine
from hub.delivery.stored_events import readable
from hub.delivery.work import Item, Work, begin, open_deliveries, tells_who
from hub.models import Attempt as AttemptRow
from hub.models import AttemptOutcome, Delivery, DeliveryState, Hook, HookStatus
from hub.policy import (
    BreakerPolicy,
    RetryPolicy,
)
from hub.sdk.errors import (
    HubError,
    KeepBack,
    NeedsAttention,
    Postpone,
    Rejected,
    RetryLater,
    Skip,
)
from hub.sdk.processor import Done
from hub.sdk.translation import for_people

_log = log.get(__name__)

_deliveries, _attempts = table_of(Delivery), table_of(AttemptRow)
#: The values are given with ``run``, by the names of the columns.
_END_ATTEMPT = (
    update(_attempts)
    .where(
        _attempts.c.delivery_id == bindparam("of_delivery"),
        _attempts.c.number == bindparam("this_number"),
    )
    .values(
        {
            name: bindparam(name)
            for name in ("outcome", "finished_at", "detail", "traceback", "calls")
        }
    )
)
_END_DELIVERY = (
    update(_deliveries)
    .where(_deliveries.c.id == bindparam("this_delivery"))
    .values(
        {
            name: bindparam(name)
            for name in (
                *("state", "reason", "url", "due_at"),
                *("bugs", "failing_since", "finished_at"),
            )
        }
    )
)


@dataclass(frozen=True, slots=True)
class _Record:
    """What is written of one ending."""

    outcome: AttemptOutcome
    state: DeliveryState
    sentence: str
    url: str | None = None
    due_at: datetime | None = None
    traceback: str | None = None
    failing: bool = False
    bug: bool = False


def record(session: Session, engine: Engine, attempt: Attempt, now: datetime) -> bool:
    """Write down how an attempt ended; answers whether it was the probe that closed the breaker.
    The caller holds the fence of the lane."""
    work, endings, calls = attempt.work, attempt.endings, attempt.trace.entries
    for item, ending in zip(work.items, endings, strict=True):
        written = _judge(item, ending, now, engine.policies.retry, engine.rng)
        _write(session, item, written, list(calls) if item is work.items[0] else [], now)
    _keep_back(session, work, attempt.lane_id, endings, now)
    return _tell_hook(session, work, endings, bool(calls), now, engine.policies.breaker)


def set_aside(
    session: Session, engine: Engine, lane_id: int, stumble: Stumble, now: datetime
) -> None:
    """Write down that the hub itself failed: at the lane's deliveries in progress, or else at the
    one that it was about to begin. The caller holds the fence of the lane."""
    waiting = open_deliveries(session, lane_id)
    begun = [one for one in waiting if one.state == DeliveryState.RUNNING]
    for one in begun or waiting[:1]:
        if not begun:
            begin(session, [one], now, engine.worker)
        item = _Numbers(one.id, one.attempts + (not begun), one.bugs, one.failing_since)
        written = _later(item, stumble, now, engine.policies.retry, engine.rng)
        _write(session, item, written, [], now)


class _Numbers(NamedTuple):
    """What is known of a delivery whose event need not be readable. See ``Item``."""

    delivery_id: int
    attempt: int
    bugs: int
    failing_since: datetime | None


def _write(
    session: Session,
    item: Item | _Numbers,
    written: _Record,
    calls: Sequence[dict[str, Any]],
    now: datetime,
) -> None:
    run(
        session,
        _END_ATTEMPT,
        of_delivery=item.delivery_id,
        this_number=item.attempt,
        outcome=written.outcome,
        finished_at=now,
        detail=written.sentence,
        traceback=written.traceback,
        calls=calls,
    )
    is_open = written.state in (DeliveryState.WAITING, DeliveryState.PENDING)
    run(
        session,
        _END_DELIVERY,
        this_delivery=item.delivery_id,
        state=written.state,
        reason=written.sentence,
        url=written.url,
        due_at=written.due_at,
        bugs=item.bugs + written.bug,
        failing_since=(item.failing_since or now) if written.failing else None,
        finished_at=None if is_open else now,
    )
    if written.state == DeliveryState.DEAD:
        dead_letters.tell(session, item.delivery_id, written.sentence)


def _judge(
    item: Item, ending: Ending, now: datetime, retry: RetryPolicy, rng: random.Random
) -> _Record:
    match ending:
        case Done():
            return _Record(AttemptOutcome.DONE, DeliveryState.DONE, ending.sentence, url=ending.url)
        case Skip():
            return _Record(AttemptOutcome.SKIPPED, DeliveryState.SKIPPED, ending.sentence)
        case Rejected():
            sentence, field = ending.sentence, ending.field
            reason = blaming(sentence, field)
            return _Record(AttemptOutcome.REJECTED, DeliveryState.DEAD, reason)
        case NeedsAttention():
            return _Record(AttemptOutcome.NEEDS_ATTENTION, DeliveryState.PENDING, ending.sentence)
        case Postpone():
            return _Record(
                AttemptOutcome.POSTPONED,
                DeliveryState.WAITING,
                ending.sentence,
                due_at=now + timedelta(seconds=ending.delay),
            )
        case KeepBack():
            return _Record(
                AttemptOutcome.POSTPONED,
                DeliveryState.WAITING,
                ending.sentence,
                due_at=now + timedelta(days=ending.days),
            )
        case Bug():
            if item.bugs + 1 >= retry.bugs:
                return _Record(
                    AttemptOutcome.BUG,
                    DeliveryState.DEAD,
                    ending.sentence,
                    traceback=ending.traceback,
                    bug=True,
                )
            return _Record(
                AttemptOutcome.BUG,
                DeliveryState.WAITING,
                ending.sentence,
                due_at=now + timedelta(seconds=retry.delay(item.bugs + 1, rng)),
                traceback=ending.traceback,
                bug=True,
            )
        case RetryLater() | Stumble():
            return _later(item, ending, now, retry, rng)
        case HubError():
            raise AssertionError(f"{ending!r} is let pass, and there is no rule for it")


def _later(
    item: Item | _Numbers,
    ending: RetryLater | Stumble,
    now: datetime,
    retry: RetryPolicy,
    rng: random.Random,
) -> _Record:
    delay, traceback = 0.0, None
    if isinstance(ending, Stumble):
        traceback = ending.traceback
    else:
        # The remote's own word is a lower bound: coming back together would be a burst again.
        delay = ending.delay or 0.0
    if item.failing_since is not None and retry.is_exhausted(item.failing_since, now):
        hours = round(retry.patience.total_seconds() / 3600)
        return _Record(
            AttemptOutcome.RETRY,
            DeliveryState.DEAD,
            for_people(f"Given up after {hours} hours: {ending.sentence}"),
            traceback=traceback,
        )
    return _Record(
        AttemptOutcome.RETRY,
        DeliveryState.WAITING,
        ending.sentence,
        due_at=now + timedelta(seconds=delay + retry.delay(item.attempt, rng)),
        traceback=traceback,
        failing=True,
    )


def _keep_back(
    session: Session, work: Work, lane_id: int, endings: Sequence[Ending], now: datetime
) -> None:
    """Put aside what is kept back; at once out again if it is known by now whose it is."""
    both = zip(work.items, endings, strict=True)
    items = [(item, ending) for item, ending in both if isinstance(ending, KeepBack)]
    if not items:
        return
    kept.keep(
        session,
        work.hook.id,
        lane_id,
        [(item.delivery_id, _subject(item), now + timedelta(days=e.days)) for item, e in items],
    )
    first, event = items[0][0], items[0][0].event
    for row in kept.tellers(session, event):
        teller = readable(row)
        if teller is not None and tells_who(work.plugin, teller, work.hook.default_region):
            ids = kept.of_person(session, work.hook.id, _subject(first), teller.id)
            kept.release(session, ids, lane_id, teller.id)
            return


def _subject(item: Item) -> kept.Subject:
    return kept.Subject.of_event(item.event)


def _tell_hook(
    session: Session,
    work: Work,
    endings: Sequence[Ending],
    called: bool,
    now: datetime,
    policy: BreakerPolicy,
) -> bool:
    attention = next((e for e in endings if isinstance(e, NeedsAttention)), None)
    trouble = next((e for e in endings if isinstance(e, RetryLater)), None)
    if attention is not None:
        session.execute(
            update(Hook)
            .where(Hook.id == work.hook.id, Hook.enabled)
            .values(status=HookStatus.NEEDS_ATTENTION, status_detail=attention.sentence)
        )
        _log.warning("hook needs attention", hook=work.hook.id, reason=attention.sentence)
    elif trouble is not None and trouble.throttled:
        pause = trouble.delay if trouble.delay is not None else policy.first_probe
        breaker.throttled(session, work.hook.id, now + timedelta(seconds=pause))
    elif trouble is not None and called:
        breaker.failed(session, work.hook.id, trouble.sentence, now, policy)
        session.flush()  # whoever is begun in this transaction asks the breaker, too
    elif called or work.probe:
        # Another success must not cut short what Redis holds: a pause that the remote asked for.
        return breaker.succeeded(session, work.hook.id) and work.probe
    return False
