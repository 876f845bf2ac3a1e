"""Running a plugin's setup service and telling its story in steps."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from hub import audit, log, services
from hub.delivery.context import HookContext, HookView
from hub.outbound.trace import Trace
from hub.plugins.faults import (
    described,
    is_from_keyboard,
    said_by,
    storable,
    traceback_of,
)
from hub.sdk.errors import NeedsAttention, RetryLater, SetupFailed
from hub.sdk.http import CallRules, HttpClient
from hub.sdk.plugin import Plugin
from hub.sdk.redaction import Redactor

_log = log.get(__name__)


@dataclass(slots=True)
class Step:
    """One step of a setup, for the person who watches."""

    name: str
    title: str
    state: Literal["running", "ok", "failed"] = "running"
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class SetupReport:
    """How a setup went. ``settings`` are the settings with the service's corrections. ``may_pass``:
    it failed because the remote is away or has trouble of its own, as it does now and then."""

    ok: bool
    sentence: str
    field: str | None
    steps: list[Step]
    calls: list[dict[str, Any]]
    learned: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    may_pass: bool = False


class SetupContext(HookContext):
    """What a setup service gets. Implements ``hub.sdk.context.SetupContext``."""

    def __init__(self, hook: HookView, http: HttpClient, redactor: Redactor) -> None:
        super().__init__(hook, http, services.current().clock, redactor)
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """See ``hub.sdk.context.SetupContext.step``."""
        step = Step(name, title)
        self.steps.append(step)
        try:
            yield
        except BaseException as error:
            step.state = "failed"
            step.sentence = self.redactor.text(said_by(error) or described(error))
            raise
        step.state = "ok"


def context_of(hook: HookView, trace: Trace) -> SetupContext:
    """The context of calls that belong to no delivery: a setup, or the closing of a session."""
    transports = services.current().transports
    redactor = Redactor(hook.secrets.values())
    http = HttpClient(
        transports.of(hook.id, hook.doors), redactor=redactor, rules=CallRules(after=trace.call)
    )
    return SetupContext(hook, http, redactor)


def run(plugin: Plugin, hook: HookView) -> SetupReport:
    """Run the setup with the hook's settings. Stores nothing."""
    trace = Trace()
    context = context_of(hook, trace)
    try:
        result = plugin.setup(context).run()
        learned, mended = _stored(result.learned), _stored(result.settings)
        sentence = context.redactor.text(storable(result.sentence))
    except BaseException as error:  # a plugin's bug is told, not thrown at the operator
        if is_from_keyboard(error):
            raise
        said, field = said_by(error), None
        if isinstance(error, SetupFailed | NeedsAttention):
            field = getattr(error, "field", None)
        if said is None:
            said = f"The plugin failed: {described(error)}"
            _log.error("setup of a plugin failed", plugin=plugin.id, error=traceback_of(error))
        sentence = context.redactor.text(said)
        may_pass = isinstance(error, RetryLater) or isinstance(error.__cause__, RetryLater)
        calls = _shown(trace)
        return SetupReport(False, sentence, field, context.steps, calls, may_pass=may_pass)
    return SetupReport(
        True,
        sentence,
        None,
        context.steps,
        trace.entries,
        learned=learned,
        settings={**hook.all_settings, **mended},
    )


def _stored(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a setup tells, as it comes back from the database.

    :raises TypeError: it cannot be stored.
    """
    stored: dict[str, Any] = json.loads(json.dumps(dict(told)))
    return stored


def _shown(trace: Trace) -> list[dict[str, Any]]:
    """The calls of a setup that failed. What was called is not proven to be the CRM: its answers
    could be any server's inside, and are for administrators."""
    if audit.opens_doors():
        return trace.entries
    return [{**call, "response_body": ""} for call in trace.entries]
