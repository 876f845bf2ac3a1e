"""Passwords: Argon2id, at the cost that the policy says, and no password that is easily guessed.

A hash needs much memory by intention. So a process makes two at a time, and the others wait.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from hub import services
from hub.errors import Refused
from hub.policy import PARALLELISM, PasswordPolicy

#: NIST SP 800-63B asks for 8 at least; 12 without rules about kinds of characters serve better.
SHORTEST = 12
LONGEST = 1_000
#: zxcvbn's scale ends at 4; 3 means more than a hundred million guesses.
_STRONG_ENOUGH = 3
#: Characters that it looks at: its time grows with the square.
_JUDGED = 72
#: Hashes at once in a process, and seconds that one waits for its turn.
AT_ONCE = 2
_PATIENCE = 10.0
_turns = threading.BoundedSemaphore(AT_ONCE)


def hashed(password: str, *known: str) -> str:
    """What is stored of a new password.

    ``known`` is what others know of its owner: email and name.

    :raises Refused: it is too short, too long, or easily guessed.
    """
    if len(password) < SHORTEST:
        raise Refused(f"A password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise Refused(f"A password may have at most {LONGEST} characters.")
    # Imported here: workers set no passwords, and its lists of words need 5 MB.
    from zxcvbn import zxcvbn

    words = [*known, *(part for text in known for part in text.replace("@", " ").split())]
    verdict = zxcvbn(password[:_JUDGED], user_inputs=[*words, "crm hub", "chatwoot", "glpi"])
    if verdict["score"] < _STRONG_ENOUGH:
        raise Refused(
            "That password is easily guessed: it is widely used, a pattern, or made of your name. "
            "Several words that do not belong together serve well."
        )
    with _turn():
        return _hasher(_policy()).hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Whether the password fits. Takes as long when there is none (``stored`` is ``None``)."""
    try:
        policy = _policy()
        with _turn():
            _hasher(policy).verify(stored or _of_nobody(policy), password[:LONGEST])
    except VerificationError:
        return False
    return stored is not None


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=_PATIENCE):
        raise Refused("Too many people sign in at this moment. Try again.")
    try:
        yield
    finally:
        _turns.release()


def _policy() -> PasswordPolicy:
    return services.current().config.policies.password


@cache
def _hasher(policy: PasswordPolicy) -> PasswordHasher:
    return PasswordHasher(policy.time_cost, policy.memory_cost, PARALLELISM)


@cache
def _of_nobody(policy: PasswordPolicy) -> str:
    return _hasher(policy).hash("nobody has this password")
