"""Passwords: Argon2id, at the cost that the policy says."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask import current_app

from hub.access.policy import PARALLELISM, PasswordPolicy
from hub.accounts.errors import Refused

#: NIST SP 800-63B asks for 8 at least; 12 without rules about kinds of characters serve better.
SHORTEST = 12
LONGEST = 1_000


def hashed(password: str) -> str:
    """What is stored of a new password.

    :raises Refused: it is too short or too long.
    """
    if len(password) < SHORTEST:
        raise Refused(f"A password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise Refused(f"A password may have at most {LONGEST} characters.")
    return _hasher(_policy()).hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Whether the password fits. Takes as long when there is none (``stored`` is ``None``)."""
    try:
        policy = _policy()
        _hasher(policy).verify(stored or _of_nobody(policy), password[:LONGEST])
    except VerificationError:
        return False
    return stored is not None


def _policy() -> PasswordPolicy:
    policy: PasswordPolicy = current_app.extensions["hub.config"].policies.password
    return policy


@cache
def _hasher(policy: PasswordPolicy) -> PasswordHasher:
    return PasswordHasher(policy.time_cost, policy.memory_cost, PARALLELISM)


@cache
def _of_nobody(policy: PasswordPolicy) -> str:
    return _hasher(policy).hash("nobody has this password")
