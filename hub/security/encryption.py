"""Encryption of stored secrets: the keys, and column types that encrypt what is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Never

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from hub.errors import Refused


class Undecryptable(Refused):
    """A stored secret that none of the keys opens."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be decrypted: a key is missing from HUB_ENCRYPTION_KEYS."
        )


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
            raise Undecryptable from error

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


class Unreadable:
    """Stands in a loaded row for a stored secret that no key opens.

    The row can be listed, changed and deleted. Whoever uses the secret gets ``Undecryptable``.
    """

    def __bool__(self) -> bool:
        return True  # there is a secret

    def __getattr__(self, name: str) -> Never:
        if name.startswith("__"):  # Python's own questions, as those of copy
            raise AttributeError(name)
        raise Undecryptable

    def _refuse(self, *_: object) -> Never:
        raise Undecryptable

    __iter__ = __len__ = __contains__ = __getitem__ = __str__ = __format__ = _refuse


def is_readable(secret: object) -> bool:
    """Whether a secret of a loaded row can be used."""
    return not isinstance(secret, Unreadable)


class LazyText(EncryptedText):
    """An encrypted text that, where no key opens it, is loaded as ``Unreadable``."""

    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        try:
            return None if value is None else Keyring.current().decrypt(value)
        except Undecryptable:
            return Unreadable()


class LazyJson(EncryptedJson):
    """Encrypted JSON that, where no key opens it, is loaded as ``Unreadable``."""

    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        try:
            return None if value is None else json.loads(Keyring.current().decrypt(value))
        except Undecryptable:
            return Unreadable()


def digest(secret: str) -> str:
    """The digest by which an unguessable token is looked up. The table holds no tokens."""
    return hashlib.sha256(secret.encode()).hexdigest()
