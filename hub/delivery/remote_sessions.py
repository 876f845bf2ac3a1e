"""Remote sessions, shared by the fleet through Redis.

A sign-in costs more than the call it is for. So a session that a worker has opened is lent from
one lane to the next, to one at a time: a CRM that locks its session would make callers wait. The
tokens are encrypted; they stand in Redis only, since a lost one merely expires over there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from hub import log
from hub.delivery.context import HookView
from hub.plugins.faults import described
from hub.queue.ready import IDLE, IDLE_TTL, LENT, TakenLane
from hub.sdk.context import CallContext, SessionDriver
from hub.security.encryption import Keyring, Undecryptable

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Loan:
    """A token and the encrypted form that stands for it in Redis, if Redis could note it."""

    token: str
    name: str
    is_noted: bool = True


class SharedSessions:
    """The sessions of one hook. The keyring encrypts the tokens.

    ``access`` names the credentials and the address that the hook has now. A session that was
    opened with others is given up: it must not be shown to another server.
    """

    def __init__(self, redis: Redis, keyring: Keyring, hook_id: int, access: str) -> None:
        self.access = access
        self._redis = redis
        self._keyring = keyring
        self._idle = f"{IDLE}{hook_id}"
        self._lent = f"{LENT}{hook_id}"

    def opened(self, token: str) -> Loan:
        """Note a session that was opened and is on loan now."""
        name = self._keyring.encrypt(f"{self.access} {token}")
        try:
            self._redis.hset(self._lent, name, str(time.time()))
        except RedisError:
            _log.warning("a remote session could not be noted in Redis")
            return Loan(token, name, is_noted=False)
        return Loan(token, name)

    def forget(self, name: str) -> None:
        """A session that cannot be used any more."""
        with suppress(RedisError):
            self._redis.hdel(self._lent, name)

    def take_all(self, *, lent_too: bool) -> list[Loan]:
        """Every known session, removed from the pool: they are to be closed."""
        members = [member for member, _ in _members(self._redis.zpopmax(self._idle, 10_000))]
        if lent_too:
            members += [_text(member) for member in self._redis.hkeys(self._lent)]
            self._redis.delete(self._lent)
        return self._loans(members)

    def take_expired(self) -> list[Loan]:
        """Idle sessions that have not been used for long, removed from the pool."""
        limit = time.time() - IDLE_TTL
        found = _members(self._redis.zrangebyscore(self._idle, "-inf", limit, withscores=True))
        return self._loans(name for name, _ in found if self._redis.zrem(self._idle, name))

    def _loans(self, names: Iterable[str]) -> list[Loan]:
        return [loan for name in names if (loan := self.loan(name))]

    def loan(self, name: str) -> Loan | None:
        """The session of this name, if its token can be read and is of this access; it is
        forgotten if not."""
        try:
            access, _, token = self._keyring.decrypt(name).partition(" ")
        except Undecryptable as error:
            reason = str(error)
        else:
            if access == self.access:
                return Loan(token, name)
            reason = "the connection has another address or other credentials now"
        # Nobody can use it any more, and it expires over there.
        _log.warning("a remote session was given up", reason=reason)
        self.forget(name)
        return None


def _members(answer: Any) -> list[tuple[str, float]]:
    """Members and scores of a sorted set, as Redis answers them."""
    return [(_text(member), float(score)) for member, score in answer]


def _text(member: bytes | str) -> str:
    return member.decode() if isinstance(member, bytes) else member


class Borrowed:
    """A session on loan to one lane. Implements ``hub.sdk.context.BorrowedSession``."""

    def __init__(self, loan: Loan, reopen: Callable[[Loan], Loan]) -> None:
        self.loan = loan
        self._reopen = reopen

    @property
    def token(self) -> str:
        """The token to send."""
        return self.loan.token

    def renew(self) -> str:
        """Drop the token, which the remote no longer knows, and open a new session."""
        self.loan = self._reopen(self.loan)
        return self.loan.token


class LaneSessions:
    """The session as one lane sees it: the one that came with it, or one that it opens.

    Implements ``hub.sdk.context.SessionPool`` for the attempt that it serves.
    """

    _shared: SharedSessions
    _driver: SessionDriver
    _context: CallContext

    def __init__(self, redis: Redis, keyring: Keyring, lane: TakenLane) -> None:
        self._redis = redis
        self._keyring = keyring
        self._lane = lane
        self._borrowed: Borrowed | None = None

    def serve(self, hook: HookView, driver: SessionDriver, context: CallContext) -> None:
        """Lend to this attempt: sign-ins from now on belong to its story. A session that was opened
        with other credentials is not lent to it."""
        shared = SharedSessions(self._redis, self._keyring, hook.id, hook.access)
        if self._borrowed is not None and self._shared.access != shared.access:
            self.end()
        self._shared, self._driver, self._context = shared, driver, context

    @contextmanager
    def borrow(self) -> Iterator[Borrowed]:
        """See ``hub.sdk.context.SessionPool.borrow``."""
        if self._borrowed is None:
            self._borrowed = Borrowed(self._lent() or self._open(), self._reopen)
        yield self._borrowed

    def _lent(self) -> Loan | None:
        """The session that came with the lane, if it can be read."""
        name, self._lane.session = self._lane.session, ""
        return self._shared.loan(name) if name else None

    def _open(self) -> Loan:
        return self._shared.opened(self._driver.open(self._context))

    def _reopen(self, lost: Loan) -> Loan:
        self._shared.forget(lost.name)
        return self._open()

    def end(self) -> None:
        """The lane is drained: leave in it the session that is to be given back with it."""
        if self._borrowed is None:
            return
        loan, self._borrowed = self._borrowed.loan, None
        if loan.is_noted:
            self._lane.session, self._lane.session_used_at = loan.name, time.time()
        else:
            close_quietly(self._driver, self._context, loan.token)


def close_quietly(driver: SessionDriver, context: CallContext, token: str) -> None:
    """Sign out; a remote that cannot be reached will forget the session by itself."""
    try:
        driver.close(context, token)
    except BaseException as error:  # a bug of the plugin must not keep its lane
        _log.warning("a remote session could not be closed", reason=described(error))
