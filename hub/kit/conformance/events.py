"""Events: each is handled, whatever it tells, at the price that was promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hub.kit import stories
from hub.kit.conformance.bench import Bench
from hub.kit.conformance.outward import watched
from hub.kit.conformance.sentences import assert_human
from hub.kit.conformance.subject import Subject
from hub.sdk.errors import HubError
from hub.sdk.events import MESSAGE_CREATED, Event
from hub.sdk.processor import Done


class Events(Subject):
    """What a healthy remote makes of events."""

    def test_every_recorded_event_is_handled(self, bench: Bench) -> None:
        done = set()
        for event in stories.recorded(self.plugin.events):
            outcome = bench.settle(event)
            assert_human(outcome.sentence)
            if isinstance(outcome, Done):
                done.add(event.name)
        never = sorted(self.plugin.events - done)
        assert never == [], (
            "These are declared in the manifest, but of all recorded webhooks none led to Done."
        )

    def test_events_that_tell_little_are_understood_too(self, bench: Bench) -> None:
        """A source may know nothing of a contact but its number, or have lost it."""
        for event in stories.customer(self.plugin.events):
            assert event.contact is not None
            for contact in (None, replace(event.contact, name="", email=None, phone=None)):
                outcome = bench.context().deliver(replace(event, contact=contact, version=None))
                assert isinstance(outcome, Done | HubError)
                assert_human(outcome.sentence)

    def test_a_batch_does_what_its_events_do_one_by_one(self, bench: Bench) -> None:
        for name, most in self.plugin.processor.batches.items():
            assert most > 1, f"A batch of {most} is none."
            story = stories.customer(self.plugin.events)
            before = [event for event in story if event.name != name]
            together = _several(story, name)
            bench.tell([*before, *together])
            expected = self.remote(bench.state())
            bench.begin()
            bench.tell(before)
            bench.settle_together(together)
            assert self.remote(bench.state()) == expected, name

    def test_every_call_goes_through_the_hub(self, bench: Bench) -> None:
        """Only then are its rate limit, its guard and its trace of use."""
        for event in stories.customer(self.plugin.events):
            bench.simulator.clear_requests()
            bench.settle(event)
            arrived = sorted(line.method for line in bench.simulator.requests())
            traced = sorted(call.method for call in bench.last.calls)
            assert arrived == traced, (
                f"{event.name}: {len(arrived)} requests arrived, but {len(traced)} went through "
                "context.http."
            )

    def test_no_undeclared_host_is_called(self, bench: Bench) -> None:
        allowed = {f"{bench.simulator.host}:{bench.simulator.port}", *self.hosts}
        with watched(allowed) as met:
            bench.set_up()
            for event in stories.customer(self.plugin.events):
                bench.context().deliver(event)
            for event in stories.recorded(self.plugin.events):
                bench.context().deliver(event)
        assert met == [], "Name them in the settings, or declare them as ``hosts``."

    def test_no_event_costs_more_calls_than_promised(self, bench: Bench) -> None:
        spent: dict[str, int] = {}
        for event in stories.customer(self.plugin.events):
            bench.simulator.clear_requests()
            bench.settle(event)
            calls = len(bench.simulator.requests())
            spent[event.name] = max(calls, spent.get(event.name, 0))
        dear = {name: calls for name, calls in spent.items() if calls > self._budget(name)}
        assert dear == {}, f"More than ``calls`` allows. Measured: {spent}"

    def test_what_is_known_already_costs_no_more_than_the_first_time(self, bench: Bench) -> None:
        for event in stories.customer(self.plugin.events):
            bench.simulator.clear_requests()
            bench.settle(event)
            first = len(bench.simulator.requests())
            bench.simulator.clear_requests()
            outcome = bench.settle(event)
            again = len(bench.simulator.requests())
            assert again <= max(first, 1), f"{event.name}: {first} calls, then {again} ({outcome})"

    def _budget(self, name: str) -> int:
        if isinstance(self.calls, Mapping):
            return self.calls[name]
        return self.calls


def _several(story: list[Event], name: str) -> list[Event]:
    """Three events of this name about one conversation."""
    found = next(event for event in story if event.name == name)
    if name != MESSAGE_CREATED:
        return [replace(found, id=found.id + number) for number in range(3)]
    assert found.message is not None
    return [
        replace(
            found,
            id=found.id + 1000 + number,
            message=replace(found.message, id=f"99{number}", text=f"Line {number}."),
        )
        for number in range(3)
    ]
