"""What needs a person, by its cause: all deliveries that failed for one reason are one trouble."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.database import reading
from hub.delivery.blame import parted
from hub.history.standing import Cause, Connection, Standing, connections, held
from hub.models import Delivery, DeliveryState, Hook
from hub.sdk.plugin import Plugin
from hub.sdk.translation import Translator

#: How many deliveries of one connection and state are read, newest first, however many there are.
MOST = 5_000
#: Deliveries in these states wait while their connection is stopped. A running one is finished.
_STOPPED = (DeliveryState.PENDING, DeliveryState.WAITING)
#: The hub's own sentences about deliveries that failed for good.
OF_THE_HUB: Final = (
    "Given up after {hours} hours: {sentence}",
    "The hub failed at this delivery: {what}",
    "The plugin failed: {said}",
    "The plugin gave no reason ({kind}).",
    "The worker died {bugs} times while it worked on this.",
    "{said} This kind of error does not say what is to be done.",
)
#: Placeholders that stand for a sentence. Such a sentence is part of the cause; other values, such
#: as numbers, are not.
_SENTENCES: Final = frozenset({"sentence", "said", "what"})
_NAME = re.compile(r"\{(\w+)\}")
_OWN: Final = Translator({text: text for text in OF_THE_HUB})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Deliveries of one connection that need a person for one reason."""

    hook_id: int
    hook_name: str
    plugin_id: str
    #: What stops their connection. ``None``: the deliveries failed for good.
    standing: Standing | None
    #: The sentence that they share, with placeholders where they differ.
    key: str
    #: The part of the event, or the setting, that is the cause, if that is known.
    field: str | None
    count: int
    #: When the first and the last of the deliveries were created.
    oldest: datetime
    newest: datetime
    #: The id of the last delivery, and its own sentence.
    example: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Troubles:
    """The troubles of an account: stopped connections first, then by the number of deliveries.
    ``is_whole`` is false if there are older deliveries that were not read."""

    rows: Sequence[Trouble]
    is_whole: bool


def of_account(account_id: int, plugins: Mapping[str, Plugin]) -> Troubles:
    """What needs a person in the account. ``plugins`` are those that can be used.

    Each connection costs at most three queries, each of which reads at most ``MOST`` deliveries.
    """
    rows: list[Trouble] = []
    is_whole = True
    with reading() as session:
        for connection in connections(session, Hook.account_id == account_id):
            keys = _Keys(plugins.get(connection.plugin_id))
            dead = _counted(session, connection, DeliveryState.DEAD)
            groups = [dead]
            for reason, counted in _by_cause(dead, keys).items():
                key, field = reason
                rows.append(_trouble(connection, None, key, field, counted))
            if stopped := held(connection, plugins):
                groups += [_counted(session, connection, state) for state in _STOPPED]
                if waiting := groups[1] + groups[2]:
                    key = _key_of_stop(stopped, keys)
                    rows.append(_trouble(connection, stopped, key, None, waiting))
            is_whole &= all(sum(one.number for one in group) < MOST for group in groups)
    rows.sort(key=lambda one: (one.standing is None, -one.count, -one.example))
    return Troubles(rows, is_whole)


class _Counted(NamedTuple):
    """Deliveries with one reason."""

    reason: str
    number: int
    oldest: datetime
    newest: datetime
    example: int


class _Keys:
    """Finds the key of a sentence in the catalogues of a plugin and of the hub."""

    def __init__(self, plugin: Plugin | None) -> None:
        catalogues = plugin.translations.values() if plugin else ()
        texts = {text: text for catalogue in catalogues for text in catalogue}
        self._translators = (Translator(texts), _OWN)

    def of(self, sentence: str) -> str:
        """What the sentence is made from; itself, if no catalogue knows it."""
        for translator in self._translators:
            if made := translator.origin(sentence):
                return _NAME.sub(lambda name: self._part(name, made.values), made.text)
        return sentence

    def _part(self, name: re.Match[str], values: Mapping[str, str]) -> str:
        return self.of(values[name[1]]) if name[1] in _SENTENCES else name[0]


def _counted(session: Session, connection: Connection, state: DeliveryState) -> list[_Counted]:
    """The newest deliveries of a connection in a state, by their reasons."""
    newest = (
        select(Delivery.id, Delivery.reason, Delivery.created_at)
        .where(Delivery.hook_id == connection.id, Delivery.state == state)
        .order_by(Delivery.id.desc())
        .limit(MOST)
        .subquery()
    ).c
    query = select(
        newest.reason,
        func.count(),
        func.min(newest.created_at),
        func.max(newest.created_at),
        func.max(newest.id),
    ).group_by(newest.reason)
    return [_Counted(*row) for row in session.execute(query)]


def _by_cause(
    dead: Sequence[_Counted], keys: _Keys
) -> Mapping[tuple[str, str | None], list[_Counted]]:
    """What failed for good, by the key of its sentence and the field that is to blame."""
    causes: dict[tuple[str, str | None], list[_Counted]] = {}
    for one in dead:
        sentence, field = parted(one.reason)
        causes.setdefault((keys.of(sentence), field), []).append(one)
    return causes


def _key_of_stop(stopped: Standing, keys: _Keys) -> str:
    # What a person said of a pause is no cause; what the plugin said is.
    if stopped.cause == Cause.NEEDS_ATTENTION and stopped.why:
        return keys.of(stopped.why)
    return stopped.sentence


def _trouble(
    connection: Connection,
    stopped: Standing | None,
    key: str,
    field: str | None,
    counted: Sequence[_Counted],
) -> Trouble:
    last = max(counted, key=lambda one: one.example)
    return Trouble(
        hook_id=connection.id,
        hook_name=connection.name,
        plugin_id=connection.plugin_id,
        standing=stopped,
        key=key,
        field=field,
        count=sum(one.number for one in counted),
        oldest=min(one.oldest for one in counted),
        newest=max(one.newest for one in counted),
        example=last.example,
        sentence=stopped.in_english() if stopped else last.reason,
    )
