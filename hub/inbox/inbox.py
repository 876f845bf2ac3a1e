"""What the inbox of one process keeps while it runs."""

from __future__ import annotations

from hub.inbox.order import Patience
from hub.inbox.source_memory import SourceMemory
from hub.inbox.writer import Writer
from hub.queue.announce import Announcer
from hub.services import Services


class Inbox:
    """The writer of events, the patience with them, and the remembered sources. Each application
    has one: ``services.single(Inbox)``."""

    def __init__(self, services: Services) -> None:
        self.writer = Writer(services.registry, Announcer(services.redis).try_push)
        self.patience = Patience(services.config.policies.order.patience)
        self.sources = SourceMemory()
