"""The setup service: what it says when all is well, and when something is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub.kit.conformance.bench import Bench
from hub.kit.conformance.sentences import assert_human
from hub.kit.conformance.subject import Subject
from hub.kit.context import MemoryStore
from hub.sdk.errors import HubError, NeedsAttention, SetupFailed
from hub.sdk.settings import form_fields
from hub.sdk.testing.simulator import Fault

#: Trouble that a person can tell apart, and must be able to.
TROUBLE: Mapping[str, Fault] = {
    "the remote has trouble of its own": Fault("status", status=500, times=None),
    "the address leads nowhere": Fault("status", status=404, body="Not found", times=None),
}


class Setups(Subject):
    """The setup proves the settings, and names the mend."""

    def test_the_setup_succeeds_with_a_sentence(self, bench: Bench) -> None:
        result = bench.begin()
        assert_human(result.sentence)
        assert bench.last.steps, "The setup tells no step to the person who watches."
        json.dumps(dict(result.learned))
        bench.plugin.settings().load({**bench.given, **result.settings})

    def test_the_setup_may_be_run_again(self, bench: Bench) -> None:
        first, held = bench.learned, bench.state()
        bench.set_up()
        assert bench.learned == first
        assert self.remote(bench.state()) == self.remote(held)

    def test_wrong_settings_are_refused_and_named(self, bench: Bench) -> None:
        names = {field.name for field in form_fields(self.plugin.settings)}
        for blamed, settings in self.wrong_settings(bench.simulator.url).items():
            failed = _failure(bench, settings)
            assert_human(failed.sentence)
            assert isinstance(failed, SetupFailed | NeedsAttention), (
                f"With a wrong {blamed} the setup raised {type(failed).__name__}: raise "
                "SetupFailed, so that the person knows that it is theirs to mend."
            )
            assert failed.field in names, f"{failed.field!r} is no setting."

    def test_a_page_of_something_else_is_not_taken_for_the_remote(self, bench: Bench) -> None:
        if self.reads_answers:
            bench.simulator.add_fault(Fault("html", times=None))
            assert_human(_failure(bench, bench.given).sentence)

    def test_different_troubles_have_different_sentences(self, bench: Bench) -> None:
        told: dict[str, str] = {}
        for name, fault in TROUBLE.items():
            bench.simulator.clear_faults()
            bench.simulator.add_fault(fault)
            told[name] = _failure(bench, bench.given).sentence
        bench.simulator.clear_faults()
        for settings in self.wrong_settings(bench.simulator.url).values():
            told["wrong settings"] = _failure(bench, settings).sentence
        bench.simulator.stop()
        told["nobody answers"] = _failure(bench, bench.given).sentence
        for sentence in told.values():
            assert_human(sentence)
        assert len(set(told.values())) == len(told), told


def _failure(bench: Bench, settings: Mapping[str, Any]) -> HubError:
    """The error of a setup with these settings."""
    bench.store = MemoryStore()
    bench.settings, bench.learned = dict(settings), {}
    try:
        result = bench.plugin.setup(bench.context()).run()
    except HubError as error:
        return error
    raise AssertionError(f"The setup succeeded: {result.sentence}")
