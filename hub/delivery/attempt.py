"""An attempt: one try at a work, and the context in which the plugin makes it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from hub import crashpoint
from hub.delivery.context import HookContext
from hub.delivery.endings import Ending, of_answer, of_error
from hub.delivery.engine import Engine
from hub.delivery.identities import Identities
from hub.delivery.lanes import Lease
from hub.delivery.ledger import Ledger
from hub.delivery.links import DatabaseLinks
from hub.delivery.remote_sessions import LaneSessions
from hub.delivery.state import DatabaseState
from hub.delivery.work import Work, following
from hub.outbound.files import EventFiles
from hub.outbound.trace import Trace
from hub.sdk.errors import LaneLost, Skip
from hub.sdk.events import Event
from hub.sdk.http import Call, CallRules, HttpClient
from hub.sdk.redaction import Redactor


class Attempt(HookContext):
    """One try at a work: what the plugin has of the hub for its length, and how it ended.

    Implements ``hub.sdk.context.Context``.
    """

    def __init__(self, engine: Engine, lease: Lease, sessions: LaneSessions, work: Work) -> None:
        self.work = work
        #: How each of the work's items ended.
        self.endings: Sequence[Ending] = ()
        self.ledger = Ledger(lease, engine.clock, engine.policies.lease)
        #: The HTTP calls, and what the plugin has noted.
        self.trace = Trace()
        self.lane_id = lease.lane_id
        self.hook_id = work.hook.id
        self.account_name = work.hook.account_name
        self.default_region = work.hook.default_region
        self.insisted = work.items[0].insisted
        self._engine = engine
        self._lease = lease
        self._sessions = sessions
        self._files = EventFiles([item.event for item in work.items])
        self._rate = work.hook.calls_per_second or work.plugin.calls_per_second
        redactor = Redactor(work.hook.secrets.values())
        transport = engine.transports.of(
            work.hook.id, work.hook.doors, last_check=lease.require_time, files=self._files
        )
        rules = CallRules(before=self._before_call, after=self._after_call)
        http = HttpClient(transport, redactor=redactor, rules=rules)
        super().__init__(work.hook, http, engine.clock, redactor)
        self._identities = Identities(self.ledger, work.claims)
        self.links = DatabaseLinks(self.ledger, self._identities)
        self.state = DatabaseState(self.ledger, work.plugin.version)
        self.ledger.books += (self.links, self._identities, self.state)

    def run(self) -> Attempt:
        """Let the plugin work, and catch whatever comes of it.

        :raises LaneLost: the lane is another worker's now; nothing may be written.
        """
        if (driver := self.work.plugin.session_driver) is not None:
            self._sessions.serve(self.work.hook, driver, self)
        try:
            self.endings = [of_answer(answer, self.redactor) for answer in self._answers()]
        except BaseException as error:  # whatever it is must end in the delivery's record, not here
            if isinstance(error, LaneLost) and self._lease.is_lost:
                raise
            self.endings = [of_error(error, self.redactor)] * len(self.work.items)
        self._identities.let_go()
        return self

    def _answers(self) -> Sequence[object]:
        """What the plugin answers, for each event."""
        plugin, events = self.work.plugin, [item.event for item in self.work.items]
        event_name, handler = events[0].name, events[0].handler_name
        # A name that this version of the hub does not know is not proven to have a handler.
        if event_name not in plugin.events or not hasattr(plugin.processor, handler):
            plugin_name = plugin.name  # as the catalogues know the sentence, stored ones too
            raise Skip(f"{plugin_name} does not handle {event_name}.")
        processor = plugin.processor(self)
        if len(events) == 1:
            return [getattr(processor, handler)(events[0])]
        # Its own list: what it does with that must not change how many answers are due.
        answers = list(getattr(processor, f"{handler}_batch")(list(events)))
        if len(answers) != len(events):
            raise TypeError(f"{len(events)} events were given, {len(answers)} answers came back")
        return answers

    def _before_call(self, url: str) -> None:
        self.ledger.flush()
        if self._rate is not None:
            self._engine.rate_limit.wait(self.hook_id, self._rate)
        self._engine.held.require(self._lease)
        crashpoint.boundary(f"before the call of {url}")

    def _after_call(self, call: Call) -> None:
        crashpoint.boundary(f"after {call.method} {call.url}")
        self.trace.call(call)

    @property
    def sessions(self) -> LaneSessions:
        """The hook's remote sessions."""
        assert self.work.plugin.session_driver is not None, "the manifest names no session_driver"
        return self._sessions

    def identity(self, *keys: str) -> AbstractContextManager[None]:
        """See ``hub.sdk.context.Context.identity``."""
        return self._identities.hold(keys)

    def following(self, *names: str) -> Sequence[Event]:
        """See ``hub.sdk.context.Context.following``."""
        found = following(self._lease, names)
        self._files.add(found)
        return found

    def progress(self, sentence: str) -> None:
        """See ``hub.sdk.context.Context.progress``."""
        self.trace.note(self.redactor.text(sentence))
