"""What an author says of a plugin, so that the kit can try it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from hub.kit.conformance.bench import Bench
from hub.sdk.plugin import Plugin
from hub.sdk.settings import form_fields
from hub.sdk.testing.simulator import Simulator
from hub.sdk.translation import LANGUAGES


class Subject:
    """Base of the suites. ``plugin``, ``simulator``, ``settings`` and ``remote`` must be given."""

    plugin: ClassVar[Plugin]
    #: The simulator's class, which other processes can import; it is called without arguments.
    simulator: ClassVar[Callable[[], Simulator]]
    #: Hosts that the plugin may call beside those in its settings.
    hosts: ClassVar[frozenset[str]] = frozenset()
    #: How many calls handling one event may cost: for all events, or by event name.
    calls: ClassVar[int | Mapping[str, int]] = 5
    #: The languages that the plugin speaks beside English.
    languages: ClassVar[tuple[str, ...]] = LANGUAGES
    #: Whether an answer of 200 that is HTML, empty or cut must not pass for a success. False only
    #: for a remote whose answers have no form.
    reads_answers: ClassVar[bool] = True

    def settings(self, url: str) -> Mapping[str, Any]:
        """Settings that work with the simulator at this address."""
        raise NotImplementedError

    def remote(self, state: Mapping[str, Any]) -> Any:
        """Of the simulator's state, what must be the same after every run of the same events.

        Everything that people see; ids and moments of creation differ, so leave them out.
        """
        raise NotImplementedError

    def converged(self, state: Mapping[str, Any]) -> Any:
        """Of the simulator's state, what the same events in any order must lead to."""
        return self.remote(state)

    def wrong_settings(self, url: str) -> Mapping[str, Mapping[str, Any]]:
        """Settings that the setup must refuse, by the name of the setting that is to blame."""
        right = self.settings(url)
        return {
            field.name: {**right, field.name: "wrong-" + "x" * 20}
            for field in form_fields(self.plugin.settings)
            if field.secret and field.required
        }

    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        """The plugin on a bench of its own, set up with its simulator."""
        with type(self).simulator() as simulator:
            bench = Bench(self.plugin, self.settings(simulator.url), simulator)
            bench.begin()
            yield bench
            assert simulator.bugs == [], "These are bugs of the simulator."
