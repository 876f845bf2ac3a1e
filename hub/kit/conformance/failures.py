"""Calls that fail: every call of a story, in every way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from hub.kit import stories
from hub.kit.conformance.bench import Bench
from hub.kit.conformance.subject import Subject
from hub.kit.crashes import spread
from hub.sdk.errors import RetryLater
from hub.sdk.http import READ_TIMEOUT
from hub.sdk.testing.simulator import Fault

#: How many calls of the story are struck, evenly spread, and how many that cost time each.
STRUCK = 30
HUNG = 4

#: The call did not succeed, and the answer says so.
REFUSED: Mapping[str, Fault] = {
    "connection cut": Fault("drop_before"),
    "HTTP 500": Fault("status", status=500),
    "HTTP 503": Fault("status", status=503),
    "HTTP 429": Fault("throttle", retry_after="3"),
}
#: The call did not succeed, and the answer's status says that it did.
DISGUISED: Mapping[str, Fault] = {
    "HTML with status 200": Fault("html"),
    "empty with status 200": Fault("empty"),
    "garbage with status 200": Fault("garbage"),
}
#: The call succeeded, and the answer does not say so.
LOST: Mapping[str, Fault] = {
    "answer lost": Fault("drop_after"),
    "HTTP 500 after it": Fault("status", status=500, applied=True),
    "HTML after it": Fault("html", applied=True),
    "garbage after it": Fault("garbage", applied=True),
}
#: Seconds that a remote hangs, and the fewer for which it is waited for: the kit has other work.
HANG = 2.0
IMPATIENCE = 0.5
#: Seconds that the remote asks for; no default of anybody's.
ASKED = 41.0


class Failures(Subject):
    """Trouble costs time and nothing else."""

    @pytest.mark.parametrize("fault", REFUSED.values(), ids=REFUSED.keys())
    def test_a_call_that_fails_is_made_again(self, bench: Bench, fault: Fault) -> None:
        self._strike_every_call(bench, fault, STRUCK)

    @pytest.mark.parametrize("fault", DISGUISED.values(), ids=DISGUISED.keys())
    def test_an_answer_that_is_none_is_not_taken_for_success(
        self, bench: Bench, fault: Fault
    ) -> None:
        if self.reads_answers:
            self._strike_every_call(bench, fault, STRUCK)

    @pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
    def test_a_call_whose_answer_is_lost_is_not_doubled(self, bench: Bench, fault: Fault) -> None:
        self._strike_every_call(bench, fault, STRUCK)

    def test_a_remote_that_hangs_is_given_up_and_tried_again(self, bench: Bench) -> None:
        self._strike_every_call(bench, Fault("hang", seconds=HANG), HUNG, IMPATIENCE)

    def test_a_remote_that_asks_for_patience_gets_it(self, bench: Bench) -> None:
        """Retry-After of a 429 reaches the hub, and nothing more is sent until then."""
        story = stories.customer(self.plugin.events)
        for nth in spread(self._count_calls(bench), STRUCK):
            bench.begin()
            bench.simulator.add_fault(Fault("throttle", nth=nth, retry_after=f"{ASKED:.0f}"))
            for event in story:
                outcome = bench.context().deliver(event)
                arrived = bench.simulator.requests()
                if any("throttle" in line.faults for line in arrived):
                    break
                if not bench.is_settled(event, outcome):
                    bench.settle(event)
            assert isinstance(outcome, RetryLater), (
                f"Call {nth} was answered with 429, and {event.name} ended as {outcome!r}."
            )
            assert outcome.throttled, f"It was not told that the remote is well: {outcome!r}"
            assert (outcome.delay or 0.0) >= ASKED, (
                f"The remote asked for {ASKED:.0f} seconds after call {nth}; the plugin told the "
                f"hub {outcome.delay}."
            )
            after = arrived[[bool(line.faults) for line in arrived].index(True) + 1 :]
            assert after == [], f"{len(after)} calls were sent after the 429."

    def test_a_remote_that_was_away_finds_nothing_missing(self, bench: Bench) -> None:
        story = stories.customer(self.plugin.events)
        bench.tell(story)
        expected = self.remote(bench.state())
        bench.begin()
        bench.simulator.stop()
        for event in story:
            outcome = bench.context().deliver(event)
            traced = bench.last.calls
            # What needs no call may succeed; everything else must not claim to.
            assert not traced or isinstance(outcome, RetryLater), (
                f"Nobody answers, and {event.name} ended as {outcome!r}."
            )
        bench.simulator.start()
        bench.tell(story)
        assert self.remote(bench.state()) == expected

    def _count_calls(self, bench: Bench) -> int:
        bench.begin()
        bench.tell(stories.customer(self.plugin.events))
        return len(bench.simulator.requests())

    def _strike_every_call(
        self, bench: Bench, fault: Fault, most: int, read_timeout: float = READ_TIMEOUT
    ) -> None:
        story = stories.customer(self.plugin.events)
        calls = self._count_calls(bench)
        assert calls, "The story makes no call; the simulator saw none."
        expected = self.remote(bench.state())
        for nth in spread(calls, most):
            bench.begin()
            bench.read_timeout = read_timeout
            bench.simulator.add_fault(replace(fault, nth=nth))
            try:
                bench.tell(story)
            except AssertionError as error:
                error.add_note(f"Call {nth} of {calls} was struck: {fault.kind}.")
                raise
            found = self.remote(bench.state())
            assert found == expected, f"Call {nth} of {calls} was struck: {fault.kind}."
