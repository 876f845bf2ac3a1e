"""Secrets at rest: column types that encrypt on the way into the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator


class Undecryptable(Exception):
    """A stored secret that none of the keys opens."""


class Keyring:
    """The encryption keys: the first encrypts, all decrypt."""

    def __init__(self, keys: Sequence[str]) -> None:
        # Imported here: who only looks at figures needs no cryptography.
        from cryptography.fernet import Fernet, MultiFernet

        self._fernet = MultiFernet([Fernet(key) for key in keys])
        # A hook's secrets and its session are asked for with every delivery.
        self._opened = lru_cache(maxsize=256)(self._open)

    @classmethod
    def current(cls) -> Keyring:
        """The keyring of the running application."""
        current = CURRENT.get()
        assert current is not None, "no application is entered, or one that reads no secrets"
        return current

    def encrypt(self, text: str) -> str:
        """The token that stands for ``text``."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """The text that ``encrypt`` was given.

        :raises Undecryptable: no key opens it.
        """
        return self._opened(token)

    def _open(self, token: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise Undecryptable(
                "A stored secret cannot be decrypted: a key is missing from HUB_ENCRYPTION_KEYS."
            ) from error

    def rotate(self, token: str) -> str:
        """The same text under the first key.

        :raises Undecryptable: no key opens it.
        """
        return self.encrypt(self.decrypt(token))


#: The keyring of the running application; ``hub.services`` sets it.
CURRENT: ContextVar[Keyring | None] = ContextVar("keyring", default=None)


class EncryptedText(TypeDecorator[str]):
    """A text column whose content only the keyring can read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else Keyring.current().encrypt(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else Keyring.current().decrypt(value)


class EncryptedJson(TypeDecorator[Any]):
    """A JSON column whose content only the keyring can read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else Keyring.current().encrypt(json.dumps(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(Keyring.current().decrypt(value))


def digest(secret: str) -> str:
    """What an unguessable token is looked up by, so that the table does not hold the token."""
    return hashlib.sha256(secret.encode()).hexdigest()
