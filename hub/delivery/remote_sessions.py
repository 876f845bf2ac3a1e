"""Remote sessions, shared by the fleet through Redis.

A sign-in costs more than the call that needs it. So a session that a worker has opened is lent to
one lane after the other. Only one lane has it at a time, because some CRMs lock a session during a
call. The tokens are encrypted. They are stored in Redis only: a lost session simply expires in the
CRM.
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
    """A token, and ``name``, its encrypted form in Redis. ``is_noted``: Redis has it."""

    token: str
    name: str
    is_noted: bool = True


class SharedSessions:
    """The sessions of one hook. The keyring encrypts the tokens.

    ``access`` identifies the current credentials and address of the hook. A session that was opened
    with others is given up, since its token must not be sent to another server.
    """

    def __init__(self, redis: Redis, keyring: Keyring, hook_id: int, access: str) -> None:
        self.access = access
        self._redis = redis
        self._keyring = keyring
        self._idle = f"{IDLE}{hook_id}"
        self._lent = f"{LENT}{hook_id}"

    def opened(self, token: str) -> Loan:
        """Note a session that was just opened. It counts as lent."""
        name = self._keyring.encrypt(f"{self.access} {token}")
        try:
            self._redis.hset(self._lent, name, str(time.time()))
        except RedisError:
            _log.warning("a remote session could not be noted in Redis")
            return Loan(token, name, is_noted=False)
        return Loan(token, name)

    def forget(self, name: str) -> None:
        """Remove a session that can no longer be used."""
        with suppress(RedisError):
            self._redis.hdel(self._lent, name)

    def take_all(self, *, lent_too: bool) -> list[Loan]:
        """Remove all sessions from the pool and return them. The caller must close them."""
        members = [member for member, _ in _members(self._redis.zpopmax(self._idle, 10_000))]
        if lent_too:
            members += [_text(member) for member in self._redis.hkeys(self._lent)]
            self._redis.delete(self._lent)
        return self._loans(members)

    def take_expired(self) -> list[Loan]:
        """Remove the sessions from the pool that were idle for too long, and return them."""
        limit = time.time() - IDLE_TTL
        found = _members(self._redis.zrangebyscore(self._idle, "-inf", limit, withscores=True))
        return self._loans(name for name, _ in found if self._redis.zrem(self._idle, name))

    def _loans(self, names: Iterable[str]) -> list[Loan]:
        return [loan for name in names if (loan := self.loan(name))]

    def loan(self, name: str) -> Loan | None:
        """The session of this name. ``None`` if its token cannot be read or belongs to another
        access; then the session is forgotten."""
        try:
            access, _, token = self._keyring.decrypt(name).partition(" ")
        except Undecryptable as error:
            reason = str(error)
        else:
            if access == self.access:
                return Loan(token, name)
            reason = "the connection has another address or other credentials now"
        # It can no longer be used, and expires in the CRM by itself.
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
        """Open a new session in place of one that the CRM no longer knows."""
        self.loan = self._reopen(self.loan)
        return self.loan.token


class LaneSessions:
    """The session of one lane: the one that came with the lane, or one that is opened for it.

    Implements ``hub.sdk.context.SessionPool`` for the current attempt.
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
        """Serve this attempt from now on: sign-ins appear in its trace. A session that was opened
        with other credentials is not used for it."""
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
        """Put the session into the lane, with which it is given back to the pool."""
        if self._borrowed is None:
            return
        loan, self._borrowed = self._borrowed.loan, None
        if loan.is_noted:
            self._lane.session, self._lane.session_used_at = loan.name, time.time()
        else:
            close_quietly(self._driver, self._context, loan.token)


def close_quietly(driver: SessionDriver, context: CallContext, token: str) -> None:
    """Sign out, ignoring errors. A CRM that cannot be reached forgets the session by itself."""
    try:
        driver.close(context, token)
    except BaseException as error:  # a bug of the plugin must not block its lane
        _log.warning("a remote session could not be closed", reason=described(error))
