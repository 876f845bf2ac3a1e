"""The commands that plugins bring, listed without loading the plugins.

A plugin names them as entry points of the group ``hub.commands``; what a command does is read from
its source, not imported. A distribution that has none there is loaded, and asked for
``Plugin.commands``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

import click

from hub.cli.failure import Failure
from hub.cli.lazy import LazyCommand

GROUP = "hub.commands"
_PLUGINS = "hub.plugins"


def names() -> set[str]:
    """The names of all."""
    declared = {entry.name for entry in entry_points(group=GROUP)}
    return {*declared, *(command.name or "" for command in _undeclared())}


def find(name: str) -> click.Command | None:
    """The command of this name."""
    entry = next(iter(entry_points(group=GROUP, name=name)), None)
    if entry is not None:
        return LazyCommand(name, _help(entry), partial(_load, entry))
    return next((command for command in _undeclared() if command.name == name), None)


def _load(entry: EntryPoint) -> click.Command:
    try:
        command = entry.load()
    except (ImportError, AttributeError) as error:
        raise Failure(f"The command {entry.name} is not at {entry.value}: {error}.") from error
    if not isinstance(command, click.Command):
        raise Failure(f"The command {entry.name} at {entry.value} is no click.Command.")
    return command


def _help(entry: EntryPoint) -> str:
    """What the command's function says of itself, or else which distribution brings it."""
    source = _source(entry.module)
    if source is not None:
        for node in ast.parse(source.read_bytes()).body:
            if isinstance(node, ast.FunctionDef) and node.name == entry.attr:
                return ast.get_docstring(node) or _origin(entry)
    return _origin(entry)


def _source(module: str) -> Path | None:
    """The file of a module. Only its outermost package is looked for: to look further, Python
    would import it."""
    outermost, *inner = module.split(".")
    spec = find_spec(outermost)
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin)
    if inner:
        place = place.parent.joinpath(*inner)
        place = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return place if place.suffix == ".py" and place.exists() else None


def _origin(entry: EntryPoint) -> str:
    return f"Brought by {entry.dist.name if entry.dist else entry.module}."


@cache
def _undeclared() -> Sequence[click.Command]:
    """The commands of plugins whose distributions declare none."""
    declaring = {entry.dist.name for entry in entry_points(group=GROUP) if entry.dist}
    others = [
        entry
        for entry in entry_points(group=_PLUGINS)
        if entry.dist is None or entry.dist.name not in declaring
    ]
    if not others:
        return ()
    from hub.plugins import Registry
    from hub.sdk.plugin import BadManifest

    commands: list[click.Command] = []
    for plugin in Registry.of(others).plugins.values():
        try:
            commands += plugin.loaded_commands()
        except BadManifest as error:
            click.echo(f"hub: the plugin {plugin.id} brings no commands: {error}", err=True)
    return commands
