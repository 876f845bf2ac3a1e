"""Events that come twice, in another order, mixed with others, or at the same time."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

from hub.kit import stories
from hub.kit.conformance.bench import Bench
from hub.kit.conformance.subject import Subject
from hub.sdk.events import Event
from hub.sdk.testing.simulator import Fault

#: Orders of one story that are tried beside the reverse one.
SHUFFLES = 8


class Repetition(Subject):
    """The same events lead to the same end."""

    def test_each_event_twice_changes_nothing(self, bench: Bench) -> None:
        story = stories.customer(self.plugin.events)
        bench.tell(story)
        expected = self.remote(bench.state())
        bench.begin()
        bench.tell(event for event in story for _ in range(2))
        assert self.remote(bench.state()) == expected

    def test_the_whole_story_twice_changes_nothing(self, bench: Bench) -> None:
        story = stories.customer(self.plugin.events)
        bench.tell(story)
        expected = self.remote(bench.state())
        bench.tell(story)
        assert self.remote(bench.state()) == expected

    def test_the_recorded_events_twice_change_nothing(self, bench: Bench) -> None:
        story = stories.recorded(self.plugin.events)
        bench.tell(story)
        expected = self.converged(bench.state())
        bench.tell(story)
        assert self.converged(bench.state()) == expected

    def test_any_event_may_be_the_first(self, bench: Bench) -> None:
        story = stories.customer(self.plugin.events)
        bench.tell(story)
        expected = self.converged(bench.state())
        for first in story:
            bench.begin()
            bench.tell([first, *story])
            assert self.converged(bench.state()) == expected, f"{first.name} came first"

    def test_events_may_come_in_any_order(self, bench: Bench) -> None:
        story = stories.customer(self.plugin.events)
        bench.tell(story)
        expected = self.converged(bench.state())
        rng = random.Random(7)  # noqa: S311 - repeatable on purpose
        orders = [story[::-1], *(rng.sample(story, len(story)) for _ in range(SHUFFLES))]
        for order in orders:
            bench.begin()
            bench.tell(order)
            names = ", ".join(event.name for event in order)
            assert self.converged(bench.state()) == expected, f"order: {names}"

    def test_stories_of_two_customers_do_not_mix(self, bench: Bench) -> None:
        one = stories.customer(self.plugin.events)
        other = stories.customer(self.plugin.events, number=2)
        bench.tell([*one, *other])
        expected = self.converged(bench.state())
        bench.begin()
        bench.tell(event for pair in zip(one, other, strict=True) for event in pair)
        assert self.converged(bench.state()) == expected

    def test_two_workers_that_meet_one_person_do_as_one_would(self, bench: Bench) -> None:
        """Two sources tell of the same customer at the same moment."""
        first = stories.customer(self.plugin.events)[0]
        second = stories.customer(self.plugin.events, source=replace(stories.SOURCE, id=2))[0]
        bench.tell([first, second])
        expected = self.converged(bench.state())
        bench.begin()
        # Both are on their way before either has its answer.
        bench.simulator.add_fault(Fault("latency", seconds=0.05, times=None))
        failures: list[BaseException] = []

        def work(event: Event) -> None:
            try:
                bench.settle(event)
            except BaseException as error:
                failures.append(error)

        workers = [threading.Thread(target=work, args=(event,)) for event in (first, second)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert failures == []
        assert self.converged(bench.state()) == expected
