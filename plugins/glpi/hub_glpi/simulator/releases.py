"""What differs between GLPI releases, as seen on real servers (API_FACTS.md, last section)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """One GLPI release. The defaults are those of 10.0.14; each flag names one difference."""

    version: str
    database_version: str
    system_user: bool = True
    """A user ``glpi-system`` (id 6) exists from the start."""
    email_as_login: bool = True
    """A login may be any valid email, also one with ``+`` or ``%``."""
    author_is_default_requester: bool = False
    """A ticket without requester gets the API user as requester."""
    keeps_unknown_requester: bool = False
    """A requester id that does not exist is stored, not dropped."""
    author_is_default_technician: bool = False
    """The API user becomes the assigned technician of tickets that name none."""
    requester_reopens: bool = True
    """A followup by the requester's own session reopens a solved or pending ticket."""
    iso_followup_dates: bool = False
    """ISO 8601 is accepted as the date of a followup (never as that of a ticket)."""
    kill_answers_true: bool = True
    """``killSession`` answers ``true``; else an empty body."""
    form_bodies: bool = True
    """A form-encoded POST is understood; else it ends in a fatal error."""
    unknown_entity_is_false: bool = True
    """``changeActiveEntities`` with an unknown id answers ``false``; else 400."""
    root_parent: int | None = None
    """``entities_id`` of the root entity."""
    numeric_entities: bool = True
    """Text comes back as ``&#60;b&#62; &#38;``; else as ``&lt;b&gt; &``."""
    four_byte_characters: bool = True
    """The database can hold emoji; else each becomes ``????``."""
    message_shows_ticket_id: bool = True
    """Messages about tickets end with `` (id)``."""
    sort_as_list: bool = True
    """``sort`` and ``order`` of a search answer are lists; else strings."""
    take_into_account_date: bool = True
    """Tickets have ``takeintoaccountdate``."""


RELEASES = {
    "10.0.14": Release("10.0.14", "10.0.14@8f13530f7cf0fb07add30ae20013f0374956795b"),
    "9.5.13": Release(
        "9.5.13",
        "9.5.7",
        system_user=False,
        email_as_login=False,
        author_is_default_requester=True,
        keeps_unknown_requester=True,
        author_is_default_technician=True,
        requester_reopens=False,
        iso_followup_dates=True,
        kill_answers_true=False,
        form_bodies=False,
        unknown_entity_is_false=False,
        root_parent=-1,
        numeric_entities=False,
        four_byte_characters=False,
        message_shows_ticket_id=False,
        sort_as_list=False,
        take_into_account_date=False,
    ),
}
