"""Secrets stay where they are: in no log, trace, sentence, link or printed object."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest

from hub.kit import stories
from hub.kit.conformance.bench import Bench
from hub.kit.conformance.subject import Subject
from hub.kit.context import MemoryContext
from hub.sdk.errors import HubError
from hub.sdk.settings import secret_names
from hub.sdk.testing.simulator import Fault

#: The hub masks no shorter ones, since it would black out innocent text.
SHORTEST = 6
#: The trouble in which plugins become talkative.
TROUBLE = (
    Fault("status", status=500, times=2),
    Fault("status", status=400, body='["ERROR", "Bad request"]', nth=4, times=2),
    Fault("status", status=401, body='["ERROR", "Who are you?"]', nth=8),
    Fault("garbage", nth=10),
    Fault("drop_before", nth=12),
)


class Secrecy(Subject):
    """What the hook's secrets are is known to nobody else."""

    def test_no_secret_leaves_the_plugin(
        self, bench: Bench, capfd: pytest.CaptureFixture[str]
    ) -> None:
        secrets = self._secrets(bench)
        with _logged() as lines:
            said = [f"the setup's sentence: {bench.set_up().sentence}", *_said_by(bench.last)]
            for trouble in (False, True):
                bench.begin()
                if trouble:
                    bench.simulator.add_fault(*TROUBLE)
                for event in stories.customer(self.plugin.events):
                    outcome = bench.context().deliver(event)
                    said += [f"the outcome of {event.name}: {outcome!r}", *_said_by(bench.last)]
        output = capfd.readouterr()
        said += [f"the log: {line}" for line in lines]
        said += [f"what was printed: {output.out}{output.err}"]
        said += [f"a link: {link!r}" for link in bench.store.links.links.values()]
        said += [f"what was learned: {json.dumps(dict(bench.learned))}"]
        leaks = [text[:300] for text in said if any(secret in text for secret in secrets)]
        assert leaks == []

    def test_a_remote_that_repeats_a_secret_is_not_repeated(self, bench: Bench) -> None:
        secrets = self._plain(bench)
        echo = json.dumps(["ERROR", f"refused: {' '.join(secrets)}"])
        for status in (400, 401, 500):
            bench.simulator.clear_faults()
            bench.simulator.add_fault(Fault("status", status=status, body=echo, times=None))
            for event in stories.customer(self.plugin.events):
                outcome = bench.context().deliver(event)
                traced = [str(call) for call in bench.last.calls]
                # The hub masks what it knows in sentences and log lines; so does this.
                mask = bench.last.redactor.text
                said = [mask(outcome.sentence), *map(mask, bench.last.story), *traced]
                said += [mask(f"{e.message} {e.fields}") for e in bench.last.log.entries]
                leaks = [text[:300] for text in said if any(secret in text for secret in secrets)]
                assert leaks == []

    def test_printing_what_the_plugin_works_with_shows_no_secret(self, bench: Bench) -> None:
        """A traceback or a debugger prints objects; a dataclass prints its fields."""
        secrets = self._secrets(bench)
        for event in stories.customer(self.plugin.events):
            context = bench.context()
            processor = self.plugin.processor(context)
            try:
                getattr(processor, event.handler_name)(event)
            except HubError:
                continue
            shown = {name: repr(value) for name, value in vars(processor).items()}
            leaks = [name for name, text in shown.items() if any(s in text for s in secrets)]
            assert leaks == [], "Give the secret fields ``repr=False``."

    def _secrets(self, bench: Bench) -> list[str]:
        """The hook's secrets, also as they are commonly written."""
        found = set(self._plain(bench))
        found |= {base64.b64encode(secret.encode()).decode() for secret in found}
        return sorted(found | {quote(secret, safe="") for secret in found})

    def _plain(self, bench: Bench) -> list[str]:
        loaded = self.plugin.settings().load(dict(bench.given))
        secrets = [str(loaded[name]) for name in secret_names(self.plugin.settings)]
        given = [secret for secret in secrets if secret]
        short = [secret for secret in given if len(secret) < SHORTEST]
        assert short == [], f"Secrets below {SHORTEST} characters are not masked; give longer ones."
        return given


def _said_by(context: MemoryContext) -> Iterator[str]:
    yield from (f"the story: {sentence}" for sentence in context.story)
    yield from (f"the log: {entry}" for entry in context.log.entries)
    yield from (f"the trace: {call}" for call in context.calls)


@contextmanager
def _logged() -> Iterator[list[str]]:
    """What is written to Python's own loggers by anything but the HTTP library."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith("urllib3"):
                lines.append(f"{record.name}: {record.getMessage()}")

    root: Any = logging.getLogger()
    level, handler = root.level, Collector()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
