"""What should stand after the day, read from what stood in Chatwoot: none of the hub's code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from typing import Any

from tests.real.recording import state, webhooks

#: Conversations of which no ticket is made: an automatic answer, and one of a blocked person.
NO_TICKET = frozenset({"mail_auto", "blocked_new"})
#: Letters and digits that are looked for of a message's beginning.
PROBE = 30
_INCOMING, _OUTGOING, _ACTIVITY, _TEMPLATE = 0, 1, 2, 3
#: A colleague's name in a note, and where it leads in Chatwoot only.
_MENTION = re.compile(r"\[@([^\]]*)\]\(mention://[^)]*\)")
#: Attachments that are files; the others are places, cards and links.
_FILES = frozenset({"image", "audio", "video", "file"})


@dataclass(frozen=True, slots=True)
class Said:
    """One message: what must be found of it, whether privately, and how many files belong to it.

    ``gone`` are texts that must not be found any more: the message was deleted.
    """

    id: int
    probes: Sequence[str]
    private: bool
    files: int
    gone: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """One conversation."""

    name: str
    number: int
    status: str
    said: Sequence[Said]
    person: Mapping[str, Any]

    @property
    def has_ticket(self) -> bool:
        return self.name not in NO_TICKET

    @property
    def known_by(self) -> list[str]:
        """What names the person: the first email, the number, or else the name.

        A record keeps the email that it was made with: nobody proves another.
        """
        known = [self.first_email, self.person["phone_number"]]
        return [value for value in known if value] or [self.person["name"]]

    @property
    def first_email(self) -> str | None:
        """The email that the person had first."""
        told = (
            webhook.body["email"]
            for webhook in webhooks()
            if webhook.body["event"] in ("contact_created", "contact_updated")
            and webhook.body["id"] == self.person["id"]
            and webhook.body["email"]
        )
        email: str | None = next(told, self.person["email"])
        return email


def scenes() -> list[Scene]:
    """Every conversation that stands at the end, in the order of their numbers."""
    names = {number: name for name, number in state()["scenes"].items()}
    found = [
        Scene(
            names[item["conversation"]["id"]],
            item["conversation"]["id"],
            item["conversation"]["status"],
            _said(item["messages"]),
            item["conversation"]["meta"]["sender"],
        )
        for item in state()["conversations"]
    ]
    return sorted(found, key=lambda scene: scene.number)


def _said(messages: Sequence[Mapping[str, Any]]) -> list[Said]:
    counted = [message for message in sorted(messages, key=_order) if _counts(message)]
    told = [_message(message) for message in counted]
    found = [said for said in told if said is not None]
    # Of what opens the conversation nothing is cut: in a first mail the signature has the number.
    ending = plain(counted[0]["content"] or "")[-PROBE:]
    return [replace(found[0], probes=[*found[0].probes, ending]), *found[1:]] if found else []


def _order(message: Mapping[str, Any]) -> tuple[float, int]:
    # The API tells whole seconds; the webhook of the creation tells the rest.
    created = _created().get(message["id"])
    return (created or float(message["created_at"]), message["id"])


def _created() -> dict[int, float]:
    return {
        body["id"]: datetime.fromisoformat(body["created_at"]).timestamp()
        for body in (webhook.body for webhook in webhooks())
        if body["event"] == "message_created"
    }


def _counts(message: Mapping[str, Any]) -> bool:
    """People's and bots' messages; of the automatic ones only the answer to a survey."""
    if message["message_type"] == _TEMPLATE:
        return bool(_survey(message))
    return message["message_type"] in (_INCOMING, _OUTGOING)


def _survey(message: Mapping[str, Any]) -> Mapping[str, Any]:
    values = (message["content_attributes"] or {}).get("submitted_values") or {}
    answer = values.get("csat_survey_response") if isinstance(values, dict) else None
    return answer or {}


def _message(message: Mapping[str, Any]) -> Said | None:
    attachments = message.get("attachments") or []
    files = sum(item["file_type"] in _FILES for item in attachments)
    survey = _survey(message)
    if survey:
        return Said(message["id"], [plain(survey["feedback_message"])], True, 0)
    if (message["content_attributes"] or {}).get("deleted"):
        return Said(message["id"], (), message["private"], 0, _original_texts(message["id"]))
    probes = [plain(_MENTION.sub(r"\1", message["content"] or ""))[:PROBE]]
    for item in attachments:
        if item["file_type"] == "location":
            probes.append(plain(item["fallback_title"] or str(item["coordinates_lat"])))
        elif item["file_type"] == "contact":
            probes.append(plain(item["fallback_title"]))
    probes = [probe for probe in probes if probe]
    if not probes and not files:
        # A mail of which there is only a subject has nothing to say in its ticket.
        return None
    return Said(message["id"], probes, message["private"], files)


def _original_texts(number: int) -> list[str]:
    """What a message said before it was deleted."""
    return [
        plain(body["content"])
        for body in (webhook.body for webhook in webhooks())
        if body["event"] == "message_created" and body["id"] == number and body["content"]
    ]


def plain(text: str) -> str:
    """Letters, digits and symbols of a text, without markup, in lower case."""
    for _ in range(3):
        text = unescape(text)
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", text).lower()
        if unicodedata.category(character)[0] in "LNS" and character not in "<>=+|`^$~"
    )


def shown(html: str) -> str:
    """The ``plain`` text of what people see of a page. GLPI keeps its texts encoded."""
    if "<" not in html:
        html = unescape(html)
    return plain(re.sub(r"<[^>]*>", " ", html))
