"""Draining lanes: take one, pay its debts oldest first, give it back."""

from __future__ import annotations

from flask import Flask

from hub import services
from hub.delivery.attempt import Attempt
from hub.delivery.engine import Engine
from hub.delivery.taking import HandOver, take
from hub.queue.ready import TakenLane


class Drain:
    """Drains lanes. One instance serves all threads of a process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def of_app(cls, app: Flask, worker: str) -> Drain:
        """The drain of a process with the application's services."""
        return cls(Engine(services.of(app), worker))

    def drain(self, lane: TakenLane, hand_over: HandOver | None = None) -> int:
        """Pay what is due in the lane; returns the number of deliveries worked on.

        Does nothing when another worker has the lane. Leaves in ``lane`` the remote session that
        is to be given back with it.

        With ``hand_over``, which gives a lane back and answers the next one, those are drained
        too: the transaction that ends the work on one lane begins that on the next.
        """
        paid = 0
        taking = take(self.engine, lane, hand_over)
        while taking is not None:
            with taking:
                while (work := taking.choose()) is not None:
                    taking.settle(Attempt(self.engine, taking.lease, taking.sessions, work).run())
                    paid += len(work.items)
            taking = taking.following()
        return paid

    def stop(self) -> None:
        """Hand every lane back once the work in progress is done."""
        self.engine.stopping.set()

    def renew_leases(self) -> None:
        """Prolong the leases and mutexes of all lanes in progress. Called every few seconds."""
        self.engine.held.renew()
