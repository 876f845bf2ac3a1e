"""Passwords: Argon2id, with the parameters that argon2-cffi recommends."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from hub.accounts.errors import Refused

#: NIST SP 800-63B asks for 8 at least; 12 without rules about kinds of characters serve better.
SHORTEST = 12
LONGEST = 1_000

_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """What is stored of a new password.

    :raises Refused: it is too short or too long.
    """
    if len(password) < SHORTEST:
        raise Refused(f"A password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise Refused(f"A password may have at most {LONGEST} characters.")
    return _hasher.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Whether the password fits. Takes as long when there is none (``stored`` is ``None``)."""
    try:
        _hasher.verify(stored or _of_nobody(), password[:LONGEST])
    except VerificationError:
        return False
    return stored is not None


@cache
def _of_nobody() -> str:
    return _hasher.hash("nobody has this password")
