"""What every command needs: the application, and failures in a sentence."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import click
from flask import Flask

from hub import audit, services
from hub.app import create_app
from hub.cli.configuration import configured, require_installation
from hub.cli.failure import Failure
from hub.cli.looking import in_sentences, require_schema
from hub.config import Config
from hub.errors import Refused

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def application(make: Callable[[Config], Flask] = create_app) -> Flask:
    """The application by the environment, logging to stderr."""
    return make(configured())


@contextmanager
def entered() -> Iterator[Flask]:
    """The application, entered; what it opened is closed at the end of the block."""
    require_installation()
    app = application()
    with app.app_context():
        try:
            yield app
        finally:
            services.of(app).close()


def with_application(command: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Run a command inside the application, on a database that is there and up to date."""

    @functools.wraps(command)
    def wrapped(*arguments: Arguments.args, **options: Arguments.kwargs) -> Answer:
        try:
            with in_sentences(), entered(), audit.acting(audit.COMMAND_LINE):
                require_schema()
                return command(*arguments, **options)
        except Refused as error:
            raise Failure(str(error)) from error

    return wrapped


def pairs(values: tuple[str, ...]) -> dict[str, Any]:
    """``("a=1", "b=@file")`` as a mapping; see ``given`` for files.

    :raises Failure: one is no pair, or its file cannot be read. What was given is not repeated.
    """
    result: dict[str, Any] = {}
    for value in values:
        name, separator, text = value.partition("=")
        if not separator or not name:
            raise Failure("--set takes NAME=VALUE; what was given has no name or no '='.")
        result[name] = given(text, f"--set {name}")
    return result


def given(text: str, option: str) -> str:
    """What was given on the command line: the text itself, for ``@file`` what the file holds, for
    ``-`` the standard input, without the last line break; ``@@x`` is the text ``@x``. So secrets
    need not stand in the list of processes, nor in the shell's history.

    :raises Failure: the file cannot be read. It names the option, not the text: that may be a
        secret that begins with @.
    """
    if text.startswith("@@"):
        return text[1:]
    if text != "-" and not text.startswith("@"):
        return text
    try:
        with click.open_file(text.removeprefix("@"), encoding="utf-8") as file:
            return str(file.read()).removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not a text in UTF-8"
        raise Failure(
            f"The file that {option} names cannot be read: {why}. A value that begins with @ is "
            "written @@."
        ) from None


def of_secret(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    """The callback of an option that holds a secret: see ``given``."""
    return None if text is None else given(text, option.opts[0])


class SecretCommand(click.Command):
    """A command that is given secrets: what it cannot make sense of, it does not repeat."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if type(error) is not click.UsageError:
                raise
            # Arguments that are too many; click would tell them.
            raise click.UsageError(
                "There are more arguments than this command takes. Put quotes around values with "
                "spaces; a setting is --set NAME=VALUE.",
                ctx,
            ) from None
