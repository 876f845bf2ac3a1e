"""Encryption of stored secrets: the keys, and column types that encrypt what is written."""

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
        # Imported here: a command that only shows figures needs no cryptography.
        from cryptography.fernet import Fernet, MultiFernet

        self._fernet = MultiFernet([Fernet(key) for key in keys])
        # Every delivery needs its hook's secrets and session, mostly the same ones.
        self._opened = lru_cache(maxsize=256)(self._open)

    @classmethod
    def current(cls) -> Keyring:
        """The keyring of the running application."""
        current = CURRENT.get()
        assert current is not None, "no application is entered, or one that reads no secrets"
        return current

    def encrypt(self, text: str) -> str:
        """The encrypted form of ``text``."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """The text that was encrypted.

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
        """The same text, encrypted with the first key.

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
    """The digest by which an unguessable token is looked up. The table holds no tokens."""
    return hashlib.sha256(secret.encode()).hexdigest()
