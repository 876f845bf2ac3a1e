"""What stands in GLPI and in LeadSquared after the day, beside what should."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.real.expected import Scene, shown
from tests.support.installation import is_notice

#: GLPI's numbers for each status of Chatwoot: new or in progress, waiting, solved.
_STATUSES = {"open": (1, 2), "pending": (4,), "snoozed": (4,), "resolved": (5,)}

Row = Mapping[str, Any]


@dataclass
class Line:
    """A scene: what should stand, what stands, and what is wrong with it."""

    scene: Scene
    should: str
    stands: str
    wrong: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        return not self.wrong


def in_glpi(scene: Scene, tables: Mapping[str, Sequence[Row]]) -> Line:
    """The line of a scene in GLPI."""
    link = re.compile(rf"/conversations/{scene.number}(?!\d)")
    tickets = [row for row in tables["Ticket"] if link.search(row["content"])]
    wrong: list[str] = []
    should = _summary(scene)
    if not scene.has_ticket:
        should = "no ticket"
    if len(tickets) != (1 if scene.has_ticket else 0):
        wrong.append(f"{len(tickets)} tickets")
    if not tickets or not scene.has_ticket:
        return Line(scene, should, f"{len(tickets) or 'no'} ticket", wrong)
    ticket = tickets[0]
    followups = sorted(
        (
            row
            for row in tables["ITILFollowup"]
            if row["items_id"] == ticket["id"] and not is_notice(row)
        ),
        key=lambda row: row["id"],
    )
    entries = [ticket, *followups]
    texts = [shown(row["content"]) for row in entries]
    wrong += _messages(scene, entries, texts)
    wrong += _files(scene, entries, tables)
    if ticket["status"] not in _STATUSES[scene.status]:
        wrong.append(f"status {ticket['status']}")
    requester = _requester(ticket, tables)
    if not _is_person(scene, requester):
        wrong.append(f"requester {requester or 'nobody'}")
    stands = f"1 ticket, {len(entries)} entries, status {ticket['status']}, {requester or 'nobody'}"
    return Line(scene, should, stands, wrong)


def _summary(scene: Scene) -> str:
    files = sum(said.files for said in scene.said)
    return (
        f"1 ticket, {max(1, len(scene.said))} entries{f', {files} files' if files else ''}, "
        f"{scene.status}, {scene.known_by[0]}"
    )


def _messages(scene: Scene, entries: Sequence[Row], texts: Sequence[str]) -> list[str]:
    """Each message once, in order, private kept private: entry by entry."""
    wrong = []
    if len(entries) != max(1, len(scene.said)):
        wrong.append(f"{len(entries)} entries for {len(scene.said)} messages")
    place = 0
    for said in scene.said:
        found = [
            number
            for number, text in enumerate(texts)
            if all(probe in text for probe in said.probes) and said.probes
        ]
        if said.gone and any(gone in text for gone in said.gone for text in texts):
            wrong.append(f"{said.id} was deleted and stands still")
        if not said.probes:
            place += 1
            continue
        behind = [number for number in found if number >= place]
        if not found:
            wrong.append(f"{said.id} is missing")
        elif not behind:
            wrong.append(f"{said.id} is out of order")
        else:
            private = bool(entries[behind[0]].get("is_private", 0))
            if private != said.private:
                wrong.append(f"{said.id} is {'private' if private else 'public'}")
            place = behind[0] + 1
    return wrong


def _files(scene: Scene, entries: Sequence[Row], tables: Mapping[str, Sequence[Row]]) -> list[str]:
    """Each file is a document of its message: of the ticket for the first, else of the followup."""
    wanted = [said.files for said in scene.said]
    stored = [
        sum(
            (row["itemtype"], row["items_id"])
            == ("ITILFollowup" if number else "Ticket", entry["id"])
            for row in tables["Document_Item"]
        )
        for number, entry in enumerate(entries)
    ]
    wanted += [0] * (len(stored) - len(wanted))
    return [] if stored == wanted else [f"files {stored} for {wanted}"]


def _requester(ticket: Row, tables: Mapping[str, Sequence[Row]]) -> str:
    """Who asks: the emails, numbers and names of the ticket's requesters."""
    users = {row["id"]: row for row in tables["User"]}
    words = list(ticket["_requester_emails"])
    for number in ticket["_requesters"]:
        user = users[number]
        words += user["_emails"] or [
            user["mobile"] or user["phone"] or f"{user['firstname']} {user['realname']}".strip()
        ]
    return ", ".join(words)


def _is_person(scene: Scene, requester: str) -> bool:
    digits = re.sub(r"\D", "", requester)
    return any(
        known in requester or (known.startswith("+") and known[-9:] in digits)
        for known in scene.known_by
    )


def in_leadsquared(scene: Scene, told: Mapping[str, Any]) -> Line:
    """The line of a scene in LeadSquared: its lead, and its conversation there."""
    # Two people that were merged later are two leads still.
    number = 2 if scene.name.startswith("merge_") else 1
    should = f"{number} lead, started once" if scene.has_ticket else "nothing told of it"
    leads = [lead for lead in told["leads"] if _is_of(lead, scene)]
    link = re.compile(rf"/conversations/{scene.number}(?!\d)")
    activities = [row for row in told["activities"] if link.search(str(row.get("Note", "")))]
    started = [row for row in activities if "Started" in row["EventName"]]
    transcripts = [row for row in activities if "Transcript" in row["EventName"]]
    wrong = []
    if scene.has_ticket:
        if len(leads) != number:
            wrong.append(f"{len(leads)} leads")
        if len(started) != 1:
            wrong.append(f"started {len(started)} times")
        strangers = {row["RelatedProspectId"] for row in activities} - {
            lead["ProspectID"] for lead in leads
        }
        if strangers:
            wrong.append("told at a stranger's lead")
        if scene.status == "resolved":
            wrong += _transcript(scene, transcripts)
            should += ", transcript"
    elif started:
        wrong.append("told")
    stands = f"{len(leads)} leads, started {len(started)}, {len(transcripts)} transcripts"
    return Line(scene, should, stands, wrong)


def _is_of(lead: Row, scene: Scene) -> bool:
    """Whether a lead is the scene's person: by email, by number, or else by the contact's mark."""
    email, phone = scene.first_email, scene.person["phone_number"]
    if not email and not phone:
        mark = re.compile(rf"/{scene.person['id']}\)")
        return any(mark.search(str(value)) for value in lead.values())
    digits = re.sub(r"\D", "", phone or "")[-9:]
    numbers = re.sub(r"\D", "", f"{lead.get('Phone')} {lead.get('Mobile')}")
    return bool((email and lead["EmailAddress"] == email) or (digits and digits in numbers))


def _transcript(scene: Scene, transcripts: Sequence[Row]) -> list[str]:
    """What people see of the conversation, the newest first in each note."""
    text = shown(" ".join(str(row["Note"]) for row in reversed(transcripts)))
    place, wrong = 0, []
    for said in reversed([said for said in scene.said if not said.private]):
        for probe in said.probes[:1]:
            at = text.find(probe)
            if at < 0:
                wrong.append(f"{said.id} is missing")
            elif at < place:
                wrong.append(f"{said.id} is out of order")
            else:
                place = at
    return wrong
