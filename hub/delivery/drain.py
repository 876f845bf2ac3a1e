"""Draining a lane: take it, pay its debts oldest first, give it back.

Each step is one transaction: it writes down how the last work ended and marks the next as begun.
Between two steps the plugin works. Whoever dies in between leaves a lease that ends by itself and
a delivery marked as running; the next owner sees both and goes on from there.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub import crashpoint, log, services
from hub.clock import SystemClock
from hub.database import is_away
from hub.database.group_commit import in_shared_transaction
from hub.delivery import lanes
from hub.delivery.context import DeliveryContext
from hub.delivery.dispatch import Ending, Stumble, dispatch, foresee
from hub.delivery.held_lanes import HeldLanes
from hub.delivery.identities import Identities, claim_ahead
from hub.delivery.lanes import Lease
from hub.delivery.links import DatabaseLinks
from hub.delivery.outcome import record, set_aside
from hub.delivery.remote_sessions import (
    LaneSessions,
    SharedSessions,
)
from hub.delivery.state import DatabaseState
from hub.delivery.work import Nothing, Work, choose, following, leave
from hub.outbound.files import EventFiles
from hub.outbound.trace import Trace
from hub.plugins import Registry
from hub.policy import (
    BreakerPolicy,
    LeasePolicy,
    OrderPolicy,
    RetryPolicy,
)
from hub.queue.mutex import Mutexes
from hub.queue.rate_limit import RateLimit
from hub.queue.ready import ReadyLane, ReadyLanes, TakenLane
from hub.sdk.errors import LaneLost
from hub.sdk.events import Event
from hub.sdk.http import Call, CallRules, HttpClient
from hub.sdk.redaction import Redactor

_log = log.get(__name__)


#: Gives a lane back and answers the next one, if there is one.
HandOver = Callable[[TakenLane], TakenLane | None]


@dataclass(slots=True)
class _Turn:
    """A lane on its way through this worker, with its lease if it could be taken.

    ``work`` is what it begins with; ``None`` if the mutex must be asked first. Once it is handed
    over, it is left after the work in progress, for its ``successor`` if there is one.
    """

    lane: TakenLane
    lease: Lease | None
    work: Work | Nothing | None = None
    #: What was claimed for that work already.
    claims: frozenset[str] = frozenset()
    is_handed_over: bool = False
    successor: TakenLane | None = None
    #: Knows the secrets of the hook whose work is in progress.
    redactor: Redactor = field(default_factory=Redactor)


class Drain:
    """Drains lanes. One instance serves all threads of a process."""

    def __init__(
        self,
        app: Flask,
        registry: Registry,
        worker: str,
        *,
        retry: RetryPolicy,
        breaker: BreakerPolicy,
        lease: LeasePolicy,
        order: OrderPolicy,
    ) -> None:
        self._registry = registry
        self._worker = worker
        self._retry = retry
        self._breaker = breaker
        self._policy = lease
        self._patience = timedelta(seconds=order.patience)
        self._clock = SystemClock()
        self._redis = services.of(app).redis
        self._one_writer = services.of(app).database.has_one_writer
        self._keyring = services.of(app).keyring
        self._mutexes = Mutexes(self._redis, lease.lease)
        self._ready = ReadyLanes(self._redis)
        self._rate_limit = RateLimit(self._redis)
        self._transports = services.of(app).transports
        self._rng = random.SystemRandom()
        self._held = HeldLanes(self._mutexes, lease, lambda: self._clock.now())
        self._stopping = threading.Event()

    @classmethod
    def of_app(cls, app: Flask, worker: str) -> Drain:
        """The drain with the application's registry and policies."""
        return cls(
            app,
            services.of(app).registry,
            worker,
            retry=services.of(app).config.policies.retry,
            breaker=services.of(app).config.policies.breaker,
            lease=services.of(app).config.policies.lease,
            order=services.of(app).config.policies.order,
        )

    def drain(self, lane: TakenLane, hand_over: HandOver | None = None) -> int:
        """Pay what is due in the lane; returns the number of deliveries worked on.

        Does nothing when another worker has the lane. Leaves in ``lane`` the remote session that
        is to be given back with it.

        With ``hand_over``, which gives a lane back and answers the next one, those are drained
        too: the transaction that ends the work on one lane begins that on the next.
        """
        paid = 0
        turn: _Turn | None = self._begin_alone(lane)
        while turn is not None:
            worked_on, turn = self._serve(turn, hand_over)
            paid += worked_on
        return paid

    def _begin_alone(self, lane: TakenLane) -> _Turn:
        try:
            return in_shared_transaction(lambda session: self._begin(session, lane))
        except Exception as error:
            if _is_away(error):
                raise
            # The lane alone: its work, which is to blame, is met with the lease in hand.
            _log.warning("a lane is taken without its work", lane=lane.lane_id, error=repr(error))
            return in_shared_transaction(lambda s: _Turn(lane, self._take(s, lane)))

    def _take(self, session: Session, lane: TakenLane) -> Lease | None:
        seconds = self._policy.lease
        return lanes.take(session, lane.lane_id, lane.slot, self._clock.now(), seconds)

    def _begin(self, session: Session, lane: TakenLane) -> _Turn:
        """Take the lane, and its first work with it, unless the mutex must be asked first."""
        lease = self._take(session, lane)
        if lease is None or not (lease.was_free or lane.has_mutex):
            return _Turn(lane, lease)
        turn = _Turn(lane, lease, self._next(session, lease))
        if lease.epoch == 1 and isinstance(turn.work, Work):
            # A person of whom nothing was heard before has probably no record yet.
            turn.claims = claim_ahead(session, lease, foresee(turn.work))
        return turn

    def _serve(self, turn: _Turn, hand_over: HandOver | None) -> tuple[int, _Turn | None]:
        """Work on a lane; answers how many deliveries, and the turn of the next lane if it has
        begun."""
        lease = turn.lease
        if lease is None or isinstance(turn.work, Nothing):
            return 0, None
        self._held.add(lease)
        try:
            if self._held.has_mutex(turn.lane, lease):
                return self._pay(turn, lease, hand_over)
            with suppress(LaneLost):  # so much the better
                in_shared_transaction(lambda s: lanes.give_back(s, lease, self._clock.now()))
        except LaneLost:
            _log.warning("lane lost to another worker", lane=lease.lane_id, worker=self._worker)
        except Exception as error:
            if _is_away(error):
                raise
            self._set_aside(turn, lease, error)
        finally:
            self._held.remove(lease)
        return 0, self._begin_alone(turn.successor) if turn.successor else None

    def _set_aside(self, turn: _Turn, lease: Lease, error: Exception) -> None:
        """Whatever failed here ends in the record of the delivery, which is tried again, and the
        lane is given back."""
        stumble = Stumble.over(error, turn.redactor)
        _log.error("the hub failed at a delivery", lane=lease.lane_id, error=stumble.traceback)

        def step(session: Session) -> datetime | None:
            now = self._clock.now()
            lanes.renew(session, lease, now, self._policy.lease)
            set_aside(session, lease.lane_id, stumble, now, self._worker, self._retry, self._rng)
            rest = leave(session, lease, now)
            lanes.give_back(session, lease, rest.due_at)
            return rest.due_at

        with suppress(LaneLost):
            if (due_at := in_shared_transaction(step)) is not None:
                self._announce(lease, due_at)

    def stop(self) -> None:
        """Hand every lane back once the work in progress is done."""
        self._stopping.set()

    def renew_leases(self) -> None:
        """Prolong the leases and mutexes of all lanes in progress. Called every few seconds."""
        self._held.renew()

    def _pay(
        self, turn: _Turn, lease: Lease, hand_over: HandOver | None
    ) -> tuple[int, _Turn | None]:
        paid = 0
        begun: _Turn | None = None
        sessions: LaneSessions | None = None
        work = turn.work
        if work is None:
            work = in_shared_transaction(lambda session: self._next(session, lease))
        try:
            while isinstance(work, Work):
                identities = Identities(lease, self._clock, self._policy, turn.claims)
                version = work.plugin.version
                state = DatabaseState(lease, self._clock, self._policy, version)
                links = DatabaseLinks(lease, self._clock, self._policy, identities, state)
                trace = Trace()
                turn.redactor = Redactor(work.hook.secrets.values())
                context = self._context(
                    *(lease, work, links, identities, state, trace, turn.redactor)
                )
                if (driver := work.plugin.session_driver) is not None:
                    hook = work.hook
                    if sessions is not None and sessions.access != hook.access:
                        sessions.end(turn.lane)
                        sessions = None
                    if sessions is None:
                        shared = SharedSessions(self._redis, self._keyring, hook.id, hook.access)
                        sessions = LaneSessions(shared, driver, context, turn.lane)
                    sessions.serve(context)
                    context.use_sessions(sessions)
                endings = dispatch(work.plugin, context, work.items, lease)
                identities.let_go()
                turn.claims = frozenset()
                paid += len(work.items)
                if hand_over is not None and work.is_last and not self._stopping.is_set():
                    if sessions is not None:
                        sessions.end(turn.lane)
                        sessions = None
                    self._hand_over(turn, lease, hand_over)
                work, begun = self._finish(turn, lease, work, links, endings, trace.entries)
        finally:
            if sessions is not None:
                sessions.end(turn.lane)
        return paid, begun

    def _hand_over(self, turn: _Turn, lease: Lease, hand_over: HandOver) -> None:
        turn.is_handed_over = True
        # A renewal would take the mutex anew that is given back now.
        self._held.remove(lease)
        try:
            turn.successor = hand_over(turn.lane)
        except RedisError as error:
            _log.warning("the next lane could not be taken", error=str(error))

    def _finish(
        self,
        turn: _Turn,
        lease: Lease,
        work: Work,
        links: DatabaseLinks,
        endings: Sequence[Ending],
        calls: Sequence[dict[str, Any]],
    ) -> tuple[Work | Nothing, _Turn | None]:
        """Write down the endings; answers what comes next: here, or in the lane that follows."""

        def step(session: Session, goes_on: bool = True) -> Work | Nothing:
            now = self._clock.now()
            if not (turn.is_handed_over and self._one_writer):
                # The fence, and the lock under which it is seen what else the lane owes. Giving
                # back is a fence, too, and one writer needs no lock.
                lanes.renew(session, lease, now, self._policy.lease)
            links.write(session)
            record(
                session,
                work,
                lease.lane_id,
                endings,
                calls,
                now,
                self._retry,
                self._breaker,
                self._rng,
            )
            if goes_on and not turn.is_handed_over:
                return self._next(session, lease)
            rest = leave(session, lease, now)
            lanes.give_back(session, lease, rest.due_at)
            return rest

        was_left = turn.is_handed_over
        try:
            rest, begun = self._with_successor(step, turn.successor)
        except Exception as error:
            if turn.is_handed_over or isinstance(error, LaneLost) or _is_away(error):
                raise
            # What comes next may be to blame: it is met when the lane is taken again.
            _log.warning("a lane is left for its next work", lane=lease.lane_id, error=repr(error))
            rest, begun = in_shared_transaction(lambda session: step(session, False)), None
            was_left = True
        if was_left and isinstance(rest, Nothing) and rest.due_at is not None:
            self._announce(lease, rest.due_at)
        return rest, begun

    def _with_successor(
        self, step: Callable[[Session], Work | Nothing], successor: TakenLane | None
    ) -> tuple[Work | Nothing, _Turn | None]:
        """Take a last step in one lane and begin the next; in one transaction where there is one
        writer anyway. Elsewhere it would lock two lanes, perhaps crosswise to another's."""
        if successor is None:
            return in_shared_transaction(step), None
        if self._one_writer:
            try:
                return in_shared_transaction(lambda s: (step(s), self._begin(s, successor)))
            except LaneLost:
                raise
            except Exception as error:  # the trouble of the next lane is not this one's
                _log.warning("the next lane is begun alone", error=repr(error))
        rest = in_shared_transaction(step)
        return rest, self._begin_alone(successor)

    def _announce(self, lease: Lease, due_at: datetime) -> None:
        """More has come for a lane that was handed over."""
        if due_at <= self._clock.now():
            with suppress(RedisError):
                self._ready.push([ReadyLane(lease.hook_id, lease.lane_id)])
        self._remember(lease, due_at)

    def _remember(self, lease: Lease, due_at: datetime | None) -> None:
        """A lane whose events wait is taken at its time. What is due later, the sweeper finds."""
        now = self._clock.now()
        if due_at is not None and now < due_at <= now + self._patience:
            with suppress(RedisError):
                self._ready.push([ReadyLane(lease.hook_id, lease.lane_id, due_at)])

    def _next(self, session: Session, lease: Lease) -> Work | Nothing:
        """The next work; the lane is given back in the same transaction when there is none."""
        now = self._clock.now()
        chosen: Work | Nothing
        if self._stopping.is_set():
            chosen = leave(session, lease, now)
        else:
            chosen = choose(
                session, lease, self._registry, now, self._worker, self._retry, self._breaker
            )
        if isinstance(chosen, Nothing):
            lanes.give_back(session, lease, chosen.due_at)
            self._remember(lease, chosen.due_at)
            if chosen.hold_until is not None:
                self._hold(lease.hook_id, chosen.hold_until)
        return chosen

    def _hold(self, hook_id: int, until: datetime) -> None:
        """The hook's other ready lanes need not be taken to learn the same."""
        with suppress(RedisError):
            self._ready.hold(hook_id, (until - self._clock.now()).total_seconds())

    def _context(
        self,
        lease: Lease,
        work: Work,
        links: DatabaseLinks,
        identities: Identities,
        state: DatabaseState,
        trace: Trace,
        redactor: Redactor,
    ) -> DeliveryContext:
        rate = work.hook.calls_per_second or work.plugin.calls_per_second

        def before_call(url: str) -> None:
            links.flush()
            if rate is not None:
                self._rate_limit.wait(work.hook.id, rate)
            self._held.require(lease)
            crashpoint.boundary(f"before the call of {url}")

        def after_call(call: Call) -> None:
            crashpoint.boundary(f"after {call.method} {call.url}")
            trace.call(call)

        def look_ahead(names: Sequence[str]) -> Sequence[Event]:
            found = following(lease, names)
            files.add(found)
            return found

        files = EventFiles([item.event for item in work.items])
        http = HttpClient(
            self._transports.of(
                work.hook.id,
                work.hook.doors,
                last_check=lease.require_time,
                files=files,
            ),
            redactor=redactor,
            rules=CallRules(before=before_call, after=after_call),
        )
        return DeliveryContext(
            work.hook,
            http,
            self._clock,
            redactor,
            links=links,
            identities=identities,
            state=state,
            trace=trace,
            following=look_ahead,
            insisted=work.items[0].insisted,
        )


def _is_away(error: Exception) -> bool:
    """Whether Redis or the database cannot be used now: no delivery is to blame for that."""
    return isinstance(error, RedisError) or (isinstance(error, SQLAlchemyError) and is_away(error))
