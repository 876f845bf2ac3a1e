"""GLPI's REST API (``apirest.php``), typed.

``Glpi`` is the way in::

    with Glpi.for_delivery(context) as glpi:
        glpi.tickets.update(99, {"status": 5})
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from hub.sdk import CallContext, Context
from hub_glpi.api.connection import Connection
from hub_glpi.api.contacts import Contacts
from hub_glpi.api.documents import Documents
from hub_glpi.api.entities import Entities
from hub_glpi.api.followups import Followups
from hub_glpi.api.session import GivenSession
from hub_glpi.api.solutions import Solutions
from hub_glpi.api.tickets import Tickets
from hub_glpi.api.users import Users


class Glpi(AbstractContextManager["Glpi"]):
    """All of GLPI that this plugin speaks to, over one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.users = Users(connection)
        self.contacts = Contacts(connection)
        self.tickets = Tickets(connection)
        self.followups = Followups(connection)
        self.solutions = Solutions(connection)
        self.documents = Documents(connection)
        self.entities = Entities(connection)

    @classmethod
    def for_delivery(cls, context: Context) -> Self:
        """With a session of the hook's pool."""
        return cls(Connection(context, context.sessions.borrow))

    @classmethod
    def with_session(cls, context: CallContext, token: str) -> Self:
        """With a session that the caller opened and will close."""
        return cls(Connection(context, lambda: nullcontext(GivenSession(token))))

    def __enter__(self) -> Self:
        self.connection.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.__exit__(kind, error, trace)


__all__ = ["Glpi"]
