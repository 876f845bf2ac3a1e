"""The manifest: what a plugin says about itself."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Literal

import click
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from hub.sdk.context import SessionDriver
from hub.sdk.events import EVENT_NAMES
from hub.sdk.processor import Processor
from hub.sdk.settings import SettingsSchema
from hub.sdk.setup import SetupService

#: The version of the SDK. Plugins name the range they work with in their manifest.
SDK_VERSION = "1.1"

_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")


class BadManifest(Exception):
    """A manifest that the hub cannot use; the message says what is wrong with it."""


@dataclass(frozen=True)
class Plugin:
    """A plugin. The entry point of the group ``hub.plugins`` points to one of these.

    ``events`` are the canonical events that it handles; the processor has a method for each.
    ``sdk`` is the range of SDK versions that it works with (PEP 440). ``package`` is its import
    package, which also holds the ``logo`` and the translations. If the plugin cannot be used yet,
    ``not_ready`` says why.
    """

    id: str
    name: str
    version: str
    description: str
    package: str
    settings: type[SettingsSchema]
    setup: type[SetupService]
    processor: type[Processor]
    events: frozenset[str]
    sdk: str = ">=1.0,<2"
    logo: str | None = None
    docs_url: str | None = None
    hook_type: Literal["account", "inbox"] = "account"
    allow_multiple_hooks: bool = False
    feature_flag: str | None = None
    session_driver: SessionDriver | None = None
    #: How many deliveries of one hook may be in progress at once, counted over all workers.
    concurrency: int = 8
    #: How many calls a second one hook may make, counted over all workers. ``None``: no limit but
    #: ``concurrency``.
    calls_per_second: float | None = None
    #: Commands that appear as ``hub <name>``. A command that is given as ``module:attribute`` is
    #: imported only when it may be needed, so that it costs workers no memory.
    commands: tuple[click.Command | str, ...] = ()
    not_ready: str | None = None
    #: The text catalogue: language -> message -> translation.
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def unknown_events(self) -> list[str]:
        """Events of the manifest that this version of the hub does not know and never sends. The
        plugin was written for a newer hub, or a name is misspelled. Since SDK 1.1."""
        return sorted(self.events - set(EVENT_NAMES))

    def loaded_commands(self) -> list[click.Command]:
        """The commands themselves.

        :raises BadManifest: a name leads to no command.
        """
        return [_loaded(command) for command in self.commands]

    def logo_bytes(self) -> bytes | None:
        """The logo's file, an SVG."""
        if not self.logo:
            return None
        return (resources.files(self.package) / self.logo).read_bytes()


def _loaded(command: click.Command | str) -> click.Command:
    if isinstance(command, click.Command):
        return command
    try:
        found = pkgutil.resolve_name(command)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadManifest(f"commands names {command!r}, which is not there: {error}.") from error
    if not isinstance(found, click.Command):
        raise BadManifest(f"commands names {command!r}, which is no click.Command.")
    return found


def validate(plugin: object, entry_point_name: str) -> Plugin:
    """The plugin, if its manifest is sound.

    :raises BadManifest: it is not; the message names the part and the mend.
    """
    if not isinstance(plugin, Plugin):
        raise BadManifest(
            f"The entry point must lead to a hub.sdk.Plugin, not a {type(plugin).__name__}."
        )
    if not _ID.fullmatch(plugin.id):
        raise BadManifest(
            f"id {plugin.id!r} must be 2 to 40 lower-case letters, digits and underscores."
        )
    if plugin.id != entry_point_name:
        raise BadManifest(f"id {plugin.id!r} differs from its entry point {entry_point_name!r}.")
    for part in ("name", "version", "description"):
        if not getattr(plugin, part):
            raise BadManifest(f"{part} is empty.")
    try:
        Version(plugin.version)
    except InvalidVersion as error:
        raise BadManifest(f"version {plugin.version!r} is not a version number.") from error
    try:
        fits = Version(SDK_VERSION) in SpecifierSet(plugin.sdk)
    except InvalidSpecifier as error:
        raise BadManifest(f"sdk {plugin.sdk!r} is not a version range.") from error
    if not fits:
        raise BadManifest(f"It needs SDK {plugin.sdk}; this hub has SDK {SDK_VERSION}.")
    for part, base in (
        ("settings", SettingsSchema),
        ("setup", SetupService),
        ("processor", Processor),
    ):
        if not isinstance(value := getattr(plugin, part), type) or not issubclass(value, base):
            raise BadManifest(f"{part} must be a subclass of hub.sdk.{base.__name__}.")
    _validate_events(plugin)
    if plugin.concurrency < 1:
        raise BadManifest("concurrency must be at least 1.")
    if plugin.calls_per_second is not None and plugin.calls_per_second <= 0:
        raise BadManifest("calls_per_second must be above 0.")
    return plugin


def _validate_events(plugin: Plugin) -> None:
    if not plugin.events:
        raise BadManifest("events is empty: the plugin would never be called.")
    unknown = plugin.unknown_events
    if plugin.events == set(unknown):
        raise BadManifest(f"events names unknown events only: {', '.join(unknown)}.")
    known = plugin.events - set(unknown)
    wanted = ["handle_" + name.replace(".", "_") for name in sorted(known)]
    wanted += [
        "handle_" + name.replace(".", "_") + "_batch"
        for name in sorted(known & set(plugin.processor.batches))
    ]
    missing = [name for name in wanted if not callable(getattr(plugin.processor, name, None))]
    if missing:
        raise BadManifest(f"The processor lacks {', '.join(missing)}.")
