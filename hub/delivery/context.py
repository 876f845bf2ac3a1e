"""The context that a plugin works in: the hub's side of ``hub.sdk.context``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hub import log
from hub.delivery.identities import Identities
from hub.delivery.links import DatabaseLinks
from hub.delivery.remote_sessions import LaneSessions
from hub.delivery.state import DatabaseState
from hub.outbound.guard import Doors
from hub.outbound.trace import Trace
from hub.plugins.faults import described
from hub.sdk.context import Clock
from hub.sdk.events import Event
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
        """
        try:
            read, secret = completed(schema, self.all_settings), secret_names(schema)
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
        self.http = http
        self.clock = clock
        self.redactor = redactor

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The hook's settings."""
        return self._hook.all_settings

    @property
    def learned(self) -> Mapping[str, Any]:
        """What the setup found out."""
        return self._hook.learned

    @cached_property
    def log(self) -> log.FieldLog:
        """The logger, which knows the hook."""
        return log.FieldLog(
            log.plugin_logger(self._hook.plugin_id), self.redactor, hook=self._hook.id
        )


class DeliveryContext(HookContext):
    """What a processor gets. Implements ``hub.sdk.context.Context``."""

    def __init__(
        self,
        hook: HookView,
        http: HttpClient,
        clock: Clock,
        redactor: Redactor,
        *,
        links: DatabaseLinks,
        identities: Identities,
        state: DatabaseState,
        trace: Trace,
        following: Callable[[Sequence[str]], Sequence[Event]],
        insisted: bool = False,
    ) -> None:
        super().__init__(hook, http, clock, redactor)
        self.links = links
        self.state = state
        self._identities = identities
        self._trace = trace
        self._following = following
        #: See ``hub.sdk.context.Context.insisted``.
        self.insisted = insisted
        self._sessions: LaneSessions | None = None

    @property
    def hook_id(self) -> int:
        """The hook's number."""
        return self._hook.id

    @property
    def account_name(self) -> str:
        """The account's name."""
        return self._hook.account_name

    @property
    def default_region(self) -> str | None:
        """The account's country."""
        return self._hook.default_region

    @property
    def sessions(self) -> LaneSessions:
        """The hook's remote sessions."""
        assert self._sessions is not None, "the plugin's manifest names no session_driver"
        return self._sessions

    def use_sessions(self, sessions: LaneSessions) -> None:
        """Lend the lane's sessions to this delivery."""
        self._sessions = sessions

    def identity(self, *keys: str) -> AbstractContextManager[None]:
        """See ``hub.sdk.context.Context.identity``."""
        return self._identities.hold(keys)

    def following(self, *names: str) -> Sequence[Event]:
        """See ``hub.sdk.context.Context.following``."""
        return self._following(names)

    def progress(self, sentence: str) -> None:
        """See ``hub.sdk.context.Context.progress``."""
        self._trace.note(self.redactor.text(sentence))
