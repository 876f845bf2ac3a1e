"""Remote sessions, shared by the fleet through Redis.

A sign-in costs more than the call it is for. So a session that a worker has opened is lent from
one lane to the next, to one at a time: a CRM that locks its session would make callers wait. The
tokens are encrypted; they stand in Redis only, since a lost one merely expires over there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import RedisError

from hub import log
from hub.queue.connection import PREFIX
from hub.sdk.context import CallContext, SessionDriver
from hub.sdk.errors import HubError
from hub.security.encryption import Keyring

IDLE = f"{PREFIX}:sessions:idle:"
LENT = f"{PREFIX}:sessions:lent:"
#: Seconds after which an idle session is closed rather than trusted (PHP forgets after 1,440).
IDLE_TTL = 900

_log = log.get(__name__)


# The idle session that was used last becomes one on loan. KEYS: idle, lent. ARGV: the time.
_TAKE = """
local popped = redis.call('ZPOPMAX', KEYS[1])
if popped[1] then redis.call('HSET', KEYS[2], popped[1], ARGV[1]) end
return popped
"""


@cache
def _take(redis: Redis) -> Script:
    return redis.register_script(_TAKE)


@dataclass(frozen=True, slots=True)
class Loan:
    """A token and the encrypted form that stands for it in Redis."""

    token: str
    name: str


class SharedSessions:
    """The sessions of one hook. The keyring encrypts the tokens."""

    def __init__(self, redis: Redis, keyring: Keyring, hook_id: int) -> None:
        self._redis = redis
        self._keyring = keyring
        self._idle = f"{IDLE}{hook_id}"
        self._lent = f"{LENT}{hook_id}"

    def take(self) -> Loan | None:
        """The idle session that was used last, if there is one that is still good."""
        try:
            popped: Any = _take(self._redis)(keys=[self._idle, self._lent], args=[time.time()])
        except RedisError:
            return None
        if not popped or time.time() - float(popped[1]) > IDLE_TTL:
            return None
        return self._loan(_text(popped[0]))

    def opened(self, token: str) -> Loan:
        """Note a session that was opened and is on loan now."""
        loan = Loan(token, self._keyring.encrypt(token))
        try:
            self._redis.hset(self._lent, loan.name, str(time.time()))
        except RedisError:
            _log.warning("a remote session could not be noted in Redis")
        return loan

    def give_back(self, loan: Loan) -> bool:
        """Make a session idle; ``False`` when Redis cannot keep it and it must be closed."""
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.zadd(self._idle, {loan.name: time.time()})
                pipeline.hdel(self._lent, loan.name)
                pipeline.execute()
        except RedisError:
            return False
        return True

    def forget(self, loan: Loan) -> None:
        """A session that the remote no longer knows."""
        with suppress(RedisError):
            self._redis.hdel(self._lent, loan.name)

    def take_all(self, *, lent_too: bool) -> list[Loan]:
        """Every known session, removed from the pool: they are to be closed."""
        members = [member for member, _ in _members(self._redis.zpopmax(self._idle, 10_000))]
        if lent_too:
            members += [_text(member) for member in self._redis.hkeys(self._lent)]
            self._redis.delete(self._lent)
        return [self._loan(member) for member in members]

    def take_expired(self) -> list[Loan]:
        """Idle sessions that have not been used for long, removed from the pool."""
        limit = time.time() - IDLE_TTL
        found = _members(self._redis.zrangebyscore(self._idle, "-inf", limit, withscores=True))
        return [self._loan(name) for name, _ in found if self._redis.zrem(self._idle, name)]

    def _loan(self, name: str) -> Loan:
        return Loan(self._keyring.decrypt(name), name)


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
    """The sessions as one lane sees them: borrowed at first use, given back when it is drained.

    Implements ``hub.sdk.context.SessionPool``.
    """

    def __init__(self, shared: SharedSessions, driver: SessionDriver, context: CallContext) -> None:
        self._shared = shared
        self._driver = driver
        self._context = context
        self._borrowed: Borrowed | None = None

    def serve(self, context: CallContext) -> None:
        """Sign-ins from now on belong to this delivery's story."""
        self._context = context

    @contextmanager
    def borrow(self) -> Iterator[Borrowed]:
        """See ``hub.sdk.context.SessionPool.borrow``."""
        if self._borrowed is None:
            self._borrowed = Borrowed(self._shared.take() or self._open(), self._reopen)
        yield self._borrowed

    def _open(self) -> Loan:
        return self._shared.opened(self._driver.open(self._context))

    def _reopen(self, lost: Loan) -> Loan:
        self._shared.forget(lost)
        return self._open()

    def end(self) -> None:
        """The lane is drained: the next one may have the session."""
        if self._borrowed is None:
            return
        loan, self._borrowed = self._borrowed.loan, None
        if not self._shared.give_back(loan):
            close_quietly(self._driver, self._context, loan.token)


def close_quietly(driver: SessionDriver, context: CallContext, token: str) -> None:
    """Sign out; a remote that cannot be reached will forget the session by itself."""
    try:
        driver.close(context, token)
    except HubError as error:
        _log.warning("a remote session could not be closed", reason=error.sentence)
