"""Links in memory, with the semantics that ``hub.sdk.links`` promises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hub.kit.state import MemoryState
from hub.sdk.context import Clock
from hub.sdk.errors import HubError, NeedsAttention, Postpone, Rejected, RetryLater, Skip
from hub.sdk.links import Intent, Link, Remote

_NOTHING_MADE = (Rejected, NeedsAttention, Skip)
_Key = tuple[str, str]


@dataclass
class StoredLinks:
    """What was committed."""

    links: dict[_Key, Link] = field(default_factory=dict)
    intents: dict[_Key, Intent] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class MemoryLinks:
    """Implements ``hub.sdk.Links`` for one worker.

    As in the hub, a link is written with the next commit that is due anyway; until then only the
    intent protects it.
    """

    def __init__(
        self,
        stored: StoredLinks,
        clock: Clock,
        boundary: Callable[[str], None],
        settle: float,
        state: MemoryState,
    ) -> None:
        self._stored = stored
        self._clock = clock
        self._boundary = boundary
        self._settle = settle
        self._state = state
        self._unwritten: dict[_Key, Link] = {}

    def get(self, kind: str, local_id: str) -> Link | None:
        """See ``hub.sdk.links.Links.get``."""
        key = (kind, local_id)
        return self._unwritten.get(key) or self._stored.links.get(key)

    def begun(self, kind: str, local_id: str) -> Intent | None:
        """See ``hub.sdk.links.Links.begun``."""
        key = (kind, local_id)
        return None if key in self._unwritten else self._stored.intents.get(key)

    def with_remote(self, kind: str, remote_id: str) -> Sequence[Link]:
        """See ``hub.sdk.links.Links.with_remote``."""
        self.flush()
        with self._stored.lock:
            return [
                link
                for link in self._stored.links.values()
                if (link.kind, link.remote_id) == (kind, remote_id)
            ]

    def create_once(
        self,
        kind: str,
        local_id: str,
        *,
        create: Callable[[], Remote],
        find: Callable[[Intent], Remote | None],
        natural_key: str = "",
        version: int | None = None,
    ) -> Link:
        """See ``hub.sdk.links.Links.create_once``."""

        def create_one(_: Sequence[str]) -> Sequence[Remote | HubError]:
            return [create()]

        made = self.create_many_once(
            kind, [local_id], create=create_one, find=find, natural_keys={local_id: natural_key}
        )[local_id]
        if isinstance(made, HubError):
            raise made
        return made if version is None else self.update(made, version=version)

    def create_many_once(
        self,
        kind: str,
        local_ids: Sequence[str],
        *,
        create: Callable[[Sequence[str]], Sequence[Remote | HubError]],
        find: Callable[[Intent], Remote | None],
        natural_keys: Mapping[str, str],
    ) -> Mapping[str, Link | HubError]:
        """See ``hub.sdk.links.Links.create_many_once``."""
        self.flush()
        results: dict[str, Link | HubError] = {}
        missing: list[str] = []
        left_open: list[Intent] = []
        self._boundary("before intent")
        with self._stored.lock:
            for local_id in local_ids:
                key = (kind, local_id)
                if link := self._stored.links.get(key):
                    results[local_id] = link
                    continue
                missing.append(local_id)
                if intent := self._stored.intents.get(key):
                    left_open.append(intent)
                else:
                    self._stored.intents[key] = Intent(
                        kind, local_id, natural_keys.get(local_id, ""), self._clock.now()
                    )
        self._boundary("after intent")
        for intent in left_open:
            natural_key = natural_keys.get(intent.local_id, "")
            if (found := self._look_for(intent, find, natural_key)) is not None:
                results[intent.local_id] = found
                missing.remove(intent.local_id)
        if missing:
            results.update(self._create(kind, missing, create))
        return results

    def _look_for(
        self, intent: Intent, find: Callable[[Intent], Remote | None], natural_key: str
    ) -> Link | None:
        remote = find(intent)
        if remote is not None:
            return self.adopt(intent.kind, intent.local_id, remote)
        settled = intent.begun_at + timedelta(seconds=self._settle)
        wait = (settled - self._clock.now()).total_seconds()
        if wait > 0:
            raise Postpone("The remote may still be at work on an earlier try.", delay=wait)
        with self._stored.lock:
            self._stored.intents[intent.kind, intent.local_id] = replace(
                intent, natural_key=natural_key, begun_at=self._clock.now()
            )
        return None

    def _create(
        self,
        kind: str,
        local_ids: Sequence[str],
        create: Callable[[Sequence[str]], Sequence[Remote | HubError]],
    ) -> dict[str, Link | HubError]:
        try:
            answers = create(local_ids)
        except _NOTHING_MADE:
            self._take_back(kind, local_ids)
            raise
        except RetryLater as error:
            if not error.reached:
                self._take_back(kind, local_ids)
            raise
        results: dict[str, Link | HubError] = {}
        for local_id, answer in zip(local_ids, answers, strict=True):
            if isinstance(answer, Remote):
                results[local_id] = self._keep(_link_to(kind, local_id, answer, adopted=False))
            else:
                results[local_id] = answer
                self._take_back(kind, [local_id])
        return results

    def _take_back(self, kind: str, local_ids: Sequence[str]) -> None:
        with self._stored.lock:
            for local_id in local_ids:
                self._stored.intents.pop((kind, local_id), None)

    def adopt(
        self, kind: str, local_id: str, remote: Remote, *, version: int | None = None
    ) -> Link:
        """See ``hub.sdk.links.Links.adopt``."""
        return self._keep(replace(_link_to(kind, local_id, remote, adopted=True), version=version))

    def update(
        self, link: Link, *, data: Mapping[str, Any] | None = None, version: int | None = None
    ) -> Link:
        """See ``hub.sdk.links.Links.update``."""
        return self._keep(
            replace(
                link,
                data=link.data if data is None else dict(data),
                version=link.version if version is None else version,
            )
        )

    def mark_gone(self, link: Link, reason: str) -> Link:
        """See ``hub.sdk.links.Links.mark_gone``."""
        return self._keep(replace(link, gone=reason))

    def forget(self, link: Link) -> None:
        """See ``hub.sdk.links.Links.forget``."""
        self._unwritten.pop((link.kind, link.local_id), None)
        with self._stored.lock:
            self._write()
            self._stored.links.pop((link.kind, link.local_id), None)

    def flush(self) -> None:
        """Commit what is not written yet."""
        if not (self._unwritten or self._state.has_unwritten):
            return
        self._boundary("before commit")
        with self._stored.lock:
            self._write()
        self._boundary("after commit")

    def _write(self) -> None:
        for key, link in self._unwritten.items():
            self._stored.links[key] = link
            self._stored.intents.pop(key, None)
        self._unwritten.clear()
        self._state.write()

    def _keep(self, link: Link) -> Link:
        self._unwritten[link.kind, link.local_id] = link
        return link


def _link_to(kind: str, local_id: str, remote: Remote, *, adopted: bool) -> Link:
    return Link(kind, local_id, remote.id, url=remote.url, data=dict(remote.data), adopted=adopted)
