"""Passwords: hashed with Argon2id at the cost of the policy. Weak passwords are refused.

A hash needs much memory on purpose. So a process computes at most two at a time; others wait.
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

#: NIST SP 800-63B asks for 8 at least. We ask for 12, but for no special kinds of characters.
SHORTEST = 12
LONGEST = 1_000
#: zxcvbn's scale ends at 4; 3 means more than a hundred million guesses.
_STRONG_ENOUGH = 3
#: zxcvbn sees only so many characters: its time grows with the square of their number.
_JUDGED = 72
#: How many hashes a process computes at once, and how many seconds others wait.
AT_ONCE = 2
_PATIENCE = 10.0
_turns = threading.BoundedSemaphore(AT_ONCE)


def hashed(password: str, *known: str) -> str:
    """The hash of a new password.

    ``known`` is what others know of its owner, such as email and name.

    :raises Refused: the password is too short, too long, or easily guessed.
    """
    if len(password) < SHORTEST:
        raise Refused(f"A password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise Refused(f"A password may have at most {LONGEST} characters.")
    # Imported here: its word lists need 5 MB, and workers set no passwords.
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
    """Whether the password is right. It takes the same time if there is no user (``stored`` is
    ``None``)."""
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
