"""Whence the files of an event may be fetched, where that is inside."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from hub.database import table_of
from hub.models import Source
from hub.prepared import look
from hub.sdk.events import Event
from hub.sdk.settings import host_of
from hub.security.outbound import Doors

_sources = table_of(Source)
_DOORS = select(_sources.c.doors).where(_sources.c.id.in_(bindparam("ids", expanding=True)))


def file_doors(events: Sequence[Event]) -> Doors:
    """The hosts inside that these events' sources opened for their files.

    A source that was made before there were doors has one to whatever host its files name.
    """
    stored = [row.doors for row in look(_DOORS, ids=sorted({item.source.id for item in events}))]
    opened = frozenset(host for text in stored if text is not None for host in text.split())
    if None not in stored:
        return Doors(opened)
    named = frozenset(
        host_of(attachment.url)
        for item in events
        if item.message is not None
        for attachment in item.message.attachments
        if attachment.url
    )
    return Doors(opened, before=named)
