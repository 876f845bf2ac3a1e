"""One hook of the plugin under test, in memory, against its simulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from hub.kit.context import (
    MemoryContext,
    MemoryStore,
    MovableClock,
    hub_session,
)
from hub.kit.stories import BEGIN
from hub.sdk.errors import HubError, KeepBack, Postpone, RetryLater, Skip
from hub.sdk.events import Event
from hub.sdk.http import READ_TIMEOUT
from hub.sdk.plugin import Plugin
from hub.sdk.processor import Done, Outcome
from hub.sdk.setup import SetupResult
from hub.sdk.testing.simulator import Simulator

#: Tries of one delivery; the hub has more patience, but a fault of the kit strikes once.
TRIES = 8
#: Seconds between two tries, where the remote did not ask for more.
PAUSE = 5.0
#: Seconds that an intent without an answer is left to itself, as in the hub.
SETTLE = 30.0


class Bench:
    """Delivers events as the hub does. Time moves only when a delivery waits for it."""

    def __init__(self, plugin: Plugin, settings: Mapping[str, Any], simulator: Simulator) -> None:
        self.plugin = plugin
        self.given = settings
        self.simulator = simulator

    def begin(self) -> SetupResult:
        """From the beginning: an empty simulator, and a hook that has just been set up."""
        self.clock = MovableClock(BEGIN + timedelta(hours=1))
        #: Seconds until a call without an answer is given up.
        self.read_timeout = READ_TIMEOUT
        # One time for both: a remote's clock that runs by itself makes what it writes differ.
        self.simulator.clock = lambda: self.clock.now().timestamp()
        self.simulator.reset()
        self.store = MemoryStore()
        self.settings = dict(self.given)
        self.learned: Mapping[str, Any] = {}
        try:
            result = self.set_up()
        except HubError as error:
            bugs = "".join(f"\nA bug of the simulator: {bug}" for bug in self.simulator.bugs)
            raise AssertionError(f"The setup failed: {error.sentence}{bugs}") from error
        self.simulator.clear_requests()
        return result

    def set_up(self) -> SetupResult:
        """Run the setup and keep what it learned."""
        result = self.plugin.setup(self.context()).run()
        self.learned = dict(result.learned)
        self.settings.update(result.settings)
        return result

    def context(self, **options: Any) -> MemoryContext:
        """The context of one more worker of the hook; it becomes ``last``."""
        options.setdefault("settle", SETTLE)
        options.setdefault("read_timeout", self.read_timeout)
        options.setdefault("session", hub_session())
        self.last = MemoryContext(
            self.plugin,
            self.settings,
            learned=self.learned,
            store=self.store,
            clock=self.clock,
            default_region="DE",
            **options,
        )
        return self.last

    def settle(self, event: Event) -> Outcome:
        """Deliver until the event is done or skipped, with the hub's patience.

        :raises AssertionError: it never is, or ended otherwise.
        """
        for _ in range(TRIES):
            outcome = self.context().deliver(event)
            if self.is_settled(event, outcome):
                return outcome
        raise AssertionError(f"{event.name} was tried {TRIES} times and never done: {outcome!r}")

    def is_settled(self, event: Event, outcome: Outcome) -> bool:
        """Whether nothing is left to do; if the plugin wants to wait, time has passed.

        :raises AssertionError: the event ended badly.
        """
        if isinstance(outcome, Done | Skip | KeepBack):
            return True
        assert isinstance(outcome, RetryLater | Postpone), (
            f"{event.name} ended as {type(outcome).__name__}, though the remote is well "
            f"or will be: {outcome.sentence}"
        )
        self.clock.sleep(max(outcome.delay or 0.0, PAUSE))
        return False

    def settle_together(self, events: Sequence[Event]) -> None:
        """Deliver events as one batch, those that fail once more by themselves."""
        for event, outcome in zip(events, self.context().deliver_batch(events), strict=True):
            if not self.is_settled(event, outcome):
                self.settle(event)

    def tell(self, events: Iterable[Event]) -> None:
        """Settle one event after the other."""
        for event in events:
            self.settle(event)

    def state(self) -> Mapping[str, Any]:
        """What the simulator holds."""
        return self.simulator.state()
