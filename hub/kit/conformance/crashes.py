"""Workers that die: before and after every call and every commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.kit import (
    crashes,
    stories,
)
from hub.kit.conformance.bench import Bench
from hub.kit.conformance.subject import Subject
from hub.kit.context import Crash
from hub.kit.redis import running_redis
from hub.sdk.events import CONTACT_CREATED, CONVERSATION_CREATED, MESSAGE_CREATED, Event

#: Deaths in memory, and deaths of real processes, which take a third of a second each.
DEATHS = 150
KILLS = 20


class Crashes(Subject):
    """A death at any boundary changes nothing."""

    def test_a_death_at_any_boundary_changes_nothing(self, bench: Bench) -> None:
        story = stories.customer(self.plugin.events)
        passed: list[int] = []
        for event in story:
            bench.settle(event)
            passed.append(len(bench.last.boundaries))
        expected = self.remote(bench.state())
        places = [
            (victim, boundary)
            for victim, count in enumerate(passed)
            for boundary in range(1, count + 1)
        ]
        assert places, "The story passes no boundary: no call was made."
        for number in crashes.spread(len(places), DEATHS):
            victim, boundary = places[number - 1]
            bench.begin()
            name = self._tell(bench, story, victim, boundary)
            assert self.remote(bench.state()) == expected, (
                f"The worker died while it handled {story[victim].name}, at: {name}"
            )

    def test_a_killed_worker_process_changes_nothing(self, tmp_path: Path) -> None:
        """The same with a hub of real processes, its database and SIGKILL."""
        flow = [
            event
            for event in stories.customer(self.plugin.events)
            if event.name in (CONTACT_CREATED, CONVERSATION_CREATED, MESSAGE_CREATED)
        ][:3] or stories.customer(self.plugin.events)[:3]
        subject = crashes.Subject(
            self.plugin.id, type(self).simulator, self.settings, lambda state: self.remote(state)
        )
        with (
            running_redis() as url,
            crashes.CrashHarness(subject, tmp_path, {"HUB_REDIS_URL": url}) as harness,
        ):
            survived = harness.survive(flow, most=KILLS)
        assert any("after" in name and "commit" not in name for name in survived.boundaries), (
            "No call was made."
        )

    @staticmethod
    def _tell(bench: Bench, story: list[Event], victim: int, boundary: int) -> str:
        """The story, with a death in it; the name of the boundary."""
        name = ""
        for number, event in enumerate(story):
            if number == victim:
                with pytest.raises(Crash) as died:
                    bench.context(crash_at=boundary).deliver(event)
                name = str(died.value)
            bench.settle(event)
        return name
