"""Whence the files of an event may be fetched, where that is inside."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from hub.database import table_of
from hub.database.prepared import look
from hub.models import Source
from hub.outbound.guard import Doors
from hub.sdk.events import Event
from hub.sdk.settings import host_of

_sources = table_of(Source)
_DOORS = select(_sources.c.doors).where(_sources.c.id.in_(bindparam("ids", expanding=True)))


class EventFiles:
    """The files of the events in hand. Implements ``hub.outbound.passage.Files``."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = list(events)

    def add(self, events: Sequence[Event]) -> None:
        """These events are in hand, too."""
        self._events += events

    def has(self, url: str) -> bool:
        """Whether this is the address of one."""
        return url in self._urls()

    def doors(self) -> Doors:
        """The hosts inside that the events' sources opened for their files.

        A source that was made before there were doors has one to whatever host its files name.
        """
        sources = sorted({item.source.id for item in self._events})
        stored = [row.doors for row in look(_DOORS, ids=sources)]
        opened = frozenset(host for text in stored if text is not None for host in text.split())
        if None not in stored:
            return Doors(opened)
        return Doors(opened, before=frozenset(host_of(url) for url in self._urls()))

    def _urls(self) -> set[str]:
        return {
            attachment.url
            for item in self._events
            if item.message is not None
            for attachment in item.message.attachments
            if attachment.url
        }
