"""A taking: one lane in the hands of one worker, from the transaction that takes it to the one that
gives it back.

Each transaction writes down how the last work ended, and begins the next. Between two of them the
plugin works. Whoever dies in between leaves a lease that ends by itself and a delivery marked as
running; the next owner sees both and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import TracebackType

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hub import log
from hub.database import is_away
from hub.database.group_commit import in_shared_transaction
from hub.delivery import lanes
from hub.delivery.attempt import Attempt
from hub.delivery.endings import Stumble, foresee
from hub.delivery.engine import Engine
from hub.delivery.identities import claim_ahead
from hub.delivery.lanes import Lease
from hub.delivery.outcome import record, set_aside
from hub.delivery.remote_sessions import LaneSessions
from hub.delivery.work import Nothing, Work, choose, leave
from hub.queue.ready import ReadyLane, TakenLane
from hub.sdk.errors import LaneLost
from hub.sdk.redaction import Redactor

_log = log.get(__name__)

#: Gives a lane back to Redis and answers the next one, if there is one.
HandOver = Callable[[TakenLane], TakenLane | None]


def take(engine: Engine, lane: TakenLane, hand_over: HandOver | None) -> Taking | None:
    """Take a lane and begin its first work; ``None`` if another worker has it, or nothing is owed
    in it."""
    try:
        return in_shared_transaction(lambda session: _begin(session, engine, lane, hand_over))
    except Exception as error:
        if _is_away(error):
            raise
        # The lane alone: its work, which is to blame, is met with the lease in hand.
        _log.warning("a lane is taken without its work", lane=lane.lane_id, error=repr(error))
        return in_shared_transaction(
            lambda session: _begin(session, engine, lane, hand_over, with_work=False)
        )


def _begin(
    session: Session,
    engine: Engine,
    lane: TakenLane,
    hand_over: HandOver | None,
    *,
    with_work: bool = True,
) -> Taking | None:
    """Take the lane, and its first work with it, unless the mutex must be asked first."""
    now, seconds = engine.clock.now(), engine.policies.lease.lease
    lease = lanes.take(session, lane.lane_id, lane.slot, now, seconds)
    if lease is None:
        return None
    taking = Taking(engine, lane, lease, hand_over)
    if with_work and (lease.was_free or lane.has_mutex):
        taking.begin(session)
    return taking


class Taking:
    """A lane with its lease, its mutex, its slot and its remote session.

    As a context manager it keeps them for as long as the lane is worked on. Whatever fails there
    ends in the record of the delivery, unless Redis or the database is away.
    """

    def __init__(
        self, engine: Engine, lane: TakenLane, lease: Lease, hand_over: HandOver | None
    ) -> None:
        self.lease = lease
        self.sessions = LaneSessions(engine.redis, engine.keyring, lane)
        self._engine = engine
        self._lane = lane
        self._hand_over = hand_over
        #: What was begun last; ``None`` if the mutex must be asked first. After ``Nothing`` the
        #: lane is given back.
        self._chosen: Work | Nothing | None = None
        #: Redis has the lane back, and the database gets it with the next outcome.
        self._is_handed_over = False
        #: The lane that Redis gave for it, and its taking if that has begun.
        self._successor: TakenLane | None = None
        self._following: Taking | None = None

    def __enter__(self) -> Taking:
        self._engine.held.add(self.lease)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        try:
            self.sessions.end()
            if isinstance(error, LaneLost):
                _log.warning("lane lost to another worker", lane=self.lease.lane_id)
            elif isinstance(error, Exception) and not _is_away(error):
                self._set_aside(error)
            else:
                return False
            return True
        finally:
            self._engine.held.remove(self.lease)

    def begin(self, session: Session) -> None:
        """Begin the first work in the transaction that takes the lane."""
        self._chosen = self._next(session)
        if self.lease.epoch == 1 and isinstance(self._chosen, Work):
            # A person of whom nothing was heard before has probably no record yet.
            claims = claim_ahead(session, self.lease, foresee(self._chosen))
            self._chosen = replace(self._chosen, claims=claims)

    def choose(self) -> Work | None:
        """The work to do now; ``None`` if the lane is given back."""
        engine, lease = self._engine, self.lease
        if not (isinstance(self._chosen, Nothing) or engine.held.has_mutex(self._lane, lease)):
            with suppress(LaneLost):  # so much the better
                in_shared_transaction(lambda s: lanes.give_back(s, lease, engine.clock.now()))
            return None
        if self._chosen is None:
            self._chosen = in_shared_transaction(self._next)
        if isinstance(self._chosen, Nothing):
            self._tell(self._chosen)
            return None
        return self._chosen

    def settle(self, attempt: Attempt) -> None:
        """Write down how the attempt ended. The same transaction begins what comes next, in this
        lane or, where there is one writer anyway, in the one that follows: elsewhere it would lock
        two lanes, perhaps crosswise to another's."""
        engine, lease = self._engine, self.lease
        if self._hand_over is not None and attempt.work.is_last and not engine.stopping.is_set():
            self._give_to_redis(self._hand_over)
        successor = self._successor if engine.has_one_writer else None

        def step(
            session: Session, goes_on: bool = True
        ) -> tuple[bool, Work | Nothing, Taking | None]:
            has_closed = self._write(session, attempt)
            if goes_on and not self._is_handed_over:
                return has_closed, self._next(session), None
            rest = self._leave(session)
            if not goes_on or successor is None:
                return has_closed, rest, None
            return has_closed, rest, _begin(session, engine, successor, self._hand_over)

        try:
            has_closed, self._chosen, self._following = in_shared_transaction(step)
        except Exception as error:
            is_alone = successor is None and (self._is_handed_over or _is_away(error))
            if isinstance(error, LaneLost) or is_alone:
                raise
            # What comes next may be to blame: it is met when its lane is taken.
            _log.warning("an outcome is written alone", lane=lease.lane_id, error=repr(error))
            has_closed, self._chosen, _ = in_shared_transaction(lambda s: step(s, False))
        else:
            if successor is not None:
                self._successor = None
        # The call that signs out comes later, and may find no lane to write for.
        attempt.ledger.is_written()
        if has_closed:
            # Lanes that were taken during the probe have had the hook held until the next one.
            with suppress(RedisError):
                engine.ready.unhold(lease.hook_id)

    def following(self) -> Taking | None:
        """The taking of the next lane, after this one was handed over."""
        if self._successor is None:
            return self._following
        return take(self._engine, self._successor, self._hand_over)

    def _give_to_redis(self, hand_over: HandOver) -> None:
        """Nothing else waits in the lane: hand it over before its outcome is written."""
        self.sessions.end()
        self._is_handed_over = True
        # A renewal would take the mutex anew that is given back now.
        self._engine.held.remove(self.lease)
        try:
            self._successor = hand_over(self._lane)
        except RedisError as error:
            _log.warning("the next lane could not be taken", error=str(error))

    def _write(self, session: Session, attempt: Attempt) -> bool:
        engine = self._engine
        if not (self._is_handed_over and engine.has_one_writer):
            # The fence, and the lock under which it is seen what else the lane owes. Giving back is
            # a fence, too, and one writer needs no lock.
            attempt.ledger.fence(session)
        attempt.ledger.write(session)
        return record(session, engine, attempt, engine.clock.now())

    def _set_aside(self, error: Exception) -> None:
        """Write down that the hub itself failed: the delivery is tried again, and the lane is given
        back."""
        engine, lease = self._engine, self.lease
        hook = self._chosen.hook if isinstance(self._chosen, Work) else None
        stumble = Stumble.over(error, Redactor(hook.secrets.values() if hook else ()))
        _log.error("the hub failed at a delivery", lane=lease.lane_id, error=stumble.traceback)

        def step(session: Session) -> Nothing:
            now = engine.clock.now()
            lanes.renew(session, lease, now, engine.policies.lease.lease)
            set_aside(session, engine, lease.lane_id, stumble, now)
            return self._leave(session)

        with suppress(LaneLost):
            self._tell(in_shared_transaction(step))

    def _next(self, session: Session) -> Work | Nothing:
        """Begin the next work; give the lane back if there is none."""
        engine, lease, now = self._engine, self.lease, self._engine.clock.now()
        chosen: Work | Nothing
        if engine.stopping.is_set():
            chosen = leave(session, lease, now)
        else:
            chosen = choose(session, engine, lease, now)
        if isinstance(chosen, Nothing):
            lanes.give_back(session, lease, chosen.due_at)
        return chosen

    def _leave(self, session: Session) -> Nothing:
        """Give the lane back, whatever is due in it: others are told."""
        rest = leave(session, self.lease, self._engine.clock.now())
        lanes.give_back(session, self.lease, rest.due_at)
        return replace(rest, is_ready=True)

    def _tell(self, rest: Nothing) -> None:
        """Tell Redis what is left of a lane that was given back. What it is not told, the sweeper
        finds."""
        engine, now = self._engine, self._engine.clock.now()
        soon = now + timedelta(seconds=engine.policies.order.patience)
        hook_id, lane_id = self.lease.hook_id, self.lease.lane_id
        with suppress(RedisError):
            if rest.due_at is not None and rest.due_at <= now and rest.is_ready:
                engine.ready.push([ReadyLane(hook_id, lane_id)])
            elif rest.due_at is not None and now < rest.due_at <= soon:
                # Its events wait for what they have overtaken: it is taken at its time.
                engine.ready.push([ReadyLane(hook_id, lane_id, rest.due_at)])
            if rest.hold_until is not None:
                # The hook's other ready lanes need not be taken to learn the same.
                engine.ready.hold(hook_id, (rest.hold_until - now).total_seconds())


def _is_away(error: Exception) -> bool:
    """Whether Redis or the database cannot be used now: no delivery is to blame for that."""
    return isinstance(error, RedisError) or (isinstance(error, SQLAlchemyError) and is_away(error))
