"""State: what a plugin remembers of its hook, in the database."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, delete, select, update
from sqlalchemy.orm import Session

from hub.database import dialect_of, insert_into, table_of
from hub.database.prepared import (
    look,
    run,
)
from hub.delivery.ledger import Ledger
from hub.models import PluginState
from hub.sdk.state import Entry, StateConflict, checked

_state = table_of(PluginState)
_this = (_state.c.hook_id == bindparam("this_hook"), _state.c.key == bindparam("this_key"))
_GET = select(*_state.c["value", "version", "written_by"]).where(*_this)
_WRITTEN = ("value", "written_by", "updated_at")
_REPLACE = (
    update(_state)
    .where(*_this, _state.c.version == bindparam("seen"))
    .values(
        {name: bindparam(name) for name in _WRITTEN} | {"version": _state.c.version + 1},
    )
)
_REMOVE = delete(_state).where(*_this)


@cache
def _put(dialect: str) -> Executable:
    add = insert_into(dialect, _state)
    changed = {name: add.excluded[name] for name in _WRITTEN}
    return add.on_conflict_do_update(
        index_elements=[_state.c.hook_id, _state.c.key],
        set_={**changed, "version": _state.c.version + 1},
    ).returning(_state.c.version)


@cache
def _add(dialect: str) -> Executable:
    return insert_into(dialect, _state).on_conflict_do_nothing().returning(_state.c.version)


class DatabaseState:
    """The state of one hook, for the length of one delivery. Implements ``hub.sdk.state.State``."""

    def __init__(self, ledger: Ledger, plugin_version: str) -> None:
        self._ledger = ledger
        self._written_by = plugin_version[:40]
        #: What is not written yet; ``None`` stands for what is forgotten.
        self.unwritten: dict[str, Entry | None] = {}
        #: The versions of what was put there when it was written last.
        self._versions: dict[str, int] = {}

    def get(self, key: str) -> Entry | None:
        """See ``hub.sdk.state.State.get``."""
        if key in self.unwritten:
            return self.unwritten[key]
        row = look(_GET, **self._named(key)).one_or_none()
        return None if row is None else Entry(key, row.value, row.version, row.written_by)

    def put(self, key: str, value: Any) -> None:
        """See ``hub.sdk.state.State.put``."""
        self.unwritten[key] = Entry(key, checked(key, value), 0, self._written_by)

    def remove(self, key: str) -> None:
        """See ``hub.sdk.state.State.remove``."""
        self.unwritten[key] = None

    def replace(self, key: str, value: Any, *, seen: Entry | None) -> Entry:
        """See ``hub.sdk.state.State.replace``."""
        wanted = checked(key, value)

        def work(session: Session) -> int | None:
            if seen is None:
                row = run(session, _add(dialect_of(session)), **self._row(key, wanted))
                return row.scalar()
            # What this delivery has put there before has its number only now.
            before = seen.version or self._versions.get(key, 0)
            values = {name: self._row(key, wanted)[name] for name in _WRITTEN}
            changed = run(session, _REPLACE, **self._named(key), seen=before, **values)
            return before + 1 if changed.rowcount else None

        version = self._ledger.commit(work)
        if version is None:
            raise StateConflict
        return Entry(key, wanted, version, self._written_by)

    def write(self, session: Session) -> None:
        """Write what is not written yet, in a transaction of the caller, who holds the fence."""
        versions: dict[str, int] = {}
        for key, entry in self.unwritten.items():
            if entry is None:
                run(session, _REMOVE, **self._named(key))
            else:
                put = run(session, _put(dialect_of(session)), **self._row(key, entry.value))
                versions[key] = put.scalar() or 0
        self._versions = versions

    def _named(self, key: str) -> dict[str, Any]:
        return {"this_hook": self._ledger.lease.hook_id, "this_key": key}

    def _row(self, key: str, value: Any) -> dict[str, Any]:
        return {
            "hook_id": self._ledger.lease.hook_id,
            "key": key,
            "value": value,
            "version": 1,
            "written_by": self._written_by,
            "updated_at": self._ledger.clock.now(),
        }
