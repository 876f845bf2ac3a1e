"""What the lanes of a worker process share."""

from __future__ import annotations

import random
import threading

from hub.delivery.held_lanes import HeldLanes
from hub.queue.mutex import Mutexes
from hub.queue.rate_limit import RateLimit
from hub.queue.ready import ReadyLanes
from hub.services import Services


class Engine:
    """The services, the policies, and the lanes that the process holds. All threads use it."""

    def __init__(self, services: Services, worker: str) -> None:
        """``worker`` is the name of the process, as attempts show it."""
        self.worker = worker
        self.redis = services.redis
        self.keyring = services.keyring
        self.transports = services.transports
        self.registry = services.registry
        self.policies = services.config.policies
        self.has_one_writer = services.database.has_one_writer
        self.clock = services.clock
        self.rng = random.SystemRandom()
        self.ready = ReadyLanes(self.redis)
        self.rate_limit = RateLimit(self.redis)
        lease = self.policies.lease
        self.held = HeldLanes(Mutexes(self.redis, lease.lease), lease, lambda: self.clock.now())
        #: Set when the worker was told to stop.
        self.stopping = threading.Event()
