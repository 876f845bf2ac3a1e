"""Finding the followups of tries that were cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from hub.sdk import Intent, Link, Remote
from hub_glpi.api.errors import Missing
from hub_glpi.mappers.conversation import server_time
from hub_glpi.mappers.text import fingerprint
from hub_glpi.work import Work


def natural_key(content: str, *, sent_at: str = "", author: int | None = None) -> str:
    """By what a followup is found: its content (HTML), and date and author if they were sent."""
    return f"{sent_at}|{author or ''}|{fingerprint(content)}"


def finder(
    work: Work, kind: str, ticket: Link, data_of: Callable[[str], Mapping[str, Any]]
) -> Callable[[Intent], Remote | None]:
    """Finds followups of a ticket by their natural keys, for links of a ``kind``.

    ``data_of`` is what a link remembers, by its local id. The ticket's followups are read once for
    all, oldest first, so that equal messages are matched in their order.
    """
    candidates: list[dict[str, Any]] | None = None

    def find(intent: Intent) -> Remote | None:
        nonlocal candidates
        if candidates is None:
            candidates = list(reversed(list(_recent(work, ticket, intent))))
        for candidate in candidates:
            number = str(candidate["id"])
            if _fits(candidate, intent.natural_key) and not work.context.links.with_remote(
                kind, number
            ):
                return Remote(number, url=ticket.url, data=data_of(intent.local_id))
        return None

    return find


def _recent(work: Work, ticket: Link, intent: Intent) -> Iterator[dict[str, Any]]:
    """The followups made since the try began, newest first."""
    # An hour for clocks that differ.
    since = server_time(intent.begun_at, work.glpi.connection.clock_offset - 3600)
    try:
        yield from takewhile(
            lambda item: str(item.get("date_creation") or "9") >= since,
            work.glpi.followups.newest_first(int(ticket.remote_id)),
        )
    except Missing:
        return


def _fits(candidate: Mapping[str, Any], wanted: str) -> bool:
    sent_at, author, digest = wanted.split("|")
    return (
        fingerprint(str(candidate.get("content") or "")) == digest
        and (not sent_at or candidate.get("date") == sent_at)
        and (not author or str(candidate.get("users_id")) == author)
    )
