"""The remote records of contacts and conversations, for people who look them up."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from hub.database import reading
from hub.models import Event, Hook, Lane, Link, Source

#: How many events of a contact are searched for its conversations.
RECENT = 500


def of_subject(
    account_id: int, contact_id: str | None, conversation_id: str | None
) -> Sequence[Link]:
    """The links of a contact, or of a conversation, in every hook of the account.

    Plugins name their kinds themselves and number their links "<source>/<number>". A contact and
    a conversation may have the same number; the lane tells whose link it is.
    """
    number = contact_id if conversation_id is None else conversation_id
    found: list[Link] = []
    with reading() as session:
        sources = _sources(session, account_id)
        if contact_id is None:
            contact_id = session.scalar(
                select(Event.contact_id)
                .where(Event.source_id.in_(sources), Event.conversation_id == conversation_id)
                .order_by(Event.id.desc())
                .limit(1)
            )
        names = [f"{source}/{number}" for source in sources]
        lanes = [f"{source}/contact:{contact_id}" for source in sources]
        hooks = session.scalars(select(Hook.id).where(Hook.account_id == account_id)).all()
        for hook_id in hooks:
            found += session.scalars(
                select(Link)
                .outerjoin(Lane, Lane.id == Link.lane_id)
                .where(
                    Link.hook_id == hook_id,
                    Link.kind.in_(_kinds(session, hook_id)),
                    Link.local_id.in_(names),
                    or_(Link.lane_id.is_(None), Lane.key.in_(lanes)),
                )
                .order_by(Link.id)
            )
    return found


def conversations_of(account_id: int, contact_id: str) -> list[str]:
    """The conversations in a contact's recent events, newest first."""
    with reading() as session:
        numbers = session.scalars(
            select(Event.conversation_id)
            .where(
                Event.source_id.in_(_sources(session, account_id)), Event.contact_id == contact_id
            )
            .order_by(Event.id.desc())
            .limit(RECENT)
        ).all()
    return list(dict.fromkeys(number for number in numbers if number))


def _sources(session: Session, account_id: int) -> Sequence[int]:
    return session.scalars(select(Source.id).where(Source.account_id == account_id)).all()


def _kinds(session: Session, hook_id: int) -> list[str]:
    """The kinds of a hook's links. Jumps from kind to kind in the index instead of reading all."""
    kinds: list[str] = []
    while True:
        query = select(func.min(Link.kind)).where(Link.hook_id == hook_id)
        if kinds:
            query = query.where(Link.kind > kinds[-1])
        kind = session.scalar(query)
        if kind is None:
            return kinds
        kinds.append(kind)
