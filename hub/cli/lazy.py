"""Commands that are imported when they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


class LazyCommand(click.Command):
    """Stands for a command in the list of all, and becomes it when it is called.

    Click asks a command for a context before anything else, and goes on with the command of that
    context.
    """

    def __init__(self, name: str, help: str, load: Callable[[], click.Command]) -> None:
        super().__init__(name, help=help, hidden=not help)
        self.load = load

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """The context of the command itself."""
        return self.load().make_context(info_name, args, parent, **extra)
