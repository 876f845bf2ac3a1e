"""Configuration from the environment. The hub makes missing keys itself on its first start."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from hub.policy import Policies

#: The file in the data dir in which the running hub writes its address.
_PUBLIC_URL = "public.url"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadConfiguration(Exception):
    """An environment variable that cannot be used. The message names it and says what to do."""


@dataclass(frozen=True)
class Config:
    """The hub's configuration. Every field has an environment variable ``HUB_<NAME>``."""

    data_dir: Path
    database_url: str
    #: ``None``: the embedded server in the data dir.
    redis_url: str | None
    secret_key: str
    #: Fernet keys; the first encrypts, all decrypt.
    encryption_keys: tuple[str, ...]
    #: The address by which people and Chatwoot reach the hub.
    public_url: str
    log_format: Literal["console", "json"]
    #: Private networks that hooks may call, and networks that they may never call.
    outbound_allow: tuple[Network, ...]
    outbound_deny: tuple[Network, ...]
    #: How many reverse proxies stand in front of the hub; they are trusted to tell the sender's
    #: address.
    proxies: int
    #: ``HUB_POLICY``: when to try again, and how long a worker may be silent.
    policies: Policies

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Config:
        """Read the environment. Keys that it does not name are made once and kept in the data dir.

        :raises BadConfiguration: a variable cannot be used.
        """
        environment = os.environ if environment is None else environment
        read = _Reader(environment)
        data_dir = Path(read.text("HUB_DATA_DIR", "data")).expanduser().absolute()
        try:
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            state = data_dir.stat()
            if state.st_mode & 0o077 and state.st_uid == os.geteuid():
                data_dir.chmod(0o700)  # keys and customers' data
        except OSError as error:
            raise BadConfiguration(f"HUB_DATA_DIR {data_dir} cannot be made: {error}.") from error
        log_format = read.text("HUB_LOG_FORMAT", "console")
        if log_format not in ("console", "json"):
            raise BadConfiguration("HUB_LOG_FORMAT must be console or json.")
        keys = read.text("HUB_ENCRYPTION_KEYS") or _kept(
            data_dir / "encryption.keys", new_encryption_key
        )
        return cls(
            data_dir=data_dir,
            database_url=_with_driver(
                read.text("HUB_DATABASE_URL") or f"sqlite:///{data_dir / 'hub.db'}"
            ),
            redis_url=read.text("HUB_REDIS_URL") or None,
            secret_key=read.text("HUB_SECRET_KEY")
            or _kept(data_dir / "secret.key", lambda: secrets.token_urlsafe(48)),
            encryption_keys=tuple(
                _encryption_key(key) for key in keys.replace("\n", ",").split(",") if key.strip()
            ),
            public_url=(
                read.text("HUB_PUBLIC_URL")
                or _text_of(data_dir / _PUBLIC_URL)
                or "http://127.0.0.1:8000"
            ).rstrip("/"),
            log_format="json" if log_format == "json" else "console",
            outbound_allow=read.networks("HUB_OUTBOUND_ALLOW"),
            outbound_deny=read.networks("HUB_OUTBOUND_DENY"),
            proxies=read.number("HUB_PROXIES"),
            policies=read.policies(),
        )

    def reached_by(self, served_at: str) -> Config:
        """The configuration with this public address, unless the environment names another. The
        address is also written to a file, for commands in other terminals.
        """
        url = os.environ.get("HUB_PUBLIC_URL", "").strip() or served_at
        (self.data_dir / _PUBLIC_URL).write_text(url, encoding="utf-8")
        return replace(self, public_url=url.rstrip("/"))

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Redis listens: a Unix socket in the data dir."""
        return self.data_dir / "redis.sock"


class _Reader:
    """Reads variables. ``<NAME>_FILE`` may name a file that holds the value."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str = "") -> str:
        path = self._environment.get(f"{name}_FILE")
        if path:
            if self._environment.get(name):
                raise BadConfiguration(f"Set {name} or {name}_FILE, not both.")
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise BadConfiguration(f"{name}_FILE cannot be read: {error}.") from error
        return self._environment.get(name, "").strip() or default

    def networks(self, name: str) -> tuple[Network, ...]:
        try:
            return networks(self.text(name))
        except ValueError as error:
            raise BadConfiguration(
                f"{name} must be networks separated by commas, such as 10.0.0.0/8: {error}."
            ) from error

    def number(self, name: str) -> int:
        text = self.text(name, "0")
        if not text.isdecimal():
            raise BadConfiguration(f"{name} must be a whole number, not {text!r}.")
        return int(text)

    def policies(self) -> Policies:
        try:
            return Policies.from_text(self.text("HUB_POLICY"))
        except ValueError as error:
            raise BadConfiguration(
                f"HUB_POLICY must be like 'retry.longest=600 lease.settle=60': {error}."
            ) from error


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def new_encryption_key() -> str:
    """A new Fernet key: 32 random bytes."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _encryption_key(key: str) -> str:
    # The check that ``Fernet`` makes, without loading the cryptography library.
    try:
        fits = len(base64.urlsafe_b64decode(key.strip())) == 32
    except (binascii.Error, ValueError):
        fits = False
    if not fits:
        raise BadConfiguration(
            "HUB_ENCRYPTION_KEYS must be Fernet keys separated by commas; "
            "'hub keys generate' makes one."
        )
    return key.strip()


def _with_driver(url: str) -> str:
    """The URL of the database, checked; a PostgreSQL URL gets the driver that the hub ships."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_absolute():
        raise BadConfiguration(
            "HUB_DATABASE_URL must name the file of SQLite absolutely, with four slashes, such as "
            f"sqlite:////var/lib/crm-hub/hub.db, not {url}."
        )
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadConfiguration("HUB_DATABASE_URL must begin with sqlite:/// or postgresql://.")
    return url


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds. If several processes start at once, exactly one of them makes it."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a text, separated by commas.

    :raises ValueError: a part of the text is no network.
    """
    return tuple(
        ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip()
    )
