"""What every command needs: the application, and failures in a sentence."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from flask import Flask

from hub.access import audit
from hub.accounts.errors import Refused
from hub.app import create_app
from hub.cli.configuration import configured
from hub.cli.failure import Failure
from hub.cli.looking import in_sentences, require_schema
from hub.config import Config
from hub.database import db
from hub.security.encryption import Undecryptable

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def application(make: Callable[[Config], Flask] = create_app) -> Flask:
    """The application by the environment, logging to stderr."""
    return make(configured())


@contextmanager
def entered() -> Iterator[Flask]:
    """The application, entered; what it opened is closed at the end of the block."""
    app = application()
    with app.app_context():
        try:
            yield app
        finally:
            db.engine.dispose()
            app.extensions["hub.redis"].close()


def with_application(command: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Run a command inside the application, on a database that is there and up to date."""

    @functools.wraps(command)
    def wrapped(*arguments: Arguments.args, **options: Arguments.kwargs) -> Answer:
        try:
            with in_sentences(), entered(), audit.acting(audit.COMMAND_LINE):
                require_schema()
                return command(*arguments, **options)
        except (Refused, Undecryptable) as error:
            raise Failure(str(error)) from error

    return wrapped


def pairs(values: tuple[str, ...]) -> dict[str, Any]:
    """``("a=1", "b=x")`` as a mapping.

    :raises Failure: one is no pair.
    """
    result = {}
    for value in values:
        name, separator, text = value.partition("=")
        if not separator or not name:
            raise Failure(f"--set takes NAME=VALUE, not {value!r}.")
        result[name] = text
    return result
