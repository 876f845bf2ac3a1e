"""The context that a plugin works in: the hub's side of ``hub.sdk.context``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hub import log
from hub.outbound.guard import Doors
from hub.plugins.faults import described
from hub.sdk.context import Clock
from hub.sdk.http import HttpClient
from hub.sdk.redaction import Redactor
from hub.sdk.settings import SettingsSchema, completed, secret_names


class UnreadableSettings(Exception):
    """A plugin fails at what is stored of its connection; the message says how."""


@dataclass(frozen=True, slots=True)
class HookView:
    """What a delivery needs to know of its hook, read once."""

    id: int
    account_id: int
    account_name: str
    default_region: str | None
    plugin_id: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    learned: Mapping[str, Any]
    own_calls_per_second: float | None
    stored_doors: str | None = ""

    @property
    def calls_per_second(self) -> float | None:
        """What the operator set for the hook, or a setting of that name says."""
        return self.own_calls_per_second or self.settings.get("calls_per_second")

    @property
    def doors(self) -> Doors:
        """The hosts inside that it may call."""
        return Doors.stored(self.stored_doors)

    @property
    def all_settings(self) -> dict[str, Any]:
        """Settings and secrets together, as the plugin sees them."""
        return {**self.settings, **self.secrets}

    @property
    def access(self) -> str:
        """Names the credentials and where they are used: another address or secret, another name.

        It tells neither. A remote session that was opened with one access serves no other.
        """
        told = [sorted(self.secrets.items()), sorted(map(str, self.settings.values()))]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def read_by(self, schema: type[SettingsSchema]) -> HookView:
        """What is stored, as this version of the plugin reads it.

        A setting that has become a secret since it was stored is one from now on.

        :raises UnreadableSettings: the plugin fails at it.
        :raises Undecryptable: its secrets cannot be read.
        """
        stored = self.all_settings
        try:
            read, secret = completed(schema, stored), secret_names(schema)
        except BaseException as error:  # a plugin renames its old settings by code of its own
            what = described(error)
            raise UnreadableSettings(
                f"The plugin cannot read the connection's settings ({what})."
            ) from error
        return replace(
            self,
            settings={name: value for name, value in read.items() if name not in secret},
            secrets={name: value for name, value in read.items() if name in secret},
        )


class HookContext:
    """The part that is there for every call of a hook. Implements ``CallContext``."""

    def __init__(self, hook: HookView, http: HttpClient, clock: Clock, redactor: Redactor) -> None:
        self._hook = hook
        self.settings: Mapping[str, Any] = hook.all_settings
        self.learned = hook.learned
        self.http = http
        self.clock = clock
        self.redactor = redactor

    @cached_property
    def log(self) -> log.FieldLog:
        """The logger, which knows the hook."""
        return log.FieldLog(
            log.plugin_logger(self._hook.plugin_id), self.redactor, hook=self._hook.id
        )
