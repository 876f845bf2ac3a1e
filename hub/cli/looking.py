"""What a command needs that only looks: the database and Redis, without the application.

Flask, the plugins and the cryptography would take several times as long to load as the rest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

import migrations
from hub.cli.configuration import configured, require_installation
from hub.cli.failure import Misconfigured, NotNow
from hub.clock import SYSTEM
from hub.database import db, opening
from hub.queue.connection import connect
from hub.services import Stores

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def looking(command: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Run a command on a database that is there and up to date. It reads no secrets."""

    @functools.wraps(command)
    def wrapped(*arguments: Arguments.args, **options: Arguments.kwargs) -> Answer:
        require_installation()
        config = configured()
        stores = Stores(config, SYSTEM, opening.open_alone(config), connect(config))
        with in_sentences(), stores.entered():
            try:
                require_schema()
                return command(*arguments, **options)
            finally:
                stores.close()

    return wrapped


@contextmanager
def in_sentences() -> Iterator[None]:
    """Tell the trouble of database and Redis as a command does.

    :raises Failure: there was trouble.
    """
    try:
        yield
    except DBAPIError as error:
        raise NotNow(f"The database answered: {error.orig}") from error
    except RedisError as error:
        raise NotNow(f"Redis cannot be reached: {error}") from error


def require_schema() -> None:
    """Make the schema in an empty database; refuse one of another version."""
    current = migrations.current(db.engine)
    if current is None:
        migrations.upgrade(db.engine)
    elif current != migrations.newest():
        raise Misconfigured(
            "The database has another schema than this version. Run 'hub db upgrade'."
        )
