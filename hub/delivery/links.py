"""Links in the database, and creating exactly once.

The way of a create: the intent is committed; the call is made; the link is written. A crash in
between leaves an intent without an answer. The next try asks the plugin's finder before it creates
again; and if that finds nothing while the server may still be at work on the first call, it waits.
The link itself is written with the next commit that is due anyway: see ``hub.delivery.ledger``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, delete, select, update
from sqlalchemy.orm import Session

from hub.database import dialect_of, insert_into, table_of
from hub.database.prepared import (
    look,
    run,
    run_each,
)
from hub.delivery.identities import Identities
from hub.delivery.ledger import Ledger
from hub.models import Lane, LinkState
from hub.models import Link as LinkRow
from hub.sdk.errors import HubError, NeedsAttention, Postpone, Rejected, RetryLater, Skip
from hub.sdk.links import Intent, Link, Remote

#: Errors after which the remote has definitely made nothing.
_NOTHING_MADE = (Rejected, NeedsAttention, Skip)

_links = table_of(LinkRow)
_UNIQUE = (_links.c.hook_id, _links.c.kind, _links.c.local_id)
_this_link = tuple(column == bindparam(f"this_{column.name}") for column in _UNIQUE)
_ONE = select(_links).where(*_this_link)
_DELETE = delete(_links).where(*_this_link)
_TAKE_BACK = _DELETE.where(_links.c.state == LinkState.INTENT)
_RESTART = (
    update(_links)
    .where(*_this_link)
    .values({name: bindparam(name) for name in ("natural_key", "begun_at", "lane_id", "epoch")})
)
_OF_REMOTE = (
    select(_links)
    .where(
        _links.c.hook_id == bindparam("hook_id"),
        _links.c.kind == bindparam("kind"),
        _links.c.remote_id == bindparam("remote_id"),
    )
    .order_by(_links.c.id)
)
#: What changes when a link is written over its intent.
_WRITTEN = (
    *("state", "remote_id", "url", "data", "version"),
    *("adopted", "gone_reason", "updated_at"),
)


@cache
def _begin_intent(dialect: str) -> Executable:
    add = insert_into(dialect, _links).on_conflict_do_nothing(index_elements=_UNIQUE)
    return add.returning(_links.c.id)


@cache
def _write_link(dialect: str) -> Executable:
    add = insert_into(dialect, _links)
    return add.on_conflict_do_update(
        index_elements=_UNIQUE, set_={name: add.excluded[name] for name in _WRITTEN}
    )


class DatabaseLinks:
    """The links of one hook, for the length of one delivery. Implements ``hub.sdk.links.Links``."""

    def __init__(self, ledger: Ledger, identities: Identities) -> None:
        self._ledger = ledger
        self._identities = identities
        self._lease = ledger.lease
        self._clock = ledger.clock
        self.unwritten: dict[tuple[str, str], Link] = {}

    def get(self, kind: str, local_id: str) -> Link | None:
        """See ``hub.sdk.links.Links.get``."""
        if (kind, local_id) in self.unwritten:
            return self.unwritten[kind, local_id]
        row = look(_ONE, **self._named(kind, local_id)).one_or_none()
        return _link(row) if row is not None and row.state != LinkState.INTENT else None

    def begun(self, kind: str, local_id: str) -> Intent | None:
        """See ``hub.sdk.links.Links.begun``."""
        if (kind, local_id) in self.unwritten:
            return None
        row = look(_ONE, **self._named(kind, local_id)).one_or_none()
        if row is None or row.state != LinkState.INTENT:
            return None
        return Intent(row.kind, local_id, row.natural_key, row.begun_at)

    def with_remote(self, kind: str, remote_id: str) -> Sequence[Link]:
        """See ``hub.sdk.links.Links.with_remote``."""
        self._ledger.flush()
        rows = look(_OF_REMOTE, hook_id=self._lease.hook_id, kind=kind, remote_id=remote_id)
        return [_link(row) for row in rows]

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
            kind,
            [local_id],
            create=create_one,
            find=find,
            natural_keys={local_id: natural_key},
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
        now = self._clock.now()
        existing, intents = self._ledger.commit(
            lambda session: self._begin(session, kind, local_ids, natural_keys, now)
        )
        results: dict[str, Link | HubError] = dict(existing)
        for local_id, intent in intents.items():
            found = self._look_for(intent, find, natural_keys.get(local_id, ""))
            if found is not None:
                results[local_id] = found
        missing = [local_id for local_id in local_ids if local_id not in results]
        if missing:
            results.update(self._create(kind, missing, create))
        return results

    def _begin(
        self,
        session: Session,
        kind: str,
        local_ids: Sequence[str],
        natural_keys: Mapping[str, str],
        now: datetime,
    ) -> tuple[dict[str, Link], dict[str, Intent]]:
        """Write the intents; answers the links that exist, and the older intents left open."""
        self._identities.confirm(session)
        links: dict[str, Link] = {}
        intents: dict[str, Intent] = {}
        for local_id in local_ids:
            began = run(
                session,
                _begin_intent(dialect_of(session)),
                hook_id=self._lease.hook_id,
                kind=kind,
                local_id=local_id,
                state=LinkState.INTENT,
                data={},
                adopted=False,
                natural_key=natural_keys.get(local_id, ""),
                begun_at=now,
                lane_id=self._lease.lane_id,
                epoch=self._lease.epoch,
                updated_at=now,
            )
            if began.one_or_none() is not None:
                continue
            row = self._row(session, kind, local_id)
            assert row is not None, "the insert met a conflict, so the row is there"
            if row.state == LinkState.INTENT and row.begun_at == now and self._began(row):
                continue  # by this very call: the answer to its commit was lost
            if row.state == LinkState.INTENT:
                self._refuse_foreign(session, row)
                intents[local_id] = Intent(row.kind, local_id, row.natural_key, row.begun_at)
            else:
                links[local_id] = _link(row)
        return links, intents

    def _began(self, row: Any) -> bool:
        return (row.lane_id, row.epoch) == (self._lease.lane_id, self._lease.epoch)

    def _refuse_foreign(self, session: Session, row: Any) -> None:
        """An intent of another lane that is at work now is not ours to judge."""
        if row.lane_id is None or row.lane_id == self._lease.lane_id:
            return
        other = session.execute(
            select(Lane.epoch, Lane.lease_until).where(Lane.id == row.lane_id)
        ).one_or_none()
        if (
            other is not None
            and other.epoch == row.epoch
            and other.lease_until is not None
            and other.lease_until > self._clock.now()
        ):
            raise RetryLater("Another worker is creating this record at this moment.", delay=1.0)

    def _look_for(
        self, intent: Intent, find: Callable[[Intent], Remote | None], natural_key: str
    ) -> Link | None:
        """What an earlier try made, adopted; ``None`` when it certainly made nothing, and the
        intent is that of a new try."""
        remote = find(intent)
        if remote is not None:
            return self.adopt(intent.kind, intent.local_id, remote)
        settled = intent.begun_at + timedelta(seconds=self._ledger.policy.settle)
        wait = (settled - self._clock.now()).total_seconds()
        if wait > 0:
            raise Postpone(
                "An earlier try was cut off; the remote system may still be at work on it.",
                delay=wait,
            )
        self._ledger.commit(lambda session: self._restart(session, intent, natural_key))
        return None

    def _restart(self, session: Session, intent: Intent, natural_key: str) -> None:
        self._identities.confirm(session)
        run(
            session,
            _RESTART,
            **self._named(intent.kind, intent.local_id),
            natural_key=natural_key,
            begun_at=self._clock.now(),
            lane_id=self._lease.lane_id,
            epoch=self._lease.epoch,
        )

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
        refused: list[str] = []
        for local_id, answer in zip(local_ids, answers, strict=True):
            if isinstance(answer, Remote):
                results[local_id] = self._remember(kind, local_id, answer, adopted=False)
            else:
                results[local_id] = answer
                refused.append(local_id)
        if refused:
            self._take_back(kind, refused)
        return results

    def _take_back(self, kind: str, local_ids: Sequence[str]) -> None:
        these = [self._named(kind, local_id) for local_id in local_ids]
        self._ledger.commit(lambda session: run_each(session, _TAKE_BACK, these))

    def adopt(
        self, kind: str, local_id: str, remote: Remote, *, version: int | None = None
    ) -> Link:
        """See ``hub.sdk.links.Links.adopt``."""
        return self._remember(kind, local_id, remote, adopted=True, version=version)

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
        self.unwritten.pop((link.kind, link.local_id), None)

        this = self._named(link.kind, link.local_id)
        self._ledger.commit(lambda session: run(session, _DELETE, **this))

    def _remember(
        self,
        kind: str,
        local_id: str,
        remote: Remote,
        *,
        adopted: bool,
        version: int | None = None,
    ) -> Link:
        return self._keep(
            Link(
                kind,
                local_id,
                remote.id,
                url=remote.url,
                data=dict(remote.data),
                version=version,
                adopted=adopted,
            )
        )

    def _keep(self, link: Link) -> Link:
        self.unwritten[link.kind, link.local_id] = link
        return link

    def write(self, session: Session) -> None:
        """Write what is not written yet, in a transaction of the caller, who holds the fence."""
        now = self._clock.now()
        for link in self.unwritten.values():
            run(
                session,
                _write_link(dialect_of(session)),
                hook_id=self._lease.hook_id,
                kind=link.kind,
                local_id=link.local_id,
                natural_key="",
                begun_at=now,
                state=LinkState.GONE if link.gone else LinkState.LINKED,
                remote_id=link.remote_id,
                url=link.url,
                data=dict(link.data),
                version=link.version,
                adopted=link.adopted,
                gone_reason=link.gone,
                updated_at=now,
            )

    def _row(self, session: Session, kind: str, local_id: str) -> Any:
        return run(session, _ONE, **self._named(kind, local_id)).one_or_none()

    def _named(self, kind: str, local_id: str) -> dict[str, Any]:
        """The values of ``_this_link``."""
        return {
            "this_hook_id": self._lease.hook_id,
            "this_kind": kind,
            "this_local_id": local_id,
        }


def _link(row: Any) -> Link:
    assert row.remote_id is not None, "only intents have no remote id"
    return Link(
        row.kind,
        row.local_id,
        row.remote_id,
        url=row.url,
        data=row.data,
        version=row.version,
        gone=row.gone_reason,
        adopted=row.adopted,
    )
